#include "serve/api.h"
#include "serve/wait.h"
#include "simulate/plan_json.h"
#include <stdio.h>
#include <string.h>

/* Reading the file anew is the main thread's. */
struct config_wait {
	struct wait wait;
	struct server *server;
	struct buffer problems;
	int result;
};

static void reload_arrives(struct mail *mail)
{
	struct config_wait *ask = CONTAINER_OF(mail, struct config_wait, wait.mail);

	ask->result = server_reload(ask->server, &ask->problems);
	wait_answer(&ask->wait);
}

struct admin_response api_reload(struct server *server, const struct admin_request *request,
                                 const char *name)
{
	struct config_wait ask = { .server = server };
	struct admin_response response;

	(void)request;
	(void)name;
	wait_for(&ask.wait, loop_mailbox(server->loop), reload_arrives);
	if (ask.result == 0)
		response = (struct admin_response){ .status = 200,
			                            .body = json_pack("{s:b}", "reloaded", 1) };
	else
		response = admin_problem(400, "the running configuration stays in force:\n%.*s",
		                         BYTES_FORMAT(buffer_bytes(&ask.problems)));
	buffer_deinit(&ask.problems);
	return response;
}

struct config_question {
	struct keeper *keeper;
	const struct config *config;
};

static void take_config(void *arg, struct queue *queue, struct actions *actions)
{
	struct config_question *question = arg;

	(void)queue;
	(void)actions;
	question->config = config_acquire(keeper_config(question->keeper));
}

/* The keeper is asked, not the main thread: that one waits for us when the relay stops. */
const struct config *api_config_acquire(struct server *server)
{
	struct config_question question = { .keeper = server->keeper };

	keeper_ask(server->keeper, take_config, &question);
	return question.config;
}

struct search {
	char path[400];
	json_t *origin;
};

static void compare_key(void *arg, const char *path, const char *value, const char *origin)
{
	struct search *search = arg;

	(void)value;
	if (!search->origin && strcmp(path, search->path) == 0)
		search->origin = api_bytes(bytes_of(origin));
}

json_t *api_origin(struct server *server, const char *pattern, const char *key)
{
	const struct config *config = api_config_acquire(server);
	struct search search = { 0 };

	if (*pattern)
		snprintf(search.path, sizeof search.path, "destination \"%s\".%s", pattern, key);
	else
		snprintf(search.path, sizeof search.path, "defaults.%s", key);
	config_walk(config, compare_key, &search);
	config_release(config);
	return search.origin ? search.origin : json_string("");
}

static void add_key(void *arg, const char *path, const char *value, const char *origin)
{
	json_array_append_new(arg, json_pack("{s:s, s:o, s:s}", "key", path, "value",
	                                     api_bytes(bytes_of(value)), "origin", origin));
}

struct admin_response api_show_config(struct server *server, const struct admin_request *request,
                                      const char *name)
{
	const struct config *config = api_config_acquire(server);
	json_t *keys = json_array();

	(void)request;
	(void)name;
	config_walk(config, add_key, keys);
	config_release(config);
	return (struct admin_response){ .status = 200, .body = json_pack("{s:o}", "keys", keys) };
}

struct admin_response api_schedules(struct server *server, const struct admin_request *request,
                                    const char *name)
{
	const struct config *config = api_config_acquire(server);
	json_t *list = plan_json(config);

	(void)request;
	(void)name;
	config_release(config);
	return (struct admin_response){ .status = 200,
		                        .body = json_pack("{s:o}", "schedules", list) };
}
