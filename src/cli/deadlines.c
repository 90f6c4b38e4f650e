/* extend, shorten: deadlines moved, after a look at what that comes to. undo: back again. */
#include "base/units.h"
#include "cli/cli.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void print_preview(json_t *answer)
{
	printf("%lld recipients of %lld messages; %lld would expire at once\n",
	       (long long)cli_number(answer, "recipients"),
	       (long long)cli_number(answer, "matched"), (long long)cli_number(answer, "expiring"));
	if (*cli_string(answer, "first_deadline"))
		printf("deadlines then: %.19sZ to %.19sZ\n", cli_string(answer, "first_deadline"),
		       cli_string(answer, "last_deadline"));
}

static json_t *request_of(const char *action, const char *id, const struct cli_options *options)
{
	json_t *body = json_pack("{s:s, s:s}", "action", action, "amount", options->by);

	if (id)
		json_object_set_new(body, "id", json_string(id));
	else
		json_object_set_new(body, "filter", cli_filter_object(options));
	return body;
}

/* On a terminal a person decides; a script has decided. */
static bool is_wanted(const struct cli_options *options)
{
	char answer[8] = "";

	if (options->is_yes || !isatty(STDIN_FILENO))
		return true;
	printf("go on? [y/N] ");
	fflush(stdout);
	return fgets(answer, sizeof answer, stdin) && (*answer == 'y' || *answer == 'Y');
}

static int change(const char *action, const char *id, const struct cli_options *options)
{
	json_t *body = request_of(action, id, options), *preview, *answer;

	json_object_set_new(body, "dry_run", json_true());
	preview = cli_ask(options, "POST", "/v1/messages/deadlines", body);
	if (!preview)
		return 1;
	if (!options->is_json)
		print_preview(preview);
	else if (options->is_dry_run)
		cli_print_json(preview);
	json_decref(preview);
	if (options->is_dry_run)
		return 0;
	if (!options->is_json && !is_wanted(options))
		return 1;
	body = request_of(action, id, options);
	json_object_set_new(body, "force", json_boolean(options->is_yes));
	answer = cli_ask(options, "POST", "/v1/messages/deadlines", body);
	if (!answer) {
		if (!options->is_yes)
			fprintf(stderr, "outlast: with --yes it is done all the same\n");
		return 1;
	}
	if (options->is_json)
		cli_print_json(answer);
	else
		printf("done; outlast undo takes it back\n");
	json_decref(answer);
	return 0;
}

int cli_deadlines(int argc, char **argv)
{
	struct cli_options options;

	if (cli_parse(argc, argv, "to from destination site cause older state by dry-run yes",
	              &options) < 0)
		return 2;
	if ((options.first < argc) == cli_has_filter(&options) || argc - options.first > 1)
		return cli_usage(argv[0], "either one message id or a filter is needed");
	if (!options.by)
		return cli_usage(argv[0], "--by DURATION is needed, such as --by 12h");
	return change(argv[0], options.first < argc ? argv[options.first] : NULL, &options);
}

static void print_operations(json_t *list)
{
	static const char *const names[] = { "NUMBER", "WHEN",     "STATE", "ACTION",
		                             "BY",     "HOW MANY", "WHAT" };
	struct cli_table table = { .columns = COUNT(names) };
	json_t *operation;
	size_t i;

	for (i = 0; i < COUNT(names); i++)
		cli_table_add(&table, "%s", names[i]);
	json_array_foreach(list, i, operation)
	{
		json_t *filter = json_object_get(operation, "filter");
		char *what = filter ? json_dumps(filter, JSON_COMPACT) : NULL;
		char amount[32];

		cli_format_span(cli_number(operation, "amount_seconds") * US_PER_SECOND, amount);
		cli_table_add(&table, "%lld", (long long)cli_number(operation, "number"));
		cli_table_add(&table, "%.19s", cli_string(operation, "at"));
		cli_table_add(&table, "%s", cli_string(operation, "state"));
		cli_table_add(&table, "%s", cli_string(operation, "action"));
		cli_table_add(&table, "%s", amount);
		cli_table_add(&table, "%lld", (long long)cli_number(operation, "recipients"));
		cli_table_add(&table, "%s", what ? what : cli_string(operation, "id"));
		free(what);
	}
	cli_table_print(&table);
}

static int list_operations(const struct cli_options *options)
{
	json_t *answer = cli_ask(options, "GET", "/v1/operations", NULL);

	if (!answer)
		return 1;
	if (options->is_json)
		cli_print_json(json_object_get(answer, "operations"));
	else
		print_operations(json_object_get(answer, "operations"));
	json_decref(answer);
	return 0;
}

int cli_undo(int argc, char **argv)
{
	struct cli_options options;
	uint64_t number = 0;
	json_t *answer;

	if (cli_parse(argc, argv, "list", &options) < 0)
		return 2;
	if (options.is_list)
		return list_operations(&options);
	if (argc - options.first > 1 ||
	    (argc > options.first && !bytes_parse_u64(bytes_of(argv[options.first]), &number)))
		return cli_usage(argv[0], "the number of an operation, as undo --list shows it");
	answer = cli_ask(&options, "POST", "/v1/operations/undo",
	                 json_pack("{s:I}", "number", (json_int_t)number));
	if (!answer)
		return 1;
	if (options.is_json)
		cli_print_json(answer);
	else
		printf("undone: %lld recipients have their deadline of before\n",
		       (long long)cli_number(answer, "recipients"));
	json_decref(answer);
	return 0;
}
