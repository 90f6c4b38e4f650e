/* lab/record.h - the lab's diary: one line of JSON for each connection, message and refusal. */
#pragma once
#include "base/buffer.h"
#include "base/err.h"

/* record_json_string - appends `text` as a JSON string; bytes that are not ASCII become \u00XX. */
void record_json_string(struct buffer *out, struct bytes text);

struct record;

/* record_open - appends to `path`. */
int record_open(const char *path, struct record **record_out, struct err *err);
void record_close(struct record *record); /* writes what is left; takes NULL */

struct record_entry {
	int64_t at_us; /* clock_now_us's scale */
	const char *host, *event, *client;
	const char *stage;       /* reject, drop: where; NULL: not written */
	const char *reply;       /* NULL: not written */
	const char *sender;      /* NULL: not written */
	struct bytes recipients; /* each followed by LF */
	struct bytes id;         /* the Message-ID; empty: not written */
	uint64_t bytes;          /* 0: not written */
};

/* record_write - buffered; see record_flush. Takes NULL for `record` and does nothing. */
void record_write(struct record *record, const struct record_entry *entry);
void record_flush(struct record *record);
