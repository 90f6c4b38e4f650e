/* check/rise.h - whether something that happens now and then has become more frequent, and since
 * when. Pure. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RISE_HOURS      168 /* that are looked at, up to now */
#define RISE_COUNT_MIN  10  /* since it rose */
#define RISE_FACTOR_MIN 3

struct rise {
	int64_t since_us; /* of the first one */
	size_t first;     /* its number */
	double before_per_hour, after_per_hour;
	int factor; /* after by before; where there was none before, by one in all that time */
};

/* rise_find - `times_us` in order, kept since `begin_us`. The hour after which they are most
 * frequent against the time before it. False: they did not rise RISE_FACTOR_MIN times, or were
 * fewer than RISE_COUNT_MIN since. */
bool rise_find(const int64_t *times_us, size_t count, int64_t begin_us, int64_t now_us,
               struct rise *rise_out);
