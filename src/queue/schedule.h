/* queue/schedule.h - when a recipient is tried, warned about and given up. Pure arithmetic on an
 * entry, a recipient and the limits of its destination. */
#pragma once
#include "base/random.h"
#include "config/config.h"
#include "queue/entry.h"

struct schedule {
	const struct config_destination *limits;
	const struct entry *entry;
	const struct recipient *recipient;
	int64_t not_counted_us; /* of its age: time of our own that does not use up the lifetime */
};

/* schedule_deadline_us - no attempt begins at or after it. Moves on while time is not counted; the
 * moment that DELIVERBY names stays (RFC 2852 4). */
int64_t schedule_deadline_us(const struct schedule *schedule);

/* schedule_last_us - when the last attempt is made if the schedule would go beyond the deadline. */
int64_t schedule_last_us(const struct schedule *schedule);

/* schedule_urgent_us - from then on it goes before others of its priority. */
int64_t schedule_urgent_us(const struct schedule *schedule);

/* schedule_delay_us - when its delay notice is due; INT64_MAX: never (standards 1.4, 1.6). */
int64_t schedule_delay_us(const struct schedule *schedule);

/* schedule_next_us - the next attempt after one that ended at `now_us`, `step` waits into the
 * schedule; not before the remote's hint. INT64_MAX: there is no time left for another. */
int64_t schedule_next_us(const struct schedule *schedule, int hint_s, int64_t now_us,
                         struct random *random);

/* schedule_return_us - when greylisting wants the mail again, whatever the schedule says. */
int64_t schedule_return_us(const struct schedule *schedule, int hint_s, int64_t now_us);

/* schedule_probe_us - the wait before the probe that follows `probes` others. */
int64_t schedule_probe_us(const struct config_destination *limits, uint32_t probes,
                          struct random *random);

/* schedule_wants_failure - whether its failure is to be reported at all. */
bool schedule_wants_failure(const struct recipient *recipient);
