/* serve/operation.h - changes of many deadlines, whole or not at all: what is to be done is on disk
 * before the first message is touched, is finished after a crash, and can be undone. Files in
 * SPOOL/operations: N.begun, then N.done, then maybe N.undone (docs/formats/operations.md). */
#pragma once
#include "base/buffer.h"
#include "base/err.h"
#include "serve/server.h"

#define OPERATIONS_KEPT 50 /* older ones are removed */

struct operation {
	uint64_t number;
	char path[600]; /* while it is open: N.begun */
	int fd;
	struct buffer pending;
	uint64_t recipients;
	struct err err; /* of the first write that failed */
};

/* operation_begin - a new file, with `head` (JSON: what, when, by whom) as its first line.
 * ERR_BUSY: another operation is under way; there is one at a time. What has begun ends with
 * operation_commit. */
int operation_begin(struct server *server, const json_t *head, struct operation *operation_out,
                    struct err *err);

/* operation_add - one recipient: its extension is to become `after_us`. */
void operation_add(struct operation *operation, uint64_t id, uint32_t recipient, int64_t before_us,
                   int64_t after_us);

/* operation_commit - all of it is on disk, then done. On failure nothing was done. */
int operation_commit(struct server *server, struct operation *operation, struct err *err);

/* operation_undo - sets what the operation set, where nobody has changed it since, back to what it
 * was; the number of recipients in `count_out`. ERR_NOT_FOUND: there is none (0: the last one), or
 * it was undone. ERR_BUSY: as operation_begin. */
int operation_undo(struct server *server, uint64_t number, uint64_t *count_out, struct err *err);

/* operation_finish_all - at start-up, before any delivery: what a crash interrupted. */
void operation_finish_all(struct server *server);

/* operation_list - an array: head, number, state, newest first. */
json_t *operation_list(struct server *server);
