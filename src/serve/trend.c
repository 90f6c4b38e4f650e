#include "serve/trend.h"
#include "base/alloc.h"
#include "base/macros.h"
#include "base/units.h"
#include "runtime/loop.h"

#define POINTS_MAX 720

static const struct {
	int64_t step_us;
	size_t points;
} spans[TREND_SPANS] = {
	[TREND_HOUR] = { 10 * US_PER_SECOND, 360 },
	[TREND_DAY] = { 120 * US_PER_SECOND, 720 },
};

struct ring {
	struct trend_point points[POINTS_MAX];
	size_t first, count;
};

struct trend {
	const struct queue *queue;
	struct timer timer;
	struct ring rings[TREND_SPANS];
};

static void take_point(const struct trend *trend, struct trend_point *point)
{
	struct queue_totals totals = { 0 };

	queue_totals(trend->queue, &totals);
	*point = (struct trend_point){ .at_us = clock_now_us(),
		                       .accepted = totals.accepted,
		                       .delivered = totals.delivered,
		                       .failed = totals.failed,
		                       .expired = totals.expired };
	for (int i = 0; i < CAUSE_COUNT; i++)
		point->by_cause[i] = totals.by_cause[i];
}

static void keep(struct ring *ring, size_t most, const struct trend_point *point)
{
	ring->points[(ring->first + ring->count) % most] = *point;
	if (ring->count < most)
		ring->count++;
	else
		ring->first = (ring->first + 1) % most;
}

/* Points lie on multiples of the step, so that the hour's are also the day's. */
static void is_due(struct timer *timer)
{
	struct trend *trend = CONTAINER_OF(timer, struct trend, timer);
	int64_t step_us = spans[TREND_HOUR].step_us, now_us = clock_now_us();
	struct trend_point point;

	take_point(trend, &point);
	for (int i = 0; i < TREND_SPANS; i++) {
		struct ring *ring = &trend->rings[i];
		bool is_on_step = now_us % spans[i].step_us < step_us;

		if (ring->count == 0 || is_on_step)
			keep(ring, spans[i].points, &point);
	}
	timer_set(timer, now_us - now_us % step_us + step_us, is_due);
}

struct trend *trend_create(const struct queue *queue)
{
	struct trend *trend = alloc_zeroed(sizeof *trend);

	trend->queue = queue;
	is_due(&trend->timer);
	return trend;
}

void trend_destroy(struct trend *trend)
{
	alloc_free(trend);
}

int64_t trend_step_us(enum trend_span span)
{
	return spans[span].step_us;
}

void trend_each(struct trend *trend, enum trend_span span,
                void (*add)(void *arg, const struct trend_point *point), void *arg)
{
	const struct ring *ring = &trend->rings[span];
	struct trend_point now;

	for (size_t i = 0; i < ring->count; i++)
		add(arg, &ring->points[(ring->first + i) % spans[span].points]);
	take_point(trend, &now);
	add(arg, &now);
}
