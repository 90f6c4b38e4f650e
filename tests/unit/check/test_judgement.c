/* Points, scores and verdicts of facts that are made up; what each fact costs is shown by
 * tests/system/test_reputation.py. */
#include "check/judgement.h"
#include "support/check.h"

static struct reputation *facts;
static struct judgement *judgement;
static struct arena *arena;

/* A sender of whom nothing is known. */
static void begin(void)
{
	arena = arena_create(0);
	facts = arena_alloc(arena, sizeof *facts);
	judgement = arena_alloc(arena, sizeof *judgement);
	facts->subject.domain = BYTES_LITERAL("example.org");
	facts->dmarc_domain = facts->subject.domain;
	facts->are_selectors_guessed = true;
	facts->spf_record.status = facts->dmarc_record.status = DNS_TIMEOUT;
	facts->sts_record.status = facts->tlsrpt_record.status = DNS_TIMEOUT;
	facts->bimi_record.status = facts->mx_status = DNS_TIMEOUT;
}

static void judge_all(void)
{
	int lost = 0, points = 0;

	judge(arena, facts, judgement);
	for (int i = 0; i < judgement->count; i++)
		lost += judgement->findings[i].lost;
	for (enum area area = 0; area < AREAS; area++) {
		CHECK_TRUE(area_name(area), judgement->points[area] >= 0);
		points += judgement->points[area];
	}
	CHECK_INT("every point is explained", lost + points, 100);
}

static void test_areas(void)
{
	int points = 0;

	for (enum area area = 0; area < AREAS; area++)
		points += area_points(area);
	CHECK_INT("all areas", points, 100);
}

static void test_nothing_known(void)
{
	begin();
	judge_all();
	CHECK_INT("verdict", judgement->verdict, VERDICT_UNKNOWN);
	CHECK_INT("judged", judgement->judged_points, 0);
	CHECK_INT("score", judgement->score, 0);
	arena_destroy(arena);
}

/* Only what was found out counts: 15 points of 15, then 0 of 15. */
static void test_one_area(void)
{
	begin();
	facts->spf_record = (struct reputation_record){ .status = DNS_FOUND,
		                                        .count = 1,
		                                        .text = BYTES_LITERAL("v=spf1 -all") };
	judge_all();
	CHECK_INT("verdict", judgement->verdict, VERDICT_GOOD);
	CHECK_INT("judged", judgement->judged_points, 15);
	CHECK_INT("score", judgement->score, 100);
	facts->spf_record.count = 2;
	judge_all();
	CHECK_INT("verdict", judgement->verdict, VERDICT_POOR);
	CHECK_INT("score", judgement->score, 0);
	arena_destroy(arena);
}

/* Many listings cost no more than the area has, and are all told. */
static void test_cap(void)
{
	begin();
	for (int i = 0; i < REPUTATION_LISTINGS_MAX; i++)
		facts->listings[i].zone = &blocklist_zones[i % blocklist_zone_count];
	facts->listing_count = REPUTATION_LISTINGS_MAX;
	judge_all();
	CHECK_INT("none is left", judgement->points[AREA_BLOCKLISTS], 0);
	CHECK_TRUE("all are told", judgement->count >= REPUTATION_LISTINGS_MAX);
	arena_destroy(arena);
}

/* Minor lists alone: 5 points each, and no verdict by themselves. */
static void test_minor(void)
{
	static const struct blocklist_zone zone = { "bl.example", 1, false, "", "https://x" };
	enum verdict wants[] = { VERDICT_FAIR, VERDICT_FAIR, VERDICT_POOR };

	for (int count = 1; count <= 3; count++) {
		begin();
		for (int i = 0; i < count; i++)
			facts->listings[i].zone = &zone;
		facts->listing_count = count;
		judge_all();
		CHECK_INT("score", judgement->score, 100 - 20 * count);
		CHECK_INT("verdict", judgement->verdict, wants[count - 1]);
		arena_destroy(arena);
	}
}

TEST_MAIN(test_areas, test_nothing_known, test_one_area, test_cap, test_minor)
