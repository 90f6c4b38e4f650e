#include "base/units.h"
#include "cli/cli.h"
#include "runtime/clock.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void format_wait(json_t *recipient, const char *name, char text_out[32])
{
	int64_t at_us = cli_time_us(recipient, name), now_us = clock_now_us();

	if (at_us == 0)
		snprintf(text_out, 32, "-");
	else
		cli_format_span(MAX(at_us - now_us, 0), text_out);
}

static void add_message(struct cli_table *table, json_t *message)
{
	json_t *recipient;
	size_t i;

	json_array_foreach(json_object_get(message, "recipients"), i, recipient)
	{
		const char *state = cli_string(recipient, "state");
		char age[32], left[32], next[32];

		cli_format_span(clock_now_us() - cli_time_us(message, "arrived"), age);
		format_wait(recipient, "deadline", left);
		format_wait(recipient, "next", next);
		cli_table_add(table, "%s", cli_string(message, "id"));
		cli_table_add(table, "%s", age);
		cli_table_add(table, "%s", left);
		cli_table_add(table, "%s", state);
		cli_table_add(table, "%s", cli_string(recipient, "cause"));
		cli_table_add(table, "%lld", (long long)cli_number(recipient, "attempts"));
		cli_table_add(table, "%s", next);
		cli_table_add(table, "<%s>", cli_string(message, "sender"));
		cli_table_add(table, "<%s>", cli_string(recipient, "address"));
	}
}

static void add_heading(struct cli_table *table, const char *const *names)
{
	for (table->columns = 0; names[table->columns]; table->columns++)
		cli_table_add(table, "%s", names[table->columns]);
}

static json_t *fetch_page(const struct cli_options *options, const char *cursor, long wanted)
{
	struct buffer path = { 0 };
	json_t *answer;

	buffer_printf(&path, "/v1/messages?limit=%ld", MIN(wanted, 1000));
	cli_filter_query(options, &path);
	if (*cursor)
		buffer_printf(&path, "&cursor=%s", cursor);
	buffer_append_char(&path, '\0');
	answer = cli_ask(options, "GET", path.at, NULL);
	buffer_deinit(&path);
	return answer;
}

/* Page after page, until the queue or the limit ends. */
static json_t *fetch_messages(const struct cli_options *options, char cursor[32])
{
	long left = options->limit > 0 ? options->limit : 1000;
	json_t *all = json_array();

	cursor[0] = '\0';
	do {
		json_t *page = fetch_page(options, cursor, left);

		if (!page) {
			json_decref(all);
			return NULL;
		}
		json_array_extend(all, json_object_get(page, "messages"));
		left -= (long)json_array_size(json_object_get(page, "messages"));
		snprintf(cursor, 32, "%s", cli_string(page, "cursor"));
		json_decref(page);
	} while (*cursor && left > 0);
	return all;
}

static void print_messages(json_t *messages, bool has_more)
{
	static const char *const names[] = { "ID",    "AGE",  "LEFT",   "STATE",     "CAUSE",
		                             "TRIES", "NEXT", "SENDER", "RECIPIENT", NULL };
	struct cli_table table = { 0 };
	json_t *message;
	size_t i;

	if (json_array_size(messages) == 0) {
		printf("no message matches\n");
		return;
	}
	add_heading(&table, names);
	json_array_foreach(messages, i, message) add_message(&table, message);
	cli_table_print(&table);
	if (has_more)
		printf("... and more; --limit N shows them\n");
}

static int list_messages(const struct cli_options *options)
{
	char cursor[32];
	json_t *messages = fetch_messages(options, cursor);

	if (!messages)
		return 1;
	if (options->is_json)
		cli_print_json(messages);
	else
		print_messages(messages, *cursor != '\0');
	json_decref(messages);
	return 0;
}

static const char *main_cause(json_t *causes)
{
	const char *name, *best = "-";
	json_int_t most = 0;
	json_t *value;

	json_object_foreach(causes, name, value)
	{
		if (json_integer_value(value) > most) {
			most = json_integer_value(value);
			best = name;
		}
	}
	return best;
}

static void add_destination(struct cli_table *table, json_t *destination)
{
	json_t *recipients = json_object_get(destination, "recipients");
	json_t *site = json_object_get(destination, "site");
	char oldest[32] = "-", next[32];

	if (cli_time_us(destination, "oldest"))
		cli_format_span(clock_now_us() - cli_time_us(destination, "oldest"), oldest);
	format_wait(destination, "next_deadline", next);
	cli_table_add(table, "%s", cli_string(destination, "destination"));
	cli_table_add(table, "%s",
	              json_is_true(json_object_get(destination, "suspended"))
	                      ? "suspended"
	                      : cli_string(site, "state"));
	cli_table_add(table, "%lld",
	              (long long)(cli_number(recipients, "queued") +
	                          cli_number(recipients, "delivering")));
	cli_table_add(table, "%lld", (long long)cli_number(recipients, "held"));
	cli_table_add(table, "%s", oldest);
	cli_table_add(table, "%s", next);
	cli_table_add(table, "%s", main_cause(json_object_get(destination, "causes")));
	cli_table_add(table, "%lld", (long long)cli_number(destination, "delivered"));
	cli_table_add(table, "%lld", (long long)cli_number(destination, "failed"));
	cli_table_add(table, "%lld", (long long)cli_number(destination, "expired"));
}

static int by_waiting(const void *a, const void *b)
{
	json_t *left = *(json_t *const *)a, *right = *(json_t *const *)b;
	int64_t difference = cli_number(json_object_get(right, "recipients"), "queued") -
	                     cli_number(json_object_get(left, "recipients"), "queued");

	return difference
	               ? (difference < 0 ? -1 : 1)
	               : strcmp(cli_string(left, "destination"), cli_string(right, "destination"));
}

static int summarise_destinations(const struct cli_options *options)
{
	static const char *const names[] = { "DESTINATION", "SITE",       "QUEUED", "HELD",
		                             "OLDEST",      "EXPIRES IN", "CAUSE",  "DELIVERED",
		                             "FAILED",      "EXPIRED",    NULL };
	json_t *answer = cli_ask(options, "GET", "/v1/destinations", NULL);
	json_t *list = json_object_get(answer, "destinations");
	size_t count = json_array_size(list);
	struct cli_table table = { 0 };
	json_t **sorted;

	if (!answer)
		return 1;
	if (options->is_json) {
		cli_print_json(list);
		json_decref(answer);
		return 0;
	}
	sorted = calloc(count + 1, sizeof(json_t *));
	for (size_t i = 0; i < count; i++)
		sorted[i] = json_array_get(list, i);
	qsort(sorted, count, sizeof(json_t *), by_waiting);
	add_heading(&table, names);
	for (size_t i = 0; i < count; i++)
		add_destination(&table, sorted[i]);
	cli_table_print(&table);
	free(sorted);
	json_decref(answer);
	return 0;
}

static int summarise_causes(const struct cli_options *options)
{
	json_t *answer = cli_ask(options, "GET", "/v1/status", NULL);
	json_t *causes = json_object_get(json_object_get(answer, "queue"), "causes"), *count;
	struct cli_table table = { .columns = 2 };
	const char *name;

	if (!answer)
		return 1;
	if (options->is_json) {
		cli_print_json(causes);
	} else {
		cli_table_add(&table, "CAUSE");
		cli_table_add(&table, "RECIPIENTS");
		json_object_foreach(causes, name, count)
		{
			cli_table_add(&table, "%s", name);
			cli_table_add(&table, "%lld", (long long)json_integer_value(count));
		}
		cli_table_print(&table);
	}
	json_decref(answer);
	return 0;
}

int cli_queue(int argc, char **argv)
{
	struct cli_options options;

	if (cli_parse(argc, argv, "to from destination site cause older state summary by limit",
	              &options) < 0)
		return 2;
	if (options.first != argc)
		return cli_usage(argv[0], "\"%s\": a filter is written as --to, --destination ...",
		                 argv[options.first]);
	if (options.by && strcmp(options.by, "cause") == 0)
		return summarise_causes(&options);
	if (options.is_summary || (options.by && strcmp(options.by, "destination") == 0))
		return summarise_destinations(&options);
	if (options.by)
		return cli_usage(argv[0], "--by \"%s\": destination or cause", options.by);
	return list_messages(&options);
}
