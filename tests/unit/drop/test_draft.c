/* What a program hands to sendmail becomes a message (RFC 5322 3.6; RFC 6409 8). */
#include "drop/draft.h"
#include "support/check.h"

#define NOW_US 1700000000000000
#define DATE   "Date: Tue, 14 Nov 2023 22:13:20 +0000\r\n"
#define ID     "Message-ID: <0000000000000007@relay.test>\r\n"
#define FROM   "From: \"Ann\" <ann@out.test>\r\n"

static struct draft make(const char *local_to)
{
	struct draft draft = { .message = message_create(),
		               .domain = "out.test",
		               .local_to = local_to,
		               .full_name = "Ann",
		               .hostname = "relay.test",
		               .number = 7,
		               .now_us = NOW_US,
		               .recipients_max = 3 };

	draft.message->sender = bytes_of("ann@out.test");
	return draft;
}

static const struct {
	const char *name, *in, *out;
	bool ends_at_dot;
} texts[] = {
	{ "no header section", "hello\n", FROM DATE ID "\r\nhello\r\n", false },
	{ "an empty line first", "\nhello\n", "\r\n" FROM DATE ID "\r\nhello\r\n", false },
	{ "fields, then text at once", "Subject: a\nhello\n",
	  "Subject: a\r\n" FROM DATE ID "\r\nhello\r\n", false },
	{ "all that is needed is there", "From: b@x\nDate: d\nMessage-ID: <i>\n\nhello\n",
	  "From: b@x\r\nDate: d\r\nMessage-ID: <i>\r\n\r\nhello\r\n", false },
	{ "Bcc goes, folded too", "Bcc: a@x,\n b@x\nSubject: a\n\nhello\n",
	  "Subject: a\r\n" FROM DATE ID "\r\nhello\r\n", false },
	{ "CRLF stays", "Subject: a\r\n\r\nhello\r\n",
	  "Subject: a\r\n" FROM DATE ID "\r\nhello\r\n", false },
	{ "the first line of an mbox", "From ann Tue Nov 14\nSubject: a\n\nFrom here\n",
	  "Subject: a\r\n" FROM DATE ID "\r\nFrom here\r\n", false },
	{ "no line end at the end", "Subject: a\n\nhello",
	  "Subject: a\r\n" FROM DATE ID "\r\nhello\r\n", false },
	{ "a dot ends it", "Subject: a\n\none\n.\ntwo\n",
	  "Subject: a\r\n" FROM DATE ID "\r\none\r\n", true },
	{ "a dot does not end it", "Subject: a\n\none\n.\ntwo\n",
	  "Subject: a\r\n" FROM DATE ID "\r\none\r\n.\r\ntwo\r\n", false },
	{ "a CR within a line", "Subject: a\n\no\rne\n",
	  "Subject: a\r\n" FROM DATE ID "\r\none\r\n", false },
	{ "nothing at all", "", FROM DATE ID "\r\n", false },
};

static void test_content(void)
{
	for (size_t i = 0; i < COUNT(texts); i++) {
		struct draft draft = make("");

		draft.ends_at_dot = texts[i].ends_at_dot;
		CHECK_INT(texts[i].name, draft_finish(&draft, bytes_of(texts[i].in), NULL), 0);
		/* An empty line that opens the text ends a header section of nothing. */
		CHECK_BYTES(texts[i].name, draft.message->body.data,
		            bytes_of(i == 1 ? FROM DATE ID "\r\nhello\r\n" : texts[i].out));
		message_release(draft.message);
	}
}

static void test_content_with_nul(void)
{
	struct draft draft = make("");

	CHECK_INT("NUL", draft_finish(&draft, BYTES_LITERAL("a\0b\n"), NULL), ERR_INVALID);
	message_release(draft.message);
}

static const struct {
	const char *name, *list, *local_to;
	int result;
	const char *recipients;
} lists[] = {
	{ "as they are", "a@x.test, b@X.TEST", "", 0, "a@x.test b@x.test " },
	{ "the same twice", "a@x.test, a@X.test", "", 0, "a@x.test " },
	{ "a domain is added", "root", "", 0, "root@out.test " },
	{ "or somebody else gets it", "root, a@x.test", "admin@else.test", 0,
	  "admin@else.test a@x.test " },
	{ "beyond ASCII", "a@b\303\274cher.test", "", 0, "a@xn--bcher-kva.test " },
	{ "not an address", "a@x.test, b@@x", "", ERR_INVALID, "a@x.test " },
	{ "too many", "a@x, b@x, c@x, d@x", "", ERR_TOO_LONG, "a@x b@x c@x " },
};

static void test_recipients(void)
{
	for (size_t i = 0; i < COUNT(lists); i++) {
		struct draft draft = make(lists[i].local_to);
		struct buffer all = { 0 };

		CHECK_INT(lists[i].name,
		          draft_add_recipients(&draft, bytes_of(lists[i].list), NULL),
		          lists[i].result);
		for (uint32_t n = 0; n < draft.message->recipient_count; n++)
			buffer_printf(&all, "%.*s ",
			              BYTES_FORMAT(draft.message->recipients[n].address));
		CHECK_BYTES(lists[i].name, buffer_bytes(&all), bytes_of(lists[i].recipients));
		buffer_deinit(&all);
		message_release(draft.message);
	}
}

static void test_recipients_of_fields(void)
{
	struct draft draft = make("");

	CHECK_INT("fields",
	          draft_take_recipients(&draft,
	                                bytes_of("To: a@x.test\nSubject: To: no@x\nCc: b@x.test,\n"
	                                         " a@x.test\nBcc: c@x.test\n\nTo: no@x.test\n"),
	                                NULL),
	          0);
	CHECK_INT("three", draft.message->recipient_count, 3);
	CHECK_BYTES("the last", draft.message->recipients[2].address, bytes_of("c@x.test"));
	message_release(draft.message);
}

TEST_MAIN(test_content, test_content_with_nul, test_recipients, test_recipients_of_fields)
