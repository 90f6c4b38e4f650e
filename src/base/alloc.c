#include "base/alloc.h"
#include "base/assert.h"
#include <stdlib.h>

void *alloc(size_t size_bytes)
{
	void *memory = malloc(size_bytes ? size_bytes : 1);

	if (!memory)
		BUG("out of memory: %zu bytes", size_bytes);
	return memory;
}

void *alloc_zeroed(size_t size_bytes)
{
	void *memory = calloc(1, size_bytes ? size_bytes : 1);

	if (!memory)
		BUG("out of memory: %zu bytes", size_bytes);
	return memory;
}

void *alloc_resize(void *memory, size_t count, size_t size_bytes)
{
	size_t total;
	void *resized;

	if (__builtin_mul_overflow(count, size_bytes, &total))
		BUG("size overflow: %zu times %zu bytes", count, size_bytes);
	resized = realloc(memory, total ? total : 1);
	if (!resized)
		BUG("out of memory: %zu bytes", total);
	return resized;
}

void alloc_free(void *memory)
{
	free(memory);
}
