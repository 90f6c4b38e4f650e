/* serve/cache.h - messages just accepted, kept in memory until their first attempt takes them.
 * Bounded: the oldest make room; they are read from the spool instead. One thread. */
#pragma once
#include "model/message.h"

struct cache;

struct cache *cache_create(size_t limit_bytes);
void cache_destroy(struct cache *cache); /* takes NULL */

/* cache_put - keeps a reference of its own. Messages whose body is in a file are not kept. */
void cache_put(struct cache *cache, struct message *message);

/* cache_take - removes the message and hands its reference over; NULL if it is not here. */
struct message *cache_take(struct cache *cache, uint64_t id);
