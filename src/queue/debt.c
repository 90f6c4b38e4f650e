#include "queue/debt.h"
#include "base/alloc.h"
#include "base/units.h"
#include "queue/destination.h"
#include "queue/recipient.h"
#include "queue/site.h"
#include <stdio.h>
#include <string.h>

#define ASK_AGAIN_US US_PER_MINUTE

/* A notice that was asked for and is not on disk yet. */
struct debt {
	struct hash_node by_number; /* its hash is the number */
	struct heap_node timer;     /* when to ask again, after it could not be made */
	uint64_t id;
	enum notice_kind kind;
	uint32_t count;
	uint16_t recipients[];
};

static struct debt *create(struct queue *queue, const struct entry *entry, enum notice_kind kind)
{
	struct debt *debt = alloc_zeroed(sizeof *debt +
	                                 entry->recipient_count * sizeof *debt->recipients);

	debt->timer.index = HEAP_NONE;
	debt->id = entry_id(entry);
	debt->kind = kind;
	hash_insert(&queue->notices, &debt->by_number, ++queue->notice_number);
	return debt;
}

static void destroy(struct queue *queue, struct debt *debt)
{
	heap_remove(&queue->notice_timers, &debt->timer);
	hash_remove(&queue->notices, &debt->by_number);
	alloc_free(debt);
}

void debt_destroy_all(struct queue *queue)
{
	for (struct hash_node *node; (node = hash_each(&queue->notices, NULL));)
		destroy(queue, CONTAINER_OF(node, struct debt, by_number));
}

void debt_add(struct queue *queue, struct recipient *recipient)
{
	list_append(&queue->owed, &recipient->node);
}

static void describe_site(struct queue *queue, const struct site *site,
                          struct notice_recipient *out)
{
	if (!site || !site->last_failure || site->state == SITE_OPEN)
		return;
	out->site_outcome = actions_keep(queue->actions, site->last_failure);
	out->site_outcome_us = site->last_failure_us;
}

static void describe_lookup(struct queue *queue, const struct recipient *recipient,
                            struct notice_recipient *out)
{
	const struct destination *destination = recipient->destination;

	if (destination->state != DESTINATION_CLOSED && !(recipient->flags & RECIPIENT_BY_ROUTE))
		return;
	if (destination->text)
		out->text = arena_printf(queue->actions->arena, "%s", destination->text);
	if (recipient->flags & RECIPIENT_BY_ROUTE)
		out->status = arena_printf(queue->actions->arena, "%s", destination->status);
}

static void describe(struct queue *queue, const struct recipient *recipient,
                     struct notice_recipient *out)
{
	struct schedule schedule = recipient_schedule(queue, recipient);
	struct tally tally = recipient_tally(queue, recipient);
	enum cause cause = recipient_cause(recipient);

	out->recipient = recipient->index;
	out->state = (enum recipient_state)recipient->state;
	out->cause = cause == CAUSE_NONE || cause_is_ours(cause) ? (enum cause)recipient->cause
	                                                         : cause;
	if (out->cause == CAUSE_NONE)
		out->cause = cause;
	out->attempts = recipient->attempts;
	out->deadline_us = schedule_deadline_us(&schedule);
	if (recipient->state == RECIPIENT_QUEUED && !recipient_is_ready(recipient) &&
	    recipient->next)
		out->next_us = entry_us(schedule.entry, recipient->next);
	out->is_by_operator = (recipient->flags & RECIPIENT_BY_OPERATOR) != 0;
	tally_seconds(&tally, &out->ledger);
	tally_deinit(&tally);
	describe_site(queue, recipient->destination->site, out);
	describe_lookup(queue, recipient, out);
}

static void emit(struct queue *queue, struct debt *debt, struct entry *entry)
{
	struct notice *notice = &actions_add(queue->actions, ACTION_NOTICE)->notice;

	notice->number = debt->by_number.hash;
	notice->id = debt->id;
	notice->kind = debt->kind;
	notice->count = debt->count;
	notice->recipients = arena_alloc(queue->actions->arena,
	                                 debt->count * sizeof *notice->recipients);
	for (uint32_t i = 0; i < debt->count; i++)
		describe(queue, entry_recipient(entry, debt->recipients[i]),
		         &notice->recipients[i]);
}

static bool is_delay_due(const struct queue *queue, const struct recipient *recipient)
{
	struct schedule schedule = recipient_schedule(queue, recipient);

	return recipient->state == RECIPIENT_QUEUED &&
	       queue->now_us >= schedule_delay_us(&schedule);
}

bool debt_ask_delay(struct queue *queue, struct entry *entry)
{
	struct debt *debt;

	if (queue->notices.count >= NOTICES_MAX)
		return false;
	debt = create(queue, entry, NOTICE_DELAY);
	for (uint32_t i = 0; i < entry->recipient_count; i++) {
		struct recipient *recipient = entry_recipient(entry, i);

		if (!recipient->destination || !is_delay_due(queue, recipient))
			continue;
		recipient->flags |= RECIPIENT_DELAY_ASKED;
		debt->recipients[debt->count++] = recipient->index;
		recipient_arm(queue, recipient);
	}
	emit(queue, debt, entry);
	return true;
}

void debt_preview(struct queue *queue, struct entry *entry, struct arena *arena,
                  struct notice *notice_out)
{
	struct notice notice = { .id = entry_id(entry), .kind = NOTICE_DELAY };

	notice.recipients = arena_alloc(arena, entry->recipient_count * sizeof *notice.recipients);
	for (uint32_t i = 0; i < entry->recipient_count; i++) {
		struct recipient *recipient = entry_recipient(entry, i);

		if (recipient->state != RECIPIENT_QUEUED || !recipient->destination)
			continue;
		notice.recipients[notice.count] = (struct notice_recipient){ 0 };
		describe(queue, recipient, &notice.recipients[notice.count++]);
	}
	*notice_out = notice_copy(arena, &notice);
}

static bool is_owed(const struct recipient *recipient, enum notice_kind kind)
{
	return (recipient->flags & RECIPIENT_OWES_NOTICE) && !list_is_empty(&recipient->node) &&
	       (recipient->state == RECIPIENT_DELIVERED) == (kind == NOTICE_DELIVERED);
}

void debt_ask_final(struct queue *queue)
{
	while (queue->notices.count < NOTICES_MAX && !list_is_empty(&queue->owed)) {
		struct recipient *first = CONTAINER_OF(queue->owed.next, struct recipient, node);
		struct entry *entry = recipient_entry(queue, first);
		enum notice_kind kind = first->state == RECIPIENT_DELIVERED ? NOTICE_DELIVERED
		                                                            : NOTICE_FAILURE;
		struct debt *debt = create(queue, entry, kind);

		for (uint32_t i = 0; i < entry->recipient_count; i++) {
			struct recipient *recipient = entry_recipient(entry, i);

			if (!is_owed(recipient, kind))
				continue;
			list_remove(&recipient->node);
			debt->recipients[debt->count++] = recipient->index;
		}
		emit(queue, debt, entry);
	}
}

static void settle_recipient(struct queue *queue, struct debt *debt, struct recipient *recipient)
{
	if (debt->kind != NOTICE_DELAY) {
		if (recipient->flags & RECIPIENT_OWES_NOTICE)
			recipient_forget_debt(queue, recipient);
		return;
	}
	recipient->flags &= (uint16_t)~RECIPIENT_DELAY_ASKED;
	recipient->flags |= RECIPIENT_DELAY_DONE;
}

void debt_take_answer(struct queue *queue, uint64_t number, bool is_done)
{
	struct hash_node *node = hash_first(&queue->notices, number);
	struct debt *debt = node ? CONTAINER_OF(node, struct debt, by_number) : NULL;
	struct entry *entry;

	if (!debt)
		return;
	entry = roster_find(&queue->roster, debt->id);
	if (entry && !is_done) {
		heap_move(&queue->notice_timers, &debt->timer, queue->now_us + ASK_AGAIN_US);
		return;
	}
	for (uint32_t i = 0; entry && i < debt->count; i++)
		settle_recipient(queue, debt, entry_recipient(entry, debt->recipients[i]));
	queue->totals.notices += is_done;
	destroy(queue, debt);
	if (entry)
		entry_settle(queue, entry, ENTRY_CHANGED);
}

/* Those who are over by now need no delay notice. */
static void drop_final(struct debt *debt, struct entry *entry)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < debt->count; i++) {
		if (!recipient_is_final(entry_recipient(entry, debt->recipients[i])))
			debt->recipients[kept++] = debt->recipients[i];
	}
	debt->count = kept;
}

void debt_run_timers(struct queue *queue)
{
	struct heap_node *node;

	while ((node = heap_first(&queue->notice_timers)) && node->key <= queue->now_us) {
		struct debt *debt = CONTAINER_OF(node, struct debt, timer);
		struct entry *entry = roster_find(&queue->roster, debt->id);

		heap_remove(&queue->notice_timers, node);
		if (entry && debt->kind == NOTICE_DELAY)
			drop_final(debt, entry);
		if (entry && debt->count > 0)
			emit(queue, debt, entry);
		else
			destroy(queue, debt);
	}
}
