/* serve/worker.h - one thread that runs the sessions of clients (receive/) and those with remote
 * servers (deliver/). Jobs come from the keeper's thread and go back to it. */
#pragma once
#include "base/id.h"
#include "base/list.h"
#include "config/config.h"
#include "deliver/deliver.h"
#include "model/attempt.h"
#include "queue/action.h"
#include "receive/receive.h"
#include "runtime/budget.h"
#include "runtime/thread.h"
#include "serve/job.h"
#include "spool/spool.h"

struct keeper;

/* What a worker is built from; all of it outlives the worker. */
struct worker_options {
	const struct config *config;
	struct spool *spool;
	struct resolver *resolver;
	struct budget *budget;
	struct keeper *keeper;
	const struct worker *first; /* NULL for the first itself */
	int number;                 /* 0 .. worker count - 1: also its maker in ids */
	uint64_t id_floor;          /* ids it makes are above */
};

/* worker_start - starts the thread and opens its listeners. */
int worker_start(const struct worker_options *options, struct worker **worker_out, struct err *err);

/* worker_post_job - to be called by the keeper: the job comes back by keeper_post_done. */
void worker_post_job(struct worker *worker, struct job *job);

/* worker_post_look_up - to be called by the keeper: the answer comes back by keeper_post_route. */
void worker_post_look_up(struct worker *worker, struct bytes domain);

/* worker_post_reload - the worker takes the configuration, of which it gets a reference of its own.
 */
void worker_post_reload(struct worker *worker, const struct config *config);

/* worker_post_stop - no new sessions; idle ones are told 421; deliveries under way go on. */
void worker_post_stop(struct worker *worker);

/* worker_join - ends what is still going on, and frees the worker. Takes NULL. */
void worker_join(struct worker *worker);

/* worker_stats - asks the worker's thread; blocks the caller, which must not be a loop's thread. */
struct worker_stats {
	struct receiver_stats receiver;
	struct deliverer_stats deliverer;
	size_t fibers;
};
void worker_stats(struct worker *worker, struct worker_stats *stats_out);

/* worker_address - where its n-th listener listens; NULL beyond the last. */
const struct address *worker_address(const struct worker *worker, int n);
