/* model/notice.h - what the queue says that people should be told: a notice to the sender, an entry
 * of the event log. */
#pragma once
#include "base/arena.h"
#include "model/outcome.h"
#include "model/recipient.h"

enum notice_kind {
	NOTICE_DELAY,
	NOTICE_FAILURE,
	NOTICE_RELAYED,   /* NOTIFY=SUCCESS, to a next hop without DSN */
	NOTICE_DELIVERED, /* after a delay notice */
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

struct notice {
	uint64_t number;
	uint64_t id; /* the message it is about */
	enum notice_kind kind;
	struct notice_recipient *recipients;
	uint32_t count;
};

/* notice_copy - with all that it points to, in the arena. */
struct notice notice_copy(struct arena *arena, const struct notice *notice);

enum log_kind {
	LOGGED_ACCEPTED,
	LOGGED_DEFERRED,
	LOGGED_DELIVERED,
	LOGGED_FAILED,
	LOGGED_EXPIRED,
	LOGGED_CANCELLED,
	LOGGED_SITE_CLOSED,
	LOGGED_SITE_OPENED,
	LOGGED_ROUTE_CHANGED,
	LOGGED_NO_WINDOW, /* mail of a site will expire at the rate that is permitted */
};

struct log_entry {
	enum log_kind kind;
	uint64_t id; /* 0: about a site */
	uint32_t recipient;
	struct bytes domain;
	const char *site;
	enum cause cause;
	const struct outcome *outcome; /* NULL: none */
	int64_t age_us, next_us;
	uint32_t attempts;
	struct ledger ledger;          /* of delivered, failed, expired */
	uint64_t count;                /* no_window: recipients that will expire */
	int64_t gap_us, needed_gap_us; /* between messages: now, and so that none expires */
};
