/* runtime/clock.h - the one clock. Microseconds since 1970, anchored at the first call to the wall
 * clock and carried on by CLOCK_BOOTTIME: it never steps, and it goes on while the machine sleeps.
 * So the same number serves deadlines in memory and dates on disk; a wall clock that is set while
 * we run moves nothing. */
#pragma once
#include <stdint.h>

int64_t clock_now_us(void);

/* CLOCK_NEVER - a deadline that does not come. */
#define CLOCK_NEVER INT64_MAX
