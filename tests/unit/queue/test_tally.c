#include "queue/tally.h"
#include "queue/timeline.h"
#include "support/check.h"

/* Whatever is added, the sum is what was added, before and after there are many causes. */
static void test_sum(void)
{
	struct tally tally = { 0 }, copy;
	uint32_t sum = 0;

	for (uint32_t i = 0; i < 60; i++) {
		tally_add(&tally, (enum cause)(i * 7 % CAUSE_COUNT), i);
		sum += i;
		CHECK_INT("sum", tally_sum(&tally), sum);
	}
	CHECK_INT("one", tally_of(&tally, CAUSE_NONE), 0 + 19 + 38 + 57);
	copy = tally_copy(&tally);
	tally_add(&copy, CAUSE_TLS, 5);
	CHECK_INT("copy", tally_sum(&copy), sum + 5);
	CHECK_INT("not touched", tally_sum(&tally), sum);
	tally_deinit(&copy);
	tally_deinit(&tally);
	CHECK_INT("empty", tally_sum(&tally), 0);
	CHECK_INT("16 bytes", sizeof(struct tally), 16);
}

/* Rounding loses no second: three times a third is one. */
static void test_seconds(void)
{
	struct tally tally = { 0 };
	struct ledger ledger = { 0 };
	uint32_t sum = 0;

	tally_add(&tally, CAUSE_NONE, 133);
	tally_add(&tally, CAUSE_GREYLISTED, 133);
	tally_add(&tally, CAUSE_HELD, 134);
	tally_seconds(&tally, &ledger);
	for (int i = 0; i < CAUSE_COUNT; i++)
		sum += ledger.seconds[i];
	CHECK_INT("sum", sum, 4);
	CHECK_INT("greylisted", ledger.seconds[CAUSE_GREYLISTED], 1);
	tally_deinit(&tally);
}

static const struct span site_spans[] = { { 1000000, CAUSE_NONE },
	                                  { 2000000, CAUSE_HOST_DOWN },
	                                  { 5000000, CAUSE_NONE } };
static const struct span own_spans[] = { { 0, CAUSE_NONE },
	                                 { 1500000, CAUSE_OF_SITE },
	                                 { 6000000, CAUSE_SUSPENDED } };

static void fill(struct timeline *timeline, const struct span *spans, size_t count)
{
	for (size_t i = 0; i < count; i++)
		timeline_set(timeline, spans[i].cause, spans[i].since_us);
}

static const struct {
	const char *name;
	uint32_t from, to, none, down, suspended;
} rows[] = {
	{ "all", 0, 800, 300, 300, 200 },          { "nothing", 400, 400, 0, 0, 0 },
	{ "inside one", 250, 300, 0, 50, 0 },      { "over an edge", 100, 300, 100, 100, 0 },
	{ "behind the end", 700, 900, 0, 0, 200 }, { "at an edge", 200, 500, 0, 300, 0 },
};

/* Mail that waits is booked from both timelines, to the tick; the same after the site's part has
 * been taken over. */
static void test_book(void)
{
	struct timeline own = { 0 }, site = { 0 };

	fill(&own, own_spans, COUNT(own_spans));
	fill(&site, site_spans, COUNT(site_spans));
	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < COUNT(rows); i++) {
			struct stretch stretch = { 0, rows[i].from, rows[i].to };
			struct tally tally = { 0 };

			timeline_book(&own, round ? NULL : &site, stretch, &tally);
			CHECK_INT(rows[i].name, tally_of(&tally, CAUSE_NONE), rows[i].none);
			CHECK_INT(rows[i].name, tally_of(&tally, CAUSE_HOST_DOWN), rows[i].down);
			CHECK_INT(rows[i].name, tally_of(&tally, CAUSE_SUSPENDED),
			          rows[i].suspended);
			tally_deinit(&tally);
		}
		timeline_adopt(&own, &site);
	}
	timeline_deinit(&own);
	timeline_deinit(&site);
}

/* However often the cause changes, the timeline stays small and books every tick. */
static void test_limit(void)
{
	struct timeline timeline = { 0 };
	struct stretch stretch = { 0, 0, 1000000 };
	struct tally tally = { 0 };

	for (int i = 0; i < 10000; i++) {
		timeline_set(&timeline, i % 2 ? CAUSE_HOST_DOWN : CAUSE_NONE, i * 1000000LL);
		CHECK_TRUE("bounded", timeline.count <= TIMELINE_SPANS_MAX);
	}
	timeline_book(&timeline, NULL, stretch, &tally);
	CHECK_INT("conserved", tally_sum(&tally), 1000000);
	CHECK_INT("cause now", timeline_cause(&timeline), CAUSE_HOST_DOWN);
	timeline_forget(&timeline);
	CHECK_INT("one left", timeline.count, 1);
	CHECK_INT("cause still", timeline_cause(&timeline), CAUSE_HOST_DOWN);
	timeline_deinit(&timeline);
	tally_deinit(&tally);
}

TEST_MAIN(test_sum, test_seconds, test_book, test_limit)
