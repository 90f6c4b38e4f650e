/* simulate/relay.h - models of other relays as policies: their waits, when they scan their queue,
 * what they remember of hosts that are down. What each leaves out: docs/simulate.md. */
#pragma once
#include "simulate/run.h"

/* How a relay chooses the next attempt for one message. */
enum relay_rhythm {
	RELAY_WAITS, /* a list of waits; the last one repeats, or is followed by no other attempt */
	RELAY_BY_AGE,  /* as long as the message is old, within limits (Postfix) */
	RELAY_SQUARES, /* at 400 n^2 seconds of age (qmail, OpenSMTPD) */
};

/* What it remembers of a host that did not take a connection. */
enum relay_memory {
	RELAY_FORGETS,   /* nothing: each message finds out for itself */
	RELAY_SPREADS,   /* the others that are ready now are put off with the one that failed */
	RELAY_COHORTS,   /* Postfix: dead for a while after a window of failures */
	RELAY_TIMEOUTS,  /* qmail: skipped for an hour or more after two timeouts */
	RELAY_PENALTIES, /* OpenSMTPD: 15 s times the square of the failures, up to an hour */
	RELAY_HINTS,     /* Exim: the host has the schedule, not the message */
	RELAY_QUEUES,    /* Exchange: the queue to the host waits as a whole */
};

struct relay {
	const char *name;
	const char *preset; /* whose lifetime and waits it has */
	enum relay_rhythm rhythm;
	enum relay_memory memory;
	int64_t scan_us;            /* messages are only looked at so often; 0: at their own time */
	int64_t connect_timeout_us; /* for each host */
	int connections;            /* to one destination */
	int64_t message_us;         /* wait of a message that was itself put off; 0: the preset's */
	bool is_late_allowed;       /* the lifetime is looked at after an attempt, not by a timer */
	int64_t queue_us[12];       /* RELAY_QUEUES: waits of the queue; the last one repeats */
	int queue_count;
};

extern const struct relay relays[];
extern const int relay_count;

/* relay_find - by name; NULL if there is no model of it. */
const struct relay *relay_find(const char *name);

struct relay_settings {
	const struct relay *relay;
	const struct config
		*config; /* with the preset as its defaults; it may have another lifetime */
};

extern const struct policy relay_policy; /* settings: struct relay_settings */
