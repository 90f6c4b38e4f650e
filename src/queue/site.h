/* queue/site.h - a set of hosts: its health, its probes, its slots, and why its mail waits. */
#pragma once
#include "base/heap.h"
#include "queue/destination.h"
#include "queue/forecast.h"
#include "queue/incident.h"
#include "queue/job.h"
#include "queue/pace.h"
#include "queue/timeline.h"
#include "queue/view.h"

enum site_event {
	SITE_ACCEPTED,
	SITE_FAILED,
	SITE_PROBE_DUE,
	SITE_SETTLED, /* recovered, or free of a learned rate */
	SITE_PACED,   /* recovered, and a rate was learned */
	SITE_EVENTS
};

/* A place for one connection. Warm: its last job was accepted, so that the connection may be open.
 */
struct slot {
	struct job *job; /* NULL: free */
	bool is_warm;
};

struct site {
	struct hash_node by_hash;
	const struct route *route; /* NULL: known from before a restart, not found again yet */
	const struct config_destination *limits; /* of its destinations, the fewest connections */
	const struct config_destination *rate;   /* and the lowest rate; NULL: there is none */
	struct pace pace;                        /* of that rate */
	struct learned learned;
	struct incidents incidents;
	struct outlook outlook;
	enum site_state state;
	enum cause cause;       /* why it is closed, or was */
	int64_t since_us;       /* of the state; while closed or probed: since it was closed */
	struct heap_node probe; /* key: when the next one is due; of an open site: when its pace
	                           permits the next message */
	uint32_t probes;        /* failed since it was closed */
	uint32_t failures;      /* in a row */
	int64_t last_failure_us, last_success_us;
	struct outcome *last_failure;
	struct timeline timeline;
	struct heap turns; /* destinations that may send, by their oldest recipient */
	struct list turn, touched, idle;
	int64_t idle_since_us;
	uint64_t ready;                /* recipients that wait for it */
	uint64_t waiting;              /* of them, those that only wait for the site */
	uint32_t looked_up;            /* how far look-ups at probes have gone around its domains */
	struct destination *probe_via; /* whose route is looked up for the next probe; or NULL */
	const struct job *probe_job;   /* the probe under way */
	struct slot *slots;
	uint32_t slot_count, busy, window, users; /* users: destinations that point here */
	int64_t noted_us;
	bool is_note_due, has_note;
};

#define PACE_NOTED_US 1000000LL /* how often what a rate has used up is written */

struct site *site_find(const struct queue *queue, uint64_t hash);
struct site *site_create(struct queue *queue, uint64_t hash);
void site_destroy(struct site *site);

/* site_use, site_leave - a destination begins or ends to point to it. */
void site_use(struct queue *queue, struct site *site, struct destination *destination);
void site_leave(struct queue *queue, struct site *site);

/* The outcome of a job that reached the site, or did not. */
void site_accept(struct queue *queue, const struct job *job);
void site_fail(struct queue *queue, const struct job *job, const struct outcome *outcome);
void site_begin_probe(struct queue *queue, const struct job *job);
void site_abandon_probe(struct queue *queue, const struct job *job, int64_t next_us);
void site_probe_at(struct queue *queue, struct site *site, int64_t at_us); /* closed sites only */

/* site_name - a copy in the arena; "" for no site, or one that is not found again yet. */
const char *site_name(const struct site *site, struct arena *arena);
bool site_is_closed(const struct site *site); /* closed or being probed */
bool site_is_open(const struct site *site);   /* and takes as many connections as configured */

/* site_may_start - whether a job may begin, if there is mail. */
bool site_may_start(const struct site *site, int64_t now_us);
uint32_t site_connections(const struct site *site);
uint32_t site_window(const struct site *site); /* slots permitted now */

/* site_limit - what keeps it from taking more mail now; LIMIT_NONE while no mail waits for it. */
enum site_limit site_limit(const struct queue *queue, const struct site *site);

/* site_take_pace - a message is about to be sent. */
void site_take_pace(const struct queue *queue, struct site *site);

/* site_count_loaded - after start-up: those that wait for a closed site are at least all hurt by
 * its incident. */
void site_count_loaded(struct queue *queue);

/* site_hurt - recipients that now wait for it: counted if it is closed. */
void site_hurt(struct queue *queue, struct site *site, uint64_t count);

/* site_set_limits - anew, from all its destinations' (which call site_limit_by one by one). */
void site_reset_limits(struct queue *queue, struct site *site);
void site_limit_by(struct queue *queue, struct site *site, const struct config_destination *limits);

/* site_slot_acquire - the lowest free slot that is warm, else the lowest free one, for `job`. */
uint32_t site_slot_acquire(struct site *site, struct job *job);
void site_slot_release(struct site *site, uint32_t index);
void site_slot_warm(struct site *site, uint32_t index, bool is_warm);

/* site_settle - puts it into, or out of, the sites that take turns. */
void site_settle(struct queue *queue, struct site *site);

/* site_touch - has its cause and its note brought up to date at the end of the step. */
void site_touch(struct queue *queue, struct site *site);
void site_finish_touched(struct queue *queue);

void site_run_timers(struct queue *queue);
void site_drop_idle(struct queue *queue);
void site_view(const struct queue *queue, const struct site *site, struct site_view *view_out);
