/* config diff: what another configuration would change, and what that does to queued mail. config
 * reload: puts it in force. */
#include "cli/cli.h"
#include "config/config.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void print_key(json_t *key)
{
	const char *now = json_string_value(json_object_get(key, "now"));
	const char *then = json_string_value(json_object_get(key, "then"));

	printf("  %s: %s -> %s", cli_string(key, "key"), now ? now : "(none)",
	       then ? then : "(none)");
	if (*cli_string(key, "origin"))
		printf("  # %s", cli_string(key, "origin"));
	putchar('\n');
}

static void print_difference(json_t *answer)
{
	json_t *keys = json_object_get(answer, "keys"), *key;
	size_t i;

	if (json_array_size(keys) == 0)
		printf("no key changes\n");
	json_array_foreach(keys, i, key) print_key(key);
	printf("of %lld recipients that are queued, %lld would have another deadline; %lld would "
	       "expire at once\n",
	       (long long)cli_number(answer, "recipients"),
	       (long long)cli_number(answer, "changed"), (long long)cli_number(answer, "expiring"));
}

/* A file that cannot be read is said here: it may be the one that names the relay's socket. */
static int check(const char *path)
{
	struct buffer problems = { 0 };
	struct config *config = NULL;
	int result = config_load(path, &config, &problems);

	if (result < 0)
		fprintf(stderr, "%.*s\nthe running configuration stays in force\n",
		        BYTES_FORMAT(bytes_trim(buffer_bytes(&problems))));
	config_release(config);
	buffer_deinit(&problems);
	return result;
}

static json_t *read_text(const char *path)
{
	FILE *file = fopen(path, "re");
	struct buffer text = { 0 };
	char part[4096];
	json_t *value;

	if (!file) {
		perror(path);
		return NULL;
	}
	for (size_t count; (count = fread(part, 1, sizeof part, file)) > 0;)
		buffer_append(&text, (struct bytes){ part, count });
	fclose(file);
	value = json_stringn(text.at ? text.at : "", text.len);
	buffer_deinit(&text);
	return value;
}

int cli_config_diff(const struct cli_options *options, const char *file)
{
	json_t *body = json_object(), *answer;

	if (check(file ? file : options->config_path) < 0) {
		json_decref(body);
		return 1;
	}
	if (file && json_object_set_new(body, "text", read_text(file)) < 0) {
		json_decref(body);
		return 1;
	}
	answer = cli_ask(options, "POST", "/v1/config/compare", body);
	if (!answer)
		return 1;
	if (options->is_json)
		cli_print_json(answer);
	else
		print_difference(answer);
	json_decref(answer);
	return 0;
}

int cli_config_reload(const struct cli_options *options)
{
	json_t *answer;
	int64_t expiring;

	if (check(options->config_path) < 0)
		return 1;
	answer = cli_ask(options, "POST", "/v1/config/compare", json_object());
	if (!answer)
		return 1;
	expiring = cli_number(answer, "expiring");
	json_decref(answer);
	if (expiring > 0 && !options->is_yes) {
		fprintf(stderr,
		        "outlast: %lld recipients would expire at once; outlast config diff shows "
		        "why, "
		        "config reload --yes does it\n",
		        (long long)expiring);
		return 1;
	}
	answer = cli_ask(options, "POST", "/v1/config/reload", json_object());
	if (!answer)
		return 1;
	printf("reloaded\n");
	json_decref(answer);
	return 0;
}
