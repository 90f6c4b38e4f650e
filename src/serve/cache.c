#include "serve/cache.h"
#include "base/alloc.h"
#include "base/hash.h"
#include "base/list.h"

struct cached {
	struct hash_node by_id;
	struct list by_age;
	struct message *message;
	size_t size_bytes;
};

struct cache {
	struct hash by_id;
	struct list by_age; /* oldest first */
	size_t limit_bytes, used_bytes;
};

/* Ids of one worker differ in few bits: spread them. */
static uint64_t hash_of(uint64_t id)
{
	return id * 0x9e3779b97f4a7c15u;
}

struct cache *cache_create(size_t limit_bytes)
{
	struct cache *cache = alloc_zeroed(sizeof *cache);

	cache->limit_bytes = limit_bytes;
	list_init(&cache->by_age);
	return cache;
}

static struct message *take(struct cache *cache, struct cached *cached)
{
	struct message *message = cached->message;

	hash_remove(&cache->by_id, &cached->by_id);
	list_remove(&cached->by_age);
	cache->used_bytes -= cached->size_bytes;
	alloc_free(cached);
	return message;
}

void cache_destroy(struct cache *cache)
{
	if (!cache)
		return;
	while (!list_is_empty(&cache->by_age))
		message_release(
			take(cache, CONTAINER_OF(cache->by_age.next, struct cached, by_age)));
	hash_deinit(&cache->by_id);
	alloc_free(cache);
}

void cache_put(struct cache *cache, struct message *message)
{
	struct cached *cached;

	if (!message->body.data.at)
		return;
	cached = alloc_zeroed(sizeof *cached);
	cached->message = message_acquire(message);
	cached->size_bytes = arena_size(message->arena) + sizeof *cached;
	cache->used_bytes += cached->size_bytes;
	hash_insert(&cache->by_id, &cached->by_id, hash_of(message->id));
	list_append(&cache->by_age, &cached->by_age);
	while (cache->used_bytes > cache->limit_bytes)
		message_release(
			take(cache, CONTAINER_OF(cache->by_age.next, struct cached, by_age)));
}

struct message *cache_take(struct cache *cache, uint64_t id)
{
	HASH_EACH_MATCH (node, &cache->by_id, hash_of(id)) {
		struct cached *cached = CONTAINER_OF(node, struct cached, by_id);

		if (cached->message->id == id)
			return take(cache, cached);
	}
	return NULL;
}
