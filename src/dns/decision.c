#include "dns/decision.h"
#include "base/alloc.h"
#include "base/assert.h"
#include "base/random.h"
#include <string.h>

void decision_table_init(struct decision_table *table, uint32_t limit)
{
	*table = (struct decision_table){ .limit = limit, .seed = random_entropy() };
	list_init(&table->open);
	list_init(&table->settled);
}

static uint64_t hash_of(const struct decision_table *table, enum decision_kind kind,
                        struct bytes name)
{
	return bytes_hash(name, table->seed + kind);
}

static void destroy(struct decision *decision)
{
	route_release(decision->finding.route);
	alloc_free(decision->finding.addresses);
	alloc_free(decision->finding.text);
	alloc_free(decision);
}

/* Takes a decision out of the table; an open one lives on until it is settled. */
static void drop(struct decision_table *table, struct decision *decision)
{
	hash_remove(&table->hash, &decision->node);
	list_remove(&decision->place);
	decision->is_in_table = false;
	if (!decision->is_settled)
		return;
	table->settled_count--;
	destroy(decision);
}

static struct decision *find(const struct decision_table *table, enum decision_kind kind,
                             struct bytes name)
{
	HASH_EACH_MATCH (node, &table->hash, hash_of(table, kind, name)) {
		struct decision *decision = CONTAINER_OF(node, struct decision, node);

		if (decision->kind == kind && bytes_equal(bytes_of(decision->name), name))
			return decision;
	}
	return NULL;
}

struct decision *decision_find(struct decision_table *table, enum decision_kind kind,
                               struct bytes name, int64_t now_us)
{
	struct decision *decision = find(table, kind, name);

	if (!decision || !decision->is_settled)
		return decision;
	if (decision->finding.valid_until_us <= now_us) {
		drop(table, decision);
		return NULL;
	}
	list_remove(&decision->place);
	list_append(&table->settled, &decision->place);
	return decision;
}

struct decision *decision_add(struct decision_table *table, enum decision_kind kind,
                              struct bytes name)
{
	struct decision *decision = alloc_zeroed(sizeof *decision + name.len + 1);

	memcpy(decision->name, name.at, name.len);
	decision->kind = kind;
	decision->is_in_table = true;
	list_append(&table->open, &decision->place);
	list_init(&decision->turn);
	list_init(&decision->waiting);
	hash_insert(&table->hash, &decision->node, hash_of(table, kind, name));
	return decision;
}

void decision_settle(struct decision_table *table, struct decision *decision)
{
	ASSERT(!decision->is_settled && list_is_empty(&decision->waiting));
	decision->is_settled = true;
	if (!decision->is_in_table) {
		destroy(decision);
		return;
	}
	list_remove(&decision->place);
	list_append(&table->settled, &decision->place);
	if (++table->settled_count > table->limit)
		drop(table, CONTAINER_OF(table->settled.next, struct decision, place));
}

static void forget_one(struct decision_table *table, enum decision_kind kind, struct bytes name)
{
	struct decision *decision = find(table, kind, name);

	if (decision)
		drop(table, decision);
}

static void forget_all(struct decision_table *table)
{
	while (!list_is_empty(&table->open))
		drop(table, CONTAINER_OF(table->open.next, struct decision, place));
	while (!list_is_empty(&table->settled))
		drop(table, CONTAINER_OF(table->settled.next, struct decision, place));
}

void decision_forget(struct decision_table *table, struct bytes domain)
{
	struct decision *decision;
	struct route *route;

	if (domain.len == 0) {
		forget_all(table);
		return;
	}
	decision = find(table, DECISION_ROUTE, domain);
	if (!decision)
		return;
	route = decision->finding.route ? route_acquire(decision->finding.route) : NULL;
	drop(table, decision);
	for (int i = 0; route && i < route->host_count; i++) {
		forget_one(table, DECISION_IPV4, bytes_of(route->hosts[i].name));
		forget_one(table, DECISION_ADDRESSES, bytes_of(route->hosts[i].name));
	}
	route_release(route);
}

void decision_table_deinit(struct decision_table *table)
{
	forget_all(table);
	hash_deinit(&table->hash);
}
