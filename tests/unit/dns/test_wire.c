#include "dns/wire.h"
#include "support/check.h"
#include <string.h>

#define DATA(text)                        \
	{                                 \
		"" text, sizeof(text) - 1 \
	}

#define LABEL_63 "abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabc"

static const struct {
	const char *name;
	struct bytes data;
	enum wire_mx_kind kind;
	int preference;
	const char *host;
} mx_rows[] = {
	{ "plain", DATA("\0\x0a\3mx1\4test\0"), WIRE_MX_HOST, 10, "mx1.test" },
	{ "case", DATA("\xff\xff\3MX1\4Test\0"), WIRE_MX_HOST, 65535, "mx1.test" },
	{ "underscore, digits", DATA("\0\0\5_a-b9\0"), WIRE_MX_HOST, 0, "_a-b9" },
	{ "null MX (standards 7.5)", DATA("\0\0\0"), WIRE_MX_NULL, 0, "" },
	{ "null MX with a preference", DATA("\0\x0a\0"), WIRE_MX_NULL, 10, "" },
	{ "empty", DATA(""), WIRE_MX_MALFORMED, 0, "" },
	{ "preference only", DATA("\0\x0a"), WIRE_MX_MALFORMED, 0, "" },
	{ "name without end", DATA("\0\x0a\3mx1\4test"), WIRE_MX_MALFORMED, 10, "" },
	{ "label beyond the data", DATA("\0\x0a\77mx1\0"), WIRE_MX_MALFORMED, 10, "" },
	{ "bytes behind the end", DATA("\0\x0a\3mx1\0x"), WIRE_MX_MALFORMED, 10, "" },
	{ "compressed", DATA("\0\x0a\300\x0c"), WIRE_MX_MALFORMED, 10, "" },
	{ "blank", DATA("\0\x0a\3m 1\0"), WIRE_MX_MALFORMED, 10, "" },
	{ "dot in a label", DATA("\0\x0a\3m.1\0"), WIRE_MX_MALFORMED, 10, "" },
	{ "line end", DATA("\0\x0a\4m\r\n1\0"), WIRE_MX_MALFORMED, 10, "" },
	{ "NUL", DATA("\0\x0a\3m\0001\0"), WIRE_MX_MALFORMED, 10, "" },
	{ "label of 63", DATA("\0\1\77" LABEL_63 "\0"), WIRE_MX_HOST, 1, LABEL_63 },
};

static void test_mx(void)
{
	for (size_t i = 0; i < COUNT(mx_rows); i++) {
		struct wire_mx mx;

		wire_mx_decode(mx_rows[i].data, &mx);
		CHECK_INT(mx_rows[i].name, mx.kind, mx_rows[i].kind);
		CHECK_INT(mx_rows[i].name, mx.preference, mx_rows[i].preference);
		CHECK_STRING(mx_rows[i].name, mx.host, mx_rows[i].host);
	}
}

static void test_long_names(void)
{
	char data[300], text[WIRE_NAME_TEXT_MAX];
	size_t len = 0;

	for (int i = 0; i < 4; i++) {
		data[len++] = i < 3 ? 63 : 61;
		memset(data + len, 'x', 63);
		len += i < 3 ? 63 : 61;
	}
	data[len] = '\0';
	CHECK_TRUE("255 bytes", wire_name_decode((struct bytes){ data, len + 1 }, text));
	CHECK_INT("253 characters", strlen(text), 253);
	CHECK_TRUE("valid", wire_name_is_valid(bytes_of(text)));
	data[192] = 62;
	data[len++] = 'x';
	data[len++] = '\0';
	CHECK_TRUE("256 bytes", !wire_name_decode((struct bytes){ data, len }, text));
}

static void test_valid_names(void)
{
	static const struct {
		const char *text;
		bool want;
	} rows[] = {
		{ "a", true },
		{ "a.test.", true },
		{ "x--1._y", true },
		{ "", false },
		{ ".", false },
		{ "a..b", false },
		{ ".a", false },
		{ "a b", false },
		{ "a/b", false },
		{ "[1.2.3.4]", false },
		{ "b\303\274.test", false },
		{ LABEL_63, true },
		{ LABEL_63 "x", false },
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		CHECK_INT(rows[i].text, wire_name_is_valid(bytes_of(rows[i].text)), rows[i].want);
}

static void test_addresses(void)
{
	struct address address;
	char text[ADDRESS_TEXT_MAX];

	CHECK_TRUE("A", wire_address_decode(BYTES_LITERAL("\177\0\0\5"), &address));
	address_format(&address, text);
	CHECK_STRING("A", text, "127.0.0.5");
	CHECK_TRUE("AAAA", wire_address_decode(BYTES_LITERAL("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1"),
	                                       &address));
	address_format(&address, text);
	CHECK_STRING("AAAA", text, "::1");
	CHECK_TRUE("5 bytes", !wire_address_decode(BYTES_LITERAL("12345"), &address));
	CHECK_TRUE("none", !wire_address_decode((struct bytes){ 0 }, &address));
}

TEST_MAIN(test_mx, test_long_names, test_valid_names, test_addresses)
