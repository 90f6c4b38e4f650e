#include "base/alloc.h"
#include "base/assert.h"
#include "base/log.h"
#include "spool/journal_own.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define SEGMENT_BITS  21
#define PAD_BYTES     (RECORD_ALIGNMENT - 1)
#define RECLAIM_BYTES (512 << 10)

void segment_path(const char *directory, uint64_t number, char path_out[PATH_BYTES])
{
	snprintf(path_out, PATH_BYTES, "%.400s/journal/%016" PRIx64 ".seg", directory, number);
}

void spare_path(const char *directory, int n, char path_out[PATH_BYTES])
{
	snprintf(path_out, PATH_BYTES, "%.400s/journal/spare-%d", directory, n);
}

static void journal_path(const struct journal *journal, char path_out[PATH_BYTES])
{
	snprintf(path_out, PATH_BYTES, "%.400s/journal", journal->options.directory);
}

uint64_t place_make(uint64_t segment, int64_t offset)
{
	return (segment & ((1u << SEGMENT_BITS) - 1)) << 27 | (uint64_t)(offset / RECORD_ALIGNMENT);
}

int64_t place_offset(uint64_t place)
{
	return (int64_t)(place & ((1u << 27) - 1)) * RECORD_ALIGNMENT;
}

/* Segments in use are consecutive, so the low bits of the number tell which one it is. */
struct segment *journal_segment_at(const struct journal *journal, uint64_t place)
{
	uint64_t oldest = journal->segments[0]->number;
	uint64_t distance = ((place >> 27) - oldest) & ((1u << SEGMENT_BITS) - 1);

	ASSERT(distance < (uint64_t)journal->segment_count);
	return journal->segments[distance];
}

void journal_add_segment(struct journal *journal, struct segment *segment)
{
	if (journal->segment_count == journal->segment_capacity) {
		journal->segment_capacity = journal->segment_capacity * 2 + 8;
		journal->segments = alloc_resize(journal->segments,
		                                 (size_t)journal->segment_capacity,
		                                 sizeof *journal->segments);
	}
	journal->segments[journal->segment_count++] = segment;
	journal->counts.disk_bytes += segment->size_bytes;
}

static struct segment *current_segment(const struct journal *journal)
{
	return journal->is_open ? journal->segments[journal->segment_count - 1] : NULL;
}

/* The index and the notes. */

struct note *journal_find_note(const struct journal *journal, uint64_t key)
{
	HASH_EACH_MATCH (node, &journal->notes, key)
		return CONTAINER_OF(node, struct note, by_key);
	return NULL;
}

static void leave(struct journal *journal, uint64_t place)
{
	if (place != PLACE_NONE)
		journal_segment_at(journal, place)->live--;
}

static void apply_note(struct journal *journal, const struct record *record, uint64_t place)
{
	struct note *note = journal_find_note(journal, record->id);

	if (note)
		leave(journal, note->place);
	if (record->head.len == 0) {
		if (note) {
			hash_remove(&journal->notes, &note->by_key);
			alloc_free(note);
		}
		return;
	}
	if (!note) {
		note = alloc_zeroed(sizeof *note);
		note->key = record->id;
		hash_insert(&journal->notes, &note->by_key, record->id);
	}
	note->place = place;
	journal_segment_at(journal, place)->live++;
}

static void apply_message(struct journal *journal, const struct record *record, uint64_t place,
                          int64_t size_bytes)
{
	struct places places = { PLACE_NONE, PLACE_NONE, PLACE_NONE, 0 };

	if (index_get(journal->index, record->id, &places))
		journal->counts.live_bytes -= places.size_bytes;
	leave(journal, places.message);
	places.message = place;
	places.size_bytes = (uint32_t)size_bytes;
	journal->counts.live_bytes += size_bytes;
	journal_segment_at(journal, place)->live++;
	index_set(journal->index, record->id, &places);
}

static void apply_done(struct journal *journal, uint64_t id)
{
	struct places places;

	if (!index_get(journal->index, id, &places))
		return;
	journal->counts.live_bytes -= places.size_bytes;
	leave(journal, places.message);
	leave(journal, places.state);
	leave(journal, places.history);
	index_remove(journal->index, id);
}

/* State and history of a message that is not there are of no use: it was finished before. */
static void apply_part(struct journal *journal, const struct record *record, uint64_t place)
{
	struct places places;
	uint64_t *part;

	if (!index_get(journal->index, record->id, &places))
		return;
	part = record->type == RECORD_STATE ? &places.state : &places.history;
	leave(journal, *part);
	*part = place;
	journal_segment_at(journal, place)->live++;
	index_set(journal->index, record->id, &places);
}

void journal_apply(struct journal *journal, const struct record *record, uint64_t place,
                   int64_t size_bytes)
{
	switch (record->type) {
	case RECORD_MESSAGE:
		apply_message(journal, record, place, size_bytes);
		return;
	case RECORD_STATE:
	case RECORD_HISTORY:
		apply_part(journal, record, place);
		return;
	case RECORD_NOTE:
		apply_note(journal, record, place);
		return;
	case RECORD_DONE:
		apply_done(journal, record->id);
		return;
	case RECORD_SEAL:
		return;
	}
}

bool journal_find(const struct journal *journal, uint64_t id, struct places *places_out)
{
	return index_get(journal->index, id, places_out);
}

void journal_each(const struct journal *journal,
                  void (*visit)(void *arg, uint64_t id, const struct places *places), void *arg)
{
	index_each(journal->index, visit, arg);
}

/* Segments: a spare file is renamed and written over, or a new one is made. */

static int take_spare(struct journal *journal, const char *path)
{
	char spare[PATH_BYTES];
	int fd;

	spare_path(journal->options.directory, journal->spare_count - 1, spare);
	if (journal->options.disk->rename(journal->options.disk->arg, spare, path) < 0)
		return -1;
	journal->spare_count--;
	journal->counts.disk_bytes -= journal->options.segment_bytes;
	fd = journal->options.disk->open(journal->options.disk->arg, path, 0);
	return fd;
}

static int open_file(struct journal *journal, const char *path, int64_t size_bytes, bool is_message)
{
	const struct disk *disk = journal->options.disk;
	bool is_usual = size_bytes == journal->options.segment_bytes;
	int fd;

	if (is_usual && journal->spare_count > 1)
		return take_spare(journal, path);
	if (disk->free_bytes(disk->arg, journal->options.directory) - size_bytes >=
	    (is_message ? journal->options.reserve_bytes : 0)) {
		fd = disk->open(disk->arg, path, size_bytes);
		if (fd >= 0 || errno != ENOSPC)
			return fd;
	}
	errno = ENOSPC;
	/* The last spare is for what must be written on a full disk: states and ends. */
	return !is_message && is_usual && journal->spare_count > 0 ? take_spare(journal, path) : -1;
}

static void stage(struct journal *journal, const struct record *record)
{
	struct segment *segment = current_segment(journal);
	struct staged *staged = &journal->staged[journal->staged_count++];

	staged->record = *record;
	staged->record.segment = segment->number;
	staged->record.synced = (uint32_t)segment->synced_bytes;
	staged->size_bytes = record_size(record->head.len, record->rest.len);
	staged->offset = segment->used_bytes + journal->staged_bytes;
	record_encode_header(&staged->record, staged->header);
	journal->staged_bytes += staged->size_bytes;
}

/* The first record of a segment says where the one before ended: what is missing there is damage,
 * what stands behind never counted. */
static void stage_seal(struct journal *journal)
{
	struct segment *before = journal->segments[journal->segment_count - 2];
	struct record seal = { .type = RECORD_SEAL, .id = before->number };

	journal->seal_end = (uint64_t)before->synced_bytes;
	seal.head = (struct bytes){ (const char *)&journal->seal_end, sizeof journal->seal_end };
	stage(journal, &seal);
}

static int roll(struct journal *journal, int64_t needed_bytes, bool is_message, struct err *err)
{
	const struct disk *disk = journal->options.disk;
	struct segment *segment;
	char path[PATH_BYTES], directory[PATH_BYTES];
	uint64_t number = journal->segment_count
	                          ? journal->segments[journal->segment_count - 1]->number + 1
	                          : 1;
	int64_t size_bytes = MAX(journal->options.segment_bytes, needed_bytes);
	int fd;

	segment_path(journal->options.directory, number, path);
	journal_path(journal, directory);
	fd = open_file(journal, path, size_bytes, is_message);
	if (fd < 0) {
		bool is_full = errno == ENOSPC;

		err_system(err, "create segment %s", path);
		return is_full ? ERR_FULL : ERR_SYSTEM;
	}
	if (disk->sync_directory(disk->arg, directory) < 0) {
		err_system(err, "sync directory %s", directory);
		disk->close(disk->arg, fd);
		disk->remove(disk->arg, path);
		return ERR_SYSTEM;
	}
	segment = alloc_zeroed(sizeof *segment);
	segment->number = number;
	segment->disk = disk;
	segment->fd = fd;
	segment->size_bytes = size_bytes;
	journal_add_segment(journal, segment);
	journal->is_open = true;
	if (journal->segment_count > 1)
		stage_seal(journal);
	return 0;
}

bool journal_has_batch(const struct journal *journal)
{
	return journal->staged_count > 0;
}

int journal_stage(struct journal *journal, const struct record *record, struct err *err)
{
	int64_t size_bytes = record_size(record->head.len, record->rest.len);
	struct segment *segment = current_segment(journal);
	int result;

	if (journal->staged_count >= BATCH_RECORDS_MAX - 1 ||
	    (journal->staged_count > 0 && journal->staged_bytes + size_bytes > BATCH_BYTES_MAX))
		return ERR_BUSY;
	if (!segment ||
	    segment->used_bytes + journal->staged_bytes + size_bytes > segment->size_bytes) {
		if (journal->staged_count > 0)
			return ERR_BUSY;
		result = roll(journal, size_bytes + record_size(sizeof journal->seal_end, 0),
		              record->type == RECORD_MESSAGE, err);
		if (result < 0)
			return result;
	}
	stage(journal, record);
	return 0;
}

/* The batch: one write (or a few, where a system call takes no more parts), one sync. */

static int add_part(struct iovec *parts, int count, struct bytes data)
{
	if (data.len == 0)
		return count;
	parts[count].iov_base = (char *)(uintptr_t)data.at;
	parts[count].iov_len = data.len;
	return count + 1;
}

static int add_record(struct iovec *parts, int count, const struct staged *staged)
{
	static const char zeros[PAD_BYTES];
	size_t bare = RECORD_HEADER_BYTES + staged->record.head.len + staged->record.rest.len;

	count = add_part(parts, count, (struct bytes){ staged->header, RECORD_HEADER_BYTES });
	count = add_part(parts, count, staged->record.head);
	count = add_part(parts, count, staged->record.rest);
	return add_part(parts, count, (struct bytes){ zeros, (size_t)staged->size_bytes - bare });
}

static int write_parts(struct segment *segment, struct iovec *parts, int count, int64_t offset)
{
	while (count > 0) {
		ssize_t written = segment->disk->write(segment->disk->arg, segment->fd, parts,
		                                       count, offset);

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return -1;
		offset += written;
		while (count > 0 && (size_t)written >= parts->iov_len) {
			written -= (ssize_t)parts->iov_len;
			parts++;
			count--;
		}
		if (count > 0) {
			parts->iov_base = (char *)parts->iov_base + written;
			parts->iov_len -= (size_t)written;
		}
	}
	return 0;
}

#define PARTS_AT_ONCE 480 /* of the 1,024 that Linux takes; frames stay small */

static int write_batch(struct journal *journal, struct segment *segment)
{
	struct iovec parts[PARTS_AT_ONCE];
	int64_t offset = segment->used_bytes;

	for (int i = 0; i < journal->staged_count;) {
		int64_t size_bytes = 0;
		int count = 0;

		for (; i < journal->staged_count && count + 4 <= PARTS_AT_ONCE; i++) {
			count = add_record(parts, count, &journal->staged[i]);
			size_bytes += journal->staged[i].size_bytes;
		}
		if (write_parts(segment, parts, count, offset) < 0)
			return -1;
		offset += size_bytes;
	}
	return segment->disk->sync(segment->disk->arg, segment->fd);
}

static void drop_batch(struct journal *journal)
{
	journal->staged_count = 0;
	journal->staged_bytes = 0;
	buffer_clear(&journal->reclaim_data);
}

int journal_commit(struct journal *journal, struct err *err)
{
	struct segment *segment = current_segment(journal);

	if (journal->staged_count == 0)
		return 0;
	if (write_batch(journal, segment) < 0) {
		err_system(err, "write segment %016" PRIx64, segment->number);
		journal->reclaim_at = 0; /* copies in the batch were not kept */
		/* What the kernel holds of this file is unknown from now on: never again a word
		 * into it. */
		segment->used_bytes = segment->synced_bytes;
		journal->is_open = false;
		journal->counts.poisoned_count++;
		drop_batch(journal);
		return ERR_SYSTEM;
	}
	segment->used_bytes += journal->staged_bytes;
	segment->synced_bytes = segment->used_bytes;
	for (int i = 0; i < journal->staged_count; i++) {
		const struct staged *staged = &journal->staged[i];

		journal_apply(journal, &staged->record, place_make(segment->number, staged->offset),
		              staged->size_bytes);
	}
	journal->counts.batch_count++;
	journal->counts.record_count += journal->staged_count;
	journal->counts.synced_bytes += journal->staged_bytes;
	drop_batch(journal);
	return 0;
}

/* Reading. */

struct segment *journal_pin(struct journal *journal, uint64_t place, int64_t *offset_out)
{
	struct segment *segment = journal_segment_at(journal, place);

	segment->pins++;
	*offset_out = place_offset(place);
	return segment;
}

void journal_unpin(struct journal *journal, struct segment *segment)
{
	(void)journal;
	ASSERT(segment->pins > 0);
	segment->pins--;
}

static int read_at(const struct segment *segment, int64_t offset, size_t size_bytes,
                   struct buffer *data)
{
	char *to = buffer_reserve(data, size_bytes);

	while (size_bytes > 0) {
		ssize_t count = segment->disk->read(segment->disk->arg, segment->fd, to, size_bytes,
		                                    offset);

		if (count < 0 && errno == EINTR)
			continue;
		if (count <= 0)
			return -1;
		to += count;
		data->len += (size_t)count;
		offset += count;
		size_bytes -= (size_t)count;
	}
	return 0;
}

int segment_read(const struct segment *segment, int64_t offset, struct buffer *data,
                 struct record *record_out, struct err *err)
{
	uint32_t sizes[2];
	int64_t wanted;

	buffer_clear(data);
	if (read_at(segment, offset, RECORD_HEADER_BYTES, data) < 0)
		return err_system(err, "read segment %016" PRIx64, segment->number);
	memcpy(sizes, data->at, sizeof sizes);
	wanted = (int64_t)sizes[0] + sizes[1];
	if (offset + RECORD_HEADER_BYTES + wanted > segment->size_bytes)
		return err_set(err, ERR_CORRUPT,
		               "segment %016" PRIx64 ": the record at %lld is damaged",
		               segment->number, (long long)offset);
	if (read_at(segment, offset + RECORD_HEADER_BYTES, (size_t)wanted, data) < 0)
		return err_system(err, "read segment %016" PRIx64, segment->number);
	if (record_decode(buffer_bytes(data), segment->number, record_out) <= 0)
		return err_set(err, ERR_CORRUPT,
		               "segment %016" PRIx64 ": the record at %lld is damaged",
		               segment->number, (long long)offset);
	return 0;
}

int journal_each_note(struct journal *journal,
                      void (*visit)(void *arg, uint64_t key, struct bytes note), void *arg,
                      struct err *err)
{
	struct buffer data = { 0 };
	int result = 0;

	HASH_EACH (node, &journal->notes) {
		struct note *note = CONTAINER_OF(node, struct note, by_key);
		struct record record;

		if (segment_read(journal_segment_at(journal, note->place),
		                 place_offset(note->place), &data, &record, err) < 0)
			result = ERR_CORRUPT;
		else
			visit(arg, note->key, record.head);
	}
	buffer_deinit(&data);
	return result;
}

/* Reclaim: oldest first, always. So the end of a message never outlives the need for it: all that
 * came before it is gone by then. */

static bool is_current(const struct journal *journal, const struct record *record, uint64_t place)
{
	struct places places;
	struct note *note;

	if (record->type == RECORD_NOTE) {
		note = journal_find_note(journal, record->id);
		return note && note->place == place;
	}
	if (!index_get(journal->index, record->id, &places))
		return false;
	return (record->type == RECORD_MESSAGE && places.message == place) ||
	       (record->type == RECORD_STATE && places.state == place) ||
	       (record->type == RECORD_HISTORY && places.history == place);
}

static void recycle_oldest(struct journal *journal)
{
	struct segment *segment = journal->segments[0];
	const struct disk *disk = journal->options.disk;
	char path[PATH_BYTES], spare[PATH_BYTES], directory[PATH_BYTES];
	bool is_kept = segment->size_bytes == journal->options.segment_bytes &&
	               journal->spare_count < journal->options.spare_segments;

	segment_path(journal->options.directory, segment->number, path);
	spare_path(journal->options.directory, journal->spare_count, spare);
	journal_path(journal, directory);
	disk->close(disk->arg, segment->fd);
	if (is_kept && disk->rename(disk->arg, path, spare) == 0)
		journal->spare_count++;
	else if (disk->remove(disk->arg, path) == 0)
		journal->counts.disk_bytes -= segment->size_bytes;
	/* Before the next one goes: an older segment must not come back when a younger one is gone.
	 */
	if (disk->sync_directory(disk->arg, directory) < 0)
		log_error("spool", "sync directory %s: %s", directory, strerror(errno));
	alloc_free(segment);
	journal->segment_count--;
	memmove(journal->segments, journal->segments + 1,
	        (size_t)journal->segment_count * sizeof *journal->segments);
	journal->reclaim_at = 0;
	journal->counts.reclaimed_segments++;
}

static bool wants_reclaim(const struct journal *journal)
{
	const struct segment *oldest = journal->segments[0];
	int64_t used_bytes = 0;

	if (oldest->live == 0)
		return true;
	for (int i = 0; i < journal->segment_count; i++)
		used_bytes += journal->segments[i]->size_bytes;
	return used_bytes >
	       MAX(4 * journal->options.segment_bytes,
	           2 * journal->counts.live_bytes + 2 * journal->options.segment_bytes);
}

/* Reads the next stretch of the oldest segment: at least one whole record. False at its end, or if
 * it cannot be read. */
static bool read_stretch(struct journal *journal)
{
	struct segment *segment = journal->segments[0];
	int64_t left = segment->used_bytes - journal->reclaim_at;
	struct buffer *data = &journal->reclaim_data;
	struct record record;

	for (int64_t wanted = RECLAIM_BYTES; left > 0; wanted *= 4) {
		buffer_clear(data);
		if (read_at(segment, journal->reclaim_at, (size_t)MIN(wanted, left), data) < 0) {
			log_error("spool", "reclaim: segment %016" PRIx64 " cannot be read: %s",
			          segment->number, strerror(errno));
			return false;
		}
		if (wanted >= left ||
		    record_decode(buffer_bytes(data), segment->number, &record) > 0)
			return true;
	}
	return false;
}

/* Copies what is live in the next stretch of the oldest segment; steps over damage. */
static void copy_forward(struct journal *journal)
{
	struct segment *segment = journal->segments[0];
	struct err err = { 0 };
	int64_t at = 0;

	if (!read_stretch(journal)) {
		journal->reclaim_at = segment->used_bytes;
		return;
	}
	while (at < (int64_t)journal->reclaim_data.len) {
		struct bytes rest = bytes_from(buffer_bytes(&journal->reclaim_data), (size_t)at);
		uint64_t place = place_make(segment->number, journal->reclaim_at + at);
		struct record record;
		int64_t size_bytes = record_decode(rest, segment->number, &record);

		if (size_bytes <= 0) {
			if (at > 0)
				break; /* cut off by the end of the stretch: the next one begins
				          here */
			size_bytes = RECORD_ALIGNMENT;
		} else if (is_current(journal, &record, place)) {
			if (journal_stage(journal, &record, &err) < 0)
				break;
			journal->counts.copied_bytes += size_bytes;
		}
		at += size_bytes;
	}
	journal->reclaim_at += at;
}

bool journal_reclaim(struct journal *journal)
{
	struct segment *oldest;

	ASSERT(journal->staged_count == 0);
	if (journal->segment_count < 2 || !wants_reclaim(journal))
		return false;
	oldest = journal->segments[0];
	if (oldest->live == 0 && oldest->pins == 0) {
		recycle_oldest(journal);
		return true;
	}
	if (journal->reclaim_at >= oldest->used_bytes)
		return false; /* pinned by a reader, or damaged records that the index still names
		               */
	copy_forward(journal);
	return journal->staged_count > 0 || journal->reclaim_at < oldest->used_bytes;
}

void journal_status(const struct journal *journal, struct journal_status *status_out)
{
	*status_out = journal->counts;
	status_out->live_count = (int64_t)index_count(journal->index);
	status_out->segment_count = journal->segment_count;
	status_out->spare_count = journal->spare_count;
}

/* Start and end. */

int journal_open(const struct journal_options *options, struct journal **journal_out,
                 struct err *err)
{
	struct journal *journal = alloc_zeroed(sizeof *journal);

	journal->options = *options;
	journal->index = index_create();
	if (journal_recover(journal, err) < 0) {
		journal_close(journal);
		return err->code;
	}
	*journal_out = journal;
	return 0;
}

void journal_close(struct journal *journal)
{
	if (!journal)
		return;
	for (int i = 0; i < journal->segment_count; i++) {
		struct segment *segment = journal->segments[i];

		segment->disk->close(segment->disk->arg, segment->fd);
		alloc_free(segment);
	}
	for (struct hash_node *node; (node = hash_each(&journal->notes, NULL));) {
		hash_remove(&journal->notes, node);
		alloc_free(CONTAINER_OF(node, struct note, by_key));
	}
	hash_deinit(&journal->notes);
	index_destroy(journal->index);
	buffer_deinit(&journal->reclaim_data);
	alloc_free(journal->segments);
	alloc_free(journal);
}
