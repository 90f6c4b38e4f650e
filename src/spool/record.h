/* spool/record.h - how a record looks in a segment (docs/formats/journal.md). Pure. */
#pragma once
#include "base/bytes.h"

#define RECORD_HEADER_BYTES 48
#define RECORD_ALIGNMENT    8

enum record_type {
	RECORD_MESSAGE = 1, /* head: the envelope; the rest: the body, unless it is in a file */
	RECORD_STATE = 2,
	RECORD_HISTORY = 3,
	RECORD_NOTE = 4, /* empty: the note is removed */
	RECORD_DONE = 5, /* the message is finished */
	RECORD_SEAL = 6, /* first in a segment: id is the segment before, head its end (u64) */
};

struct record {
	enum record_type type;
	uint64_t id; /* a message's, or a note's key */
	uint64_t segment;
	uint32_t synced;         /* up to here the segment was on disk when this was written */
	struct bytes head, rest; /* the payload's two parts, each with a checksum of its own */
};

/* record_size - what it takes in the segment, padding included. */
int64_t record_size(size_t head_bytes, size_t rest_bytes);

/* record_encode_header - fills in the header, with the checksums of both parts. */
void record_encode_header(const struct record *record, char header_out[RECORD_HEADER_BYTES]);

/* record_decode - the record at the front of `in`, which is the rest of segment number `segment`.
 * Returns its size with padding; 0 if what stands there is no record of this segment; -1 if its
 * head is sound and the rest of its payload is not. Parts point into `in`. */
int64_t record_decode(struct bytes in, uint64_t segment, struct record *record_out);
