#include "serve/vault.h"
#include "base/alloc.h"
#include "base/macros.h"
#include <string.h>

struct vault {
	struct hash by_id;
	struct list entries;
	int64_t size_bytes;
};

struct vault *vault_create(void)
{
	struct vault *vault = alloc_zeroed(sizeof *vault);

	list_init(&vault->entries);
	return vault;
}

static void destroy(struct vault *vault, struct vault_entry *entry)
{
	vault->size_bytes -= entry->size_bytes;
	hash_remove(&vault->by_id, &entry->by_id);
	list_remove(&entry->node);
	alloc_free(entry);
}

void vault_destroy(struct vault *vault)
{
	if (!vault)
		return;
	while (!list_is_empty(&vault->entries))
		destroy(vault, CONTAINER_OF(vault->entries.next, struct vault_entry, node));
	hash_deinit(&vault->by_id);
	alloc_free(vault);
}

static struct vault_entry *find(const struct vault *vault, uint64_t id)
{
	struct hash_node *node = hash_first(&vault->by_id, id);

	return node ? CONTAINER_OF(node, struct vault_entry, by_id) : NULL;
}

const struct vault_entry *vault_find(const struct vault *vault, uint64_t id)
{
	return find(vault, id);
}

/* Nearly always the newest; after a restart they come in the order of the journal. */
static struct list *place_for(struct vault *vault, int64_t ended_us)
{
	struct list *place = vault->entries.prev;

	while (place != &vault->entries &&
	       CONTAINER_OF(place, struct vault_entry, node)->ended_us > ended_us)
		place = place->prev;
	return place;
}

void vault_add(struct vault *vault, uint64_t id, int64_t ended_us, int64_t size_bytes,
               enum cause cause, struct bytes domain)
{
	struct vault_entry *entry;

	if (find(vault, id))
		return;
	entry = alloc_zeroed(sizeof *entry + domain.len + 1);
	entry->ended_us = ended_us;
	entry->size_bytes = size_bytes;
	entry->cause = cause;
	if (domain.len > 0)
		memcpy(entry->domain, domain.at, domain.len);
	vault->size_bytes += size_bytes;
	hash_insert(&vault->by_id, &entry->by_id, id);
	list_insert_before(place_for(vault, ended_us)->next, &entry->node);
}

bool vault_remove(struct vault *vault, uint64_t id)
{
	struct vault_entry *entry = find(vault, id);

	if (entry)
		destroy(vault, entry);
	return entry != NULL;
}

int64_t vault_oldest_us(const struct vault *vault)
{
	if (list_is_empty(&vault->entries))
		return INT64_MAX;
	return CONTAINER_OF(vault->entries.next, struct vault_entry, node)->ended_us;
}

uint64_t vault_overdue(const struct vault *vault, int64_t ended_before_us, int64_t most_bytes)
{
	if (list_is_empty(&vault->entries))
		return 0;
	if (vault_oldest_us(vault) >= ended_before_us && vault->size_bytes <= most_bytes)
		return 0;
	return CONTAINER_OF(vault->entries.next, struct vault_entry, node)->by_id.hash;
}

const struct vault_entry *vault_first(const struct vault *vault)
{
	if (list_is_empty(&vault->entries))
		return NULL;
	return CONTAINER_OF(vault->entries.next, struct vault_entry, node);
}

const struct vault_entry *vault_after(const struct vault *vault, const struct vault_entry *entry)
{
	if (entry->node.next == &vault->entries)
		return NULL;
	return CONTAINER_OF(entry->node.next, struct vault_entry, node);
}

size_t vault_count(const struct vault *vault)
{
	return vault->by_id.count;
}

int64_t vault_bytes(const struct vault *vault)
{
	return vault->size_bytes;
}
