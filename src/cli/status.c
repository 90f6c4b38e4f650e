#include "cli/cli.h"
#include <stdio.h>

static void print_object(const char *title, json_t *object)
{
	const char *name;
	json_t *value;

	printf("%s\n", title);
	json_object_foreach(object, name, value)
	{
		if (json_is_integer(value))
			printf("  %-14s %lld\n", name, (long long)json_integer_value(value));
		else if (json_is_boolean(value))
			printf("  %-14s %s\n", name, json_is_true(value) ? "yes" : "no");
	}
}

int cli_status(int argc, char **argv)
{
	struct cli_options options;
	json_t *answer, *worker;
	size_t i;

	if (cli_parse(argc, argv, "", &options) < 0)
		return 2;
	answer = cli_ask(&options, "GET", "/v1/status", NULL);
	if (!answer)
		return 1;
	if (options.is_json) {
		cli_print_json(answer);
	} else {
		printf("outlast %s, up since %s\n", cli_string(answer, "version"),
		       cli_string(answer, "started"));
		print_object("queue", json_object_get(answer, "queue"));
		print_object("spool", json_object_get(answer, "spool"));
		json_array_foreach(json_object_get(answer, "workers"), i, worker)
			print_object("worker", worker);
	}
	json_decref(answer);
	return 0;
}
