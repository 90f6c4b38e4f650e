/* runtime/context.h - switching between stacks: three functions, two implementations
 * (Boost.Context's plain C symbols; glibc's ucontext with -DOUTLAST_UCONTEXT). Sanitizers are told
 * of every switch. */
#pragma once
#include <stddef.h>

struct context;

/* context_create - a context that will run `run(arg)` on the given stack when it is first switched
 * to; `run` must not return but switch away for good (context_leave). */
struct context *context_create(void *stack, size_t stack_bytes, void (*run)(void *arg), void *arg);

/* context_enter - runs the context until it leaves; called on a thread's own stack only. */
void context_enter(struct context *context);

/* context_leave - back to where context_enter was called. `is_final`: the context will not run
 * again, and may be freed. */
void context_leave(struct context *context, int is_final);

void context_destroy(struct context *context); /* its stack is the caller's */
