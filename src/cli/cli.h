/* cli/cli.h - the commands, one file each: parse arguments, ask the daemon's API, print. */
#pragma once
#include "base/buffer.h"
#include "base/err.h"
#include <getopt.h>
#include <jansson.h>

struct cli_command {
	const char *name;
	const char *arguments; /* "ID | DOMAIN", for the usage line */
	const char *purpose;   /* one line */
	int (*run)(int argc,
	           char **argv); /* argv[0] is the command's name; returns the exit status */
};

/* cli_commands - all of them, ended by one without a name. */
extern const struct cli_command cli_commands[];

/* cli_main - picks the command by argv[1]. Exit status: 0 done, 1 failed, 2 wrong usage. */
int cli_main(int argc, char **argv);

/* cli_usage - prints the usage of a command to stderr; returns 2. */
int cli_usage(const char *name, const char *problem, ...) PRINTF_LIKE(2, 3);

/* What every command that talks to the daemon takes: --config FILE, --socket PATH, --json; and,
 * where it makes sense, the filters. */
struct cli_options {
	const char *socket_path;
	const char *config_path;
	bool is_json, is_summary, is_dry_run, is_yes, is_list, is_all, is_forced, is_cancelled,
		is_once;
	const char *to, *from, *destination, *site, *cause, *older, *state;
	const char *by, *reason, *record, *keep, *dns_port, *smtp_port, *ready, *rules;
	const char *search, *html, *since, *until;
	long limit;
	int first; /* index in argv of the first argument that is no option */
};

/* cli_parse - 0, or -1 after it has said what is wrong. `allowed` lists the options that this
 * command takes besides config, socket, json and help, as a string of names separated by blanks. */
int cli_parse(int argc, char **argv, const char *allowed, struct cli_options *options_out);
bool cli_has_filter(const struct cli_options *options);

/* cli_ask - one call of the API; on failure prints why to stderr and returns NULL. `body` is handed
 * over, may be NULL. The caller decrefs. */
json_t *cli_ask(const struct cli_options *options, const char *method, const char *path,
                json_t *body);

/* cli_try - the same, but says why in `err`. */
json_t *cli_try(const struct cli_options *options, const char *method, const char *path,
                json_t *body, struct err *err);

/* cli_filter_query / cli_filter_object - the filter options as "?to=..." or as a JSON object. */
void cli_filter_query(const struct cli_options *options, struct buffer *path);
json_t *cli_filter_object(const struct cli_options *options);

/* Printing. */
void cli_print_json(json_t *value);
const char *cli_string(json_t *object, const char *name); /* "" if it is not there */
int64_t cli_number(json_t *object, const char *name);
int64_t cli_time_us(json_t *object, const char *name); /* of an RFC 3339 member; 0 if null */

/* cli_print_table - rows of equal width from `cells` (row by row, `columns` each; the first row is
 * the heading). */
struct cli_table {
	int columns, count; /* count of cells */
	char **cells;
};
void cli_table_add(struct cli_table *table, const char *format, ...) PRINTF_LIKE(2, 3);
void cli_table_print(struct cli_table *table);       /* and frees the cells */
void cli_format_span(int64_t us, char text_out[32]); /* "2h 5m" */

/* cli_print_schedules - what the schedules of a configuration come to: every attempt, the longest
 * gap, dead air, and a warning where time is wasted. */
struct config;
void cli_print_schedules(const struct config *config);

/* cli_load_config - of `path`, which must be there; or the usual one (NULL), which may be missing:
 * then the defaults. NULL: it has mistakes, which were printed. */
struct config *cli_load_config(const char *path, bool *is_file_out);

/* cli_own_replies - what was said about this sender to the relay whose event log it is:
 * {"replies": N, "rise": {"since", "times", "before_per_hour", "after_per_hour", "sites": {SITE:
 * REPLY}}}, without `rise` if they did not. NULL: the log cannot be read. */
json_t *cli_own_replies(const char *event_log, struct bytes domain);
void cli_print_own_replies(json_t *answer);

/* cli_print_remedy - what would help: a sentence, and the commands to type. */
struct cli_remedy {
	const char *cause;
	const char *id; /* of the message; NULL: about the whole destination */
	const char *domain, *sender_domain;
	const char *code; /* the other server's enhanced code; NULL or "": none */
};
void cli_print_remedy(const struct cli_remedy *about);

/* A progress bar on stderr, shown only on a terminal and after a second. */
struct cli_progress {
	const char *what;
	int64_t began_us;
	bool is_shown;
};
void cli_progress(void *progress, int64_t done, int64_t all);
void cli_progress_end(struct cli_progress *progress);

int cli_classify(int argc, char **argv); /* stdin: replies; see cli/classify.c */
int cli_serve(int argc, char **argv), cli_queue(int argc, char **argv),
	cli_explain(int argc, char **argv);
int cli_act(int argc, char **argv), cli_suspend(int argc, char **argv),
	cli_config(int argc, char **argv);
int cli_spool(int argc, char **argv), cli_lab(int argc, char **argv),
	cli_status(int argc, char **argv);
int cli_deadlines(int argc, char **argv), cli_undo(int argc, char **argv);
int cli_dkim(int argc, char **argv);

/* cli_config_diff - what another configuration would change; FILE NULL: the relay's own, read anew.
 * cli_config_reload - puts that in force, unless recipients would expire at once. */
int cli_config_diff(const struct cli_options *options, const char *file);
int cli_config_reload(const struct cli_options *options);
int cli_vault(int argc, char **argv), cli_resend(int argc, char **argv);
int cli_forecast(int argc, char **argv), cli_incidents(int argc, char **argv),
	cli_alarms(int argc, char **argv);
int cli_bounce(int argc, char **argv);
int cli_simulate(int argc, char **argv);
int cli_reputation(int argc, char **argv), cli_check(int argc, char **argv);
int cli_code(int argc, char **argv);
int cli_top(int argc, char **argv);

/* cli_sendmail, cli_newaliases - what programs call by these names; see cli/sendmail.c. */
int cli_sendmail(int argc, char **argv), cli_newaliases(int argc, char **argv);

int cli_import(int argc, char **argv);
int cli_config_from_postfix(const char *path); /* prints main.cf as a configuration */

/* cli_talk - `sendmail -bs`: carries SMTP between standard input and output and the relay. */
struct config;
int cli_talk(const struct config *config);
