#include "base/units.h"
#include "cli/cli.h"
#include "config/config.h"
#include "http/http.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CONFIG_DEFAULT "/etc/outlast/outlast.conf"
#define SOCKET_DEFAULT "/run/outlast/control"

enum option_id {
	OPTION_CONFIG = 1,
	OPTION_SOCKET,
	OPTION_JSON,
	OPTION_HELP,
	OPTION_TO,
	OPTION_FROM,
	OPTION_DESTINATION,
	OPTION_SITE,
	OPTION_CAUSE,
	OPTION_OLDER,
	OPTION_STATE,
	OPTION_SUMMARY,
	OPTION_BY,
	OPTION_REASON,
	OPTION_DRY_RUN,
	OPTION_YES,
	OPTION_LIST,
	OPTION_FORCE,
	OPTION_CANCELLED,
	OPTION_SINCE,
	OPTION_UNTIL,
	OPTION_LIMIT,
	OPTION_SEARCH,
	OPTION_ALL,
	OPTION_HTML,
	OPTION_RECORD,
	OPTION_KEEP,
	OPTION_DNS_PORT,
	OPTION_SMTP_PORT,
	OPTION_READY,
	OPTION_RULES,
	OPTION_ONCE,
};

static const struct option long_options[] = {
	{ "config", required_argument, NULL, OPTION_CONFIG },
	{ "socket", required_argument, NULL, OPTION_SOCKET },
	{ "json", no_argument, NULL, OPTION_JSON },
	{ "help", no_argument, NULL, OPTION_HELP },
	{ "to", required_argument, NULL, OPTION_TO },
	{ "from", required_argument, NULL, OPTION_FROM },
	{ "destination", required_argument, NULL, OPTION_DESTINATION },
	{ "site", required_argument, NULL, OPTION_SITE },
	{ "cause", required_argument, NULL, OPTION_CAUSE },
	{ "older", required_argument, NULL, OPTION_OLDER },
	{ "state", required_argument, NULL, OPTION_STATE },
	{ "summary", no_argument, NULL, OPTION_SUMMARY },
	{ "by", required_argument, NULL, OPTION_BY },
	{ "reason", required_argument, NULL, OPTION_REASON },
	{ "dry-run", no_argument, NULL, OPTION_DRY_RUN },
	{ "yes", no_argument, NULL, OPTION_YES },
	{ "list", no_argument, NULL, OPTION_LIST },
	{ "force", no_argument, NULL, OPTION_FORCE },
	{ "cancelled", no_argument, NULL, OPTION_CANCELLED },
	{ "since", required_argument, NULL, OPTION_SINCE },
	{ "until", required_argument, NULL, OPTION_UNTIL },
	{ "limit", required_argument, NULL, OPTION_LIMIT },
	{ "search", required_argument, NULL, OPTION_SEARCH },
	{ "all", no_argument, NULL, OPTION_ALL },
	{ "html", required_argument, NULL, OPTION_HTML },
	{ "record", required_argument, NULL, OPTION_RECORD },
	{ "keep", required_argument, NULL, OPTION_KEEP },
	{ "dns-port", required_argument, NULL, OPTION_DNS_PORT },
	{ "smtp-port", required_argument, NULL, OPTION_SMTP_PORT },
	{ "ready", required_argument, NULL, OPTION_READY },
	{ "rules", required_argument, NULL, OPTION_RULES },
	{ "once", no_argument, NULL, OPTION_ONCE },
	{ NULL, 0, NULL, 0 },
};

static bool is_allowed(const char *allowed, int option)
{
	const char *name = long_options[option - 1].name;
	size_t length = strlen(name);

	if (option <= OPTION_HELP)
		return true;
	for (const char *at = allowed; (at = strstr(at, name)); at += length)
		if ((at == allowed || at[-1] == ' ') && (at[length] == ' ' || at[length] == '\0'))
			return true;
	return false;
}

/* Where the value of each option goes. */
static const struct {
	enum { NOWHERE, TEXT, FLAG, NUMBER } kind;
	size_t offset;
} places[] = {
	[OPTION_HELP] = { NOWHERE, 0 },
	[OPTION_CONFIG] = { TEXT, offsetof(struct cli_options, config_path) },
	[OPTION_SOCKET] = { TEXT, offsetof(struct cli_options, socket_path) },
	[OPTION_JSON] = { FLAG, offsetof(struct cli_options, is_json) },
	[OPTION_TO] = { TEXT, offsetof(struct cli_options, to) },
	[OPTION_FROM] = { TEXT, offsetof(struct cli_options, from) },
	[OPTION_DESTINATION] = { TEXT, offsetof(struct cli_options, destination) },
	[OPTION_SITE] = { TEXT, offsetof(struct cli_options, site) },
	[OPTION_CAUSE] = { TEXT, offsetof(struct cli_options, cause) },
	[OPTION_OLDER] = { TEXT, offsetof(struct cli_options, older) },
	[OPTION_STATE] = { TEXT, offsetof(struct cli_options, state) },
	[OPTION_SUMMARY] = { FLAG, offsetof(struct cli_options, is_summary) },
	[OPTION_BY] = { TEXT, offsetof(struct cli_options, by) },
	[OPTION_REASON] = { TEXT, offsetof(struct cli_options, reason) },
	[OPTION_DRY_RUN] = { FLAG, offsetof(struct cli_options, is_dry_run) },
	[OPTION_YES] = { FLAG, offsetof(struct cli_options, is_yes) },
	[OPTION_LIST] = { FLAG, offsetof(struct cli_options, is_list) },
	[OPTION_FORCE] = { FLAG, offsetof(struct cli_options, is_forced) },
	[OPTION_CANCELLED] = { FLAG, offsetof(struct cli_options, is_cancelled) },
	[OPTION_SINCE] = { TEXT, offsetof(struct cli_options, since) },
	[OPTION_UNTIL] = { TEXT, offsetof(struct cli_options, until) },
	[OPTION_LIMIT] = { NUMBER, offsetof(struct cli_options, limit) },
	[OPTION_SEARCH] = { TEXT, offsetof(struct cli_options, search) },
	[OPTION_ALL] = { FLAG, offsetof(struct cli_options, is_all) },
	[OPTION_HTML] = { TEXT, offsetof(struct cli_options, html) },
	[OPTION_RECORD] = { TEXT, offsetof(struct cli_options, record) },
	[OPTION_KEEP] = { TEXT, offsetof(struct cli_options, keep) },
	[OPTION_DNS_PORT] = { TEXT, offsetof(struct cli_options, dns_port) },
	[OPTION_SMTP_PORT] = { TEXT, offsetof(struct cli_options, smtp_port) },
	[OPTION_READY] = { TEXT, offsetof(struct cli_options, ready) },
	[OPTION_RULES] = { TEXT, offsetof(struct cli_options, rules) },
	[OPTION_ONCE] = { FLAG, offsetof(struct cli_options, is_once) },
};

static void set_option(struct cli_options *options, enum option_id option, const char *value)
{
	void *place = (char *)options + places[option].offset;

	if (places[option].kind == TEXT)
		*(const char **)place = value;
	else if (places[option].kind == FLAG)
		*(bool *)place = true;
	else if (places[option].kind == NUMBER)
		*(long *)place = strtol(value, NULL, 10);
}

int cli_parse(int argc, char **argv, const char *allowed, struct cli_options *options_out)
{
	int option;

	*options_out = (struct cli_options){ .config_path = getenv("OUTLAST_CONFIG"),
		                             .socket_path = getenv("OUTLAST_SOCKET") };
	optind = 0;
	opterr = 0;
	while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		if (option == '?') {
			cli_usage(argv[0], "%s: no such option, or its value is missing",
			          argv[optind - 1]);
			return -1;
		}
		if (option == OPTION_HELP || !is_allowed(allowed, option)) {
			if (option == OPTION_HELP)
				cli_usage(argv[0], "options: --config --socket --json %s", allowed);
			else
				cli_usage(argv[0], "--%s is not for this command",
				          long_options[option - 1].name);
			return -1;
		}
		set_option(options_out, (enum option_id)option, optarg);
	}
	options_out->first = optind;
	if (!options_out->config_path)
		options_out->config_path = CONFIG_DEFAULT;
	return 0;
}

/* The socket: as told, else what the configuration says, else the usual place. */
static void find_socket(const struct cli_options *options, char path_out[600])
{
	struct buffer problems = { 0 };
	struct config *config = NULL;

	snprintf(path_out, 600, "%s", SOCKET_DEFAULT);
	if (options->socket_path) {
		snprintf(path_out, 600, "%s", options->socket_path);
	} else if (access(options->config_path, R_OK) == 0 &&
	           config_load(options->config_path, &config, &problems) == 0) {
		snprintf(path_out, 600, "%s", config->admin.socket);
		config_release(config);
	}
	buffer_deinit(&problems);
}

/* The answer, or NULL and why the relay refused. */
static json_t *read_answer(const struct http_response *response, struct err *err)
{
	json_t *answer = json_loadb(response->body.at ? response->body.at : "", response->body.len,
	                            0, NULL);

	if (answer && response->status < 400)
		return answer;
	err_set(err, ERR_INVALID, "%s",
	        answer ? cli_string(answer, "detail") : "the relay's answer is no JSON");
	json_decref(answer);
	return NULL;
}

json_t *cli_try(const struct cli_options *options, const char *method, const char *path,
                json_t *body, struct err *err)
{
	struct buffer url = { 0 };
	char socket_path[600];
	char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
	struct http_request request = { .socket_path = socket_path,
		                        .method = method,
		                        .body = bytes_of(text) };
	struct http_response response = { 0 };
	struct err refused = { 0 };
	json_t *answer = NULL;

	find_socket(options, socket_path);
	buffer_printf(&url, "http://outlast%s", path);
	buffer_append_char(&url, '\0');
	request.url = url.at;
	if (http_send(&request, &response, &refused) < 0)
		err_set(err, refused.code, "the relay does not answer: %s", refused.text);
	else
		answer = read_answer(&response, err);
	buffer_deinit(&response.body);
	buffer_deinit(&url);
	free(text);
	json_decref(body);
	return answer;
}

json_t *cli_ask(const struct cli_options *options, const char *method, const char *path,
                json_t *body)
{
	struct err err = { 0 };
	json_t *answer = cli_try(options, method, path, body, &err);

	if (!answer)
		fprintf(stderr, "outlast: %s\n", err.text);
	return answer;
}

static const struct {
	const char *name;
	size_t offset;
} filters[] = {
	{ "to", offsetof(struct cli_options, to) },
	{ "from", offsetof(struct cli_options, from) },
	{ "destination", offsetof(struct cli_options, destination) },
	{ "site", offsetof(struct cli_options, site) },
	{ "cause", offsetof(struct cli_options, cause) },
	{ "older", offsetof(struct cli_options, older) },
	{ "state", offsetof(struct cli_options, state) },
	{ "since", offsetof(struct cli_options, since) },
	{ "until", offsetof(struct cli_options, until) },
};

static const char *filter_value(const struct cli_options *options, size_t i)
{
	return *(const char *const *)(const void *)((const char *)options + filters[i].offset);
}

bool cli_has_filter(const struct cli_options *options)
{
	for (size_t i = 0; i < COUNT(filters); i++)
		if (filter_value(options, i))
			return true;
	return false;
}

void cli_filter_query(const struct cli_options *options, struct buffer *path)
{
	for (size_t i = 0; i < COUNT(filters); i++) {
		const char *value = filter_value(options, i);

		if (!value)
			continue;
		buffer_printf(path, "&%s=", filters[i].name);
		http_escape(bytes_of(value), path);
	}
}

json_t *cli_filter_object(const struct cli_options *options)
{
	json_t *object = json_object();

	for (size_t i = 0; i < COUNT(filters); i++)
		if (filter_value(options, i))
			json_object_set_new(object, filters[i].name,
			                    json_string(filter_value(options, i)));
	return object;
}

struct config *cli_load_config(const char *path, bool *is_file_out)
{
	struct buffer problems = { 0 };
	struct config *config = NULL;
	const char *usual = getenv("OUTLAST_CONFIG") ? getenv("OUTLAST_CONFIG") : CONFIG_DEFAULT;
	int result;

	*is_file_out = path || access(usual, R_OK) == 0;
	if (*is_file_out)
		result = config_load(path ? path : usual, &config, &problems);
	else
		result = config_parse("defaults", bytes_of(""), &config, &problems);
	if (result < 0)
		fprintf(stderr, "%.*s\n", BYTES_FORMAT(bytes_trim(buffer_bytes(&problems))));
	buffer_deinit(&problems);
	return result < 0 ? NULL : config;
}
