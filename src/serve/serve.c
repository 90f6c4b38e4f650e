#include "serve/serve.h"
#include "base/alloc.h"
#include "base/log.h"
#include "base/units.h"
#include "codes/classify.h"
#include "serve/operation.h"
#include "serve/pickup.h"
#include "serve/server.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define STOP_GRACE_SECONDS 20

static void open_log(const struct config *config)
{
	static const char *const levels[] = { "debug", "info", "warning", "error" };
	struct log_options options = { .fd = STDERR_FILENO, .level = LOG_INFO };

	for (size_t i = 0; i < COUNT(levels); i++)
		if (strcmp(config->log.level, levels[i]) == 0)
			options.level = (enum log_level)i;
	options.is_plain = strcmp(config->log.format, "text") == 0;
	if (*config->log.file) {
		int fd = open(config->log.file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);

		if (fd >= 0)
			options.fd = fd;
		else
			log_error("serve", "log file %s: %s", config->log.file, strerror(errno));
	}
	log_open(&options);
}

/* With a file of rules it takes about a second, in which mail goes on by those in force. */
static int load_with_rules(const char *path, struct config **config_out, struct buffer *problems)
{
	struct err err = { 0 };

	if (config_load(path, config_out, problems) < 0)
		return ERR_INVALID;
	if (classify_use_rules(*(*config_out)->reply_rules ? (*config_out)->reply_rules : NULL,
	                       &err) == 0)
		return 0;
	config_release(*config_out);
	buffer_append_text(problems, err.text);
	return ERR_INVALID;
}

int server_reload(struct server *server, struct buffer *problems)
{
	struct config *config;

	if (load_with_rules(server->config_path, &config, problems) < 0) {
		log_error("serve", "configuration was not reloaded: %.*s",
		          BYTES_FORMAT(buffer_bytes(problems)));
		return ERR_INVALID;
	}
	config_release(server->config);
	server->config = config;
	keeper_post_reload(server->keeper, config);
	for (int i = 0; i < server->worker_count; i++)
		worker_post_reload(server->workers[i], config);
	alarms_post_reload(server->alarms, config);
	log_info("serve", "configuration was reloaded from %s", server->config_path);
	return 0;
}

static void on_reload(void *arg, int signal_number)
{
	struct buffer problems = { 0 };

	(void)signal_number;
	server_reload(arg, &problems);
	buffer_deinit(&problems);
}

static void on_stop(void *arg, int signal_number)
{
	struct server *server = arg;

	log_info("serve", "stopping on signal %d", signal_number);
	loop_stop(server->loop);
}

static int start_workers(struct server *server, struct err *err)
{
	struct worker_options options = { .config = server->config,
		                          .spool = server->spool,
		                          .resolver = server->resolver,
		                          .budget = server->budget,
		                          .keeper = server->keeper,
		                          .id_floor = keeper_id_floor(server->keeper) };

	for (int i = 0; i < server->worker_count; i++) {
		options.number = i;
		options.first = i > 0 ? server->workers[0] : NULL;
		if (worker_start(&options, &server->workers[i], err) < 0)
			return err->code;
	}
	return 0;
}

/* From the bottom up; server_stop undoes whatever there is. */
static int server_start(struct server *server, struct err *err)
{
	const struct config *config = server->config;

	server->started_us = clock_now_us();
	server->worker_count = config->workers ? config->workers
	                                       : (int)sysconf(_SC_NPROCESSORS_ONLN);
	server->worker_count = MAX(1, MIN(server->worker_count, WORKERS_MAX));
	server->budget = budget_create(config->receive.memory_bytes);
	if (loop_create(&server->loop, err) < 0 ||
	    spool_open(&config->spool, &server->spool, err) < 0)
		return err->code;
	if (resolver_start(config, &server->resolver, err) < 0)
		return err->code;
	struct keeper_options options = { .config = config,
		                          .spool = server->spool,
		                          .worker_count = server->worker_count };
	if (keeper_create(&options, &server->keeper, err) < 0 || start_workers(server, err) < 0)
		return err->code;
	operation_finish_all(server);
	keeper_begin(server->keeper, server->workers);
	if (alarms_start(server, &server->alarms, err) < 0 ||
	    pickup_start(server, &server->pickup, err) < 0)
		return err->code;
	return admin_start(config->admin.socket, server_handle, server, &server->admin, err);
}

/* No new mail, then no new deliveries; those under way get their time; then what they met is
 * written. */
static void server_stop(struct server *server)
{
	alarm(STOP_GRACE_SECONDS); /* SIGALRM ends what a stalled peer or request holds up: all is
	                              on disk */
	admin_stop(server->admin);
	pickup_stop(server->pickup);
	alarms_stop(server->alarms);
	for (int i = 0; i < server->worker_count; i++)
		if (server->workers[i])
			worker_post_stop(server->workers[i]);
	if (server->keeper)
		keeper_drain(server->keeper);
	for (int i = 0; i < server->worker_count; i++)
		worker_join(server->workers[i]);
	keeper_destroy(server->keeper);
	resolver_stop(server->resolver);
	spool_close(server->spool);
	loop_destroy(server->loop);
	budget_destroy(server->budget);
	config_release(server->config);
	config_release(server->first_config);
}

/* Tells a test, or whoever started us, where we listen. */
static void write_ready(const struct server *server, const char *path)
{
	char text[ADDRESS_TEXT_MAX], temporary[600];
	const struct address *address;
	json_t *listeners = json_array(), *ready;

	for (int n = 0; (address = worker_address(server->workers[0], n)); n++) {
		address_format_port(address, text);
		json_array_append_new(listeners, json_string(text));
	}
	ready = json_pack("{s:o, s:i, s:s}", "listeners", listeners, "pid", (int)getpid(),
	                  "control", server->config->admin.socket);
	snprintf(temporary, sizeof temporary, "%s.new", path);
	if (json_dump_file(ready, temporary, 0) < 0 || rename(temporary, path) < 0)
		log_error("serve", "ready file %s: %s", path, strerror(errno));
	json_decref(ready);
}

static void raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static void grace_is_over(int signal_number)
{
	(void)signal_number;
	_exit(0);
}

int serve_run(const struct serve_options *options)
{
	struct server server = { .config_path = options->config_path };
	struct buffer problems = { 0 };
	struct config *config;
	struct err err = { 0 };
	int result;

	if (load_with_rules(options->config_path, &config, &problems) < 0) {
		fprintf(stderr, "%.*s\n", BYTES_FORMAT(buffer_bytes(&problems)));
		buffer_deinit(&problems);
		return 1;
	}
	server.config = config;
	server.first_config = config_acquire(config);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGALRM, grace_is_over);
	raise_descriptor_limit();
	open_log(config);
	result = server_start(&server, &err);
	if (result < 0) {
		fprintf(stderr, "outlast: %s\n", err.text);
	} else {
		loop_on_signal(server.loop, SIGTERM, on_stop, &server);
		loop_on_signal(server.loop, SIGINT, on_stop, &server);
		loop_on_signal(server.loop, SIGHUP, on_reload, &server);
		log_info("serve", "ready; %d workers", server.worker_count);
		if (options->ready_path)
			write_ready(&server, options->ready_path);
		loop_run(server.loop);
	}
	server_stop(&server);
	return result < 0 ? 1 : 0;
}
