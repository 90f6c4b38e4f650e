/* base/assert.h - checks of our own invariants; compiled in always, never reachable by input. */
#pragma once
#include "base/macros.h"

/* assert_fail - prints where and what to stderr, calls the hook set by `assert_on_failure` (the
 * runtime prints the fiber and its last protocol lines there), and aborts. Never returns. */
_Noreturn void assert_fail(const char *file, int line, const char *format, ...) PRINTF_LIKE(3, 4);

/* assert_on_failure - sets the one function that `assert_fail` calls before it aborts. */
void assert_on_failure(void (*hook)(void));

#define ASSERT(condition)                                                  \
	do {                                                               \
		if (!(condition))                                          \
			assert_fail(__FILE__, __LINE__, "%s", #condition); \
	} while (0)
#define BUG(...) assert_fail(__FILE__, __LINE__, __VA_ARGS__)
