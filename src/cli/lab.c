#include "lab/lab.h"
#include "cli/cli.h"
#include <stdio.h>
#include <stdlib.h>

int cli_lab(int argc, char **argv)
{
	struct lab_options lab = { .record_path = "",
		                   .keep_directory = "",
		                   .dns_port = LAB_PORT_OF_WORLD,
		                   .smtp_port = LAB_PORT_OF_WORLD };
	struct cli_options options;
	struct err err = { 0 };

	if (cli_parse(argc, argv, "record keep dns-port smtp-port", &options) < 0)
		return 2;
	if (argc - options.first != 1)
		return cli_usage(argv[0], "one world file is needed; see docs/lab.md");
	if (options.record)
		lab.record_path = options.record;
	if (options.keep)
		lab.keep_directory = options.keep;
	if (options.dns_port)
		lab.dns_port = atoi(options.dns_port);
	if (options.smtp_port)
		lab.smtp_port = atoi(options.smtp_port);
	if (lab_run(argv[options.first], &lab, &err) < 0) {
		fprintf(stderr, "outlast: %s\n", err.text);
		return 1;
	}
	return 0;
}
