/* queue/view.h - what the queue shows: pure reads for `queue`, `explain` and the API. Nothing here
 * scans the whole queue at once. */
#pragma once
#include "model/outcome.h"
#include "queue/action.h"
#include "queue/filter.h"
#include "queue/incident.h"

struct queue;

struct recipient_view {
	uint32_t recipient;  /* index in the message */
	struct bytes domain; /* borrowed; valid until the next step, as is `site` */
	const char *site;    /* route name; "" while it is not resolved */
	enum recipient_state state;
	enum cause cause;
	int64_t since_us; /* since when the cause is what it is */
	int64_t next_us;  /* next attempt; 0: when the site takes it */
	int64_t deadline_us;
	int64_t extension_us; /* of it, by command */
	uint32_t attempts;
	struct ledger ledger;
	bool is_notified; /* a delay notice was sent */
};

struct message_view {
	uint64_t id;
	int64_t arrived_us;
	int64_t size_bytes;
	uint32_t recipient_count;
	bool is_notice, has_null_sender;
	struct recipient_view *recipients; /* in the caller's arena */
};

/* queue_view_message - false if there is no such message. */
bool queue_view_message(const struct queue *queue, uint64_t id, int64_t now_us, struct arena *arena,
                        struct message_view *view_out);

/* queue_preview_notice - what a delay notice about the message would say now. False if there is no
 * such message, or nobody of it waits. */
bool queue_preview_notice(const struct queue *queue, uint64_t id, int64_t now_us,
                          struct arena *arena, struct notice *notice_out);

/* queue_list - the ids of up to `limit` messages with a recipient that matches, beginning at
 * `*cursor` (0 = from the start); looks at no more than `scan_limit` messages. `*cursor` is where
 * to go on, 0 at the end. Messages that stay queued meanwhile are listed exactly once. */
size_t queue_list(const struct queue *queue, const struct filter *filter, int64_t now_us,
                  size_t limit, size_t scan_limit, uint64_t *cursor, uint64_t *ids_out);

enum site_state {
	SITE_NEVER = 0,
	SITE_OPEN,
	SITE_THROTTLED,
	SITE_CLOSED,
	SITE_PROBING,
	SITE_RECOVERING,
	SITE_STATES
};
const char *site_state_name(enum site_state state);

/* What keeps a site from taking more mail. */
enum site_limit {
	LIMIT_NONE,
	LIMIT_CLOSED,
	LIMIT_RECOVERING,   /* slow start */
	LIMIT_LEARNED_RATE, /* what its replies taught */
	LIMIT_LEARNED_CONNECTIONS,
	LIMIT_RATE,            /* the key `rate` */
	LIMIT_CONNECTIONS,     /* the key `connections` */
	LIMIT_ALL_CONNECTIONS, /* deliver.connections: busy with other sites */
};
const char *site_limit_name(enum site_limit limit);

struct site_view {
	const char *name, *text; /* the route's */
	uint64_t hash;
	enum site_state state;
	int64_t since_us;
	enum cause cause;              /* why it is closed */
	int64_t next_probe_us;         /* 0: none */
	uint32_t probes;               /* since it was closed */
	int busy, window, connections; /* slots in use, permitted now, configured */
	enum site_limit limit;
	int64_t gap_us, learned_gap_us; /* between messages; 0: no limit */
	int64_t next_message_us;        /* when the pace permits it */
	int learned_connections;        /* 0: none */
	int64_t greylisting_us;         /* learned; 0: none */
	const char *rate_of,
		*connections_of; /* whose limits they are: a pattern, "" the defaults */
	const struct incidents *incidents;
	uint64_t waiting;                   /* recipients that are ready */
	const struct outcome *last_failure; /* NULL: none */
	int64_t last_failure_us, last_success_us;
};

struct destination_view {
	struct bytes domain;
	const struct route *route;           /* NULL: not resolved */
	struct site_view site;               /* valid if route is set */
	uint64_t counts[RECIPIENT_STATES];   /* recipients */
	uint64_t by_cause[CAUSE_COUNT];      /* queued recipients by cause now */
	uint64_t delivered, failed, expired; /* since start */
	int64_t oldest_us;                   /* arrival of the oldest that waits, about; 0: none */
	int64_t next_deadline_us;            /* the earliest; 0: none */
	bool is_suspended;
	const char *suspend_reason;
	int64_t route_valid_until_us;
	int64_t next_look_up_us; /* of a domain that could not be looked up; 0: none is planned */
	const char *route_text;  /* the DNS failure, if that is what it waits for; "" */
	const char *moved_from;  /* the route before the last change; "": none was seen */
	int64_t moved_us;
	uint32_t moved_waiting;            /* recipients that waited for the old route */
	const struct incidents *incidents; /* of the DNS */
};

/* queue_view_destination - false if the queue knows nothing of it. */
bool queue_view_destination(const struct queue *queue, struct bytes domain, int64_t now_us,
                            struct destination_view *view_out);

/* queue_each_destination - all destinations that have or had mail lately. Costs their number, not
 * the messages'. */
void queue_each_destination(const struct queue *queue, int64_t now_us,
                            void (*visit)(void *arg, const struct destination_view *view),
                            void *arg);

struct queue_totals {
	uint64_t messages, counts[RECIPIENT_STATES], by_cause[CAUSE_COUNT];
	uint64_t accepted, delivered, failed, expired, notices; /* since start */
	uint64_t destinations, sites, sites_closed, jobs;
};
void queue_totals(const struct queue *queue, struct queue_totals *totals_out);
