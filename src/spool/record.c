#include "spool/record.h"
#include <string.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

/* Offsets in the header. All integers are little-endian, as is every machine that we run on. */
enum {
	AT_HEAD_BYTES = 0,
	AT_REST_BYTES = 4,
	AT_ID = 8,
	AT_SEGMENT = 16,
	AT_TYPE = 24,
	AT_SYNCED = 28,
	AT_REST_CHECK = 32,
	AT_HEAD_CHECK = 40, /* of all before it, and of the head */
};

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the journal is little-endian");

static void put_u32(char *header, int at, uint32_t value)
{
	memcpy(header + at, &value, sizeof value);
}

static void put_u64(char *header, int at, uint64_t value)
{
	memcpy(header + at, &value, sizeof value);
}

static uint32_t get_u32(const char *header, int at)
{
	uint32_t value;

	memcpy(&value, header + at, sizeof value);
	return value;
}

static uint64_t get_u64(const char *header, int at)
{
	uint64_t value;

	memcpy(&value, header + at, sizeof value);
	return value;
}

int64_t record_size(size_t head_bytes, size_t rest_bytes)
{
	size_t size = RECORD_HEADER_BYTES + head_bytes + rest_bytes;

	return (int64_t)((size + RECORD_ALIGNMENT - 1) / RECORD_ALIGNMENT * RECORD_ALIGNMENT);
}

/* The segment's number seeds every checksum: the old records of a recycled file do not verify. */
static uint64_t head_check(const char *header, struct bytes head, uint64_t segment)
{
	uint64_t seed = XXH3_64bits_withSeed(header, AT_HEAD_CHECK, segment);

	return XXH3_64bits_withSeed(head.at ? head.at : "", head.len, seed);
}

static uint64_t rest_check(struct bytes rest, uint64_t segment)
{
	return XXH3_64bits_withSeed(rest.at ? rest.at : "", rest.len, segment);
}

void record_encode_header(const struct record *record, char header_out[RECORD_HEADER_BYTES])
{
	put_u32(header_out, AT_HEAD_BYTES, (uint32_t)record->head.len);
	put_u32(header_out, AT_REST_BYTES, (uint32_t)record->rest.len);
	put_u64(header_out, AT_ID, record->id);
	put_u64(header_out, AT_SEGMENT, record->segment);
	put_u32(header_out, AT_TYPE, record->type);
	put_u32(header_out, AT_SYNCED, record->synced);
	put_u64(header_out, AT_REST_CHECK, rest_check(record->rest, record->segment));
	put_u64(header_out, AT_HEAD_CHECK, head_check(header_out, record->head, record->segment));
}

int64_t record_decode(struct bytes in, uint64_t segment, struct record *record_out)
{
	uint32_t head_bytes, rest_bytes, type;
	struct record record;

	if (in.len < RECORD_HEADER_BYTES)
		return 0;
	head_bytes = get_u32(in.at, AT_HEAD_BYTES);
	rest_bytes = get_u32(in.at, AT_REST_BYTES);
	type = get_u32(in.at, AT_TYPE);
	if (get_u64(in.at, AT_SEGMENT) != segment || type < RECORD_MESSAGE || type > RECORD_SEAL ||
	    (uint64_t)head_bytes + rest_bytes > in.len - RECORD_HEADER_BYTES)
		return 0;
	record.type = (enum record_type)type;
	record.id = get_u64(in.at, AT_ID);
	record.segment = segment;
	record.synced = get_u32(in.at, AT_SYNCED);
	record.head = (struct bytes){ in.at + RECORD_HEADER_BYTES, head_bytes };
	record.rest = (struct bytes){ record.head.at + head_bytes, rest_bytes };
	if (get_u64(in.at, AT_HEAD_CHECK) != head_check(in.at, record.head, segment))
		return 0;
	*record_out = record;
	if (get_u64(in.at, AT_REST_CHECK) != rest_check(record.rest, segment))
		return -1;
	return record_size(head_bytes, rest_bytes);
}
