#include "base/alloc.h"
#include "base/arena.h"
#include "support/check.h"

static bool is_zero(const char *at, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (at[i] != 0)
			return false;
	}
	return true;
}

static void test_alloc(void)
{
	struct arena *arena = arena_create(256);

	CHECK_INT("nothing taken yet", arena_size(arena), 0);
	for (size_t size = 0; size < 1000; size++) {
		char *at = arena_alloc(arena, size);

		CHECK_INT("aligned", (uintptr_t)at % 16, 0);
		CHECK_TRUE("zeroed", is_zero(at, size));
		memset(at, 0xff, size);
	}
	CHECK_TRUE("size is counted", arena_size(arena) > 499500);
	arena_reset(arena);
	CHECK_TRUE("reset keeps one block", arena_size(arena) > 0 && arena_size(arena) < 1000);
	CHECK_TRUE("zeroed after reset", is_zero(arena_alloc(arena, 200), 200));
	arena_destroy(arena);
	arena_destroy(NULL);
}

static void test_large_objects_leave_the_block_in_use(void)
{
	struct arena *arena = arena_create(0);
	char *first = arena_alloc(arena, 16);

	arena_alloc(arena, 100000);
	CHECK_TRUE("next to the first", (char *)arena_alloc(arena, 16) == first + 16);
	arena_destroy(arena);
}

static void test_text(void)
{
	struct arena *arena = arena_create(64);
	struct bytes copy = arena_copy(arena, (struct bytes){ "a\0b", 3 });
	char *text = arena_printf(arena, "%s-%0*d", "x", 200, 5);

	CHECK_INT("length", copy.len, 3);
	CHECK_INT("terminated", copy.at[3], 0);
	CHECK_TRUE("content", memcmp(copy.at, "a\0b", 3) == 0);
	CHECK_INT("an empty copy is a string", arena_copy(arena, bytes_of(NULL)).at[0], 0);
	CHECK_INT("printed", strlen(text), 202);
	CHECK_INT("printed to the end", text[201], '5');
	arena_destroy(arena);
}

static void test_plain_alloc(void)
{
	char *memory = alloc_zeroed(100);
	void *empty = alloc(0);

	CHECK_TRUE("zeroed", is_zero(memory, 100));
	memory[99] = 'x';
	memory = alloc_resize(memory, 50, 4);
	CHECK_INT("content stays", memory[99], 'x');
	alloc_free(memory);
	alloc_free(empty);
	alloc_free(NULL);
}

TEST_MAIN(test_alloc, test_large_objects_leave_the_block_in_use, test_text, test_plain_alloc)
