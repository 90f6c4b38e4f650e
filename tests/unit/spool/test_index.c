#include "base/random.h"
#include "spool/index.h"
#include "support/check.h"

#define IDS 5000

/* Against a plain array: whatever is set and removed in whatever order. */
static void test_random_changes(void)
{
	static struct places model[IDS];
	static bool is_there[IDS];
	struct index *index = index_create();
	struct random random;
	size_t count = 0;

	random_seed(&random, 447);
	for (int step = 0; step < 200000; step++) {
		size_t n = random_below(&random, IDS);
		uint64_t id = (uint64_t)(n + 1) << 13 | n % 32;
		struct places places;

		if (random_below(&random, 3) > 0) {
			model[n] = (struct places){ random_below(&random, PLACE_NONE), PLACE_NONE,
				                    random_below(&random, PLACE_NONE),
				                    (uint32_t)step };
			index_set(index, id, &model[n]);
			count += !is_there[n];
			is_there[n] = true;
		} else {
			index_remove(index, id);
			count -= is_there[n];
			is_there[n] = false;
		}
		n = random_below(&random, IDS);
		id = (uint64_t)(n + 1) << 13 | n % 32;
		CHECK_INT("there", index_get(index, id, &places), is_there[n]);
		if (!is_there[n])
			continue;
		CHECK_INT("message", places.message, model[n].message);
		CHECK_INT("state", places.state, PLACE_NONE);
		CHECK_INT("history", places.history, model[n].history);
		CHECK_INT("size", places.size_bytes, model[n].size_bytes);
	}
	CHECK_INT("count", index_count(index), count);
	index_destroy(index);
}

TEST_MAIN(test_random_changes)
