/* Random traces against a world that remembers: no recipient is lost, or delivered after it was
 * over; slots and probes keep to their limits; every deadline is met; the ledger always sums to the
 * age; a restart in the middle changes none of it; the same trace gives the same actions. */
#include "simulation/world.h"
#include "support/check.h"
#include <stdlib.h>

/* The environment may ask for others: OUTLAST_TRACES "FIRST-LAST", OUTLAST_EVENTS. */
#define TRACES_DEFAULT "1-100"
#define EVENTS_DEFAULT "50000" /* the passing of time counts, too */

static const char *setting(const char *name, const char *otherwise)
{
	return getenv(name) ? getenv(name) : otherwise;
}

static uint64_t run_trace(uint64_t seed, int is_checked)
{
	static struct world world;
	uint64_t events = strtoull(setting("OUTLAST_EVENTS", EVENTS_DEFAULT), NULL, 10);
	char name[32];
	uint64_t hash;

	snprintf(name, sizeof name, "trace %llu", (unsigned long long)seed);
	world_init(&world, name, seed);
	for (int step = 0; world.event_count < events; step++) {
		world_do_something(&world);
		if (step % 1000 == 700)
			world_restart(&world);
		if (is_checked && step % 200 == 0)
			world_check(&world);
	}
	if (is_checked)
		world_finish(&world);
	hash = world.hash;
	world_deinit(&world);
	return hash;
}

static void test_properties(void)
{
	uint64_t first = 1, last = 1;

	sscanf(setting("OUTLAST_TRACES", TRACES_DEFAULT), "%lu-%lu", &first, &last);
	for (uint64_t seed = first; seed <= last; seed++)
		run_trace(seed, 1);
}

static void test_replay(void)
{
	for (uint64_t seed = 1; seed <= 10; seed++)
		CHECK_TRUE("the same actions", run_trace(seed, 0) == run_trace(seed, 0));
}

TEST_MAIN(test_properties, test_replay)
