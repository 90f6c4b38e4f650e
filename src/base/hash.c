#include "base/hash.h"
#include "base/alloc.h"
#include "base/assert.h"
#include <stddef.h>

#define BUCKETS_FIRST 16U

void hash_deinit(struct hash *table)
{
	alloc_free(table->buckets);
	*table = (struct hash){ 0 };
}

static uint32_t power_of_two_below(uint32_t count)
{
	return 1U << (31 - __builtin_clz(count));
}

/* Linear hashing: the buckets below `bucket_count - base` are split already and use one bit more of
 * the hash. The multiplication spreads hashes whose low bits are alike, such as message ids. */
static uint32_t bucket_of(const struct hash *table, uint64_t hash)
{
	uint32_t base = power_of_two_below(table->bucket_count);
	uint32_t mixed = (uint32_t)((hash * 0x9E3779B97F4A7C15U) >> 32);
	uint32_t bucket = mixed & (2 * base - 1);

	return bucket < table->bucket_count ? bucket : mixed & (base - 1);
}

static void make_room_for_bucket(struct hash *table)
{
	if (table->bucket_count < table->bucket_capacity)
		return;
	ASSERT(table->bucket_capacity < UINT32_MAX / 4);
	table->bucket_capacity *= 2;
	table->buckets = alloc_resize(table->buckets, table->bucket_capacity,
	                              sizeof(struct hash_node *));
}

/* Adds one bucket, and gives it the nodes of the bucket it splits that belong to it now. */
static void split_bucket(struct hash *table)
{
	struct hash_node *node, *next, **low, **high;
	uint32_t added = table->bucket_count;

	make_room_for_bucket(table);
	low = &table->buckets[added - power_of_two_below(added)];
	high = &table->buckets[added];
	node = *low;
	table->bucket_count++;
	*low = *high = NULL;
	for (; node; node = next) {
		struct hash_node **chain = bucket_of(table, node->hash) == added ? high : low;

		next = node->next;
		node->next = *chain;
		*chain = node;
	}
}

static void create_buckets(struct hash *table)
{
	table->buckets = alloc_zeroed(BUCKETS_FIRST * sizeof(struct hash_node *));
	table->bucket_count = table->bucket_capacity = BUCKETS_FIRST;
}

void hash_insert(struct hash *table, struct hash_node *node, uint64_t hash)
{
	struct hash_node **chain;

	if (!table->buckets)
		create_buckets(table);
	else if (table->count >= table->bucket_count)
		split_bucket(table);
	chain = &table->buckets[bucket_of(table, hash)];
	node->hash = hash;
	node->next = *chain;
	*chain = node;
	table->count++;
}

void hash_remove(struct hash *table, struct hash_node *node)
{
	struct hash_node **link;

	ASSERT(table->count > 0);
	link = &table->buckets[bucket_of(table, node->hash)];
	while (*link && *link != node)
		link = &(*link)->next;
	ASSERT(*link == node);
	*link = node->next;
	node->next = NULL;
	table->count--;
}

static struct hash_node *first_match(struct hash_node *node, uint64_t hash)
{
	while (node && node->hash != hash)
		node = node->next;
	return node;
}

struct hash_node *hash_first(const struct hash *table, uint64_t hash)
{
	if (!table->buckets)
		return NULL;
	return first_match(table->buckets[bucket_of(table, hash)], hash);
}

struct hash_node *hash_next(const struct hash_node *node)
{
	return first_match(node->next, node->hash);
}

struct hash_node *hash_each(const struct hash *table, const struct hash_node *previous)
{
	uint32_t bucket = 0;

	if (previous && previous->next)
		return previous->next;
	if (previous)
		bucket = bucket_of(table, previous->hash) + 1;
	for (; bucket < table->bucket_count; bucket++) {
		if (table->buckets[bucket])
			return table->buckets[bucket];
	}
	return NULL;
}
