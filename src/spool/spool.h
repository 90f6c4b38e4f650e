/* spool/spool.h - keeps messages safe. The interface hides the engine; the journal is the embedded
 * one.
 *
 * Asynchronous and in groups: what is posted while one batch is being synced forms the next. Three
 * kinds of thing are kept per message: the message itself (envelope and body, immutable), its state
 * (the queue's, replaced as a whole) and its history (attempts, replaced as a whole). Besides there
 * are notes: small keyed blobs, replaced as a whole (sites). */
#pragma once
#include "base/buffer.h"
#include "base/bytes.h"
#include "base/err.h"
#include "config/config.h"
#include "model/message.h"
#include "runtime/mailbox.h"

struct spool;

enum spool_kind { SPOOL_STATE = 1, SPOOL_HISTORY = 2 };

/* spool_open - opens or creates the spool, recovers it (seals, torn tails, damaged records), takes
 * its lock, and starts the journal thread. ERR_BUSY: another process has it. Damaged records are
 * logged and put in quarantine, see spool_report. */
int spool_open(const struct config_spool *config, struct spool **spool_out, struct err *err);
void spool_close(struct spool *spool); /* syncs what is waiting. Takes NULL */

/* spool_load - calls `visit` once per live message, in no order, before the first put: envelope
 * without body, newest state (may be empty), borrowed for the call. For start-up: the caller's
 * thread. Also every note. */
struct spool_visitor {
	void (*message)(void *arg, const struct message *message, struct bytes state);
	void (*note)(void *arg, uint64_t key, struct bytes note);
	void (*progress)(void *arg, int64_t done_bytes, int64_t all_bytes); /* may be NULL */
	void *arg;
};
int spool_load(struct spool *spool, const struct spool_visitor *visitor, struct err *err);

/* A put in flight. `done` is delivered to `home` when the batch is on disk (or has failed: `result`
 * < 0, nothing is kept: ERR_FULL or ERR_SYSTEM). Embed it; it and the message reference stay the
 * caller's until then. */
struct spool_put {
	struct mail mail; /* to the journal */
	struct mail done; /* to home; `deliver` set by the caller */
	struct mailbox *home;
	struct message
		*message; /* a body file has to be synced by the caller before (spool_body_file) */
	struct spool *spool;
	int result;
	struct err err;
};
void spool_put(struct spool *spool, struct spool_put *put);

/* spool_record - replaces the state or history of a message; copied, no wait: it rides on the next
 * batch. A record for a message that is unknown or removed is dropped. spool_record_both writes
 * state and history in one step. */
void spool_record(struct spool *spool, uint64_t id, enum spool_kind kind, struct bytes data);

/* spool_remove - the message is finished. No wait. Its body file, if it has one, is unlinked after
 * the sync. */
void spool_remove(struct spool *spool, uint64_t id);

/* spool_note - replaces a note; empty data removes it. No wait. At most 64 KiB. */
void spool_note(struct spool *spool, uint64_t key, struct bytes data);

/* A read in flight: the message with its body (in memory, or naming its file), state and history.
 * Runs on the spool's reader thread. */
struct spool_read {
	struct mail mail;
	struct mail done; /* to home; `deliver` set by the caller */
	struct mailbox *home;
	uint64_t id;
	bool wants_body; /* else envelope and header section only */
	struct spool *spool;
	struct spool_read *next;      /* the spool's */
	struct message *message;      /* one reference for the caller; NULL on failure */
	struct buffer state, history; /* the caller deinits */
	int result;                   /* 0, ERR_NOT_FOUND, ERR_CORRUPT, ERR_SYSTEM */
	struct err err;
};
void spool_read(struct spool *spool, struct spool_read *read);

/* spool_sync - `done` is delivered once everything posted before is on disk (tests, orderly stop).
 */
struct spool_sync {
	struct mail mail, done;
	struct mailbox *home;
	struct spool *spool;
	int result;
};
void spool_sync(struct spool *spool, struct spool_sync *sync);

/* spool_has_room - false while free space is below the reserve: new mail is answered 452 4.3.1 at
 * MAIL FROM. Any thread, an atomic read. */
bool spool_has_room(const struct spool *spool);

/* spool_body_file - creates a new empty file for a large body; the path is copied to `path_out`.
 * The receiver writes it, syncs it (spool_body_sync, which also syncs the directory) and names it
 * in message->body.path; or unlinks it. Blocking: call through work_run. */
int spool_body_file(struct spool *spool, char path_out[512], int *fd_out, struct err *err);
int spool_body_sync(struct spool *spool, int fd, struct err *err);

struct spool_status {
	int64_t live_count, live_bytes; /* messages */
	int64_t segment_count, spare_count, disk_bytes;
	int64_t batch_count, record_count, synced_bytes;
	int64_t sync_us_last, sync_us_max, sync_us_sum;
	int64_t reclaimed_segments, copied_bytes;
	int64_t poisoned_count, quarantined_count;
	bool is_full, is_failed; /* failed: two segments in a row could not be written */
};
void spool_status(struct spool *spool,
                  struct spool_status *status_out); /* blocks: any thread without a loop */

/* spool_verify - reads every byte of a spool that nobody has open; prints one line per finding to
 * `out`. Returns the number of damaged records, or < 0. */
int spool_verify(const char *directory, struct buffer *out,
                 void (*progress)(void *arg, int64_t done, int64_t all), void *arg,
                 struct err *err);

/* spool_export - writes every live message of a spool that nobody has open as ID.eml with its
 * envelope in ID.json (sender, recipients, arrival). Returns the number written, or < 0. */
int spool_export(const char *directory, const char *to_directory,
                 void (*progress)(void *arg, int64_t done, int64_t all), void *arg,
                 struct err *err);
