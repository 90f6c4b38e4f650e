/* base/alloc.h - memory that is ours to take: these functions abort instead of returning NULL.
 * What a peer sizes comes from a budget (runtime/budget.h) and may be refused there first. */
#pragma once
#include <stddef.h>

/* alloc - `size_bytes` of uninitialised memory; free with `alloc_free`. Zero bytes give a valid
 * pointer. */
void *alloc(size_t size_bytes) __attribute__((malloc, returns_nonnull));

/* alloc_zeroed - as `alloc`, zeroed. */
void *alloc_zeroed(size_t size_bytes) __attribute__((malloc, returns_nonnull));

/* alloc_resize - as realloc; `count * size_bytes` is checked for overflow (aborts). */
void *alloc_resize(void *memory, size_t count, size_t size_bytes) __attribute__((returns_nonnull));

/* alloc_free - gives memory back; takes NULL. */
void alloc_free(void *memory);
