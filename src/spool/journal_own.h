/* spool/journal_own.h - what journal.c, recover.c and reclaim.c share. */
#pragma once
#include "base/hash.h"
#include "spool/journal.h"

#define BATCH_RECORDS_MAX 512
#define BATCH_BYTES_MAX   (8 << 20)
#define PATH_BYTES        512

struct segment {
	uint64_t number;
	const struct disk *disk;
	int fd;
	int64_t size_bytes, used_bytes, synced_bytes;
	uint32_t live; /* records of the index and notes that stand here */
	int pins;
};

struct note {
	struct hash_node by_key;
	uint64_t key, place;
};

struct staged {
	struct record record;
	char header[RECORD_HEADER_BYTES];
	int64_t offset, size_bytes;
};

struct journal {
	struct journal_options options;
	struct segment *
		*segments; /* oldest first, numbers consecutive; the last one is written to */
	int segment_count, segment_capacity;
	bool is_open; /* the last segment may be appended to */
	int spare_count;
	struct index *index;
	struct hash notes;
	struct staged staged[BATCH_RECORDS_MAX];
	int staged_count;
	int64_t staged_bytes;
	uint64_t seal_end;  /* payload of a staged seal */
	int64_t reclaim_at; /* how far the oldest segment has been looked through */
	struct buffer reclaim_data;
	struct journal_status counts;
};

/* journal_apply - a record at `place` counts from now on. */
void journal_apply(struct journal *journal, const struct record *record, uint64_t place,
                   int64_t size_bytes);
uint64_t place_make(uint64_t segment, int64_t offset);
struct segment *journal_segment_at(const struct journal *journal, uint64_t place);
int64_t place_offset(uint64_t place);
void journal_add_segment(struct journal *journal, struct segment *segment);
void segment_path(const char *directory, uint64_t number, char path_out[PATH_BYTES]);
void spare_path(const char *directory, int n, char path_out[PATH_BYTES]);
int journal_recover(struct journal *journal, struct err *err);
struct note *journal_find_note(const struct journal *journal, uint64_t key);
