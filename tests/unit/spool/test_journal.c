#include "base/alloc.h"
#include "base/random.h"
#include "spool/journal.h"
#include "spool/place.h"
#include "support/check.h"
#include <errno.h>
#include <stdlib.h>

#define SEGMENT_BYTES (1 << 20)

static char directory[64];
static struct spool_place *place;

/* The real disk, with faults: the n-th write, sync or new file fails. */
static int writes_left = -1, syncs_left = -1, files_left = -1;

static bool is_due(int *left)
{
	return *left > 0 && --*left == 0;
}

static ssize_t faulty_write(void *arg, int fd, const struct iovec *parts, int count, int64_t offset)
{
	if (is_due(&writes_left)) {
		errno = EIO;
		return -1;
	}
	return disk_real.write(arg, fd, parts, count, offset);
}

static int faulty_sync(void *arg, int fd)
{
	if (is_due(&syncs_left)) {
		errno = EIO;
		return -1;
	}
	return disk_real.sync(arg, fd);
}

static int faulty_open(void *arg, const char *path, int64_t size_bytes)
{
	if (size_bytes > 0 && files_left == 0) {
		errno = ENOSPC;
		return -1;
	}
	return disk_real.open(arg, path, size_bytes);
}

static struct journal *open_journal(void)
{
	static struct disk disk;
	struct journal_options options = { directory, SEGMENT_BYTES, 4, 0, &disk };
	struct journal *journal = NULL;
	struct err err = { 0 };

	disk = disk_real;
	disk.write = faulty_write;
	disk.sync = faulty_sync;
	disk.open = faulty_open;
	CHECK_INT(err.text, journal_open(&options, &journal, &err), 0);
	return journal;
}

static void begin(void)
{
	struct err err;

	snprintf(directory, sizeof directory, "/tmp/outlast-journal-XXXXXX");
	CHECK_TRUE("folder", mkdtemp(directory) != NULL);
	CHECK_INT("place", spool_place_open(directory, &place, &err), 0);
	writes_left = syncs_left = files_left = -1;
}

static void end(void)
{
	char command[100];

	spool_place_close(place);
	snprintf(command, sizeof command, "rm -rf %s", directory);
	CHECK_INT("removed", system(command), 0);
}

/* Stages one record and commits it; the journal's own result. */
static int write_one(struct journal *journal, enum record_type type, uint64_t id, struct bytes head,
                     struct bytes rest)
{
	struct record record = { .type = type, .id = id, .head = head, .rest = rest };
	struct err err;
	int result = journal_stage(journal, &record, &err);

	return result < 0 ? result : journal_commit(journal, &err);
}

static void check_message(struct journal *journal, uint64_t id, struct bytes head,
                          struct bytes rest)
{
	struct places places;
	struct buffer data = { 0 };
	struct record record;
	int64_t offset;
	struct segment *segment;

	CHECK_TRUE("found", journal_find(journal, id, &places));
	segment = journal_pin(journal, places.message, &offset);
	CHECK_INT("read", segment_read(segment, offset, &data, &record, NULL), 0);
	journal_unpin(journal, segment);
	CHECK_BYTES("head", record.head, head);
	CHECK_BYTES("rest", record.rest, rest);
	buffer_deinit(&data);
}

static void test_survives_a_restart(void)
{
	struct bytes head = BYTES_LITERAL("head"), rest = BYTES_LITERAL("rest");
	struct journal *journal;
	struct places places;

	begin();
	journal = open_journal();
	for (uint64_t id = 1; id <= 3; id++)
		CHECK_INT("put", write_one(journal, RECORD_MESSAGE, id, head, rest), 0);
	CHECK_INT("state",
	          write_one(journal, RECORD_STATE, 1, BYTES_LITERAL("s1"), (struct bytes){ 0 }), 0);
	CHECK_INT("state",
	          write_one(journal, RECORD_STATE, 1, BYTES_LITERAL("s2"), (struct bytes){ 0 }), 0);
	CHECK_INT("done",
	          write_one(journal, RECORD_DONE, 2, (struct bytes){ 0 }, (struct bytes){ 0 }), 0);
	CHECK_INT("late",
	          write_one(journal, RECORD_STATE, 2, BYTES_LITERAL("x"), (struct bytes){ 0 }), 0);
	for (int i = 0; i < 2; i++) {
		check_message(journal, 1, head, rest);
		check_message(journal, 3, head, rest);
		CHECK_TRUE("2 is done", !journal_find(journal, 2, &places));
		CHECK_TRUE("1 has a state",
		           journal_find(journal, 1, &places) && places.state != PLACE_NONE);
		CHECK_TRUE("no history", places.history == PLACE_NONE);
		journal_close(journal);
		journal = open_journal();
	}
	journal_close(journal);
	end();
}

static void test_second_process_is_kept_out(void)
{
	struct spool_place *second;
	struct err err;

	begin();
	CHECK_INT("busy", spool_place_open(directory, &second, &err), ERR_BUSY);
	end();
}

/* A hundred messages stay for ever while many pass: they are copied forward, and the disk stays
 * bounded. */
static void test_reclaim(void)
{
	char *body = alloc_zeroed(60000);
	struct bytes head = BYTES_LITERAL("head"), rest = { body, 60000 };
	struct journal_status status;
	struct journal *journal;
	struct places places;

	begin();
	journal = open_journal();
	for (uint64_t id = 1; id <= 1000; id++) {
		CHECK_INT("put",
		          write_one(journal, RECORD_MESSAGE, id, head,
		                    bytes_first(rest, id <= 100 ? 500 : 60000)),
		          0);
		if (id > 100)
			CHECK_INT("done",
			          write_one(journal, RECORD_DONE, id, (struct bytes){ 0 },
			                    (struct bytes){ 0 }),
			          0);
		while (journal_reclaim(journal))
			CHECK_INT("copy", journal_commit(journal, NULL), 0);
	}
	journal_status(journal, &status);
	CHECK_INT("live", status.live_count, 100);
	CHECK_TRUE("reclaimed", status.reclaimed_segments > 30);
	CHECK_TRUE("bounded", status.disk_bytes <= 12 * SEGMENT_BYTES);
	for (int i = 0; i < 2; i++) {
		for (uint64_t id = 1; id <= 100; id++)
			check_message(journal, id, head, bytes_first(rest, 500));
		for (uint64_t id = 101; id <= 1000; id++)
			CHECK_TRUE("done stays done", !journal_find(journal, id, &places));
		journal_close(journal);
		journal = open_journal();
	}
	journal_close(journal);
	alloc_free(body);
	end();
}

static void test_record_larger_than_a_segment(void)
{
	char *body = alloc_zeroed(3 * SEGMENT_BYTES);
	struct bytes rest = { body, 3 * SEGMENT_BYTES };
	struct journal *journal;

	begin();
	journal = open_journal();
	CHECK_INT("put", write_one(journal, RECORD_MESSAGE, 1, BYTES_LITERAL("h"), rest), 0);
	CHECK_INT("next",
	          write_one(journal, RECORD_MESSAGE, 2, BYTES_LITERAL("h"), BYTES_LITERAL("r")), 0);
	journal_close(journal);
	journal = open_journal();
	check_message(journal, 1, BYTES_LITERAL("h"), rest);
	check_message(journal, 2, BYTES_LITERAL("h"), BYTES_LITERAL("r"));
	journal_close(journal);
	alloc_free(body);
	end();
}

/* Whichever write or sync fails: what was acknowledged is there, what was refused is not promised,
 * and the next segment works. */
static void run_with_fault(int *left, int n)
{
	struct bytes head = BYTES_LITERAL("head"), rest = BYTES_LITERAL("rest");
	bool is_kept[31] = { false };
	struct journal *journal;
	int failures = 0;

	begin();
	journal = open_journal();
	*left = n;
	for (uint64_t id = 1; id <= 30; id++) {
		is_kept[id] = write_one(journal, RECORD_MESSAGE, id, head, rest) == 0;
		failures += !is_kept[id];
	}
	CHECK_INT("one batch failed", failures, 1);
	journal_close(journal);
	journal = open_journal();
	for (uint64_t id = 1; id <= 30; id++)
		if (is_kept[id])
			check_message(journal, id, head, rest);
	journal_close(journal);
	end();
}

static void test_failing_disk(void)
{
	for (int n = 1; n <= 30; n++) {
		run_with_fault(&writes_left, n);
		run_with_fault(&syncs_left, n);
	}
}

static void test_full_disk(void)
{
	char *body = alloc_zeroed(60000);
	struct bytes rest = { body, 60000 };
	struct journal *journal;
	uint64_t id = 1;
	int result = 0;

	begin();
	journal = open_journal();
	CHECK_INT("first", write_one(journal, RECORD_MESSAGE, id, BYTES_LITERAL("h"), rest), 0);
	files_left = 0;
	while (result == 0)
		result = write_one(journal, RECORD_MESSAGE, ++id, BYTES_LITERAL("h"), rest);
	CHECK_INT("refused", result, ERR_FULL);
	CHECK_INT("states still go to the last spare",
	          write_one(journal, RECORD_STATE, 1, rest, (struct bytes){ 0 }), 0);
	files_left = -1;
	CHECK_INT("room again", write_one(journal, RECORD_MESSAGE, id, BYTES_LITERAL("h"), rest),
	          0);
	journal_close(journal);
	alloc_free(body);
	end();
}

struct count {
	int notes;
	bool is_newest;
};

static void count_note(void *arg, uint64_t key, struct bytes note)
{
	struct count *count = arg;

	count->notes++;
	count->is_newest |= key == 1 && bytes_equal(note, bytes_of("newer"));
}

static void test_notes(void)
{
	struct count count = { 0 };
	struct journal *journal;
	struct err err;

	begin();
	journal = open_journal();
	write_one(journal, RECORD_NOTE, 1, BYTES_LITERAL("old"), (struct bytes){ 0 });
	write_one(journal, RECORD_NOTE, 2, BYTES_LITERAL("other"), (struct bytes){ 0 });
	write_one(journal, RECORD_NOTE, 1, BYTES_LITERAL("newer"), (struct bytes){ 0 });
	write_one(journal, RECORD_NOTE, 2, (struct bytes){ 0 }, (struct bytes){ 0 });
	journal_close(journal);
	journal = open_journal();
	CHECK_INT("each", journal_each_note(journal, count_note, &count, &err), 0);
	CHECK_INT("one is left", count.notes, 1);
	CHECK_TRUE("the newest", count.is_newest);
	journal_close(journal);
	end();
}

TEST_MAIN(test_survives_a_restart, test_second_process_is_kept_out, test_reclaim,
          test_record_larger_than_a_segment, test_failing_disk, test_full_disk, test_notes)
