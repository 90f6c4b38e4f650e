/* base/hash.h - intrusive hash table with chains. The caller hashes and compares; nodes are its
 * own. Grows by one bucket per insert (linear hashing), so that no insert has to move millions of
 * nodes. Hashing of strings that strangers choose must be seeded (base/random.h). */
#pragma once
#include <stdint.h>

struct hash_node {
	struct hash_node *next;
	uint64_t hash;
};

struct hash {
	struct hash_node **buckets;
	uint32_t bucket_count, bucket_capacity, count;
};

void hash_deinit(struct hash *table); /* forgets the nodes */
void hash_insert(struct hash *table, struct hash_node *node, uint64_t hash);
void hash_remove(struct hash *table, struct hash_node *node); /* the node must be in the table */

/* hash_first / hash_next - the nodes with exactly this hash, one after the other; NULL at the end.
 */
struct hash_node *hash_first(const struct hash *table, uint64_t hash);
struct hash_node *hash_next(const struct hash_node *node);

/* hash_each - every node in some order; pass NULL to begin. The table must not change meanwhile. */
struct hash_node *hash_each(const struct hash *table, const struct hash_node *previous);

#define HASH_EACH_MATCH(node, table, hash_value) \
	for (struct hash_node *node = hash_first(table, hash_value); node; node = hash_next(node))
#define HASH_EACH(node, table) \
	for (struct hash_node *node = hash_each(table, NULL); node; node = hash_each(table, node))
