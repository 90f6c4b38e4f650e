/* How fast a site may be sent to: configured, and learned. */
#include "base/macros.h"
#include "base/units.h"
#include "queue/pace.h"
#include "support/check.h"

#define START_US (1700000000LL * US_PER_SECOND)

static const struct {
	const char *name;
	int64_t count, period_us, late_us; /* how late the timers are */
} rates[] = {
	{ "one an hour", 1, US_PER_HOUR, 1000 },
	{ "five in five minutes", 5, 5 * US_PER_MINUTE, 1000 },
	{ "500 an hour", 500, US_PER_HOUR, 2000 },
	{ "20 a second", 20, US_PER_SECOND, 1000 },
	{ "100 a second", 100, US_PER_SECOND, 1500 },
	{ "2,000 a second", 2000, US_PER_SECOND, 2000 },
	{ "20,000 a second", 20000, US_PER_SECOND, 2000 },
};

/* Mail always waits; who sends looks a little after the pace permits it. In no period, wherever it
 * begins, are there more than permitted, and in the long run nearly as many. */
static void test_limit(void)
{
	static int64_t starts[20000];

	for (size_t i = 0; i < COUNT(rates); i++) {
		int64_t periods = 4, now_us = START_US, end_us = START_US + 4 * rates[i].period_us;
		struct pace pace = { 0 };
		int64_t sent = 0;
		bool is_kept = true;

		if (rates[i].count < 100)
			periods = 40, end_us = START_US + 40 * rates[i].period_us;
		pace_limit(&pace, rates[i].count, rates[i].period_us, now_us);
		while (now_us < end_us) {
			while (pace_next_us(&pace) <= now_us) {
				int64_t *oldest = &starts[sent % rates[i].count];

				if (sent >= rates[i].count && now_us - *oldest < rates[i].period_us)
					is_kept = false;
				*oldest = now_us;
				sent++;
				pace_take(&pace, now_us);
			}
			now_us = pace_next_us(&pace) + rates[i].late_us;
		}
		CHECK_TRUE(rates[i].name, is_kept);
		CHECK_TRUE(rates[i].name, sent * 100 >= rates[i].count * periods * 95);
	}
}

static void test_limit_changes(void)
{
	struct pace pace = { 0 };

	CHECK_INT("none", pace_next_us(&pace), 0);
	pace_take(&pace, START_US);
	CHECK_INT("still none", pace_next_us(&pace), 0);
	pace_limit(&pace, 10, US_PER_MINUTE, START_US);
	CHECK_TRUE("the first at once", pace_next_us(&pace) == START_US);
	pace_take(&pace, START_US);
	CHECK_TRUE("then a gap", pace_next_us(&pace) >= START_US + 6 * US_PER_SECOND);
	pace_limit(&pace, 10, US_PER_MINUTE, START_US + 1);
	CHECK_TRUE("the same again", pace_next_us(&pace) >= START_US + 6 * US_PER_SECOND);
	pace_limit(&pace, 0, 0, START_US);
	CHECK_INT("lifted", pace_next_us(&pace), 0);
}

/* A site that takes so many in each window, and then none. What is sent at the learned rate, with
 * a probe every minute while it is closed, comes near to what it would take. */
static int64_t send_all_day(int64_t per_window, int64_t window_us, int *refusals_out)
{
	struct learned learned = { 0 };
	int64_t now_us = START_US, window = -1, used = 0, sent = 0;

	*refusals_out = 0;
	while (now_us < START_US + US_PER_DAY) {
		if ((now_us - START_US) / window_us != window) {
			window = (now_us - START_US) / window_us;
			used = 0;
		}
		if (used < per_window) {
			used++;
			sent++;
			learned_take(&learned, now_us);
			pace_take(&learned.pace, now_us);
			now_us = MAX(now_us + 1000, pace_next_us(&learned.pace));
			continue;
		}
		++*refusals_out;
		learned_limit(&learned, now_us);
		while ((now_us - START_US) / window_us == window)
			now_us += US_PER_MINUTE;
	}
	return sent;
}

static void test_learned(void)
{
	int refusals;
	int64_t sent = send_all_day(1000, US_PER_HOUR, &refusals);

	CHECK_TRUE("1,000 an hour: nearly all", sent > 23 * 1000);
	CHECK_TRUE("and few refusals", refusals < 40);
	sent = send_all_day(20, US_PER_MINUTE, &refusals);
	CHECK_TRUE("20 a minute: most", sent > 20 * 1440 * 3 / 4);
}

static void test_forgotten(void)
{
	struct learned learned = { 0 };
	int64_t now_us = START_US;
	int minutes = 0;

	for (int i = 0; i < 100; i++)
		learned_take(&learned, now_us += US_PER_SECOND);
	learned_limit(&learned, now_us);
	CHECK_INT("about a second", learned.pace.gap_us / US_PER_MS / 100, 9);
	learned_limit(&learned, now_us + 1);
	CHECK_TRUE("not below what it took", learned.pace.gap_us < 2 * US_PER_SECOND);
	while (!learned_take(&learned, now_us += US_PER_MINUTE))
		minutes++;
	CHECK_TRUE("slowly at first", minutes > 15);
	CHECK_TRUE("but not for ever", minutes <= 6 * 60);
	CHECK_INT("forgotten", learned.pace.gap_us, 0);
}

/* Twenty connections to a site that takes eight: twelve are refused, one after the other. */
static void test_crowd(void)
{
	struct learned learned = { 0 };
	int64_t now_us = START_US;

	for (uint32_t busy = 20; busy > 8; busy--)
		learned_crowd(&learned, busy, now_us);
	CHECK_INT("eight", learned.connections, 8);
	learned_take(&learned, now_us + US_PER_SECOND);
	CHECK_INT("not yet more", learned.connections, 8);
	learned_take(&learned, now_us + 2 * US_PER_MINUTE);
	CHECK_INT("one more is tried", learned.connections, 9);
	learned_crowd(&learned, 1, now_us);
	CHECK_INT("at least one", learned.connections, 1);
}

static void test_greylisting(void)
{
	struct learned learned = { 0 };

	learned_greylisting(&learned, 300, true);
	learned_greylisting(&learned, 900, true);
	CHECK_INT("the shortest", learned.greylisting_us, 300);
	CHECK_INT("nothing was too short", learned_wait_us(&learned, 0), 300);
	learned_greylisting(&learned, 100, false);
	CHECK_INT("enough is still enough", learned.greylisting_us, 300);
	CHECK_INT("first half way", learned_wait_us(&learned, 0), 200);
	CHECK_INT("then what is enough", learned_wait_us(&learned, 200), 300);
	learned_greylisting(&learned, 200, true);
	learned_greylisting(&learned, 180, false);
	CHECK_INT("near enough", learned_wait_us(&learned, 0), 200);
	CHECK_INT("beyond it: the schedule", learned_wait_us(&learned, 250), 0);
	learned_greylisting(&learned, 400, false);
	CHECK_INT("it wants more now", learned_wait_us(&learned, 0), 0);
}

TEST_MAIN(test_limit, test_limit_changes, test_learned, test_forgotten, test_crowd,
          test_greylisting)
