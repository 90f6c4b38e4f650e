#include "queue/timeline.h"
#include "base/alloc.h"
#include "base/macros.h"

void timeline_deinit(struct timeline *timeline)
{
	alloc_free(timeline->spans);
	*timeline = (struct timeline){ 0 };
}

/* Halves the older half: of two neighbours the longer gives its cause to both. */
static void merge_old(struct timeline *timeline)
{
	struct span *spans = timeline->spans;
	uint16_t half = timeline->count / 2, kept = 0;

	for (uint16_t i = 0; i < half; i = (uint16_t)(i + 2)) {
		int64_t first_us = spans[i + 1].since_us - spans[i].since_us;
		int64_t second_us = spans[i + 2].since_us - spans[i + 1].since_us;
		uint8_t cause = second_us > first_us ? spans[i + 1].cause : spans[i].cause;

		spans[kept++] = (struct span){ spans[i].since_us, cause };
	}
	for (uint16_t i = (uint16_t)((half + 1) / 2 * 2); i < timeline->count; i++)
		spans[kept++] = spans[i];
	timeline->count = kept;
}

static void append(struct timeline *timeline, struct span span)
{
	if (timeline->count >= TIMELINE_SPANS_MAX)
		merge_old(timeline);
	if (timeline->count == timeline->capacity) {
		timeline->capacity = (uint16_t)(timeline->capacity ? timeline->capacity * 2 : 2);
		timeline->spans = alloc_resize(timeline->spans, timeline->capacity,
		                               sizeof *timeline->spans);
	}
	timeline->spans[timeline->count++] = span;
	timeline->causes |= 1U << span.cause;
}

void timeline_set(struct timeline *timeline, int cause, int64_t now_us)
{
	struct span *last = timeline->count ? &timeline->spans[timeline->count - 1] : NULL;

	if (last && last->cause == cause)
		return;
	if (last && last->since_us >= now_us)
		timeline->count--;
	last = timeline->count ? &timeline->spans[timeline->count - 1] : NULL;
	if (!last || last->cause != cause)
		append(timeline, (struct span){ now_us, (uint8_t)cause });
}

void timeline_begin_before(struct timeline *timeline, int64_t at_us)
{
	if (timeline_since_us(timeline) <= at_us)
		return;
	timeline_forget(timeline);
	timeline->spans[0].since_us = at_us - 1;
}

void timeline_forget(struct timeline *timeline)
{
	if (timeline->count > 1)
		timeline->spans[0] = timeline->spans[timeline->count - 1];
	timeline->count = MIN(timeline->count, 1);
	timeline->causes = timeline->count ? 1U << timeline->spans[0].cause : 0;
}

static void adopt_span(struct timeline *timeline, const struct timeline *site, int64_t from_us,
                       int64_t to_us)
{
	for (uint16_t i = 0; i < site->count; i++) {
		int64_t since_us = i == 0 ? from_us : MAX(site->spans[i].since_us, from_us);
		bool is_over = i + 1 < site->count && site->spans[i + 1].since_us <= from_us;

		if (!is_over && since_us < to_us)
			timeline_set(timeline, site->spans[i].cause, since_us);
	}
	if (site->count == 0)
		timeline_set(timeline, CAUSE_NONE, from_us);
}

void timeline_adopt(struct timeline *timeline, const struct timeline *site)
{
	struct timeline merged = { 0 };

	for (uint16_t i = 0; i < timeline->count; i++) {
		const struct span *span = &timeline->spans[i];
		int64_t end_us = i + 1 < timeline->count ? span[1].since_us : INT64_MAX;

		if (span->cause == CAUSE_OF_SITE)
			adopt_span(&merged, site, span->since_us, end_us);
		else
			timeline_set(&merged, span->cause, span->since_us);
	}
	timeline_deinit(timeline);
	*timeline = merged;
}

int timeline_cause(const struct timeline *timeline)
{
	return timeline->count ? timeline->spans[timeline->count - 1].cause : CAUSE_NONE;
}

int64_t timeline_since_us(const struct timeline *timeline)
{
	return timeline->count ? timeline->spans[timeline->count - 1].since_us : 0;
}

/* The tick at which a span begins, within the stretch. */
static uint32_t begin_of(const struct span *span, const struct stretch *stretch)
{
	int64_t tick = (span->since_us - stretch->arrived_us) / TICK_US;

	return (uint32_t)MAX((int64_t)stretch->from, MIN(tick, (int64_t)stretch->to));
}

/* The span in which the stretch begins. Most stretches are short and recent. */
static uint16_t first_span(const struct timeline *timeline, const struct stretch *stretch)
{
	uint16_t i = timeline->count;

	while (i > 1 && begin_of(&timeline->spans[i - 1], stretch) > stretch->from)
		i--;
	return i > 0 ? (uint16_t)(i - 1) : 0;
}

void timeline_book(const struct timeline *timeline, const struct timeline *site,
                   struct stretch stretch, struct tally *tally)
{
	uint32_t begin = stretch.from;

	for (uint16_t i = first_span(timeline, &stretch); i < timeline->count; i++) {
		const struct span *span = &timeline->spans[i];
		uint32_t end = i + 1 < timeline->count ? begin_of(span + 1, &stretch) : stretch.to;
		struct stretch part = { stretch.arrived_us, begin, end };

		if (span->cause != CAUSE_OF_SITE)
			tally_add(tally, (enum cause)span->cause, end - begin);
		else if (site && site->count > 0)
			timeline_book(site, NULL, part, tally);
		else
			tally_add(tally, CAUSE_NONE, end - begin);
		begin = end;
	}
	if (timeline->count == 0)
		tally_add(tally, CAUSE_NONE, stretch.to - begin);
}
