/* Runs (issue 3, 13): every mail is accounted for; the same seed gives the same result; each model
 * tries as often as the relay does. */
#include "base/units.h"
#include "config/config.h"
#include "simulate/outlast.h"
#include "simulate/plot.h"
#include "simulate/relay.h"
#include "support/check.h"

#define TROUBLE                                                                              \
	"host up { }\n"                                                                      \
	"host down { at 1h { refuse; } at 8h { accept; } }\n"                                \
	"host silent { at 2h { blackhole; } at 5h { accept; } }\n"                           \
	"host flaps { at 1h { flap 20m 10m 12h; } }\n"                                       \
	"host grey { greylist 5m; full 20; unknown 5; at 30h { full 0; } }\n"                \
	"host tight { rate 20/1h; connections 2; }\n"                                        \
	"domain up.test { mx up; at 3h { nxdomain; } at 4h { answer; } }\n"                  \
	"domain down.test { mx down silent; }\ndomain silent.test { mx silent; }\n"          \
	"domain flaps.test { mx flaps; }\ndomain grey.test { mx grey; }\n"                   \
	"domain tight.test { mx tight; }\n"                                                  \
	"domain dns.test { mx up; ttl 5m; at 1h { servfail; } at 9h { answer; } }\n"         \
	"traffic t { messages 1500; until 12h; to up.test down.test silent.test flaps.test " \
	"grey.test tight.test dns.test; }\n"

static struct scene *scene_of(const char *text)
{
	struct buffer problems = { 0 };
	struct scene *scene = NULL;

	scene_parse("w", bytes_of(text), &scene, &problems);
	CHECK_BYTES("problems", buffer_bytes(&problems), bytes_of(""));
	scene_fill(scene);
	buffer_deinit(&problems);
	return scene;
}

static struct config *config_of(const char *text)
{
	struct buffer problems = { 0 };
	struct config *config = NULL;

	config_parse("c", bytes_of(text), &config, &problems);
	CHECK_BYTES("problems", buffer_bytes(&problems), bytes_of(""));
	buffer_deinit(&problems);
	return config;
}

/* `relay` NULL: the real queue. */
static struct run_result run(const struct scene *scene, const struct relay *relay)
{
	char text[100] = "";
	struct relay_settings settings = { .relay = relay };
	struct config *config;
	struct run_result result;

	if (relay)
		snprintf(text, sizeof text, "defaults { preset %s; }", relay->preset);
	settings.config = config = config_of(text);
	result = relay ? run_policy(scene, &relay_policy, &settings)
	               : run_policy(scene, &outlast_policy, config);
	config_release(config);
	return result;
}

static const struct relay *relay_at(int index)
{
	return index < 0 ? NULL : &relays[index];
}

static void test_conservation(void)
{
	struct scene *scene = scene_of(TROUBLE);

	for (int i = -1; i < relay_count; i++) {
		const char *name = i < 0 ? "outlast" : relays[i].name;
		struct run_result result = run(scene, relay_at(i));

		CHECK_INT(name, result.accepted, 1500);
		CHECK_INT(name, result.delivered + result.failed + result.expired, 1500);
		CHECK_INT(name, result.queued, 0);
		CHECK_TRUE(name, result.delivered > 900 && result.failed > 0);
		CHECK_TRUE(name, result.counts.attempts >= result.delivered);
		CHECK_TRUE(name, result.delay_50_s <= result.delay_95_s &&
		                         result.delay_95_s <= result.delay_99_s);
		run_result_deinit(&result);
	}
	scene_destroy(scene);
}

static void test_determinism(void)
{
	struct scene *scene = scene_of(TROUBLE), *again = scene_of(TROUBLE);

	for (int i = -1; i < relay_count; i++) {
		const char *name = i < 0 ? "outlast" : relays[i].name;
		struct run_result first = run(scene, relay_at(i)), second = run(again, relay_at(i));

		CHECK_INT(name, first.steps, second.steps);
		CHECK_INT(name, first.sample_count, second.sample_count);
		CHECK_TRUE(name, memcmp(first.samples, second.samples,
		                        first.sample_count * sizeof *first.samples) == 0);
		run_result_deinit(&first);
		run_result_deinit(&second);
		CHECK_TRUE(name,
		           memcmp(&first.delivered, &second.delivered,
		                  sizeof first - offsetof(struct run_result, delivered)) == 0);
	}
	scene_destroy(scene);
	scene_destroy(again);
}

static void test_cut_short(void)
{
	struct scene *scene = scene_of("duration 2h;\nhost h { refuse; }\ndomain d { mx h; }\n"
	                               "traffic t { messages 100; until 4h; to d; }\n");
	struct run_result result = run(scene, NULL);

	CHECK_TRUE("half of it came", result.accepted > 30 && result.accepted < 70);
	CHECK_INT("and is queued", result.queued, result.accepted);
	run_result_deinit(&result);
	scene_destroy(scene);
}

/* One message to a host that is never there: the tries of docs/presets.md, with what scans of the
 * queue make of them. */
static const struct {
	const char *relay;
	uint64_t least, most;
} tries[] = {
	{ "kumomta", 9, 9 },     { "stalwart", 9, 9 }, { "opensmtpd", 30, 30 },
	{ "postfix", 106, 110 }, { "qmail", 40, 40 },  { "sendmail", 240, 242 },
	{ "exim", 24, 28 },      { "gmail", 23, 23 },  { "exchange-server", 280, 296 },
};

static void test_tries(void)
{
	struct scene *scene = scene_of("host h { refuse; }\ndomain d { mx h; }\n"
	                               "traffic t { messages 1; until 1s; to d; }\n");

	for (size_t i = 0; i < COUNT(tries); i++) {
		struct run_result result = run(scene, relay_find(tries[i].relay));

		CHECK_INT(tries[i].relay, result.expired, 1);
		CHECK_INT(tries[i].relay, result.wasted, 0);
		CHECK_TRUE(tries[i].relay, result.counts.dead >= tries[i].least &&
		                                   result.counts.dead <= tries[i].most);
		run_result_deinit(&result);
	}
	scene_destroy(scene);
}

/* What a host's absence costs when a thousand messages wait: what each remembers. */
static const struct {
	const char *relay;
	uint64_t least, most;
} dead[] = {
	{ "exim", 10, 20 },            /* the host has the schedule */
	{ "exchange-server", 60, 90 }, /* the queue waits as a whole */
	{ "postfix", 200, 900 },       /* 4 connections, then dead for 300 s */
	{ "stalwart", 4000, 9000 },    /* each message by itself */
};

static void test_memory(void)
{
	struct scene *scene = scene_of("host h { refuse; at 10h { accept; } }\ndomain d { mx h; }\n"
	                               "traffic t { messages 1000; until 9h; to d; }\n");

	for (size_t i = 0; i < COUNT(dead); i++) {
		struct run_result result = run(scene, relay_find(dead[i].relay));

		CHECK_INT(dead[i].relay, result.delivered, 1000);
		CHECK_INT(dead[i].relay, result.recovered, 1000);
		CHECK_TRUE(dead[i].relay, result.counts.dead >= dead[i].least &&
		                                  result.counts.dead <= dead[i].most);
		run_result_deinit(&result);
	}
	scene_destroy(scene);
}

/* The worlds' rules themselves, seen through a relay that tries often. */
static void test_manners(void)
{
	struct scene *scene = scene_of("host h { rate 10/1h; greylist 5m; }\n"
	                               "domain d { mx h; mailboxes 1000000; }\n"
	                               "traffic t { messages 100; until 1s; to d; }\n");
	struct run_result result = run(scene, relay_find("sendmail"));

	CHECK_INT("all in the end", result.delivered, 100);
	CHECK_TRUE("ten an hour",
	           result.ended_us >= 9 * US_PER_HOUR && result.ended_us <= 11 * US_PER_HOUR);
	CHECK_TRUE("none before five minutes", result.delay_50_s >= 300);
	CHECK_TRUE("limited", result.counts.limited > 0);
	CHECK_INT("no host was down", result.counts.dead, 0);
	run_result_deinit(&result);
	scene_destroy(scene);
	scene = scene_of("host h { connections 2; slow 10s; }\ndomain d { mx h; }\n"
	                 "traffic t { messages 100; until 1s; to d; }\n");
	result = run(scene, relay_find("postfix"));
	CHECK_INT("delivered", result.delivered, 100);
	CHECK_TRUE("more than two at once", result.counts.crowded > 0 && result.counts.dead == 0);
	run_result_deinit(&result);
	scene_destroy(scene);
}

/* Tried at once, after 2 minutes and after 5 more: greylisting of 5 minutes is met twice. */
static void test_greylisting(void)
{
	struct scene *scene = scene_of("host h { greylist 5m; }\ndomain d { mx h; }\n"
	                               "traffic t { messages 1; until 1s; to d; }\n");
	struct run_result result = run(scene, relay_find("stalwart"));

	CHECK_INT("delivered", result.delivered, 1);
	CHECK_INT("the third time", result.counts.attempts, 3);
	CHECK_INT("after seven minutes", result.delay_50_s, 7 * 60);
	run_result_deinit(&result);
	scene_destroy(scene);
}

static size_t occurrences(struct bytes in, const char *what)
{
	size_t count = 0;

	for (ptrdiff_t at; (at = bytes_find(in, bytes_of(what))) >= 0; count++)
		in = bytes_from(in, (size_t)at + 1);
	return count;
}

static void test_plot(void)
{
	struct scene *scene = scene_of(TROUBLE);
	struct run_result results[] = { run(scene, NULL), run(scene, relay_find("exim")) };
	struct plot plot = { 0 };
	struct buffer out = { 0 };

	results[1].policy = "a<b>&\"c\"";
	plot_add(&plot, "<script>", scene, results, 2);
	plot_add(&plot, "two", scene, results, 1);
	plot_finish(&plot, &out);
	CHECK_TRUE("begins", bytes_starts_with(buffer_bytes(&out), bytes_of("<svg ")));
	CHECK_INT("a line each", occurrences(buffer_bytes(&out), "<polyline"), 3);
	CHECK_INT("nothing of strangers", occurrences(buffer_bytes(&out), "<script"), 0);
	CHECK_INT("escaped", occurrences(buffer_bytes(&out), "a&lt;b&gt;&amp;&quot;c&quot;"), 1);
	CHECK_TRUE("bands", occurrences(buffer_bytes(&out), "class=\"down\"") > 10);
	run_result_deinit(&results[0]);
	run_result_deinit(&results[1]);
	buffer_deinit(&out);
	scene_destroy(scene);
}

TEST_MAIN(test_conservation, test_determinism, test_cut_short, test_tries, test_memory,
          test_manners, test_greylisting, test_plot)
