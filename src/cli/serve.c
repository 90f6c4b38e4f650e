#include "serve/serve.h"
#include "cli/cli.h"

int cli_serve(int argc, char **argv)
{
	struct serve_options options = { 0 };
	struct cli_options cli;

	if (cli_parse(argc, argv, "ready", &cli) < 0)
		return 2;
	if (cli.first != argc)
		return cli_usage(argv[0], "it takes no argument");
	options.config_path = cli.config_path;
	options.ready_path = cli.ready;
	return serve_run(&options);
}
