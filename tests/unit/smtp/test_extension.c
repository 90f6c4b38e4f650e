#include "smtp/extension.h"
#include "support/check.h"

static const struct {
	const char *name, *in;
	struct extensions want;
} rows[] = {
	{ "none", "250 mx.test\r\n", { 0 } },
	{ "the greeting is no keyword", "250 SIZE 10\r\n", { 0 } },
	{ "some",
	  "250-mx.test\r\n250-PIPELINING\r\n250 8BITMIME\r\n",
	  { .offered = EXTENSION_PIPELINING | EXTENSION_8BITMIME } },
	{ "any case",
	  "250-mx\r\n250-pipelining\r\n250 Dsn\r\n",
	  { .offered = EXTENSION_PIPELINING | EXTENSION_DSN } },
	{ "8.1 size",
	  "250-mx\r\n250 SIZE 1000\r\n",
	  { .offered = EXTENSION_SIZE, .size_max = 1000 } },
	{ "8.1 no limit", "250-mx\r\n250 SIZE\r\n", { .offered = EXTENSION_SIZE } },
	{ "8.1 zero is no limit", "250-mx\r\n250 SIZE 0\r\n", { .offered = EXTENSION_SIZE } },
	{ "8.1 beyond 64 bits",
	  "250-mx\r\n250 SIZE 99999999999999999999\r\n",
	  { .offered = EXTENSION_SIZE } },
	{ "12.1 minimum",
	  "250-mx\r\n250 DELIVERBY 240\r\n",
	  { .offered = EXTENSION_DELIVERBY, .deliver_by_min_s = 240 } },
	{ "18.1 limits",
	  "250-mx\r\n250 LIMITS RCPTMAX=20 MAILMAX=5 OTHER=1\r\n",
	  { .offered = EXTENSION_LIMITS, .recipients_max = 20, .messages_max = 5 } },
	{ "18.1 zero and 7 digits count for nothing",
	  "250-mx\r\n250 LIMITS RCPTMAX=0 MAILMAX=1234567\r\n",
	  { .offered = EXTENSION_LIMITS } },
	{ "unknown", "250-mx\r\n250-XFOO bar\r\n250-AUTH=PLAIN\r\n250 SIZES 5\r\n", { 0 } },
	{ "blanks",
	  "250-mx\r\n250  SIZE   77 \r\n",
	  { .offered = EXTENSION_SIZE, .size_max = 77 } },
	{ "chunks",
	  "250-mx\r\n250-CHUNKING\r\n250-BINARYMIME\r\n250-STARTTLS\r\n250 SMTPUTF8\r\n",
	  { .offered = EXTENSION_CHUNKING | EXTENSION_BINARYMIME | EXTENSION_STARTTLS |
	               EXTENSION_SMTPUTF8 } },
};

static void test_read(void)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct extensions got = { .offered = 77 };
		struct reply reply;

		CHECK_TRUE(rows[i].name, reply_parse(bytes_of(rows[i].in), &reply) > 0);
		extensions_read(&reply, &got);
		CHECK_INT(rows[i].name, got.offered, rows[i].want.offered);
		CHECK_INT(rows[i].name, got.size_max, rows[i].want.size_max);
		CHECK_INT(rows[i].name, got.deliver_by_min_s, rows[i].want.deliver_by_min_s);
		CHECK_INT(rows[i].name, got.recipients_max, rows[i].want.recipients_max);
		CHECK_INT(rows[i].name, got.messages_max, rows[i].want.messages_max);
	}
}

TEST_MAIN(test_read)
