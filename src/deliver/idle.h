/* deliver/idle.h - connections that wait for the next message of their slot: at most one for each,
 * closed with QUIT when none comes. One thread. */
#pragma once
#include "base/hash.h"
#include "deliver/client.h"

struct idle_table {
	struct hash clients;
	bool is_stopping; /* nothing is kept any more */
};

struct idle_key {
	uint64_t site; /* route->hash */
	uint32_t slot;
};

/* idle_put - keeps the connection until `until_us`; takes it over. */
void idle_put(struct idle_table *table, struct idle_key key, struct client *client,
              int64_t until_us);

/* idle_take - NULL: there is none. The server may have closed it meanwhile. */
struct client *idle_take(struct idle_table *table, struct idle_key key);

/* idle_retire - closes a connection with QUIT, in a fiber of its own; takes it over. */
void idle_retire(struct client *client);
void idle_stop(struct idle_table *table); /* retires all of them */
void idle_deinit(struct idle_table *table);
