/* queue/job.h - deliveries under way: which message goes to which slot, and what came of it. */
#pragma once
#include "queue/heart.h"

struct site;

struct job {
	struct hash_node by_number; /* its hash is the number */
	struct site *site;
	struct destination *destination;
	struct entry *entry;
	uint32_t slot, count;
	int64_t began_us;
	bool is_probe;
	uint16_t recipients[]; /* indices in the message */
};

/* job_start_all - gives work to every site that may take some, in turns. */
void job_start_all(struct queue *queue);
void job_finish(struct queue *queue, const struct event_job_done *done);
void job_destroy_all(struct queue *queue);
