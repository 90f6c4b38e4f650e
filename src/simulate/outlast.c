#include "simulate/outlast.h"
#include "base/alloc.h"
#include "base/units.h"
#include "queue/queue.h"
#include <stdio.h>

#define BEGIN_US   (1700000000LL * US_PER_SECOND) /* the world's beginning on the queue's clock */
#define LOOK_UP_US (20 * US_PER_MS)
#define NOTICE_US  US_PER_MS
#define WORKERS    2

enum outlast_kind { OUTLAST_JOB, OUTLAST_LOOK_UP, OUTLAST_NOTICE };

struct outlast {
	struct run *run;
	const struct config *config;
	struct queue *queue;
	struct actions actions;
};

static void deliver(struct outlast *self, const struct action_deliver *deliver)
{
	const struct scene *scene = run_scene(self->run);
	uint32_t mail = (uint32_t)deliver->id - 1;
	const struct scene_domain *domain = &scene->domains[scene->mails[mail].domain];
	struct net_try attempt = { .mail = mail,
		                   .connect_timeout_us = self->config->deliver.connect_timeout_us };

	for (int i = 0; i < domain->record_count; i++) {
		const struct scene_records *records = &domain->records[i];

		if (!records->route || records->route->hash != deliver->route->hash)
			continue;
		attempt.hosts = records->hosts;
		attempt.host_count = records->host_count;
	}
	run_try(self->run, &attempt, deliver->job, OUTLAST_JOB);
}

static void look_up(struct outlast *self, struct bytes name)
{
	const struct scene *scene = run_scene(self->run);
	const struct scene_domain *domain = scene_find_domain(scene, name);

	run_wait(self->run, LOOK_UP_US, 0, (uint64_t)(domain - scene->domains), OUTLAST_LOOK_UP);
}

static void settle(struct outlast *self, const struct log_entry *log)
{
	uint32_t mail = (uint32_t)log->id - 1;

	if (log->kind == LOGGED_DELIVERED)
		run_settle(self->run, mail, FATE_DELIVERED);
	else if (log->kind == LOGGED_FAILED)
		run_settle(self->run, mail, FATE_FAILED);
	else if (log->kind == LOGGED_EXPIRED)
		run_settle(self->run, mail, FATE_EXPIRED);
}

static void carry_out(struct outlast *self, const struct action *action)
{
	if (action->kind == ACTION_DELIVER)
		deliver(self, &action->deliver);
	else if (action->kind == ACTION_LOOK_UP)
		look_up(self, action->domain);
	else if (action->kind == ACTION_LOG)
		settle(self, &action->log);
	else if (action->kind == ACTION_NOTICE)
		run_wait(self->run, NOTICE_US, (uint32_t)action->notice.id - 1,
		         action->notice.number, OUTLAST_NOTICE);
}

static void step(struct outlast *self, const struct event *event)
{
	queue_step(self->queue, event, BEGIN_US + run_now_us(self->run), &self->actions);
	for (size_t i = 0; i < self->actions.count; i++)
		carry_out(self, &self->actions.items[i]);
	actions_clear(&self->actions);
}

static void *create(struct run *run, const void *settings)
{
	struct outlast *self = alloc_zeroed(sizeof *self);

	self->run = run;
	self->config = config_acquire(settings);
	self->queue = queue_create(self->config, WORKERS, run_scene(run)->seed);
	actions_init(&self->actions);
	return self;
}

static void destroy(void *arg)
{
	struct outlast *self = arg;

	queue_destroy(self->queue);
	actions_deinit(&self->actions);
	config_release(self->config);
	alloc_free(self);
}

static void accept_mail(void *arg, uint32_t index)
{
	struct outlast *self = arg;
	const struct scene *scene = run_scene(self->run);
	const struct mail *mail = &scene->mails[index];
	char sender[48], recipient[MESSAGE_ADDRESS_MAX + 1];
	struct recipient_address address = { 0 };
	struct message message = { .id = index + 1,
		                   .arrived_us = BEGIN_US + mail->arrived_us,
		                   .recipients = &address,
		                   .recipient_count = 1,
		                   .priority = mail->priority };
	struct event event = { .kind = EVENT_ADDED, .added.message = &message };

	snprintf(sender, sizeof sender, "s%u@sender.test", mail->sender);
	snprintf(recipient, sizeof recipient, "m%u@%.*s", mail->mailbox,
	         BYTES_FORMAT(scene->domains[mail->domain].name));
	message.sender = bytes_of(sender);
	address.address = bytes_of(recipient);
	message.body.size_bytes = mail->size_bytes;
	step(self, &event);
}

static void finish_job(struct outlast *self, const struct pending *pending)
{
	struct outcome outcome = { .result = RESULT_DELIVERED, .code = 250 };
	struct event event = { .kind = EVENT_JOB_DONE,
		               .job_done = { .job = pending->tag,
		                             .was_attempted = true,
		                             .outcomes = &outcome,
		                             .outcome_count = 1 } };

	if (pending->answer.outcome)
		outcome = *pending->answer.outcome;
	if (pending->answer.host >= 0)
		snprintf(outcome.host, sizeof outcome.host, "%s",
		         run_scene(self->run)->hosts[pending->answer.host].name);
	step(self, &event);
}

static void finish_look_up(struct outlast *self, const struct pending *pending)
{
	static const enum route_result results[] = {
		[SCENE_FOUND] = ROUTE_FOUND,
		[SCENE_NXDOMAIN] = ROUTE_NO_DOMAIN,
		[SCENE_SERVFAIL] = ROUTE_TEMPORARY,
		[SCENE_NO_ANSWER] = ROUTE_TEMPORARY,
	};
	uint32_t domain = (uint32_t)pending->tag;
	int64_t until_us;
	const struct scene_records *records = net_look_up(run_net(self->run), domain,
	                                                  run_now_us(self->run), &until_us);
	struct event event = { .kind = EVENT_ROUTE,
		               .route = { .domain = run_scene(self->run)->domains[domain].name,
		                          .result = results[records->dns],
		                          .route = records->route,
		                          .valid_until_us = BEGIN_US + until_us,
		                          .status = "5.1.2",
		                          .text = "as the world file has it" } };

	step(self, &event);
}

static void finish(void *arg, const struct pending *pending)
{
	struct outlast *self = arg;
	struct event event = {
		.kind = EVENT_NOTICE_DONE,
		.notice_done = { .id = pending->mail + 1, .notice = pending->tag, .is_done = true }
	};

	if (pending->kind == OUTLAST_JOB)
		finish_job(self, pending);
	else if (pending->kind == OUTLAST_LOOK_UP)
		finish_look_up(self, pending);
	else
		step(self, &event);
}

static void tick(void *arg)
{
	struct event event = { .kind = EVENT_TIME };

	step(arg, &event);
}

static int64_t next_us(const void *arg)
{
	const struct outlast *self = arg;
	int64_t next = queue_next_us(self->queue);

	return next == INT64_MAX ? next : next - BEGIN_US;
}

const struct policy outlast_policy = { .name = "outlast",
	                               .create = create,
	                               .destroy = destroy,
	                               .accept = accept_mail,
	                               .finish = finish,
	                               .tick = tick,
	                               .next_us = next_us };
