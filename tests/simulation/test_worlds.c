/* Random worlds, the real queue (issue 3, 13 and its first promise): no message expires that could
 * have been delivered; a dead host costs what the probes cost, however many messages wait; the same
 * world gives the same result. Conservation is asserted by every run. */
#include "base/random.h"
#include "base/units.h"
#include "config/config.h"
#include "simulate/outlast.h"
#include "support/check.h"
#include <stdlib.h>

#define WORLDS_DEFAULT 200
#define HOSTS          4
#define MESSAGES       400

/* The queue's own probes: a closed site is asked again at least so often, with jitter. */
#define PROBE_US (5 * US_PER_MINUTE + 5 * US_PER_MINUTE / 10)

static uint64_t dice(struct random *random, uint64_t sides)
{
	return random_below(random, sides);
}

static unsigned minutes(struct random *random, uint64_t least, uint64_t most)
{
	return (unsigned)(least + dice(random, most - least + 1));
}

/* Down for a while, up for at least a quarter of an hour, several times. */
static void add_host(struct random *random, struct buffer *text, int index, bool may_greylist)
{
	static const char *const manners[] = { "refuse", "blackhole", "busy" };
	unsigned at = minutes(random, 1, 600);

	buffer_printf(text, "host h%d {\n", index);
	if (may_greylist && dice(random, 2) == 0)
		buffer_printf(text, "greylist %um;\n", minutes(random, 1, 10));
	if (dice(random, 3) == 0)
		buffer_printf(text, "connections %u;\n", minutes(random, 1, 30));
	for (uint64_t n = dice(random, 5); n > 0; n--) {
		buffer_printf(text, "at %um { %s; }\n", at, manners[dice(random, 3)]);
		at += minutes(random, 1, 1500);
		buffer_printf(text, "at %um { accept; }\n", at);
		at += minutes(random, 15, 300);
	}
	if (dice(random, 4) == 0)
		buffer_printf(text, "at %um { flap %um %um %um; }\n", at, minutes(random, 1, 90),
		              minutes(random, 15, 60), at + 2000);
	buffer_append_text(text, "}\n");
}

static void add_domain(struct random *random, struct buffer *text, int index)
{
	buffer_printf(text, "domain d%d.test {\nmx h%d h%d;\nttl 5m;\n", index,
	              (int)dice(random, HOSTS), (int)dice(random, HOSTS));
	if (dice(random, 3) == 0)
		buffer_printf(text, "at %um { mx h%d; }\n", minutes(random, 1, 1000),
		              (int)dice(random, HOSTS));
	if (dice(random, 3) == 0)
		buffer_printf(text, "at 20h { %s; }\nat %um { answer; }\n",
		              dice(random, 2) ? "servfail" : "timeout",
		              minutes(random, 1210, 2500));
	buffer_append_text(text, "}\n");
}

/* Where messages are put off one by one, a window may be too short for the second try. */
static bool has_greylist(uint64_t seed)
{
	return seed % 3 == 0;
}

static struct scene *random_scene(uint64_t seed)
{
	struct buffer text = { 0 }, problems = { 0 };
	struct random random;
	struct scene *scene = NULL;

	random_seed(&random, seed);
	buffer_printf(&text, "seed %llu;\n", (unsigned long long)seed);
	for (int i = 0; i < HOSTS; i++)
		add_host(&random, &text, i, has_greylist(seed));
	for (int i = 0; i < HOSTS; i++)
		add_domain(&random, &text, i);
	buffer_printf(&text,
	              "traffic t { messages %d; until %um; to d0.test d1.test d2.test d3.test; }\n",
	              MESSAGES, minutes(&random, 60, 3000));
	scene_parse("random", buffer_bytes(&text), &scene, &problems);
	CHECK_BYTES("problems", buffer_bytes(&problems), bytes_of(""));
	scene_fill(scene);
	buffer_deinit(&text);
	buffer_deinit(&problems);
	return scene;
}

static struct run_result run_with(const struct scene *scene, const char *lifetime)
{
	struct buffer text = { 0 }, problems = { 0 };
	struct config *config = NULL;
	struct run_result result;

	buffer_printf(&text, "defaults { lifetime %s; }", lifetime);
	config_parse("random", buffer_bytes(&text), &config, &problems);
	CHECK_TRUE("configuration", config != NULL);
	result = run_policy(scene, &outlast_policy, config);
	config_release(config);
	buffer_deinit(&text);
	buffer_deinit(&problems);
	return result;
}

/* Connections that probes of all domains' hosts may take, and a few for each closing. */
static uint64_t probes_allowed(const struct scene *scene, int64_t until_us)
{
	uint64_t allowed = 0;

	for (uint32_t i = 0; i < scene->domain_count; i++) {
		const struct scene_domain *domain = &scene->domains[i];

		/* Two hosts each; a host may be down while the other is up. */
		allowed += 2 * (uint64_t)(until_us / (PROBE_US * 8 / 10) + 100) + 2 * MESSAGES / 4;
		allowed += (uint64_t)domain->down_count * 60;
	}
	return allowed;
}

static void check_world(uint64_t seed)
{
	static const char *const lifetimes[] = { "4h", "1d", "3d", "5d" };
	struct scene *scene = random_scene(seed);
	struct run_result result = run_with(scene, lifetimes[seed % COUNT(lifetimes)]);
	char name[40];

	snprintf(name, sizeof name, "world %llu", (unsigned long long)seed);
	CHECK_INT(name, result.accepted, MESSAGES);
	CHECK_INT(name, result.queued, 0);
	if (!has_greylist(seed))
		CHECK_INT(name, result.wasted, 0);
	CHECK_TRUE(name, result.counts.dead <= probes_allowed(scene, result.ended_us));
	run_result_deinit(&result);
	scene_destroy(scene);
}

static void test_properties(void)
{
	const char *wanted = getenv("OUTLAST_WORLDS");
	uint64_t worlds = wanted ? strtoull(wanted, NULL, 10) : WORLDS_DEFAULT;

	for (uint64_t seed = 1; seed <= worlds; seed++)
		check_world(seed);
}

static void test_replay(void)
{
	for (uint64_t seed = 1; seed <= 5; seed++) {
		struct scene *scene = random_scene(seed), *again = random_scene(seed);
		struct run_result first = run_with(scene, "1d"), second = run_with(again, "1d");

		CHECK_INT("steps", first.steps, second.steps);
		CHECK_INT("end", first.ended_us, second.ended_us);
		CHECK_INT("attempts", first.counts.attempts, second.counts.attempts);
		run_result_deinit(&first);
		run_result_deinit(&second);
		scene_destroy(scene);
		scene_destroy(again);
	}
}

TEST_MAIN(test_properties, test_replay)
