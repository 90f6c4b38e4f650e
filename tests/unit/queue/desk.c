#include "unit/queue/desk.h"
#include "support/check.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define START_US (1700000000LL * US_PER_SECOND)

void desk_open(struct desk *desk, const char *config_text)
{
	struct buffer problems = { 0 };

	*desk = (struct desk){ .now_us = START_US, .next_id = 1 };
	config_parse("test", bytes_of(config_text), &desk->config, &problems);
	CHECK_BYTES("config", buffer_bytes(&problems), bytes_of(""));
	if (!desk->config)
		abort();
	buffer_deinit(&problems);
	desk->arena = arena_create(0);
	actions_init(&desk->actions);
	desk->queue = queue_create(desk->config, 2, 7);
}

void desk_close(struct desk *desk)
{
	queue_destroy(desk->queue);
	actions_deinit(&desk->actions);
	arena_destroy(desk->arena);
	config_release(desk->config);
}

void desk_restart(struct desk *desk)
{
	queue_destroy(desk->queue);
	desk->queue = queue_create(desk->config, 2, 8);
	actions_clear(&desk->actions);
}

void desk_step(struct desk *desk, const struct event *event)
{
	actions_clear(&desk->actions);
	queue_step(desk->queue, event, desk->now_us, &desk->actions);
}

void desk_load(struct desk *desk, const struct message *message, struct bytes state)
{
	struct event event = { .kind = EVENT_LOADED };

	event.added.message = message;
	event.added.state = state;
	desk_step(desk, &event);
}

void desk_load_note(struct desk *desk, uint64_t key, struct bytes note)
{
	struct event event = { .kind = EVENT_NOTE_LOADED };

	event.note.key = key;
	event.note.bytes = note;
	desk_step(desk, &event);
}

struct message *desk_message(struct desk *desk, const char *sender, const char *to)
{
	struct message *message = message_create();
	struct bytes rest = bytes_of(to);

	message->id = desk->next_id++;
	message->arrived_us = desk->now_us;
	message->sender = arena_copy(message->arena, bytes_of(sender));
	message->recipients = arena_alloc(message->arena, 64 * sizeof *message->recipients);
	while (rest.len > 0)
		message->recipients[message->recipient_count++].address = arena_copy(
			message->arena, bytes_split(&rest, ' '));
	return message;
}

void desk_add(struct desk *desk, struct message *message)
{
	struct event event = { .kind = EVENT_ADDED };

	event.added.message = message;
	desk_step(desk, &event);
	message_release(message);
}

uint64_t desk_send(struct desk *desk, const char *to)
{
	desk_add(desk, desk_message(desk, "a@out.test", to));
	return desk->next_id - 1;
}

void desk_route(struct desk *desk, const char *domain, const char *host)
{
	struct event event = { .kind = EVENT_ROUTE };
	struct route_host hosts = { .preference = 10 };
	struct route *route;

	snprintf(hosts.name, sizeof hosts.name, "%s", host);
	route = route_create(&hosts, 1, 25, false);
	event.route.domain = bytes_of(domain);
	event.route.route = route;
	event.route.valid_until_us = desk->now_us + US_PER_HOUR;
	desk_step(desk, &event);
	route_release(route);
}

void desk_no_route(struct desk *desk, const char *domain, enum route_result result)
{
	struct event event = { .kind = EVENT_ROUTE };

	event.route.domain = bytes_of(domain);
	event.route.result = result;
	event.route.valid_until_us = desk->now_us + US_PER_MINUTE;
	event.route.status = "5.1.2";
	event.route.text = "DNS said no";
	desk_step(desk, &event);
}

void desk_done(struct desk *desk, uint64_t job, struct outcome outcome)
{
	struct event event = { .kind = EVENT_JOB_DONE };
	static struct outcome outcomes[64];

	for (size_t i = 0; i < COUNT(outcomes); i++)
		outcomes[i] = outcome;
	event.job_done.job = job;
	event.job_done.was_attempted = true;
	event.job_done.outcomes = outcomes;
	event.job_done.outcome_count = COUNT(outcomes);
	desk_step(desk, &event);
}

void desk_notice_done(struct desk *desk, uint64_t number, bool is_done)
{
	struct event event = { .kind = EVENT_NOTICE_DONE };

	event.notice_done.notice = number;
	event.notice_done.is_done = is_done;
	desk_step(desk, &event);
}

void desk_command(struct desk *desk, enum command_kind kind, uint64_t id, const char *domain)
{
	struct event event = { .kind = EVENT_COMMAND };

	event.command.kind = kind;
	event.command.id = id;
	event.command.domain = bytes_of(domain);
	event.command.extension_us = US_PER_HOUR;
	event.command.reason = "maintenance";
	desk_step(desk, &event);
}

void desk_wait(struct desk *desk, int64_t us)
{
	struct event event = { .kind = EVENT_TIME };
	int64_t end_us = desk->now_us + us;

	actions_clear(&desk->actions);
	while (queue_next_us(desk->queue) <= end_us) {
		desk->now_us = MAX(desk->now_us, queue_next_us(desk->queue));
		queue_step(desk->queue, &event, desk->now_us, &desk->actions);
	}
	desk->now_us = end_us;
	queue_step(desk->queue, &event, desk->now_us, &desk->actions);
}

int desk_count(const struct desk *desk, enum action_kind kind)
{
	int count = 0;

	for (size_t i = 0; i < desk->actions.count; i++)
		count += desk->actions.items[i].kind == kind;
	return count;
}

const struct action *desk_find(const struct desk *desk, enum action_kind kind)
{
	for (size_t i = desk->actions.count; i > 0; i--) {
		if (desk->actions.items[i - 1].kind == kind)
			return &desk->actions.items[i - 1];
	}
	return NULL;
}

uint64_t desk_job(const struct desk *desk)
{
	const struct action *action = desk_find(desk, ACTION_DELIVER);

	return action ? action->deliver.job : 0;
}

int desk_logged(const struct desk *desk, enum log_kind kind)
{
	int count = 0;

	for (size_t i = 0; i < desk->actions.count; i++)
		count += desk->actions.items[i].kind == ACTION_LOG &&
		         desk->actions.items[i].log.kind == kind;
	return count;
}

struct recipient_view desk_view(struct desk *desk, uint64_t id, uint32_t recipient)
{
	struct message_view view;

	if (!queue_view_message(desk->queue, id, desk->now_us, desk->arena, &view))
		return (struct recipient_view){ .state = RECIPIENT_STATES };
	return view.recipients[recipient];
}

struct site_view desk_site(struct desk *desk, const char *domain)
{
	struct destination_view view;

	if (!queue_view_destination(desk->queue, bytes_of(domain), desk->now_us, &view))
		return (struct site_view){ 0 };
	return view.site;
}

struct bytes desk_kept(struct desk *desk, struct bytes data)
{
	return arena_copy(desk->arena, data);
}

struct outcome outcome_delivered(void)
{
	return (struct outcome){ .result = RESULT_DELIVERED, .code = 250 };
}

struct outcome outcome_deferred(enum cause cause)
{
	return (struct outcome){ .result = RESULT_DEFERRED, .cause = cause, .code = 450 };
}

struct outcome outcome_failed(void)
{
	return (struct outcome){ .result = RESULT_FAILED, .code = 550 };
}

struct outcome outcome_site(enum cause cause)
{
	return (struct outcome){ .result = RESULT_DEFERRED, .cause = cause, .scope = SCOPE_SITE };
}
