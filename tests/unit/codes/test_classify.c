#include "codes/classify.h"
#include "smtp/reply.h"
#include "support/check.h"

static const struct {
	const char *name, *reply;
	enum phase phase;
	enum cause cause;
	enum scope scope;
	int hint_s;
} rows[] = {
	{ "greylisted", "450 4.7.1 Greylisted, please try again in 300 seconds\r\n", PHASE_RCPT,
	  CAUSE_GREYLISTED, SCOPE_RECIPIENT, 300 },
	{ "minutes", "451 4.7.1 Greylisting in action, come back in 5 minutes\r\n", PHASE_RCPT,
	  CAUSE_GREYLISTED, SCOPE_RECIPIENT, 300 },
	{ "no unit, no hint", "450 greylisted, see line in 300\r\n", PHASE_RCPT, CAUSE_GREYLISTED,
	  SCOPE_RECIPIENT, 0 },
	{ "more than a day is not obeyed", "450 greylisted, try again in 99 hours\r\n", PHASE_RCPT,
	  CAUSE_GREYLISTED, SCOPE_RECIPIENT, 0 },
	{ "busy", "421 4.3.2 closing\r\n", PHASE_MAIL, CAUSE_HOST_BUSY, SCOPE_SITE, 0 },
	{ "rate", "421 4.7.28 too much mail\r\n", PHASE_RCPT, CAUSE_RATE_LIMITED, SCOPE_SITE, 0 },
	{ "full", "452 4.2.2 no room\r\n", PHASE_RCPT, CAUSE_MAILBOX_FULL, SCOPE_RECIPIENT, 0 },
	{ "mailbox busy", "450 locked\r\n", PHASE_RCPT, CAUSE_MAILBOX_BUSY, SCOPE_RECIPIENT, 0 },
	{ "other", "432 what\r\n", PHASE_RCPT, CAUSE_SOFT_OTHER, SCOPE_RECIPIENT, 0 },
	{ "before MAIL it is the site", "450 not now\r\n", PHASE_GREETING, CAUSE_MAILBOX_BUSY,
	  SCOPE_SITE, 0 },
	{ "permanent", "550 5.1.1 unknown\r\n", PHASE_RCPT, CAUSE_NONE, SCOPE_RECIPIENT, 0 },
};

static void test_classify(void)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct classification got;
		struct reply reply;
		char text[200];

		CHECK_TRUE(rows[i].name, reply_parse(bytes_of(rows[i].reply), &reply) > 0);
		reply_join(&reply, text, sizeof text);
		classify_reply(reply.code, reply.class, reply.subject, reply.detail, bytes_of(text),
		               rows[i].phase, &got);
		CHECK_INT(rows[i].name, got.cause, rows[i].cause);
		CHECK_INT(rows[i].name, got.scope, rows[i].scope);
		CHECK_INT(rows[i].name, got.hint_s, rows[i].hint_s);
		CHECK_INT(rows[i].name, got.is_temporary, reply.code < 500);
	}
}

TEST_MAIN(test_classify)
