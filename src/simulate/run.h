/* simulate/run.h - one policy against one world, on a virtual clock: the clock, the other side, and
 * what became of each mail. At the end every mail that was accepted is delivered, failed, expired
 * or still queued. */
#pragma once
#include "base/heap.h"
#include "simulate/net.h"

#define RUN_SAMPLE_US (10LL * 60 * 1000000) /* the queue's length is noted so often */

enum fate { FATE_QUEUED, FATE_DELIVERED, FATE_FAILED, FATE_EXPIRED };

/* What is under way: an attempt, a look-up, or anything else that a policy waits for. */
struct pending {
	struct heap_node timer;
	struct pending *next_free;
	struct net_answer answer; /* of an attempt */
	uint64_t tag;             /* the policy's own */
	uint32_t mail;
	uint8_t kind; /* the policy's own */
	bool is_attempt;
};

struct run;

/* A policy: what decides when each mail is tried. */
struct policy {
	const char *name;
	void *(*create)(struct run *run, const void *settings);
	void (*destroy)(void *self);
	void (*accept)(void *self, uint32_t mail);
	void (*finish)(void *self, const struct pending *pending); /* what was under way is over */
	void (*tick)(void *self);                                  /* a timer of its own is due */
	int64_t (*next_us)(const void *self); /* when the next one is; INT64_MAX: none */
};

struct run_result {
	const char *policy;
	uint64_t accepted, delivered, failed, expired, queued;
	uint64_t wasted; /* expired although a host was up for ten minutes or longer meanwhile */
	struct net_counts counts;
	uint64_t steps;
	int64_t ended_us;
	double delay_mean_s, delay_50_s, delay_95_s, delay_99_s; /* of what was delivered */
	uint64_t recovered; /* delivered after a downtime that they waited for */
	double recovery_mean_s, recovery_95_s;
	uint32_t *samples; /* the queue's length each RUN_SAMPLE_US */
	size_t sample_count;
};

/* run_policy - does all of it. run_result_deinit the result. */
struct run_result run_policy(const struct scene *scene, const struct policy *policy,
                             const void *settings);
void run_result_deinit(struct run_result *result);

/* For policies. */
const struct scene *run_scene(const struct run *run);
struct net *run_net(struct run *run);
int64_t run_now_us(const struct run *run);

/* run_try - begins an attempt; policy->finish gets it with `tag` and `kind`. */
void run_try(struct run *run, const struct net_try *attempt, uint64_t tag, uint8_t kind);

/* run_wait - policy->finish gets it after `us`. */
void run_wait(struct run *run, int64_t us, uint32_t mail, uint64_t tag, uint8_t kind);

/* run_settle - a mail's fate; it may be told once, and not FATE_QUEUED. */
void run_settle(struct run *run, uint32_t mail, enum fate fate);
enum fate run_fate(const struct run *run, uint32_t mail);
