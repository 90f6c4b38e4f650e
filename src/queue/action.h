/* queue/action.h - what the queue wants done, in this order. Bytes and arrays in actions belong to
 * `struct actions` and live until actions_clear. */
#pragma once
#include "base/arena.h"
#include "model/message.h"
#include "model/outcome.h"
#include "model/route.h"
#include "queue/filter.h"

enum action_kind {
	ACTION_LOOK_UP, /* find the route of `domain`; answer with EVENT_ROUTE */
	ACTION_DELIVER, /* answer with EVENT_JOB_DONE */
	ACTION_RECORD,  /* write the message's state */
	ACTION_REMOVE,  /* the message is finished */
	ACTION_NOTICE,  /* make a notice; answer with EVENT_NOTICE_DONE once it is on disk */
	ACTION_NOTE,    /* write a note (a site's memory); empty: remove it */
	ACTION_LOG,     /* tell the event log */
};

/* Which connection a job belongs to: a slot has at most one, on one worker. */
struct slot_id {
	uint64_t site;  /* route->hash */
	uint16_t index; /* 0..connections-1 */
	uint16_t worker;
};

struct action_deliver {
	uint64_t job; /* number, never reused in a run */
	uint64_t id;
	struct bytes domain;
	uint32_t *recipients; /* indices in the message */
	uint32_t recipient_count;
	const struct route *route; /* a reference of the action's; serve/ takes its own */
	struct slot_id slot;
	const struct config_destination *limits; /* lives as long as the config that the queue
	                                            holds: serve/ copies what it needs */
	bool is_probe; /* the site is closed: try all hosts and addresses */
	bool is_last;  /* the last attempt before the deadline */
	int64_t deadline_us;
};

enum notice_kind { NOTICE_DELAY, NOTICE_FAILURE, NOTICE_RELAYED };

struct ledger {
	uint32_t seconds[CAUSE_COUNT]; /* sums to the recipient's age in seconds (rounded once, at
	                                  the end) */
};

struct notice_recipient {
	uint32_t recipient;         /* index in the message */
	enum recipient_state state; /* why: failed, expired, or (delay) queued */
	enum cause cause;           /* the last one */
	uint32_t attempts;
	int64_t deadline_us;
	int64_t next_us; /* delay notices: when it is tried next; 0: when the site is back */
	struct ledger ledger;
	const struct outcome *site_outcome; /* the site's last failure; NULL: none */
	int64_t site_outcome_us;
	const char *status;  /* failed without an attempt (DNS): "5.1.2" ...; else NULL */
	const char *text;    /* and why */
	bool is_by_operator; /* expired by command */
};

struct action_notice {
	uint64_t notice; /* number */
	uint64_t id;
	enum notice_kind kind;
	struct notice_recipient *recipients;
	uint32_t count;
};

enum log_kind {
	LOGGED_ACCEPTED,
	LOGGED_DEFERRED,
	LOGGED_DELIVERED,
	LOGGED_FAILED,
	LOGGED_EXPIRED,
	LOGGED_CANCELLED,
	LOGGED_SITE_CLOSED,
	LOGGED_SITE_OPENED,
	LOGGED_ROUTE_CHANGED
};

struct action_log {
	enum log_kind kind;
	uint64_t id;
	uint32_t recipient;
	struct bytes domain;
	const char *site;
	enum cause cause;
	const struct outcome *outcome; /* NULL: none */
	int64_t age_us, next_us;
	uint32_t attempts;
	struct ledger ledger; /* of delivered, failed, expired */
};

struct action {
	enum action_kind kind;
	union {
		struct bytes domain;
		struct action_deliver deliver;
		struct {
			uint64_t id;
			struct bytes state;
		} record;
		struct {
			uint64_t key;
			struct bytes bytes;
		} note;
		struct action_notice notice;
		struct action_log log;
	};
};

struct actions {
	struct action *items;
	size_t count, capacity;
	struct arena *arena;
};

void actions_init(struct actions *actions);
void actions_deinit(struct actions *actions);
void actions_clear(struct actions *actions); /* also gives back route references */
