#include "model/attempt.h"
#include "support/check.h"
#include <stdio.h>

static struct attempt make_attempt(int64_t at_us, uint32_t recipient)
{
	struct attempt attempt = { .at_us = at_us, .recipient = recipient };

	attempt.outcome = (struct outcome){ .result = RESULT_DEFERRED,
		                            .cause = CAUSE_GREYLISTED,
		                            .phase = PHASE_RCPT,
		                            .code = 451,
		                            .class = 4,
		                            .subject = 7,
		                            .detail = 1,
		                            .hint_s = 300,
		                            .duration_ms = 12 };
	snprintf(attempt.outcome.host, sizeof attempt.outcome.host, "mx%u.test", recipient);
	snprintf(attempt.outcome.tls, sizeof attempt.outcome.tls, "TLSv1.3 AES");
	attempt.outcome.is_verified = recipient == 1;
	snprintf(attempt.outcome.text, sizeof attempt.outcome.text, "451 4.7.1 greylisted");
	return attempt;
}

static void test_reads_back(void)
{
	struct history history = { 0 }, copy;
	struct buffer encoded = { 0 };

	for (uint32_t i = 0; i < 3; i++) {
		struct attempt attempt = make_attempt(i + 1, i % 2);

		history_add(&history, &attempt);
	}
	history_encode(&history, &encoded);
	CHECK_INT("decode", history_decode(buffer_bytes(&encoded), &copy, NULL), 0);
	CHECK_INT("count", copy.count, 3);
	CHECK_INT("last of 0", history_last(&copy, 0)->at_us, 3);
	CHECK_INT("last of 1", history_last(&copy, 1)->at_us, 2);
	CHECK_TRUE("none of 2", history_last(&copy, 2) == NULL);
	CHECK_STRING("host", history_last(&copy, 1)->outcome.host, "mx1.test");
	CHECK_STRING("tls", history_last(&copy, 1)->outcome.tls, "TLSv1.3 AES");
	CHECK_TRUE("verified", history_last(&copy, 1)->outcome.is_verified);
	CHECK_TRUE("not verified", !history_last(&copy, 0)->outcome.is_verified);
	CHECK_INT("hint", copy.attempts[0].outcome.hint_s, 300);
	CHECK_TRUE("replaced", copy.attempts[0].is_replaced && !copy.attempts[2].is_replaced);
	for (size_t length = 1; length < encoded.len; length++) {
		struct history cut;

		CHECK_INT("cut", history_decode((struct bytes){ encoded.at, length }, &cut, NULL),
		          ERR_CORRUPT);
	}
	history_deinit(&history);
	history_deinit(&copy);
	buffer_deinit(&encoded);
}

/* As relays before TLS wrote it: version 1, without the two last fields. */
static void test_older_version(void)
{
	struct attempt attempt = make_attempt(7, 0);
	struct history history = { 0 }, copy;
	struct buffer encoded = { 0 };

	attempt.outcome.tls[0] = '\0';
	history_add(&history, &attempt);
	history_encode(&history, &encoded);
	encoded.at[0] = 1;
	encoded.len -= 5; /* an empty text and a switch */
	CHECK_INT("decode", history_decode(buffer_bytes(&encoded), &copy, NULL), 0);
	CHECK_STRING("text", copy.attempts[0].outcome.text, "451 4.7.1 greylisted");
	history_deinit(&history);
	history_deinit(&copy);
	buffer_deinit(&encoded);
}

static void test_is_bounded(void)
{
	struct history history = { 0 };

	for (uint32_t i = 0; i < 1000; i++) {
		struct attempt attempt = make_attempt(i, 0);

		history_add(&history, &attempt);
	}
	CHECK_INT("count", history.count, HISTORY_FIRST + HISTORY_LAST);
	CHECK_INT("dropped", history.dropped, 1000 - history.count);
	CHECK_INT("first stays", history.attempts[HISTORY_FIRST - 1].at_us, HISTORY_FIRST - 1);
	CHECK_INT("newest", history.attempts[history.count - 1].at_us, 999);
	history_deinit(&history);
}

static void test_every_recipient_keeps_its_last(void)
{
	struct history history = { 0 };

	for (uint32_t i = 0; i < 500; i++) {
		struct attempt attempt = make_attempt(i, i % 100);

		history_add(&history, &attempt);
	}
	for (uint32_t i = 0; i < 100; i++)
		CHECK_INT("last", history_last(&history, i)->at_us, 400 + i);
	CHECK_INT("nothing else beyond the bound", history.count, 100 + HISTORY_FIRST);
	history_deinit(&history);
}

TEST_MAIN(test_reads_back, test_older_version, test_is_bounded, test_every_recipient_keeps_its_last)
