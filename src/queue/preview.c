#include "queue/preview.h"
#include "queue/destination.h"
#include "queue/recipient.h"

/* The schedule as the other configuration has it. What of its age does not count stays as the
 * present one says: the causes are seldom changed, and never to the worse by much. */
static int64_t deadline_then_us(const struct preview *preview, struct schedule schedule,
                                const struct recipient *recipient)
{
	if (preview->config)
		schedule.limits = config_destination_of(preview->config,
		                                        recipient->destination->name);
	return schedule_deadline_us(&schedule) + preview->amount_us;
}

static void add(const struct queue *queue, const struct recipient *recipient,
                struct preview *preview)
{
	struct schedule schedule = recipient_schedule(queue, recipient);
	int64_t deadline_us = deadline_then_us(preview, schedule, recipient);

	preview->recipients++;
	preview->changed += deadline_us != schedule_deadline_us(&schedule);
	preview->expiring += deadline_us <= queue->now_us;
	preview->last_us = MAX(preview->last_us, deadline_us);
	if (preview->first_us == 0 || deadline_us < preview->first_us)
		preview->first_us = deadline_us;
}

void queue_preview(const struct queue *queue, uint64_t id, const struct filter *filter,
                   int64_t now_us, struct preview *preview)
{
	struct entry *entry = roster_find(&queue->roster, id);
	struct queue now = *queue;

	now.now_us = MAX(queue->now_us, now_us);
	for (uint32_t i = 0; entry && i < entry->recipient_count; i++) {
		const struct recipient *recipient = entry_recipient(entry, i);

		if (!recipient_is_final(recipient) && filter_matches(filter, queue, recipient))
			add(&now, recipient, preview);
	}
}

bool queue_matches(const struct queue *queue, uint64_t id, uint32_t recipient,
                   const struct filter *filter)
{
	struct entry *entry = roster_find(&queue->roster, id);

	return entry && recipient < entry->recipient_count &&
	       !recipient_is_final(entry_recipient(entry, recipient)) &&
	       filter_matches(filter, queue, entry_recipient(entry, recipient));
}
