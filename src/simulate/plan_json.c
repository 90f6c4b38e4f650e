#include "simulate/plan_json.h"
#include "base/alloc.h"
#include "base/units.h"
#include "simulate/plan.h"

static double seconds(int64_t us)
{
	return (double)us / US_PER_SECOND;
}

static json_t *object_of(const struct plan *plan)
{
	json_t *attempts = json_array();

	for (int i = 0; i < plan->count; i++)
		json_array_append_new(attempts, json_real(seconds(plan->at_us[i])));
	return json_pack("{s:f, s:o, s:b, s:b, s:f, s:f, s:f, s:f, s:b}", "lifetime",
	                 seconds(plan->lifetime_us), "attempts", attempts, "more", plan->is_cut,
	                 "last_is_added", plan->has_added_last, "longest_gap",
	                 seconds(plan->longest_gap_us), "longest_gap_from",
	                 seconds(plan->longest_from_us), "dead_air", seconds(plan->dead_air_us),
	                 "unused", seconds(plan->unused_us), "warning", plan_wastes(plan));
}

static json_t *probes_of(const struct config_destination *limits)
{
	json_t *waits = json_array();

	for (int i = 0; i < limits->probe_count; i++)
		json_array_append_new(waits, json_real(seconds(limits->probe_us[i])));
	return waits;
}

json_t *plan_json(const struct config *config)
{
	struct plan *plan = alloc(sizeof *plan);
	json_t *all = json_array();

	for (int i = 0; i <= config->destination_count; i++) {
		json_t *one;

		if (plan_is_told(config, i))
			continue;
		one = json_object();
		json_object_set_new(one, "of", json_string(plan_title(plan_limits(config, i))));
		plan_make(plan_limits(config, i), PLAN_MESSAGES, plan);
		json_object_set_new(one, "messages", object_of(plan));
		plan_make(plan_limits(config, i), PLAN_NOTICES, plan);
		json_object_set_new(one, "null_sender", object_of(plan));
		json_object_set_new(one, "probe_waits", probes_of(plan_limits(config, i)));
		json_array_append_new(all, one);
	}
	alloc_free(plan);
	return all;
}
