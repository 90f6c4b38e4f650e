#include "runtime/address.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

static struct sockaddr_in *as_v4(struct address *address)
{
	return (struct sockaddr_in *)&address->storage;
}

static struct sockaddr_in6 *as_v6(struct address *address)
{
	return (struct sockaddr_in6 *)&address->storage;
}

static const struct sockaddr_in *v4_of(const struct address *address)
{
	return (const struct sockaddr_in *)&address->storage;
}

static const struct sockaddr_in6 *v6_of(const struct address *address)
{
	return (const struct sockaddr_in6 *)&address->storage;
}

static bool parse_unix(struct bytes path, struct address *address)
{
	struct sockaddr_un *local = (struct sockaddr_un *)&address->storage;

	if (path.len == 0 || path.len >= sizeof local->sun_path)
		return false;
	local->sun_family = AF_UNIX;
	memcpy(local->sun_path, path.at, path.len);
	local->sun_path[path.len] = '\0';
	address->len = sizeof *local;
	return true;
}

/* Parts "[::1]:25", "::1", "127.0.0.1:25" into host and port. */
static bool split(struct bytes text, char host[64], uint16_t *port)
{
	ptrdiff_t close = bytes_find_char(text, ']'), colon = bytes_find_last_char(text, ':');
	struct bytes name = text, rest = { 0 };
	uint64_t value;

	if (text.len > 0 && text.at[0] == '[') {
		if (close < 0)
			return false;
		name = (struct bytes){ text.at + 1, (size_t)close - 1 };
		rest = bytes_from(text, (size_t)close + 1);
	} else if (colon >= 0 && bytes_find_char(text, ':') == colon) {
		name = bytes_first(text, (size_t)colon);
		rest = bytes_from(text, (size_t)colon);
	}
	if (rest.len > 0) {
		if (rest.at[0] != ':' || !bytes_parse_u64(bytes_from(rest, 1), &value) ||
		    value > UINT16_MAX)
			return false;
		*port = (uint16_t)value;
	}
	if (name.len == 0 || name.len >= 64)
		return false;
	memcpy(host, name.at, name.len);
	host[name.len] = '\0';
	return strlen(host) == name.len;
}

bool address_parse(struct bytes text, uint16_t port, struct address *address_out)
{
	char host[64];

	*address_out = (struct address){ 0 };
	if (bytes_starts_with(text, bytes_of("unix:")))
		return parse_unix(bytes_from(text, 5), address_out);
	if (!split(text, host, &port))
		return false;
	if (inet_pton(AF_INET, host, &as_v4(address_out)->sin_addr) == 1) {
		as_v4(address_out)->sin_family = AF_INET;
		address_out->len = sizeof(struct sockaddr_in);
	} else if (inet_pton(AF_INET6, host, &as_v6(address_out)->sin6_addr) == 1) {
		as_v6(address_out)->sin6_family = AF_INET6;
		address_out->len = sizeof(struct sockaddr_in6);
	} else {
		return false;
	}
	address_set_port(address_out, port);
	return true;
}

void address_format(const struct address *address, char text_out[ADDRESS_TEXT_MAX])
{
	const struct sockaddr_un *local = (const struct sockaddr_un *)&address->storage;

	switch (address->storage.ss_family) {
	case AF_INET:
		inet_ntop(AF_INET, &v4_of(address)->sin_addr, text_out, ADDRESS_TEXT_MAX);
		return;
	case AF_INET6:
		inet_ntop(AF_INET6, &v6_of(address)->sin6_addr, text_out, ADDRESS_TEXT_MAX);
		return;
	case AF_UNIX:
		snprintf(text_out, ADDRESS_TEXT_MAX, "unix:%s",
		         address->len > sizeof(sa_family_t) ? local->sun_path : "");
		return;
	default:
		snprintf(text_out, ADDRESS_TEXT_MAX, "none");
	}
}

void address_format_port(const struct address *address, char text_out[ADDRESS_TEXT_MAX])
{
	char host[ADDRESS_TEXT_MAX];

	address_format(address, host);
	if (address->storage.ss_family == AF_INET6)
		snprintf(text_out, ADDRESS_TEXT_MAX, "[%.60s]:%u", host, address_port(address));
	else if (address->storage.ss_family == AF_INET)
		snprintf(text_out, ADDRESS_TEXT_MAX, "%.60s:%u", host, address_port(address));
	else
		snprintf(text_out, ADDRESS_TEXT_MAX, "%s", host);
}

uint16_t address_port(const struct address *address)
{
	if (address->storage.ss_family == AF_INET)
		return ntohs(v4_of(address)->sin_port);
	return address->storage.ss_family == AF_INET6 ? ntohs(v6_of(address)->sin6_port) : 0;
}

void address_set_port(struct address *address, uint16_t port)
{
	if (address->storage.ss_family == AF_INET)
		as_v4(address)->sin_port = htons(port);
	else if (address->storage.ss_family == AF_INET6)
		as_v6(address)->sin6_port = htons(port);
}

bool address_equal(const struct address *a, const struct address *b)
{
	char left[ADDRESS_TEXT_MAX], right[ADDRESS_TEXT_MAX];

	address_format_port(a, left);
	address_format_port(b, right);
	return strcmp(left, right) == 0;
}

bool address_is_ipv6(const struct address *address)
{
	return address->storage.ss_family == AF_INET6;
}

static int byte_count(int family)
{
	return family == AF_INET ? 4 : 16;
}

static bool has_bits_beyond(const struct network *network)
{
	for (int bit = network->prefix_bits; bit < byte_count(network->family) * 8; bit++)
		if (network->bytes[bit / 8] & (0x80 >> bit % 8))
			return true;
	return false;
}

bool network_parse(struct bytes text, struct network *network_out)
{
	struct bytes rest = text, host = bytes_split(&rest, '/');
	char name[64];
	uint64_t bits;

	*network_out = (struct network){ 0 };
	if (host.len == 0 || host.len >= sizeof name)
		return false;
	memcpy(name, host.at, host.len);
	name[host.len] = '\0';
	if (inet_pton(AF_INET, name, network_out->bytes) == 1)
		network_out->family = AF_INET;
	else if (inet_pton(AF_INET6, name, network_out->bytes) == 1)
		network_out->family = AF_INET6;
	else
		return false;
	bits = (uint64_t)byte_count(network_out->family) * 8;
	if (rest.at &&
	    (!bytes_parse_u64(rest, &bits) || bits > (uint64_t)byte_count(network_out->family) * 8))
		return false;
	network_out->prefix_bits = (uint8_t)bits;
	return !has_bits_beyond(network_out);
}

bool network_contains(const struct network *network, const struct address *address)
{
	static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };
	const uint8_t *bytes;
	int family = address->storage.ss_family, bits = network->prefix_bits;

	if (family == AF_INET) {
		bytes = (const uint8_t *)&v4_of(address)->sin_addr;
	} else if (family == AF_INET6) {
		bytes = v6_of(address)->sin6_addr.s6_addr;
		if (memcmp(bytes, mapped, sizeof mapped) == 0) {
			bytes += sizeof mapped;
			family = AF_INET;
		}
	} else {
		return false;
	}
	if (family != network->family || memcmp(bytes, network->bytes, (size_t)bits / 8) != 0)
		return false;
	return bits % 8 == 0 ||
	       ((bytes[bits / 8] ^ network->bytes[bits / 8]) >> (8 - bits % 8)) == 0;
}
