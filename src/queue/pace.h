/* queue/pace.h - how fast a site may be sent to: what the configuration permits, and what the
 * site's own replies taught. Pure arithmetic. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

/* Messages are started a gap apart; who is late may catch up by the slack. */
struct pace {
	int64_t gap_us; /* 0: no limit */
	int64_t slack_us;
	int64_t due_us; /* the next message's place in the row */
};

/* pace_limit - at most `count` starts in any `period_us`, never one more; at least 95 % of them
 * when there is always mail. `count` 0: no limit. What a restart forgot is taken as used up: there
 * is no burst at the beginning. */
void pace_limit(struct pace *pace, int64_t count, int64_t period_us, int64_t now_us);
int64_t pace_next_us(const struct pace *pace); /* when a message may start; 0: at once */
void pace_take(struct pace *pace, int64_t now_us);

#define LEARNED_PARTS 12 /* of the last hour */

/* What a site's replies taught. The rate: halved when the site says that it was too much, but not
 * below what it took in the last hour; then raised, first slowly. Connections: as many as it took.
 */
struct learned {
	struct pace pace;       /* gap 0: nothing learned */
	int64_t base_gap_us;    /* the gap after the last such reply */
	int64_t limited_us;     /* when that came; 0: never */
	int64_t raise_us;       /* when the rate is raised next */
	uint32_t connections;   /* 0: nothing learned */
	int64_t widen_us;       /* when one more connection is tried */
	int64_t greylisting_us; /* the shortest wait after which it took greylisted mail; 0: none */
	int64_t refused_us;     /* the longest after which it did not */
	int64_t part_us;        /* when the newest part of the last hour began */
	int64_t counted_us;     /* since when mail has been counted */
	uint32_t taken[LEARNED_PARTS];
};

/* learned_take - the site took a message. Returns whether it was the end of a learned rate. */
bool learned_take(struct learned *learned, int64_t now_us);

/* learned_limit - the site said that it was too fast, when mail was flowing. */
void learned_limit(struct learned *learned, int64_t now_us);

/* learned_crowd - the site refused one of `busy` connections, and goes on with the others. */
void learned_crowd(struct learned *learned, uint32_t busy, int64_t now_us);

/* learned_greylisting - mail was taken (or was put off again) after it had waited `waited_us`. */
void learned_greylisting(struct learned *learned, int64_t waited_us, bool was_taken);

/* learned_wait_us - how long greylisted mail that has waited `waited_us` had better wait in all:
 * between what was too short and what was enough, first half way; 0: nothing is known. */
int64_t learned_wait_us(const struct learned *learned, int64_t waited_us);
