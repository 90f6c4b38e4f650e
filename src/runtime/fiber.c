#include "runtime/fiber.h"
#include "base/alloc.h"
#include "base/assert.h"
#include "base/list.h"
#include "base/log.h"
#include "runtime/context.h"
#include "runtime/loop_own.h"
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define STACK_BYTES (256 << 10)
#else
#define STACK_BYTES (64 << 10)
#endif
#define GUARD_BYTES       4096
#define STACKS_KEPT       256
#define RUNS_PER_TURN     20000
#define LIMIT_DEFAULT     100000
#define TRACE_LINES       10
#define TRACE_LINE_LENGTH 120

struct trace {
	char lines[TRACE_LINES][TRACE_LINE_LENGTH + 1];
	unsigned next;
};

/* What wakes a parked fiber. */
enum wake_reason { WAKE_NONE, WAKE_CALLED, WAKE_TIMEOUT, WAKE_CANCELLED };

struct fiber {
	struct list all, runnable; /* list_init'ed when in none */
	struct context *context;
	void *stack;
	const char *name;
	void (*run)(void *arg);
	void *arg;
	struct timer deadline;
	struct trace *trace;
	enum wake_reason reason;               /* of the wake that it will see next */
	bool is_parked, is_cancelled, is_deaf; /* deaf: parked by fiber_park_always */
	bool is_over;
};

struct fibers {
	struct list all, runnable;
	struct list later; /* yielded: runnable after the descriptors had their turn */
	struct fiber *running;
	const char *last_name;
	size_t alive, limit;
	void *stacks[STACKS_KEPT];
	int stack_count;
};

static struct fibers *mine(void)
{
	return *loop_fibers(loop_current());
}

static void print_trace(void)
{
	struct loop *loop = loop_current();
	struct fiber *fiber = loop ? (*loop_fibers(loop))->running : NULL;

	if (!fiber)
		return;
	fprintf(stderr, "in fiber \"%s\"\n", fiber->name);
	for (unsigned i = 0; fiber->trace && i < TRACE_LINES; i++) {
		const char *line = fiber->trace->lines[(fiber->trace->next + i) % TRACE_LINES];

		if (*line)
			fprintf(stderr, "  %s\n", line);
	}
}

struct fibers *fibers_create(void)
{
	struct fibers *fibers = alloc_zeroed(sizeof *fibers);

	list_init(&fibers->all);
	list_init(&fibers->runnable);
	list_init(&fibers->later);
	fibers->limit = LIMIT_DEFAULT;
	fibers->last_name = "none";
	assert_on_failure(print_trace);
	return fibers;
}

static void stack_unmap(void *stack)
{
	munmap((char *)stack - GUARD_BYTES, STACK_BYTES + GUARD_BYTES);
}

void fibers_destroy(struct fibers *fibers)
{
	ASSERT(fibers->alive == 0);
	while (fibers->stack_count > 0)
		stack_unmap(fibers->stacks[--fibers->stack_count]);
	alloc_free(fibers);
}

static void *stack_acquire(struct fibers *fibers)
{
	char *memory;

	if (fibers->stack_count > 0)
		return fibers->stacks[--fibers->stack_count];
	memory = mmap(NULL, STACK_BYTES + GUARD_BYTES, PROT_READ | PROT_WRITE,
	              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
	if (memory == MAP_FAILED)
		return NULL;
	if (mprotect(memory, GUARD_BYTES, PROT_NONE) < 0) {
		munmap(memory, STACK_BYTES + GUARD_BYTES);
		return NULL;
	}
	return memory + GUARD_BYTES;
}

static void stack_release(struct fibers *fibers, void *stack)
{
	if (fibers->stack_count < STACKS_KEPT)
		fibers->stacks[fibers->stack_count++] = stack;
	else
		stack_unmap(stack);
}

static void fiber_main(void *arg)
{
	struct fiber *fiber = arg;

	fiber->run(fiber->arg);
	fiber->is_over = true;
	context_leave(fiber->context, 1);
}

struct fiber *fiber_spawn(void (*run)(void *arg), void *arg, const char *name)
{
	struct fibers *fibers = mine();
	struct fiber *fiber;
	void *stack;

	if (fibers->alive >= fibers->limit || !(stack = stack_acquire(fibers)))
		return NULL;
	fiber = alloc_zeroed(sizeof *fiber);
	fiber->run = run;
	fiber->arg = arg;
	fiber->name = name;
	fiber->stack = stack;
	fiber->context = context_create(stack, STACK_BYTES, fiber_main, fiber);
	fiber->is_cancelled = loop_is_stopping(loop_current());
	list_append(&fibers->all, &fiber->all);
	list_append(&fibers->runnable, &fiber->runnable);
	fibers->alive++;
	return fiber;
}

static void fiber_destroy(struct fibers *fibers, struct fiber *fiber)
{
	list_remove(&fiber->all);
	fibers->alive--;
	context_destroy(fiber->context);
	stack_release(fibers, fiber->stack);
	alloc_free(fiber->trace);
	alloc_free(fiber);
}

void fiber_limit(size_t count)
{
	mine()->limit = count;
}

struct fiber *fiber_self(void)
{
	return loop_current() ? mine()->running : NULL;
}

const char *fiber_name(const struct fiber *fiber)
{
	return fiber->name;
}

size_t fiber_count(void)
{
	return mine()->alive;
}

size_t fibers_alive(const struct fibers *fibers)
{
	return fibers->alive;
}

const char *fibers_last_name(const struct fibers *fibers)
{
	return fibers->last_name;
}

bool fibers_are_runnable(const struct fibers *fibers)
{
	return !list_is_empty(&fibers->runnable) || !list_is_empty(&fibers->later);
}

/* Bounded, so that fibers which wake each other do not keep the loop from its descriptors. */
void fibers_run(struct fibers *fibers)
{
	struct list *node;

	while ((node = list_take_first(&fibers->later)))
		list_append(&fibers->runnable, node);
	for (int i = 0; i < RUNS_PER_TURN && (node = list_take_first(&fibers->runnable)); i++) {
		struct fiber *fiber;

		fiber = CONTAINER_OF(node, struct fiber, runnable);
		fibers->running = fiber;
		fibers->last_name = fiber->name;
		context_enter(fiber->context);
		fibers->running = NULL;
		if (fiber->is_over)
			fiber_destroy(fibers, fiber);
	}
}

static void make_runnable(struct fiber *fiber, enum wake_reason reason)
{
	fiber->reason = reason;
	fiber->is_parked = false;
	list_append(&mine()->runnable, &fiber->runnable);
}

static void deadline_is_over(struct timer *timer)
{
	struct fiber *fiber = CONTAINER_OF(timer, struct fiber, deadline);

	if (fiber->is_parked)
		make_runnable(fiber, WAKE_TIMEOUT);
}

/* Parks until a wake; returns why. */
static enum wake_reason park(struct fiber *fiber, int64_t deadline_us)
{
	enum wake_reason reason;

	if (fiber->reason == WAKE_NONE) {
		fiber->is_parked = true;
		if (deadline_us != CLOCK_NEVER)
			timer_set(&fiber->deadline, deadline_us, deadline_is_over);
		context_leave(fiber->context, 0);
		timer_stop(&fiber->deadline);
	}
	reason = fiber->reason;
	fiber->reason = WAKE_NONE;
	return reason;
}

int fiber_park(int64_t deadline_us)
{
	struct fiber *fiber = fiber_self();
	enum wake_reason reason;

	ASSERT(fiber);
	if (fiber->is_cancelled)
		return ERR_CANCELLED;
	reason = park(fiber, deadline_us);
	if (fiber->is_cancelled)
		return ERR_CANCELLED;
	return reason == WAKE_TIMEOUT ? ERR_TIMEOUT : 0;
}

void fiber_park_always(void)
{
	struct fiber *fiber = fiber_self();

	ASSERT(fiber);
	fiber->is_deaf = true;
	park(fiber, CLOCK_NEVER);
	fiber->is_deaf = false;
}

void fiber_wake(struct fiber *fiber)
{
	if (fiber->is_parked)
		make_runnable(fiber, WAKE_CALLED);
	else
		fiber->reason = WAKE_CALLED;
}

void fiber_yield(void)
{
	struct fiber *fiber = fiber_self();

	list_append(&mine()->later, &fiber->runnable);
	context_leave(fiber->context, 0);
}

void fiber_cancel(struct fiber *fiber)
{
	fiber->is_cancelled = true;
	if (fiber->is_parked && !fiber->is_deaf)
		make_runnable(fiber, WAKE_CANCELLED);
}

void fibers_cancel_all(struct fibers *fibers)
{
	LIST_EACH (node, &fibers->all)
		fiber_cancel(CONTAINER_OF(node, struct fiber, all));
}

int fiber_sleep(int64_t until_us)
{
	int result;

	do {
		result = fiber_park(until_us);
	} while (result == 0); /* woken by somebody who meant another wait */
	return result == ERR_TIMEOUT ? 0 : result;
}

void fiber_trace(char direction, const char *text, size_t len)
{
	struct fiber *fiber = fiber_self();
	char *line;

	if (!fiber)
		return;
	if (!fiber->trace)
		fiber->trace = alloc_zeroed(sizeof *fiber->trace);
	line = fiber->trace->lines[fiber->trace->next];
	fiber->trace->next = (fiber->trace->next + 1) % TRACE_LINES;
	len = MIN(len, TRACE_LINE_LENGTH - 2);
	line[0] = direction;
	line[1] = ' ';
	memcpy(line + 2, text, len);
	line[len + 2] = '\0';
}
