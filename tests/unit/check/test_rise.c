/* Replies that became more frequent (issue 5, part 5, last sentence). */
#include "base/units.h"
#include "check/rise.h"
#include "support/check.h"

#define NOW (1700000000 * US_PER_SECOND)

static int64_t times_us[6000];
static size_t count;

/* One every `minutes`, from so many hours ago on until `to`. */
static void add(int from_hours, int to_hours, int minutes)
{
	for (int64_t at = NOW - from_hours * US_PER_HOUR; at < NOW - to_hours * US_PER_HOUR;
	     at += minutes * US_PER_MINUTE)
		times_us[count++] = at;
}

static const struct {
	const char *name;
	int quiet_minutes, rise_hours, loud_minutes; /* 0: none */
	bool is_rise;
	int since_hours, factor_min, factor_max;
} rows[] = {
	{ "nothing", 0, 0, 0, false, 0, 0, 0 },
	{ "steady", 60, 0, 0, false, 0, 0, 0 },
	{ "twelve times", 120, 5, 10, true, 5, 11, 13 },
	{ "none before", 0, 3, 5, true, 3, 100, 10000 },
	{ "too few", 0, 3, 30, false, 0, 0, 0 },
	{ "only twice", 60, 24, 30, false, 0, 0, 0 },
};

static void test_rise(void)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct rise rise = { 0 };
		bool is_rise;

		count = 0;
		add(RISE_HOURS + 50, RISE_HOURS, 1); /* too long ago to count */
		if (rows[i].quiet_minutes)
			add(RISE_HOURS, rows[i].rise_hours, rows[i].quiet_minutes);
		if (rows[i].loud_minutes)
			add(rows[i].rise_hours, 0, rows[i].loud_minutes);
		if (count > COUNT(times_us))
			break;
		is_rise = rise_find(times_us, count, 0, NOW, &rise);
		CHECK_INT(rows[i].name, is_rise, rows[i].is_rise);
		if (!is_rise)
			continue;
		CHECK_INT(rows[i].name, (NOW - rise.since_us) / US_PER_HOUR, rows[i].since_hours);
		CHECK_TRUE(rows[i].name,
		           rise.factor >= rows[i].factor_min && rise.factor <= rows[i].factor_max);
		CHECK_TRUE(rows[i].name, times_us[rise.first] == rise.since_us);
	}
}

TEST_MAIN(test_rise)
