/* serve/trend.h - how the queue went over the last hour (every 10 s) and day (every 2 min), for the
 * console and `outlast top`. In memory; begins anew when the relay starts. Keeper's thread only. */
#pragma once
#include "model/cause.h"
#include "queue/queue.h"

enum trend_span { TREND_HOUR, TREND_DAY, TREND_SPANS };

struct trend_point {
	int64_t at_us;
	uint64_t accepted;                   /* messages, since the relay started */
	uint64_t delivered, failed, expired; /* recipients, likewise */
	uint64_t by_cause[CAUSE_COUNT];      /* recipients in the queue */
};

struct trend;

/* trend_create - takes its first point at once, then by a timer of the calling thread's loop. The
 * queue outlives it. */
struct trend *trend_create(const struct queue *queue);
void trend_destroy(struct trend *trend); /* once that loop has ended; takes NULL */

int64_t trend_step_us(enum trend_span span);

/* trend_each - the points of a span, oldest first, then one of now. */
void trend_each(struct trend *trend, enum trend_span span,
                void (*add)(void *arg, const struct trend_point *point), void *arg);
