#include "base/err.h"
#include "smtp/reply.h"
#include "support/check.h"
#include <stdlib.h>

static const struct {
	const char *name, *in;
	int result, code, class, subject, detail;
} rows[] = {
	{ "one line", "250 ok\r\n", 8, 250, 0, 0, 0 },
	{ "no text", "354\r\n", 5, 354, 0, 0, 0 },
	{ "blank and no text", "250 \r\n", 6, 250, 0, 0, 0 },
	{ "bare LF", "250 ok\n", 7, 250, 0, 0, 0 },
	{ "no text, bare LF", "354\n", 4, 354, 0, 0, 0 },
	{ "what follows is left", "250 ok\r\n550 no\r\n", 8, 250, 0, 0, 0 },
	{ "two lines", "250-mx greets\r\n250 SIZE\r\n", 25, 250, 0, 0, 0 },
	{ "last line without text", "250-mx\r\n250\r\n", 13, 250, 0, 0, 0 },
	{ "odd code", "299 ok\r\n", 8, 299, 0, 0, 0 },
	{ "nothing yet", "", 0, 0, 0, 0, 0 },
	{ "half a code", "25", 0, 0, 0, 0, 0 },
	{ "code only", "250", 0, 0, 0, 0, 0 },
	{ "no line end yet", "250 ok\r", 0, 0, 0, 0, 0 },
	{ "more to come", "250-mx greets\r\n", 0, 0, 0, 0, 0 },
	{ "half of the second line", "250-mx greets\r\n25", 0, 0, 0, 0, 0 },
	{ "not a reply", "hello\r\n", ERR_PROTOCOL, 0, 0, 0, 0 },
	{ "its first byte is enough", "h", ERR_PROTOCOL, 0, 0, 0, 0 },
	{ "1yz is never sent", "150 ok\r\n", ERR_PROTOCOL, 0, 0, 0, 0 },
	{ "6yz is no class", "650 ok\r\n", ERR_PROTOCOL, 0, 0, 0, 0 },
	{ "four digits", "2500 ok\r\n", ERR_PROTOCOL, 0, 0, 0, 0 },
	{ "no separator", "250ok\r\n", ERR_PROTOCOL, 0, 0, 0, 0 },
	{ "two digits", "25\r\n", ERR_PROTOCOL, 0, 0, 0, 0 },
	{ "empty line", "\r\n", ERR_PROTOCOL, 0, 0, 0, 0 },
	{ "CR behind the code, no LF", "250\rok\r\n", ERR_PROTOCOL, 0, 0, 0, 0 },
	{ "codes differ", "250-a\r\n550 b\r\n", ERR_PROTOCOL, 0, 0, 0, 0 },
	{ "codes differ, second not complete", "250-a\r\n550 b", ERR_PROTOCOL, 0, 0, 0, 0 },
	{ "garbage inside", "250-a\r\nhello\r\n250 b\r\n", ERR_PROTOCOL, 0, 0, 0, 0 },
	{ "enhanced", "550 5.1.1 no such user\r\n", 24, 550, 5, 1, 1 },
	{ "enhanced alone", "250 2.0.0\r\n", 11, 250, 2, 0, 0 },
	{ "three digits", "550 5.7.510 no\r\n", 16, 550, 5, 7, 510 },
	{ "class against the code", "450 5.7.1 later\r\n", 17, 450, 5, 7, 1 },
	{ "on the second line", "550-sorry\r\n550 5.7.1 no\r\n", 25, 550, 5, 7, 1 },
	{ "class 3 is none", "354 3.0.0 go\r\n", 14, 354, 0, 0, 0 },
	{ "four digits are none", "550 5.1.1234 no\r\n", 17, 550, 0, 0, 0 },
	{ "two parts are none", "550 5.1 no\r\n", 12, 550, 0, 0, 0 },
	{ "an address is none", "550 5.1.1.1 no\r\n", 16, 550, 0, 0, 0 },
	{ "in the text is none", "550 no (5.1.1)\r\n", 16, 550, 0, 0, 0 },
};

static void test_parse(void)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct reply reply = { 0 };

		CHECK_INT(rows[i].name, reply_parse(bytes_of(rows[i].in), &reply), rows[i].result);
		CHECK_INT(rows[i].name, reply.code, rows[i].code);
		CHECK_INT(rows[i].name, reply.class, rows[i].class);
		CHECK_INT(rows[i].name, reply.subject, rows[i].subject);
		CHECK_INT(rows[i].name, reply.detail, rows[i].detail);
	}
}

/* The answer for a whole reply must not depend on how it arrived. */
static void test_byte_by_byte(void)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct bytes in = bytes_of(rows[i].in);
		struct reply reply = { 0 };
		int result = 0;

		for (size_t len = 1; len <= in.len && result == 0; len++)
			result = reply_parse(bytes_first(in, len), &reply);
		CHECK_INT(rows[i].name, result, rows[i].result);
	}
}

static void test_limits(void)
{
	struct reply reply = { 0 };
	char *text = malloc(REPLY_BYTES_MAX + 2);
	size_t len = 0;

	memset(text, 'x', REPLY_BYTES_MAX + 2);
	memcpy(text, "250 ", 4);
	CHECK_INT("below the limit", reply_parse((struct bytes){ text, 1000 }, &reply), 0);
	CHECK_INT("one endless line", reply_parse((struct bytes){ text, REPLY_BYTES_MAX }, &reply),
	          ERR_TOO_LONG);
	for (int i = 0; i < REPLY_LINES_MAX - 1; i++, len += 6)
		memcpy(text + len, "250-\r\n", 6);
	CHECK_INT("many lines", reply_parse((struct bytes){ text, len }, &reply), 0);
	memcpy(text + len, "250 \r\n", 6);
	CHECK_INT("as many as may be", reply_parse((struct bytes){ text, len + 6 }, &reply),
	          (int)len + 6);
	memcpy(text + len, "250-\r\n", 6);
	CHECK_INT("too many", reply_parse((struct bytes){ text, len + 6 }, &reply), ERR_TOO_LONG);
	free(text);
}

static const struct {
	const char *name, *in, *joined;
	size_t size;
} joins[] = {
	{ "one line", "250 ok\r\n", "250 ok", 100 },
	{ "no text", "354\r\n", "354", 100 },
	{ "codes once", "550-5.1.1 first\r\n550 5.1.1 second\r\n", "550 5.1.1 first second", 100 },
	{ "another code stays", "550-5.1.1 first\r\n550 5.2.2 second\r\n",
	  "550 5.1.1 first 5.2.2 second", 100 },
	{ "blank lines between", "550-a\r\n550-\r\n550 b\r\n", "550 a b", 100 },
	{ "controls", "250 a\tb\x01\x7f\r\n", "250 a?b??", 100 },
	{ "no escape sequence", "250 \x1b[31m\r\n", "250 ?[31m", 100 },
	{ "not UTF-8", "250 a\xff\xc3\r\n", "250 a??", 100 },
	{ "UTF-8", "250 \xc3\xbc\r\n", "250 \xc3\xbc", 100 },
	{ "C1 control", "250 \xc2\x9b\r\n", "250 ??", 100 },
	{ "cut", "250 abcdef\r\n", "250 ab", 7 },
	{ "not cut within a character", "250 a\xc3\xbcz\r\n", "250 a", 7 },
	{ "cut within the code", "250 ok\r\n", "25", 3 },
};

static void test_join(void)
{
	for (size_t i = 0; i < COUNT(joins); i++) {
		struct reply reply;
		char text[100];

		CHECK_TRUE(joins[i].name, reply_parse(bytes_of(joins[i].in), &reply) > 0);
		reply_join(&reply, text, joins[i].size);
		CHECK_STRING(joins[i].name, text, joins[i].joined);
	}
}

TEST_MAIN(test_parse, test_byte_by_byte, test_limits, test_join)
