#include "config/config.h"
#include "cli/cli.h"
#include "codes/classify.h"
#include "config/document.h"
#include "simulate/plan_json.h"
#include <stdio.h>
#include <string.h>

static int refuse_file(const char *path, struct bytes problems, bool is_json)
{
	json_t *list = json_array();

	if (!is_json)
		fprintf(stderr, "%.*s\n", BYTES_FORMAT(bytes_trim(problems)));
	while (is_json && problems.len > 0) {
		struct bytes line = bytes_split(&problems, '\n');

		if (line.len > 0)
			json_array_append_new(list, json_stringn_nocheck(line.at, line.len));
	}
	if (is_json) {
		json_t *answer = json_pack("{s:s, s:b, s:O}", "file", path, "ok", 0, "problems",
		                           list);

		cli_print_json(answer);
		json_decref(answer);
	}
	json_decref(list);
	return 1;
}

static void accept_file(const char *path, const struct config *config, bool is_json)
{
	json_t *answer;

	if (!is_json) {
		printf("%s is in order\n", path);
		cli_print_schedules(config);
		return;
	}
	answer = json_pack("{s:s, s:b, s:[], s:o}", "file", path, "ok", 1, "problems", "schedules",
	                   plan_json(config));
	cli_print_json(answer);
	json_decref(answer);
}

static int check(const char *path, bool is_json)
{
	struct buffer problems = { 0 };
	struct config *config = NULL;
	struct err err = { 0 };
	int result = config_load(path, &config, &problems);

	if (result == 0 && *config->reply_rules &&
	    (result = classify_use_rules(config->reply_rules, &err)) < 0)
		buffer_append_text(&problems, err.text);
	if (result < 0)
		result = refuse_file(path, buffer_bytes(&problems), is_json);
	else
		accept_file(path, config, is_json);
	config_release(config);
	buffer_deinit(&problems);
	return result;
}

static void add_key(void *arg, const char *path, const char *value, const char *origin)
{
	json_array_append_new(
		arg, json_pack("{s:s, s:s, s:s}", "key", path, "value", value, "origin", origin));
}

static int show(const struct cli_options *options)
{
	struct buffer text = { 0 };
	struct config *config;

	if (config_load(options->config_path, &config, &text) < 0) {
		fprintf(stderr, "%.*s\n", BYTES_FORMAT(bytes_trim(buffer_bytes(&text))));
		buffer_deinit(&text);
		return 1;
	}
	buffer_clear(&text);
	if (options->is_json) {
		json_t *keys = json_array();

		config_walk(config, add_key, keys);
		cli_print_json(keys);
		json_decref(keys);
	} else {
		config_show(config, &text);
		fwrite(text.at, 1, text.len, stdout);
	}
	buffer_deinit(&text);
	config_release(config);
	return 0;
}

static int document(void)
{
	struct buffer text = { 0 };

	config_document(&text);
	fwrite(text.at, 1, text.len, stdout);
	buffer_deinit(&text);
	return 0;
}

int cli_config(int argc, char **argv)
{
	struct cli_options options;
	const char *verb;

	if (cli_parse(argc, argv, "yes", &options) < 0)
		return 2;
	verb = options.first < argc ? argv[options.first] : "";
	if (strcmp(verb, "check") == 0)
		return check(options.first + 1 < argc ? argv[options.first + 1]
		                                      : options.config_path,
		             options.is_json);
	if (strcmp(verb, "show") == 0)
		return show(&options);
	if (strcmp(verb, "from-postfix") == 0 && argc - options.first == 2)
		return cli_config_from_postfix(argv[options.first + 1]);
	if (strcmp(verb, "reload") == 0)
		return cli_config_reload(&options);
	if (strcmp(verb, "diff") == 0)
		return cli_config_diff(&options,
		                       options.first + 1 < argc ? argv[options.first + 1] : NULL);
	if (strcmp(verb, "document") == 0)
		return document();
	return cli_usage(argv[0], "check, show, diff, reload or document?");
}
