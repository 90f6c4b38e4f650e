/* The effective schedule (issue 3, 5): the presets against what is known of the systems. */
#include "base/buffer.h"
#include "base/units.h"
#include "simulate/plan.h"
#include "support/check.h"

static struct plan plan;

static void plan_of(const char *text, enum plan_mail mail)
{
	struct buffer problems = { 0 };
	struct config *config = NULL;

	config_parse("t", bytes_of(text), &config, &problems);
	CHECK_BYTES(text, buffer_bytes(&problems), bytes_of(""));
	plan_make(&config->defaults, mail, &plan);
	config_release(config);
	buffer_deinit(&problems);
}

/* Tries and last try as read in the systems' sources (docs/presets.md); the last attempt that
 * Outlast adds is not among them. */
static const struct {
	const char *name;
	int tries;
	int last_minutes; /* after acceptance */
	int lifetime_hours;
	int wastes;
} rows[] = {
	{ "kumomta", 9, 85 * 60, 168, 1 },        /* ends at 85 h of 7 d */
	{ "stalwart", 9, 28 * 60 + 2, 72, 1 },    /* 28 h of 72 h */
	{ "opensmtpd", 30, 93 * 60 + 26, 96, 0 }, /* 93.4 h of 96 h */
	{ "postfix", 112, 7146, 120, 0 },         /* about 108 with the waits for its scans */
	{ "qmail", 39, 9626, 168, 0 },            /* 400 n^2 seconds: 160.4 h */
	{ "exim", 27, 5591, 96, 0 },              /* F,2h,15m; G,16h,1h,1.5; F,4d,6h */
	{ "sendmail", 240, 7170, 120, 0 },        /* a queue run each 30 min */
	{ "exchange-online", 27, 1395, 24, 0 },   /* 23 h 15 min */
	{ "exchange-server", 295, 2874, 48, 0 },  /* 4 x 1 min, 6 x 5 min, then 10 min */
	{ "ses", 19, 780, 14, 0 },
	{ "gmail", 23, 4310, 72, 0 },
	{ "transactional", 15, 58, 1, 0 },
};

static void test_presets(void)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		char text[100];
		int own;

		snprintf(text, sizeof text, "defaults { preset %s; }", rows[i].name);
		plan_of(text, PLAN_MESSAGES);
		own = plan.count - plan.has_added_last;
		CHECK_INT(rows[i].name, plan.lifetime_us / US_PER_HOUR, rows[i].lifetime_hours);
		CHECK_INT(rows[i].name, own, rows[i].tries);
		CHECK_INT(rows[i].name, plan.at_us[own - 1] / US_PER_MINUTE, rows[i].last_minutes);
		CHECK_INT(rows[i].name, plan_wastes(&plan), rows[i].wastes);
		CHECK_TRUE(rows[i].name, plan.dead_air_us <= 2 * US_PER_MINUTE);
	}
}

static void test_figures(void)
{
	plan_of("defaults { schedule 1h 2h; lifetime 10h; notice_lifetime 1h; }", PLAN_MESSAGES);
	CHECK_INT("attempts", plan.count, 7);
	CHECK_TRUE("first", plan.at_us[0] == 0 && plan.at_us[1] == US_PER_HOUR);
	CHECK_TRUE("by the schedule", plan.at_us[5] == 9 * US_PER_HOUR);
	CHECK_TRUE("added", plan.has_added_last && plan.dead_air_us == US_PER_MINUTE);
	CHECK_TRUE("gap", plan.longest_gap_us == 2 * US_PER_HOUR);
	CHECK_TRUE("from", plan.longest_from_us == US_PER_HOUR);
	CHECK_TRUE("unused", plan.unused_us == US_PER_HOUR && !plan_wastes(&plan));
	CHECK_INT("the first stands alone", plan_run(&plan, 0), 1);
	CHECK_INT("one at 1h", plan_run(&plan, 1), 1);
	CHECK_INT("equal gaps", plan_run(&plan, 2), 4);
	plan_of("defaults { schedule 1h 2h; lifetime 10h; notice_lifetime 1h; }", PLAN_NOTICES);
	CHECK_INT("notices", plan.count, 2);
	CHECK_TRUE("their lifetime", plan.lifetime_us == US_PER_HOUR && plan_wastes(&plan));
}

static void test_limit(void)
{
	plan_of("defaults { schedule 1s; lifetime 365d; }", PLAN_MESSAGES);
	CHECK_INT("no more than fit", plan.count, PLAN_ATTEMPTS_MAX);
	CHECK_TRUE("and said so", plan.is_cut && !plan_wastes(&plan));
}

TEST_MAIN(test_presets, test_figures, test_limit)
