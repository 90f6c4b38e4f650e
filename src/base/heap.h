/* base/heap.h - intrusive 4-ary min-heap ordered by a 64-bit key. O(log n); removal of any node. */
#pragma once
#include <stdint.h>

#define HEAP_NONE UINT32_MAX

struct heap_node {
	int64_t key;
	uint32_t index; /* HEAP_NONE when in no heap: set it before first use */
};

/* The keys are kept beside the pointers, so that sifting reads no node it does not move. */
struct heap_entry {
	int64_t key;
	struct heap_node *node;
};

struct heap {
	struct heap_entry *entries;
	uint32_t count, capacity;
};

void heap_deinit(struct heap *heap); /* forgets the nodes, which belong to the caller */
void heap_insert(struct heap *heap, struct heap_node *node);
void heap_remove(struct heap *heap, struct heap_node *node); /* no effect if in no heap */
void heap_move(struct heap *heap, struct heap_node *node,
               int64_t key);                           /* inserts, or changes the key */
struct heap_node *heap_first(const struct heap *heap); /* smallest key; NULL if empty */
