/* serve/vault.h - what is known of messages that are over but were not all delivered: they stay in
 * the journal for some days. The oldest go first, by age and by size. Owned by the keeper's thread.
 */
#pragma once
#include "base/hash.h"
#include "base/list.h"
#include "model/cause.h"

struct vault;

struct vault_entry {
	struct hash_node by_id; /* its hash is the message's id */
	struct list node;       /* by when it ended, oldest first */
	int64_t ended_us, size_bytes;
	enum cause cause;
	char domain[];
};

struct vault *vault_create(void);
void vault_destroy(struct vault *vault); /* takes NULL */

/* vault_add - `ended_us` may be in any order (start-up). */
void vault_add(struct vault *vault, uint64_t id, int64_t ended_us, int64_t size_bytes,
               enum cause cause, struct bytes domain);
const struct vault_entry *vault_find(const struct vault *vault, uint64_t id); /* NULL: none */
bool vault_remove(struct vault *vault, uint64_t id); /* false: it is not there */

/* vault_overdue - the id of the oldest entry if it ended before `ended_before_us`, or if all
 * together are larger than `most_bytes`; 0: none. The caller removes it. */
uint64_t vault_overdue(const struct vault *vault, int64_t ended_before_us, int64_t most_bytes);
int64_t vault_oldest_us(
	const struct vault *vault); /* when it ended; INT64_MAX: the vault is empty */

/* vault_first, vault_after - oldest first; NULL at the end. For one call of keeper_ask: entries may
 * be gone at the next. */
const struct vault_entry *vault_first(const struct vault *vault);
const struct vault_entry *vault_after(const struct vault *vault, const struct vault_entry *entry);
size_t vault_count(const struct vault *vault);
int64_t vault_bytes(const struct vault *vault);
