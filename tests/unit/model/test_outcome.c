#include "model/outcome.h"
#include "support/check.h"

/* standards 1.7: the server's own status when its class fits, else the usual one, else the cause's.
 */
static const struct {
	const char *name;
	struct outcome outcome;
	const char *status;
} rows[] = {
	{ "own code",
	  { .result = RESULT_DEFERRED, .code = 450, .class = 4, .subject = 2, .detail = 1 },
	  "4.2.1" },
	{ "class contradicts the reply",
	  { .result = RESULT_DEFERRED, .code = 451, .class = 5, .subject = 7, .detail = 1 },
	  "4.3.0" },
	{ "421 without", { .result = RESULT_DEFERRED, .code = 421 }, "4.3.2" },
	{ "450 without", { .result = RESULT_DEFERRED, .code = 450 }, "4.2.0" },
	{ "452 without", { .result = RESULT_DEFERRED, .code = 452 }, "4.3.1" },
	{ "unusual 4yz", { .result = RESULT_DEFERRED, .code = 432 }, "4.0.0" },
	{ "refused", { .result = RESULT_DEFERRED, .cause = CAUSE_HOST_DOWN }, "4.4.1" },
	{ "lost", { .result = RESULT_DEFERRED, .cause = CAUSE_NETWORK }, "4.4.2" },
	{ "SERVFAIL", { .result = RESULT_DEFERRED, .cause = CAUSE_DNS_FAILURE }, "4.4.3" },
	{ "garbage", { .result = RESULT_DEFERRED, .cause = CAUSE_PROTOCOL }, "4.5.0" },
	{ "5yz greeting, deferred",
	  { .result = RESULT_DEFERRED, .code = 554, .cause = CAUSE_HOST_BUSY },
	  "4.3.2" },
	{ "refused for good",
	  { .result = RESULT_FAILED, .code = 550, .class = 5, .subject = 1, .detail = 1 },
	  "5.1.1" },
	{ "550 alone", { .result = RESULT_FAILED, .code = 550 }, "5.0.0" },
	{ "552 alone", { .result = RESULT_FAILED, .code = 552 }, "5.3.4" },
	{ "no reply", { .result = RESULT_FAILED }, "5.0.0" },
	{ "delivered", { .result = RESULT_DELIVERED, .code = 250 }, "2.0.0" },
};

static void test_status(void)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		char status[16];

		outcome_status(&rows[i].outcome, status);
		CHECK_STRING(rows[i].name, status, rows[i].status);
	}
}

TEST_MAIN(test_status)
