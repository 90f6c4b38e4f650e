/* retry, hold, release, cancel, expire: one message by id, or all that a filter matches. */
#include "cli/cli.h"
#include <stdio.h>
#include <string.h>

int cli_act(int argc, char **argv)
{
	const char *action = argv[0];
	struct cli_options options;
	json_t *body, *answer;

	if (cli_parse(argc, argv, "to from destination site cause older state dry-run", &options) <
	    0)
		return 2;
	if ((options.first < argc) == cli_has_filter(&options) || argc - options.first > 1)
		return cli_usage(action, "either one message id or a filter is needed");
	body = json_pack("{s:s, s:b}", "action", action, "dry_run", (int)options.is_dry_run);
	if (options.first < argc)
		json_object_set_new(body, "id", json_string(argv[options.first]));
	else
		json_object_set_new(body, "filter", cli_filter_object(&options));
	answer = cli_ask(&options, "POST", "/v1/messages/actions", body);
	if (!answer)
		return 1;
	if (options.is_json)
		cli_print_json(answer);
	else
		printf("%s: %lld message%s%s\n", action, (long long)cli_number(answer, "matched"),
		       cli_number(answer, "matched") == 1 ? "" : "s",
		       options.is_dry_run ? " would be meant (nothing was done)" : "");
	json_decref(answer);
	return 0;
}
