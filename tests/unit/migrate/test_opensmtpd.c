/* Envelopes of OpenSMTPD, as its own writes them. */
#include "base/units.h"
#include "migrate/opensmtpd.h"
#include "support/check.h"

#define HEAD "version: 3\ntype: mta\nsender: a@o.t\nctime: 1795495268\n"

static const struct {
	const char *name, *envelope;
	int result, attempts, notify;
} rows[] = {
	{ "plain", HEAD "dest: b@f.t\nretry: 7\n", 0, 7, 0 },
	{ "notices are wanted", HEAD "dest: b@f.t\ndsn-notify: 6\n", 0, 0,
	  NOTIFY_FAILURE | NOTIFY_DELAY },
	{ "never", HEAD "dest: b@f.t\ndsn-notify: 8\n", 0, 0, NOTIFY_NEVER },
	{ "local delivery", "version: 3\ntype: mda\nsender: a@o.t\ndest: b@f.t\n", ERR_INVALID, 0,
	  0 },
	{ "no recipient", HEAD, ERR_INVALID, 0, 0 },
	{ "a sender that is none", "version: 3\nsender: a@@\ndest: b@f.t\n", ERR_INVALID, 0, 0 },
	{ "something else", "hello\n", ERR_INVALID, 0, 0 },
};

static void test_opensmtpd_add(void)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct found found;

		found_init(&found, 1000);
		CHECK_INT(rows[i].name, opensmtpd_add(bytes_of(rows[i].envelope), &found, NULL),
		          rows[i].result);
		if (rows[i].result == 0) {
			CHECK_INT(rows[i].name, found.attempts, rows[i].attempts);
			CHECK_INT(rows[i].name, found.message->recipients[0].notify,
			          rows[i].notify);
			CHECK_INT(rows[i].name, found.message->arrived_us,
			          1795495268 * US_PER_SECOND);
			CHECK_INT(rows[i].name,
			          opensmtpd_finish(bytes_of("A: b\n\n.c"), &found, NULL), 0);
			CHECK_BYTES(rows[i].name, found.message->body.data,
			            bytes_of("A: b\r\n\r\n.c\r\n"));
		}
		found_deinit(&found);
	}
}

static void test_compressed(void)
{
	struct found found;

	found_init(&found, 1000);
	CHECK_INT("gzip", opensmtpd_finish(BYTES_LITERAL("\x1f\x8b\x08"), &found, NULL),
	          ERR_INVALID);
	found_deinit(&found);
}

TEST_MAIN(test_opensmtpd_add, test_compressed)
