/* The cases of spf_cases.txt, whose path is the argument; and the survey of a whole tree. */
#include "base/buffer.h"
#include "check/spf.h"
#include "support/check.h"
#include <netinet/in.h>
#include <stdlib.h>

#define RECORDS_MAX 40

struct record {
	struct bytes name, type, data;
};

struct world {
	struct record records[RECORDS_MAX];
	int count;
};

struct one_case {
	char name[160];
	struct bytes ip, from, helo, want, explanation, lookups;
	struct world world;
};

static struct buffer file;

static bool is_of_type(const struct record *record, enum ask_type type)
{
	static const char *const names[] = { "TXT", "A", "AAAA", "MX", "PTR" };

	return bytes_equal(record->type, bytes_of(names[type]));
}

/* Data as the DNS gives it. */
static struct bytes data_of(struct arena *arena, const struct record *record, enum ask_type type)
{
	struct bytes rest = record->data;
	struct buffer out = { 0 };
	struct address address;
	struct bytes copy;

	if (type == ASK_MX)
		bytes_split(&rest, ' ');
	if (type == ASK_IPV4 || type == ASK_IPV6) {
		const void *storage = &address.storage;
		CHECK_TRUE("an address", address_parse(rest, 0, &address));
		rest = type == ASK_IPV4
		               ? (struct bytes){ (const char *)&(
							 (const struct sockaddr_in *)storage)
			                                 ->sin_addr,
			                         4 }
		               : (struct bytes){ (const char *)&(
							 (const struct sockaddr_in6 *)storage)
			                                 ->sin6_addr,
			                         16 };
		return arena_copy(arena, rest);
	}
	for (size_t i = 0; i < rest.len; i++) {
		char hex[3] = { 0 };

		if (rest.at[i] != '\\' || i + 3 >= rest.len || rest.at[i + 1] != 'x') {
			buffer_append_char(&out, rest.at[i]);
			continue;
		}
		memcpy(hex, rest.at + i + 2, 2);
		buffer_append_char(&out, (char)strtol(hex, NULL, 16));
		i += 3;
	}
	copy = arena_copy(arena, buffer_bytes(&out));
	buffer_deinit(&out);
	return copy;
}

static void ask_world(void *arg, struct arena *arena, const char *name, enum ask_type type,
                      struct asker_answer *answer)
{
	const struct world *world = arg;

	*answer = (struct asker_answer){ .status = DNS_NO_DOMAIN };
	answer->records = arena_alloc(arena, RECORDS_MAX * sizeof *answer->records);
	for (int i = 0; i < world->count; i++) {
		const struct record *record = &world->records[i];

		if (!bytes_equal_nocase(record->name, bytes_of(name)))
			continue;
		if (answer->status == DNS_NO_DOMAIN)
			answer->status = DNS_NO_DATA;
		if (!is_of_type(record, type))
			continue;
		if (record->data.at[0] == '!') {
			answer->status = record->data.at[1] == 't' ? DNS_TIMEOUT
			                                           : DNS_SERVER_FAILURE;
			return;
		}
		answer->status = DNS_FOUND;
		answer->records[answer->count++] = data_of(arena, record, type);
	}
}

static void take_dns(struct world *world, struct bytes rest)
{
	struct record *record = &world->records[world->count++];

	CHECK_TRUE("room for records", world->count < RECORDS_MAX);
	record->name = bytes_split(&rest, ' ');
	record->type = bytes_split(&rest, ' ');
	record->data = rest;
}

static void take_line(struct one_case *one, struct bytes line)
{
	struct bytes rest = bytes_from(line, 1), word = bytes_split(&rest, ' ');

	if (bytes_equal(word, BYTES_LITERAL("dns")))
		take_dns(&one->world, rest);
	else if (bytes_equal(word, BYTES_LITERAL("ip")))
		one->ip = rest;
	else if (bytes_equal(word, BYTES_LITERAL("from")))
		one->from = rest;
	else if (bytes_equal(word, BYTES_LITERAL("helo")))
		one->helo = rest;
	else if (bytes_equal(word, BYTES_LITERAL("want")))
		one->want = rest;
	else if (bytes_equal(word, BYTES_LITERAL("exp")))
		one->explanation = rest;
	else if (bytes_equal(word, BYTES_LITERAL("lookups")))
		one->lookups = rest;
}

static void check_case(struct one_case *one)
{
	struct arena *arena = arena_create(0);
	struct asker asker = { ask_world, &one->world };
	ptrdiff_t at = bytes_find_last_char(one->from, '@');
	struct spf_question question = { .domain = bytes_from(one->from, (size_t)(at + 1)),
		                         .sender = one->from,
		                         .helo = one->helo,
		                         .now_s = 1700000000 };
	struct spf_verdict verdict;
	uint64_t lookups;

	CHECK_TRUE(one->name, address_parse(one->ip, 0, &question.ip));
	spf_check(&asker, arena, &question, &verdict);
	CHECK_BYTES(one->name, bytes_of(spf_result_name(verdict.result)), one->want);
	CHECK_BYTES(one->name, verdict.explanation, one->explanation);
	if (bytes_parse_u64(one->lookups, &lookups))
		CHECK_INT(one->name, verdict.lookups, lookups);
	CHECK_INT(one->name,
	          verdict.result == SPF_TEMPERROR || verdict.result == SPF_PERMERROR ||
	                  verdict.result == SPF_NONE,
	          verdict.text[0] != '\0');
	arena_destroy(arena);
}

static struct one_case fresh_case(struct bytes name)
{
	struct one_case one = { .ip = BYTES_LITERAL("192.0.2.1"),
		                .from = BYTES_LITERAL("user@example.com"),
		                .helo = BYTES_LITERAL("mail.example.com") };

	snprintf(one.name, sizeof one.name, "%.*s", BYTES_FORMAT(name));
	return one;
}

static void test_cases(void)
{
	struct bytes rest = buffer_bytes(&file), line;
	static struct one_case one;
	int count = 0;

	while (rest.len > 0) {
		line = bytes_split(&rest, '\n');
		if (line.len > 0 && line.at[0] == ' ')
			take_line(&one, line);
		if (!bytes_starts_with(line, BYTES_LITERAL("case ")))
			continue;
		if (count++ > 0)
			check_case(&one);
		one = fresh_case(bytes_from(line, 5));
	}
	check_case(&one);
	CHECK_TRUE("as many cases as were promised", count >= 120);
}

static const struct {
	const char *name, *zone;
	enum spf_result result;
	int lookups, void_lookups;
	const char *text;
} surveys[] = {
	{ "nothing matches, all is counted",
	  "example.com TXT v=spf1 ip4:192.0.2.1 a include:example.org -all\n"
	  "example.com A 192.0.2.1\nexample.org TXT v=spf1 mx exists:%{i}.x.example.org +all\n"
	  "example.org MX 10 mail.example.org\n",
	  SPF_NEUTRAL, 4, 0, "" },
	{ "the limit is passed, and counted on",
	  "example.com TXT v=spf1 a a a a a a a a a a a a -all\nexample.com A 192.0.2.1\n",
	  SPF_NEUTRAL, 12, 0, "" },
	{ "an include of itself ends", "example.com TXT v=spf1 include:example.com -all\n",
	  SPF_PERMERROR, 41, 0, "example.com: more than 40 DNS lookups are needed" },
	{ "behind all nothing counts", "example.com TXT v=spf1 -all a a a\n", SPF_NEUTRAL, 0, 0,
	  "" },
	{ "a redirect is followed",
	  "example.com TXT v=spf1 redirect=example.org\nexample.org TXT v=spf1 a -all\n",
	  SPF_NEUTRAL, 2, 1, "" },
	{ "a mistake that an evaluation would not reach",
	  "example.com TXT v=spf1 ip4:192.0.2.1 include:example.org -all\n"
	  "example.org TXT v=spf1 ip4:192.0.2 -all\n",
	  SPF_PERMERROR, 1, 0,
	  "example.org: ip4:192.0.2: not an IPv4 address (byte 12 of its SPF record)" },
	{ "names that depend on the client are counted, and not asked for",
	  "example.com TXT v=spf1 include:%{ir}.%{v}.%{d}.example.net a:%{l}.example.com "
	  "redirect=%{h}.example.com\n",
	  SPF_NEUTRAL, 3, 0, "" },
	{ "no record", "example.com A 192.0.2.1\n", SPF_NONE, 0, 0,
	  "example.com has no SPF record" },
};

static void test_survey(void)
{
	for (size_t i = 0; i < COUNT(surveys); i++) {
		struct arena *arena = arena_create(0);
		struct world world = { 0 };
		struct asker asker = { ask_world, &world };
		struct spf_question question = { .domain = BYTES_LITERAL("example.com"),
			                         .sender = BYTES_LITERAL("example.com") };
		struct spf_verdict verdict;
		struct bytes rest = bytes_of(surveys[i].zone);

		address_parse(BYTES_LITERAL("192.0.2.1"), 0, &question.ip);
		while (rest.len > 0)
			take_dns(&world, bytes_split(&rest, '\n'));
		spf_survey(&asker, arena, &question, &verdict);
		CHECK_INT(surveys[i].name, verdict.result, surveys[i].result);
		CHECK_INT(surveys[i].name, verdict.lookups, surveys[i].lookups);
		CHECK_INT(surveys[i].name, verdict.void_lookups, surveys[i].void_lookups);
		CHECK_STRING(surveys[i].name, verdict.text, surveys[i].text);
		arena_destroy(arena);
	}
}

/* What decided is named, however deep it stands. */
static void test_by(void)
{
	struct arena *arena = arena_create(0);
	struct world world = { 0 };
	struct asker asker = { ask_world, &world };
	struct spf_question question = { .domain = BYTES_LITERAL("example.com"),
		                         .sender = BYTES_LITERAL("example.com") };
	struct spf_verdict verdict;

	address_parse(BYTES_LITERAL("192.0.2.1"), 0, &question.ip);
	take_dns(&world, BYTES_LITERAL("example.com TXT v=spf1 include:a.example.org "
	                               "include:b.example.org -all"));
	take_dns(&world, BYTES_LITERAL("a.example.org TXT v=spf1 -all"));
	take_dns(&world, BYTES_LITERAL("b.example.org TXT v=spf1 ip4:192.0.2.0/24"));
	spf_check(&asker, arena, &question, &verdict);
	CHECK_BYTES("by", verdict.by, BYTES_LITERAL("ip4:192.0.2.0/24"));
	CHECK_BYTES("in", verdict.by_domain, BYTES_LITERAL("b.example.org"));
	arena_destroy(arena);
}

static void read_file(const char *path)
{
	FILE *in = fopen(path, "r");
	char part[4096];
	size_t len;

	while (in && (len = fread(part, 1, sizeof part, in)) > 0)
		buffer_append(&file, (struct bytes){ part, len });
	if (in)
		fclose(in);
}

int main(int argc, char **argv)
{
	void (*const tests[])(void) = { test_cases, test_survey, test_by };
	int failed;

	read_file(argc > 1 ? argv[1] : "spf_cases.txt");
	failed = check_run(tests, COUNT(tests), "test_cases, test_survey, test_by");
	buffer_deinit(&file);
	return failed;
}
