/* vault: what expired or was cancelled lately. resend: sends it again. */
#include "base/units.h"
#include "cli/cli.h"
#include "runtime/clock.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ALLOWED "to from destination cause since until"

static json_t *wanted_object(const struct cli_options *options, const char *id)
{
	json_t *object = cli_filter_object(options);

	if (id)
		json_object_set_new(object, "id", json_string(id));
	return object;
}

static void add_message(struct cli_table *table, json_t *message)
{
	json_t *recipient;
	size_t i;

	json_array_foreach(json_object_get(message, "recipients"), i, recipient)
	{
		char ago[32];

		if (strcmp(cli_string(recipient, "state"), "expired") != 0 &&
		    strcmp(cli_string(recipient, "state"), "cancelled") != 0)
			continue;
		cli_format_span(clock_now_us() - cli_time_us(recipient, "ended"), ago);
		cli_table_add(table, "%s", cli_string(message, "id"));
		cli_table_add(table, "%s ago", ago);
		cli_table_add(table, "%s", cli_string(recipient, "state"));
		cli_table_add(table, "%s", cli_string(recipient, "cause"));
		cli_table_add(table, "<%s>", cli_string(message, "sender"));
		cli_table_add(table, "<%s>", cli_string(recipient, "address"));
		cli_table_add(table, "%.60s",
		              cli_string(json_object_get(message, "last_attempt"), "text"));
	}
}

static void print_messages(json_t *answer)
{
	static const char *const names[] = { "ID",     "ENDED",     "STATE",     "CAUSE",
		                             "SENDER", "RECIPIENT", "LAST REPLY" };
	struct cli_table table = { .columns = COUNT(names) };
	json_t *message;
	size_t i;

	if (json_array_size(json_object_get(answer, "messages")) == 0) {
		printf("no message of the vault matches\n");
		return;
	}
	for (i = 0; i < COUNT(names); i++)
		cli_table_add(&table, "%s", names[i]);
	json_array_foreach(json_object_get(answer, "messages"), i, message)
		add_message(&table, message);
	cli_table_print(&table);
	if (json_is_true(json_object_get(answer, "more")))
		printf("... and more\n");
}

static int list(const struct cli_options *options)
{
	struct buffer path = { 0 };
	json_t *answer;

	buffer_append_text(&path, "/v1/vault?limit=1000");
	cli_filter_query(options, &path);
	buffer_append_char(&path, '\0');
	answer = cli_ask(options, "GET", path.at, NULL);
	buffer_deinit(&path);
	if (!answer)
		return 1;
	if (options->is_json)
		cli_print_json(answer);
	else
		print_messages(answer);
	json_decref(answer);
	return 0;
}

static int drop(const struct cli_options *options, const char *id)
{
	json_t *answer = cli_ask(options, "POST", "/v1/vault/drop", wanted_object(options, id));

	if (!answer)
		return 1;
	if (options->is_json)
		cli_print_json(answer);
	else
		printf("dropped: %lld messages\n", (long long)cli_number(answer, "dropped"));
	json_decref(answer);
	return 0;
}

int cli_vault(int argc, char **argv)
{
	struct cli_options options;
	const char *verb, *id;

	if (cli_parse(argc, argv, ALLOWED, &options) < 0)
		return 2;
	verb = options.first < argc ? argv[options.first] : "list";
	id = options.first + 1 < argc ? argv[options.first + 1] : NULL;
	if (strcmp(verb, "list") == 0 && !id)
		return list(&options);
	if (strcmp(verb, "drop") == 0 && (id != NULL) != cli_has_filter(&options))
		return drop(&options, id);
	return cli_usage(argv[0], "list, or drop with a message id or a filter");
}

static void print_resent(json_t *answer)
{
	json_t *domain;
	size_t i;

	if (json_is_true(json_object_get(answer, "dry_run"))) {
		printf("%lld messages would be looked at (nothing was done)\n",
		       (long long)cli_number(answer, "matched"));
		return;
	}
	printf("sent again: %lld of %lld messages\n", (long long)cli_number(answer, "sent"),
	       (long long)cli_number(answer, "matched"));
	json_array_foreach(json_object_get(answer, "not_back"), i, domain) fprintf(
		stderr,
		"outlast: %s is not back: one message went ahead and waits in the queue, the "
		"others stay in the vault; --force sends them all the same\n",
		json_string_value(domain));
}

int cli_resend(int argc, char **argv)
{
	struct cli_options options;
	json_t *body, *answer;
	const char *id;
	int result;

	if (cli_parse(argc, argv, ALLOWED " dry-run force cancelled", &options) < 0)
		return 2;
	id = options.first < argc ? argv[options.first] : NULL;
	if (argc - options.first > 1 || (id != NULL) == cli_has_filter(&options))
		return cli_usage(argv[0], "either one message id or a filter is needed");
	body = wanted_object(&options, id);
	json_object_set_new(body, "dry_run", json_boolean(options.is_dry_run));
	json_object_set_new(body, "force", json_boolean(options.is_forced));
	json_object_set_new(body, "cancelled", json_boolean(options.is_cancelled));
	answer = cli_ask(&options, "POST", "/v1/vault/resend", body);
	if (!answer)
		return 1;
	if (options.is_json)
		cli_print_json(answer);
	else
		print_resent(answer);
	result = json_array_size(json_object_get(answer, "not_back")) > 0;
	json_decref(answer);
	return result;
}
