/* spool verify, spool export: for a spool that no relay has open. */
#include "spool/spool.h"
#include "cli/cli.h"
#include "config/config.h"
#include <stdio.h>
#include <string.h>

static int verify(const char *directory)
{
	struct cli_progress progress = { .what = "verifying" };
	struct buffer findings = { 0 };
	struct err err = { 0 };
	int damaged = spool_verify(directory, &findings, cli_progress, &progress, &err);

	cli_progress_end(&progress);
	fwrite(findings.at, 1, findings.len, stdout);
	buffer_deinit(&findings);
	if (damaged < 0)
		fprintf(stderr, "outlast: %s\n", err.text);
	else
		printf("%d damaged record%s\n", damaged, damaged == 1 ? "" : "s");
	return damaged == 0 ? 0 : 1;
}

static int export(const char *directory, const char *to)
{
	struct cli_progress progress = { .what = "exporting" };
	struct err err = { 0 };
	int count = spool_export(directory, to, cli_progress, &progress, &err);

	cli_progress_end(&progress);
	if (count < 0) {
		fprintf(stderr, "outlast: %s\n", err.text);
		return 1;
	}
	printf("%d message%s written to %s\n", count, count == 1 ? "" : "s", to);
	return 0;
}

int cli_spool(int argc, char **argv)
{
	struct buffer problems = { 0 };
	struct cli_options options;
	struct config *config;
	const char *verb;
	int status = 2;

	if (cli_parse(argc, argv, "", &options) < 0)
		return 2;
	verb = options.first < argc ? argv[options.first] : "";
	if (config_load(options.config_path, &config, &problems) < 0) {
		fprintf(stderr, "%.*s\n", BYTES_FORMAT(bytes_trim(buffer_bytes(&problems))));
		buffer_deinit(&problems);
		return 1;
	}
	if (strcmp(verb, "verify") == 0 && argc - options.first == 1)
		status = verify(config->spool.directory);
	else if (strcmp(verb, "export") == 0 && argc - options.first == 2)
		status = export(config->spool.directory, argv[options.first + 1]);
	else
		cli_usage(argv[0], "verify, or export and a directory?");
	buffer_deinit(&problems);
	config_release(config);
	return status;
}
