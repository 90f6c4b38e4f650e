/* queue/destination.h - a domain: where its mail goes, and the lists in which that mail waits. */
#pragma once
#include "base/list.h"
#include "queue/forecast.h"
#include "queue/heart.h"
#include "queue/incident.h"
#include "queue/timeline.h"

/* By priority (above, at, below 0), and within it the urgent ones first. */
#define READY_LISTS 6

enum destination_state {
	DESTINATION_NEW,     /* not looked up */
	DESTINATION_ROUTED,  /* has a site */
	DESTINATION_CLOSED,  /* the look-up failed: probed like a site */
	DESTINATION_REFUSED, /* its mail cannot be delivered, says the DNS */
};

enum lookup {
	LOOKUP_NONE,
	LOOKUP_BESIDE, /* under way; mail goes to the old route meanwhile */
	LOOKUP_FIRST,  /* under way; mail waits for it */
};

struct destination {
	struct hash_node by_name;
	struct bytes name; /* its own copy */
	enum destination_state state;
	enum lookup lookup;
	struct site *site; /* NULL until routed; kept while closed */
	const struct config_destination *limits;
	uint32_t not_counted;    /* causes (1 << cause) whose time does not use up lifetimes */
	int64_t valid_until_us;  /* of the route, or of the refusal */
	struct heap_node timer;  /* when it is closed: the next look-up */
	int64_t closed_since_us; /* the first failed look-up of a row; 0: none */
	uint32_t probes;
	enum cause closed_cause;
	char status[12];
	char *text;                 /* what the DNS said; NULL: nothing */
	struct incidents incidents; /* of the DNS */
	struct outlook outlook;     /* while it has no site */
	char *moved_from;           /* the route before the last change; NULL: none was seen */
	int64_t moved_us;
	uint32_t moved_waiting; /* recipients that waited for the old one */
	struct list ready[READY_LISTS];
	uint64_t ready_count;
	struct heap_node turn; /* in site->turns */
	struct timeline timeline;
	struct list look_up, refusing, idle;
	int64_t idle_since_us, oldest_us;
	uint64_t counts[RECIPIENT_STATES];
	uint32_t by_cause[CAUSE_COUNT]; /* of those not ready */
	uint64_t unfinished;            /* recipients in the queue */
	uint64_t delivered, failed, expired;
	uint64_t newest_id; /* the message added last: links its recipients */
	uint16_t newest_index;
	struct suspension suspension;
	bool has_resolved, has_note;
};

struct destination *destination_find(const struct queue *queue, struct bytes name);

/* destination_obtain - finds or creates it. */
struct destination *destination_obtain(struct queue *queue, struct bytes name);
void destination_destroy(struct destination *destination);

/* destination_append, destination_take - a recipient begins or ends to be ready. */
void destination_append(struct queue *queue, struct recipient *recipient);
void destination_take(struct queue *queue, struct recipient *recipient);
struct recipient *destination_first(const struct destination *destination); /* NULL: none */

/* destination_cause - why its ready mail waits now. */
enum cause destination_cause(const struct destination *destination);
int64_t destination_since_us(const struct destination *destination); /* and since when */

/* destination_settle - after any change: asks for a look-up, takes part in the site's turns or not,
 * sets the cause for which its mail waits. */
void destination_settle(struct queue *queue, struct destination *destination);

/* destination_settle_all - the same for each; after all has been loaded, too. */
void destination_settle_all(struct queue *queue);

void destination_want_lookup(struct queue *queue, struct destination *destination,
                             enum lookup lookup);
void destination_probe_now(struct queue *queue, struct destination *destination);
void destination_take_route(struct queue *queue, const struct event_route *route);
void destination_attach(struct queue *queue, struct destination *destination, struct site *site);

/* destination_suspend - `reason` NULL: resumes. An empty domain is all of them. */
void destination_suspend(struct queue *queue, struct bytes domain, const char *reason);

/* destination_use, destination_leave - a recipient comes into the queue, or is finished. */
/* destination_hurt - `count` recipients begin to wait, for the DNS or for the site: counted while
 * one of them is out of order. destination_expire, destination_recover: what became of such mail.
 */
void destination_hurt(struct queue *queue, struct destination *destination, uint64_t count);
void destination_expire(const struct destination *destination);
void destination_recover(const struct destination *destination, int64_t arrived_us);

void destination_use(struct queue *queue, struct destination *destination, int64_t arrived_us);
void destination_leave(struct queue *queue, struct destination *destination, int64_t arrived_us);

void destination_apply_config(struct queue *queue);
void destination_emit_lookups(struct queue *queue);
void destination_refuse_slice(struct queue *queue);
void destination_run_timers(struct queue *queue);
void destination_drop_idle(struct queue *queue);
