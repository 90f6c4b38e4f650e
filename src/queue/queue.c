#include "queue/queue.h"
#include "base/alloc.h"
#include "base/units.h"
#include "queue/command.h"
#include "queue/debt.h"
#include "queue/destination.h"
#include "queue/job.h"
#include "queue/note.h"
#include "queue/recipient.h"
#include "queue/site.h"
#include "queue/state.h"

struct queue *queue_create(const struct config *config, int worker_count, uint64_t seed)
{
	struct queue *queue = alloc_zeroed(sizeof *queue);

	queue->config = config_acquire(config);
	queue->worker_count = MAX(1, worker_count);
	queue->is_loading = true;
	queue->seed = seed;
	random_seed(&queue->random, seed);
	list_init(&queue->idle_destinations);
	list_init(&queue->idle_sites);
	list_init(&queue->turns);
	list_init(&queue->touched);
	list_init(&queue->look_ups);
	list_init(&queue->refusing);
	list_init(&queue->owed);
	list_init(&queue->sweeps);
	return queue;
}

void queue_destroy(struct queue *queue)
{
	struct hash_node *node;

	if (!queue)
		return;
	job_destroy_all(queue);
	debt_destroy_all(queue);
	command_destroy_all(queue);
	roster_deinit(&queue->roster);
	while ((node = hash_each(&queue->destinations, NULL))) {
		hash_remove(&queue->destinations, node);
		destination_destroy(CONTAINER_OF(node, struct destination, by_name));
	}
	while ((node = hash_each(&queue->sites, NULL))) {
		hash_remove(&queue->sites, node);
		site_destroy(CONTAINER_OF(node, struct site, by_hash));
	}
	hash_deinit(&queue->destinations);
	hash_deinit(&queue->sites);
	hash_deinit(&queue->jobs);
	hash_deinit(&queue->notices);
	heap_deinit(&queue->timers);
	heap_deinit(&queue->destination_timers);
	heap_deinit(&queue->site_timers);
	heap_deinit(&queue->notice_timers);
	buffer_deinit(&queue->scratch);
	alloc_free(queue->suspension.reason);
	config_release(queue->config);
	alloc_free(queue);
}

static uint8_t entry_flags_of(const struct message *message)
{
	int flags = 0;

	if (message->flags & MESSAGE_IS_NOTICE)
		flags |= ENTRY_IS_NOTICE;
	if (message->flags & MESSAGE_IS_AUTOMATIC)
		flags |= ENTRY_IS_AUTOMATIC;
	if (message->flags & MESSAGE_BY_NOTIFY)
		flags |= ENTRY_BY_NOTIFY;
	if (message->sender.len == 0)
		flags |= ENTRY_HAS_NULL_SENDER;
	return (uint8_t)flags;
}

/* Recipients of one destination are linked, so that a job finds them without looking at all. */
static void set_destination(struct queue *queue, struct entry *entry, struct recipient *recipient,
                            struct bytes domain)
{
	struct destination *destination = destination_obtain(queue, domain);

	recipient->destination = destination;
	if (destination->newest_id == entry_id(entry))
		entry_recipient(entry, destination->newest_index)->next_alike = recipient->index;
	destination->newest_id = entry_id(entry);
	destination->newest_index = recipient->index;
}

static struct entry *create_entry(struct queue *queue, const struct message *message)
{
	struct entry *entry = roster_add(&queue->roster, message->id, message->recipient_count);
	int64_t held_us = message->release_us - message->arrived_us;

	entry->arrived_us = message->arrived_us;
	entry->size_bytes = (uint32_t)MAX(0, MIN(message->body.size_bytes, UINT32_MAX));
	entry->priority = message->priority;
	entry->flags = entry_flags_of(message);
	if (held_us > 0)
		entry->held_minutes = (uint16_t)MIN((held_us + US_PER_MINUTE - 1) / US_PER_MINUTE,
		                                    UINT16_MAX);
	if (message->deliver_by_us)
		entry->deliver_by = MAX(1, entry_ticks(entry, message->deliver_by_us));
	for (uint32_t i = 0; i < message->recipient_count; i++) {
		struct recipient *recipient = entry_recipient(entry, i);
		const struct recipient_address *address = &message->recipients[i];

		recipient->notify = address->notify;
		if (held_us > 0) {
			recipient->cause = CAUSE_HELD;
			recipient->next = entry_ticks(entry, message->release_us + TICK_US - 1);
		}
		set_destination(queue, entry, recipient, message_domain(address->address));
	}
	queue->totals.messages++;
	return entry;
}

static bool is_welcome(const struct queue *queue, const struct message *message)
{
	return message->recipient_count > 0 && message->recipient_count <= UINT16_MAX &&
	       !roster_find(&queue->roster, message->id);
}

static void take_added(struct queue *queue, const struct message *message)
{
	struct entry *entry;

	if (!is_welcome(queue, message))
		return;
	entry = create_entry(queue, message);
	queue->totals.accepted++;
	for (uint32_t i = 0; i < entry->recipient_count; i++) {
		recipient_enter(queue, entry_recipient(entry, i));
		recipient_log(queue, LOGGED_ACCEPTED, entry_recipient(entry, i));
	}
}

static bool is_over(const struct recipient *recipient)
{
	return recipient_is_final(recipient) && !(recipient->flags & RECIPIENT_OWES_NOTICE);
}

static void take_loaded(struct queue *queue, const struct message *message, struct bytes state)
{
	struct entry *entry;

	if (!is_welcome(queue, message))
		return;
	entry = create_entry(queue, message);
	state_decode(state, entry); /* without a state, or a readable one: as just accepted */
	for (uint32_t i = 0; i < entry->recipient_count; i++) {
		if (is_over(entry_recipient(entry, i)))
			entry->left--;
		else
			recipient_enter(queue, entry_recipient(entry, i));
	}
	entry_settle(queue, entry, ENTRY_UNCHANGED);
}

static void take_config(struct queue *queue, const struct config *config)
{
	const struct config *old = queue->config;

	queue->config = config_acquire(config);
	destination_apply_config(queue);
	config_release(old);
	command_rearm_all(queue);
}

static void take_event(struct queue *queue, const struct event *event)
{
	switch (event->kind) {
	case EVENT_TIME:
		return;
	case EVENT_ADDED:
		take_added(queue, event->added.message);
		return;
	case EVENT_LOADED:
		take_loaded(queue, event->added.message, event->added.state);
		return;
	case EVENT_NOTE_LOADED:
		note_load(queue, event->note.key, event->note.bytes);
		return;
	case EVENT_ROUTE:
		destination_take_route(queue, &event->route);
		return;
	case EVENT_JOB_DONE:
		job_finish(queue, &event->job_done);
		return;
	case EVENT_NOTICE_DONE:
		debt_take_answer(queue, event->notice_done.notice, event->notice_done.is_done);
		return;
	case EVENT_COMMAND:
		command_take(queue, &event->command);
		return;
	case EVENT_CONFIG:
		take_config(queue, event->config);
		return;
	}
}

/* Events that only change what is there; what is due then is done by the next step. Start-up loads
 * before anything is done, and finishes a change of deadlines that a crash interrupted. */
static bool is_quiet(const struct event *event)
{
	return event->kind == EVENT_LOADED || event->kind == EVENT_NOTE_LOADED ||
	       (event->kind == EVENT_COMMAND && event->command.kind == COMMAND_EXTEND);
}

static void run_timers(struct queue *queue)
{
	recipient_run_timers(queue);
	destination_run_timers(queue);
	site_run_timers(queue);
	debt_run_timers(queue);
}

void queue_step(struct queue *queue, const struct event *event, int64_t now_us,
                struct actions *actions)
{
	queue->now_us = MAX(queue->now_us, now_us);
	queue->actions = actions;
	if (queue->is_loading && !is_quiet(event)) {
		queue->is_loading = false;
		destination_settle_all(queue);
		site_count_loaded(queue);
	}
	take_event(queue, event);
	if (!is_quiet(event)) {
		run_timers(queue);
		command_run_sweeps(queue);
		if (event->kind == EVENT_TIME)
			forecast_run(queue);
		job_start_all(queue);
		destination_emit_lookups(queue);
		destination_refuse_slice(queue);
		debt_ask_final(queue);
	}
	site_finish_touched(queue);
	destination_drop_idle(queue);
	site_drop_idle(queue);
	queue->actions = NULL;
}

static bool has_work(const struct queue *queue)
{
	if (!list_is_empty(&queue->sweeps) || !list_is_empty(&queue->refusing))
		return true;
	if (!list_is_empty(&queue->look_ups) && queue->lookups_busy < LOOKUPS_MAX)
		return true;
	if (!list_is_empty(&queue->owed) && queue->notices.count < NOTICES_MAX)
		return true;
	return !list_is_empty(&queue->turns) &&
	       queue->totals.jobs < (uint64_t)MAX(1, queue->config->deliver.connections);
}

int64_t queue_next_us(const struct queue *queue)
{
	const struct heap *heaps[] = { &queue->timers, &queue->destination_timers,
		                       &queue->site_timers, &queue->notice_timers };
	int64_t next_us = forecast_next_us(queue);

	if (has_work(queue))
		return queue->now_us;
	for (size_t i = 0; i < COUNT(heaps); i++) {
		const struct heap_node *node = heap_first(heaps[i]);

		if (node)
			next_us = MIN(next_us, node->key);
	}
	return next_us;
}

size_t queue_count(const struct queue *queue)
{
	return queue->totals.messages;
}

size_t queue_memory_bytes(const struct queue *queue)
{
	return roster_bytes(&queue->roster) +
	       queue->timers.capacity * sizeof *queue->timers.entries;
}
