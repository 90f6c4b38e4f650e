#include "simulation/world.h"
#include "base/alloc.h"
#include "base/units.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define START_US    (1700000000LL * US_PER_SECOND)
#define CONNECTIONS 3
#define STOPPED_US  US_PER_SECOND /* a deadline that moved is looked at again this often */

#define CONFIG_FORMAT                                                                         \
	"deliver { connections 8; }\n"                                                        \
	"defaults { schedule 20s 1m 3m; lifetime %s; notice_lifetime 10m; delay_notice 4m;\n" \
	"  connections 3; recipients_per_message 2; probe 5s 10s 30s; failures_to_close 1;\n" \
	"  rate 6/1m; }\n"                                                                    \
	"destination d1.test { failures_to_close 3; lifetime 5m;\n"                           \
	"  not_counted held own_limit suspended own_fault; }\n"                               \
	"destination d2.test { connections 1; }\n"

#define EXPECT(world, condition)                                                       \
	do {                                                                           \
		if (!(condition)) {                                                    \
			fprintf(stderr, "%s:%d: %s: not so: %s\n", __FILE__, __LINE__, \
			        (world)->name, #condition);                            \
			abort();                                                       \
		}                                                                      \
	} while (0)

static uint64_t dice(struct world *world, uint64_t sides)
{
	return random_below(&world->random, sides);
}

static struct bytes domain_name(int index, char out[16])
{
	snprintf(out, 16, "d%d.test", index);
	return bytes_of(out);
}

static int domain_index(struct bytes domain)
{
	return atoi(domain.at + 1);
}

static struct config *make_config(struct world *world, const char *lifetime)
{
	struct buffer text = { 0 }, problems = { 0 };
	struct config *config = NULL;

	buffer_printf(&text, CONFIG_FORMAT, lifetime);
	config_parse("world", buffer_bytes(&text), &config, &problems);
	EXPECT(world, config);
	buffer_deinit(&text);
	buffer_deinit(&problems);
	return config;
}

static struct route *make_route(int index)
{
	struct route_host host = { .preference = 10 };

	snprintf(host.name, sizeof host.name, "mx%d.test", index);
	return route_create(&host, 1, 25, false);
}

void world_init(struct world *world, const char *name, uint64_t seed)
{
	*world = (struct world){ .name = name, .now_us = START_US };
	random_seed(&world->random, seed);
	world->config = make_config(world, "20m");
	world->other_config = make_config(world, "9m");
	actions_init(&world->actions);
	world->queue = queue_create(world->config, 2, seed);
	for (int i = 0; i < WORLD_SITES; i++)
		world->routes[i] = make_route(i);
	for (int i = 0; i < WORLD_DOMAINS; i++)
		world->route_of[i] = (int)dice(world, WORLD_SITES);
}

void world_deinit(struct world *world)
{
	for (uint32_t i = 0; i < world->message_count; i++) {
		message_release(world->messages[i].message);
		buffer_deinit(&world->messages[i].state);
	}
	for (int i = 0; i < WORLD_NOTES; i++)
		buffer_deinit(&world->notes[i].bytes);
	for (int i = 0; i < WORLD_SITES; i++)
		route_release(world->routes[i]);
	queue_destroy(world->queue);
	actions_deinit(&world->actions);
	config_release(world->config);
	config_release(world->other_config);
}

/* Messages have the ids 1, 2, 3 ... */
static struct world_message *message_of(struct world *world, uint64_t id)
{
	EXPECT(world, id >= 1 && id <= world->message_count);
	return &world->messages[id - 1];
}

static void remember(struct world *world, const void *data, size_t len)
{
	world->hash = bytes_hash((struct bytes){ data, len }, world->hash);
}

/* Checks of what the queue wants done. */

/* Never more than the rate permits in any minute, restarts included. */
static void check_rate(struct world *world, uint64_t site)
{
	for (int i = 0; i < WORLD_SITES; i++) {
		int64_t *oldest = &world->starts[i][world->start_count[i] % WORLD_RATE];

		if (world->routes[i]->hash != site)
			continue;
		EXPECT(world, *oldest == 0 || world->now_us - *oldest >= US_PER_MINUTE);
		*oldest = world->now_us;
		world->start_count[i]++;
	}
}

static void check_slots(struct world *world, const struct action_deliver *deliver)
{
	uint32_t busy = 0;

	for (uint32_t i = 0; i < world->job_count; i++) {
		const struct world_job *other = &world->jobs[i];

		if (other->site != deliver->slot.site)
			continue;
		busy++;
		EXPECT(world, other->slot != deliver->slot.index);
		EXPECT(world, !(other->is_probe && deliver->is_probe));
	}
	check_rate(world, deliver->slot.site);
	EXPECT(world, busy < CONNECTIONS && deliver->slot.index < CONNECTIONS);
	EXPECT(world, world->job_count < 8);
	EXPECT(world, deliver->slot.worker < 2);
}

static void expect_live(struct world *world, struct world_recipient *recipient)
{
	if (recipient->is_unwritten)
		recipient->fate = FATE_LIVE;
	recipient->is_unwritten = false;
	EXPECT(world, recipient->fate == FATE_LIVE && !recipient->is_in_job);
}

static void take_deliver(struct world *world, const struct action_deliver *deliver)
{
	struct world_message *message = message_of(world, deliver->id);
	struct world_job *job = &world->jobs[world->job_count];

	EXPECT(world, message->message && world->now_us < deliver->deadline_us);
	EXPECT(world, world->now_us >= message->message->release_us);
	EXPECT(world, deliver->recipient_count >= 1 && deliver->recipient_count <= 2);
	check_slots(world, deliver);
	*job = (struct world_job){ .job = deliver->job,
		                   .site = deliver->slot.site,
		                   .slot = deliver->slot.index,
		                   .is_probe = deliver->is_probe,
		                   .message = (uint32_t)deliver->id - 1,
		                   .count = deliver->recipient_count };
	for (uint32_t i = 0; i < deliver->recipient_count; i++) {
		uint32_t index = deliver->recipients[i];
		struct world_recipient *recipient = &message->recipients[index];

		EXPECT(world, index < message->message->recipient_count);
		EXPECT(world,
		       bytes_equal(deliver->domain,
		                   message_domain(message->message->recipients[index].address)));
		expect_live(world, recipient);
		recipient->is_in_job = true;
		job->recipients[i] = index;
		remember(world, &index, sizeof index);
	}
	remember(world, &deliver->id, sizeof deliver->id);
	remember(world, &deliver->slot.index, sizeof deliver->slot.index);
	world->job_count++;
}

static void take_notice(struct world *world, const struct notice *notice)
{
	struct world_message *message = message_of(world, notice->id);
	struct world_notice *kept = &world->notices[world->notice_count++];

	EXPECT(world, message->message && notice->count > 0);
	EXPECT(world, world->notice_count < WORLD_PENDING);
	*kept = (struct world_notice){ .number = notice->number,
		                       .message = (uint32_t)notice->id - 1,
		                       .kind = notice->kind,
		                       .count = notice->count };
	for (uint32_t i = 0; i < notice->count; i++) {
		uint32_t index = notice->recipients[i].recipient;
		enum fate fate = message->recipients[index].fate;

		kept->recipients[i] = index;
		EXPECT(world, message->message->recipients[index].notify != NOTIFY_NEVER);
		if (notice->kind == NOTICE_DELAY)
			EXPECT(world, message->message->sender.len > 0);
		else
			EXPECT(world, fate == FATE_FAILED || fate == FATE_EXPIRED);
	}
	remember(world, &notice->id, sizeof notice->id);
}

static bool needs_notice(const struct world_message *message, uint32_t index)
{
	uint8_t notify = message->message->recipients[index].notify;
	enum fate fate = message->recipients[index].fate;

	return (fate == FATE_FAILED || fate == FATE_EXPIRED) &&
	       (notify == 0 || (notify & NOTIFY_FAILURE));
}

static void take_remove(struct world *world, uint64_t id)
{
	struct world_message *message = message_of(world, id);

	EXPECT(world, message->message);
	for (uint32_t i = 0; i < message->message->recipient_count; i++) {
		EXPECT(world, message->recipients[i].fate != FATE_LIVE);
		EXPECT(world, !message->recipients[i].is_in_job);
		EXPECT(world, !needs_notice(message, i) || message->recipients[i].is_notice_done);
	}
	message_release(message->message);
	message->message = NULL;
	buffer_deinit(&message->state);
	world->live_count--;
	remember(world, &id, sizeof id);
}

/* Kept, for not all of it was delivered; for the queue it is over. */
static void take_vault(struct world *world, const struct action_vault *vault)
{
	struct world_message *message = message_of(world, vault->id);
	bool is_undelivered = false;

	EXPECT(world, message->message && vault->ended_us <= world->now_us);
	for (uint32_t i = 0; i < message->message->recipient_count; i++)
		if (message->recipients[i].fate == FATE_EXPIRED ||
		    message->recipients[i].fate == FATE_CANCELLED)
			is_undelivered = true;
	EXPECT(world, is_undelivered);
	take_remove(world, vault->id);
}

static void take_note(struct world *world, uint64_t key, struct bytes bytes)
{
	struct world_note *free_note = NULL;

	for (int i = 0; i < WORLD_NOTES; i++) {
		struct world_note *note = &world->notes[i];

		if (note->bytes.len > 0 && note->key == key)
			buffer_clear(&note->bytes);
		if (note->bytes.len == 0 && !free_note)
			free_note = note;
	}
	EXPECT(world, free_note && bytes.len < 65536);
	free_note->key = key;
	buffer_append(&free_note->bytes, bytes);
	remember(world, bytes.at, bytes.len);
}

static void take_log(struct world *world, const struct log_entry *log)
{
	static const enum fate fates[] = { [LOGGED_DELIVERED] = FATE_DELIVERED,
		                           [LOGGED_FAILED] = FATE_FAILED,
		                           [LOGGED_EXPIRED] = FATE_EXPIRED,
		                           [LOGGED_CANCELLED] = FATE_CANCELLED };
	struct world_recipient *recipient;
	int64_t seconds = 0;

	if (log->kind < LOGGED_DELIVERED || log->kind > LOGGED_CANCELLED)
		return;
	recipient = &message_of(world, log->id)->recipients[log->recipient];
	expect_live(world, recipient);
	recipient->fate = fates[log->kind];
	for (int cause = 0; cause < CAUSE_COUNT; cause++)
		seconds += log->ledger.seconds[cause];
	EXPECT(world, seconds == log->age_us / US_PER_SECOND);
}

static void take_record(struct world *world, uint64_t id, struct bytes state)
{
	struct world_message *message = message_of(world, id);

	EXPECT(world, message->message && state.len > 0);
	buffer_clear(&message->state);
	buffer_append(&message->state, state);
	remember(world, state.at, state.len);
}

static void take_look_up(struct world *world, struct bytes domain)
{
	int index = domain_index(domain);

	EXPECT(world, !world->look_ups[index]);
	world->look_ups[index] = 1;
	remember(world, domain.at, domain.len);
}

static void take_action(struct world *world, const struct action *action)
{
	switch (action->kind) {
	case ACTION_LOOK_UP:
		take_look_up(world, action->domain);
		return;
	case ACTION_DELIVER:
		take_deliver(world, &action->deliver);
		return;
	case ACTION_RECORD:
		take_record(world, action->record.id, action->record.state);
		return;
	case ACTION_REMOVE:
		take_remove(world, action->record.id);
		return;
	case ACTION_VAULT:
		take_vault(world, &action->vault);
		return;
	case ACTION_NOTICE:
		take_notice(world, &action->notice);
		return;
	case ACTION_NOTE:
		take_note(world, action->note.key, action->note.bytes);
		return;
	case ACTION_LOG:
		take_log(world, &action->log);
		return;
	}
}

void world_step(struct world *world, const struct event *event)
{
	world->event_count++;
	queue_step(world->queue, event, world->now_us, &world->actions);
	for (size_t i = 0; i < world->actions.count; i++)
		take_action(world, &world->actions.items[i]);
	actions_clear(&world->actions);
}

void world_advance(struct world *world, int64_t us)
{
	struct event time = { .kind = EVENT_TIME };
	int64_t end_us = world->now_us + us;

	for (int steps = 0; queue_next_us(world->queue) <= end_us; steps++) {
		EXPECT(world, steps < 100000);
		world->now_us = MAX(world->now_us, queue_next_us(world->queue));
		world_step(world, &time);
	}
	world->now_us = end_us;
	world_step(world, &time);
}

/* What can happen. */

static void set_recipients(struct world *world, struct message *message)
{
	static const uint8_t notifies[] = {
		0, 0, 0, NOTIFY_NEVER, NOTIFY_FAILURE, NOTIFY_FAILURE | NOTIFY_DELAY, NOTIFY_SUCCESS
	};
	char domain[16];

	message->recipient_count = (uint32_t)dice(world, WORLD_RECIPIENTS) + 1;
	message->recipients = arena_alloc(message->arena,
	                                  message->recipient_count * sizeof *message->recipients);
	for (uint32_t i = 0; i < message->recipient_count; i++) {
		domain_name((int)dice(world, WORLD_DOMAINS), domain);
		message->recipients[i].address = bytes_of(
			arena_printf(message->arena, "r%u@%s", i, domain));
		message->recipients[i].notify = notifies[dice(world, COUNT(notifies))];
	}
}

static void add_message(struct world *world)
{
	struct world_message *kept = &world->messages[world->message_count];
	struct event event = { .kind = EVENT_ADDED };
	struct message *message;

	if (world->message_count == WORLD_MESSAGES)
		return;
	message = kept->message = message_create();
	message->id = ++world->message_count;
	message->arrived_us = world->now_us - (int64_t)dice(world, 3000000);
	message->sender = dice(world, 5) ? BYTES_LITERAL("a@out.test") : (struct bytes){ 0 };
	message->priority = (int8_t)((int)dice(world, 3) - 1);
	message->flags = dice(world, 6) ? 0 : MESSAGE_IS_AUTOMATIC;
	if (dice(world, 10) == 0) {
		message->deliver_by_us = world->now_us + (int64_t)dice(world, 5 * US_PER_MINUTE);
		message->flags |= dice(world, 2) ? MESSAGE_BY_NOTIFY : 0;
	}
	if (dice(world, 10) == 0)
		message->release_us = world->now_us + (int64_t)dice(world, 4 * US_PER_MINUTE);
	set_recipients(world, message);
	world->live_count++;
	event.added.message = message;
	world_step(world, &event);
}

static struct outcome random_outcome(struct world *world, int mood)
{
	static const enum cause causes[] = { CAUSE_GREYLISTED, CAUSE_MAILBOX_FULL,
		                             CAUSE_MAILBOX_BUSY, CAUSE_POLICY, CAUSE_SOFT_OTHER };
	struct outcome outcome = { .result = RESULT_DELIVERED };

	if (mood == 1 && dice(world, 4) == 0) {
		outcome.result = RESULT_DEFERRED;
		outcome.scope = SCOPE_SITE;
		outcome.cause = CAUSE_RATE_LIMITED;
		outcome.phase = dice(world, 2) ? PHASE_GREETING : PHASE_MAIL;
		outcome.hint_s = dice(world, 2) ? 0 : (int)dice(world, 60);
		return outcome;
	}
	if (mood == 1) {
		outcome.result = RESULT_DEFERRED;
		outcome.scope = SCOPE_SITE;
		outcome.cause = dice(world, 3) ? CAUSE_HOST_DOWN : CAUSE_HOST_BUSY;
		return outcome;
	}
	if (world->is_kind || dice(world, 3))
		return outcome;
	outcome.result = dice(world, 4) ? RESULT_DEFERRED : RESULT_FAILED;
	if (dice(world, 12) == 0)
		outcome.result = RESULT_NONE;
	if (outcome.result == RESULT_DEFERRED)
		outcome.cause = causes[dice(world, COUNT(causes))];
	outcome.scope = dice(world, 10) ? SCOPE_RECIPIENT : SCOPE_SITE;
	outcome.hint_s = dice(world, 5) ? 0 : (int)dice(world, 300);
	return outcome;
}

static int mood_of(const struct world *world, uint64_t site)
{
	for (int i = 0; i < WORLD_SITES; i++) {
		if (world->routes[i]->hash == site)
			return world->mood[i];
	}
	return 0;
}

static void answer_job(struct world *world)
{
	uint32_t place = (uint32_t)dice(world, MAX(1, world->job_count));
	struct outcome outcomes[WORLD_RECIPIENTS] = { 0 };
	struct event event = { .kind = EVENT_JOB_DONE };
	struct world_job job;

	if (world->job_count == 0)
		return;
	job = world->jobs[place];
	world->jobs[place] = world->jobs[--world->job_count];
	for (uint32_t i = 0; i < job.count; i++) {
		outcomes[i] = random_outcome(world, mood_of(world, job.site));
		world->messages[job.message].recipients[job.recipients[i]].is_in_job = false;
	}
	event.job_done.job = job.job;
	event.job_done.was_attempted = world->is_kind || dice(world, 20) != 0;
	event.job_done.outcomes = outcomes;
	event.job_done.outcome_count = job.count;
	world_step(world, &event);
}

static void answer_look_up(struct world *world, int domain)
{
	struct event event = { .kind = EVENT_ROUTE };
	int route = world->route_of[domain];
	char name[16];

	if (!world->look_ups[domain])
		return;
	world->look_ups[domain] = 0;
	event.route.domain = domain_name(domain, name);
	event.route.valid_until_us = world->now_us + (int64_t)dice(world, 3 * US_PER_MINUTE);
	event.route.text = "answer";
	event.route.status = "5.1.2";
	event.route.result = route >= 0    ? ROUTE_FOUND
	                     : route == -1 ? ROUTE_TEMPORARY
	                     : route == -2 ? ROUTE_NO_DOMAIN
	                                   : ROUTE_NULL_MX;
	event.route.route = route >= 0 ? world->routes[route] : NULL;
	world_step(world, &event);
}

static void answer_notice(struct world *world)
{
	uint32_t place = (uint32_t)dice(world, MAX(1, world->notice_count));
	struct event event = { .kind = EVENT_NOTICE_DONE };
	struct world_notice notice;

	if (world->notice_count == 0)
		return;
	notice = world->notices[place];
	world->notices[place] = world->notices[--world->notice_count];
	event.notice_done.id = notice.message + 1;
	event.notice_done.notice = notice.number;
	event.notice_done.is_done = world->is_kind || dice(world, 4) != 0;
	for (uint32_t i = 0; i < notice.count; i++) {
		if (notice.kind == NOTICE_FAILURE && event.notice_done.is_done)
			world->messages[notice.message]
				.recipients[notice.recipients[i]]
				.is_notice_done = true;
	}
	world_step(world, &event);
}

static void give_command(struct world *world)
{
	struct event event = { .kind = EVENT_COMMAND };
	struct filter filter = { 0 };
	char name[16];

	domain_name((int)dice(world, WORLD_DOMAINS), name);
	event.command.kind = (enum command_kind)dice(world, COMMAND_RESUME + 1);
	event.command.recipient = (uint32_t)dice(world, WORLD_RECIPIENTS);
	event.command.extension_us = ((int64_t)dice(world, 20) - 8) * US_PER_MINUTE +
	                             (int64_t)dice(world, 999999);
	event.command.reason = "because";
	if (event.command.kind == COMMAND_SUSPEND || event.command.kind == COMMAND_RESUME)
		event.command.domain = dice(world, 5) ? bytes_of(name) : (struct bytes){ 0 };
	else if (dice(world, 3) && world->message_count > 0)
		event.command.id = dice(world, world->message_count) + 1;
	filter.destination = bytes_of(name);
	filter.has_cause = dice(world, 2);
	filter.cause = (enum cause)dice(world, CAUSE_COUNT);
	event.command.filter = &filter;
	world_step(world, &event);
}

static void load_notes(struct world *world)
{
	for (int i = 0; i < WORLD_NOTES; i++) {
		struct event event = { .kind = EVENT_NOTE_LOADED };

		if (world->notes[i].bytes.len == 0)
			continue;
		event.note.key = world->notes[i].key;
		event.note.bytes = buffer_bytes(&world->notes[i].bytes);
		world_step(world, &event);
	}
}

/* What was under way is lost; who was over, but is owed a notice, may come to life again. */
static void forget_unwritten(struct world_message *message)
{
	for (uint32_t i = 0; i < message->message->recipient_count; i++) {
		struct world_recipient *recipient = &message->recipients[i];

		recipient->is_in_job = false;
		if (needs_notice(message, i) && !recipient->is_notice_done)
			recipient->is_unwritten = true;
	}
}

void world_restart(struct world *world)
{
	struct event time = { .kind = EVENT_TIME };

	queue_destroy(world->queue);
	world->queue = queue_create(world->config, 2, random_next(&world->random));
	world->job_count = world->notice_count = 0;
	memset(world->look_ups, 0, sizeof world->look_ups);
	if (dice(world, 2))
		world->now_us += (int64_t)dice(world, US_PER_MINUTE);
	load_notes(world);
	for (uint32_t i = 0; i < world->message_count; i++) {
		struct event event = { .kind = EVENT_LOADED };
		struct buffer state = { 0 };

		if (!world->messages[i].message)
			continue;
		buffer_append(&state, buffer_bytes(&world->messages[i].state));
		event.added.message = world->messages[i].message;
		event.added.state = buffer_bytes(&state);
		forget_unwritten(&world->messages[i]);
		world_step(world, &event);
		buffer_deinit(&state);
	}
	world_step(world, &time);
}

static void change_config(struct world *world)
{
	struct event event = { .kind = EVENT_CONFIG, .config = world->other_config };

	world->other_config = world->config;
	world->config = (struct config *)(uintptr_t)event.config;
	world_step(world, &event);
}

static void change_world(struct world *world)
{
	if (dice(world, 20) == 0)
		change_config(world);
	world->mood[dice(world, WORLD_SITES)] = dice(world, 3) ? 0 : 1;
	world->route_of[dice(world, WORLD_DOMAINS)] = (int)dice(world, WORLD_SITES + 3) - 3;
}

void world_do_something(struct world *world)
{
	uint64_t choice = dice(world, 100);

	if (choice < 25)
		add_message(world);
	else if (choice < 55)
		answer_job(world);
	else if (choice < 70)
		answer_look_up(world, (int)dice(world, WORLD_DOMAINS));
	else if (choice < 78)
		answer_notice(world);
	else if (choice < 92)
		world_advance(world, (int64_t)dice(world, 30 * US_PER_SECOND));
	else if (choice < 95)
		give_command(world);
	else
		change_world(world);
}

void world_finish(struct world *world)
{
	struct event resume = { .kind = EVENT_COMMAND };
	struct filter everything = { 0 };
	char name[16];

	world->is_kind = true;
	memset(world->mood, 0, sizeof world->mood);
	resume.command.kind = COMMAND_RELEASE;
	resume.command.filter = &everything;
	world_step(world, &resume);
	resume.command.kind = COMMAND_RESUME;
	world_step(world, &resume);
	for (int i = 0; i < WORLD_DOMAINS; i++) {
		resume.command.domain = domain_name(i, name);
		world_step(world, &resume);
	}
	for (int round = 0; round < 500 && world->live_count > 0; round++) {
		while (world->job_count > 0)
			answer_job(world);
		for (int i = 0; i < WORLD_DOMAINS; i++)
			answer_look_up(world, i);
		while (world->notice_count > 0)
			answer_notice(world);
		world_advance(world, 30 * US_PER_SECOND);
		world_check(world);
	}
	EXPECT(world, world->live_count == 0 && queue_count(world->queue) == 0);
}

/* Checks of what the queue shows. */

static void check_message(struct world *world, struct arena *arena, uint64_t id)
{
	struct world_message *kept = message_of(world, id);
	struct message_view view;

	EXPECT(world, queue_view_message(world->queue, id, world->now_us, arena, &view));
	for (uint32_t i = 0; i < view.recipient_count; i++) {
		const struct recipient_view *recipient = &view.recipients[i];
		int64_t seconds = 0;
		bool is_waiting = recipient->state == RECIPIENT_QUEUED ||
		                  recipient->state == RECIPIENT_HELD;

		EXPECT(world,
		       (recipient->state == RECIPIENT_DELIVERING) == kept->recipients[i].is_in_job);
		if (kept->recipients[i].fate != FATE_LIVE)
			continue;
		EXPECT(world, is_waiting || kept->recipients[i].is_in_job);
		EXPECT(world, !is_waiting || recipient->deadline_us > world->now_us - STOPPED_US);
		for (int cause = 0; cause < CAUSE_COUNT; cause++)
			seconds += recipient->ledger.seconds[cause];
		EXPECT(world, seconds == (world->now_us - view.arrived_us) / US_PER_SECOND);
	}
}

struct sums {
	uint64_t counts[RECIPIENT_STATES], by_cause[CAUSE_COUNT];
};

static void add_destination(void *arg, const struct destination_view *view)
{
	struct sums *sums = arg;

	for (int i = 0; i < RECIPIENT_STATES; i++)
		sums->counts[i] += view->counts[i];
	for (int i = 0; i < CAUSE_COUNT; i++)
		sums->by_cause[i] += view->by_cause[i];
}

static void check_counters(struct world *world)
{
	struct queue_totals totals;
	struct sums sums = { 0 };
	uint64_t causes = 0;

	queue_totals(world->queue, &totals);
	queue_each_destination(world->queue, world->now_us, add_destination, &sums);
	for (int i = 0; i < RECIPIENT_STATES; i++)
		EXPECT(world, totals.counts[i] == sums.counts[i]);
	for (int i = 0; i < CAUSE_COUNT; i++) {
		EXPECT(world, totals.by_cause[i] == sums.by_cause[i]);
		causes += sums.by_cause[i];
	}
	EXPECT(world, causes == sums.counts[RECIPIENT_QUEUED] + sums.counts[RECIPIENT_HELD] +
	                                sums.counts[RECIPIENT_DELIVERING]);
	EXPECT(world, totals.messages == world->live_count);
	EXPECT(world, totals.jobs == world->job_count);
}

/* Every queued message is listed exactly once. */
static void check_list(struct world *world)
{
	static uint64_t ids[WORLD_MESSAGES];
	const struct filter all = { 0 };
	uint64_t cursor = 0;
	size_t count = 0;

	do {
		count += queue_list(world->queue, &all, world->now_us, WORLD_MESSAGES - count, 50,
		                    &cursor, &ids[count]);
	} while (cursor);
	EXPECT(world, count == world->live_count);
}

void world_check(struct world *world)
{
	struct event time = { .kind = EVENT_TIME };
	struct arena *arena = arena_create(0);

	while (queue_next_us(world->queue) <= world->now_us)
		world_step(world, &time);
	for (uint64_t id = 1; id <= world->message_count; id++) {
		if (world->messages[id - 1].message)
			check_message(world, arena, id);
	}
	check_counters(world);
	check_list(world);
	arena_destroy(arena);
}
