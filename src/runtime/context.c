#include "runtime/context.h"
#include "base/alloc.h"
#include "base/assert.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#endif
#if defined(__SANITIZE_THREAD__)
#include <sanitizer/tsan_interface.h>
#endif
#if defined(OUTLAST_UCONTEXT)
#include <stdint.h>
#include <ucontext.h>
#else
typedef void *fcontext_t;
typedef struct {
	fcontext_t from;
	void *data;
} transfer_t;

/* The C symbols of libboost_context.a; its headers are C++. */
fcontext_t make_fcontext(void *stack_top, size_t size, void (*run)(transfer_t));
transfer_t jump_fcontext(fcontext_t to, void *data);
#endif

struct context {
	void (*run)(void *arg);
	void *arg;
	void *stack;
	size_t stack_bytes;
#if defined(OUTLAST_UCONTEXT)
	ucontext_t own, home;
#else
	fcontext_t own, home;
#endif
#if defined(__SANITIZE_ADDRESS__)
	void *fake_own, *fake_home;
	const void *home_stack;
	size_t home_stack_bytes;
#endif
#if defined(__SANITIZE_THREAD__)
	void *tsan_own, *tsan_home;
#endif
};

static void before_enter(struct context *context)
{
#if defined(__SANITIZE_ADDRESS__)
	__sanitizer_start_switch_fiber(&context->fake_home, context->stack, context->stack_bytes);
#endif
#if defined(__SANITIZE_THREAD__)
	context->tsan_home = __tsan_get_current_fiber();
	__tsan_switch_to_fiber(context->tsan_own, 0);
#endif
	(void)context;
}

static void after_enter(struct context *context)
{
#if defined(__SANITIZE_ADDRESS__)
	__sanitizer_finish_switch_fiber(context->fake_own, &context->home_stack,
	                                &context->home_stack_bytes);
#endif
	(void)context;
}

static void before_leave(struct context *context, int is_final)
{
#if defined(__SANITIZE_ADDRESS__)
	__sanitizer_start_switch_fiber(is_final ? NULL : &context->fake_own, context->home_stack,
	                               context->home_stack_bytes);
#endif
#if defined(__SANITIZE_THREAD__)
	__tsan_switch_to_fiber(context->tsan_home, 0);
#endif
	(void)context;
	(void)is_final;
}

static void after_leave(struct context *context)
{
#if defined(__SANITIZE_ADDRESS__)
	__sanitizer_finish_switch_fiber(context->fake_home, NULL, NULL);
#endif
	(void)context;
}

_Noreturn static void begin(struct context *context)
{
	after_enter(context);
	context->run(context->arg);
	BUG("a context returned");
}

#if defined(OUTLAST_UCONTEXT)

/* makecontext passes ints: the pointer goes in two halves. */
static void trampoline(unsigned high, unsigned low)
{
	begin((struct context *)(((uintptr_t)high << 32) | low));
}

static void prepare(struct context *context)
{
	uintptr_t self = (uintptr_t)context;

	getcontext(&context->own);
	context->own.uc_stack.ss_sp = context->stack;
	context->own.uc_stack.ss_size = context->stack_bytes;
	context->own.uc_link = NULL;
	makecontext(&context->own, (void (*)(void))trampoline, 2, (unsigned)(self >> 32),
	            (unsigned)(self & UINT32_MAX));
}

static void jump_in(struct context *context)
{
	swapcontext(&context->home, &context->own);
}

static void jump_out(struct context *context)
{
	swapcontext(&context->own, &context->home);
}

#else

static void trampoline(transfer_t transfer)
{
	struct context *context = transfer.data;

	context->home = transfer.from;
	begin(context);
}

static void prepare(struct context *context)
{
	context->own = make_fcontext((char *)context->stack + context->stack_bytes,
	                             context->stack_bytes, trampoline);
}

static void jump_in(struct context *context)
{
	context->own = jump_fcontext(context->own, context).from;
}

static void jump_out(struct context *context)
{
	context->home = jump_fcontext(context->home, NULL).from;
}

#endif

struct context *context_create(void *stack, size_t stack_bytes, void (*run)(void *arg), void *arg)
{
	struct context *context = alloc_zeroed(sizeof *context);

	context->run = run;
	context->arg = arg;
	context->stack = stack;
	context->stack_bytes = stack_bytes;
#if defined(__SANITIZE_THREAD__)
	context->tsan_own = __tsan_create_fiber(0);
#endif
	prepare(context);
	return context;
}

void context_enter(struct context *context)
{
	before_enter(context);
	jump_in(context);
	after_leave(context);
}

void context_leave(struct context *context, int is_final)
{
	before_leave(context, is_final);
	jump_out(context);
	after_enter(context);
}

void context_destroy(struct context *context)
{
#if defined(__SANITIZE_THREAD__)
	__tsan_destroy_fiber(context->tsan_own);
#endif
	alloc_free(context);
}
