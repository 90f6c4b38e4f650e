#include "queue/view.h"
#include "queue/debt.h"
#include "queue/destination.h"
#include "queue/forecast_view.h"
#include "queue/recipient.h"
#include "queue/site.h"

static int64_t next_of(const struct schedule *schedule)
{
	const struct recipient *recipient = schedule->recipient;

	if (recipient->state != RECIPIENT_QUEUED || recipient_is_ready(recipient))
		return 0;
	return recipient->next ? entry_us(schedule->entry, recipient->next)
	                       : schedule_deadline_us(schedule);
}

static void view_recipient(const struct queue *queue, const struct recipient *recipient,
                           struct recipient_view *view)
{
	const struct destination *destination = recipient->destination;
	struct schedule schedule = recipient_schedule(queue, recipient);
	struct tally tally = recipient_tally(queue, recipient);

	view->recipient = recipient->index;
	view->domain = destination->name;
	view->site = destination->site && destination->site->route ? destination->site->route->name
	                                                           : "";
	view->state = (enum recipient_state)recipient->state;
	view->cause = recipient_cause(recipient);
	view->since_us = entry_us(schedule.entry, recipient->since);
	if (recipient_is_ready(recipient))
		view->since_us = MAX(view->since_us, destination_since_us(destination));
	view->next_us = next_of(&schedule);
	view->deadline_us = schedule_deadline_us(&schedule);
	view->extension_us = (int64_t)recipient->extension * TICK_US;
	view->attempts = recipient->attempts;
	view->is_notified = (recipient->flags & RECIPIENT_DELAY_DONE) != 0;
	tally_seconds(&tally, &view->ledger);
	tally_deinit(&tally);
}

/* Views are of now, the queue's own time may be a little older: it is moved in a copy. */
static struct queue at_time(const struct queue *queue, int64_t now_us)
{
	struct queue copy = *queue;

	copy.now_us = MAX(queue->now_us, now_us);
	return copy;
}

bool queue_view_message(const struct queue *queue, uint64_t id, int64_t now_us, struct arena *arena,
                        struct message_view *view_out)
{
	struct entry *entry = roster_find(&queue->roster, id);
	struct queue now = at_time(queue, now_us);

	if (!entry)
		return false;
	*view_out = (struct message_view){
		.id = id,
		.arrived_us = entry->arrived_us,
		.size_bytes = entry->size_bytes,
		.recipient_count = entry->recipient_count,
		.is_notice = (entry->flags & ENTRY_IS_NOTICE) != 0,
		.has_null_sender = (entry->flags & ENTRY_HAS_NULL_SENDER) != 0,
		.recipients = arena_alloc(arena,
		                          entry->recipient_count * sizeof *view_out->recipients),
	};
	for (uint32_t i = 0; i < entry->recipient_count; i++)
		view_recipient(&now, entry_recipient(entry, i), &view_out->recipients[i]);
	return true;
}

bool queue_preview_notice(const struct queue *queue, uint64_t id, int64_t now_us,
                          struct arena *arena, struct notice *notice_out)
{
	struct entry *entry = roster_find(&queue->roster, id);
	struct queue now = at_time(queue, now_us);
	struct actions scratch;

	if (!entry)
		return false;
	actions_init(&scratch);
	now.actions = &scratch;
	debt_preview(&now, entry, arena, notice_out);
	actions_deinit(&scratch);
	return notice_out->count > 0;
}

static bool matches(const struct queue *queue, struct entry *entry, const struct filter *filter)
{
	for (uint32_t i = 0; i < entry->recipient_count; i++) {
		if (filter_matches(filter, queue, entry_recipient(entry, i)))
			return true;
	}
	return false;
}

size_t queue_list(const struct queue *queue, const struct filter *filter, int64_t now_us,
                  size_t limit, size_t scan_limit, uint64_t *cursor, uint64_t *ids_out)
{
	struct queue now = at_time(queue, now_us);
	uint64_t slot = *cursor;
	size_t count = 0;

	for (; slot < queue->roster.slot_count && count < limit && scan_limit > 0; slot++) {
		struct entry *entry = roster_at(&queue->roster, (uint32_t)slot);

		scan_limit--;
		if (entry && matches(&now, entry, filter))
			ids_out[count++] = entry_id(entry);
	}
	*cursor = slot < queue->roster.slot_count ? slot : 0;
	return count;
}

static void view_destination(const struct queue *queue, const struct destination *destination,
                             struct destination_view *view)
{
	const struct site *site = destination->site;

	*view = (struct destination_view){
		.domain = destination->name,
		.route = site ? site->route : NULL,
		.delivered = destination->delivered,
		.failed = destination->failed,
		.expired = destination->expired,
		.oldest_us = destination->oldest_us,
		.next_deadline_us = destination->oldest_us
		                            ? destination->oldest_us +
		                                      destination->limits->lifetime_us
		                            : 0,
		.is_suspended = destination->suspension.is_set || queue->suspension.is_set,
		.suspend_reason = "",
		.moved_from = destination->moved_from ? destination->moved_from : "",
		.moved_us = destination->moved_us,
		.moved_waiting = destination->moved_waiting,
		.incidents = &destination->incidents,
		.route_valid_until_us = destination->valid_until_us,
		.route_text = destination->state != DESTINATION_ROUTED && destination->text
		                      ? destination->text
		                      : "",
	};
	if (destination->timer.index != HEAP_NONE)
		view->next_look_up_us = destination->timer.key;
	if (view->is_suspended)
		view->suspend_reason = destination->suspension.is_set
		                               ? destination->suspension.reason
		                               : queue->suspension.reason;
	if (view->route)
		site_view(queue, site, &view->site);
	for (int state = 0; state < RECIPIENT_STATES; state++)
		view->counts[state] = destination->counts[state];
	for (int cause = 0; cause < CAUSE_COUNT; cause++)
		view->by_cause[cause] = destination->by_cause[cause];
	view->by_cause[destination_cause(destination)] += destination->ready_count;
}

bool queue_view_destination(const struct queue *queue, struct bytes domain, int64_t now_us,
                            struct destination_view *view_out)
{
	const struct destination *destination = destination_find(queue, domain);

	(void)now_us;
	if (destination)
		view_destination(queue, destination, view_out);
	return destination != NULL;
}

void queue_each_destination(const struct queue *queue, int64_t now_us,
                            void (*visit)(void *arg, const struct destination_view *view),
                            void *arg)
{
	(void)now_us;
	HASH_EACH (node, &queue->destinations) {
		struct destination_view view;

		view_destination(queue, CONTAINER_OF(node, struct destination, by_name), &view);
		visit(arg, &view);
	}
}

void queue_each_incident(const struct queue *queue,
                         void (*visit)(void *arg, const char *site, struct bytes domain,
                                       const struct incident *incident),
                         void *arg)
{
	HASH_EACH (node, &queue->sites) {
		const struct site *site = CONTAINER_OF(node, struct site, by_hash);

		for (int i = 0; i < site->incidents.count; i++)
			visit(arg, site->route ? site->route->name : "(not found again yet)",
			      (struct bytes){ 0 }, &site->incidents.items[i]);
	}
	HASH_EACH (node, &queue->destinations) {
		const struct destination *destination = CONTAINER_OF(node, struct destination,
		                                                     by_name);

		for (int i = 0; i < destination->incidents.count; i++)
			visit(arg, "", destination->name, &destination->incidents.items[i]);
	}
}

void queue_totals(const struct queue *queue, struct queue_totals *totals_out)
{
	*totals_out = queue->totals;
}
