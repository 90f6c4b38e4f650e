#include "base/alloc.h"
#include "dns/decision.h"
#include "support/check.h"
#include <stdio.h>
#include <string.h>

#define LIMIT 4

static struct decision_table table;

static struct decision *settle(const char *name, int64_t valid_until_us)
{
	struct decision *decision = decision_add(&table, DECISION_ROUTE, bytes_of(name));

	decision->finding.valid_until_us = valid_until_us;
	decision_settle(&table, decision);
	return decision;
}

static struct decision *find(const char *name, int64_t now_us)
{
	return decision_find(&table, DECISION_ROUTE, bytes_of(name), now_us);
}

static void test_life(void)
{
	struct decision *open;

	decision_table_init(&table, LIMIT);
	CHECK_TRUE("empty", find("a", 0) == NULL);
	open = decision_add(&table, DECISION_ROUTE, BYTES_LITERAL("a"));
	CHECK_TRUE("open ones are shared", find("a", 1000000) == open);
	CHECK_TRUE("of one kind",
	           decision_find(&table, DECISION_IPV4, BYTES_LITERAL("a"), 0) == NULL);
	open->finding.valid_until_us = 100;
	decision_settle(&table, open);
	CHECK_TRUE("still valid", find("a", 99) == open);
	CHECK_TRUE("over", find("a", 100) == NULL);
	CHECK_INT("dropped", table.settled_count, 0);
	decision_table_deinit(&table);
}

/* However many names are asked for, the table stays as large as its limit. */
static void test_limit(void)
{
	char name[16];

	decision_table_init(&table, LIMIT);
	for (int i = 0; i < 100; i++) {
		snprintf(name, sizeof name, "n%d", i);
		settle(name, 1000);
		find("n0", 0); /* used again and again: never the one to go */
	}
	CHECK_INT("limit", table.settled_count, LIMIT);
	CHECK_TRUE("used", find("n0", 0) != NULL);
	CHECK_TRUE("newest", find("n99", 0) != NULL);
	CHECK_TRUE("oldest", find("n1", 0) == NULL);
	decision_table_deinit(&table);
}

static void test_forget(void)
{
	struct route_host hosts[] = { { .name = "mx.a", .preference = 1 } };
	struct decision *route, *open, *addresses;

	decision_table_init(&table, LIMIT);
	route = settle("a", 1000);
	route->finding.route = route_create(hosts, 1, 25, false);
	addresses = decision_add(&table, DECISION_IPV4, BYTES_LITERAL("mx.a"));
	addresses->finding.valid_until_us = 1000;
	decision_settle(&table, addresses);
	settle("b", 1000);
	decision_forget(&table, BYTES_LITERAL("a"));
	CHECK_TRUE("route", find("a", 0) == NULL);
	CHECK_TRUE("its hosts' addresses",
	           decision_find(&table, DECISION_IPV4, BYTES_LITERAL("mx.a"), 0) == NULL);
	CHECK_TRUE("others stay", find("b", 0) != NULL);
	open = decision_add(&table, DECISION_ROUTE, BYTES_LITERAL("c"));
	decision_forget(&table, BYTES_LITERAL(""));
	CHECK_TRUE("all", find("b", 0) == NULL);
	CHECK_TRUE("open ones are not found any more", find("c", 0) == NULL);
	decision_settle(&table, open); /* nor kept */
	CHECK_INT("nothing is left", table.settled_count, 0);
	decision_table_deinit(&table);
}

TEST_MAIN(test_life, test_limit, test_forget)
