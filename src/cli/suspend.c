#include "cli/cli.h"
#include "http/http.h"
#include <stdio.h>

int cli_suspend(int argc, char **argv)
{
	struct buffer path = { 0 };
	struct cli_options options;
	json_t *answer;

	if (cli_parse(argc, argv, "reason", &options) < 0)
		return 2;
	if (argc - options.first != 1)
		return cli_usage(argv[0], "one destination is needed");
	buffer_append_text(&path, "/v1/destinations/");
	http_escape(bytes_of(argv[options.first]), &path);
	buffer_printf(&path, "/%s", argv[0]);
	buffer_append_char(&path, '\0');
	answer = cli_ask(&options, "POST", path.at,
	                 json_pack("{s:s}", "reason", options.reason ? options.reason : ""));
	buffer_deinit(&path);
	if (!answer)
		return 1;
	if (options.is_json)
		cli_print_json(answer);
	else
		printf("%s: %s\n", argv[options.first],
		       json_is_true(json_object_get(answer, "suspended")) ? "suspended"
		                                                          : "resumed");
	json_decref(answer);
	return 0;
}
