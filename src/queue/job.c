#include "queue/job.h"
#include "base/alloc.h"
#include "base/assert.h"
#include "queue/destination.h"
#include "queue/recipient.h"
#include "queue/site.h"
#include <string.h>

#define LOOKUPS_BESIDE   50        /* of other domains, at each probe of a site */
#define NOT_ATTEMPTED_US 5000000LL /* the wait after a fault of our own */

static struct job *create(struct queue *queue, struct site *site, struct destination *destination,
                          const uint16_t *recipients, uint32_t count)
{
	struct job *job = alloc_zeroed(sizeof *job + count * sizeof *recipients);

	job->site = site;
	job->destination = destination;
	job->count = count;
	job->began_us = queue->now_us;
	memcpy(job->recipients, recipients, count * sizeof *recipients);
	job->slot = site_slot_acquire(site, job);
	site_take_pace(queue, site);
	hash_insert(&queue->jobs, &job->by_number, ++queue->job_number);
	queue->totals.jobs++;
	return job;
}

static void destroy(struct queue *queue, struct job *job)
{
	site_slot_release(job->site, job->slot);
	hash_remove(&queue->jobs, &job->by_number);
	queue->totals.jobs--;
	alloc_free(job);
}

void job_destroy_all(struct queue *queue)
{
	for (struct hash_node *node; (node = hash_each(&queue->jobs, NULL));)
		destroy(queue, CONTAINER_OF(node, struct job, by_number));
}

/* The ready recipients of one message for one destination, beginning with `first`. */
static uint32_t gather(struct queue *queue, struct recipient *first, uint16_t *recipients,
                       uint32_t limit)
{
	struct entry *entry = recipient_entry(queue, first);
	struct recipient *recipient = first;
	uint32_t count = 0;

	for (;;) {
		if (recipient_is_ready(recipient) && !recipient_is_late(queue, recipient))
			recipients[count++] = recipient->index;
		if (count == limit || !recipient->next_alike)
			return count;
		recipient = entry_recipient(entry, recipient->next_alike);
	}
}

static void emit(struct queue *queue, const struct job *job, const struct recipient *first)
{
	struct action_deliver *deliver = &actions_add(queue->actions, ACTION_DELIVER)->deliver;
	struct schedule schedule = recipient_schedule(queue, first);
	const struct site *site = job->site;

	deliver->job = job->by_number.hash;
	deliver->id = entry_id(job->entry);
	deliver->domain = arena_copy(queue->actions->arena, job->destination->name);
	deliver->recipients = arena_alloc(queue->actions->arena,
	                                  job->count * sizeof *deliver->recipients);
	for (uint32_t i = 0; i < job->count; i++)
		deliver->recipients[i] = job->recipients[i];
	deliver->recipient_count = job->count;
	deliver->route = route_acquire(site->route);
	deliver->slot.site = site->by_hash.hash;
	deliver->slot.index = (uint16_t)job->slot;
	deliver->slot.worker = (uint16_t)((site->by_hash.hash + job->slot) %
	                                  (uint64_t)queue->worker_count);
	deliver->limits = job->destination->limits;
	deliver->is_probe = job->is_probe;
	deliver->deadline_us = schedule_deadline_us(&schedule);
	deliver->is_last = queue->now_us >= schedule_last_us(&schedule);
}

/* Mail of other domains waits for the same dead site: any of them may have moved. Some at each
 * probe, in rotation. */
static void look_up_others(struct queue *queue, struct site *site)
{
	uint32_t count = MIN(site->turns.count, LOOKUPS_BESIDE);

	for (uint32_t i = 0; i < count; i++) {
		struct heap_node *node = site->turns.entries[site->looked_up++ % site->turns.count]
		                                 .node;
		struct destination *destination = CONTAINER_OF(node, struct destination, turn);

		if (destination->valid_until_us <= queue->now_us)
			destination_want_lookup(queue, destination, LOOKUP_BESIDE);
	}
}

/* Before a probe, or the first job after a pause, the route has to be fresh; a site that is at work
 * goes on with the old one meanwhile. Returns whether to go on. */
static bool check_route(struct queue *queue, struct site *site, struct destination *destination)
{
	if (destination->valid_until_us > queue->now_us)
		return true;
	if (site->state != SITE_CLOSED && site->busy > 0) {
		destination_want_lookup(queue, destination, LOOKUP_BESIDE);
		return true;
	}
	if (site->state == SITE_CLOSED) {
		site->probe_via = destination;
		look_up_others(queue, site);
	}
	destination_want_lookup(queue, destination, LOOKUP_FIRST);
	destination_settle(queue, destination);
	return false;
}

/* Whose mail goes next: a probe goes to the destination that was looked up for it. */
static struct destination *next_destination(struct site *site)
{
	struct destination *destination = site->probe_via;

	site->probe_via = NULL;
	if (destination && destination->turn.index != HEAP_NONE && site->state == SITE_CLOSED)
		return destination;
	return CONTAINER_OF(heap_first(&site->turns), struct destination, turn);
}

static void start_one(struct queue *queue, struct site *site)
{
	struct destination *destination = next_destination(site);
	uint32_t limit = (uint32_t)MAX(1, destination->limits->recipients_per_message);
	struct recipient *first = destination_first(destination);
	uint16_t *recipients;
	struct entry *entry;
	struct job *job;

	entry = recipient_entry(queue, first);
	if (recipient_is_late(queue, first)) {
		recipient_give_up(queue, first, RECIPIENT_EXPIRED);
		return;
	}
	if (!check_route(queue, site, destination))
		return;
	limit = MIN(limit, entry->recipient_count);
	recipients = alloc(limit * sizeof *recipients);
	limit = gather(queue, first, recipients, limit);
	job = create(queue, site, destination, recipients, limit);
	alloc_free(recipients);
	job->entry = entry;
	if (site->state == SITE_CLOSED) {
		job->is_probe = true;
		site_begin_probe(queue, job);
	}
	for (uint32_t i = 0; i < job->count; i++)
		recipient_begin_delivery(queue, entry_recipient(entry, job->recipients[i]));
	emit(queue, job, first);
}

void job_start_all(struct queue *queue)
{
	uint64_t limit = (uint64_t)MAX(1, queue->config->deliver.connections);

	while (queue->totals.jobs < limit) {
		struct list *node = list_take_first(&queue->turns);
		struct site *site;

		if (!node)
			return;
		site = CONTAINER_OF(node, struct site, turn);
		start_one(queue, site);
		site_settle(queue, site);
		site_touch(queue, site);
	}
}

/* A failure that concerns the site, if any recipient met one. */
static const struct outcome *site_failure(const struct event_job_done *done)
{
	for (uint32_t i = 0; i < done->outcome_count; i++) {
		const struct outcome *outcome = &done->outcomes[i];

		if (outcome->scope == SCOPE_SITE &&
		    (outcome->result == RESULT_DEFERRED || outcome->result == RESULT_NONE))
			return outcome;
	}
	return NULL;
}

static void tell_site(struct queue *queue, const struct job *job, const struct event_job_done *done)
{
	const struct outcome *failure = site_failure(done);

	if (!done->was_attempted && job->is_probe)
		site_abandon_probe(queue, job, queue->now_us + NOT_ATTEMPTED_US);
	else if (done->was_attempted && failure)
		site_fail(queue, job, failure);
	else if (done->was_attempted)
		site_accept(queue, job);
	site_slot_warm(job->site, job->slot, done->was_attempted && !failure);
}

void job_finish(struct queue *queue, const struct event_job_done *done)
{
	static const struct outcome unknown = { .result = RESULT_NONE, .cause = CAUSE_NETWORK };
	struct hash_node *node = hash_first(&queue->jobs, done->job);
	struct job *job = node ? CONTAINER_OF(node, struct job, by_number) : NULL;
	struct entry *entry;
	struct site *site;

	if (!job)
		return;
	entry = job->entry;
	site = job->site;
	tell_site(queue, job, done);
	for (uint32_t i = 0; i < job->count; i++) {
		struct recipient *recipient = entry_recipient(entry, job->recipients[i]);

		if (!done->was_attempted)
			recipient_take_back(queue, recipient, queue->now_us + NOT_ATTEMPTED_US);
		else
			recipient_take_result(queue, recipient,
			                      i < done->outcome_count ? &done->outcomes[i]
			                                              : &unknown);
		if (!job->is_probe && done->was_attempted && recipient_is_ready(recipient))
			site_hurt(queue, site, 1);
	}
	destroy(queue, job);
	site_settle(queue, site);
	site_touch(queue, site);
	entry_settle(queue, entry, ENTRY_CHANGED);
}
