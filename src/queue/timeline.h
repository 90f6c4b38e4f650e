/* queue/timeline.h - why a site or destination made its mail wait, and since when. Mail that waits
 * there is booked from it when it leaves, so that closing a site costs nothing per message. */
#pragma once
#include "queue/tally.h"

/* Beyond this many, neighbours are merged: the longer gives its cause. */
#define TIMELINE_SPANS_MAX 128

/* In a destination's timeline: what its site's timeline says. */
#define CAUSE_OF_SITE CAUSE_COUNT

struct span {
	int64_t since_us;
	uint8_t cause; /* enum cause, or CAUSE_OF_SITE */
};

struct timeline {
	struct span *spans; /* in order; the last one lasts, the first also covers all before it */
	uint16_t count, capacity;
	uint32_t causes; /* 1 << cause of each that it has, or had before it was cut */
};

/* What has to be booked: ticks `from` to `to` of a life that began at `arrived_us`. */
struct stretch {
	int64_t arrived_us;
	uint32_t from, to;
};

void timeline_deinit(struct timeline *timeline);
void timeline_set(struct timeline *timeline, int cause, int64_t now_us);
/* timeline_begin_before - what it says now began before `at_us`: for what was found at start-up and
 * concerns an earlier time. */
void timeline_begin_before(struct timeline *timeline, int64_t at_us);
void timeline_forget(struct timeline *timeline); /* all but the last span: nobody waits */

/* timeline_adopt - where `timeline` says CAUSE_OF_SITE, put what `site` says, up to now. */
void timeline_adopt(struct timeline *timeline, const struct timeline *site);

int timeline_cause(const struct timeline *timeline);        /* now */
int64_t timeline_since_us(const struct timeline *timeline); /* of the last span; 0: none */

/* timeline_book - adds to `tally` exactly stretch.to - stretch.from ticks. `site` may be NULL. */
void timeline_book(const struct timeline *timeline, const struct timeline *site,
                   struct stretch stretch, struct tally *tally);
