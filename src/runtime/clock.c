#include "runtime/clock.h"
#include <pthread.h>
#include <time.h>

static int64_t anchor_us;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static int64_t read_us(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void set_anchor(void)
{
	anchor_us = read_us(CLOCK_REALTIME) - read_us(CLOCK_BOOTTIME);
}

int64_t clock_now_us(void)
{
	pthread_once(&once, set_anchor);
	return anchor_us + read_us(CLOCK_BOOTTIME);
}
