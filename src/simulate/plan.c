#include "simulate/plan.h"
#include "base/macros.h"
#include "queue/schedule.h"
#include <string.h>

static void add(struct plan *plan, int64_t at_us)
{
	int64_t before_us = plan->count ? plan->at_us[plan->count - 1] : at_us;

	if (at_us - before_us > plan->longest_gap_us) {
		plan->longest_gap_us = at_us - before_us;
		plan->longest_from_us = before_us;
	}
	plan->at_us[plan->count++] = at_us;
}

static void sum_up(struct plan *plan)
{
	int own = plan->count - plan->has_added_last;

	plan->dead_air_us = plan->lifetime_us - plan->at_us[plan->count - 1];
	plan->unused_us = plan->lifetime_us - plan->at_us[MAX(0, own - 1)];
}

void plan_make(const struct config_destination *limits, enum plan_mail mail, struct plan *plan_out)
{
	struct config_destination steady = *limits;
	struct recipient recipient = { 0 };
	struct entry entry = { .flags = mail == PLAN_NOTICES ? ENTRY_HAS_NULL_SENDER : 0 };
	struct schedule schedule = { .limits = &steady, .entry = &entry, .recipient = &recipient };
	struct random random;
	int64_t at_us = 0;

	random_seed(&random, 0);
	steady.jitter_percent = 0;
	*plan_out = (struct plan){ .lifetime_us = schedule_deadline_us(&schedule) };
	while (at_us != INT64_MAX && plan_out->count < PLAN_ATTEMPTS_MAX) {
		plan_out->has_added_last = at_us > 0 && at_us >= schedule_last_us(&schedule);
		add(plan_out, at_us);
		at_us = schedule_next_us(&schedule, 0, at_us, &random);
		recipient.step++;
	}
	plan_out->is_cut = at_us != INT64_MAX;
	sum_up(plan_out);
}

bool plan_wastes(const struct plan *plan)
{
	return !plan->is_cut && plan->unused_us > plan->lifetime_us / 10;
}

int plan_run(const struct plan *plan, int first)
{
	int next = first + 1;

	while (next < plan->count && first > 0 &&
	       plan->at_us[next] - plan->at_us[next - 1] ==
	               plan->at_us[first] - plan->at_us[first - 1])
		next++;
	return next - first;
}

const char *plan_title(const struct config_destination *limits)
{
	return limits->pattern[0] ? limits->pattern : "defaults";
}

bool plan_is_alike(const struct config_destination *a, const struct config_destination *b)
{
	return a->lifetime_us == b->lifetime_us && a->notice_lifetime_us == b->notice_lifetime_us &&
	       a->schedule_count == b->schedule_count &&
	       memcmp(a->schedule_us, b->schedule_us,
	              (size_t)a->schedule_count * sizeof *a->schedule_us) == 0 &&
	       a->probe_count == b->probe_count &&
	       memcmp(a->probe_us, b->probe_us, (size_t)a->probe_count * sizeof *a->probe_us) == 0;
}

const struct config_destination *plan_limits(const struct config *config, int index)
{
	return index == 0 ? &config->defaults : &config->destinations[index - 1];
}

bool plan_is_told(const struct config *config, int index)
{
	for (int i = 0; i < index; i++) {
		if (plan_is_alike(plan_limits(config, i), plan_limits(config, index)))
			return true;
	}
	return false;
}
