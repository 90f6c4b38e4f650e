#include "queue/site.h"
#include "base/alloc.h"
#include "base/assert.h"
#include "base/units.h"
#include "queue/note.h"
#include "queue/schedule.h"

#define HINT_MAX_US US_PER_HOUR
#define NOTED_US    US_PER_MINUTE /* how much of a timeline a restart may lose */

/* A hole in this table is a transition that must not happen. A closed site is opened by any job
 * that is accepted, even one that began before it was closed. */
static const enum site_state transitions[SITE_STATES][SITE_EVENTS] = {
	[SITE_OPEN] = { [SITE_ACCEPTED] = SITE_OPEN, [SITE_FAILED] = SITE_CLOSED },
	[SITE_CLOSED] = { [SITE_ACCEPTED] = SITE_RECOVERING,
	                  [SITE_FAILED] = SITE_CLOSED,
	                  [SITE_PROBE_DUE] = SITE_PROBING },
	[SITE_PROBING] = { [SITE_ACCEPTED] = SITE_RECOVERING, [SITE_FAILED] = SITE_CLOSED },
	[SITE_RECOVERING] = { [SITE_ACCEPTED] = SITE_RECOVERING,
	                      [SITE_FAILED] = SITE_CLOSED,
	                      [SITE_SETTLED] = SITE_OPEN },
};

static const char *const state_names[SITE_STATES] = {
	[SITE_NEVER] = "never",   [SITE_OPEN] = "open",       [SITE_THROTTLED] = "throttled",
	[SITE_CLOSED] = "closed", [SITE_PROBING] = "probing", [SITE_RECOVERING] = "recovering",
};

const char *site_state_name(enum site_state state)
{
	return state < SITE_STATES ? state_names[state] : "unknown";
}

struct site *site_find(const struct queue *queue, uint64_t hash)
{
	struct hash_node *node = hash_first(&queue->sites, hash);

	return node ? CONTAINER_OF(node, struct site, by_hash) : NULL;
}

struct site *site_create(struct queue *queue, uint64_t hash)
{
	struct site *site = alloc_zeroed(sizeof *site);

	site->state = SITE_OPEN;
	site->since_us = queue->now_us;
	site->limits = &queue->config->defaults;
	site->probe.index = HEAP_NONE;
	site->idle_since_us = queue->now_us;
	list_init(&site->turn);
	list_init(&site->touched);
	list_init(&site->idle);
	list_append(&queue->idle_sites, &site->idle);
	queue->idle_site_count++;
	timeline_set(&site->timeline, CAUSE_NONE, queue->now_us);
	hash_insert(&queue->sites, &site->by_hash, hash);
	queue->totals.sites++;
	return site;
}

void site_destroy(struct site *site)
{
	route_release(site->route);
	alloc_free(site->last_failure);
	alloc_free(site->slots);
	timeline_deinit(&site->timeline);
	heap_deinit(&site->turns);
	alloc_free(site);
}

void site_use(struct queue *queue, struct site *site, struct destination *destination)
{
	if (site->users++ == 0) {
		list_remove(&site->idle);
		queue->idle_site_count--;
		site->limits = destination->limits;
	}
	if (destination->limits->connections < site->limits->connections)
		site->limits = destination->limits;
}

void site_leave(struct queue *queue, struct site *site)
{
	ASSERT(site->users > 0);
	if (--site->users > 0)
		return;
	site->idle_since_us = queue->now_us;
	list_append(&queue->idle_sites, &site->idle);
	queue->idle_site_count++;
}

const char *site_name(const struct site *site, struct arena *arena)
{
	return site && site->route ? arena_copy(arena, bytes_of(site->route->name)).at : "";
}

bool site_is_closed(const struct site *site)
{
	return site->state == SITE_CLOSED || site->state == SITE_PROBING;
}

static void log_state(struct queue *queue, const struct site *site, enum log_kind kind)
{
	struct log_entry *entry = &actions_add(queue->actions, ACTION_LOG)->log;

	entry->kind = kind;
	entry->site = site_name(site, queue->actions->arena);
	entry->cause = site->cause;
	entry->age_us = queue->now_us - site->since_us;
	entry->next_us = site->probe.index == HEAP_NONE ? 0 : site->probe.key;
	if (kind == LOGGED_SITE_CLOSED)
		entry->outcome = actions_keep(queue->actions, site->last_failure);
}

/* The only place that changes the state. */
static void apply(struct queue *queue, struct site *site, enum site_event event)
{
	enum site_state next = transitions[site->state][event];
	bool was_closed = site_is_closed(site);

	if (next == SITE_NEVER)
		BUG("site event %d while %s", (int)event, site_state_name(site->state));
	if (next == site->state)
		return;
	site->state = next;
	site->window = 0;
	site->is_note_due = site->is_note_due || next != SITE_PROBING; /* kept as closed */
	site_touch(queue, site);
	if (was_closed == site_is_closed(site) && next != SITE_OPEN)
		return;
	if (was_closed)
		queue->totals.sites_closed--;
	if (site_is_closed(site))
		queue->totals.sites_closed++;
	if (was_closed)
		log_state(queue, site, LOGGED_SITE_OPENED);
	site->since_us = queue->now_us;
}

void site_accept(struct queue *queue, const struct job *job)
{
	struct site *site = job->site;

	site->failures = 0;
	site->last_success_us = queue->now_us;
	apply(queue, site, SITE_ACCEPTED);
	if (site->state != SITE_RECOVERING)
		return;
	heap_remove(&queue->site_timers, &site->probe);
	site->probes = 0;
	site->window++; /* doubles with every round of jobs */
	if (site->window >= site_connections(site))
		apply(queue, site, SITE_SETTLED);
}

void site_probe_at(struct queue *queue, struct site *site, int64_t at_us)
{
	if (site->state != SITE_CLOSED)
		return;
	heap_move(&queue->site_timers, &site->probe, at_us);
	site_settle(queue, site);
	site_touch(queue, site);
}

static void remember_failure(struct queue *queue, struct site *site, const struct outcome *outcome)
{
	if (!site->last_failure)
		site->last_failure = alloc(sizeof *site->last_failure);
	*site->last_failure = *outcome;
	site->last_failure_us = queue->now_us;
	site->is_note_due = site->is_note_due || site->state != SITE_OPEN;
}

/* By the configured waits, but not before the site's own hint, within reason. */
static int64_t next_probe_us(struct queue *queue, const struct site *site, int hint_s)
{
	int64_t wait_us = schedule_probe_us(site->limits, site->probes, &queue->random);
	int64_t hint_us = MIN(hint_s * US_PER_SECOND, HINT_MAX_US);

	return queue->now_us + MAX(wait_us, hint_us);
}

void site_fail(struct queue *queue, const struct job *job, const struct outcome *outcome)
{
	struct site *site = job->site;
	enum site_state before = site->state;
	uint32_t failures_to_close = (uint32_t)MAX(1, site->limits->failures_to_close);

	site->failures++;
	if (site_is_closed(site) && site->probe_job != job)
		return; /* a job from before it was closed */
	remember_failure(queue, site, outcome);
	if (before == SITE_OPEN && site->failures < failures_to_close)
		return;
	site->cause = outcome->cause ? outcome->cause : CAUSE_NETWORK;
	site->probes = before == SITE_PROBING ? site->probes + 1 : 0;
	apply(queue, site, SITE_FAILED);
	site_probe_at(queue, site, next_probe_us(queue, site, outcome->hint_s));
	if (before != SITE_PROBING)
		log_state(queue, site, LOGGED_SITE_CLOSED);
}

void site_begin_probe(struct queue *queue, const struct job *job)
{
	struct site *site = job->site;

	heap_remove(&queue->site_timers, &site->probe);
	site->probe_job = job;
	apply(queue, site, SITE_PROBE_DUE);
}

void site_abandon_probe(struct queue *queue, const struct job *job, int64_t next_us)
{
	struct site *site = job->site;

	if (site->state != SITE_PROBING || site->probe_job != job)
		return;
	apply(queue, site, SITE_FAILED);
	site_probe_at(queue, site, next_us);
}

uint32_t site_connections(const struct site *site)
{
	return (uint32_t)MAX(1, MIN(site->limits->connections, UINT16_MAX));
}

uint32_t site_window(const struct site *site)
{
	if (site_is_closed(site))
		return 1;
	if (site->state == SITE_RECOVERING)
		return MIN(site->window, site_connections(site));
	return site_connections(site);
}

static bool may_probe(const struct site *site, int64_t now_us)
{
	if (site->probe_via && site->probe_via->lookup != LOOKUP_NONE)
		return false; /* waits for the answer */
	return site->probe.key <= now_us && !site->probe_job && site->busy < site_connections(site);
}

bool site_may_start(const struct site *site, int64_t now_us)
{
	if (site->state == SITE_CLOSED)
		return may_probe(site, now_us);
	return site->state != SITE_PROBING && site->busy < site_window(site);
}

uint32_t site_slot_acquire(struct site *site, struct job *job)
{
	uint32_t index = 0;

	while (index < site->slot_count && site->slots[index])
		index++;
	if (index == site->slot_count) {
		site->slots = alloc_resize(site->slots, index + 1, sizeof(struct job *));
		site->slot_count = index + 1;
	}
	site->slots[index] = job;
	site->busy++;
	return index;
}

void site_slot_release(struct site *site, uint32_t index)
{
	ASSERT(index < site->slot_count && site->slots[index] && site->busy > 0);
	if (site->probe_job == site->slots[index])
		site->probe_job = NULL;
	site->slots[index] = NULL;
	site->busy--;
}

void site_settle(struct queue *queue, struct site *site)
{
	bool may_send = site->route && site->turns.count > 0 && site_may_start(site, queue->now_us);

	if (!may_send)
		list_remove(&site->turn);
	else if (list_is_empty(&site->turn))
		list_append(&queue->turns, &site->turn);
}

void site_touch(struct queue *queue, struct site *site)
{
	if (list_is_empty(&site->touched))
		list_append(&queue->touched, &site->touched);
}

/* Why mail that could go to this site now does not: the site's trouble, or our own limit. */
static enum cause cause_now(const struct queue *queue, const struct site *site)
{
	if (site->state != SITE_OPEN)
		return site->cause;
	if (site->waiting == 0)
		return CAUSE_NONE;
	if (site->busy >= site_connections(site) ||
	    queue->totals.jobs >= (uint64_t)MAX(1, queue->config->deliver.connections))
		return CAUSE_OWN_LIMIT;
	return CAUSE_NONE;
}

static void bring_up_to_date(struct queue *queue, struct site *site)
{
	int before = timeline_cause(&site->timeline);
	enum cause now = cause_now(queue, site);

	if ((int)now != before) {
		queue->totals.by_cause[before] -= site->waiting;
		queue->totals.by_cause[now] += site->waiting;
		if (site->ready == 0 && !queue->is_loading)
			timeline_forget(&site->timeline);
		timeline_set(&site->timeline, (int)now, queue->now_us);
		if (site->waiting > 0 && queue->now_us >= site->noted_us + NOTED_US)
			site->is_note_due = true;
	}
	if (!site->is_note_due)
		return;
	note_write_site(queue, site);
	site->noted_us = queue->now_us;
	site->is_note_due = false;
}

void site_finish_touched(struct queue *queue)
{
	struct list *node;

	while ((node = list_take_first(&queue->touched)))
		bring_up_to_date(queue, CONTAINER_OF(node, struct site, touched));
}

void site_run_timers(struct queue *queue)
{
	struct heap_node *node;

	while ((node = heap_first(&queue->site_timers)) && node->key <= queue->now_us) {
		struct site *site = CONTAINER_OF(node, struct site, probe);

		/* The key stays: an overdue probe goes out with the first mail. */
		heap_remove(&queue->site_timers, node);
		site_settle(queue, site);
	}
}

void site_drop_idle(struct queue *queue)
{
	for (int i = 0; i < SLICE_IDLE && !list_is_empty(&queue->idle_sites); i++) {
		struct site *site = CONTAINER_OF(queue->idle_sites.next, struct site, idle);

		if (site->idle_since_us + IDLE_US > queue->now_us &&
		    queue->idle_site_count <= IDLE_MAX)
			return;
		if (site->busy > 0)
			return; /* its job's end comes first */
		list_remove(&site->idle);
		list_remove(&site->touched);
		queue->idle_site_count--;
		queue->totals.sites--;
		if (site_is_closed(site))
			queue->totals.sites_closed--;
		note_remove_site(queue, site);
		heap_remove(&queue->site_timers, &site->probe);
		hash_remove(&queue->sites, &site->by_hash);
		site_destroy(site);
	}
}

void site_view(const struct site *site, struct site_view *view_out)
{
	*view_out = (struct site_view){
		.name = site->route ? site->route->name : "",
		.text = site->route ? site->route->text : "",
		.hash = site->by_hash.hash,
		.state = site->state,
		.since_us = site->since_us,
		.cause = site->state == SITE_OPEN ? CAUSE_NONE : site->cause,
		.next_probe_us = site->state == SITE_CLOSED ? site->probe.key : 0,
		.probes = site->probes,
		.busy = (int)site->busy,
		.window = (int)site_window(site),
		.connections = (int)site_connections(site),
		.waiting = site->ready,
		.last_failure = site->last_failure,
		.last_failure_us = site->last_failure_us,
		.last_success_us = site->last_success_us,
	};
}
