#include "queue/tally.h"
#include "base/alloc.h"
#include <string.h>

#define TICKS_PER_SECOND (1000000 / TICK_US)

struct tally tally_copy(const struct tally *tally)
{
	struct tally copy = *tally;

	if (tally->few.count == TALLY_ALL) {
		copy.all.ticks = alloc(CAUSE_COUNT * sizeof *copy.all.ticks);
		memcpy(copy.all.ticks, tally->all.ticks, CAUSE_COUNT * sizeof *copy.all.ticks);
	}
	return copy;
}

void tally_deinit(struct tally *tally)
{
	if (tally->few.count == TALLY_ALL)
		alloc_free(tally->all.ticks);
	*tally = (struct tally){ 0 };
}

/* More causes than have places: from now on there is a place for each. */
static void grow(struct tally *tally)
{
	uint32_t *ticks = alloc_zeroed(CAUSE_COUNT * sizeof *ticks);

	for (int i = 0; i < tally->few.count; i++)
		ticks[tally->few.causes[i]] = tally->few.ticks[i];
	tally->all.ticks = ticks;
	tally->all.count = TALLY_ALL;
}

static uint32_t *place_of(struct tally *tally, enum cause cause)
{
	if (tally->few.count == TALLY_ALL)
		return &tally->all.ticks[cause];
	for (int i = 0; i < tally->few.count; i++) {
		if (tally->few.causes[i] == cause)
			return &tally->few.ticks[i];
	}
	if (tally->few.count == TALLY_FEW) {
		grow(tally);
		return &tally->all.ticks[cause];
	}
	tally->few.causes[tally->few.count] = (uint8_t)cause;
	tally->few.ticks[tally->few.count] = 0;
	return &tally->few.ticks[tally->few.count++];
}

void tally_add(struct tally *tally, enum cause cause, uint32_t ticks)
{
	if (ticks > 0)
		*place_of(tally, cause) += ticks;
}

uint32_t tally_of(const struct tally *tally, enum cause cause)
{
	if (tally->few.count == TALLY_ALL)
		return tally->all.ticks[cause];
	for (int i = 0; i < tally->few.count; i++) {
		if (tally->few.causes[i] == cause)
			return tally->few.ticks[i];
	}
	return 0;
}

uint32_t tally_sum_of(const struct tally *tally, uint32_t causes)
{
	uint32_t sum = 0;

	if (tally->few.count == TALLY_ALL) {
		for (int cause = 0; cause < CAUSE_COUNT; cause++)
			sum += causes & (1U << cause) ? tally->all.ticks[cause] : 0;
		return sum;
	}
	for (int i = 0; i < tally->few.count; i++)
		sum += causes & (1U << tally->few.causes[i]) ? tally->few.ticks[i] : 0;
	return sum;
}

uint32_t tally_sum(const struct tally *tally)
{
	return tally_sum_of(tally, UINT32_MAX);
}

void tally_spread(const struct tally *tally, uint32_t ticks_out[CAUSE_COUNT])
{
	if (tally->few.count == TALLY_ALL) {
		memcpy(ticks_out, tally->all.ticks, CAUSE_COUNT * sizeof *ticks_out);
		return;
	}
	memset(ticks_out, 0, CAUSE_COUNT * sizeof *ticks_out);
	for (int i = 0; i < tally->few.count; i++)
		ticks_out[tally->few.causes[i]] = tally->few.ticks[i];
}

void tally_seconds(const struct tally *tally, struct ledger *ledger_out)
{
	uint32_t ticks[CAUSE_COUNT], so_far = 0, seconds = 0;

	tally_spread(tally, ticks);
	for (int cause = 0; cause < CAUSE_COUNT; cause++) {
		so_far += ticks[cause];
		ledger_out->seconds[cause] = ticks[cause] ? so_far / TICKS_PER_SECOND - seconds : 0;
		seconds += ledger_out->seconds[cause];
	}
}
