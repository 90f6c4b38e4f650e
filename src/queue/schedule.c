#include "queue/schedule.h"
#include "base/macros.h"
#include "base/units.h"
#include <string.h>

#define LAST_BEFORE_US   US_PER_MINUTE /* but at most 3 % of the lifetime */
#define URGENT_BEFORE_US US_PER_HOUR   /* but at most 10 % of the lifetime */
#define RETURN_LATE_US   US_PER_SECOND /* after the moment that greylisting named */
#define WAIT_DEFAULT_US  (5 * US_PER_MINUTE)

static int64_t lifetime_us(const struct schedule *schedule)
{
	const uint8_t short_lived = ENTRY_IS_NOTICE | ENTRY_HAS_NULL_SENDER;
	int64_t life_us = schedule->entry->flags & short_lived
	                          ? schedule->limits->notice_lifetime_us
	                          : schedule->limits->lifetime_us;

	return MAX(0, life_us + (int64_t)schedule->recipient->extension * TICK_US) +
	       schedule->not_counted_us + schedule->entry->held_minutes * US_PER_MINUTE;
}

int64_t schedule_deadline_us(const struct schedule *schedule)
{
	const struct entry *entry = schedule->entry;
	int64_t deadline_us = entry->arrived_us + lifetime_us(schedule);

	if (entry->deliver_by && !(entry->flags & ENTRY_BY_NOTIFY))
		return MIN(deadline_us, entry_us(entry, entry->deliver_by));
	return deadline_us;
}

static int64_t before_deadline_us(const struct schedule *schedule, int64_t most_us, int percent)
{
	int64_t deadline_us = schedule_deadline_us(schedule);
	int64_t whole_us = deadline_us - schedule->entry->arrived_us;

	return deadline_us - MIN(most_us, whole_us / 100 * percent);
}

int64_t schedule_last_us(const struct schedule *schedule)
{
	return before_deadline_us(schedule, LAST_BEFORE_US, 3);
}

int64_t schedule_urgent_us(const struct schedule *schedule)
{
	return before_deadline_us(schedule, URGENT_BEFORE_US, 10);
}

static bool wants_delay_notice(const struct entry *entry, const struct recipient *recipient)
{
	if (recipient->flags & (RECIPIENT_DELAY_ASKED | RECIPIENT_DELAY_DONE))
		return false;
	if (entry->flags & ENTRY_HAS_NULL_SENDER)
		return false;
	if (recipient->notify & NOTIFY_DELAY)
		return true;
	return recipient->notify == 0 && !(entry->flags & ENTRY_IS_AUTOMATIC);
}

int64_t schedule_delay_us(const struct schedule *schedule)
{
	const struct entry *entry = schedule->entry;
	int64_t delay_us = INT64_MAX;

	if (!wants_delay_notice(entry, schedule->recipient))
		return INT64_MAX;
	if ((schedule->recipient->flags & RECIPIENT_LOOKS_BAD) &&
	    schedule->limits->delay_notice_us > 0)
		delay_us = entry->arrived_us;
	else if (entry->deliver_by && (entry->flags & ENTRY_BY_NOTIFY))
		delay_us = entry_us(entry, entry->deliver_by);
	else if (schedule->limits->delay_notice_us > 0 &&
	         strcmp(schedule->limits->delay_notice_by, "forecast") != 0)
		delay_us = entry->arrived_us + entry->held_minutes * US_PER_MINUTE +
		           schedule->limits->delay_notice_us;
	return delay_us < schedule_deadline_us(schedule) ? delay_us : INT64_MAX;
}

static int64_t wait_us(const int64_t *waits_us, int count, uint32_t step)
{
	if (count <= 0)
		return WAIT_DEFAULT_US;
	return waits_us[MIN(step, (uint32_t)count - 1)];
}

static int64_t not_after_last(const struct schedule *schedule, int64_t next_us, int64_t now_us)
{
	int64_t last_us = schedule_last_us(schedule);

	if (next_us < last_us)
		return next_us;
	return now_us < last_us ? last_us : INT64_MAX;
}

int64_t schedule_next_us(const struct schedule *schedule, int hint_s, int64_t now_us,
                         struct random *random)
{
	const struct config_destination *limits = schedule->limits;
	int64_t wait = wait_us(limits->schedule_us, limits->schedule_count,
	                       schedule->recipient->step);
	int64_t next_us = now_us +
	                  MAX(TICK_US, random_jitter(random, wait, limits->jitter_percent));

	if (hint_s > 0)
		next_us = MAX(next_us, now_us + hint_s * US_PER_SECOND);
	return not_after_last(schedule, next_us, now_us);
}

int64_t schedule_return_us(const struct schedule *schedule, int hint_s, int64_t now_us)
{
	return not_after_last(schedule, now_us + hint_s * US_PER_SECOND + RETURN_LATE_US, now_us);
}

int64_t schedule_probe_us(const struct config_destination *limits, uint32_t probes,
                          struct random *random)
{
	int64_t wait = wait_us(limits->probe_us, limits->probe_count, probes);

	return MAX(TICK_US, random_jitter(random, wait, limits->jitter_percent));
}

bool schedule_wants_failure(const struct recipient *recipient)
{
	return recipient->notify == 0 || (recipient->notify & NOTIFY_FAILURE);
}
