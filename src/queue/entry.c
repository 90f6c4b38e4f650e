#include "queue/entry.h"
#include "base/alloc.h"
#include "base/assert.h"

static struct entry *slot_at(const struct roster *roster, uint32_t slot)
{
	return &roster->pages[slot / ROSTER_PAGE][slot % ROSTER_PAGE];
}

static void free_recipients(struct entry *entry)
{
	for (uint32_t i = 0; i < entry->recipient_count; i++)
		tally_deinit(&entry_recipient(entry, i)->tally);
	if (entry->recipient_count > 1)
		alloc_free(entry->many);
}

void roster_deinit(struct roster *roster)
{
	for (uint32_t slot = 0; slot < roster->slot_count; slot++)
		free_recipients(slot_at(roster, slot));
	for (uint32_t page = 0; page < roster->page_count; page++)
		alloc_free(roster->pages[page]);
	alloc_free(roster->pages);
	hash_deinit(&roster->by_id);
	*roster = (struct roster){ 0 };
}

static void add_page(struct roster *roster)
{
	roster->pages = alloc_resize(roster->pages, roster->page_count + 1, sizeof(struct entry *));
	roster->pages[roster->page_count++] = alloc(ROSTER_PAGE * sizeof(struct entry));
}

static uint32_t take_slot(struct roster *roster)
{
	uint32_t slot = roster->free_slot;

	if (slot) {
		roster->free_slot = slot_at(roster, slot - 1)->next_free;
		return slot - 1;
	}
	if (roster->slot_count == roster->page_count * ROSTER_PAGE)
		add_page(roster);
	return roster->slot_count++;
}

struct entry *roster_add(struct roster *roster, uint64_t id, uint32_t recipient_count)
{
	uint32_t slot = take_slot(roster);
	struct entry *entry = slot_at(roster, slot);

	ASSERT(recipient_count > 0 && recipient_count <= UINT16_MAX);
	*entry = (struct entry){ .recipient_count = (uint16_t)recipient_count,
		                 .left = (uint16_t)recipient_count };
	if (recipient_count > 1) {
		entry->many = alloc_zeroed(recipient_count * sizeof *entry->many);
		roster->many_bytes += recipient_count * sizeof *entry->many;
	}
	for (uint32_t i = 0; i < recipient_count; i++) {
		struct recipient *recipient = entry_recipient(entry, i);

		recipient->slot = slot;
		recipient->index = (uint16_t)i;
		recipient->timer.index = HEAP_NONE;
		list_init(&recipient->node);
	}
	hash_insert(&roster->by_id, &entry->by_id, id);
	return entry;
}

void roster_remove(struct roster *roster, struct entry *entry)
{
	uint32_t slot = entry_recipient(entry, 0)->slot;

	hash_remove(&roster->by_id, &entry->by_id);
	if (entry->recipient_count > 1)
		roster->many_bytes -= entry->recipient_count * sizeof *entry->many;
	free_recipients(entry);
	entry->recipient_count = 0;
	entry->next_free = roster->free_slot;
	roster->free_slot = slot + 1;
}

struct entry *roster_find(const struct roster *roster, uint64_t id)
{
	struct hash_node *node = hash_first(&roster->by_id, id);

	return node ? CONTAINER_OF(node, struct entry, by_id) : NULL;
}

struct entry *roster_at(const struct roster *roster, uint32_t slot)
{
	struct entry *entry = slot_at(roster, slot);

	return entry->recipient_count ? entry : NULL;
}

size_t roster_bytes(const struct roster *roster)
{
	return roster->page_count * ROSTER_PAGE * sizeof(struct entry) + roster->many_bytes +
	       roster->by_id.bucket_capacity * sizeof(struct hash_node *);
}
