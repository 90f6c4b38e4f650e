/* simulate: policies against worlds, on a virtual clock. */
#include "base/alloc.h"
#include "base/units.h"
#include "cli/cli.h"
#include "config/config.h"
#include "simulate/outlast.h"
#include "simulate/plot.h"
#include "simulate/recording.h"
#include "simulate/relay.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define POLICIES_MAX 32

/* One policy to try: the real queue with a configuration, or the model of a relay. */
struct candidate {
	const char *name;
	struct config *config;
	const struct relay *relay; /* NULL: the real queue */
};

struct simulation {
	struct candidate candidates[POLICIES_MAX];
	int candidate_count;
	const char *names[POLICIES_MAX]; /* as they were asked for */
	int name_count;
	const char *logs[POLICIES_MAX]; /* event logs to make worlds of */
	int log_count;
	int64_t lifetime_us; /* 0: each its own */
	uint64_t seed;       /* 0: the world's */
	bool is_json;
	const char *plot_path; /* NULL: none */
	struct plot plot;
	json_t *all;
};

static bool parse_config(const char *name, const char *text, struct config **config_out)
{
	struct buffer problems = { 0 };
	int result = config_parse(name, bytes_of(text), config_out, &problems);

	buffer_deinit(&problems);
	return result == 0;
}

static bool load_config(const char *path, struct config **config_out)
{
	struct buffer problems = { 0 };
	int result = config_load(path, config_out, &problems);

	if (result < 0)
		fprintf(stderr, "%.*s\n", BYTES_FORMAT(bytes_trim(buffer_bytes(&problems))));
	buffer_deinit(&problems);
	return result == 0;
}

static void set_lifetime(struct config *config, int64_t lifetime_us)
{
	config->defaults.lifetime_us = lifetime_us;
	for (int i = 0; i < config->destination_count; i++)
		config->destinations[i].lifetime_us = lifetime_us;
}

/* "outlast" is the queue with the defaults, "outlast:exim" with a preset, the name of a relay its
 * model, and anything else a configuration file. */
static bool add_candidate(struct simulation *simulation, const char *name)
{
	struct candidate *candidate = &simulation->candidates[simulation->candidate_count];
	char text[120] = "";

	*candidate = (struct candidate){ .name = name, .relay = relay_find(name) };
	if (candidate->relay)
		snprintf(text, sizeof text, "defaults { preset %s; }", candidate->relay->preset);
	else if (strncmp(name, "outlast:", 8) == 0)
		snprintf(text, sizeof text, "defaults { preset \"%.60s\"; }", name + 8);
	if (text[0] || strcmp(name, "outlast") == 0) {
		if (!parse_config(name, text, &candidate->config)) {
			fprintf(stderr, "outlast: there is no preset \"%s\"\n", name + 8);
			return false;
		}
	} else if (!load_config(name, &candidate->config)) {
		return false;
	}
	if (simulation->lifetime_us)
		set_lifetime(candidate->config, simulation->lifetime_us);
	simulation->candidate_count++;
	return true;
}

static bool add_candidates(struct simulation *simulation)
{
	for (int i = 0; i < simulation->name_count; i++) {
		if (!add_candidate(simulation, simulation->names[i]))
			return false;
	}
	if (simulation->name_count > 0)
		return true;
	if (!add_candidate(simulation, "outlast"))
		return false;
	for (int i = 0; i < relay_count; i++) {
		if (!add_candidate(simulation, relays[i].name))
			return false;
	}
	return true;
}

static struct run_result run(const struct scene *scene, const struct candidate *candidate)
{
	struct relay_settings settings = { candidate->relay, candidate->config };
	struct run_result result;

	if (candidate->relay)
		result = run_policy(scene, &relay_policy, &settings);
	else
		result = run_policy(scene, &outlast_policy, candidate->config);
	result.policy = candidate->name;
	return result;
}

static const char *span(double seconds)
{
	static char texts[8][32];
	static int turn;
	int64_t us = (int64_t)(seconds * 1000 + 0.5) * US_PER_MS;

	turn = (turn + 1) % 8;
	if (us >= US_PER_SECOND)
		us = us / US_PER_SECOND * US_PER_SECOND;
	cli_format_span(us, texts[turn]);
	return texts[turn];
}

static void add_headings(struct cli_table *table)
{
	static const char *const headings[] = {
		"policy", "delivered", "expired", "wasted", "failed", "queued",   "attempts",
		"dead",   "mean",      "median",  "95 %",   "99 %",   "recovery", "95 %",
	};

	table->columns = COUNT(headings);
	for (size_t i = 0; i < COUNT(headings); i++)
		cli_table_add(table, "%s", headings[i]);
}

static void add_number(struct cli_table *table, uint64_t number)
{
	cli_table_add(table, "%llu", (unsigned long long)number);
}

static void add_row(struct cli_table *table, const struct run_result *result)
{
	cli_table_add(table, "%s", result->policy);
	add_number(table, result->delivered);
	add_number(table, result->expired);
	add_number(table, result->wasted);
	add_number(table, result->failed);
	add_number(table, result->queued);
	add_number(table, result->counts.attempts);
	add_number(table, result->counts.dead);
	cli_table_add(table, "%s", span(result->delay_mean_s));
	cli_table_add(table, "%s", span(result->delay_50_s));
	cli_table_add(table, "%s", span(result->delay_95_s));
	cli_table_add(table, "%s", span(result->delay_99_s));
	cli_table_add(table, "%s", result->recovered ? span(result->recovery_mean_s) : "-");
	cli_table_add(table, "%s", result->recovered ? span(result->recovery_95_s) : "-");
}

static json_t *object_of(const struct run_result *result)
{
	json_t *object = json_pack(
		"{s:s, s:I, s:I, s:I, s:I, s:I, s:I}", "policy", result->policy, "accepted",
		(json_int_t)result->accepted, "delivered", (json_int_t)result->delivered, "failed",
		(json_int_t)result->failed, "expired", (json_int_t)result->expired, "queued",
		(json_int_t)result->queued, "wasted", (json_int_t)result->wasted);

	json_object_update_new(object,
	                       json_pack("{s:I, s:I, s:I, s:I}", "attempts",
	                                 (json_int_t)result->counts.attempts, "dead_connections",
	                                 (json_int_t)result->counts.dead, "crowded",
	                                 (json_int_t)result->counts.crowded, "limited",
	                                 (json_int_t)result->counts.limited));
	json_object_update_new(
		object, json_pack("{s:{s:f, s:f, s:f, s:f}, s:{s:I, s:f, s:f}}", "delay", "mean",
	                          result->delay_mean_s, "p50", result->delay_50_s, "p95",
	                          result->delay_95_s, "p99", result->delay_99_s, "recovery",
	                          "messages", (json_int_t)result->recovered, "mean",
	                          result->recovery_mean_s, "p95", result->recovery_95_s));
	return object;
}

static void tell(struct simulation *simulation, const struct scene *scene, const char *title,
                 const struct run_result *results)
{
	struct cli_table table = { 0 };
	json_t *list = json_array();
	int count = simulation->candidate_count;

	for (int i = 0; i < count; i++)
		json_array_append_new(list, object_of(&results[i]));
	json_array_append_new(simulation->all,
	                      json_pack("{s:s, s:s, s:I, s:I, s:o}", "world", title, "about",
	                                scene->about, "messages", (json_int_t)scene->mail_count,
	                                "seed", (json_int_t)scene->seed, "policies", list));
	if (simulation->is_json)
		return;
	printf("%s%s: %s%s%u messages\n", json_array_size(simulation->all) > 1 ? "\n" : "", title,
	       scene->about, scene->about[0] ? "; " : "", scene->mail_count);
	add_headings(&table);
	for (int i = 0; i < count; i++)
		add_row(&table, &results[i]);
	cli_table_print(&table);
}

static void try_all(struct simulation *simulation, const struct scene *scene, const char *title)
{
	struct run_result results[POLICIES_MAX];
	int count = simulation->candidate_count;

	for (int i = 0; i < count; i++)
		results[i] = run(scene, &simulation->candidates[i]);
	tell(simulation, scene, title, results);
	if (simulation->plot_path)
		plot_add(&simulation->plot, scene->about[0] ? scene->about : title, scene, results,
		         count);
	for (int i = 0; i < count; i++)
		run_result_deinit(&results[i]);
}

static bool simulate_world(struct simulation *simulation, const char *path)
{
	struct buffer problems = { 0 };
	struct scene *scene = NULL;

	if (scene_load(path, &scene, &problems) < 0) {
		fprintf(stderr, "%.*s\n", BYTES_FORMAT(bytes_trim(buffer_bytes(&problems))));
		buffer_deinit(&problems);
		return false;
	}
	if (simulation->seed)
		scene->seed = simulation->seed;
	scene_fill(scene);
	try_all(simulation, scene, path);
	scene_destroy(scene);
	buffer_deinit(&problems);
	return true;
}

static bool simulate_log(struct simulation *simulation, const char *path)
{
	struct scene *scene = NULL;
	struct err err = { 0 };

	if (recording_load(path, &scene, &err) < 0) {
		fprintf(stderr, "outlast: %s\n", err.text);
		return false;
	}
	try_all(simulation, scene, path);
	scene_destroy(scene);
	return true;
}

enum option_id {
	OPTION_POLICY = 1,
	OPTION_LIFETIME,
	OPTION_SEED,
	OPTION_PLOT,
	OPTION_EVENTS,
	OPTION_JSON,
	OPTION_HELP,
};

static const struct option options[] = {
	{ "policy", required_argument, NULL, OPTION_POLICY },
	{ "lifetime", required_argument, NULL, OPTION_LIFETIME },
	{ "seed", required_argument, NULL, OPTION_SEED },
	{ "plot", required_argument, NULL, OPTION_PLOT },
	{ "events", required_argument, NULL, OPTION_EVENTS },
	{ "json", no_argument, NULL, OPTION_JSON },
	{ "help", no_argument, NULL, OPTION_HELP },
	{ NULL, 0, NULL, 0 },
};

/* 0, or the exit status after it has said what is wrong. */
static int take_option(struct simulation *simulation, int option)
{
	switch (option) {
	case OPTION_POLICY:
		if (simulation->name_count == POLICIES_MAX)
			return cli_usage("simulate", "more than %d policies", POLICIES_MAX);
		simulation->names[simulation->name_count++] = optarg;
		return 0;
	case OPTION_LIFETIME:
		if (duration_parse(bytes_of(optarg), &simulation->lifetime_us) &&
		    simulation->lifetime_us > 0)
			return 0;
		return cli_usage("simulate", "\"%s\" is not a duration", optarg);
	case OPTION_SEED:
		if (bytes_parse_u64(bytes_of(optarg), &simulation->seed) && simulation->seed > 0)
			return 0;
		return cli_usage("simulate", "\"%s\" is not a number from 1", optarg);
	case OPTION_PLOT:
		simulation->plot_path = optarg;
		return 0;
	case OPTION_EVENTS:
		if (simulation->log_count == POLICIES_MAX)
			return cli_usage("simulate", "more than %d event logs", POLICIES_MAX);
		simulation->logs[simulation->log_count++] = optarg;
		return 0;
	case OPTION_JSON:
		simulation->is_json = true;
		return 0;
	case OPTION_HELP:
		return cli_usage("simulate", "see outlast(1) and docs/simulate.md");
	default:
		return cli_usage("simulate", "there is no such option, or its value is missing");
	}
}

static bool write_plot(struct simulation *simulation)
{
	struct buffer text = { 0 };
	FILE *file = fopen(simulation->plot_path, "w");
	bool is_written = false;

	plot_finish(&simulation->plot, &text);
	if (file) {
		is_written = fwrite(text.at, 1, text.len, file) == text.len;
		is_written = fclose(file) == 0 && is_written;
	}
	if (!is_written)
		fprintf(stderr, "outlast: cannot write %s: %s\n", simulation->plot_path,
		        strerror(errno));
	buffer_deinit(&text);
	return is_written;
}

static int simulate_all(struct simulation *simulation, int count, char **paths)
{
	int result = 0;

	if (!add_candidates(simulation))
		return 1;
	for (int i = 0; i < count; i++) {
		if (!simulate_world(simulation, paths[i]))
			result = 1;
	}
	for (int i = 0; i < simulation->log_count; i++) {
		if (!simulate_log(simulation, simulation->logs[i]))
			result = 1;
	}
	if (simulation->is_json)
		cli_print_json(simulation->all);
	if (simulation->plot_path && !write_plot(simulation))
		result = 1;
	return result;
}

int cli_simulate(int argc, char **argv)
{
	struct simulation simulation = { .all = json_array() };
	int option, result = 0;

	optind = 1;
	opterr = 0;
	while (result == 0 && (option = getopt_long(argc, argv, "", options, NULL)) != -1)
		result = take_option(&simulation, option);
	if (result == 0 && optind == argc && simulation.log_count == 0)
		result = cli_usage("simulate", "which world?");
	if (result == 0)
		result = simulate_all(&simulation, argc - optind, argv + optind);
	for (int i = 0; i < simulation.candidate_count; i++)
		config_release(simulation.candidates[i].config);
	json_decref(simulation.all);
	return result;
}
