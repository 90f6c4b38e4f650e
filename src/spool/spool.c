#include "spool/spool.h"
#include "base/alloc.h"
#include "base/list.h"
#include "base/log.h"
#include "base/units.h"
#include "runtime/clock.h"
#include "runtime/thread.h"
#include "spool/bodies.h"
#include "spool/journal.h"
#include "spool/place.h"
#include <errno.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define RIDE_US          (50 * US_PER_MS) /* how long a record may wait for a batch to ride on */
#define RECLAIM_PAUSE_US (5 * US_PER_MS)
#define RETRY_US         (10 * US_PER_SECOND)
#define ROOM_CHECK_US    US_PER_SECOND

enum op_kind { OP_PUT, OP_RECORD, OP_REMOVE, OP_NOTE, OP_SYNC };

/* Something to write, from the moment it is posted until its batch is on disk. */
struct op {
	struct mail mail;
	struct list node;
	struct spool *spool;
	enum op_kind kind;
	struct record record;
	struct buffer data; /* what record.head points to */
	struct spool_put *put;
	struct spool_sync *sync;
};

struct spool {
	struct journal *journal;
	struct spool_place *place; /* directory and lock */
	struct bodies *bodies;
	struct thread *thread, *reader;
	struct list pending;      /* in order */
	struct spool_read *reads; /* they begin after what was posted before them is written */
	int urgent_count;         /* of them: puts and syncs, whose posters wait */
	struct timer timer, room_timer;
	int64_t reserve_bytes;
	bool is_closing;
	int failures;     /* commits in a row */
	int64_t retry_us; /* failed: not before */
	_Atomic bool has_room;
	_Atomic bool is_full, is_failed;
	struct {
		_Atomic int64_t last_us, max_us, sum_us;
	} sync;
};

static void schedule(struct spool *spool, int64_t at_us);

/* Answers. */

static void answer_put(struct op *op, int result, const struct err *err)
{
	struct spool_put *put = op->put;

	put->result = result;
	if (err)
		put->err = *err;
	mailbox_post(put->home, &put->done);
}

static void op_destroy(struct op *op)
{
	list_remove(&op->node);
	buffer_deinit(&op->data);
	alloc_free(op);
}

static void op_end(struct op *op, int result, const struct err *err)
{
	struct spool *spool = op->spool;

	if (op->kind == OP_PUT) {
		if (result == 0 && op->put->message->body.path)
			bodies_add(spool->bodies, op->put->message->id,
			           op->put->message->body.path);
		answer_put(op, result, err);
		spool->urgent_count--;
	} else if (op->kind == OP_SYNC) {
		op->sync->result = result;
		mailbox_post(op->sync->home, &op->sync->done);
		spool->urgent_count--;
	} else if (op->kind == OP_REMOVE) {
		bodies_remove(spool->bodies, op->record.id);
	}
	op_destroy(op);
}

/* The batch. */

static void end_staged(struct spool *spool, struct list *staged)
{
	(void)spool;
	for (struct list *node; (node = list_take_first(staged));)
		op_end(CONTAINER_OF(node, struct op, node), 0, NULL);
}

/* The batch is lost: puts are told so; everything else has no other place than memory, and is
 * written again. */
static void return_staged(struct spool *spool, struct list *staged, const struct err *err)
{
	struct list again;

	list_init(&again);
	for (struct list *node; (node = list_take_first(staged));) {
		struct op *op = CONTAINER_OF(node, struct op, node);

		if (op->kind == OP_PUT)
			op_end(op, ERR_SYSTEM, err);
		else
			list_append(&again, node);
	}
	while (!list_is_empty(&again)) {
		struct list *last = again.prev;

		list_remove(last);
		list_prepend(&spool->pending, last);
	}
}

static void note_failure(struct spool *spool, const struct err *err)
{
	log_error("spool", "%s; the batch is not acknowledged, the segment is left", err->text);
	if (++spool->failures >= 2) {
		atomic_store(&spool->is_failed, true);
		spool->retry_us = clock_now_us() + RETRY_US;
	}
}

static int commit(struct spool *spool, struct list *staged)
{
	int64_t began_us = clock_now_us(), took_us;
	struct err err = { 0 };

	if (journal_commit(spool->journal, &err) < 0) {
		note_failure(spool, &err);
		return_staged(spool, staged, &err);
		return ERR_SYSTEM;
	}
	took_us = clock_now_us() - began_us;
	atomic_store(&spool->sync.last_us, took_us);
	atomic_fetch_add(&spool->sync.sum_us, took_us);
	if (took_us > atomic_load(&spool->sync.max_us))
		atomic_store(&spool->sync.max_us, took_us);
	spool->failures = 0;
	atomic_store(&spool->is_failed, false);
	end_staged(spool, staged);
	return 0;
}

/* No segment is to be had. A put is refused; the rest stays, and is tried again. False: no use to
 * go on now. */
static bool handle_no_segment(struct spool *spool, struct op *op, int result, const struct err *err)
{
	if (result == ERR_FULL)
		atomic_store(&spool->is_full, true);
	else
		note_failure(spool, err);
	if (op->kind == OP_PUT) {
		op_end(op, result, err);
		return true;
	}
	list_prepend(&spool->pending, &op->node);
	schedule(spool, clock_now_us() + US_PER_SECOND);
	return false;
}

/* Stages and commits everything that is pending. */
static void write_pending(struct spool *spool)
{
	struct list staged;
	struct err err = { 0 };

	list_init(&staged);
	while (!list_is_empty(&spool->pending)) {
		struct op *op = CONTAINER_OF(list_take_first(&spool->pending), struct op, node);
		int result = op->kind == OP_SYNC ? 0
		                                 : journal_stage(spool->journal, &op->record, &err);

		if (result == 0) {
			list_append(&staged, &op->node);
			continue;
		}
		if (result == ERR_BUSY || journal_has_batch(spool->journal)) {
			list_prepend(&spool->pending, &op->node);
			if (commit(spool, &staged) < 0)
				return;
			continue;
		}
		if (!handle_no_segment(spool, op, result, &err))
			break;
	}
	if (journal_has_batch(spool->journal))
		commit(spool, &staged);
	else
		end_staged(spool, &staged);
}

/* While the disk fails nobody is left waiting, and it is tried again every 10 seconds. */
static void refuse_puts(struct spool *spool)
{
	struct err err;

	err_set(&err, ERR_POISONED, "the spool cannot be written");
	LIST_EACH_SAFE (node, &spool->pending) {
		struct op *op = CONTAINER_OF(node, struct op, node);

		if (op->kind == OP_PUT || op->kind == OP_SYNC)
			op_end(op, ERR_POISONED, &err);
	}
	schedule(spool, spool->retry_us);
}

static void timer_is_due(struct timer *timer);

static void schedule(struct spool *spool, int64_t at_us)
{
	if (!spool->is_closing && !spool->timer.is_set)
		timer_set(&spool->timer, at_us, timer_is_due);
}

static void flush(struct spool *spool)
{
	bool has_more;

	if (atomic_load(&spool->is_failed) && clock_now_us() < spool->retry_us) {
		refuse_puts(spool);
		return;
	}
	has_more = journal_reclaim(spool->journal); /* copies come first in the batch */
	write_pending(spool);
	if (atomic_load(&spool->is_failed) && clock_now_us() < spool->retry_us)
		schedule(spool, spool->retry_us);
	else if (!list_is_empty(&spool->pending))
		schedule(spool, clock_now_us() + RIDE_US);
	else if (has_more)
		schedule(spool, clock_now_us() + RECLAIM_PAUSE_US);
}

static void timer_is_due(struct timer *timer)
{
	flush(CONTAINER_OF(timer, struct spool, timer));
}

/* What is posted. */

static void op_arrives(struct mail *mail)
{
	struct op *op = CONTAINER_OF(mail, struct op, mail);
	struct spool *spool = op->spool;

	list_append(&spool->pending, &op->node);
	if (op->kind == OP_PUT || op->kind == OP_SYNC)
		spool->urgent_count++;
}

static struct op *op_create(struct spool *spool, enum op_kind kind, enum record_type type,
                            uint64_t id)
{
	struct op *op = alloc_zeroed(sizeof *op);

	list_init(&op->node);
	op->spool = spool;
	op->kind = kind;
	op->record.type = type;
	op->record.id = id;
	op->mail.deliver = op_arrives;
	return op;
}

static void post(struct op *op)
{
	op->record.head = buffer_bytes(&op->data);
	mailbox_post(thread_mailbox(op->spool->thread), &op->mail);
}

void spool_put(struct spool *spool, struct spool_put *put)
{
	struct op *op = op_create(spool, OP_PUT, RECORD_MESSAGE, put->message->id);

	put->spool = spool;
	op->put = put;
	op->record.rest = put->message->body.data;
	message_encode_envelope(put->message, &op->data);
	post(op);
}

void spool_record(struct spool *spool, uint64_t id, enum spool_kind kind, struct bytes data)
{
	struct op *op = op_create(spool, OP_RECORD,
	                          kind == SPOOL_STATE ? RECORD_STATE : RECORD_HISTORY, id);

	buffer_append(&op->data, data);
	post(op);
}

void spool_remove(struct spool *spool, uint64_t id)
{
	post(op_create(spool, OP_REMOVE, RECORD_DONE, id));
}

void spool_note(struct spool *spool, uint64_t key, struct bytes data)
{
	struct op *op = op_create(spool, OP_NOTE, RECORD_NOTE, key);

	buffer_append(&op->data, data);
	post(op);
}

void spool_sync(struct spool *spool, struct spool_sync *sync)
{
	struct op *op = op_create(spool, OP_SYNC, RECORD_DONE, 0);

	op->sync = sync;
	post(op);
}

/* Reads: looked up and pinned on the journal's thread, read on the reader's, unpinned on the
 * journal's. */

struct fetch {
	struct mail mail;
	struct spool_read *read;
	struct segment *segments[3]; /* message, state, history; NULL: there is none */
	int64_t offsets[3];
};

static void fetch_is_over(struct mail *mail)
{
	struct fetch *fetch = CONTAINER_OF(mail, struct fetch, mail);
	struct spool_read *read = fetch->read;

	for (int i = 0; i < 3; i++)
		if (fetch->segments[i])
			journal_unpin(read->spool->journal, fetch->segments[i]);
	mailbox_post(read->home, &read->done);
	alloc_free(fetch);
}

static int fetch_message(struct fetch *fetch, struct buffer *data)
{
	struct spool_read *read = fetch->read;
	struct record record;
	struct message *message;
	int result = segment_read(fetch->segments[0], fetch->offsets[0], data, &record, &read->err);

	if (result < 0)
		return result;
	if (message_decode_envelope(record.head, &message, &read->err) < 0)
		return ERR_CORRUPT;
	read->message = message;
	message->id = read->id;
	if (message->body.path)
		return read->wants_body ? 0 : bodies_read_headers(message, &read->err);
	if (!read->wants_body)
		record.rest = bytes_first(record.rest, message->header_bytes);
	message->body.data = arena_copy(message->arena, record.rest);
	return 0;
}

static int fetch_part(struct fetch *fetch, int n, struct buffer *data, struct buffer *out)
{
	struct record record;
	int result;

	if (!fetch->segments[n])
		return 0;
	result = segment_read(fetch->segments[n], fetch->offsets[n], data, &record,
	                      &fetch->read->err);
	if (result == 0)
		buffer_append(out, record.head);
	return result;
}

static void fetch_arrives(struct mail *mail)
{
	struct fetch *fetch = CONTAINER_OF(mail, struct fetch, mail);
	struct spool_read *read = fetch->read;
	struct buffer data = { 0 };

	read->result = fetch_message(fetch, &data);
	if (read->result == 0)
		read->result = fetch_part(fetch, 1, &data, &read->state);
	if (read->result == 0)
		read->result = fetch_part(fetch, 2, &data, &read->history);
	if (read->result < 0) {
		message_release(read->message);
		read->message = NULL;
	}
	buffer_deinit(&data);
	fetch->mail.deliver = fetch_is_over;
	mailbox_post(thread_mailbox(read->spool->thread), &fetch->mail);
}

static void begin_read(struct spool *spool, struct spool_read *read)
{
	struct places places;
	struct fetch *fetch;
	uint64_t *wanted[3] = { &places.message, &places.state, &places.history };

	if (!journal_find(spool->journal, read->id, &places)) {
		read->result = err_set(&read->err, ERR_NOT_FOUND,
		                       "the message is not in the spool");
		mailbox_post(read->home, &read->done);
		return;
	}
	fetch = alloc_zeroed(sizeof *fetch);
	fetch->read = read;
	for (int i = 0; i < 3; i++)
		if (*wanted[i] != PLACE_NONE)
			fetch->segments[i] = journal_pin(spool->journal, *wanted[i],
			                                 &fetch->offsets[i]);
	fetch->mail.deliver = fetch_arrives;
	mailbox_post(thread_mailbox(spool->reader), &fetch->mail);
}

static void begin_reads(struct spool *spool)
{
	struct spool_read *read = spool->reads;

	spool->reads = NULL;
	while (read) {
		struct spool_read *next = read->next;

		begin_read(spool, read);
		read = next;
	}
}

static void read_arrives(struct mail *mail)
{
	struct spool_read *read = CONTAINER_OF(mail, struct spool_read, mail);

	read->next = read->spool->reads;
	read->spool->reads = read;
}

void spool_read(struct spool *spool, struct spool_read *read)
{
	read->spool = spool;
	read->message = NULL;
	read->mail.deliver = read_arrives;
	mailbox_post(thread_mailbox(spool->thread), &read->mail);
}

/* After each turn: whoever waits is served at once; what nobody waits for rides along, soon. */
static void after_turn(void *arg)
{
	struct spool *spool = arg;
	bool is_waited_for = spool->urgent_count > 0 || spool->reads;

	if (is_waited_for && !list_is_empty(&spool->pending))
		flush(spool);
	else if (!list_is_empty(&spool->pending))
		schedule(spool, clock_now_us() + RIDE_US);
	begin_reads(spool);
}

/* Start-up. */

struct loading {
	const struct journal *journal;
	struct load_entry {
		uint64_t order, id;
		struct places places;
	} * entries;
	size_t count;
};

static void add_entry(void *arg, uint64_t id, const struct places *places)
{
	struct loading *loading = arg;

	loading->entries[loading->count++] = (struct load_entry){ places->message, id, *places };
}

static int compare_entries(const void *a, const void *b)
{
	const struct load_entry *left = a, *right = b;

	return left->order < right->order ? -1 : left->order > right->order;
}

static int load_entry(struct spool *spool, const struct load_entry *entry,
                      const struct spool_visitor *visitor, struct buffer data[2])
{
	struct record record, state = { 0 };
	struct message *message;
	struct err err = { 0 };
	int64_t offset;
	struct segment *segment = journal_pin(spool->journal, entry->places.message, &offset);
	int result = segment_read(segment, offset, &data[0], &record, &err);

	journal_unpin(spool->journal, segment);
	if (result == 0)
		result = message_decode_envelope(record.head, &message, &err);
	if (result < 0) {
		log_error("spool", "a message cannot be loaded: %s", err.text);
		return result;
	}
	message->id = entry->id;
	if (entry->places.state != PLACE_NONE) {
		segment = journal_pin(spool->journal, entry->places.state, &offset);
		if (segment_read(segment, offset, &data[1], &state, &err) < 0)
			log_error("spool", "a message's state cannot be loaded: %s", err.text);
		journal_unpin(spool->journal, segment);
	}
	if (message->body.path)
		bodies_add(spool->bodies, entry->id, message->body.path);
	visitor->message(visitor->arg, message, state.head);
	message_release(message);
	return 0;
}

int spool_load(struct spool *spool, const struct spool_visitor *visitor, struct err *err)
{
	struct loading loading = { .journal = spool->journal };
	struct journal_status status;
	struct buffer data[2] = { { 0 } };

	journal_status(spool->journal, &status);
	if (journal_each_note(spool->journal, visitor->note, visitor->arg, err) < 0)
		log_error("spool", "a note cannot be loaded: %s", err->text);
	loading.entries = alloc(((size_t)status.live_count + 1) * sizeof *loading.entries);
	journal_each(spool->journal, add_entry, &loading);
	qsort(loading.entries, loading.count, sizeof *loading.entries, compare_entries);
	for (size_t i = 0; i < loading.count; i++) {
		load_entry(spool, &loading.entries[i], visitor, data);
		if (visitor->progress && i % 1000 == 0)
			visitor->progress(visitor->arg, (int64_t)i, (int64_t)loading.count);
	}
	buffer_deinit(&data[0]);
	buffer_deinit(&data[1]);
	alloc_free(loading.entries);
	bodies_remove_strays(spool->bodies);
	return 0;
}

/* Room. */

static void check_room(struct timer *timer)
{
	struct spool *spool = CONTAINER_OF(timer, struct spool, room_timer);
	int64_t free_bytes = disk_real.free_bytes(NULL, spool_place_directory(spool->place));

	if (free_bytes >= spool->reserve_bytes)
		atomic_store(&spool->is_full, false);
	atomic_store(&spool->has_room,
	             free_bytes >= spool->reserve_bytes && !atomic_load(&spool->is_full));
	timer_set(&spool->room_timer, clock_now_us() + ROOM_CHECK_US, check_room);
}

bool spool_has_room(const struct spool *spool)
{
	return atomic_load_explicit(&spool->has_room, memory_order_relaxed);
}

int spool_body_file(struct spool *spool, char path_out[512], int *fd_out, struct err *err)
{
	return bodies_create_file(spool->bodies, path_out, fd_out, err);
}

int spool_body_sync(struct spool *spool, int fd, struct err *err)
{
	return bodies_sync_file(spool->bodies, fd, err);
}

/* Status: asked of the journal's thread. */

struct status_question {
	struct mail mail;
	struct spool *spool;
	struct spool_status *status_out;
	sem_t answered;
};

static void status_arrives(struct mail *mail)
{
	struct status_question *question = CONTAINER_OF(mail, struct status_question, mail);
	struct spool_status *out = question->status_out;
	struct journal_status counts;

	journal_status(question->spool->journal, &counts);
	out->live_count = counts.live_count;
	out->live_bytes = counts.live_bytes;
	out->segment_count = counts.segment_count;
	out->spare_count = counts.spare_count;
	out->disk_bytes = counts.disk_bytes;
	out->batch_count = counts.batch_count;
	out->record_count = counts.record_count;
	out->synced_bytes = counts.synced_bytes;
	out->reclaimed_segments = counts.reclaimed_segments;
	out->copied_bytes = counts.copied_bytes;
	out->poisoned_count = counts.poisoned_count;
	out->quarantined_count = counts.quarantined_count;
	sem_post(&question->answered);
}

void spool_status(struct spool *spool, struct spool_status *status_out)
{
	struct status_question question = { .spool = spool, .status_out = status_out };

	sem_init(&question.answered, 0, 0);
	question.mail.deliver = status_arrives;
	mailbox_post(thread_mailbox(spool->thread), &question.mail);
	while (sem_wait(&question.answered) < 0 && errno == EINTR)
		;
	sem_destroy(&question.answered);
	status_out->sync_us_last = atomic_load(&spool->sync.last_us);
	status_out->sync_us_max = atomic_load(&spool->sync.max_us);
	status_out->sync_us_sum = atomic_load(&spool->sync.sum_us);
	status_out->is_full = atomic_load(&spool->is_full);
	status_out->is_failed = atomic_load(&spool->is_failed);
}

static void begin_thread(void *arg)
{
	struct spool *spool = arg;

	loop_after_turn(loop_current(), after_turn, spool);
	check_room(&spool->room_timer);
}

int spool_open(const struct config_spool *config, struct spool **spool_out, struct err *err)
{
	struct spool *spool = alloc_zeroed(sizeof *spool);
	struct journal_options options = { .segment_bytes = config->segment_bytes,
		                           .spare_segments = config->spare_segments,
		                           .reserve_bytes = config->reserve_bytes,
		                           .directory = config->directory,
		                           .disk = &disk_real };

	list_init(&spool->pending);
	spool->reserve_bytes = config->reserve_bytes;
	atomic_store(&spool->has_room, true);
	if (spool_place_open(config->directory, &spool->place, err) < 0 ||
	    journal_open(&options, &spool->journal, err) < 0)
		goto fail;
	spool->bodies = bodies_create(config->directory);
	if (thread_start("reader", NULL, NULL, &spool->reader, err) < 0 ||
	    thread_start("journal", begin_thread, spool, &spool->thread, err) < 0)
		goto fail;
	*spool_out = spool;
	return 0;
fail:
	spool_close(spool);
	return err->code;
}

void spool_close(struct spool *spool)
{
	if (!spool)
		return;
	thread_stop(spool->thread);
	thread_stop(spool->reader);
	spool->is_closing = true;
	if (spool->journal)
		write_pending(spool);
	journal_close(spool->journal);
	bodies_destroy(spool->bodies);
	spool_place_close(spool->place);
	alloc_free(spool);
}
