/* forecast: what expires if nothing changes. incidents: when sites kept mail waiting. alarms: what
 * is told of it. */
#include "base/alloc.h"
#include "base/macros.h"
#include "base/units.h"
#include "cli/cli.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void format_parts(json_t *object, char text_out[64])
{
	snprintf(text_out, 64, "%lld / %lld / %lld", (long long)cli_number(object, "1h"),
	         (long long)cli_number(object, "6h"), (long long)cli_number(object, "24h"));
}

static void add_site(struct cli_table *table, json_t *site)
{
	const char *name = cli_string(site, "site");
	char expiring[64], odds[64] = "-", rate[64] = "-";

	format_parts(json_object_get(site, "expiring"), expiring);
	if (json_is_object(json_object_get(site, "odds_percent")))
		format_parts(json_object_get(site, "odds_percent"), odds);
	if (cli_number(site, "per_hour") > 0)
		snprintf(rate, sizeof rate, "%lld/h", (long long)cli_number(site, "per_hour"));
	cli_table_add(table, "%s", *name ? name : cli_string(site, "destination"));
	cli_table_add(table, "%s", cli_string(site, "state"));
	cli_table_add(table, "%s", cli_string(site, "cause"));
	cli_table_add(table, "%lld", (long long)cli_number(site, "waiting"));
	cli_table_add(table, "%s", expiring);
	cli_table_add(table, "%s", odds);
	cli_table_add(table, "%s", rate);
}

static int by_expiring(const void *a, const void *b)
{
	json_t *left = *(json_t *const *)a, *right = *(json_t *const *)b;
	int64_t difference = cli_number(json_object_get(right, "expiring"), "24h") -
	                     cli_number(json_object_get(left, "expiring"), "24h");

	if (difference == 0)
		difference = cli_number(right, "waiting") - cli_number(left, "waiting");
	return difference < 0 ? -1 : difference > 0;
}

static void print_remedies(json_t **sites, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const char *name = cli_string(sites[i], "site");

		if (!*name)
			name = cli_string(sites[i], "destination");
		if (cli_number(sites[i], "no_window") > 0)
			printf("%s: no retry window is left for %lld of them at %lld/h; %lld/h "
			       "would be "
			       "needed\n",
			       name, (long long)cli_number(sites[i], "no_window"),
			       (long long)cli_number(sites[i], "per_hour"),
			       (long long)cli_number(sites[i], "needed_per_hour"));
		if (*cli_string(sites[i], "remedy"))
			printf("%s: %s\n", name, cli_string(sites[i], "remedy"));
	}
}

static void print_forecast(json_t *answer)
{
	static const char *const names[] = { "SITE",          "STATE",          "CAUSE", "WAITING",
		                             "1h / 6h / 24h", "BACK BY THEN %", "RATE" };
	json_t *list = json_object_get(answer, "sites");
	size_t count = json_array_size(list);
	json_t **sorted = alloc_zeroed((count + 1) * sizeof(json_t *));
	struct cli_table table = { .columns = COUNT(names) };
	char expiring[64];

	format_parts(json_object_get(answer, "expiring"), expiring);
	printf("recipients that expire within 1h / 6h / 24h if nothing changes: %s\n", expiring);
	for (size_t i = 0; i < count; i++)
		sorted[i] = json_array_get(list, i);
	qsort(sorted, count, sizeof(json_t *), by_expiring);
	for (size_t i = 0; i < COUNT(names); i++)
		cli_table_add(&table, "%s", names[i]);
	for (size_t i = 0; i < count; i++)
		add_site(&table, sorted[i]);
	if (count > 0) {
		putchar('\n');
		cli_table_print(&table);
		putchar('\n');
	}
	print_remedies(sorted, count);
	alloc_free(sorted);
}

int cli_forecast(int argc, char **argv)
{
	struct cli_options options;
	json_t *answer;

	if (cli_parse(argc, argv, "", &options) < 0)
		return 2;
	if (options.first != argc)
		return cli_usage(argv[0], "\"%s\": no argument is wanted", argv[options.first]);
	answer = cli_ask(&options, "GET", "/v1/forecast", NULL);
	if (!answer)
		return 1;
	if (options.is_json)
		cli_print_json(answer);
	else if (!*cli_string(answer, "at"))
		printf("there is no forecast yet: nothing waits, or `forecast` is 0\n");
	else
		print_forecast(answer);
	json_decref(answer);
	return 0;
}

static int by_start(const void *a, const void *b)
{
	return strcmp(cli_string(*(json_t *const *)b, "start"),
	              cli_string(*(json_t *const *)a, "start"));
}

static void add_incident(struct cli_table *table, json_t *incident)
{
	const char *name = cli_string(incident, "site");
	char span[32];

	cli_format_span(cli_number(incident, "seconds") * US_PER_SECOND, span);
	cli_table_add(table, "%.19s", cli_string(incident, "start"));
	cli_table_add(table, "%s%s", span, *cli_string(incident, "end") ? "" : ", lasts");
	cli_table_add(table, "%s", *name ? name : cli_string(incident, "destination"));
	cli_table_add(table, "%s", cli_string(incident, "cause"));
	cli_table_add(table, "%lld", (long long)cli_number(incident, "hurt"));
	cli_table_add(table, "%lld", (long long)cli_number(incident, "expired"));
	cli_table_add(table, "%lld", (long long)cli_number(incident, "recovered"));
}

static void print_incidents(json_t *list, long limit)
{
	static const char *const names[] = { "START", "LENGTH",  "SITE",     "CAUSE",
		                             "HURT",  "EXPIRED", "RECOVERED" };
	size_t count = json_array_size(list);
	json_t **sorted = alloc_zeroed((count + 1) * sizeof(json_t *));
	struct cli_table table = { .columns = COUNT(names) };

	for (size_t i = 0; i < count; i++)
		sorted[i] = json_array_get(list, i);
	qsort(sorted, count, sizeof(json_t *), by_start);
	for (size_t i = 0; i < COUNT(names); i++)
		cli_table_add(&table, "%s", names[i]);
	for (size_t i = 0; i < count && (limit <= 0 || i < (size_t)limit); i++)
		add_incident(&table, sorted[i]);
	if (count == 0)
		printf("no site has kept mail waiting lately\n");
	else
		cli_table_print(&table);
	alloc_free(sorted);
}

int cli_incidents(int argc, char **argv)
{
	struct cli_options options;
	json_t *answer;

	if (cli_parse(argc, argv, "limit", &options) < 0)
		return 2;
	if (options.first != argc)
		return cli_usage(argv[0], "\"%s\": no argument is wanted", argv[options.first]);
	answer = cli_ask(&options, "GET", "/v1/incidents", NULL);
	if (!answer)
		return 1;
	if (options.is_json)
		cli_print_json(json_object_get(answer, "incidents"));
	else
		print_incidents(json_object_get(answer, "incidents"), options.limit);
	json_decref(answer);
	return 0;
}

static void print_alarms(json_t *list)
{
	static const char *const names[] = { "ALARM", "STATE", "SINCE", "LOOKED AT" };
	struct cli_table table = { .columns = COUNT(names) };
	json_t *alarm;
	size_t i;

	for (i = 0; i < COUNT(names); i++)
		cli_table_add(&table, "%s", names[i]);
	json_array_foreach(list, i, alarm)
	{
		cli_table_add(&table, "%s", cli_string(alarm, "alarm"));
		cli_table_add(&table, "%s",
		              json_is_true(json_object_get(alarm, "raised")) ? "RAISED" : "quiet");
		cli_table_add(&table, "%.19s", cli_string(alarm, "since"));
		cli_table_add(&table, "%s", cli_string(alarm, "text"));
	}
	cli_table_print(&table);
	json_array_foreach(list, i, alarm)
	{
		if (*cli_string(alarm, "problem"))
			printf("%s: was not told: %s\n", cli_string(alarm, "alarm"),
			       cli_string(alarm, "problem"));
	}
}

int cli_alarms(int argc, char **argv)
{
	struct cli_options options;
	json_t *answer, *list;

	if (cli_parse(argc, argv, "", &options) < 0)
		return 2;
	if (options.first != argc)
		return cli_usage(argv[0], "\"%s\": no argument is wanted", argv[options.first]);
	answer = cli_ask(&options, "GET", "/v1/alarms", NULL);
	if (!answer)
		return 1;
	list = json_object_get(answer, "alarms");
	if (options.is_json)
		cli_print_json(answer);
	else if (json_array_size(list) == 0)
		printf("no alarm is configured: see `alarm` in outlast.conf(5)\n");
	else
		print_alarms(list);
	json_decref(answer);
	return 0;
}
