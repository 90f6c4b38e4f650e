/* runtime/loop.h - one event loop per thread: readiness, timers, a mailbox, and the fibers that run
 * on it. The only file that knows libuv is loop.c. */
#pragma once
#include "base/err.h"
#include "base/heap.h"
#include "runtime/clock.h"
#include "runtime/mailbox.h"
#include <stdbool.h>
#include <stdint.h>

struct loop;

/* loop_create - a loop for the calling thread (at most one per thread). Fails with ERR_SYSTEM. */
int loop_create(struct loop **loop_out, struct err *err);
void loop_destroy(struct loop *loop); /* after loop_run; every fiber must have ended */

/* loop_run - runs until `loop_stop` was called and no fiber is left. */
void loop_run(struct loop *loop);

/* loop_stop - cancels every fiber (each parked call returns ERR_CANCELLED) and lets `loop_run`
 * return. Own thread. */
void loop_stop(struct loop *loop);

struct loop *loop_current(void); /* the calling thread's loop, or NULL */
struct mailbox *loop_mailbox(
	struct loop *loop); /* may be used by any thread while the loop lives */

/* A timer calls `run` once at `at_us` (clock_now_us's scale), from the loop, never from within
 * timer_set. Setting it again moves it. Embedded; zero it before first use; stop it before it is
 * freed. */
struct timer {
	void (*run)(struct timer *timer);
	struct loop *loop;
	struct heap_node node;
	bool is_set;
};
void timer_set(struct timer *timer, int64_t at_us, void (*run)(struct timer *timer));
void timer_stop(struct timer *timer);

/* A watch calls `run` on readiness of `fd` while it is started. For foreign libraries that bring
 * their own descriptors (libcurl, libunbound); streams have their own. */
enum watch_for { WATCH_READ = 1, WATCH_WRITE = 2 };
struct watch;
struct watch *watch_start(int fd, int events, void (*run)(void *arg, int events), void *arg);
void watch_change(struct watch *watch, int events);
void watch_stop(struct watch *watch); /* frees it; the descriptor stays open; takes NULL */

/* Called after each turn's events were handled and before the loop waits again (for batching what a
 * turn produced). At most 4 per loop. */
void loop_after_turn(struct loop *loop, void (*run)(void *arg), void *arg);

/* Signals: `run` is called from the loop (main thread's loop only). */
void loop_on_signal(struct loop *loop, int signal_number, void (*run)(void *arg, int signal_number),
                    void *arg);
