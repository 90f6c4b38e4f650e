#include "codes/classify.h"
#include "codes/rules.h"
#include "smtp/reply.h"
#include "support/check.h"
#include <stdlib.h>
#include <unistd.h>

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
	{ "mailbox busy", "450 not quite\r\n", PHASE_RCPT, CAUSE_MAILBOX_BUSY, SCOPE_RECIPIENT, 0 },
	{ "other", "432 what\r\n", PHASE_RCPT, CAUSE_SOFT_OTHER, SCOPE_RECIPIENT, 0 },
	{ "before MAIL it is the site", "450 not now\r\n", PHASE_GREETING, CAUSE_MAILBOX_BUSY,
	  SCOPE_SITE, 0 },
	{ "permanent", "550 5.1.1 unknown\r\n", PHASE_RCPT, CAUSE_NONE, SCOPE_RECIPIENT, 0 },
	{ "rest of the recipients", "452 4.5.3 too many recipients\r\n", PHASE_RCPT,
	  CAUSE_SOFT_OTHER, SCOPE_RECIPIENT, 0 },
};

static void test_reply(void)
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

static const struct {
	const char *line, *category, *provider;
	int code, class, detail;
	bool is_temporary;
} lines[] = {
	{ "550 5.1.1 user unknown", "InvalidRecipient", "", 550, 5, 1, false },
	{ "550-5.1.1 The address does not 550-5.1.1 exist 550 5.1.1 - gsmtp", "InvalidRecipient",
	  "gmail", 550, 5, 1, false },
	{ "smtp; 452 4.2.2 mailbox full", "QuotaIssues", "", 452, 4, 2, true },
	{ "host mx.example.org[192.0.2.4] said: 550 No such user", "InvalidRecipient", "", 550, 0,
	  0, false },
	{ "4.2.2 mailbox full", "QuotaIssues", "", 0, 4, 2, true },
	{ "Relay access denied", "RelayDenied", "", 0, 0, 0, false },
	{ "greylisted", "Greylisted", "", 0, 0, 0, true },
	{ "550 no (#5.1.1)", "InvalidRecipient", "", 550, 0, 0, false },
	{ "550 10.5.1.1 went wrong", "InvalidRecipient", "", 550, 0, 0, false },
	{ "552 Too many recipients", "RateLimited", "", 552, 0, 0, true },
	{ "250 2.0.0 Ok: queued", "Delivered", "", 250, 2, 0, false },
	{ "550 <mailbox.full@example.org>: User unknown", "InvalidRecipient", "", 550, 0, 0,
	  false },
	{ "550 Benutzer \xc3\x9c"
	  "ber unbekannt",
	  "InvalidRecipient", "", 550, 0, 0, false },
	{ "550 Bo\xeete pleine", "QuotaIssues", "", 550, 0, 0, false },
	{ "", "Unknown", "", 0, 0, 0, false },
};

static void test_line(void)
{
	for (size_t i = 0; i < COUNT(lines); i++) {
		struct classification got;
		struct reply_codes codes;

		classify_line(bytes_of(lines[i].line), NULL, &codes, &got);
		CHECK_STRING(lines[i].line, got.category, lines[i].category);
		CHECK_STRING(lines[i].line, got.provider, lines[i].provider);
		CHECK_INT(lines[i].line, codes.code, lines[i].code);
		CHECK_INT(lines[i].line, codes.class, lines[i].class);
		CHECK_INT(lines[i].line, codes.detail, lines[i].detail);
		CHECK_INT(lines[i].line, got.is_temporary, lines[i].is_temporary);
	}
}

/* What is remembered is what would be said anew, whatever came between. */
static void test_memory(void)
{
	struct classify_memory *memory = classify_memory_create();

	for (int i = 0; i < 20000; i++) {
		struct classification got, want;
		struct reply_codes codes;
		char line[600];

		snprintf(line, sizeof line, "%d %s%s%*d", i % 3 ? 550 : 450,
		         i % 2 ? "5.1.1 no" : "4.2.2 no",
		         i % 5 ? " greylisted, try again in 5 minutes" : "", i % 7 ? 1 : 450,
		         i % 6000);
		classify_line(bytes_of(line), memory, &codes, &got);
		classify_line(bytes_of(line), NULL, &codes, &want);
		CHECK_STRING(line, got.rule, want.rule);
		CHECK_INT(line, got.is_temporary, want.is_temporary);
		CHECK_INT(line, got.hint_s, want.hint_s);
	}
	classify_memory_destroy(memory);
}

static void test_long_and_broken(void)
{
	static char text[100000];
	struct classification got;
	struct reply_codes codes;

	memset(text, 'x', sizeof text);
	memcpy(text, "450 4.2.2 mailbox full \0 \xff\xc3", 26);
	classify_line((struct bytes){ text, sizeof text }, NULL, &codes, &got);
	CHECK_STRING("long", got.category, "QuotaIssues");
	memset(text, '@', sizeof text);
	classify_line((struct bytes){ text, sizeof text }, NULL, &codes, &got);
	CHECK_STRING("nothing said", got.category, "Unknown");
}

/* Each rule stands beside a reply that it decides. */
static void test_examples(void)
{
	struct err err = { 0 };
	struct rules *rules;

	CHECK_INT(err.text, classify_check_examples(&err), 0);
	CHECK_INT("read", rules_read(NULL, &rules, &err), 0);
	for (int i = 0; i < rules->rule_count; i++) {
		int count = 0;

		for (int j = 0; j < rules->example_count; j++)
			count += strcmp(rules->examples[j].rule, rules->rules[i].name) == 0;
		CHECK_TRUE(rules->rules[i].name, count > 0);
	}
	rules_destroy(rules);
}

static const struct {
	const char *name, *text, *problem;
} files[] = {
	{ "no keyword", "\n\nsay x\n", ":3: nothing begins with \"say\"" },
	{ "no category", "rule a Nonsense\n", ":1: there is no category \"Nonsense\"" },
	{ "no define", "rule a Greylisted\nmatch {nothing}\n",
	  ":2: nothing is defined as \"nothing\"" },
	{ "not a pattern", "rule a Greylisted\n\tmatch (x\n", ":2: Missing close parenthesis" },
	{ "out of place", "match x\n", ":1: here nothing is said by \"match\"" },
	{ "no value", "rule\n", ":1: something is missing behind \"rule\"" },
	{ "no provider", "rule a Greylisted\nfrom nobody\n",
	  ":2: there is no provider \"nobody\"" },
	{ "bad status", "rule a Greylisted\nstatus 5.7\n", ":2: not a status: \"5.7\"" },
	{ "bad code", "rule a Greylisted\ncode 5xx\n", ":2: not a code, or one too many: \"5xx\"" },
	{ "bad cause", "rule a Greylisted\ncause love\n", ":2: there is no cause \"love\"" },
	{ "bad scope", "rule a Greylisted\nscope love\n", ":2: there is no scope \"love\"" },
	{ "quotes", "rule a Greylisted\nadvice say \"no\"\n",
	  ":2: quotes and backslashes may not stand in" },
	{ "example of another", "rule a Greylisted\nmatch zebra\nexample 450 4.2.2 full\n",
	  ":3: the example of rule a is decided by rule status-full" },
};

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void test_file(void)
{
	char path[] = "/tmp/outlast-rules-XXXXXX";
	struct classification got;
	struct reply_codes codes;
	struct err err = { 0 };

	close(mkstemp(path));
	for (size_t i = 0; i < COUNT(files); i++) {
		write_file(path, files[i].text);
		CHECK_INT(files[i].name, classify_use_rules(path, &err), ERR_INVALID);
		CHECK_TRUE(err.text, strstr(err.text, files[i].problem));
	}
	write_file(path,
	           "provider zoo\nmatch zebra\n"
	           "rule zebra RateLimited\nfrom zoo\nmatch stripes\ncode 4yz\nscope message\n"
	           "cause policy\nadvice Feed it.\nexample 450 zebra has no stripes\n");
	CHECK_INT(err.text, classify_use_rules(path, &err), 0);
	classify_line(bytes_of("450 4.2.2 mailbox full: zebra stripes"), NULL, &codes, &got);
	CHECK_STRING("own rule", got.rule, "zebra");
	CHECK_STRING("own rule", got.provider, "zoo");
	CHECK_STRING("own rule", got.advice, "Feed it.");
	CHECK_INT("own rule", got.cause, CAUSE_POLICY);
	CHECK_INT("own rule", got.scope, SCOPE_MESSAGE);
	classify_line(bytes_of("550 mailbox full: zebra stripes"), NULL, &codes, &got);
	CHECK_STRING("not its code", got.category, "QuotaIssues");
	CHECK_INT("back", classify_use_rules(NULL, &err), 0);
	CHECK_INT("no file", classify_use_rules("/nonexistent/rules", &err), ERR_SYSTEM);
	classify_line(bytes_of("450 zebra stripes"), NULL, &codes, &got);
	CHECK_STRING("back", got.category, "SystemError");
	unlink(path);
}

TEST_MAIN(test_reply, test_line, test_memory, test_long_and_broken, test_examples, test_file)
