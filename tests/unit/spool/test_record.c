#include "base/buffer.h"
#include "spool/record.h"
#include "spool/scan.h"
#include "support/check.h"

static void append(struct buffer *out, uint64_t id, uint64_t segment, uint32_t synced)
{
	struct record record = { RECORD_MESSAGE,
		                 id,
		                 segment,
		                 synced,
		                 BYTES_LITERAL("envelope"),
		                 BYTES_LITERAL("and a body") };
	char header[RECORD_HEADER_BYTES];
	size_t before = out->len;

	record_encode_header(&record, header);
	buffer_append(out, (struct bytes){ header, sizeof header });
	buffer_append(out, record.head);
	buffer_append(out, record.rest);
	while (out->len - before < (size_t)record_size(record.head.len, record.rest.len))
		buffer_append_char(out, '\0');
}

static void test_reads_back(void)
{
	struct buffer data = { 0 };
	struct record record;

	append(&data, 7, 3, 64);
	CHECK_INT("size", record_decode(buffer_bytes(&data), 3, &record), data.len);
	CHECK_INT("id", record.id, 7);
	CHECK_INT("synced", record.synced, 64);
	CHECK_BYTES("head", record.head, bytes_of("envelope"));
	CHECK_BYTES("rest", record.rest, bytes_of("and a body"));
	CHECK_INT("of a recycled segment", record_decode(buffer_bytes(&data), 4, &record), 0);
	buffer_deinit(&data);
}

static void test_every_flipped_bit_is_found(void)
{
	struct buffer data = { 0 };
	struct record record;
	size_t payload_end = RECORD_HEADER_BYTES + 18;

	append(&data, 7, 3, 0);
	for (size_t bit = 0; bit < payload_end * 8; bit++) {
		data.at[bit / 8] ^= (char)(1 << bit % 8);
		CHECK_TRUE("found", record_decode(buffer_bytes(&data), 3, &record) <= 0);
		data.at[bit / 8] ^= (char)(1 << bit % 8);
	}
	for (size_t length = 0; length < payload_end; length++)
		CHECK_TRUE("cut",
		           record_decode((struct bytes){ data.at, length }, 3, &record) <= 0);
	buffer_deinit(&data);
}

struct seen {
	uint64_t ids;
	int damages;
	int64_t damaged_bytes;
};

static void see_record(void *arg, const struct record *record, int64_t offset, int64_t size_bytes)
{
	struct seen *seen = arg;

	(void)offset;
	(void)size_bytes;
	seen->ids = seen->ids * 10 + record->id;
}

static void see_damage(void *arg, int64_t offset, struct bytes data)
{
	struct seen *seen = arg;

	(void)offset;
	seen->damages++;
	seen->damaged_bytes += (int64_t)data.len;
}

/* Records 1, 2, 3; the second is hit. What the third knows, or the next segment, makes it damage or
 * a torn tail. */
static const struct {
	const char *name;
	uint32_t synced; /* by the third record: how many records were on disk */
	int end;         /* the next segment's word, in records; -1: none */
	uint64_t ids;
	int damages;
} rows[] = {
	{ "the third knew it to be synced", 2, -1, 13, 1 },
	{ "nobody knew: a torn batch", 1, -1, 1, 0 },
	{ "the next segment knows", 1, 3, 13, 1 },
	{ "the segment had ended before it", 1, 1, 1, 0 },
};

static void test_torn_or_damaged(void)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct seen seen = { 0 };
		struct scan_visitor visitor = { see_record, see_damage, &seen };
		struct buffer data = { 0 };
		int64_t size_bytes = record_size(8, 10);

		append(&data, 1, 3, 0);
		append(&data, 2, 3, (uint32_t)size_bytes);
		append(&data, 3, 3, rows[i].synced * (uint32_t)size_bytes);
		data.at[size_bytes + RECORD_HEADER_BYTES + 3] ^= 1;
		scan_segment(buffer_bytes(&data), 3,
		             rows[i].end < 0 ? -1 : rows[i].end * size_bytes, &visitor);
		CHECK_INT(rows[i].name, seen.ids, rows[i].ids);
		CHECK_INT(rows[i].name, seen.damages, rows[i].damages);
		CHECK_INT(rows[i].name, seen.damaged_bytes, rows[i].damages * size_bytes);
		buffer_deinit(&data);
	}
}

TEST_MAIN(test_reads_back, test_every_flipped_bit_is_found, test_torn_or_damaged)
