/* The index of mail that is over: its order, its limits. */
#include "serve/vault.h"
#include "support/check.h"

static void add(struct vault *vault, uint64_t id, int64_t ended_us, int64_t size_bytes)
{
	vault_add(vault, id, ended_us, size_bytes, CAUSE_HOST_DOWN, bytes_of("b.test"));
}

/* At start-up they come in the order of the journal. */
static void test_order(void)
{
	static const int64_t ended[] = { 30, 10, 50, 20, 40, 20 };
	struct vault *vault = vault_create();
	const struct vault_entry *entry;
	int64_t before_us = 0;
	int count = 0;

	CHECK_TRUE("empty", !vault_first(vault) && vault_oldest_us(vault) == INT64_MAX);
	for (size_t i = 0; i < COUNT(ended); i++)
		add(vault, i + 1, ended[i], 5);
	add(vault, 1, 99, 5); /* known already */
	for (entry = vault_first(vault); entry; entry = vault_after(vault, entry)) {
		CHECK_TRUE("oldest first", entry->ended_us >= before_us);
		before_us = entry->ended_us;
		count++;
	}
	CHECK_INT("each once", count, COUNT(ended));
	CHECK_INT("count", vault_count(vault), COUNT(ended));
	CHECK_INT("bytes", vault_bytes(vault), 30);
	CHECK_INT("oldest", vault_oldest_us(vault), 10);
	CHECK_BYTES("domain", bytes_of(vault_find(vault, 3)->domain), bytes_of("b.test"));
	CHECK_TRUE("none", !vault_find(vault, 7));
	vault_destroy(vault);
}

static void test_overdue(void)
{
	struct vault *vault = vault_create();

	CHECK_INT("nothing", vault_overdue(vault, 100, 0), 0);
	add(vault, 1, 10, 40);
	add(vault, 2, 20, 40);
	add(vault, 3, 30, 40);
	CHECK_INT("all is well", vault_overdue(vault, 10, 120), 0);
	CHECK_INT("too old", vault_overdue(vault, 11, 120), 1);
	CHECK_INT("too much: the oldest", vault_overdue(vault, 0, 119), 1);
	CHECK_TRUE("removed", vault_remove(vault, 1) && !vault_remove(vault, 1));
	CHECK_INT("next", vault_overdue(vault, 0, 40), 2);
	vault_remove(vault, 2);
	CHECK_INT("enough", vault_overdue(vault, 0, 40), 0);
	CHECK_INT("bytes", vault_bytes(vault), 40);
	vault_destroy(vault);
}

TEST_MAIN(test_order, test_overdue)
