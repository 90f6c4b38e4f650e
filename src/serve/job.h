/* serve/job.h - a delivery under way, and what its message met so far. */
#pragma once
#include "base/list.h"
#include "model/attempt.h"
#include "queue/action.h"
#include "runtime/mailbox.h"
#include "spool/spool.h"

struct keeper;
struct worker;

/* A delivery under way. The keeper makes it, the worker carries it out, the keeper frees it. */
struct job {
	struct mail mail;
	struct spool_read read;
	struct worker *worker;
	struct keeper *keeper;
	struct action_deliver action; /* recipients and route are the job's own */
	struct message *message;      /* NULL until it was read */
	struct history history;
	struct history others; /* attempts of the same message's other jobs meanwhile */
	struct list node;      /* among the keeper's jobs that are out */
	struct outcome *outcomes;
	int64_t idle_us;
	int messages_per_connection;
	bool was_attempted;
	bool next_hop_has_dsn;
};

/* job_create - with copies of what the action points to; takes over `message`, which may be NULL.
 */
struct job *job_create(const struct action_deliver *action, struct message *message);
void job_destroy(struct job *job);

/* job_add_attempts - puts what came of it into its history, and into that of other jobs of the same
 * message among `jobs`: what is on disk is replaced as a whole. Returns whether the history is
 * worth keeping, which it is unless the job was the message's happy end. */
bool job_add_attempts(struct job *job, struct list *jobs, int64_t now_us);
