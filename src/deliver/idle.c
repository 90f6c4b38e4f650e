#include "deliver/idle.h"
#include "base/alloc.h"
#include "runtime/fiber.h"
#include "runtime/loop.h"

struct idle {
	struct hash_node node;
	struct timer timer;
	struct idle_table *table;
	struct idle_key key;
	struct client *client;
};

static uint64_t hash_of(struct idle_key key)
{
	return key.site ^ ((uint64_t)key.slot + 1) * 0x9e3779b97f4a7c15u;
}

static struct idle *find(const struct idle_table *table, struct idle_key key)
{
	HASH_EACH_MATCH (node, &table->clients, hash_of(key)) {
		struct idle *idle = CONTAINER_OF(node, struct idle, node);

		if (idle->key.site == key.site && idle->key.slot == key.slot)
			return idle;
	}
	return NULL;
}

/* Takes it out of the table; what is left is the connection. */
static struct client *let_go(struct idle *idle)
{
	struct client *client = idle->client;

	timer_stop(&idle->timer);
	hash_remove(&idle->table->clients, &idle->node);
	alloc_free(idle);
	return client;
}

PARKS static void run_quit(void *arg)
{
	client_quit(arg);
}

void idle_retire(struct client *client)
{
	if (!fiber_spawn(run_quit, client, "quit"))
		client_close(client);
}

static void time_is_up(struct timer *timer)
{
	idle_retire(let_go(CONTAINER_OF(timer, struct idle, timer)));
}

void idle_put(struct idle_table *table, struct idle_key key, struct client *client,
              int64_t until_us)
{
	struct idle *idle = find(table, key);

	if (table->is_stopping) {
		idle_retire(client);
		return;
	}
	if (idle) /* the slot changed hands; one is enough */
		idle_retire(let_go(idle));
	idle = alloc_zeroed(sizeof *idle);
	idle->table = table;
	idle->key = key;
	idle->client = client;
	hash_insert(&table->clients, &idle->node, hash_of(key));
	timer_set(&idle->timer, until_us, time_is_up);
}

struct client *idle_take(struct idle_table *table, struct idle_key key)
{
	struct idle *idle = find(table, key);

	return idle ? let_go(idle) : NULL;
}

void idle_stop(struct idle_table *table)
{
	struct hash_node *node;

	table->is_stopping = true;
	while ((node = hash_each(&table->clients, NULL)) != NULL)
		idle_retire(let_go(CONTAINER_OF(node, struct idle, node)));
}

void idle_deinit(struct idle_table *table)
{
	struct hash_node *node;

	while ((node = hash_each(&table->clients, NULL)) != NULL)
		client_close(let_go(CONTAINER_OF(node, struct idle, node)));
	hash_deinit(&table->clients);
}
