#include "base/heap.h"
#include "base/random.h"
#include "support/check.h"

#define NODES 2000

static struct heap_node nodes[NODES];

static void reset(void)
{
	for (int i = 0; i < NODES; i++)
		nodes[i] = (struct heap_node){ 0, HEAP_NONE };
}

static int64_t smallest_key(void)
{
	int64_t smallest = INT64_MAX;

	for (int i = 0; i < NODES; i++) {
		if (nodes[i].index != HEAP_NONE && nodes[i].key < smallest)
			smallest = nodes[i].key;
	}
	return smallest;
}

static void change_something(struct heap *heap, struct random *random)
{
	struct heap_node *node = &nodes[random_below(random, NODES)];
	int64_t key = (int64_t)random_below(random, 500) - 250;

	if (random_below(random, 3) == 0)
		heap_remove(heap, node);
	else
		heap_move(heap, node, key);
}

/* The first is always the smallest, whatever is inserted, moved and removed. */
static void test_random_changes(void)
{
	struct heap heap = { 0 };
	struct random random;

	reset();
	random_seed(&random, 1);
	for (int i = 0; i < 20000; i++) {
		change_something(&heap, &random);
		if (heap.count > 0 && i % 7 == 0)
			CHECK_INT("first", heap_first(&heap)->key, smallest_key());
	}
	for (int64_t last = INT64_MIN; heap.count > 0;) {
		struct heap_node *first = heap_first(&heap);

		CHECK_TRUE("in order", first->key >= last);
		last = first->key;
		heap_remove(&heap, first);
		CHECK_INT("out", first->index, HEAP_NONE);
	}
	heap_deinit(&heap);
}

static void test_edges(void)
{
	struct heap heap = { 0 };

	reset();
	CHECK_TRUE("empty", heap_first(&heap) == NULL);
	heap_remove(&heap, &nodes[0]);
	nodes[0].key = INT64_MAX;
	nodes[1].key = INT64_MIN;
	heap_insert(&heap, &nodes[0]);
	heap_insert(&heap, &nodes[1]);
	CHECK_TRUE("lowest key", heap_first(&heap) == &nodes[1]);
	heap_remove(&heap, &nodes[1]);
	CHECK_TRUE("highest key", heap_first(&heap) == &nodes[0]);
	heap_remove(&heap, &nodes[0]);
	heap_remove(&heap, &nodes[0]);
	CHECK_TRUE("empty again", heap_first(&heap) == NULL);
	heap_deinit(&heap);
	CHECK_INT("usable after deinit", heap.capacity, 0);
}

TEST_MAIN(test_random_changes, test_edges)
