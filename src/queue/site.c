#include "queue/site.h"
#include "base/alloc.h"
#include "base/assert.h"
#include "base/units.h"
#include "queue/note.h"
#include "queue/schedule.h"
#include <math.h>

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
	                      [SITE_SETTLED] = SITE_OPEN,
	                      [SITE_PACED] = SITE_THROTTLED },
	[SITE_THROTTLED] = { [SITE_ACCEPTED] = SITE_THROTTLED,
	                     [SITE_FAILED] = SITE_CLOSED,
	                     [SITE_SETTLED] = SITE_OPEN },
};

static const char *const state_names[SITE_STATES] = {
	[SITE_NEVER] = "never",   [SITE_OPEN] = "open",       [SITE_THROTTLED] = "throttled",
	[SITE_CLOSED] = "closed", [SITE_PROBING] = "probing", [SITE_RECOVERING] = "recovering",
};

static const char *const limit_names[] = {
	[LIMIT_NONE] = "none",
	[LIMIT_CLOSED] = "closed",
	[LIMIT_RECOVERING] = "recovering",
	[LIMIT_LEARNED_RATE] = "learned_rate",
	[LIMIT_LEARNED_CONNECTIONS] = "learned_connections",
	[LIMIT_RATE] = "rate",
	[LIMIT_CONNECTIONS] = "connections",
	[LIMIT_ALL_CONNECTIONS] = "all_connections",
};

const char *site_limit_name(enum site_limit limit)
{
	return limit_names[limit];
}

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
	incidents_deinit(&site->incidents);
	timeline_deinit(&site->timeline);
	heap_deinit(&site->turns);
	alloc_free(site);
}

void site_use(struct queue *queue, struct site *site, struct destination *destination)
{
	if (site->users++ == 0) {
		list_remove(&site->idle);
		queue->idle_site_count--;
		site_reset_limits(queue, site);
	}
	site_limit_by(queue, site, destination->limits);
}

void site_reset_limits(struct queue *queue, struct site *site)
{
	site->limits = &queue->config->defaults;
	site->rate = NULL;
	if (site->users == 0)
		pace_limit(&site->pace, 0, 0, queue->now_us);
}

/* Messages a day, so that rates of different periods compare. */
static double messages_a_day(const struct config_destination *limits)
{
	int64_t count, period_us;

	if (!rate_parse(bytes_of(limits->rate), &count, &period_us))
		return INFINITY;
	return (double)count * (double)US_PER_DAY / (double)period_us;
}

void site_limit_by(struct queue *queue, struct site *site, const struct config_destination *limits)
{
	int64_t count = 0, period_us = 0;

	if (site->limits == &queue->config->defaults ||
	    limits->connections < site->limits->connections)
		site->limits = limits;
	if (isfinite(messages_a_day(limits)) &&
	    (!site->rate || messages_a_day(limits) < messages_a_day(site->rate)))
		site->rate = limits;
	if (site->rate)
		rate_parse(bytes_of(site->rate->rate), &count, &period_us);
	pace_limit(&site->pace, count, period_us, queue->now_us);
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

bool site_is_open(const struct site *site)
{
	return (site->state == SITE_OPEN || site->state == SITE_THROTTLED) &&
	       !site->learned.connections;
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
	if (next == SITE_OPEN || next == SITE_THROTTLED)
		heap_remove(&queue->site_timers, &site->probe);
	site_touch(queue, site);
	if (was_closed == site_is_closed(site) && next != SITE_OPEN)
		return;
	if (was_closed)
		queue->totals.sites_closed--;
	if (site_is_closed(site))
		queue->totals.sites_closed++;
	if (was_closed) {
		log_state(queue, site, LOGGED_SITE_OPENED);
		incidents_end(&site->incidents, queue->now_us);
	}
	site->since_us = queue->now_us;
}

void site_accept(struct queue *queue, const struct job *job)
{
	struct site *site = job->site;

	bool is_free = learned_take(&site->learned, queue->now_us);

	site->failures = 0;
	site->last_success_us = queue->now_us;
	if (site_is_closed(site))
		heap_remove(&queue->site_timers, &site->probe);
	apply(queue, site, SITE_ACCEPTED);
	if (site->state == SITE_THROTTLED && is_free)
		apply(queue, site, SITE_SETTLED);
	if (site->state != SITE_RECOVERING)
		return;
	site->probes = 0;
	site->window++; /* doubles with every round of jobs */
	if (site->window >= site_connections(site))
		apply(queue, site, site->learned.pace.gap_us ? SITE_PACED : SITE_SETTLED);
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

/* One connection too many, while others are at work, or were when it began: that is no trouble of
 * the site's. If the others are refused as well, the last one closes it. */
static bool is_crowd(const struct site *site, const struct job *job, const struct outcome *outcome)
{
	if (site_is_closed(site) || outcome->phase < PHASE_GREETING ||
	    outcome->phase > PHASE_EHLO ||
	    (outcome->cause != CAUSE_RATE_LIMITED && outcome->cause != CAUSE_HOST_BUSY))
		return false;
	return site->busy > 1 || site->last_success_us >= job->began_us;
}

/* Connections that are open, or may be, without the one that was refused, and that one. */
static uint32_t crowd_of(const struct site *site)
{
	uint32_t crowd = site->busy;

	for (uint32_t i = 0; i < site->slot_count; i++)
		crowd += !site->slots[i].job && site->slots[i].is_warm;
	return crowd;
}

static void begin_incident(struct queue *queue, struct site *site, enum site_state before)
{
	if (site->cause == CAUSE_RATE_LIMITED || before == SITE_PROBING)
		return;
	incidents_begin(&site->incidents,
	                before == SITE_RECOVERING ? INCIDENT_RELAPSE : INCIDENT_NEW, site->cause,
	                queue->now_us);
	incidents_hurt(&site->incidents, site->ready);
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
	if (is_crowd(site, job, outcome)) {
		learned_crowd(&site->learned, crowd_of(site), queue->now_us);
		return;
	}
	if (outcome->cause == CAUSE_RATE_LIMITED && before != SITE_PROBING)
		learned_limit(&site->learned, queue->now_us);
	else if (before == SITE_OPEN && site->failures < failures_to_close)
		return;
	site->cause = outcome->cause ? outcome->cause : CAUSE_NETWORK;
	site->probes = before == SITE_PROBING ? site->probes + 1 : 0;
	apply(queue, site, SITE_FAILED);
	begin_incident(queue, site, before);
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

/* What is configured, or fewer if the site takes fewer. */
uint32_t site_connections(const struct site *site)
{
	uint32_t configured = (uint32_t)MAX(1, MIN(site->limits->connections, UINT16_MAX));

	return site->learned.connections ? MIN(configured, site->learned.connections) : configured;
}

/* When both paces permit the next message. */
static int64_t pace_due_us(const struct site *site)
{
	return MAX(pace_next_us(&site->pace), pace_next_us(&site->learned.pace));
}

void site_take_pace(const struct queue *queue, struct site *site)
{
	pace_take(&site->pace, queue->now_us);
	pace_take(&site->learned.pace, queue->now_us);
	if (site->pace.gap_us && queue->now_us >= site->noted_us + PACE_NOTED_US)
		site->is_note_due = true;
}

void site_count_loaded(struct queue *queue)
{
	HASH_EACH (node, &queue->sites) {
		const struct site *site = CONTAINER_OF(node, struct site, by_hash);
		struct incident *incident = incidents_current(&site->incidents);

		if (incident && incident->hurt < site->ready)
			incident->hurt = (uint32_t)MIN(site->ready, UINT32_MAX);
	}
}

void site_hurt(struct queue *queue, struct site *site, uint64_t count)
{
	if (!site || !site_is_closed(site))
		return;
	incidents_hurt(&site->incidents, count);
	site->is_note_due = site->is_note_due || queue->now_us >= site->noted_us + NOTED_US;
	site_touch(queue, site);
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
	return site->probe.key <= now_us && pace_next_us(&site->pace) <= now_us &&
	       !site->probe_job && site->busy < site_connections(site);
}

bool site_may_start(const struct site *site, int64_t now_us)
{
	if (site->state == SITE_CLOSED)
		return may_probe(site, now_us);
	return site->state != SITE_PROBING && site->busy < site_window(site) &&
	       pace_due_us(site) <= now_us;
}

static uint32_t free_slot(const struct site *site)
{
	uint32_t lowest = site->slot_count;

	for (uint32_t i = site->slot_count; i > 0; i--)
		if (!site->slots[i - 1].job)
			lowest = i - 1;
	for (uint32_t i = lowest; i < site->slot_count; i++)
		if (!site->slots[i].job && site->slots[i].is_warm)
			return i;
	return lowest;
}

uint32_t site_slot_acquire(struct site *site, struct job *job)
{
	uint32_t index = free_slot(site);

	if (index == site->slot_count) {
		site->slots = alloc_resize(site->slots, index + 1, sizeof *site->slots);
		site->slot_count = index + 1;
	}
	site->slots[index] = (struct slot){ .job = job };
	site->busy++;
	return index;
}

void site_slot_warm(struct site *site, uint32_t index, bool is_warm)
{
	site->slots[index].is_warm = is_warm;
}

void site_slot_release(struct site *site, uint32_t index)
{
	ASSERT(index < site->slot_count && site->slots[index].job && site->busy > 0);
	if (site->probe_job == site->slots[index].job)
		site->probe_job = NULL;
	site->slots[index].job = NULL;
	site->busy--;
}

/* Mail waits and only the pace is in its way: a timer brings it back. */
static void wait_for_pace(struct queue *queue, struct site *site)
{
	int64_t due_us = site->state == SITE_CLOSED ? pace_next_us(&site->pace) : pace_due_us(site);

	if (due_us <= queue->now_us || site->state == SITE_PROBING)
		return;
	if (site->state == SITE_CLOSED)
		due_us = MAX(due_us, site->probe.key);
	else if (site->busy >= site_window(site))
		return;
	heap_move(&queue->site_timers, &site->probe, due_us);
}

void site_settle(struct queue *queue, struct site *site)
{
	bool may_send = site->route && site->turns.count > 0 && site_may_start(site, queue->now_us);

	if (!may_send)
		list_remove(&site->turn);
	else if (list_is_empty(&site->turn))
		list_append(&queue->turns, &site->turn);
	if (!may_send && site->turns.count > 0)
		wait_for_pace(queue, site);
}

void site_touch(struct queue *queue, struct site *site)
{
	if (list_is_empty(&site->touched))
		list_append(&queue->touched, &site->touched);
}

enum site_limit site_limit(const struct queue *queue, const struct site *site)
{
	int64_t now_us = queue->now_us;

	if (site_is_closed(site))
		return LIMIT_CLOSED;
	if (site->waiting == 0)
		return LIMIT_NONE;
	if (pace_next_us(&site->learned.pace) > MAX(now_us, pace_next_us(&site->pace)))
		return LIMIT_LEARNED_RATE;
	if (pace_next_us(&site->pace) > now_us)
		return LIMIT_RATE;
	if (site->busy >= site_window(site) && site->state == SITE_RECOVERING)
		return LIMIT_RECOVERING;
	if (site->busy >= site_connections(site))
		return site_connections(site) < (uint32_t)site->limits->connections
		               ? LIMIT_LEARNED_CONNECTIONS
		               : LIMIT_CONNECTIONS;
	if (queue->totals.jobs >= (uint64_t)MAX(1, queue->config->deliver.connections))
		return LIMIT_ALL_CONNECTIONS;
	return LIMIT_NONE;
}

/* Why mail that could go to this site now does not: the site's trouble, or our own limit. */
static enum cause cause_now(const struct queue *queue, const struct site *site)
{
	switch (site_limit(queue, site)) {
	case LIMIT_NONE:
		return CAUSE_NONE;
	case LIMIT_CLOSED:
	case LIMIT_RECOVERING:
		return site->cause;
	case LIMIT_LEARNED_RATE:
	case LIMIT_LEARNED_CONNECTIONS:
		return CAUSE_RATE_LIMITED;
	case LIMIT_RATE:
	case LIMIT_CONNECTIONS:
	case LIMIT_ALL_CONNECTIONS:
		break;
	}
	return CAUSE_OWN_LIMIT;
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

void site_view(const struct queue *queue, const struct site *site, struct site_view *view_out)
{
	*view_out = (struct site_view){
		.name = site->route ? site->route->name : "",
		.text = site->route ? site->route->text : "",
		.hash = site->by_hash.hash,
		.state = site->state,
		.since_us = site->since_us,
		.cause = site_is_closed(site) || site->state == SITE_RECOVERING ? site->cause
		                                                                : CAUSE_NONE,
		.next_probe_us = site->state == SITE_CLOSED ? site->probe.key : 0,
		.probes = site->probes,
		.busy = (int)site->busy,
		.window = (int)site_window(site),
		.connections = (int)site_connections(site),
		.limit = site_limit(queue, site),
		.gap_us = site->pace.gap_us,
		.learned_gap_us = site->learned.pace.gap_us,
		.next_message_us = pace_due_us(site),
		.learned_connections = (int)site->learned.connections,
		.greylisting_us = site->learned.greylisting_us,
		.rate_of = site->rate ? site->rate->pattern : "",
		.connections_of = site->limits->pattern,
		.incidents = &site->incidents,
		.waiting = site->ready,
		.last_failure = site->last_failure,
		.last_failure_us = site->last_failure_us,
		.last_success_us = site->last_success_us,
	};
}
