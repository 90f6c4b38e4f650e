#include "base/random.h"
#include "support/check.h"

static void test_replays(void)
{
	struct random a, b, other;
	int differ = 0;

	random_seed(&a, 42);
	random_seed(&b, 42);
	random_seed(&other, 43);
	for (int i = 0; i < 100; i++) {
		uint64_t value = random_next(&a);

		CHECK_TRUE("same seed", value == random_next(&b));
		differ += value != random_next(&other);
	}
	CHECK_TRUE("other seed", differ > 95);
}

/* The reference output for the state 1, 2, 3, 4. */
static void test_is_xoshiro(void)
{
	static const uint64_t want[] = { 11520, 0, 1509978240, 1215971899390074240 };
	struct random random = { { 1, 2, 3, 4 } };

	for (size_t i = 0; i < COUNT(want); i++)
		CHECK_TRUE("output", random_next(&random) == want[i]);
}

static void test_below(void)
{
	struct random random;
	int seen[10] = { 0 };

	random_seed(&random, 1);
	for (int i = 0; i < 10000; i++)
		seen[random_below(&random, 10)]++;
	for (int i = 0; i < 10; i++)
		CHECK_TRUE("even", seen[i] > 850 && seen[i] < 1150);
	CHECK_INT("limit 1", random_below(&random, 1), 0);
	CHECK_TRUE("large limit", random_below(&random, UINT64_MAX) < UINT64_MAX);
}

static void test_jitter(void)
{
	struct random random;
	int64_t least = INT64_MAX, most = 0;

	random_seed(&random, 1);
	for (int i = 0; i < 10000; i++) {
		int64_t value = random_jitter(&random, 1000, 10);

		least = MIN(least, value);
		most = MAX(most, value);
	}
	CHECK_INT("least", least, 900);
	CHECK_INT("most", most, 1100);
	CHECK_INT("none", random_jitter(&random, 1000, 0), 1000);
	CHECK_INT("zero", random_jitter(&random, 0, 10), 0);
	CHECK_TRUE("no overflow", random_jitter(&random, INT64_MAX / 2, 50) > 0);
}

static void test_entropy(void)
{
	CHECK_TRUE("differs", random_entropy() != random_entropy());
}

TEST_MAIN(test_replays, test_is_xoshiro, test_below, test_jitter, test_entropy)
