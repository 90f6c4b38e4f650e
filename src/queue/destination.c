#include "queue/destination.h"
#include "base/alloc.h"
#include "base/assert.h"
#include "base/units.h"
#include "queue/note.h"
#include "queue/recipient.h"
#include "queue/site.h"
#include <stdio.h>
#include <string.h>

#define VALID_LEAST_US US_PER_SECOND /* so that an answer is used before it is asked for again */

struct destination *destination_find(const struct queue *queue, struct bytes name)
{
	HASH_EACH_MATCH (node, &queue->destinations, bytes_hash(name, queue->seed)) {
		struct destination *destination = CONTAINER_OF(node, struct destination, by_name);

		if (bytes_equal(destination->name, name))
			return destination;
	}
	return NULL;
}

static void set_limits(const struct queue *queue, struct destination *destination)
{
	const struct config_strings *words;
	enum cause cause;

	destination->limits = config_destination_of(queue->config, destination->name);
	destination->not_counted = 0;
	words = &destination->limits->not_counted;
	for (int i = 0; i < words->count; i++)
		if (cause_parse(bytes_of(words->items[i]), &cause) && cause != CAUSE_NONE)
			destination->not_counted |= 1U << cause;
}

static struct destination *create(struct queue *queue, struct bytes name)
{
	struct destination *destination = alloc_zeroed(sizeof *destination);
	char *copy = alloc(name.len + 1);

	if (name.len > 0)
		memcpy(copy, name.at, name.len);
	copy[name.len] = '\0';
	destination->name = (struct bytes){ copy, name.len };
	set_limits(queue, destination);
	destination->timer.index = destination->turn.index = HEAP_NONE;
	for (int i = 0; i < READY_LISTS; i++)
		list_init(&destination->ready[i]);
	list_init(&destination->look_up);
	list_init(&destination->refusing);
	list_init(&destination->idle);
	destination->idle_since_us = queue->now_us;
	list_append(&queue->idle_destinations, &destination->idle);
	queue->idle_destination_count++;
	timeline_set(&destination->timeline, CAUSE_NONE, queue->now_us);
	hash_insert(&queue->destinations, &destination->by_name, bytes_hash(name, queue->seed));
	queue->totals.destinations++;
	destination_settle(queue, destination);
	return destination;
}

struct destination *destination_obtain(struct queue *queue, struct bytes name)
{
	struct destination *destination = destination_find(queue, name);

	return destination ? destination : create(queue, name);
}

void destination_destroy(struct destination *destination)
{
	alloc_free((char *)(uintptr_t)destination->name.at);
	alloc_free(destination->text);
	alloc_free(destination->moved_from);
	incidents_deinit(&destination->incidents);
	alloc_free(destination->suspension.reason);
	timeline_deinit(&destination->timeline);
	alloc_free(destination);
}

/* Counting what is ready: by destination, site and cause. `amount` is 1 or -1, or all that are. */
static void count_ready(struct queue *queue, struct destination *destination, int64_t amount)
{
	int cause = timeline_cause(&destination->timeline);
	struct site *site = destination->site;

	destination->ready_count += (uint64_t)amount;
	if (site)
		site->ready += (uint64_t)amount;
	if (cause == CAUSE_OF_SITE) {
		ASSERT(site);
		site->waiting += (uint64_t)amount;
		site_touch(queue, site);
		cause = timeline_cause(&site->timeline);
	}
	queue->totals.by_cause[cause] += (uint64_t)amount;
}

static int ready_list_of(const struct queue *queue, const struct recipient *recipient)
{
	const struct entry *entry = recipient_entry(queue, recipient);
	int by_priority = entry->priority > 0 ? 0 : entry->priority == 0 ? 1 : 2;

	return by_priority * 2 + (recipient->flags & RECIPIENT_IS_URGENT ? 0 : 1);
}

void destination_append(struct queue *queue, struct recipient *recipient)
{
	struct destination *destination = recipient->destination;

	list_append(&destination->ready[ready_list_of(queue, recipient)], &recipient->node);
	count_ready(queue, destination, 1);
	destination_settle(queue, destination);
}

void destination_take(struct queue *queue, struct recipient *recipient)
{
	list_remove(&recipient->node);
	count_ready(queue, recipient->destination, -1);
	destination_settle(queue, recipient->destination);
}

static int first_list(const struct destination *destination)
{
	for (int i = 0; i < READY_LISTS; i++) {
		if (!list_is_empty(&destination->ready[i]))
			return i;
	}
	return READY_LISTS;
}

struct recipient *destination_first(const struct destination *destination)
{
	int list = first_list(destination);

	if (list == READY_LISTS)
		return NULL;
	return CONTAINER_OF(destination->ready[list].next, struct recipient, node);
}

enum cause destination_cause(const struct destination *destination)
{
	int cause = timeline_cause(&destination->timeline);

	return cause == CAUSE_OF_SITE ? (enum cause)timeline_cause(&destination->site->timeline)
	                              : (enum cause)cause;
}

int64_t destination_since_us(const struct destination *destination)
{
	int64_t since_us = timeline_since_us(&destination->timeline);

	if (timeline_cause(&destination->timeline) != CAUSE_OF_SITE)
		return since_us;
	return MAX(since_us, timeline_since_us(&destination->site->timeline));
}

static bool is_suspended(const struct queue *queue, const struct destination *destination)
{
	return destination->suspension.is_set || queue->suspension.is_set;
}

/* Since when it has had the cause that it has now. A suspension found at start-up began before. */
static int64_t cause_began_us(const struct queue *queue, const struct destination *destination)
{
	int64_t began_us = INT64_MAX;

	if (!is_suspended(queue, destination))
		return queue->now_us;
	if (destination->suspension.is_set)
		began_us = destination->suspension.since_us;
	if (queue->suspension.is_set)
		began_us = MIN(began_us, queue->suspension.since_us);
	return began_us;
}

/* While messages are loaded it is not known yet who waits, nor, before all notes are, for what. */
static void set_cause(struct queue *queue, struct destination *destination)
{
	int64_t waiting = (int64_t)destination->ready_count, began_us;
	int before = timeline_cause(&destination->timeline), cause = CAUSE_NONE;

	if (is_suspended(queue, destination))
		cause = CAUSE_SUSPENDED;
	else if (destination->state == DESTINATION_CLOSED)
		cause = (int)destination->closed_cause;
	else if (destination->site)
		cause = CAUSE_OF_SITE;
	if (cause == before || queue->is_loading)
		return;
	count_ready(queue, destination, -waiting);
	if (waiting == 0)
		timeline_forget(&destination->timeline);
	began_us = cause_began_us(queue, destination);
	timeline_begin_before(&destination->timeline, began_us);
	timeline_set(&destination->timeline, cause, began_us);
	count_ready(queue, destination, waiting);
	if (before != CAUSE_NONE && (waiting > 0 || destination->has_note))
		note_write_destination(queue, destination);
}

void destination_want_lookup(struct queue *queue, struct destination *destination,
                             enum lookup lookup)
{
	if (destination->lookup == LOOKUP_NONE)
		list_append(&queue->look_ups, &destination->look_up);
	if (destination->lookup != LOOKUP_FIRST)
		destination->lookup = lookup;
}

/* What has to be known before its mail can go anywhere. */
static void ask_dns(struct queue *queue, struct destination *destination)
{
	switch (destination->state) {
	case DESTINATION_ROUTED:
		return;
	case DESTINATION_NEW:
		destination_want_lookup(queue, destination, LOOKUP_FIRST);
		return;
	case DESTINATION_CLOSED:
		if (destination->timer.key <= queue->now_us)
			destination_want_lookup(queue, destination, LOOKUP_FIRST);
		return;
	case DESTINATION_REFUSED:
		if (destination->valid_until_us <= queue->now_us)
			destination_want_lookup(queue, destination, LOOKUP_FIRST);
		else if (list_is_empty(&destination->refusing))
			list_append(&queue->refusing, &destination->refusing);
		return;
	}
}

/* The order among a site's destinations: by ready list, then by age. */
static void take_turns(struct queue *queue, struct destination *destination)
{
	const struct recipient *first = destination_first(destination);
	struct site *site = destination->site;
	bool may_send = destination->state == DESTINATION_ROUTED && first &&
	                !is_suspended(queue, destination) && destination->lookup != LOOKUP_FIRST;

	if (!site)
		return;
	if (may_send)
		heap_move(&site->turns, &destination->turn,
		          ((int64_t)first_list(destination) << 56) +
		                  recipient_entry(queue, first)->arrived_us);
	else
		heap_remove(&site->turns, &destination->turn);
	site_settle(queue, site);
}

void destination_settle(struct queue *queue, struct destination *destination)
{
	if (destination->ready_count > 0 && !is_suspended(queue, destination))
		ask_dns(queue, destination);
	set_cause(queue, destination);
	take_turns(queue, destination);
}

void destination_settle_all(struct queue *queue)
{
	HASH_EACH (node, &queue->destinations)
		destination_settle(queue, CONTAINER_OF(node, struct destination, by_name));
}

void destination_probe_now(struct queue *queue, struct destination *destination)
{
	if (destination->state != DESTINATION_CLOSED)
		return;
	heap_remove(&queue->destination_timers, &destination->timer);
	destination->timer.key = queue->now_us;
	destination_settle(queue, destination);
}

/* Out of one site and into another, with all mail that is ready. */
void destination_attach(struct queue *queue, struct destination *destination, struct site *site)
{
	int64_t waiting = (int64_t)destination->ready_count;
	struct site *old = destination->site;

	if (old == site)
		return;
	count_ready(queue, destination, -waiting);
	if (old) {
		timeline_adopt(&destination->timeline, &old->timeline);
		heap_remove(&old->turns, &destination->turn);
		if (old->probe_via == destination)
			old->probe_via = NULL;
		site_settle(queue, old);
		site_leave(queue, old);
	}
	destination->site = site;
	if (site)
		site_use(queue, site, destination);
	count_ready(queue, destination, waiting);
	destination_settle(queue, destination);
}

/* Mail that waited for the old hosts goes to the new ones; what changed, and when, is kept. */
static void note_move(struct queue *queue, struct destination *destination,
                      const struct route *route)
{
	struct log_entry *entry = &actions_add(queue->actions, ACTION_LOG)->log;
	const struct route *old = destination->site->route;

	alloc_free(destination->moved_from);
	destination->moved_from = strdup(old ? old->text : "");
	destination->moved_us = queue->now_us;
	destination->moved_waiting = (uint32_t)MIN(destination->ready_count, UINT32_MAX);
	entry->kind = LOGGED_ROUTE_CHANGED;
	entry->domain = arena_copy(queue->actions->arena, destination->name);
	entry->site = arena_printf(queue->actions->arena, "%s", route->text);
}

static void open_route(struct queue *queue, struct destination *destination,
                       const struct route *route)
{
	struct site *site = site_find(queue, route->hash);
	bool is_new = destination->site != site || !site;
	bool was_closed = destination->closed_since_us != 0;

	if (!site)
		site = site_create(queue, route->hash);
	if (!site->route)
		site->route = route_acquire(route);
	if (destination->site && is_new)
		note_move(queue, destination, route);
	destination->state = DESTINATION_ROUTED;
	destination->probes = 0;
	destination->closed_since_us = 0;
	incidents_end(&destination->incidents, queue->now_us);
	heap_remove(&queue->destination_timers, &destination->timer);
	destination_attach(queue, destination, site);
	destination_settle(queue, destination);
	if (is_new || was_closed || !destination->has_resolved) {
		destination->has_resolved = true;
		note_write_destination(queue, destination);
	}
}

static void close_route(struct queue *queue, struct destination *destination, enum cause cause)
{
	bool is_new = destination->closed_since_us == 0 || destination->closed_cause != cause;

	if (destination->closed_since_us == 0)
		destination->closed_since_us = queue->now_us;
	if (!incidents_current(&destination->incidents)) {
		incidents_begin(&destination->incidents, INCIDENT_NEW, cause, queue->now_us);
		incidents_hurt(&destination->incidents, destination->ready_count);
	}
	destination->state = DESTINATION_CLOSED;
	destination->closed_cause = cause;
	heap_move(&queue->destination_timers, &destination->timer,
	          queue->now_us + schedule_probe_us(destination->limits, destination->probes++,
	                                            &queue->random));
	destination_settle(queue, destination);
	if (is_new)
		note_write_destination(queue, destination);
}

static void refuse_route(struct queue *queue, struct destination *destination,
                         const struct event_route *route)
{
	destination->state = DESTINATION_REFUSED;
	incidents_end(&destination->incidents, queue->now_us);
	heap_remove(&queue->destination_timers, &destination->timer);
	snprintf(destination->status, sizeof destination->status, "%s",
	         route->status ? route->status : "5.4.4");
}

static bool is_in_grace(const struct queue *queue, const struct destination *destination)
{
	return destination->has_resolved &&
	       (destination->closed_since_us == 0 ||
	        queue->now_us < destination->closed_since_us + destination->limits->dns_grace_us);
}

static void apply_answer(struct queue *queue, struct destination *destination,
                         const struct event_route *route)
{
	switch (route->result) {
	case ROUTE_FOUND:
		open_route(queue, destination, route->route);
		return;
	case ROUTE_TEMPORARY:
		close_route(queue, destination, CAUSE_DNS_FAILURE);
		return;
	case ROUTE_NO_DOMAIN:
		if (is_in_grace(queue, destination)) {
			close_route(queue, destination, CAUSE_DNS_CHANGED);
			return;
		}
		refuse_route(queue, destination, route);
		return;
	case ROUTE_NULL_MX:
	case ROUTE_NO_HOSTS:
		refuse_route(queue, destination, route);
		return;
	}
}

void destination_take_route(struct queue *queue, const struct event_route *route)
{
	struct destination *destination = destination_find(queue, route->domain);

	if (!destination || destination->lookup == LOOKUP_NONE ||
	    !list_is_empty(&destination->look_up))
		return; /* nobody asked */
	queue->lookups_busy--;
	destination->lookup = LOOKUP_NONE;
	destination->valid_until_us = MAX(route->valid_until_us, queue->now_us + VALID_LEAST_US);
	alloc_free(destination->text);
	destination->text = route->text && *route->text ? strdup(route->text) : NULL;
	apply_answer(queue, destination, route);
	destination_settle(queue, destination);
}

static void set_suspension(struct suspension *suspension, const char *reason, int64_t now_us)
{
	alloc_free(suspension->reason);
	if (!suspension->is_set)
		suspension->since_us = now_us;
	suspension->is_set = reason != NULL;
	suspension->reason = reason ? strdup(reason) : NULL;
}

void destination_suspend(struct queue *queue, struct bytes domain, const char *reason)
{
	struct destination *destination;

	if (domain.len > 0) {
		destination = destination_obtain(queue, domain);
		set_suspension(&destination->suspension, reason, queue->now_us);
		destination_settle(queue, destination);
		note_write_destination(queue, destination);
		return;
	}
	set_suspension(&queue->suspension, reason, queue->now_us);
	note_write_suspension(queue);
	destination_settle_all(queue);
}

void destination_hurt(struct queue *queue, struct destination *destination, uint64_t count)
{
	incidents_hurt(&destination->incidents, count);
	if (destination->state == DESTINATION_ROUTED)
		site_hurt(queue, destination->site, count);
}

void destination_expire(const struct destination *destination)
{
	incidents_expire(&destination->incidents);
	if (destination->state == DESTINATION_ROUTED)
		incidents_expire(&destination->site->incidents);
}

void destination_recover(const struct destination *destination, int64_t arrived_us)
{
	incidents_recover(&destination->incidents, arrived_us);
	if (destination->site)
		incidents_recover(&destination->site->incidents, arrived_us);
}

void destination_use(struct queue *queue, struct destination *destination, int64_t arrived_us)
{
	if (destination->unfinished++ == 0) {
		list_remove(&destination->idle);
		queue->idle_destination_count--;
		destination->oldest_us = arrived_us;
	}
	destination->oldest_us = MIN(destination->oldest_us, arrived_us);
}

void destination_leave(struct queue *queue, struct destination *destination, int64_t arrived_us)
{
	const struct recipient *first = destination_first(destination);

	ASSERT(destination->unfinished > 0);
	if (--destination->unfinished == 0) {
		destination->idle_since_us = queue->now_us;
		destination->oldest_us = 0;
		list_append(&queue->idle_destinations, &destination->idle);
		queue->idle_destination_count++;
	} else if (arrived_us <= destination->oldest_us && first) {
		destination->oldest_us = MAX(arrived_us, recipient_entry(queue, first)->arrived_us);
	}
}

void destination_apply_config(struct queue *queue)
{
	HASH_EACH (node, &queue->sites)
		site_reset_limits(queue, CONTAINER_OF(node, struct site, by_hash));
	HASH_EACH (node, &queue->destinations) {
		struct destination *destination = CONTAINER_OF(node, struct destination, by_name);
		struct site *site = destination->site;

		set_limits(queue, destination);
		if (!site)
			continue;
		site_limit_by(queue, site, destination->limits);
		destination->valid_until_us = MIN(destination->valid_until_us, queue->now_us);
	}
	HASH_EACH (node, &queue->sites)
		site_settle(queue, CONTAINER_OF(node, struct site, by_hash));
}

void destination_emit_lookups(struct queue *queue)
{
	while (queue->lookups_busy < LOOKUPS_MAX) {
		struct list *node = list_take_first(&queue->look_ups);

		if (!node)
			return;
		queue->lookups_busy++;
		actions_add(queue->actions, ACTION_LOOK_UP)->domain = arena_copy(
			queue->actions->arena,
			CONTAINER_OF(node, struct destination, look_up)->name);
	}
}

void destination_refuse_slice(struct queue *queue)
{
	for (int i = 0; i < SLICE_REFUSE && !list_is_empty(&queue->refusing); i++) {
		struct destination *destination = CONTAINER_OF(queue->refusing.next,
		                                               struct destination, refusing);
		struct recipient *first = destination_first(destination);

		if (!first || destination->state != DESTINATION_REFUSED) {
			list_remove(&destination->refusing);
			continue;
		}
		first->flags |= RECIPIENT_BY_ROUTE;
		recipient_give_up(queue, first, RECIPIENT_FAILED);
	}
}

void destination_run_timers(struct queue *queue)
{
	struct heap_node *node;

	while ((node = heap_first(&queue->destination_timers)) && node->key <= queue->now_us) {
		heap_remove(&queue->destination_timers, node);
		destination_settle(queue, CONTAINER_OF(node, struct destination, timer));
	}
}

void destination_drop_idle(struct queue *queue)
{
	for (int i = 0; i < SLICE_IDLE && !list_is_empty(&queue->idle_destinations); i++) {
		struct destination *destination = CONTAINER_OF(queue->idle_destinations.next,
		                                               struct destination, idle);

		if (destination->idle_since_us + IDLE_US > queue->now_us &&
		    queue->idle_destination_count <= IDLE_MAX)
			return;
		list_remove(&destination->idle);
		if (destination->suspension.is_set || destination->lookup != LOOKUP_NONE) {
			/* An operator's word is kept; an answer that is awaited finds it. */
			destination->idle_since_us = queue->now_us;
			list_append(&queue->idle_destinations, &destination->idle);
			return;
		}
		queue->idle_destination_count--;
		queue->totals.destinations--;
		note_remove_destination(queue, destination);
		destination_attach(queue, destination, NULL);
		heap_remove(&queue->destination_timers, &destination->timer);
		list_remove(&destination->refusing);
		hash_remove(&queue->destinations, &destination->by_name);
		destination_destroy(destination);
	}
}
