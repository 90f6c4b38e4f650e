/* spool/journal.h - the engine: segments, batches, recovery, reclaim. One owner, no threads, no
 * clock; all that it asks of the file system goes through struct disk. docs/design/0002-journal.md
 * says why it is so. */
#pragma once
#include "base/buffer.h"
#include "base/err.h"
#include "spool/disk.h"
#include "spool/index.h"
#include "spool/record.h"
#include "spool/scan.h"

struct journal;

struct journal_options {
	const char *directory;
	int64_t segment_bytes; /* 0: the journal is only read */
	int spare_segments;
	int64_t reserve_bytes;
	const struct disk *disk;
};

/* journal_open - recovers what is in `directory`, which exists. Nothing is ever appended to an old
 * segment. */
int journal_open(const struct journal_options *options, struct journal **journal_out,
                 struct err *err);
void journal_close(struct journal *journal); /* what is staged is dropped. Takes NULL */

/* journal_stage - puts a record into the batch; its bytes are borrowed until the commit. 0;
 * ERR_BUSY: commit first, then again; ERR_FULL or ERR_SYSTEM: no segment could be had (then nothing
 * was staged). For messages the last spare segment is not touched. */
int journal_stage(struct journal *journal, const struct record *record, struct err *err);

/* journal_commit - writes and syncs the batch. On success all of it is on disk and in the index. On
 * failure nothing of it counts; the segment is poisoned, and the next batch goes to another. The
 * batch is empty afterwards. */
int journal_commit(struct journal *journal, struct err *err);
bool journal_has_batch(const struct journal *journal);

/* journal_reclaim - copies some live records of the oldest segment into the batch, or recycles it
 * when none is left; for an empty batch only. True if it did something: call again later. */
bool journal_reclaim(struct journal *journal);

bool journal_find(const struct journal *journal, uint64_t id, struct places *places_out);
void journal_each(const struct journal *journal,
                  void (*visit)(void *arg, uint64_t id, const struct places *places), void *arg);

/* A segment that is pinned is not recycled, so that another thread may read from it. */
struct segment;
struct segment *journal_pin(struct journal *journal, uint64_t place, int64_t *offset_out);
void journal_unpin(struct journal *journal, struct segment *segment);

/* segment_read - reads the record at `offset` into `data` (which is cleared) and checks it; its
 * parts point into `data`. Any thread. ERR_CORRUPT, ERR_SYSTEM. */
int segment_read(const struct segment *segment, int64_t offset, struct buffer *data,
                 struct record *record_out, struct err *err);

/* journal_each_note - the newest of every note. */
int journal_each_note(struct journal *journal,
                      void (*visit)(void *arg, uint64_t key, struct bytes note), void *arg,
                      struct err *err);

struct journal_status {
	int64_t live_count, live_bytes, segment_count, spare_count, disk_bytes;
	int64_t batch_count, record_count, synced_bytes, reclaimed_segments, copied_bytes;
	int64_t poisoned_count, quarantined_count;
};
void journal_status(const struct journal *journal, struct journal_status *status_out);

/* journal_list_segments - the numbers of the segments in a directory, ascending; the caller frees.
 * Returns their count, or < 0. */
int journal_list_segments(const char *directory, uint64_t **numbers_out, struct err *err);

/* journal_read_segment - a whole segment file; and where it ended, by the word of the segment after
 * it (-1: nobody says). */
int journal_read_segment(const struct disk *disk, const char *directory, uint64_t number,
                         struct buffer *data, struct err *err);
int64_t journal_end_of(const struct disk *disk, const char *directory, uint64_t number);
