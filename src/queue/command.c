#include "queue/command.h"
#include "base/alloc.h"
#include "queue/destination.h"
#include "queue/recipient.h"
#include "queue/site.h"

/* A command by filter, or a change of the configuration, on its way through the whole queue. */
struct sweep {
	struct list node;
	struct event_command command; /* its own copies; `filter` points to the next field */
	struct filter filter;
	struct arena *arena;
	uint32_t slot;
	bool is_rearm;
};

static void retry(struct queue *queue, struct recipient *recipient)
{
	struct destination *destination = recipient->destination;

	if (recipient->state != RECIPIENT_QUEUED)
		return;
	if (recipient_waits_for_release(recipient))
		return;
	if (!recipient_is_ready(recipient)) {
		recipient->flags |= RECIPIENT_IS_MANUAL;
		recipient_make_ready(queue, recipient);
	}
	destination_probe_now(queue, destination);
	if (destination->site)
		site_probe_at(queue, destination->site, queue->now_us);
}

static bool is_in_queue(const struct recipient *recipient)
{
	return recipient->state == RECIPIENT_QUEUED || recipient->state == RECIPIENT_HELD;
}

static enum entry_change hold(struct queue *queue, struct recipient *recipient)
{
	if (recipient->state == RECIPIENT_DELIVERING)
		recipient->flags |= RECIPIENT_WISH_HOLD;
	if (recipient->state != RECIPIENT_QUEUED)
		return ENTRY_UNCHANGED;
	recipient_hold(queue, recipient);
	return ENTRY_CHANGED;
}

static enum entry_change release(struct queue *queue, struct recipient *recipient)
{
	recipient->flags &= (uint16_t)~RECIPIENT_WISH_HOLD;
	if (recipient->state != RECIPIENT_HELD)
		return ENTRY_UNCHANGED;
	recipient_release(queue, recipient);
	return ENTRY_CHANGED;
}

static enum entry_change end(struct queue *queue, struct recipient *recipient,
                             enum command_kind kind)
{
	bool is_cancel = kind == COMMAND_CANCEL;

	if (recipient->state == RECIPIENT_DELIVERING)
		recipient->flags |= is_cancel ? RECIPIENT_WISH_CANCEL : RECIPIENT_WISH_EXPIRE;
	if (!is_in_queue(recipient))
		return ENTRY_UNCHANGED;
	if (!is_cancel)
		recipient->flags |= RECIPIENT_BY_OPERATOR;
	recipient_finish(queue, recipient, is_cancel ? RECIPIENT_CANCELLED : RECIPIENT_EXPIRED,
	                 NULL);
	return ENTRY_CHANGED;
}

static enum entry_change extend(struct queue *queue, struct recipient *recipient,
                                const struct event_command *command)
{
	if (recipient->index != command->recipient || recipient_is_final(recipient))
		return ENTRY_UNCHANGED;
	recipient_extend(queue, recipient, command->extension_us);
	return ENTRY_CHANGED;
}

static enum entry_change apply(struct queue *queue, struct recipient *recipient,
                               const struct event_command *command)
{
	switch (command->kind) {
	case COMMAND_RETRY:
		retry(queue, recipient);
		return ENTRY_UNCHANGED;
	case COMMAND_HOLD:
		return hold(queue, recipient);
	case COMMAND_RELEASE:
		return release(queue, recipient);
	case COMMAND_CANCEL:
	case COMMAND_EXPIRE:
		return end(queue, recipient, command->kind);
	case COMMAND_EXTEND:
		return extend(queue, recipient, command);
	case COMMAND_SUSPEND:
	case COMMAND_RESUME:
		break;
	}
	return ENTRY_UNCHANGED;
}

static void apply_to_entry(struct queue *queue, struct entry *entry,
                           const struct event_command *command)
{
	enum entry_change change = ENTRY_UNCHANGED;

	for (uint32_t i = 0; i < entry->recipient_count; i++) {
		struct recipient *recipient = entry_recipient(entry, i);

		if (command->filter && !filter_matches(command->filter, queue, recipient))
			continue;
		if (apply(queue, recipient, command) == ENTRY_CHANGED)
			change = ENTRY_CHANGED;
	}
	if (change == ENTRY_CHANGED)
		entry_settle(queue, entry, change);
}

static struct sweep *add_sweep(struct queue *queue, const struct filter *filter)
{
	struct sweep *sweep = alloc_zeroed(sizeof *sweep);

	sweep->arena = arena_create(0);
	if (filter) {
		sweep->filter = *filter;
		sweep->filter.destination = arena_copy(sweep->arena, filter->destination);
		sweep->filter.site = arena_copy(sweep->arena, filter->site);
	}
	sweep->filter.from = sweep->filter.to = (struct bytes){ 0 };
	list_append(&queue->sweeps, &sweep->node);
	return sweep;
}

static void destroy(struct sweep *sweep)
{
	list_remove(&sweep->node);
	arena_destroy(sweep->arena);
	alloc_free(sweep);
}

void command_destroy_all(struct queue *queue)
{
	while (!list_is_empty(&queue->sweeps))
		destroy(CONTAINER_OF(queue->sweeps.next, struct sweep, node));
}

void command_rearm_all(struct queue *queue)
{
	add_sweep(queue, NULL)->is_rearm = true;
}

void command_take(struct queue *queue, const struct event_command *command)
{
	struct sweep *sweep;
	struct entry *entry;

	if (command->kind == COMMAND_SUSPEND || command->kind == COMMAND_RESUME) {
		bool is_suspend = command->kind == COMMAND_SUSPEND;
		const char *reason = command->reason ? command->reason : "";

		destination_suspend(queue, command->domain, is_suspend ? reason : NULL);
		return;
	}
	if (command->id) {
		entry = roster_find(&queue->roster, command->id);
		if (entry)
			apply_to_entry(queue, entry, command);
		return;
	}
	sweep = add_sweep(queue, command->filter);
	sweep->command = *command;
	sweep->command.filter = &sweep->filter;
	sweep->command.domain = (struct bytes){ 0 };
	sweep->command.reason = NULL;
}

static void rearm(struct queue *queue, struct entry *entry)
{
	for (uint32_t i = 0; i < entry->recipient_count; i++)
		recipient_reconsider(queue, entry_recipient(entry, i));
}

void command_run_sweeps(struct queue *queue)
{
	struct sweep *sweep;

	if (list_is_empty(&queue->sweeps))
		return;
	sweep = CONTAINER_OF(queue->sweeps.next, struct sweep, node);
	for (int i = 0; i < SLICE_SWEEP && sweep->slot < queue->roster.slot_count; i++) {
		struct entry *entry = roster_at(&queue->roster, sweep->slot++);

		if (entry && sweep->is_rearm)
			rearm(queue, entry);
		else if (entry)
			apply_to_entry(queue, entry, &sweep->command);
	}
	if (sweep->slot >= queue->roster.slot_count)
		destroy(sweep);
}
