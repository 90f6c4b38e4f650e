/* serve/keeper_own.h - the keeper for the files that it is made of: keeper.c and notices.c. All on
 * its own thread. */
#pragma once
#include "base/list.h"
#include "serve/digests.h"
#include "serve/keeper.h"
#include "serve/notices.h"

struct keeper {
	struct thread *thread;
	const struct config *config;
	struct spool *spool;
	struct queue *queue;
	struct worker **workers;
	int worker_count;
	struct event_log *log;
	struct vault *vault;
	struct timer vault_timer;
	struct trend *trend;
	struct cache *cache; /* messages just accepted, until their first attempt */
	struct actions actions;
	struct timer timer;
	struct id_maker ids;
	struct notices *notices;
	struct digests *digests;
	struct list jobs; /* that are out */
	size_t jobs_out;
	struct wait *drain; /* whoever waits for jobs_out to become 0 */
	uint64_t id_floor;
	uint32_t next_worker; /* for look-ups */
	bool is_draining;
	const struct message *current; /* the message that the running step is about: for the log */
};

/* keeper_step - the event, and all that the queue decides. Steps never nest: whatever an action
 * begins answers by mail. */
void keeper_step(struct keeper *keeper, const struct event *event);

/* keeper_job_is_done - what it met goes to the queue and into the history; frees the job. */
void keeper_job_is_done(struct keeper *keeper, struct job *job);

/* keeper_end_drain - once all that was under way is over, whoever waits for that goes on. */
void keeper_end_drain(struct keeper *keeper);
