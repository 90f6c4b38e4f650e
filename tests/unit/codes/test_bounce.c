/* Status fields as they are written in the wild, codes in free text, kinds of messages, limits.
 * Whole notices of many mailers are in tests/bounces. */
#include "base/alloc.h"
#include "codes/bounce.h"
#include "codes/bounce_own.h"
#include "support/check.h"

#define REPORT                                                                                \
	"From: MAILER-DAEMON@relay.example\nTo: ann@sender.example\n"                         \
	"Subject: Undelivered Mail\n"                                                         \
	"Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n"         \
	"--b\n\nIt could not be delivered.\n\n--b\nContent-Type: message/delivery-status\n\n" \
	"Reporting-MTA: dns; relay.example\n\n"
#define RETURNED                                                                     \
	"\n--b\nContent-Type: text/rfc822-headers\n\nFrom: ann@sender.example\nTo: " \
	"bob@far.example\nSubject: hello\n\n--b--\n"

/* Every recipient as "address action status reply", joined by " | ". */
static void print(const struct bounce *bounce, struct buffer *out)
{
	for (int i = 0; i < bounce->count; i++) {
		const struct bounce_recipient *recipient = &bounce->recipients[i];

		buffer_printf(out, "%s%.*s %s %d.%d.%d %d", i > 0 ? " | " : "",
		              BYTES_FORMAT(recipient->address),
		              bounce_action_name(recipient->action), recipient->class,
		              recipient->subject, recipient->detail, recipient->reply);
	}
}

static void check_message(const char *name, struct bytes message, const char *kind,
                          const char *recipients)
{
	struct arena *arena = arena_create(0);
	struct buffer text = { 0 };
	struct bounce bounce;

	bounce_read(message, arena, &bounce);
	print(&bounce, &text);
	CHECK_STRING(name, bounce_kind_name(bounce.kind), kind);
	CHECK_BYTES(name, buffer_bytes(&text), bytes_of(recipients));
	buffer_deinit(&text);
	arena_destroy(arena);
}

/* RFC 3464 2.3, and what its readers meet. */
static void test_fields(void)
{
	static const struct {
		const char *name, *fields, *kind, *recipients;
	} rows[] = {
		{ "as it should be",
		  "Final-Recipient: rfc822; bob@far.example\nAction: failed\nStatus: 5.1.1\n"
		  "Diagnostic-Code: smtp; 550 5.1.1 no such user\n",
		  "bounce", "bob@far.example failed 5.1.1 550" },
		{ "blanks before the colon, folded",
		  "Final-Recipient : rfc822;\n <bob@far.example>\nAction : failed\nStatus : "
		  "5.1.1\n",
		  "bounce", "bob@far.example failed 5.1.1 0" },
		{ "a status that lost its end",
		  "Final-Recipient: rfc822; bob@far.example\nAction: failed\nStatus: 5.0.\n",
		  "bounce", "bob@far.example failed 5.0.0 0" },
		{ "a status with words",
		  "Final-Recipient: rfc822; bob@far.example\nAction: failed\nStatus: 5.2.2 "
		  "(full)\n",
		  "bounce", "bob@far.example failed 5.2.2 0" },
		{ "no status at all", "Final-Recipient: rfc822; bob@far.example\nAction: failed\n",
		  "bounce", "bob@far.example failed 0.0.0 0" },
		{ "the reply is finer than the status",
		  "Final-Recipient: rfc822; bob@far.example\nAction: failed\nStatus: 5.0.0\n"
		  "Diagnostic-Code: smtp; 550 5.1.1 no such user\n",
		  "bounce", "bob@far.example failed 5.1.1 550" },
		{ "the status is finer than the reply",
		  "Final-Recipient: rfc822; bob@far.example\nAction: failed\nStatus: 5.1.1\n"
		  "Diagnostic-Code: smtp; 550 5.0.0 no\n",
		  "bounce", "bob@far.example failed 5.1.1 550" },
		{ "the action rules, not the class",
		  "Final-Recipient: rfc822; bob@far.example\nAction: failed\nStatus: 4.4.7\n"
		  "Diagnostic-Code: smtp; 554 4.4.7 expired <421 4.4.2 timed out>\n",
		  "bounce", "bob@far.example failed 4.4.7 554" },
		{ "late",
		  "Final-Recipient: rfc822; bob@far.example\nAction: delayed\nStatus: 4.4.1\n",
		  "delay", "bob@far.example delayed 4.4.1 0" },
		{ "delivered",
		  "Final-Recipient: rfc822; bob@far.example\nAction: delivered\nStatus: 2.0.0\n",
		  "other", "bob@far.example delivered 2.0.0 0" },
		{ "three fates",
		  "Final-Recipient: rfc822; a@far.example\nAction: failed\nStatus: 5.1.1\n\n"
		  "Final-Recipient: rfc822; b@far.example\nAction: delayed\nStatus: 4.2.2\n\n"
		  "Final-Recipient: rfc822; c@far.example\nAction: relayed\nStatus: 2.0.0\n",
		  "bounce",
		  "a@far.example failed 5.1.1 0 | b@far.example delayed 4.2.2 0 | "
		  "c@far.example relayed 2.0.0 0" },
		{ "no empty line between them",
		  "Final-Recipient: rfc822; a@far.example\nAction: failed\nStatus: 5.1.1\n"
		  "Final-Recipient: rfc822; b@far.example\nAction: failed\nStatus: 5.2.2\n",
		  "bounce", "a@far.example failed 5.1.1 0 | b@far.example failed 5.2.2 0" },
		{ "X.400", "Final-Recipient: x400; /G=Bob/S=Far/\nAction: failed\nStatus: 5.1.1\n",
		  "bounce", "bob@far.example failed 5.1.1 0" },
		{ "only the original one",
		  "Original-Recipient: rfc822;bob@far.example\nAction: failed\nStatus: 5.1.1\n",
		  "bounce", "bob@far.example failed 5.1.1 0" },
		{ "RFC 6533",
		  "Final-Recipient: utf-8; b\\x{F6}b@far.example\nAction: failed\n"
		  "Status: 5.1.1\n",
		  "bounce", "b\u00f6b@far.example failed 5.1.1 0" },
		{ "no codes but digits",
		  "Final-Recipient: rfc822; bob@far.example\nAction: failed\n"
		  "Diagnostic-Code: x-local; host 192.0.2.55 took 550 bytes of 4.5.6.7\n",
		  "bounce", "bob@far.example failed 0.0.0 0" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buffer message = { 0 };

		buffer_printf(&message, "%s%s%s", REPORT, rows[i].fields, RETURNED);
		check_message(rows[i].name, buffer_bytes(&message), rows[i].kind,
		              rows[i].recipients);
		buffer_deinit(&message);
	}
}

static void test_said(void)
{
	static const struct {
		const char *name, *text;
		int reply, class, subject, detail;
	} rows[] = {
		{ "plain", "550 5.1.1 no such user", 550, 5, 1, 1 },
		{ "no enhanced code", "host said: 550 no such user", 550, 0, 0, 0 },
		{ "at the end", "550 sorry, no mailbox here by that name (#5.1.1)", 550, 5, 1, 1 },
		{ "several lines", "550-5.7.1 blocked\n550 5.7.1 see there", 550, 5, 7, 1 },
		{ "in brackets", "rejected: [554 5.4.6 too many hops]", 554, 5, 4, 6 },
		{ "hash", "#550 5.1.1 RESOLVER.ADR.RecipNotFound; not found ##", 550, 5, 1, 1 },
		{ "outer and inner", "554 4.4.7 expired <421 4.4.2 timed out>", 554, 4, 4, 7 },
		{ "status alone", "5.2.2 <bob@far.example>... Mailbox Full", 0, 5, 2, 2 },
		{ "error code", "Reason: error code: 452, try later", 452, 0, 0, 0 },
		{ "an address and a size", "192.0.2.4 took 550 bytes, version 4.8.15", 0, 0, 0, 0 },
		{ "a year and an id", "2014-05-12 id 5.1.1abc 4501", 0, 0, 0, 0 },
		{ "quoted SMTP", "<<< 553 5.3.0 no", 553, 5, 3, 0 },
		{ "days", "not delivered in 500 minutes", 0, 0, 0, 0 },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct said said;

		said_find(bytes_of(rows[i].text), &said);
		CHECK_INT(rows[i].name, said.reply, rows[i].reply);
		CHECK_INT(rows[i].name, said.class, rows[i].class);
		CHECK_INT(rows[i].name, said.subject, rows[i].subject);
		CHECK_INT(rows[i].name, said.detail, rows[i].detail);
	}
}

/* Fields without a report, text without fields. */
static void test_broken(void)
{
	static const struct {
		const char *name, *message, *kind, *recipients;
	} rows[] = {
		{ "empty", "", "other", "" },
		{ "a status typed text/plain",
		  "From: MAILER-DAEMON@x.example\nContent-Type: multipart/mixed; boundary=b\n\n"
		  "--b\n\nfailed\n--b\n\nFinal-Recipient: rfc822; bob@far.example\nAction: failed\n"
		  "Status: 5.1.1\n--b--\n",
		  "bounce", "bob@far.example failed 5.1.1 0" },
		{ "the declared boundary is another one",
		  "From: MAILER-DAEMON@x.example\nContent-Type: multipart/report; boundary=c\n\n"
		  "--b\nContent-Type: message/delivery-status\n\nFinal-Recipient: rfc822; "
		  "bob@far.example\nAction: failed\nStatus: 5.1.1\n",
		  "bounce", "bob@far.example failed 5.1.1 0" },
		{ "a From line in front",
		  "From MAILER-DAEMON Thu Apr 29 00:00:00 2010\nFrom: MAILER-DAEMON@x.example\n"
		  "Subject: failure notice\n\n<bob@far.example>:\n550 5.1.1 no such user\n",
		  "bounce", "bob@far.example failed 5.1.1 550" },
		{ "a base64 status",
		  "Content-Type: message/delivery-status\nContent-Transfer-Encoding: base64\n\n"
		  "RmluYWwtUmVjaXBpZW50OiByZmM4MjI7IGJAZmFyLmV4YW1wbGUKQWN0aW9uOiBmYWlsZWQK\n",
		  "bounce", "b@far.example failed 0.0.0 0" },
		{ "mail about a bounce",
		  "From: ann@sender.example\nSubject: Re: help\n\nI got \"550 5.1.1 no such user\" "
		  "for bob@far.example, why?\n",
		  "other", "" },
		{ "the recipient is in the sender's own address",
		  "Return-Path: <>\nFrom: MAILER-DAEMON@x.example\n"
		  "To: list-bounces+bob=far.example@lists.example\nSubject: failure notice\n\n"
		  "It did not work.\n",
		  "bounce", "bob@far.example failed 0.0.0 0" },
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		check_message(rows[i].name, bytes_of(rows[i].message), rows[i].kind,
		              rows[i].recipients);
}

static void test_recipients_are_counted(void)
{
	struct arena *arena = arena_create(0);
	struct buffer message = { 0 };
	struct bounce bounce;

	buffer_append_text(&message, REPORT);
	for (int i = 0; i < BOUNCE_RECIPIENTS_MAX + 1; i++)
		buffer_printf(&message,
		              "Final-Recipient: rfc822; b%d@far.example\nAction: failed\n\n", i);
	bounce_read(buffer_bytes(&message), arena, &bounce);
	CHECK_INT("recipients", bounce.count, BOUNCE_RECIPIENTS_MAX);
	CHECK_TRUE("says so", bounce.is_cut);
	buffer_deinit(&message);
	arena_destroy(arena);
}

/* Text without end costs no more than its limit, and what stands in front of it is still read. */
static void test_bytes_are_limited(void)
{
	struct arena *arena = arena_create(0);
	struct buffer message = { 0 };
	struct bounce bounce;
	char *filler;

	buffer_append_text(&message, "From: MAILER-DAEMON@x.example\nSubject: failure notice\n\n"
	                             "<bob@far.example>:\n550 5.1.1 no such user\n");
	filler = buffer_reserve(&message, BOUNCE_BYTES_MAX);
	memset(filler, '@', BOUNCE_BYTES_MAX);
	message.len += BOUNCE_BYTES_MAX;
	bounce_read(buffer_bytes(&message), arena, &bounce);
	CHECK_INT("recipients", bounce.count, 1);
	CHECK_TRUE("says so", bounce.is_cut);
	CHECK_TRUE("memory", arena_size(arena) < 8 * 1048576);
	buffer_deinit(&message);
	arena_destroy(arena);
}

/* Whatever the category, there is something to say about it. */
static void test_meanings(void)
{
	static const char *const names[] = {
		"InvalidRecipient", "InactiveMailbox", "QuotaIssues", "BadDomain",
		"BadReputation",    "RateLimited",     "Greylisted",  "SpamContent",
		"ContentRejected",  "MessageTooLarge", "AuthFailure", "InvalidSender",
		"PolicyRelated",    "RelayDenied",     "TlsFailure",  "RoutingErrors",
		"BadConnection",    "Expired",         "SystemError", "ProtocolErrors"
	};

	for (size_t i = 0; i < COUNT(names); i++) {
		CHECK_TRUE(names[i], strcmp(bounce_meaning(names[i]), bounce_meaning("Unknown")));
		CHECK_TRUE(names[i], strcmp(category_advice(names[i]), category_advice("Unknown")));
	}
	CHECK_STRING("unknown", bounce_meaning("Unknown"), "the message does not say why");
}

/* A notice that names everybody. */
static void test_addresses_are_counted(void)
{
	struct arena *arena = arena_create(0);
	struct buffer message = { 0 };
	struct bounce bounce;

	buffer_append_text(&message, "From: MAILER-DAEMON@x.example\nSubject: failure notice\n\n"
	                             "The following addresses failed:\n");
	for (int i = 0; i < 2 * BOUNCE_MENTIONS_MAX; i++)
		buffer_printf(&message, "<b%d@far.example>: unknown\n", i);
	bounce_read(buffer_bytes(&message), arena, &bounce);
	CHECK_INT("recipients", bounce.count, BOUNCE_MENTIONS_MAX);
	CHECK_TRUE("says so", bounce.is_cut);
	buffer_deinit(&message);
	arena_destroy(arena);
}

/* A delivery status without end. */
static void test_status_is_limited(void)
{
	struct arena *arena = arena_create(0);
	struct buffer message = { 0 };
	struct bounce bounce;

	buffer_append_text(&message, REPORT "Final-Recipient: rfc822; bob@far.example\n"
	                                    "Action: failed\nDiagnostic-Code: smtp; 550");
	while (message.len < 2 * BOUNCE_STATUS_BYTES_MAX)
		buffer_append_text(&message, " 550 5.1.1 a@b.example\n");
	bounce_read(buffer_bytes(&message), arena, &bounce);
	CHECK_INT("recipients", bounce.count, 1);
	CHECK_TRUE("says so", bounce.is_cut);
	CHECK_TRUE("diagnostic", bounce.recipients[0].diagnostic.len <= 4000);
	buffer_deinit(&message);
	arena_destroy(arena);
}

TEST_MAIN(test_meanings, test_fields, test_said, test_broken, test_recipients_are_counted,
          test_addresses_are_counted, test_status_is_limited, test_bytes_are_limited)
