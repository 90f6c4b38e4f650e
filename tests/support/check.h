/* tests/support/check.h - rows of a table checked with cmocka: each check names its row and says
 * got and want. Output is TAP. */
#pragma once
#include "base/bytes.h"
#include "base/macros.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static inline void check_int(const char *name, long long got, long long want, const char *file,
                             int line)
{
	if (got != want) {
		print_error("%s: got %lld, want %lld\n", name, got, want);
		_fail(file, line);
	}
}

static inline void check_true(const char *name, int is_true, const char *text, const char *file,
                              int line)
{
	if (!is_true) {
		print_error("%s: not true: %s\n", name, text);
		_fail(file, line);
	}
}

static inline void check_bytes(const char *name, struct bytes got, struct bytes want,
                               const char *file, int line)
{
	if (!bytes_equal(got, want)) {
		print_error("%s: got \"%.*s\", want \"%.*s\"\n", name, BYTES_FORMAT(got),
		            BYTES_FORMAT(want));
		_fail(file, line);
	}
}

#define CHECK_INT(name, got, want) \
	check_int(name, (long long)(got), (long long)(want), __FILE__, __LINE__)
#define CHECK_TRUE(name, condition)  check_true(name, !!(condition), #condition, __FILE__, __LINE__)
#define CHECK_BYTES(name, got, want) check_bytes(name, got, want, __FILE__, __LINE__)
#define CHECK_STRING(name, got, want) \
	check_bytes(name, bytes_of(got), bytes_of(want), __FILE__, __LINE__)

/* check_run - runs functions without arguments as one cmocka group; their names come as one string,
 * "a, b". */
struct check_test {
	void (*run)(void);
};

static inline void check_call(void **state)
{
	((struct check_test *)*state)->run();
}

static inline int check_run(void (*const *tests)(void), size_t count, const char *names)
{
	static struct CMUnitTest group[100];
	static struct check_test runs[100];
	static char copies[100][80];
	struct bytes rest = bytes_of(names);

	for (size_t i = 0; i < count && i < COUNT(group); i++) {
		struct bytes name = bytes_trim(bytes_split(&rest, ','));

		snprintf(copies[i], sizeof copies[i], "%.*s", BYTES_FORMAT(name));
		runs[i].run = tests[i];
		group[i] = (struct CMUnitTest){ copies[i], check_call, NULL, NULL, &runs[i] };
	}
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return _cmocka_run_group_tests("tests", group, count, NULL, NULL);
}

#define TEST_MAIN(...)                                               \
	int main(void)                                               \
	{                                                            \
		void (*const tests[])(void) = { __VA_ARGS__ };       \
                                                                     \
		return check_run(tests, COUNT(tests), #__VA_ARGS__); \
	}
