#include "deliver/verdict.h"
#include "support/check.h"
#include <errno.h>

/* standards 1.7 */
static const struct {
	const char *name;
	struct err err;
	enum cause cause;
	enum rank rank;
	const char *text;
} connects[] = {
	{ "refused",
	  { .code = ERR_SYSTEM, .system_errno = ECONNREFUSED },
	  CAUSE_HOST_DOWN,
	  RANK_CONNECT,
	  "connect to mx.test[192.0.2.1]:25: Connection refused" },
	{ "timeout",
	  { .code = ERR_TIMEOUT },
	  CAUSE_HOST_DOWN,
	  RANK_CONNECT,
	  "connect to mx.test[192.0.2.1]:25: Connection timed out" },
	{ "no route to the host",
	  { .code = ERR_SYSTEM, .system_errno = EHOSTUNREACH },
	  CAUSE_HOST_DOWN,
	  RANK_CONNECT,
	  "connect to mx.test[192.0.2.1]:25: No route to host" },
	{ "no network of this family",
	  { .code = ERR_SYSTEM, .system_errno = ENETUNREACH },
	  CAUSE_HOST_DOWN,
	  RANK_UNREACHABLE,
	  "connect to mx.test[192.0.2.1]:25: Network is unreachable" },
	{ "our descriptors are used up",
	  { .code = ERR_SYSTEM, .system_errno = EMFILE },
	  CAUSE_OWN_FAULT,
	  RANK_CONNECT,
	  "connect to mx.test[192.0.2.1]:25: Too many open files" },
	{ "stopped",
	  { .code = ERR_CANCELLED },
	  CAUSE_OWN_FAULT,
	  RANK_CONNECT,
	  "stopped while connecting" },
};

static void test_connect(void)
{
	for (size_t i = 0; i < COUNT(connects); i++) {
		struct outcome outcome;

		CHECK_INT(
			connects[i].name,
			verdict_of_connect(&connects[i].err, "mx.test", "[192.0.2.1]:25", &outcome),
			connects[i].rank);
		CHECK_INT(connects[i].name, outcome.result, RESULT_DEFERRED);
		CHECK_INT(connects[i].name, outcome.cause, connects[i].cause);
		CHECK_STRING(connects[i].name, outcome.text, connects[i].text);
	}
}

static const struct {
	const char *name;
	int code;
	enum phase phase;
	const char *seen;
	enum cause cause;
	enum scope scope;
	bool is_duplicate_possible;
	const char *text;
} losses[] = {
	{ "greeting", ERR_CLOSED, PHASE_GREETING, "", CAUSE_NETWORK, SCOPE_SITE, false,
	  "lost connection with mx.test[192.0.2.1] while waiting for the greeting" },
	{ "RCPT", ERR_SYSTEM, PHASE_RCPT, "", CAUSE_NETWORK, SCOPE_SITE, false,
	  "lost connection with mx.test[192.0.2.1] while waiting for the reply to RCPT" },
	{ "content", ERR_TIMEOUT, PHASE_BODY, "", CAUSE_NETWORK, SCOPE_MESSAGE, false,
	  "timeout with mx.test[192.0.2.1] while sending the content" },
	{ "final dot", ERR_TIMEOUT, PHASE_DOT, "", CAUSE_NETWORK, SCOPE_MESSAGE, true,
	  "timeout with mx.test[192.0.2.1] while waiting for the reply to end of data" },
	{ "garbage", ERR_PROTOCOL, PHASE_DATA, "go\x1b on\r\nmore", CAUSE_PROTOCOL, SCOPE_MESSAGE,
	  false, "protocol error: \"go? on\" in reply to DATA from mx.test[192.0.2.1]" },
	{ "endless reply", ERR_TOO_LONG, PHASE_EHLO, "250-a\r\n", CAUSE_PROTOCOL, SCOPE_SITE, false,
	  "protocol error: \"250-a\" in reply to EHLO from mx.test[192.0.2.1]" },
	{ "stopped", ERR_CANCELLED, PHASE_DOT, "", CAUSE_OWN_FAULT, SCOPE_MESSAGE, true,
	  "stopped within the conversation" },
};

static void test_loss(void)
{
	for (size_t i = 0; i < COUNT(losses); i++) {
		struct broken broken = { losses[i].code, losses[i].phase, "mx.test", "192.0.2.1",
			                 bytes_of(losses[i].seen) };
		struct outcome outcome;

		verdict_of_loss(&broken, &outcome);
		CHECK_INT(losses[i].name, outcome.result, RESULT_DEFERRED);
		CHECK_INT(losses[i].name, outcome.cause, losses[i].cause);
		CHECK_INT(losses[i].name, outcome.scope, losses[i].scope);
		CHECK_INT(losses[i].name, outcome.is_duplicate_possible,
		          losses[i].is_duplicate_possible);
		CHECK_STRING(losses[i].name, outcome.text, losses[i].text);
	}
}

static const struct {
	const char *name, *reply;
	enum phase phase;
	enum result result;
	const char *status;
} replies[] = {
	{ "taken", "250 2.0.0 ok\r\n", PHASE_DOT, RESULT_DELIVERED, "2.0.0" },
	{ "later", "451 4.3.0 later\r\n", PHASE_MAIL, RESULT_DEFERRED, "4.3.0" },
	{ "3.13 the first digit decides", "450 5.1.1 no\r\n", PHASE_RCPT, RESULT_DEFERRED,
	  "4.2.0" },
	{ "never", "550 5.1.1 no\r\n", PHASE_RCPT, RESULT_FAILED, "5.1.1" },
	{ "3.22 not at the greeting", "554 5.3.2 no\r\n", PHASE_GREETING, RESULT_DEFERRED,
	  "4.3.2" },
	{ "3.14 no success", "354 go\r\n", PHASE_DOT, RESULT_DEFERRED, "4.5.0" },
};

static void test_reply(void)
{
	for (size_t i = 0; i < COUNT(replies); i++) {
		struct outcome outcome;
		struct reply reply;
		char status[16];

		CHECK_TRUE(replies[i].name, reply_parse(bytes_of(replies[i].reply), &reply) > 0);
		verdict_of_reply(&reply, replies[i].phase, &outcome);
		outcome_status(&outcome, status);
		CHECK_INT(replies[i].name, outcome.result, replies[i].result);
		CHECK_STRING(replies[i].name, status, replies[i].status);
	}
}

TEST_MAIN(test_connect, test_loss, test_reply)
