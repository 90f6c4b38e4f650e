/* runtime/fiber.h - a conversation that reads like the RFC: a function with a stack of its own that
 * parks while it waits. Pinned to the thread that spawned it. Stacks come from a pool: 64 KiB of
 * address space, guard page. */
#pragma once
#include "base/err.h"
#include "base/macros.h"
#include <stddef.h>
#include <stdint.h>

struct fiber;

/* fiber_spawn - runs `run(arg)` in a new fiber of this thread's loop, beginning at its next turn.
 * `name` is kept by pointer (a literal). Returns the fiber, valid until `run` returns; NULL if the
 * limit is reached (see fiber_limit) or no stack could be had: the caller refuses its client. */
struct fiber *fiber_spawn(void (*run)(void *arg), void *arg, const char *name);

/* fiber_limit - at most `count` fibers on this thread's loop (default 100,000). */
void fiber_limit(size_t count);

struct fiber *fiber_self(void); /* NULL outside fibers */
const char *fiber_name(const struct fiber *fiber);
size_t fiber_count(void); /* alive on this thread */

/* fiber_park - waits for fiber_wake. Returns 0 when woken (also by a wake that came before),
 * ERR_TIMEOUT at `deadline_us`, ERR_CANCELLED when cancelled. PARKS */
PARKS int fiber_park(int64_t deadline_us);

/* fiber_park_always - waits for fiber_wake, however long, and even when cancelled (the cancellation
 * stays pending): for answers that must be known, as that of a sync. PARKS */
PARKS void fiber_park_always(void);

/* fiber_wake - lets a parked fiber of this thread run at this turn's end; one that is not parked
 * will not park the next time. */
void fiber_wake(struct fiber *fiber);

/* fiber_cancel - from now on every parked or parking call of that fiber returns ERR_CANCELLED. */
void fiber_cancel(struct fiber *fiber);

/* fiber_yield - lets the others run, and goes on at once after them. PARKS */
PARKS void fiber_yield(void);

/* fiber_sleep - 0 at `until_us`, or ERR_CANCELLED. PARKS */
PARKS int fiber_sleep(int64_t until_us);

/* fiber_trace - remembers a protocol line (cut at 120 bytes) among the last 10, for assert_fail and
 * the debugger. */
void fiber_trace(char direction, const char *text, size_t len);
