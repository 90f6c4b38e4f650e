/* runtime/loop_own.h - what fibers and streams need from the loop, and nobody else. */
#pragma once
#include "base/heap.h"
#include "base/list.h"
#include "runtime/loop.h"

/* A descriptor's readiness, armed once for both directions; edge-like: events are remembered until
 * they are taken. */
struct poll;
struct poll *poll_open(int fd);
void poll_close(struct poll *poll); /* before the descriptor is closed */

/* poll_wait - parks until the descriptor may be read (or written), or is in error. As fiber_park.
 */
int poll_wait(struct poll *poll, int events, int64_t deadline_us);

/* loop_fibers - the fibers' own state on this loop (fiber.c). */
struct fibers;
struct fibers **loop_fibers(struct loop *loop);
bool loop_is_stopping(const struct loop *loop);

/* In fiber.c, called by loop.c. */
struct fibers *fibers_create(void);
void fibers_destroy(struct fibers *fibers);
void fibers_run(struct fibers *fibers); /* all that are runnable now */
bool fibers_are_runnable(const struct fibers *fibers);
void fibers_cancel_all(struct fibers *fibers);
size_t fibers_alive(const struct fibers *fibers);
const char *fibers_last_name(const struct fibers *fibers);
