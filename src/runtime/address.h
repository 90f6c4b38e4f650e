/* runtime/address.h - socket addresses and networks as values. IPv4, IPv6 and Unix sockets. */
#pragma once
#include "base/buffer.h"
#include "base/bytes.h"
#include <sys/socket.h>

struct address {
	socklen_t len; /* 0: none */
	struct sockaddr_storage storage;
};

#define ADDRESS_TEXT_MAX 128

/* address_parse - "127.0.0.1", "127.0.0.1:25", "[::1]:25", "::1", "unix:/run/x". A missing port is
 * `port`. */
bool address_parse(struct bytes text, uint16_t port, struct address *address_out);
void address_format(const struct address *address,
                    char text_out[ADDRESS_TEXT_MAX]); /* without port */
void address_format_port(const struct address *address,
                         char text_out[ADDRESS_TEXT_MAX]); /* "[::1]:25" */
uint16_t address_port(const struct address *address);
void address_set_port(struct address *address, uint16_t port);
bool address_equal(const struct address *a, const struct address *b);
bool address_is_ipv6(const struct address *address);

struct network {
	int family;
	uint8_t prefix_bits, bytes[16];
};

/* network_parse - "10.0.0.0/8", "::1/128", "192.0.2.7". False if malformed or bits beyond the
 * prefix are set. */
bool network_parse(struct bytes text, struct network *network_out);

/* network_contains - IPv4-mapped IPv6 addresses count as IPv4. */
bool network_contains(const struct network *network, const struct address *address);
