#include "serve/alarms.h"
#include "base/alloc.h"
#include "base/log.h"
#include "base/units.h"
#include "http/http.h"
#include "queue/forecast_view.h"
#include "report/alarm.h"
#include "serve/api.h"
#include "serve/hook.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define PATH_BYTES 600

struct alarm_watch {
	const struct config_alarm *config;
	struct alarm_state state;
	int64_t due_us;    /* of the next look */
	char problem[240]; /* of the last hook; "": none */
};

/* `lock` guards what other threads ask for; only the thread itself changes the watches. */
struct alarms {
	struct server *server;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	const struct config *config, *next; /* next: to be taken over; NULL: none */
	struct alarm_watch *watches;
	int count, stop_fd;
	bool is_stopping;
};

/* Facts. */

struct gathering {
	struct alarm_facts facts;
	int capacity;
};

static void add_expiring(void *arg, const struct forecast_view *view)
{
	struct gathering *gathering = arg;

	for (int i = 0; i < ALARM_HORIZONS; i++)
		gathering->facts.expiring[i] += view->expiring[i];
}

static void add_trouble(void *arg, const char *site, struct bytes domain,
                        const struct incident *incident)
{
	struct gathering *gathering = arg;
	struct alarm_facts *facts = &gathering->facts;
	struct alarm_trouble *trouble;

	if (incident->end_us != 0)
		return;
	if (facts->trouble_count == gathering->capacity) {
		gathering->capacity = gathering->capacity * 2 + 16;
		facts->troubles = alloc_resize(facts->troubles, (size_t)gathering->capacity,
		                               sizeof *facts->troubles);
	}
	trouble = &facts->troubles[facts->trouble_count++];
	trouble->cause = incident->cause;
	trouble->start_us = incident->start_us;
	if (*site)
		snprintf(trouble->name, sizeof trouble->name, "%s", site);
	else
		snprintf(trouble->name, sizeof trouble->name, "%.*s", BYTES_FORMAT(domain));
}

static void add_age(void *arg, const struct destination_view *view)
{
	struct alarm_facts *facts = &((struct gathering *)arg)->facts;

	if (view->oldest_us && (facts->oldest_us == 0 || view->oldest_us < facts->oldest_us))
		facts->oldest_us = view->oldest_us;
}

static void take_facts(void *arg, struct queue *queue, struct actions *actions)
{
	struct gathering *gathering = arg;

	(void)actions;
	queue_forecast(queue, gathering->facts.now_us, add_expiring, gathering);
	queue_each_incident(queue, add_trouble, gathering);
	queue_each_destination(queue, gathering->facts.now_us, add_age, gathering);
}

static int by_start(const void *a, const void *b)
{
	const struct alarm_trouble *left = a, *right = b;

	return left->start_us < right->start_us ? -1 : left->start_us > right->start_us;
}

static int64_t free_bytes(const char *directory)
{
	struct statvfs disk;

	if (statvfs(directory, &disk) < 0)
		return -1;
	return (int64_t)(disk.f_bavail * disk.f_frsize);
}

/* The caller frees the troubles. */
static void gather(struct server *server, struct alarm_facts *facts_out)
{
	struct gathering gathering = { .facts.now_us = clock_now_us() };
	struct alarm_facts *facts = &gathering.facts;

	keeper_ask(server->keeper, take_facts, &gathering);
	if (facts->trouble_count > 0)
		qsort(facts->troubles, (size_t)facts->trouble_count, sizeof *facts->troubles,
		      by_start);
	facts->disk_free_bytes = free_bytes(server->first_config->spool.directory);
	*facts_out = gathering.facts;
}

/* What is remembered: {"NAME": since, ...} of those that are raised. */

static void state_path(const struct alarms *alarms, const char *suffix, char out[PATH_BYTES])
{
	snprintf(out, PATH_BYTES, "%s/alarms%s", alarms->server->first_config->spool.directory,
	         suffix);
}

static void remember(const struct alarms *alarms)
{
	char path[PATH_BYTES], temporary[PATH_BYTES];
	json_t *raised = json_object();

	for (int i = 0; i < alarms->count; i++)
		if (alarms->watches[i].state.is_raised)
			json_object_set_new(raised, alarms->watches[i].config->name,
			                    json_integer(alarms->watches[i].state.since_us));
	state_path(alarms, "", path);
	state_path(alarms, ".new", temporary);
	if (json_dump_file(raised, temporary, 0) < 0 || rename(temporary, path) < 0)
		log_error("serve", "%s: %s; a raised alarm may be raised again after a restart",
		          path, strerror(errno));
	json_decref(raised);
}

static void recall(struct alarms *alarms)
{
	char path[PATH_BYTES];
	json_t *raised;

	state_path(alarms, "", path);
	raised = json_load_file(path, 0, NULL);
	for (int i = 0; i < alarms->count; i++) {
		struct alarm_state *state = &alarms->watches[i].state;

		state->since_us = json_integer_value(
			json_object_get(raised, alarms->watches[i].config->name));
		state->is_raised = state->since_us > 0;
	}
	json_decref(raised);
}

/* Telling. */

static const char *word_of(const struct alarm_watch *watch)
{
	return watch->state.is_raised ? "raised" : "cleared";
}

static char *describe(const struct alarms *alarms, const struct alarm_watch *watch,
                      const struct alarm_facts *facts)
{
	json_t *object = json_pack(
		"{s:s, s:s, s:s, s:s, s:s, s:o, s:o}", "alarm", watch->config->name, "state",
		word_of(watch), "condition", alarm_condition(watch->config), "text",
		watch->state.text, "host", alarms->config->hostname, "time",
		api_time(facts->now_us), "since", api_time(watch->state.since_us));
	char *text = json_dumps(object, JSON_COMPACT);

	json_decref(object);
	return text;
}

static int append_to_file(const char *path, const char *text, struct err *err)
{
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0640);
	struct buffer line = { 0 };
	int result = 0;

	if (fd < 0)
		return err_system(err, "%s", path);
	buffer_printf(&line, "%s\n", text);
	if (write(fd, line.at, line.len) != (ssize_t)line.len)
		result = err_system(err, "%s", path);
	close(fd);
	buffer_deinit(&line);
	return result;
}

static int post(const struct config_alarm *alarm, const char *text, struct err *err)
{
	struct http_request request = { .method = "POST",
		                        .url = alarm->webhook,
		                        .body = bytes_of(text),
		                        .timeout_us = alarm->timeout_us,
		                        .body_bytes_max = 64 << 10 };
	struct http_response response = { 0 };
	int result = http_send(&request, &response, err);

	buffer_deinit(&response.body);
	if (result == 0 && response.status / 100 != 2)
		return err_set(err, ERR_SYSTEM, "%s: answered %d", alarm->webhook, response.status);
	return result;
}

static void keep_problem(struct alarms *alarms, struct alarm_watch *watch, const struct err *err)
{
	log_error("serve", "alarm %s: %s", watch->config->name, err->text);
	pthread_mutex_lock(&alarms->lock);
	snprintf(watch->problem, sizeof watch->problem, "%s", err->text);
	pthread_mutex_unlock(&alarms->lock);
}

/* Each way is tried, whatever became of the others. */
static void tell(struct alarms *alarms, struct alarm_watch *watch, const struct alarm_facts *facts)
{
	const struct config_alarm *config = watch->config;
	char *text = describe(alarms, watch, facts);
	struct hook hook = { .program = config->exec,
		             .first = config->name,
		             .second = word_of(watch),
		             .input = bytes_of(text),
		             .timeout_us = config->timeout_us,
		             .stop_fd = alarms->stop_fd };
	struct alarm_entry entry = { config->name, word_of(watch), watch->state.text };
	struct err err = { 0 };

	log_warning("serve", "alarm %s is %s: %s", config->name, word_of(watch), watch->state.text);
	keeper_log_alarm(alarms->server->keeper, &entry);
	watch->problem[0] = '\0';
	if (*config->file && append_to_file(config->file, text, &err) < 0)
		keep_problem(alarms, watch, &err);
	if (*config->exec && hook_run(&hook, &err) < 0)
		keep_problem(alarms, watch, &err);
	if (*config->webhook && post(config, text, &err) < 0)
		keep_problem(alarms, watch, &err);
	free(text);
}

/* The thread. */

static enum alarm_change look(struct alarms *alarms, struct alarm_watch *watch,
                              const struct alarm_facts *facts)
{
	enum alarm_change change;

	pthread_mutex_lock(&alarms->lock);
	change = alarm_look(watch->config, facts, &watch->state);
	pthread_mutex_unlock(&alarms->lock);
	watch->due_us = clock_now_us() + watch->config->every_us;
	return change;
}

static void look_at_due(struct alarms *alarms)
{
	struct alarm_facts facts;
	bool is_changed = false;

	gather(alarms->server, &facts);
	for (int i = 0; i < alarms->count; i++) {
		struct alarm_watch *watch = &alarms->watches[i];

		if (watch->due_us > clock_now_us() ||
		    look(alarms, watch, &facts) == ALARM_AS_BEFORE)
			continue;
		tell(alarms, watch, &facts);
		is_changed = true;
	}
	if (is_changed)
		remember(alarms);
	alloc_free(facts.troubles);
}

/* Alarms of the same name go on as they were. Under the lock. */
static void take_config(struct alarms *alarms)
{
	const struct config *config = alarms->next;
	struct alarm_watch *before = alarms->watches;
	int count = alarms->count;

	alarms->next = NULL;
	alarms->count = config->alarm_count;
	alarms->watches = alloc_zeroed((size_t)MAX(1, config->alarm_count) *
	                               sizeof *alarms->watches);
	for (int i = 0; i < config->alarm_count; i++) {
		for (int old = 0; old < count; old++)
			if (strcmp(before[old].config->name, config->alarms[i].name) == 0)
				alarms->watches[i] = before[old];
		alarms->watches[i].config = &config->alarms[i];
		alarms->watches[i].due_us = 0;
	}
	alloc_free(before);
	config_release(alarms->config);
	alarms->config = config;
}

static int64_t next_due_us(const struct alarms *alarms)
{
	int64_t due_us = INT64_MAX;

	for (int i = 0; i < alarms->count; i++)
		due_us = MIN(due_us, alarms->watches[i].due_us);
	return due_us;
}

/* Until the next look, a new configuration, or the end. Under the lock. */
static void await(struct alarms *alarms)
{
	int64_t due_us = next_due_us(alarms), left_us;

	while (!alarms->is_stopping && !alarms->next && (left_us = due_us - clock_now_us()) > 0) {
		struct timespec until;

		clock_gettime(CLOCK_MONOTONIC, &until);
		left_us = MIN(left_us, US_PER_HOUR);
		until.tv_nsec += left_us % US_PER_SECOND * 1000;
		until.tv_sec += left_us / US_PER_SECOND + until.tv_nsec / 1000000000;
		until.tv_nsec %= 1000000000;
		pthread_cond_clockwait(&alarms->changed, &alarms->lock, CLOCK_MONOTONIC, &until);
	}
}

static void *run(void *arg)
{
	struct alarms *alarms = arg;

	pthread_mutex_lock(&alarms->lock);
	while (!alarms->is_stopping) {
		if (alarms->next)
			take_config(alarms);
		await(alarms);
		if (alarms->is_stopping || alarms->next)
			continue;
		pthread_mutex_unlock(&alarms->lock);
		look_at_due(alarms);
		pthread_mutex_lock(&alarms->lock);
	}
	pthread_mutex_unlock(&alarms->lock);
	return NULL;
}

int alarms_start(struct server *server, struct alarms **alarms_out, struct err *err)
{
	struct alarms *alarms = alloc_zeroed(sizeof *alarms);

	*alarms_out = alarms;
	alarms->server = server;
	alarms->next = config_acquire(server->config);
	pthread_mutex_init(&alarms->lock, NULL);
	pthread_cond_init(&alarms->changed, NULL);
	take_config(alarms);
	recall(alarms);
	alarms->stop_fd = eventfd(0, EFD_CLOEXEC);
	if (alarms->stop_fd < 0)
		return err_system(err, "eventfd");
	errno = pthread_create(&alarms->thread, NULL, run, alarms);
	if (errno != 0) {
		close(alarms->stop_fd);
		alarms->stop_fd = -1;
		return err_system(err, "the thread of the alarms");
	}
	return 0;
}

void alarms_post_reload(struct alarms *alarms, const struct config *config)
{
	pthread_mutex_lock(&alarms->lock);
	config_release(alarms->next);
	alarms->next = config_acquire(config);
	pthread_cond_signal(&alarms->changed);
	pthread_mutex_unlock(&alarms->lock);
}

json_t *alarms_json(struct alarms *alarms)
{
	json_t *list = json_array();

	pthread_mutex_lock(&alarms->lock);
	for (int i = 0; i < alarms->count; i++) {
		const struct alarm_watch *watch = &alarms->watches[i];

		json_array_append_new(
			list,
			json_pack("{s:s, s:s, s:b, s:o, s:s, s:s}", "alarm", watch->config->name,
		                  "condition", alarm_condition(watch->config), "raised",
		                  watch->state.is_raised, "since", api_time(watch->state.since_us),
		                  "text", watch->state.text, "problem", watch->problem));
	}
	pthread_mutex_unlock(&alarms->lock);
	return list;
}

void alarms_stop(struct alarms *alarms)
{
	if (!alarms)
		return;
	if (alarms->stop_fd >= 0) {
		pthread_mutex_lock(&alarms->lock);
		alarms->is_stopping = true;
		pthread_cond_signal(&alarms->changed);
		pthread_mutex_unlock(&alarms->lock);
		eventfd_write(alarms->stop_fd, 1);
		pthread_join(alarms->thread, NULL);
		close(alarms->stop_fd);
	}
	config_release(alarms->config);
	config_release(alarms->next);
	alloc_free(alarms->watches);
	pthread_cond_destroy(&alarms->changed);
	pthread_mutex_destroy(&alarms->lock);
	alloc_free(alarms);
}
