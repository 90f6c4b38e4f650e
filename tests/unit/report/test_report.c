#include "base/units.h"
#include "report/report.h"
#include "support/check.h"

#define ARRIVED_US (1795000000LL * US_PER_SECOND)
#define NOW_US     (ARRIVED_US + 5 * US_PER_DAY)

static struct config config = {
	.hostname = "relay.test",
	.report = { .from = "postmaster@relay.test",
	            .postmaster = "",
	            .expired_status = "5.4.7",
	            .delayed_status = "4.4.7",
	            .return_bytes = 50000 },
};

static const char content[] = "Subject: hello\r\nMessage-ID: <1@out.test>\r\n\r\nbody\r\n";

struct setting {
	const char *sender;
	enum notice_kind kind;
	enum recipient_state state;
	uint8_t notify;
	uint32_t flags;
	enum dsn_return dsn_return;
	const char *original, *envelope_id;
};

static struct message *make_original(const struct setting *setting)
{
	struct message *message = message_create();

	message->id = 447;
	message->arrived_us = ARRIVED_US;
	message->sender = bytes_of(setting->sender);
	message->flags = setting->flags;
	message->dsn_return = setting->dsn_return;
	message->envelope_id = bytes_of(setting->envelope_id);
	message->recipient_count = 1;
	message->recipients = arena_alloc(message->arena, sizeof *message->recipients);
	message->recipients[0].address = bytes_of("you@a.test");
	message->recipients[0].original = bytes_of(setting->original);
	message->recipients[0].notify = setting->notify;
	message->body.data = bytes_of(content);
	message->body.size_bytes = sizeof content - 1;
	message->header_bytes = (uint32_t)sizeof content - 7;
	return message;
}

/* The notice for a recipient that was greylisted for five days; NULL: none is due. */
static struct message *report(const struct setting *setting)
{
	struct message *original = make_original(setting), *notice = NULL;
	struct notice_recipient recipient = {
		.state = setting->state,
		.cause = CAUSE_GREYLISTED,
		.attempts = 41,
		.deadline_us = NOW_US + 60 * US_PER_SECOND,
		.ledger.seconds = { [CAUSE_GREYLISTED] = 400000, [CAUSE_HOST_DOWN] = 32000 }
	};
	struct notice about = {
		.id = 447, .kind = setting->kind, .recipients = &recipient, .count = 1
	};
	struct attempt attempt = { .at_us = NOW_US - US_PER_HOUR,
		                   .outcome = { .result = setting->state == RECIPIENT_FAILED
		                                                  ? RESULT_FAILED
		                                                  : RESULT_DEFERRED,
		                                .cause = CAUSE_GREYLISTED,
		                                .phase = PHASE_RCPT,
		                                .code = 451,
		                                .class = 4,
		                                .subject = 7,
		                                .detail = 1,
		                                .host = "mx.a.test",
		                                .text = "451 4.7.1 Greylisted" } };
	struct history history = { 0 };
	enum report_result result;
	struct report_request request = { &config, original, &history, &about, NOW_US, 448 };

	if (setting->state == RECIPIENT_FAILED) {
		attempt.outcome.code = 550;
		attempt.outcome.class = 5;
		attempt.outcome.subject = 1;
		snprintf(attempt.outcome.text, sizeof attempt.outcome.text,
		         "550 5.1.1 no such user");
	}
	history_add(&history, &attempt);
	result = report_make(&request, &notice);
	CHECK_INT("result", result, notice ? REPORT_MADE : REPORT_NOT_WANTED);
	history_deinit(&history);
	message_release(original);
	return notice;
}

/* Standards 1.6 and RFC 3461 5.2.5, 5.2.6: who is told. */
static const struct {
	const char *name;
	struct setting setting;
	int is_made;
} rows[] = {
	{ "delay", { "me@out.test", NOTICE_DELAY, RECIPIENT_QUEUED }, 1 },
	{ "delay, null sender", { "", NOTICE_DELAY, RECIPIENT_QUEUED }, 0 },
	{ "delay, NEVER", { "me@out.test", NOTICE_DELAY, RECIPIENT_QUEUED, NOTIFY_NEVER }, 0 },
	{ "delay, FAILURE", { "me@out.test", NOTICE_DELAY, RECIPIENT_QUEUED, NOTIFY_FAILURE }, 0 },
	{ "delay, DELAY", { "me@out.test", NOTICE_DELAY, RECIPIENT_QUEUED, NOTIFY_DELAY }, 1 },
	{ "delay, automatic",
	  { "me@out.test", NOTICE_DELAY, RECIPIENT_QUEUED, 0, MESSAGE_IS_AUTOMATIC },
	  0 },
	{ "delay, automatic, DELAY",
	  { "me@out.test", NOTICE_DELAY, RECIPIENT_QUEUED, NOTIFY_DELAY, MESSAGE_IS_AUTOMATIC },
	  1 },
	{ "expired", { "me@out.test", NOTICE_FAILURE, RECIPIENT_EXPIRED }, 1 },
	{ "expired, NEVER", { "me@out.test", NOTICE_FAILURE, RECIPIENT_EXPIRED, NOTIFY_NEVER }, 0 },
	{ "expired, DELAY", { "me@out.test", NOTICE_FAILURE, RECIPIENT_EXPIRED, NOTIFY_DELAY }, 0 },
	{ "expired, FAILURE",
	  { "me@out.test", NOTICE_FAILURE, RECIPIENT_EXPIRED, NOTIFY_FAILURE },
	  1 },
	{ "expired, automatic",
	  { "me@out.test", NOTICE_FAILURE, RECIPIENT_EXPIRED, 0, MESSAGE_IS_AUTOMATIC },
	  1 },
	{ "expired, null sender, no postmaster", { "", NOTICE_FAILURE, RECIPIENT_EXPIRED }, 0 },
	{ "relayed", { "me@out.test", NOTICE_RELAYED, RECIPIENT_DELIVERED }, 0 },
	{ "relayed, SUCCESS",
	  { "me@out.test", NOTICE_RELAYED, RECIPIENT_DELIVERED, NOTIFY_SUCCESS },
	  1 },
	{ "delivered after all", { "me@out.test", NOTICE_DELIVERED, RECIPIENT_DELIVERED }, 1 },
	{ "delivered, null sender", { "", NOTICE_DELIVERED, RECIPIENT_DELIVERED }, 0 },
	{ "delivered, FAILURE",
	  { "me@out.test", NOTICE_DELIVERED, RECIPIENT_DELIVERED, NOTIFY_FAILURE },
	  0 },
	{ "delivered, automatic",
	  { "me@out.test", NOTICE_DELIVERED, RECIPIENT_DELIVERED, 0, MESSAGE_IS_AUTOMATIC },
	  0 },
};

static void test_who_is_told(void)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct message *notice = report(&rows[i].setting);

		CHECK_INT(rows[i].name, notice != NULL, rows[i].is_made);
		if (notice) {
			CHECK_INT(rows[i].name, notice->sender.len, 0);
			CHECK_TRUE(rows[i].name, notice->flags & MESSAGE_IS_NOTICE);
			CHECK_BYTES(rows[i].name, notice->recipients[0].address,
			            bytes_of("me@out.test"));
		}
		message_release(notice);
	}
}

static void check_has(const struct message *notice, const char *text, bool is_wanted)
{
	CHECK_INT(text, bytes_find(notice->body.data, bytes_of(text)) >= 0, is_wanted);
}

static void test_delay_notice(void)
{
	struct setting setting = {
		"me@out.test",           NOTICE_DELAY, RECIPIENT_QUEUED, 0, 0, RETURN_FULL,
		"rfc822;you+2Bx@a.test", "QQ+2B314"
	};
	struct message *notice = report(&setting);

	check_has(notice, "\r\nAction: delayed\r\nStatus: 4.4.7\r\nRemote-MTA: dns; mx.a.test\r\n",
	          true);
	check_has(notice, "\r\nDiagnostic-Code: smtp; 451 4.7.1 Greylisted\r\n", true);
	check_has(notice, "\r\nWill-Retry-Until: ", true);
	check_has(notice,
	          "\r\nOriginal-Recipient: rfc822; you+x@a.test\r\nFinal-Recipient: rfc822; "
	          "you@a.test\r\n",
	          true);
	check_has(notice, "\r\nOriginal-Envelope-Id: QQ+314\r\n", true);
	check_has(notice, "Content-Type: text/rfc822-headers",
	          true); /* RFC 3461 4.3, even with RET=FULL */
	check_has(notice, "\r\nAuto-Submitted: auto-replied\r\n", true);
	message_release(notice);
}

static void test_failure_notice(void)
{
	struct setting setting = { "me@out.test", NOTICE_FAILURE, RECIPIENT_EXPIRED };
	struct message *notice = report(&setting);

	check_has(notice, "\r\nAction: failed\r\nStatus: 5.4.7\r\n", true);
	check_has(notice, "Diagnostic-Code: smtp; 550 5.4.7 Delivery time expired (5d", true);
	check_has(notice, "X-Outlast-Last-Status: 4.7.1\r\n", true);
	check_has(notice, "greylisted=400000s", true);
	check_has(notice, "Will-Retry-Until", false); /* RFC 3464 2.3.9 */
	check_has(notice, "Original-Recipient", false);
	check_has(notice, "Original-Envelope-Id", false);
	check_has(notice, "Content-Type: message/rfc822", true);
	message_release(notice);
	setting.dsn_return = RETURN_HEADERS;
	notice = report(&setting);
	check_has(notice, "Content-Type: text/rfc822-headers", true);
	message_release(notice);
}

static void test_styles(void)
{
	struct setting setting = { "me@out.test", NOTICE_FAILURE, RECIPIENT_EXPIRED };
	struct message *notice;

	config.report.expired_status = "4.4.7";
	notice = report(&setting);
	check_has(notice, "\r\nStatus: 4.4.7\r\n", true);
	check_has(notice, "\r\nDiagnostic-Code: smtp; 550 4.4.7 QUEUE.Expired; message expired\r\n",
	          true);
	message_release(notice);
	config.report.expired_status = "cause";
	notice = report(&setting);
	check_has(notice, "\r\nStatus: 4.7.1\r\n", true);
	check_has(notice, "\r\nDiagnostic-Code: smtp; 451 4.7.1 Greylisted\r\n", true);
	message_release(notice);
	config.report.expired_status = "5.4.7";
	setting.state = RECIPIENT_FAILED; /* refused during its life: the remote's own code */
	notice = report(&setting);
	check_has(notice, "\r\nStatus: 5.1.1\r\n", true);
	check_has(notice, "\r\nDiagnostic-Code: smtp; 550 5.1.1 no such user\r\n", true);
	message_release(notice);
}

static void test_double_bounce(void)
{
	struct setting setting = { "", NOTICE_FAILURE, RECIPIENT_EXPIRED };
	struct message *notice;

	config.report.postmaster = "desk@out.test";
	notice = report(&setting);
	CHECK_TRUE("made", notice != NULL);
	CHECK_BYTES("to", notice->recipients[0].address, bytes_of("desk@out.test"));
	check_has(notice, "\r\nAuto-Submitted: auto-generated\r\n", true);
	message_release(notice);
	config.report.postmaster = "you@a.test"; /* his own notice failed: no loop */
	CHECK_TRUE("none", report(&setting) == NULL);
	config.report.postmaster = "";
}

static void test_every_line_is_sound(void)
{
	struct setting setting = { "me@out.test", NOTICE_FAILURE, RECIPIENT_EXPIRED };
	struct message *notice = report(&setting);
	struct bytes rest = notice->body.data;

	CHECK_TRUE("7 bit", bytes_is_ascii(rest));
	while (rest.len > 0) {
		ptrdiff_t lf = bytes_find_char(rest, '\n');

		CHECK_TRUE("CRLF", lf > 0 && rest.at[lf - 1] == '\r');
		CHECK_TRUE("short", lf < 998);
		CHECK_TRUE("no CR alone",
		           bytes_find_char(bytes_first(rest, (size_t)lf - 1), '\r') < 0);
		rest = bytes_from(rest, (size_t)lf + 1);
	}
	CHECK_BYTES("headers end",
	            bytes_first(bytes_from(notice->body.data, notice->header_bytes - 4), 4),
	            bytes_of("\r\n\r\n"));
	message_release(notice);
}

TEST_MAIN(test_who_is_told, test_delay_notice, test_failure_notice, test_styles, test_double_bounce,
          test_every_line_is_sound)
