/* simulate/plan.h - what a schedule comes to: when each attempt would be, if every one of them
 * fails for the recipient's own reasons. Asks the queue's own schedule, without jitter. */
#pragma once
#include "config/config.h"

#define PLAN_ATTEMPTS_MAX 5000

enum plan_mail { PLAN_MESSAGES, PLAN_NOTICES /* mail with the null sender */ };

struct plan {
	int64_t lifetime_us;
	int64_t at_us[PLAN_ATTEMPTS_MAX]; /* after acceptance; the first is 0 */
	int count;
	bool is_cut;             /* there are more attempts than fit */
	bool has_added_last;     /* the last one is not the schedule's, but put near the deadline */
	int64_t longest_gap_us;  /* between two attempts */
	int64_t longest_from_us; /* where it begins */
	int64_t dead_air_us;     /* from the last attempt to the deadline */
	int64_t unused_us;       /* from the schedule's own last attempt to the deadline */
};

/* plan_make - fills it for one set of limits. */
void plan_make(const struct config_destination *limits, enum plan_mail mail, struct plan *plan_out);

/* plan_wastes - whether more than a tenth of the lifetime lies behind the schedule's own last
 * attempt. */
bool plan_wastes(const struct plan *plan);

/* plan_run - how many attempts from `first` on follow each other after equal gaps, itself included:
 * a table needs one line for all of them. */
int plan_run(const struct plan *plan, int first);

/* The blocks of a configuration that have schedules: 0 is `defaults`, then each destination. */
const struct config_destination *plan_limits(const struct config *config, int index);
const char *plan_title(const struct config_destination *limits); /* its pattern; "defaults" */

/* plan_is_alike - the same lifetimes, schedule and probes. */
bool plan_is_alike(const struct config_destination *a, const struct config_destination *b);

/* plan_is_told - an earlier block has the same schedule: it is told there. */
bool plan_is_told(const struct config *config, int index);
