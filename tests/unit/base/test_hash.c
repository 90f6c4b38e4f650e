#include "base/hash.h"
#include "base/random.h"
#include "support/check.h"

#define NODES 5000

struct item {
	struct hash_node node;
	int number;
	int visits;
};

static struct item items[NODES];

static uint64_t hash_of(int number)
{
	return (uint64_t)(number / 2) << 13; /* pairs share a hash; low bits alike, as in ids */
}

static struct item *item_of(struct hash_node *node)
{
	return CONTAINER_OF(node, struct item, node);
}

static struct item *find(const struct hash *table, int number)
{
	HASH_EACH_MATCH (node, table, hash_of(number)) {
		if (item_of(node)->number == number)
			return item_of(node);
	}
	return NULL;
}

static void fill(struct hash *table)
{
	for (int i = 0; i < NODES; i++) {
		items[i] = (struct item){ .number = i };
		hash_insert(table, &items[i].node, hash_of(i));
		CHECK_TRUE("the first one is still found", find(table, 0) == &items[0]);
	}
	CHECK_INT("count", table->count, NODES);
}

static void test_find_and_remove(void)
{
	struct hash table = { 0 };

	CHECK_TRUE("in an empty table", hash_first(&table, 1) == NULL);
	CHECK_TRUE("each of an empty table", hash_each(&table, NULL) == NULL);
	fill(&table);
	for (int i = 0; i < NODES; i += 3)
		hash_remove(&table, &items[i].node);
	for (int i = 0; i < NODES; i++)
		CHECK_TRUE("the others stay", find(&table, i) == (i % 3 ? &items[i] : NULL));
	CHECK_TRUE("unknown", find(&table, NODES + 10) == NULL);
	for (int i = 0; i < NODES; i += 3)
		hash_insert(&table, &items[i].node, hash_of(i));
	CHECK_TRUE("back", find(&table, 3) == &items[3]);
	hash_deinit(&table);
	CHECK_INT("deinit", table.count, 0);
}

static void test_each_visits_once(void)
{
	struct hash table = { 0 };

	fill(&table);
	HASH_EACH (node, &table)
		item_of(node)->visits++;
	for (int i = 0; i < NODES; i++)
		CHECK_INT("visits", items[i].visits, 1);
	hash_deinit(&table);
}

static void test_chains_stay_short(void)
{
	struct hash table = { 0 };
	int longest = 0;

	fill(&table);
	for (uint32_t i = 0; i < table.bucket_count; i++) {
		int length = 0;

		for (struct hash_node *node = table.buckets[i]; node; node = node->next)
			length++;
		longest = MAX(longest, length);
	}
	CHECK_TRUE("longest chain", longest <= 16);
	CHECK_TRUE("a bucket for each node", table.bucket_count + 16 >= table.count);
	hash_deinit(&table);
}

TEST_MAIN(test_find_and_remove, test_each_visits_once, test_chains_stay_short)
