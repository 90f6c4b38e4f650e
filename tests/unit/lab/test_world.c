#include "base/units.h"
#include "lab/world.h"
#include "support/check.h"
#include <string.h>

static struct world *parse(const char *text)
{
	struct world *world = NULL;
	struct err err = { 0 };

	CHECK_INT(text, world_parse("w", bytes_of(text), &world, &err), 0);
	return world;
}

static void test_names(void)
{
	struct world *world = parse(
		"smtp_port 26; dns_port 0;"
		"domain A.test. { ttl 1m; mx 20 B.test. 10 c.test; address 127.0.0.1 ::1; }"
		"host b.test { } host c.test { address 127.0.0.7; }");
	struct name *name = world_find(world, BYTES_LITERAL("a.TEST"));

	CHECK_INT("smtp_port", world->smtp_port, 26);
	CHECK_INT("dns_port", world->dns_port, 0);
	CHECK_TRUE("found", name != NULL);
	CHECK_INT("ttl", name->records.ttl_s, 60);
	CHECK_INT("mx", name->records.mx_count, 2);
	CHECK_STRING("mx host", name->records.mx[0].host, "b.test");
	CHECK_INT("mx preference", name->records.mx[0].preference, 20);
	CHECK_INT("addresses", name->records.address_count, 2);
	CHECK_TRUE("a domain has no manners", name->manners == NULL);
	name = world_find(world, BYTES_LITERAL("b.test."));
	CHECK_INT("an address of its own", name->records.address_count, 1);
	CHECK_TRUE("nobody", world_find(world, BYTES_LITERAL("d.test")) == NULL);
	CHECK_TRUE("below", world_has_below(world, BYTES_LITERAL("test")));
	CHECK_TRUE("not below", !world_has_below(world, BYTES_LITERAL("est")));
	world_destroy(world);
}

static void test_changes(void)
{
	struct world *world = parse("host a.test { refuse; at 20s { accept; } at 5s { silent; } }"
	                            "domain b.test { at 10s { servfail; } }");
	const struct change *change = world->changes;

	CHECK_INT("first", change->at_us, 5 * US_PER_SECOND);
	CHECK_INT("second", change->next->at_us, 10 * US_PER_SECOND);
	CHECK_STRING("of", change->next->name->text, "b.test");
	CHECK_INT("third", change->next->next->at_us, 20 * US_PER_SECOND);
	CHECK_TRUE("end", change->next->next->next == NULL);
	CHECK_INT("not yet", world_find(world, BYTES_LITERAL("a.test"))->manners->listen,
	          LISTEN_REFUSE);
	world_destroy(world);
}

static void test_manners(void)
{
	struct world *world = parse(
		"host a.test { greet \"421 no\"; rcpt x@* \"550 no\" times 2; rcpt drop;"
		" greylist 5m; rate 3/10s; slow 20ms; size 5M; without SIZE dsn; }");
	struct manners *manners = world_find(world, BYTES_LITERAL("a.test"))->manners;

	CHECK_INT("greeting", manners->actions[STAGE_GREETING].kind, ACTION_REPLY);
	CHECK_STRING("text", manners->actions[STAGE_GREETING].text, "421 no");
	CHECK_INT("rcpt", manners->actions[STAGE_RCPT].kind, ACTION_DROP);
	CHECK_INT("patterns", manners->pattern_count, 1);
	CHECK_INT("times", manners->patterns[0].action.left, 2);
	CHECK_INT("greylist", manners->greylist_us, 5 * US_PER_MINUTE);
	CHECK_INT("rate", manners->rate_count, 3);
	CHECK_INT("period", manners->rate_period_us, 10 * US_PER_SECOND);
	CHECK_INT("slow", manners->delay_us, 20 * US_PER_MS);
	CHECK_INT("size", manners->size_bytes, 5 << 20);
	CHECK_INT("extensions", manners->extensions,
	          EXTENSIONS_ALL & ~(EXTENSION_SIZE | EXTENSION_DSN));
	world_destroy(world);
}

static void test_action_take(void)
{
	struct action action = { .kind = ACTION_DROP, .left = 2 };

	CHECK_TRUE("once", action_take(&action) != NULL);
	CHECK_TRUE("twice", action_take(&action) != NULL);
	CHECK_TRUE("not again", action_take(&action) == NULL);
	action.left = -1;
	for (int i = 0; i < 10; i++)
		CHECK_TRUE("always", action_take(&action) != NULL);
}

static void test_mistakes(void)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{ "fly;", "w:1: wants host, domain, dns_port or smtp_port" },
		{ "domain a;", "w:1: wants: a name and a block" },
		{ "domain a { } host a { }", "w:1: the name is there already, or too many are" },
		{ "domain a { refuse; }",
		  "line 1: refuse \"\": is for hosts, and this is a domain" },
		{ "domain a {\n fly high; }", "line 2: fly \"high\": unknown" },
		{ "domain a { mx 10; }", "line 1: mx \"10\": wants pairs of preference and host" },
		{ "domain a { mx 70000 b; }", "line 1: mx \"70000\": a preference is 0..65535" },
		{ "domain a { address b; }", "line 1: address \"b\": not an address" },
		{ "domain a { ttl soon; }", "line 1: ttl \"soon\": wants a duration" },
		{ "domain a { at 5s { fly; } }", "line 1: fly \"\": unknown" },
		{ "domain a { at 5s; }", "w:1: wants: at DURATION { ... }" },
		{ "host a { rate 5; }", "line 1: rate \"5\": wants NUMBER/DURATION" },
		{ "host a { mail; }",
		  "line 1: mail \"\": wants a reply, normal, drop, silent or garbage" },
		{ "host a { mail drop 5; }",
		  "line 1: mail \"drop\": behind the reply only \"times N\" may stand" },
		{ "host a { without FUN; }", "line 1: without \"FUN\": not an extension" },
		{ "smtp_port 70000;", "w:1: a port is 0..65535" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct world *world = NULL;
		struct err err = { 0 };

		CHECK_INT(rows[i].text, world_parse("w", bytes_of(rows[i].text), &world, &err),
		          ERR_INVALID);
		CHECK_STRING(rows[i].text, err.text, rows[i].want);
	}
}

static void test_patterns(void)
{
	static const struct {
		const char *pattern, *text;
		bool want;
	} rows[] = {
		{ "*", "", true },
		{ "*", "anything", true },
		{ "a*", "Abc", true },
		{ "a*", "ba", false },
		{ "*@x.test", "a@X.test", true },
		{ "*@x.test", "a@x.test.org", false },
		{ "a*b*c", "aXbYbZc", true },
		{ "a*b*c", "aXc", false },
		{ "abc", "abc", true },
		{ "abc", "abcd", false },
		{ "**", "x", true },
		{ "", "", true },
		{ "", "x", false },
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		CHECK_INT(rows[i].pattern,
		          pattern_match(bytes_of(rows[i].pattern), bytes_of(rows[i].text)),
		          rows[i].want);
}

TEST_MAIN(test_names, test_changes, test_manners, test_action_take, test_mistakes, test_patterns)
