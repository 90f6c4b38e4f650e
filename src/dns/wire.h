/* dns/wire.h - the data of DNS records as resolvers hand it over: uncompressed, in network order
 * (RFC 1035 3.3). Pure. The bytes come from strangers. */
#pragma once
#include "base/bytes.h"
#include "runtime/address.h"

#define WIRE_NAME_TEXT_MAX 256 /* 253 characters and the NUL, rounded */

enum wire_mx_kind {
	WIRE_MX_MALFORMED, /* not MX data, or a name that no host can have */
	WIRE_MX_HOST,
	WIRE_MX_NULL, /* the root: the domain takes no mail (RFC 7505 3) */
};

struct wire_mx {
	enum wire_mx_kind kind;
	uint16_t preference;
	char host[WIRE_NAME_TEXT_MAX]; /* lower case, no final dot; "" unless WIRE_MX_HOST */
};

/* wire_mx_decode - reads one MX record's data. */
void wire_mx_decode(struct bytes data, struct wire_mx *mx_out);

/* wire_name_decode - reads a name that fills `data` to its last byte. Only letters, digits, hyphen
 * and underscore are taken, since the text goes into logs, notices and commands. The root is "".
 * Returns false if malformed. */
bool wire_name_decode(struct bytes data, char text_out[WIRE_NAME_TEXT_MAX]);

/* wire_name_is_valid - whether `text` can be asked for: labels of 1 to 63 of those characters, 253
 * in all; one final dot is taken. */
bool wire_name_is_valid(struct bytes text);

/* wire_address_decode - 4 bytes make an IPv4 address, 16 an IPv6 address; port 0. False otherwise.
 */
bool wire_address_decode(struct bytes data, struct address *address_out);
