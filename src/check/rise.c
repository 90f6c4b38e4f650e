#include "check/rise.h"
#include "base/macros.h"
#include "base/units.h"

static double per_hour(size_t count, int hours)
{
	return (double)count / hours;
}

bool rise_find(const int64_t *times_us, size_t count, int64_t begin_us, int64_t now_us,
               struct rise *rise_out)
{
	size_t first = 0, at;
	double best = 0;
	int hours;

	begin_us = MAX(begin_us, now_us - RISE_HOURS * US_PER_HOUR);
	hours = (int)((now_us - begin_us + US_PER_HOUR - 1) / US_PER_HOUR);

	while (first < count && times_us[first] < begin_us)
		first++;
	at = first;
	for (int hour = 1; hour < hours; hour++) {
		double before, after, factor;

		while (at < count && times_us[at] < begin_us + hour * US_PER_HOUR)
			at++;
		if (count - at < RISE_COUNT_MIN)
			break;
		before = per_hour(MAX(at - first, 1), hour);
		after = per_hour(count - at, hours - hour);
		factor = after / before;
		if (factor < RISE_FACTOR_MIN || factor <= best)
			continue;
		best = factor;
		*rise_out = (struct rise){ .since_us = times_us[at],
			                   .first = at,
			                   .before_per_hour = per_hour(at - first, hour),
			                   .after_per_hour = after,
			                   .factor = (int)factor };
	}
	return best > 0;
}
