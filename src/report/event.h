/* report/event.h - the event log: one line of JSON per thing that happened to mail. A documented
 * interface: names and fields come from one table in event.c, which also makes
 * docs/formats/events.md. */
#pragma once
#include "base/buffer.h"
#include "base/err.h"
#include "model/notice.h"

struct event_log;

/* event_log_open - appends to `path` ("-": stdout; "": nothing is written). Reopened on
 * event_log_reopen (rotation). */
int event_log_open(const char *path, struct event_log **log_out, struct err *err);
int event_log_reopen(struct event_log *log, struct err *err);
void event_log_close(struct event_log *log); /* takes NULL */

struct event_details {
	struct bytes sender, recipient; /* addresses, where known; empty: left out */
	struct bytes client;
	int64_t size_bytes;
	uint64_t notice_id; /* EVENT notice: the notice's own id */
};

/* event_log_write - one line; buffered, and written by event_log_flush (once per turn of the
 * caller's loop). One thread. */
void event_log_write(struct event_log *log, const struct log_entry *event,
                     const struct event_details *details, int64_t now_us);
void event_log_notice(struct event_log *log, const struct notice *notice,
                      const struct event_details *details, int64_t now_us);
/* What an operator did: the request's path and body as they came, by whom, to how many. */
struct operation_entry {
	const char *path;
	const char *body; /* JSON; NULL: none */
	int64_t uid, count;
};

void event_log_operation(struct event_log *log, const struct operation_entry *entry,
                         int64_t now_us);
/* An alarm was raised or cleared. */
struct alarm_entry {
	const char *name, *state, *text;
};

void event_log_alarm(struct event_log *log, const struct alarm_entry *entry, int64_t now_us);
void event_log_flush(struct event_log *log);
