/* queue/event.h - what can happen to the queue. Everything in an event is borrowed for the call of
 * queue_step. */
#pragma once
#include "config/config.h"
#include "model/message.h"
#include "model/outcome.h"
#include "model/route.h"
#include "queue/filter.h"

enum event_kind {
	EVENT_TIME = 0, /* nothing but the time */
	EVENT_ADDED,    /* a message is on disk */
	EVENT_LOADED,   /* a message was found at start-up, with its recorded state (maybe empty) */
	EVENT_NOTE_LOADED, /* a note (ACTION_NOTE's bytes) was found at start-up; notes come before
	                      messages */
	EVENT_ROUTE,       /* the answer to ACTION_LOOK_UP */
	EVENT_JOB_DONE,    /* the answer to ACTION_DELIVER */
	EVENT_NOTICE_DONE, /* the answer to ACTION_NOTICE: it is on disk (result 0) or could not be
	                      made */
	EVENT_COMMAND,     /* an operator's */
	EVENT_CONFIG,      /* a new configuration; applies to queued mail too */
};

enum route_result {
	ROUTE_FOUND = 0,
	ROUTE_TEMPORARY, /* SERVFAIL, timeout, bogus: cause dns_failure */
	ROUTE_NO_DOMAIN, /* NXDOMAIN: 5.1.2, unless the domain resolved before (then dns_changed) */
	ROUTE_NULL_MX,   /* 5.1.10 at once */
	ROUTE_NO_HOSTS,  /* 5.4.4, and 5.4.6 when only we are left (`status`) */
};

struct event_route {
	struct bytes domain;
	enum route_result result;
	const struct route *route; /* with ROUTE_FOUND; the queue takes its own reference */
	int64_t valid_until_us;
	const char *status; /* enhanced status for a permanent result, "5.1.2" */
	const char *text;   /* "DNS lookup of MX example.org: SERVFAIL" */
};

struct event_job_done {
	uint64_t job;       /* the action's number */
	bool was_attempted; /* false: nothing was tried (own fault, stopping): the recipients are
	                       ready again, cause own_fault */
	const struct outcome *outcomes; /* one per recipient of the job, in its order */
	uint32_t outcome_count;
};

enum command_kind {
	COMMAND_RETRY, /* try now; does not count in the schedule; probes closed sites at once */
	COMMAND_HOLD,
	COMMAND_RELEASE,
	COMMAND_CANCEL,  /* out of the queue, no notice */
	COMMAND_EXPIRE,  /* failure notice now ("expired by administrator") */
	COMMAND_EXTEND,  /* one recipient of one message: its deadline is `extension_us` later than
	                    the lifetime says (negative: earlier) */
	COMMAND_SUSPEND, /* destination `domain` ("" = all); cause suspended */
	COMMAND_RESUME,
};

struct event_command {
	enum command_kind kind;
	uint64_t id; /* one message; 0: by filter */
	const struct filter
		*filter;      /* only what the queue knows: destination, cause, age, state, site */
	struct bytes domain;  /* suspend, resume */
	uint32_t recipient;   /* extend: index in the message */
	int64_t extension_us; /* extend */
	const char *reason;   /* suspend; may be "" */
};

struct event {
	enum event_kind kind;
	union {
		struct {
			const struct message *message;
			struct bytes state; /* EVENT_LOADED */
		} added;
		struct {
			uint64_t key;
			struct bytes bytes;
		} note;
		struct event_route route;
		struct event_job_done job_done;
		struct {
			uint64_t id;
			uint64_t notice; /* the action's number */
			bool is_done;
		} notice_done;
		struct event_command command;
		const struct config *config;
	};
};
