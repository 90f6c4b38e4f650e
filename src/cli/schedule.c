/* config check: what the schedules in use come to. */
#include "base/alloc.h"
#include "base/macros.h"
#include "base/units.h"
#include "cli/cli.h"
#include "simulate/plan.h"
#include <stdio.h>
#include <string.h>

#define PROBES_SHOWN 8

static const char *title(const struct config_destination *limits)
{
	return limits->pattern[0] ? limits->pattern : "defaults";
}

static bool is_alike(const struct config_destination *a, const struct config_destination *b)
{
	return a->lifetime_us == b->lifetime_us && a->notice_lifetime_us == b->notice_lifetime_us &&
	       a->schedule_count == b->schedule_count &&
	       memcmp(a->schedule_us, b->schedule_us,
	              (size_t)a->schedule_count * sizeof *a->schedule_us) == 0 &&
	       a->probe_count == b->probe_count &&
	       memcmp(a->probe_us, b->probe_us, (size_t)a->probe_count * sizeof *a->probe_us) == 0;
}

static const struct config_destination *limits_at(const struct config *config, int index)
{
	return index == 0 ? &config->defaults : &config->destinations[index - 1];
}

/* Whether an earlier block has the same schedule: then it is told there. */
static bool is_told(const struct config *config, int index)
{
	for (int i = 0; i < index; i++) {
		if (is_alike(limits_at(config, i), limits_at(config, index)))
			return true;
	}
	return false;
}

static const char *span(int64_t us)
{
	static char texts[4][32];
	static int turn;

	turn = (turn + 1) % 4;
	cli_format_span(us, texts[turn]);
	return texts[turn];
}

static void add_row(struct cli_table *table, const struct plan *plan, int first, int count)
{
	int last = first + count - 1;
	bool is_added = plan->has_added_last && last == plan->count - 1;

	if (count == 1)
		cli_table_add(table, "%d", first + 1);
	else
		cli_table_add(table, "%d-%d", first + 1, last + 1);
	if (count == 1)
		cli_table_add(table, "%s", span(plan->at_us[first]));
	else
		cli_table_add(table, "%s to %s", span(plan->at_us[first]), span(plan->at_us[last]));
	if (first == 0)
		cli_table_add(table, "at once");
	else
		cli_table_add(table, "%s%s%s", count > 1 ? "every " : "",
		              span(plan->at_us[first] - plan->at_us[first - 1]),
		              is_added ? ", the last before the deadline" : "");
}

static void print_names(const struct config *config, int index)
{
	printf("\nschedule of %s", title(limits_at(config, index)));
	for (int i = index + 1; i <= config->destination_count; i++) {
		if (is_alike(limits_at(config, i), limits_at(config, index)))
			printf(", %s", title(limits_at(config, i)));
	}
	printf("\n");
}

static void print_warning(const struct plan *plan, const char *name, const char *what)
{
	if (!plan_wastes(plan))
		return;
	printf("warning: %s%s: the schedule's own last attempt is at %s; behind it lie %s, %d %% "
	       "of the lifetime\n",
	       name, what, span(plan->lifetime_us - plan->unused_us), span(plan->unused_us),
	       (int)(plan->unused_us * 100 / plan->lifetime_us));
}

static void print_summary(const struct plan *plan, const char *what)
{
	printf("%s: lifetime %s, %d%s attempts, longest gap %s (after %s), dead air before the "
	       "deadline %s\n",
	       what, span(plan->lifetime_us), plan->count, plan->is_cut ? " and more" : "",
	       span(plan->longest_gap_us), span(plan->longest_from_us), span(plan->dead_air_us));
}

/* When a site that is down is asked whether it is back; the last wait repeats. */
static void print_probes(const struct config_destination *limits)
{
	int64_t at_us = 0;

	printf("site down: probed");
	for (int i = 0; i < MIN(limits->probe_count, PROBES_SHOWN); i++) {
		at_us += limits->probe_us[i];
		printf("%s %s", i > 0 ? "," : "", span(at_us));
	}
	printf(" after it closed, then every %s (each %d %% sooner or later)\n",
	       span(limits->probe_us[limits->probe_count - 1]), limits->jitter_percent);
}

static void print_one(const struct config *config, int index, struct plan *plan)
{
	const struct config_destination *limits = limits_at(config, index);
	struct cli_table table = { .columns = 3 };

	print_names(config, index);
	plan_make(limits, PLAN_MESSAGES, plan);
	cli_table_add(&table, "attempt");
	cli_table_add(&table, "after acceptance");
	cli_table_add(&table, "wait");
	for (int i = 0, count; i < plan->count; i += count) {
		count = plan_run(plan, i);
		add_row(&table, plan, i, count);
	}
	cli_table_print(&table);
	print_summary(plan, "messages");
	print_warning(plan, title(limits), "");
	plan_make(limits, PLAN_NOTICES, plan);
	print_summary(plan, "null sender");
	print_warning(plan, title(limits), " (null sender)");
	print_probes(limits);
}

void cli_print_schedules(const struct config *config)
{
	struct plan *plan = alloc(sizeof *plan);

	for (int i = 0; i <= config->destination_count; i++) {
		if (!is_told(config, i))
			print_one(config, i, plan);
	}
	alloc_free(plan);
}

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

json_t *cli_schedules(const struct config *config)
{
	struct plan *plan = alloc(sizeof *plan);
	json_t *all = json_array();

	for (int i = 0; i <= config->destination_count; i++) {
		json_t *one;

		if (is_told(config, i))
			continue;
		one = json_object();
		json_object_set_new(one, "of", json_string(title(limits_at(config, i))));
		plan_make(limits_at(config, i), PLAN_MESSAGES, plan);
		json_object_set_new(one, "messages", object_of(plan));
		plan_make(limits_at(config, i), PLAN_NOTICES, plan);
		json_object_set_new(one, "null_sender", object_of(plan));
		json_object_set_new(one, "probe_waits", probes_of(limits_at(config, i)));
		json_array_append_new(all, one);
	}
	alloc_free(plan);
	return all;
}
