#include "queue/pace.h"
#include "base/macros.h"
#include "base/units.h"

#define SLACK_FROM_COUNT 40 /* with fewer messages the slack would cost too much of the rate */
#define SLACK_LEARNED_US (100 * US_PER_MS)
#define PART_US          (US_PER_HOUR / LEARNED_PARTS)
#define RAISE_EVERY_US   US_PER_MINUTE
#define RAISE_PERCENT    1 /* of the base rate, for each minute since the last reply of that kind */
#define FORGET_US        (6 * US_PER_HOUR)
#define FORGET_FACTOR    32 /* a rate that has grown by this much limits nothing */
#define GAP_MAX_US       US_PER_HOUR

/* In a period there are at most (period + slack) / gap + 1 starts; one in a hundred is left for
 * what the network makes later or earlier. */
void pace_limit(struct pace *pace, int64_t count, int64_t period_us, int64_t now_us)
{
	int64_t slack_us = count >= SLACK_FROM_COUNT ? period_us / 100 : 0;
	int64_t gap_us = 0;

	if (count >= SLACK_FROM_COUNT)
		gap_us = (period_us + slack_us) / (count - 1 - count / 100) + 1;
	else if (count > 0)
		gap_us = (period_us + period_us / 100) / count + 1;
	if (pace->gap_us == gap_us && pace->slack_us == slack_us)
		return;
	*pace = (struct pace){ gap_us, slack_us, MAX(pace->due_us, now_us + slack_us) };
}

int64_t pace_next_us(const struct pace *pace)
{
	return pace->gap_us ? pace->due_us - pace->slack_us : 0;
}

void pace_take(struct pace *pace, int64_t now_us)
{
	if (pace->gap_us)
		pace->due_us = MAX(pace->due_us, now_us) + pace->gap_us;
}

static void turn_parts(struct learned *learned, int64_t now_us)
{
	if (now_us - learned->part_us >= US_PER_HOUR) {
		for (int i = 0; i < LEARNED_PARTS; i++)
			learned->taken[i] = 0;
		learned->part_us = learned->counted_us = now_us;
	}
	for (; now_us - learned->part_us >= PART_US; learned->part_us += PART_US) {
		for (int i = LEARNED_PARTS - 1; i > 0; i--)
			learned->taken[i] = learned->taken[i - 1];
		learned->taken[0] = 0;
	}
}

/* The mean gap between what it took lately; 0: it took nothing. */
static int64_t mean_gap_us(const struct learned *learned, int64_t now_us)
{
	int64_t since_us = MAX(learned->counted_us,
	                       learned->part_us - (LEARNED_PARTS - 1) * PART_US);
	int64_t taken = 0;

	for (int i = 0; i < LEARNED_PARTS; i++)
		taken += learned->taken[i];
	return taken > 0 ? MAX(1, (now_us - since_us) / taken) : 0;
}

static void raise_rate(struct learned *learned, int64_t now_us)
{
	int64_t minutes = (now_us - learned->limited_us) / US_PER_MINUTE;
	double share = (double)(minutes * RAISE_PERCENT) / 100 * (double)learned->pace.gap_us /
	               (double)learned->base_gap_us;

	learned->pace.gap_us = MAX(1, (int64_t)((double)learned->pace.gap_us / (1 + share)));
	learned->raise_us = now_us + RAISE_EVERY_US;
}

bool learned_take(struct learned *learned, int64_t now_us)
{
	turn_parts(learned, now_us);
	learned->taken[0]++;
	if (learned->connections && now_us >= learned->widen_us) {
		learned->connections++;
		learned->widen_us = now_us + RAISE_EVERY_US;
	}
	if (!learned->pace.gap_us || now_us < learned->raise_us)
		return false;
	raise_rate(learned, now_us);
	if (learned->pace.gap_us * FORGET_FACTOR > learned->base_gap_us &&
	    now_us - learned->limited_us < FORGET_US)
		return false;
	learned->pace = (struct pace){ 0 };
	return true;
}

void learned_limit(struct learned *learned, int64_t now_us)
{
	int64_t mean_us, gap_us = learned->pace.gap_us;

	turn_parts(learned, now_us);
	mean_us = mean_gap_us(learned, now_us);
	if (!gap_us)
		gap_us = mean_us;
	else if (mean_us)
		gap_us = MIN(2 * gap_us, MAX(mean_us, gap_us));
	else
		gap_us *= 2;
	gap_us = MIN(gap_us, GAP_MAX_US);
	learned->pace = (struct pace){ gap_us, MIN(SLACK_LEARNED_US, gap_us), now_us };
	learned->base_gap_us = gap_us;
	learned->limited_us = now_us;
	learned->raise_us = now_us + RAISE_EVERY_US;
}

void learned_crowd(struct learned *learned, uint32_t busy, int64_t now_us)
{
	learned->connections = MAX(1, busy - 1);
	learned->widen_us = now_us + RAISE_EVERY_US;
}

void learned_greylisting(struct learned *learned, int64_t waited_us, bool was_taken)
{
	if (!was_taken) {
		learned->refused_us = MAX(learned->refused_us, waited_us);
		if (waited_us >= learned->greylisting_us)
			learned->greylisting_us = 0; /* it wants more than we thought */
	} else if (!learned->greylisting_us || waited_us < learned->greylisting_us) {
		learned->greylisting_us = MAX(1, waited_us);
	}
	if (was_taken && waited_us <= learned->refused_us)
		learned->refused_us = 0; /* it wants less than it did */
}

int64_t learned_wait_us(const struct learned *learned, int64_t waited_us)
{
	int64_t enough_us = learned->greylisting_us, refused_us = learned->refused_us;
	int64_t half_way_us = refused_us + (enough_us - refused_us) / 2;
	bool is_exact = refused_us > 0 && enough_us - refused_us < enough_us / 8;

	if (!enough_us || waited_us >= enough_us)
		return 0;
	return is_exact || refused_us == 0 || waited_us >= half_way_us ? enough_us : half_way_us;
}
