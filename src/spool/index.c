#include "spool/index.h"
#include "base/alloc.h"
#include <string.h>

#define CAPACITY_FIRST 1024

/* 32 bytes: id, three places of 48 bits, size. Id 0 marks an empty slot. */
struct slot {
	uint64_t id;
	uint16_t places[9];
	uint16_t unused;
	uint32_t size_bytes;
};

_Static_assert(sizeof(struct slot) == 32, "a slot of the index is 32 bytes");

struct index {
	struct slot *slots;
	size_t capacity, count;
};

/* Maps the hash to a slot by multiplication: the capacity need not be a power of two, so growth can
 * be gentle. */
static size_t home_of(const struct index *index, uint64_t id)
{
	uint64_t hash = id * 0x9e3779b97f4a7c15u;

	hash ^= hash >> 29;
	hash *= 0xbf58476d1ce4e5b9u;
	return (size_t)(((unsigned __int128)hash * index->capacity) >> 64);
}

static size_t next_of(const struct index *index, size_t at)
{
	return at + 1 == index->capacity ? 0 : at + 1;
}

struct index *index_create(void)
{
	struct index *index = alloc_zeroed(sizeof *index);

	index->capacity = CAPACITY_FIRST;
	index->slots = alloc_zeroed(index->capacity * sizeof *index->slots);
	return index;
}

void index_destroy(struct index *index)
{
	if (!index)
		return;
	alloc_free(index->slots);
	alloc_free(index);
}

static void put_place(struct slot *slot, int n, uint64_t place)
{
	for (int i = 0; i < 3; i++)
		slot->places[n * 3 + i] = (uint16_t)(place >> (16 * i));
}

static uint64_t get_place(const struct slot *slot, int n)
{
	uint64_t place = 0;

	for (int i = 0; i < 3; i++)
		place |= (uint64_t)slot->places[n * 3 + i] << (16 * i);
	return place;
}

/* The slot of the id, or the empty one where it would go. */
static struct slot *find(const struct index *index, uint64_t id)
{
	size_t at = home_of(index, id);

	while (index->slots[at].id != 0 && index->slots[at].id != id)
		at = next_of(index, at);
	return &index->slots[at];
}

static void grow(struct index *index)
{
	struct index larger = { .capacity = index->capacity + index->capacity / 2 };

	larger.slots = alloc_zeroed(larger.capacity * sizeof *larger.slots);
	for (size_t i = 0; i < index->capacity; i++)
		if (index->slots[i].id != 0)
			*find(&larger, index->slots[i].id) = index->slots[i];
	alloc_free(index->slots);
	index->slots = larger.slots;
	index->capacity = larger.capacity;
}

static void read_slot(const struct slot *slot, struct places *places_out)
{
	places_out->message = get_place(slot, 0);
	places_out->state = get_place(slot, 1);
	places_out->history = get_place(slot, 2);
	places_out->size_bytes = slot->size_bytes;
}

bool index_get(const struct index *index, uint64_t id, struct places *places_out)
{
	const struct slot *slot = find(index, id);

	if (slot->id == 0)
		return false;
	read_slot(slot, places_out);
	return true;
}

void index_set(struct index *index, uint64_t id, const struct places *places)
{
	struct slot *slot = find(index, id);

	if (slot->id == 0) {
		if (index->count >= index->capacity / 5 * 4) {
			grow(index);
			slot = find(index, id);
		}
		index->count++;
		slot->id = id;
	}
	put_place(slot, 0, places->message);
	put_place(slot, 1, places->state);
	put_place(slot, 2, places->history);
	slot->size_bytes = places->size_bytes;
}

/* Removal shifts back what had to go further because of the removed slot, so that no mark is left
 * behind. */
void index_remove(struct index *index, uint64_t id)
{
	struct slot *slot = find(index, id);
	size_t hole = (size_t)(slot - index->slots), at = hole;

	if (slot->id == 0)
		return;
	for (;;) {
		size_t home;

		at = next_of(index, at);
		if (index->slots[at].id == 0)
			break;
		home = home_of(index, index->slots[at].id);
		if (hole <= at ? (home <= hole || home > at) : (home <= hole && home > at)) {
			index->slots[hole] = index->slots[at];
			hole = at;
		}
	}
	index->slots[hole] = (struct slot){ 0 };
	index->count--;
}

size_t index_count(const struct index *index)
{
	return index->count;
}

size_t index_memory_bytes(const struct index *index)
{
	return index->capacity * sizeof *index->slots;
}

void index_each(const struct index *index,
                void (*visit)(void *arg, uint64_t id, const struct places *places), void *arg)
{
	for (size_t i = 0; i < index->capacity; i++) {
		struct places places;

		if (index->slots[i].id == 0)
			continue;
		read_slot(&index->slots[i], &places);
		visit(arg, index->slots[i].id, &places);
	}
}
