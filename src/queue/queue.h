/* queue/queue.h - the heart: what is tried when. A pure state machine: no I/O, no clock, no
 * threads, no allocation failure. `queue_step(queue, event, now, actions)` is all that ever changes
 * it; the same events at the same times with the same seed give the same actions. So the daemon,
 * the simulation and the property tests run the same code.
 *
 * Two levels, kept apart. What concerns the site (cannot connect, greeting 421, DNS fails) closes
 * the site; its messages stay ready and cost nothing. What concerns a recipient or message sets
 * that recipient's own next time from its schedule. */
#pragma once
#include "config/config.h"
#include "model/message.h"
#include "model/outcome.h"
#include "model/route.h"
#include "queue/action.h"
#include "queue/event.h"
#include "queue/view.h"

/* queue_create - `seed` feeds the jitter; `worker_count` slots' workers are numbered
 * 0..worker_count-1. Holds a reference to the config. */
struct queue *queue_create(const struct config *config, int worker_count, uint64_t seed);
void queue_destroy(struct queue *queue); /* takes NULL */

/* queue_step - one event at `now_us` (never below an earlier one: smaller values are taken as the
 * latest). Appends to `actions`, in the order in which they must be carried out. Also handles every
 * timer that is due. */
void queue_step(struct queue *queue, const struct event *event, int64_t now_us,
                struct actions *actions);

/* queue_next_us - when the next timer is due: call queue_step with EVENT_TIME then. INT64_MAX:
 * none. */
int64_t queue_next_us(const struct queue *queue);

size_t queue_count(const struct queue *queue); /* messages */
size_t queue_memory_bytes(
	const struct queue *queue); /* what messages and recipients take, without sites */
