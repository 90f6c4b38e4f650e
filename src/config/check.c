#include "config/check.h"
#include "base/macros.h"
#include "base/units.h"
#include <arpa/inet.h>
#include <string.h>

/* Width of the IP address in bits, 0 if it is none. */
static int address_bits(struct bytes text)
{
	unsigned char binary[16];
	char copy[64];

	if (text.len == 0 || text.len >= sizeof copy)
		return 0;
	memcpy(copy, text.at, text.len);
	copy[text.len] = '\0';
	if (inet_pton(AF_INET, copy, binary) == 1)
		return 32;
	return inet_pton(AF_INET6, copy, binary) == 1 ? 128 : 0;
}

static bool is_name(struct bytes text)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.at[i], lower = char_lower(c);
		bool is_letter = (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') ||
		                 c == '-' || c == '_' || (unsigned char)c > 127;

		if (c == '.' ? i == 0 || text.at[i - 1] == '.' : !is_letter)
			return false;
	}
	return text.len > 0 && text.len <= 253 && text.at[text.len - 1] != '.';
}

static bool is_bracketed(struct bytes text)
{
	return text.len > 2 && text.at[0] == '[' && text.at[text.len - 1] == ']';
}

static struct bytes inside(struct bytes text)
{
	return bytes_first(bytes_from(text, 1), text.len - 2);
}

static bool is_port(struct bytes text)
{
	uint64_t port;

	return bytes_parse_u64(text, &port) && port <= 65535;
}

static bool is_endpoint(struct bytes text)
{
	ptrdiff_t colon = bytes_find_last_char(text, ':');
	struct bytes host;

	if (colon < 0 || !is_port(bytes_from(text, (size_t)colon + 1)))
		return false;
	host = bytes_first(text, (size_t)colon);
	if (is_bracketed(host))
		return address_bits(inside(host)) > 0;
	return address_bits(host) == 32;
}

/* An address as it stands in a mail address: [192.0.2.1], [IPv6:2001:db8::1] (RFC 5321 4.1.3). */
static bool is_literal(struct bytes text)
{
	if (bytes_starts_with_nocase(text, BYTES_LITERAL("IPv6:")))
		return address_bits(bytes_from(text, 5)) == 128;
	return address_bits(text) == 32;
}

const char *check_name(struct bytes value)
{
	return is_name(value) ? NULL : "a host name such as mail.example.com";
}

const char *check_pattern(struct bytes value)
{
	struct bytes domain = value;

	if (bytes_starts_with(value, BYTES_LITERAL("*.")))
		domain = bytes_from(value, 2);
	else if (is_bracketed(value))
		return is_literal(inside(value)) ? NULL : "an address in brackets";
	return is_name(domain) ? NULL : "a domain, or *. and a domain";
}

const char *check_endpoint(struct bytes value)
{
	return is_endpoint(value) ? NULL : "an address with port such as 127.0.0.1:25 or [::1]:25";
}

const char *check_network(struct bytes value)
{
	struct bytes rest = value, address = bytes_split(&rest, '/');
	int bits = address_bits(address);
	uint64_t prefix = 0;

	if (bits > 0 && (!rest.at || (bytes_parse_u64(rest, &prefix) && prefix <= (uint64_t)bits)))
		return NULL;
	return "a network such as 192.0.2.0/24 or 2001:db8::/32";
}

const char *check_address(struct bytes value)
{
	return address_bits(value) > 0 ? NULL : "an IP address";
}

const char *check_mailbox(struct bytes value)
{
	ptrdiff_t at = bytes_find_last_char(value, '@');

	if (at > 0 && bytes_find_char(value, ' ') < 0 && bytes_find_char(value, '<') < 0 &&
	    is_name(bytes_from(value, (size_t)at + 1)))
		return NULL;
	return "a mail address such as postmaster@example.com";
}

const char *check_stub(struct bytes value)
{
	struct bytes rest = value, zone = bytes_split(&rest, '=');

	return is_name(zone) && is_endpoint(rest) ? NULL
	                                          : "a zone and a server such as test=127.0.0.1:53";
}

static bool is_route_host(struct bytes text)
{
	ptrdiff_t colon = bytes_find_last_char(text, ':');
	ptrdiff_t bracket = bytes_find_last_char(text, ']');

	if (colon > bracket) {
		if (!is_port(bytes_from(text, (size_t)colon + 1)))
			return false;
		text = bytes_first(text, (size_t)colon);
	}
	if (is_bracketed(text))
		return address_bits(inside(text)) > 0 || is_name(inside(text));
	return is_name(text);
}

const char *check_route(struct bytes value)
{
	while (value.at) {
		struct bytes host = bytes_split(&value, ' ');

		if (host.len > 0 && !is_route_host(host))
			return "hosts such as mx.example.com or [192.0.2.1]:25";
	}
	return NULL;
}

const char *check_word(struct bytes value)
{
	return is_name(value) ? NULL : "a name of letters, digits, - and _";
}

const char *check_rate(struct bytes value)
{
	int64_t count, period_us;

	return value.len == 0 || rate_parse(value, &count, &period_us)
	               ? NULL
	               : "a rate such as 500/h, 10/s or 100/5m";
}

const char *check_own_cause(struct bytes value)
{
	static const char *const names[] = { "own_limit", "suspended", "held", "own_fault",
		                             "none" };

	for (size_t i = 0; i < COUNT(names); i++)
		if (bytes_equal(value, bytes_of(names[i])))
			return NULL;
	return "one of own_limit, suspended, held, own_fault, none";
}

const char *check_not_empty(struct bytes value)
{
	return value.len > 0 ? NULL : "a name";
}

const char *check_dkim(struct bytes value)
{
	struct bytes middle = BYTES_LITERAL("._domainkey.");
	ptrdiff_t at = bytes_find_nocase(value, middle);

	if (at > 0 && is_name(bytes_first(value, (size_t)at)) &&
	    is_name(bytes_from(value, (size_t)at + middle.len)))
		return NULL;
	return "the name of a key record such as s1._domainkey.example.com";
}

const char *check_sender(struct bytes value)
{
	return bytes_equal(value, BYTES_LITERAL("*")) ? NULL : check_pattern(value);
}

const char *check_day(struct bytes value)
{
	int64_t ignored;

	return date_parse_day(value, &ignored) ? NULL : "a day such as 2026-11-23";
}

const char *check_path(struct bytes value)
{
	return value.len > 1 && value.at[0] == '/' ? NULL : "an absolute path";
}

const char *check_url(struct bytes value)
{
	if (bytes_starts_with(value, BYTES_LITERAL("https://")) ||
	    bytes_starts_with(value, BYTES_LITERAL("http://")))
		return NULL;
	return "a URL that begins with https:// or http://";
}
