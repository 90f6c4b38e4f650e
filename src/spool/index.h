/* spool/index.h - where the records of each live message are: id -> places. Open addressing, 32
 * bytes a slot. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A place: segment and offset in 48 bits. Offsets are multiples of 8 below 1 GiB; of the segment's
 * number the low 21 bits are kept, since the segments in use are always consecutive. */
#define PLACE_NONE 0xffffffffffffu

struct places {
	uint64_t message, state, history; /* PLACE_NONE: there is none */
	uint32_t size_bytes;              /* of the message's record */
};

struct index;

struct index *index_create(void);
void index_destroy(struct index *index);
bool index_get(const struct index *index, uint64_t id, struct places *places_out);
void index_set(struct index *index, uint64_t id,
               const struct places *places); /* adds or replaces */
void index_remove(struct index *index, uint64_t id);
size_t index_count(const struct index *index);
size_t index_memory_bytes(const struct index *index);

/* index_each - every id with its places, in no order; the index must not change meanwhile. */
void index_each(const struct index *index,
                void (*visit)(void *arg, uint64_t id, const struct places *places), void *arg);
