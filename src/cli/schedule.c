/* config check: what the schedules in use come to. */
#include "base/alloc.h"
#include "base/macros.h"
#include "base/units.h"
#include "cli/cli.h"
#include "simulate/plan.h"
#include <stdio.h>
#include <string.h>

#define PROBES_SHOWN 8

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
	printf("\nschedule of %s", plan_title(plan_limits(config, index)));
	for (int i = index + 1; i <= config->destination_count; i++) {
		if (plan_is_alike(plan_limits(config, i), plan_limits(config, index)))
			printf(", %s", plan_title(plan_limits(config, i)));
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
	const struct config_destination *limits = plan_limits(config, index);
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
	print_warning(plan, plan_title(limits), "");
	plan_make(limits, PLAN_NOTICES, plan);
	print_summary(plan, "null sender");
	print_warning(plan, plan_title(limits), " (null sender)");
	print_probes(limits);
}

void cli_print_schedules(const struct config *config)
{
	struct plan *plan = alloc(sizeof *plan);

	for (int i = 0; i <= config->destination_count; i++) {
		if (!plan_is_told(config, i))
			print_one(config, i, plan);
	}
	alloc_free(plan);
}
