/* Addresses in commands (RFC 5321 4.1.2, 4.5.3.1; RFC 6531; standards 2.12, 2.14, 11). */
#include "smtp/address.h"
#include "support/check.h"

#define X10 "xxxxxxxxxx"
#define X60 X10 X10 X10 X10 X10 X10
#define L63 X60 "xxx"

static const struct {
	const char *name, *text;
	bool allow_utf8;
	enum mailbox_fault fault;
	const char *local, *domain;
} rows[] = {
	{ "plain", "a.b@c.test", false, MAILBOX_OK, "a.b", "c.test" },
	{ "all atom characters", "!#$%&'*+-/=?^_`{|}~@c", false, MAILBOX_OK, "!#$%&'*+-/=?^_`{|}~",
	  "c" },
	{ "case is kept", "Ab@C.Test", false, MAILBOX_OK, "Ab", "C.Test" },
	{ "2.10 postmaster alone", "pOstmaster", false, MAILBOX_OK, "pOstmaster", "" },
	{ "others alone", "me", false, MAILBOX_SYNTAX, NULL, NULL },
	{ "nothing", "", false, MAILBOX_SYNTAX, NULL, NULL },
	{ "no local part", "@c", false, MAILBOX_SYNTAX, NULL, NULL },
	{ "no domain", "a@", false, MAILBOX_SYNTAX, NULL, NULL },
	{ "dot in front", ".a@c", false, MAILBOX_SYNTAX, NULL, NULL },
	{ "dot at the end", "a.@c", false, MAILBOX_SYNTAX, NULL, NULL },
	{ "two dots", "a..b@c", false, MAILBOX_SYNTAX, NULL, NULL },
	{ "blank", "a b@c", false, MAILBOX_SYNTAX, NULL, NULL },
	{ "two @", "a@b@c", false, MAILBOX_SYNTAX, NULL, NULL },
	{ "control character", "a\x01@c", false, MAILBOX_SYNTAX, NULL, NULL },
	{ "angle bracket", "a<@c", false, MAILBOX_SYNTAX, NULL, NULL },
	{ "quoted", "\"a b@c\"@d", false, MAILBOX_OK, "\"a b@c\"", "d" },
	{ "empty quoted", "\"\"@d", false, MAILBOX_OK, "\"\"", "d" },
	{ "escaped quote", "\"a\\\"b\"@d", false, MAILBOX_OK, "\"a\\\"b\"", "d" },
	{ "quote within", "\"a\"b\"@d", false, MAILBOX_SYNTAX, NULL, NULL },
	{ "escaped end", "\"a\\\"@d", false, MAILBOX_SYNTAX, NULL, NULL },
	{ "control character, quoted", "\"a\x01\"@d", false, MAILBOX_SYNTAX, NULL, NULL },
	{ "control character, escaped", "\"a\\\x01\"@d", false, MAILBOX_SYNTAX, NULL, NULL },
	{ "DEL, escaped", "\"a\\\x7f\"@d", false, MAILBOX_SYNTAX, NULL, NULL },
	{ "IPv4 literal", "a@[192.0.2.1]", false, MAILBOX_OK, "a", "[192.0.2.1]" },
	{ "IPv6 literal", "a@[ipv6:2001:DB8::1]", false, MAILBOX_OK, "a", "[ipv6:2001:DB8::1]" },
	{ "IPv6 without tag", "a@[2001:db8::1]", false, MAILBOX_SYNTAX, NULL, NULL },
	{ "empty literal", "a@[]", false, MAILBOX_SYNTAX, NULL, NULL },
	{ "number too large", "a@[192.0.2.256]", false, MAILBOX_SYNTAX, NULL, NULL },
	{ "open literal", "a@[192.0.2.1", false, MAILBOX_SYNTAX, NULL, NULL },
	{ "underscore in the domain", "a@_b.c", false, MAILBOX_OK, "a", "_b.c" },
	{ "hyphen in front of a label", "a@-b.c", false, MAILBOX_SYNTAX, NULL, NULL },
	{ "hyphen behind a label", "a@b-.c", false, MAILBOX_SYNTAX, NULL, NULL },
	{ "empty label", "a@b..c", false, MAILBOX_SYNTAX, NULL, NULL },
	{ "dot behind the domain", "a@b.c.", false, MAILBOX_SYNTAX, NULL, NULL },
	{ "2.12 local part of 64", "x" L63 "@c", false, MAILBOX_OK, "x" L63, "c" },
	{ "2.14 local part of 65", "xx" L63 "@c", false, MAILBOX_LOCAL_TOO_LONG, NULL, NULL },
	{ "label of 63", "a@" L63 ".c", false, MAILBOX_OK, "a", L63 ".c" },
	{ "label of 64", "a@x" L63 ".c", false, MAILBOX_SYNTAX, NULL, NULL },
	{ "2.12 path of 256", X60 "@" L63 "." L63 "." L63 ".x", false, MAILBOX_OK, X60,
	  L63 "." L63 "." L63 ".x" },
	{ "2.14 path of 257", X60 "x@" L63 "." L63 "." L63 ".x", false, MAILBOX_TOO_LONG, NULL,
	  NULL },
	{ "2.14 domain of 256", "a@" L63 "." L63 "." L63 "." L63 ".", false,
	  MAILBOX_DOMAIN_TOO_LONG, NULL, NULL },
	{ "11.2 local part beyond ASCII", "\xc3\xa9@c", true, MAILBOX_OK, "\xc3\xa9", "c" },
	{ "11.2 domain beyond ASCII", "a@b\xc3\xbc.c", true, MAILBOX_OK, "a", "b\xc3\xbc.c" },
	{ "11.2 without SMTPUTF8", "\xc3\xa9@c", false, MAILBOX_NOT_ASCII, NULL, NULL },
	{ "11.3 no UTF-8", "\xc3@c", true, MAILBOX_BAD_UTF8, NULL, NULL },
	{ "11.3 overlong UTF-8", "\xc0\xaf@c", true, MAILBOX_BAD_UTF8, NULL, NULL },
};

static void mailboxes(void)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct mailbox_parts parts;

		CHECK_INT(rows[i].name,
		          mailbox_parse(bytes_of(rows[i].text), rows[i].allow_utf8, &parts),
		          rows[i].fault);
		if (rows[i].fault != MAILBOX_OK)
			continue;
		CHECK_BYTES(rows[i].name, parts.local, bytes_of(rows[i].local));
		CHECK_BYTES(rows[i].name, parts.domain, bytes_of(rows[i].domain));
		CHECK_INT(rows[i].name, parts.is_literal, rows[i].domain[0] == '[');
	}
}

/* What a local part or a domain may never hold, whatever stands around it. */
static void no_control_character_anywhere(void)
{
	static const char *const places[] = { "%cb@c.test", "a%cb@c.test", "\"a%cb\"@c.test",
		                              "\"a\\%cb\"@c.test", "a@c%c.test" };

	for (size_t i = 0; i < COUNT(places); i++)
		for (int c = 1; c < 128; c = c == 31 ? 127 : c + 1) {
			char text[40];
			struct mailbox_parts parts;

			snprintf(text, sizeof text, places[i], c);
			CHECK_INT(places[i], mailbox_parse(bytes_of(text), true, &parts),
			          MAILBOX_SYNTAX);
		}
}

static void domains_alone(void)
{
	bool is_literal;

	CHECK_TRUE("2.2 name", mailbox_domain_parse(bytes_of("c.test"), false, &is_literal));
	CHECK_TRUE("2.2 name", !is_literal);
	CHECK_TRUE("2.2 literal", mailbox_domain_parse(bytes_of("[::1]"), false, &is_literal) == 0);
	CHECK_TRUE("2.2 literal", mailbox_domain_parse(bytes_of("[IPv6:::1]"), false, &is_literal));
	CHECK_TRUE("2.2 literal", is_literal);
	CHECK_TRUE("no ASCII", !mailbox_domain_parse(bytes_of("b\xc3\xbc.c"), false, &is_literal));
	CHECK_TRUE("blank", !mailbox_domain_parse(bytes_of("a b"), false, &is_literal));
}

static const struct {
	const char *name, *domain, *want; /* NULL: it cannot be */
} labels[] = {
	{ "lower case", "C.TEST", "c.test" },
	{ "final dot", "c.test.", "c.test" },
	{ "only a dot", ".", NULL },
	{ "nothing", "", NULL },
	{ "U-label",
	  "B\xc3\x9c"
	  "CHER.test",
	  "xn--bcher-kva.test" },
	{ "sharp s is a letter of its own",
	  "stra\xc3\x9f"
	  "e.test",
	  "xn--strae-oqa.test" },
	{ "ideographic full stop",
	  "b\xc3\xbc"
	  "cher\xe3\x80\x82test",
	  "xn--bcher-kva.test" },
	{ "no letter", "a\xe2\x80\xa8.test", NULL },
};

static void domains_as_a_labels(void)
{
	for (size_t i = 0; i < COUNT(labels); i++) {
		struct buffer out = { 0 };
		bool is_good = domain_to_ascii(bytes_of(labels[i].domain), &out);

		CHECK_INT(labels[i].name, is_good, labels[i].want != NULL);
		if (labels[i].want)
			CHECK_BYTES(labels[i].name, buffer_bytes(&out), bytes_of(labels[i].want));
		buffer_deinit(&out);
	}
}

TEST_MAIN(mailboxes, no_control_character_anywhere, domains_alone, domains_as_a_labels)
