/* queue/action.h - what the queue wants done, in this order. Bytes and arrays in actions belong to
 * `struct actions` and live until actions_clear. */
#pragma once
#include "base/arena.h"
#include "model/message.h"
#include "model/notice.h"
#include "model/outcome.h"
#include "model/route.h"
#include "queue/filter.h"

enum action_kind {
	ACTION_LOOK_UP, /* find the route of `domain`; answer with EVENT_ROUTE */
	ACTION_DELIVER, /* answer with EVENT_JOB_DONE */
	ACTION_RECORD,  /* write the message's state */
	ACTION_REMOVE,  /* the message is finished */
	ACTION_VAULT,   /* it is finished, but not all of it was delivered: kept for `resend` */
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

struct action_vault {
	uint64_t id;
	struct bytes state;  /* to be written; empty: it is on disk already */
	struct bytes domain; /* of the first recipient that was not delivered */
	enum cause cause;    /* and its last cause */
	int64_t ended_us, size_bytes;
};

struct action {
	enum action_kind kind;
	union {
		struct bytes domain;
		struct action_deliver deliver;
		struct action_vault vault;
		struct {
			uint64_t id; /* ACTION_REMOVE has only this */
			struct bytes state;
		} record;
		struct {
			uint64_t key;
			struct bytes bytes;
		} note;
		struct notice notice;
		struct log_entry log;
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

/* actions_keep - a copy of an outcome that lives as long as the actions; NULL of NULL. */
const struct outcome *actions_keep(struct actions *actions, const struct outcome *outcome);

/* actions_add - a zeroed action at the end; its bytes go into actions->arena. */
struct action *actions_add(struct actions *actions, enum action_kind kind);
