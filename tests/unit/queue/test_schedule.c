/* Requirements 1.4 to 1.6 of the standards map, and the schedule's own arithmetic. */
#include "base/units.h"
#include "queue/schedule.h"
#include "support/check.h"

#define ARRIVED (1700000000LL * US_PER_SECOND)

static int64_t waits[] = { 10 * US_PER_SECOND, 60 * US_PER_SECOND };
static const struct config_destination limits = { .schedule_us = waits,
	                                          .schedule_count = 2,
	                                          .lifetime_us = US_PER_HOUR,
	                                          .notice_lifetime_us = 30 * US_PER_MINUTE,
	                                          .delay_notice_us = 10 * US_PER_MINUTE,
	                                          .delay_notice_by = "time",
	                                          .probe_us = waits,
	                                          .probe_count = 2 };

static struct entry entry;
static struct recipient recipient;
static const struct schedule schedule = { &limits, &entry, &recipient, 0 };

static void reset(void)
{
	entry = (struct entry){ .arrived_us = ARRIVED, .recipient_count = 1 };
	recipient = (struct recipient){ 0 };
}

static int64_t minutes(int64_t us)
{
	return us == INT64_MAX ? -1 : (us - ARRIVED) / US_PER_MINUTE;
}

static const struct {
	const char *name;
	uint8_t flags, deliver_by_minutes;
	int extension_minutes, want;
} deadlines[] = {
	{ "lifetime", 0, 0, 0, 60 },
	{ "null sender", ENTRY_HAS_NULL_SENDER, 0, 0, 30 },
	{ "our notice", ENTRY_IS_NOTICE, 0, 0, 30 },
	{ "extended", 0, 0, 15, 75 },
	{ "shortened", 0, 0, -90, 0 },
	{ "BY R", 0, 20, 0, 20 },
	{ "BY R later", 0, 120, 0, 60 },
	{ "BY R extended", 0, 20, 15, 20 },
	{ "BY N", ENTRY_BY_NOTIFY, 20, 0, 60 },
};

static void test_deadline(void)
{
	for (size_t i = 0; i < COUNT(deadlines); i++) {
		reset();
		entry.flags = deadlines[i].flags;
		if (deadlines[i].deliver_by_minutes)
			entry.deliver_by = deadlines[i].deliver_by_minutes * 6000U;
		recipient.extension = deadlines[i].extension_minutes * 6000;
		CHECK_INT(deadlines[i].name, minutes(schedule_deadline_us(&schedule)),
		          deadlines[i].want);
	}
}

static const struct {
	const char *name;
	uint8_t notify, entry_flags;
	uint16_t flags;
	uint8_t deliver_by_minutes;
	int want; /* -1: never */
} delays[] = {
	{ "absent", 0, 0, 0, 0, 10 },
	{ "never", NOTIFY_NEVER, 0, 0, 0, -1 },
	{ "failure only", NOTIFY_FAILURE, 0, 0, 0, -1 },
	{ "success only", NOTIFY_SUCCESS, 0, 0, 0, -1 },
	{ "delay", NOTIFY_DELAY, 0, 0, 0, 10 },
	{ "both", NOTIFY_DELAY | NOTIFY_FAILURE, 0, 0, 0, 10 },
	{ "null sender", 0, ENTRY_HAS_NULL_SENDER, 0, 0, -1 },
	{ "null sender, delay", NOTIFY_DELAY, ENTRY_HAS_NULL_SENDER, 0, 0, -1 },
	{ "automatic", 0, ENTRY_IS_AUTOMATIC, 0, 0, -1 },
	{ "automatic, delay", NOTIFY_DELAY, ENTRY_IS_AUTOMATIC, 0, 0, 10 },
	{ "being made", 0, 0, RECIPIENT_DELAY_ASKED, 0, -1 },
	{ "done", 0, 0, RECIPIENT_DELAY_DONE, 0, -1 },
	{ "BY N", 0, ENTRY_BY_NOTIFY, 0, 20, 20 },
	{ "BY R before it", 0, 0, 0, 5, -1 },
};

static void test_delay(void)
{
	for (size_t i = 0; i < COUNT(delays); i++) {
		reset();
		entry.flags = delays[i].entry_flags;
		entry.deliver_by = delays[i].deliver_by_minutes * 6000U;
		recipient.notify = delays[i].notify;
		recipient.flags = delays[i].flags;
		CHECK_INT(delays[i].name, minutes(schedule_delay_us(&schedule)), delays[i].want);
	}
}

static const struct {
	const char *name;
	uint16_t step;
	int hint_s, now_s, want_s; /* after arrival; -1: no further attempt */
} nexts[] = {
	{ "first wait", 0, 0, 0, 10 },
	{ "second wait", 1, 0, 0, 60 },
	{ "last one repeats", 9, 0, 100, 160 },
	{ "hint", 0, 300, 0, 300 },
	{ "hint below", 1, 5, 0, 60 },
	{ "hint beyond the deadline", 0, 7200, 0, 3540 },
	{ "would be too late", 1, 0, 3500, 3540 },
	{ "the last one is over", 0, 0, 3540, -1 },
};

static void test_next(void)
{
	struct random random;

	random_seed(&random, 1);
	for (size_t i = 0; i < COUNT(nexts); i++) {
		int64_t next_us;

		reset();
		recipient.step = nexts[i].step;
		next_us = schedule_next_us(&schedule, nexts[i].hint_s,
		                           ARRIVED + nexts[i].now_s * US_PER_SECOND, &random);
		CHECK_INT(nexts[i].name,
		          next_us == INT64_MAX ? -1 : (next_us - ARRIVED) / US_PER_SECOND,
		          nexts[i].want_s);
	}
}

/* Short lifetimes leave a last attempt too: 3 % before the deadline. */
static void test_last(void)
{
	reset();
	CHECK_INT("one minute", (schedule_last_us(&schedule) - ARRIVED) / US_PER_SECOND, 3540);
	recipient.extension = -59 * 6000; /* a lifetime of one minute */
	CHECK_INT("3 %", (schedule_last_us(&schedule) - ARRIVED) / US_PER_MS, 58200);
	CHECK_INT("urgent", (schedule_urgent_us(&schedule) - ARRIVED) / US_PER_SECOND, 54);
}

static void test_probe(void)
{
	static const int want_s[] = { 10, 60, 60 };
	struct random random;

	random_seed(&random, 1);
	for (uint32_t i = 0; i < COUNT(want_s); i++)
		CHECK_INT("probe", schedule_probe_us(&limits, i, &random) / US_PER_SECOND,
		          want_s[i]);
}

static void test_wants_failure(void)
{
	static const struct {
		uint8_t notify;
		bool want;
	} notifies[] = { { 0, true },
		         { NOTIFY_NEVER, false },
		         { NOTIFY_FAILURE, true },
		         { NOTIFY_DELAY, false },
		         { NOTIFY_SUCCESS, false },
		         { NOTIFY_SUCCESS | NOTIFY_FAILURE, true } };

	for (size_t i = 0; i < COUNT(notifies); i++) {
		recipient.notify = notifies[i].notify;
		CHECK_INT("notify", schedule_wants_failure(&recipient), notifies[i].want);
	}
}

TEST_MAIN(test_deadline, test_delay, test_next, test_last, test_probe, test_wants_failure)
