#include "base/heap.h"
#include "base/alloc.h"
#include "base/assert.h"
#include "base/macros.h"
#include <stddef.h>

#define WIDTH 4U

void heap_deinit(struct heap *heap)
{
	alloc_free(heap->entries);
	*heap = (struct heap){ 0 };
}

static void place(struct heap *heap, uint32_t index, struct heap_entry entry)
{
	heap->entries[index] = entry;
	entry.node->index = index;
}

/* Both sifts carry `entry` from the hole at `index` to where it belongs. */
static void sift_up(struct heap *heap, uint32_t index, struct heap_entry entry)
{
	while (index > 0) {
		uint32_t parent = (index - 1) / WIDTH;

		if (heap->entries[parent].key <= entry.key)
			break;
		place(heap, index, heap->entries[parent]);
		index = parent;
	}
	place(heap, index, entry);
}

static uint32_t smallest_child(const struct heap *heap, uint32_t first)
{
	uint32_t end = MIN(first + WIDTH, heap->count);
	uint32_t smallest = first;

	for (uint32_t child = first + 1; child < end; child++) {
		if (heap->entries[child].key < heap->entries[smallest].key)
			smallest = child;
	}
	return smallest;
}

static void sift_down(struct heap *heap, uint32_t index, struct heap_entry entry)
{
	while (index < (heap->count + WIDTH - 2) / WIDTH) {
		uint32_t child = smallest_child(heap, index * WIDTH + 1);

		if (heap->entries[child].key >= entry.key)
			break;
		place(heap, index, heap->entries[child]);
		index = child;
	}
	place(heap, index, entry);
}

static void settle(struct heap *heap, uint32_t index, struct heap_entry entry)
{
	if (index > 0 && heap->entries[(index - 1) / WIDTH].key > entry.key)
		sift_up(heap, index, entry);
	else
		sift_down(heap, index, entry);
}

static void check_is_in(const struct heap *heap, const struct heap_node *node)
{
	ASSERT(node->index < heap->count && heap->entries[node->index].node == node);
}

void heap_insert(struct heap *heap, struct heap_node *node)
{
	ASSERT(node->index == HEAP_NONE);
	if (heap->count == heap->capacity) {
		ASSERT(heap->capacity < UINT32_MAX / WIDTH);
		heap->capacity = heap->capacity ? heap->capacity * 2 : 16;
		heap->entries = alloc_resize(heap->entries, heap->capacity, sizeof *heap->entries);
	}
	heap->count++;
	sift_up(heap, heap->count - 1, (struct heap_entry){ node->key, node });
}

void heap_remove(struct heap *heap, struct heap_node *node)
{
	uint32_t hole = node->index;

	if (hole == HEAP_NONE)
		return;
	check_is_in(heap, node);
	node->index = HEAP_NONE;
	heap->count--;
	if (hole < heap->count)
		settle(heap, hole, heap->entries[heap->count]);
}

void heap_move(struct heap *heap, struct heap_node *node, int64_t key)
{
	node->key = key;
	if (node->index == HEAP_NONE) {
		heap_insert(heap, node);
		return;
	}
	check_is_in(heap, node);
	settle(heap, node->index, (struct heap_entry){ key, node });
}

struct heap_node *heap_first(const struct heap *heap)
{
	return heap->count ? heap->entries[0].node : NULL;
}
