/* base/arena.h - memory that is freed all at once: one per message, session or request. */
#pragma once
#include "base/bytes.h"
#include "base/macros.h"

struct arena;

/* arena_create - an empty arena that grows in blocks of about `block_bytes` (0: 4 KiB). */
struct arena *arena_create(size_t block_bytes);
void arena_destroy(struct arena *arena);                   /* frees everything in it; takes NULL */
void arena_reset(struct arena *arena);                     /* empties it, keeps the first block */
void *arena_alloc(struct arena *arena, size_t size_bytes); /* zeroed, aligned to 16 */
struct bytes arena_copy(struct arena *arena,
                        struct bytes data); /* the copy is followed by a NUL byte */
char *arena_printf(struct arena *arena, const char *format, ...) PRINTF_LIKE(2, 3);
size_t arena_size(const struct arena *arena); /* bytes taken from the system */
