#include "serve/keeper.h"
#include "base/alloc.h"
#include "base/assert.h"
#include "base/log.h"
#include "base/random.h"
#include "base/units.h"
#include "serve/cache.h"
#include "serve/keeper_own.h"
#include "serve/trend.h"
#include "serve/wait.h"
#include <stdio.h>
#include <string.h>

#define VAULT_LOOK_US (5 * US_PER_SECOND)
#define CACHE_BYTES   (64 << 20)
#define NOTICE_MAKER  (ID_MAKERS_MAX - 1)

/* The event log. */

static void log_entry_write(struct keeper *keeper, const struct log_entry *entry)
{
	struct event_details details = { 0 };
	const struct message *message = keeper->current;

	if (message && message->id == entry->id && entry->recipient < message->recipient_count) {
		details.sender = message->sender;
		details.recipient = message->recipients[entry->recipient].address;
		details.client = message->client;
		details.size_bytes = message->body.size_bytes;
	}
	event_log_write(keeper->log, entry, &details, clock_now_us());
}

/* Look-ups: a configured route answers at once, everything else is asked of the DNS. */

struct route_report {
	struct mail mail;
	struct keeper *keeper;
	struct dns_route_answer answer;
	struct bytes domain;
	char text[];
};

static enum route_result route_result_of(enum dns_status status)
{
	switch (status) {
	case DNS_FOUND:
		return ROUTE_FOUND;
	case DNS_NO_DOMAIN:
		return ROUTE_NO_DOMAIN;
	case DNS_NULL_MX:
		return ROUTE_NULL_MX;
	case DNS_NO_DATA:
	case DNS_NO_HOSTS:
		return ROUTE_NO_HOSTS;
	case DNS_SERVER_FAILURE:
	case DNS_TIMEOUT:
	case DNS_BOGUS:
		break;
	}
	return ROUTE_TEMPORARY;
}

static const char *route_status_of(const struct dns_route_answer *answer)
{
	if (answer->status == DNS_NO_DOMAIN)
		return "5.1.2";
	if (answer->status == DNS_NULL_MX)
		return "5.1.10";
	return answer->is_self ? "5.4.6" : "5.4.4";
}

static void route_arrives(struct mail *mail)
{
	struct route_report *report = CONTAINER_OF(mail, struct route_report, mail);
	struct event event = { .kind = EVENT_ROUTE };

	event.route.domain = report->domain;
	event.route.result = route_result_of(report->answer.status);
	event.route.route = report->answer.route;
	event.route.valid_until_us = report->answer.valid_until_us;
	event.route.status = route_status_of(&report->answer);
	event.route.text = report->answer.text;
	keeper_step(report->keeper, &event);
	route_release(report->answer.route);
	alloc_free(report);
}

void keeper_post_route(struct keeper *keeper, struct bytes domain,
                       const struct dns_route_answer *answer)
{
	struct route_report *report = alloc_zeroed(sizeof *report + domain.len + 1);

	memcpy(report->text, domain.at, domain.len);
	report->domain = (struct bytes){ report->text, domain.len };
	report->answer = *answer;
	report->keeper = keeper;
	report->mail.deliver = route_arrives;
	mailbox_post(thread_mailbox(keeper->thread), &report->mail);
}

static void look_up(struct keeper *keeper, struct bytes domain)
{
	const struct config_destination *limits = config_destination_of(keeper->config, domain);
	struct dns_route_answer answer = { .status = DNS_FOUND, .valid_until_us = CLOCK_NEVER };
	struct err err = { 0 };

	if (keeper->is_draining)
		return; /* the workers may have ended */
	if (!limits->route || !*limits->route) {
		worker_post_look_up(keeper->workers[keeper->next_worker], domain);
		keeper->next_worker = (keeper->next_worker + 1) % (uint32_t)keeper->worker_count;
		return;
	}
	if (route_parse(bytes_of(limits->route), (uint16_t)keeper->config->deliver.port,
	                &answer.route, &err) < 0) {
		answer.status = DNS_SERVER_FAILURE;
		answer.valid_until_us = clock_now_us() + US_PER_MINUTE;
		snprintf(answer.text, sizeof answer.text, "%.190s", err.text);
	}
	keeper_post_route(keeper, domain, &answer);
}

/* Jobs. */

static void deliver(struct keeper *keeper, const struct action_deliver *action)
{
	struct job *job;

	if (keeper->is_draining)
		return; /* it stays queued on disk; the next start delivers it */
	job = job_create(action, cache_take(keeper->cache, action->id));
	list_append(&keeper->jobs, &job->node);
	keeper->jobs_out++;
	worker_post_job(keeper->workers[action->slot.worker], job);
}

static void record_history(struct keeper *keeper, struct job *job)
{
	struct buffer encoded = { 0 };

	if (!job_add_attempts(job, &keeper->jobs, clock_now_us()))
		return;
	history_encode(&job->history, &encoded);
	spool_record(keeper->spool, job->action.id, SPOOL_HISTORY, buffer_bytes(&encoded));
	buffer_deinit(&encoded);
}

void keeper_end_drain(struct keeper *keeper)
{
	if (!keeper->drain || keeper->jobs_out > 0 || notices_busy(keeper->notices) > 0 ||
	    digests_busy(keeper->digests) > 0)
		return;
	wait_answer(keeper->drain);
	keeper->drain = NULL;
}

void keeper_job_is_done(struct keeper *keeper, struct job *job)
{
	struct event event = { .kind = EVENT_JOB_DONE };

	list_remove(&job->node);
	if (job->was_attempted)
		record_history(keeper, job);
	event.job_done.job = job->action.job;
	event.job_done.was_attempted = job->was_attempted;
	event.job_done.outcomes = job->outcomes;
	event.job_done.outcome_count = job->action.recipient_count;
	keeper->current = job->message;
	keeper_step(keeper, &event);
	keeper->current = NULL;
	job_destroy(job);
	keeper->jobs_out--;
	keeper_end_drain(keeper);
}

/* The vault: what is too old, or too much, goes. */

const struct config *keeper_config(const struct keeper *keeper)
{
	return keeper->config;
}

struct trend *keeper_trend(struct keeper *keeper)
{
	return keeper->trend;
}

struct vault *keeper_vault(struct keeper *keeper)
{
	return keeper->vault;
}

void keeper_drop(struct keeper *keeper, uint64_t id)
{
	if (vault_remove(keeper->vault, id))
		spool_remove(keeper->spool, id);
}

static void vault_is_due(struct timer *timer);

static void trim_vault(struct keeper *keeper, int64_t most_bytes)
{
	int64_t now_us = clock_now_us(), keep_us = keeper->config->vault.keep_us, next_us;
	uint64_t id;

	while ((id = vault_overdue(keeper->vault, now_us - keep_us, most_bytes)))
		keeper_drop(keeper, id);
	if (vault_count(keeper->vault) == 0)
		return;
	next_us = vault_oldest_us(keeper->vault) + keep_us + US_PER_SECOND;
	timer_set(&keeper->vault_timer, MIN(next_us, now_us + VAULT_LOOK_US), vault_is_due);
}

/* While the disk is nearly full the vault gives way to new mail, an eighth at a time: space comes
 * back when the journal has reclaimed it. */
static void vault_is_due(struct timer *timer)
{
	struct keeper *keeper = CONTAINER_OF(timer, struct keeper, vault_timer);
	int64_t most_bytes = keeper->config->vault.size_bytes;

	if (!spool_has_room(keeper->spool))
		most_bytes = MIN(most_bytes, vault_bytes(keeper->vault) / 8 * 7);
	trim_vault(keeper, most_bytes);
}

static void put_into_vault(struct keeper *keeper, const struct action_vault *action)
{
	message_release(cache_take(keeper->cache, action->id));
	if (action->state.len > 0)
		spool_record(keeper->spool, action->id, SPOOL_STATE, action->state);
	vault_add(keeper->vault, action->id, action->ended_us, action->size_bytes, action->cause,
	          action->domain);
	trim_vault(keeper, keeper->config->vault.size_bytes);
}

/* The step, and what comes of it. */

static void carry_out(struct keeper *keeper, const struct action *action)
{
	switch (action->kind) {
	case ACTION_LOOK_UP:
		look_up(keeper, action->domain);
		return;
	case ACTION_DELIVER:
		deliver(keeper, &action->deliver);
		return;
	case ACTION_RECORD:
		spool_record(keeper->spool, action->record.id, SPOOL_STATE, action->record.state);
		return;
	case ACTION_REMOVE:
		message_release(cache_take(keeper->cache, action->record.id));
		spool_remove(keeper->spool, action->record.id);
		return;
	case ACTION_VAULT:
		put_into_vault(keeper, &action->vault);
		return;
	case ACTION_NOTICE:
		notices_add(keeper->notices, &action->notice);
		return;
	case ACTION_NOTE:
		spool_note(keeper->spool, action->note.key, action->note.bytes);
		return;
	case ACTION_LOG:
		log_entry_write(keeper, &action->log);
		return;
	}
	BUG("action %d", (int)action->kind);
}

static void timer_is_due(struct timer *timer)
{
	struct event event = { .kind = EVENT_TIME };

	keeper_step(CONTAINER_OF(timer, struct keeper, timer), &event);
}

static void arm_timer(struct keeper *keeper)
{
	int64_t next_us = queue_next_us(keeper->queue);

	if (next_us == CLOCK_NEVER)
		timer_stop(&keeper->timer);
	else
		timer_set(&keeper->timer, next_us, timer_is_due);
}

static void run_actions(struct keeper *keeper)
{
	for (size_t i = 0; i < keeper->actions.count; i++)
		carry_out(keeper, &keeper->actions.items[i]);
	actions_clear(&keeper->actions);
}

void keeper_step(struct keeper *keeper, const struct event *event)
{
	ASSERT(keeper->actions.count == 0);
	queue_step(keeper->queue, event, clock_now_us(), &keeper->actions);
	run_actions(keeper);
	arm_timer(keeper);
}

/* Reports that arrive. */

struct added {
	struct mail mail;
	struct keeper *keeper;
	struct message *message;
};

static void added_arrives(struct mail *mail)
{
	struct added *added = CONTAINER_OF(mail, struct added, mail);
	struct keeper *keeper = added->keeper;
	struct event event = { .kind = EVENT_ADDED };

	event.added.message = added->message;
	cache_put(keeper->cache, added->message);
	keeper->current = added->message;
	keeper_step(keeper, &event);
	keeper->current = NULL;
	message_release(added->message);
	alloc_free(added);
}

void keeper_post_added(struct keeper *keeper, struct message *message)
{
	struct added *added = alloc(sizeof *added);

	added->keeper = keeper;
	added->message = message;
	added->mail.deliver = added_arrives;
	mailbox_post(thread_mailbox(keeper->thread), &added->mail);
}

static void done_arrives(struct mail *mail)
{
	struct job *job = CONTAINER_OF(mail, struct job, mail);
	struct keeper *keeper = job->keeper;

	if (!notices_add_relayed(keeper->notices, job))
		keeper_job_is_done(keeper, job);
}

void keeper_post_done(struct keeper *keeper, struct job *job)
{
	job->keeper = keeper;
	job->mail.deliver = done_arrives;
	mailbox_post(thread_mailbox(keeper->thread), &job->mail);
}

struct reload {
	struct mail mail;
	struct keeper *keeper;
	const struct config *config;
};

static void reload_arrives(struct mail *mail)
{
	struct reload *reload = CONTAINER_OF(mail, struct reload, mail);
	struct keeper *keeper = reload->keeper;
	struct event event = { .kind = EVENT_CONFIG, .config = reload->config };
	struct err err = { 0 };

	config_release(keeper->config);
	keeper->config = reload->config;
	if (event_log_reopen(keeper->log, &err) < 0)
		log_error("serve", "%s", err.text);
	keeper_step(keeper, &event);
	trim_vault(keeper, keeper->config->vault.size_bytes);
	alloc_free(reload);
}

void keeper_post_reload(struct keeper *keeper, const struct config *config)
{
	struct reload *reload = alloc(sizeof *reload);

	reload->keeper = keeper;
	reload->config = config_acquire(config);
	reload->mail.deliver = reload_arrives;
	mailbox_post(thread_mailbox(keeper->thread), &reload->mail);
}

/* Questions of threads without a loop. */

struct question {
	struct wait wait;
	struct keeper *keeper;
	void (*run)(void *arg, struct queue *queue, struct actions *actions);
	void *arg;
};

static void question_arrives(struct mail *mail)
{
	struct question *question = CONTAINER_OF(CONTAINER_OF(mail, struct wait, mail),
	                                         struct question, wait);
	struct keeper *keeper = question->keeper;

	question->run(question->arg, keeper->queue, &keeper->actions);
	run_actions(keeper);
	arm_timer(keeper);
	wait_answer(&question->wait);
}

void keeper_ask(struct keeper *keeper,
                void (*run)(void *arg, struct queue *queue, struct actions *actions), void *arg)
{
	struct question question = { .keeper = keeper, .run = run, .arg = arg };

	wait_for(&question.wait, thread_mailbox(keeper->thread), question_arrives);
}

struct new_id {
	struct keeper *keeper;
	uint64_t id;
};

static void make_id(void *arg, struct queue *queue, struct actions *actions)
{
	struct new_id *made = arg;

	(void)queue;
	(void)actions;
	made->id = id_make(&made->keeper->ids, clock_now_us());
}

uint64_t keeper_new_id(struct keeper *keeper)
{
	struct new_id made = { .keeper = keeper };

	keeper_ask(keeper, make_id, &made);
	return made.id;
}

struct audit {
	struct keeper *keeper;
	const struct operation_entry *entry;
};

static void write_audit(void *arg, struct queue *queue, struct actions *actions)
{
	struct audit *audit = arg;

	(void)queue;
	(void)actions;
	event_log_operation(audit->keeper->log, audit->entry, clock_now_us());
}

void keeper_log_operation(struct keeper *keeper, const struct operation_entry *entry)
{
	struct audit audit = { keeper, entry };

	keeper_ask(keeper, write_audit, &audit);
}

struct alarm_note {
	struct keeper *keeper;
	const struct alarm_entry *entry;
};

static void write_alarm(void *arg, struct queue *queue, struct actions *actions)
{
	struct alarm_note *note = arg;

	(void)queue;
	(void)actions;
	event_log_alarm(note->keeper->log, note->entry, clock_now_us());
}

void keeper_log_alarm(struct keeper *keeper, const struct alarm_entry *entry)
{
	struct alarm_note note = { keeper, entry };

	keeper_ask(keeper, write_alarm, &note);
}

struct drain {
	struct wait wait;
	struct keeper *keeper;
};

static void drain_arrives(struct mail *mail)
{
	struct drain *drain = CONTAINER_OF(mail, struct drain, wait.mail);

	drain->keeper->is_draining = true;
	drain->keeper->drain = &drain->wait;
	keeper_end_drain(drain->keeper);
}

void keeper_drain(struct keeper *keeper)
{
	struct drain drain = { .keeper = keeper };

	wait_for(&drain.wait, thread_mailbox(keeper->thread), drain_arrives);
}

/* Start and end. */

struct loading {
	struct keeper *keeper;
	uint64_t highest_id;
};

static void load_message(void *arg, const struct message *message, struct bytes state)
{
	struct loading *loading = arg;
	struct event event = { .kind = EVENT_LOADED };

	event.added.message = message;
	event.added.state = state;
	loading->highest_id = MAX(loading->highest_id, message->id);
	queue_step(loading->keeper->queue, &event, clock_now_us(), &loading->keeper->actions);
}

static void load_note(void *arg, uint64_t key, struct bytes note)
{
	struct loading *loading = arg;
	struct event event = { .kind = EVENT_NOTE_LOADED };

	if (digests_load(loading->keeper->digests, key, note))
		return;
	event.note.key = key;
	event.note.bytes = note;
	queue_step(loading->keeper->queue, &event, clock_now_us(), &loading->keeper->actions);
}

static int load_queue(struct keeper *keeper, struct err *err)
{
	struct loading loading = { .keeper = keeper };
	struct spool_visitor visitor = { .message = load_message,
		                         .note = load_note,
		                         .arg = &loading };
	int result = spool_load(keeper->spool, &visitor, err);

	keeper->ids.node = (uint8_t)keeper->config->node;
	keeper->ids.maker = NOTICE_MAKER;
	id_raise(&keeper->ids, loading.highest_id);
	keeper->id_floor = loading.highest_id;
	return result;
}

int keeper_create(const struct keeper_options *options, struct keeper **keeper_out, struct err *err)
{
	struct keeper *keeper = alloc_zeroed(sizeof *keeper);

	keeper->config = config_acquire(options->config);
	keeper->spool = options->spool;
	keeper->worker_count = options->worker_count;
	keeper->cache = cache_create(CACHE_BYTES);
	keeper->vault = vault_create();
	keeper->notices = notices_create(keeper);
	keeper->digests = digests_create(keeper);
	list_init(&keeper->jobs);
	actions_init(&keeper->actions);
	keeper->queue = queue_create(options->config, options->worker_count, random_entropy());
	if (event_log_open(options->config->report.event_log, &keeper->log, err) < 0 ||
	    load_queue(keeper, err) < 0) {
		keeper_destroy(keeper);
		return err->code;
	}
	*keeper_out = keeper;
	return thread_start("queue", NULL, NULL, &keeper->thread, err);
}

struct mailbox *keeper_mailbox(const struct keeper *keeper)
{
	return thread_mailbox(keeper->thread);
}

uint64_t keeper_id_floor(const struct keeper *keeper)
{
	return keeper->id_floor;
}

static void flush_log(void *arg)
{
	struct keeper *keeper = arg;

	event_log_flush(keeper->log);
}

struct beginning {
	struct wait wait;
	struct keeper *keeper;
	struct worker **workers;
};

static void begin(struct mail *mail)
{
	struct beginning *beginning = CONTAINER_OF(mail, struct beginning, wait.mail);
	struct keeper *keeper = beginning->keeper;

	keeper->workers = beginning->workers;
	keeper->trend = trend_create(keeper->queue);
	digests_begin(keeper->digests);
	loop_after_turn(loop_current(), flush_log, keeper);
	run_actions(keeper);
	arm_timer(keeper);
	wait_answer(&beginning->wait);
}

void keeper_begin(struct keeper *keeper, struct worker **workers)
{
	struct beginning beginning = { .keeper = keeper, .workers = workers };

	wait_for(&beginning.wait, thread_mailbox(keeper->thread), begin);
}

void keeper_destroy(struct keeper *keeper)
{
	if (!keeper)
		return;
	thread_stop(keeper->thread);
	notices_destroy(keeper->notices);
	digests_destroy(keeper->digests);
	event_log_close(keeper->log);
	trend_destroy(keeper->trend);
	queue_destroy(keeper->queue);
	cache_destroy(keeper->cache);
	vault_destroy(keeper->vault);
	actions_deinit(&keeper->actions);
	config_release(keeper->config);
	alloc_free(keeper);
}
