#include "base/arena.h"
#include "base/alloc.h"
#include "base/assert.h"
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define ALIGNMENT           16U
#define BLOCK_BYTES_DEFAULT 4096U

struct block {
	struct block *older;
	size_t size_bytes, used_bytes;
	_Alignas(ALIGNMENT) char data[];
};

struct arena {
	struct block *newest;
	size_t block_bytes, size_bytes;
};

struct arena *arena_create(size_t block_bytes)
{
	struct arena *arena = alloc_zeroed(sizeof *arena);

	arena->block_bytes = block_bytes ? block_bytes : BLOCK_BYTES_DEFAULT;
	return arena;
}

static void free_block(struct arena *arena, struct block *block)
{
	arena->size_bytes -= sizeof *block + block->size_bytes;
	alloc_free(block);
}

void arena_destroy(struct arena *arena)
{
	if (!arena)
		return;
	while (arena->newest) {
		struct block *block = arena->newest;

		arena->newest = block->older;
		free_block(arena, block);
	}
	alloc_free(arena);
}

void arena_reset(struct arena *arena)
{
	while (arena->newest && arena->newest->older) {
		struct block *block = arena->newest;

		arena->newest = block->older;
		free_block(arena, block);
	}
	if (arena->newest)
		arena->newest->used_bytes = 0;
}

static struct block *add_block(struct arena *arena, size_t size_bytes)
{
	struct block *block = alloc(sizeof *block + size_bytes);

	block->size_bytes = size_bytes;
	block->used_bytes = 0;
	block->older = NULL;
	arena->size_bytes += sizeof *block + size_bytes;
	return block;
}

/* A large object gets a block of its own behind the newest one, whose rest stays in use. */
static struct block *block_with_room(struct arena *arena, size_t size_bytes)
{
	struct block *newest = arena->newest, *block;

	if (newest && newest->size_bytes - newest->used_bytes >= size_bytes)
		return newest;
	if (newest && size_bytes > arena->block_bytes / 4) {
		block = add_block(arena, size_bytes);
		block->older = newest->older;
		newest->older = block;
		return block;
	}
	block = add_block(arena, size_bytes > arena->block_bytes ? size_bytes : arena->block_bytes);
	block->older = newest;
	arena->newest = block;
	return block;
}

/* As arena_alloc, but not zeroed. */
static void *take(struct arena *arena, size_t size_bytes)
{
	struct block *block;
	void *memory;

	ASSERT(size_bytes < SIZE_MAX / 2);
	size_bytes = (size_bytes + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
	block = block_with_room(arena, size_bytes);
	memory = block->data + block->used_bytes;
	block->used_bytes += size_bytes;
	return memory;
}

void *arena_alloc(struct arena *arena, size_t size_bytes)
{
	return memset(take(arena, size_bytes), 0, size_bytes);
}

struct bytes arena_copy(struct arena *arena, struct bytes data)
{
	char *copy = take(arena, data.len + 1);

	if (data.len > 0)
		memcpy(copy, data.at, data.len);
	copy[data.len] = '\0';
	return (struct bytes){ copy, data.len };
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
	va_list args;
	size_t size_bytes;
	char *text;
	int len;

	va_start(args, format);
	len = vsnprintf(NULL, 0, format, args);
	va_end(args);
	ASSERT(len >= 0);
	size_bytes = (size_t)len + 1;
	text = take(arena, size_bytes);
	va_start(args, format);
	vsnprintf(text, size_bytes, format, args);
	va_end(args);
	return text;
}

size_t arena_size(const struct arena *arena)
{
	return arena->size_bytes;
}
