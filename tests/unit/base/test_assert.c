#include "base/alloc.h"
#include "base/assert.h"
#include "base/heap.h"
#include "support/check.h"
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static int hook_pipe[2];

static void hook(void)
{
	CHECK_INT("write", write(hook_pipe[1], "h", 1), 1);
	BUG("a hook that fails is not called again");
}

static void fail_condition(void)
{
	int one = 1;

	ASSERT(one == 2);
}

static void fail_overflow(void)
{
	alloc_free(alloc_resize(NULL, SIZE_MAX, 2));
}

static void fail_wrong_heap(void)
{
	struct heap heap = { 0 };
	struct heap_node node = { 0, 5 };

	heap_remove(&heap, &node);
}

/* Runs `action` in a child; returns the signal that ended it, its stderr in `text`. */
static int death_of(void (*action)(void), char text[1024])
{
	int ends[2], status = 0;
	ssize_t len;
	pid_t child;

	CHECK_INT("pipe", pipe(ends), 0);
	child = fork();
	if (child == 0) {
		dup2(ends[1], STDERR_FILENO);
		signal(SIGABRT, SIG_DFL);
		action();
		_exit(0);
	}
	close(ends[1]);
	waitpid(child, &status, 0);
	len = read(ends[0], text, 1023);
	text[len > 0 ? len : 0] = '\0';
	close(ends[0]);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void test_failures_abort(void)
{
	static const struct {
		void (*action)(void);
		const char *says;
	} rows[] = {
		{ fail_condition, ": one == 2" },
		{ fail_overflow, "size overflow" },
		{ fail_wrong_heap, "heap" },
	};
	char text[1024];

	for (size_t i = 0; i < COUNT(rows); i++) {
		CHECK_INT(rows[i].says, death_of(rows[i].action, text), SIGABRT);
		CHECK_TRUE(text, strstr(text, rows[i].says) != NULL);
	}
}

static void test_hook_is_called_once(void)
{
	char text[1024], calls[8];

	CHECK_INT("pipe", pipe(hook_pipe), 0);
	assert_on_failure(hook);
	CHECK_INT("signal", death_of(fail_condition, text), SIGABRT);
	assert_on_failure(NULL);
	CHECK_INT("once", read(hook_pipe[0], calls, sizeof calls), 1);
}

TEST_MAIN(test_failures_abort, test_hook_is_called_once)
