/* tests/simulation/world.h - everything around the queue, on a virtual clock: senders, a DNS, mail
 * servers with moods, a spool. It remembers what must be true of each recipient and checks every
 * action against it; the queue sees only events. */
#pragma once
#include "base/random.h"
#include "queue/queue.h"

#define WORLD_DOMAINS    12
#define WORLD_SITES      6
#define WORLD_RECIPIENTS 4
#define WORLD_MESSAGES   4096
#define WORLD_PENDING    1100
#define WORLD_NOTES      64
#define WORLD_RATE       6 /* messages a minute to one site */

enum fate { FATE_LIVE, FATE_DELIVERED, FATE_FAILED, FATE_EXPIRED, FATE_CANCELLED };

struct world_recipient {
	enum fate fate;
	bool is_in_job, is_notice_done;
	bool is_unwritten; /* over before a restart, which may have forgotten it */
};

/* What the spool keeps of a message, and what the world knows. */
struct world_message {
	struct message *message; /* NULL: removed */
	struct buffer state;
	struct world_recipient recipients[WORLD_RECIPIENTS];
};

struct world_job {
	uint64_t job, site;
	uint32_t message, count, recipients[WORLD_RECIPIENTS];
	uint16_t slot;
	bool is_probe;
};

struct world_notice {
	uint64_t number;
	uint32_t message, count, recipients[WORLD_RECIPIENTS];
	enum notice_kind kind;
};

struct world_note {
	uint64_t key;
	struct buffer bytes;
};

struct world {
	const char *name;
	struct random random;
	struct config *config, *other_config; /* the one in force, and the one to change to */
	struct queue *queue;
	struct actions actions;
	int64_t now_us;
	uint64_t event_count;
	uint64_t hash; /* of all actions so far: two runs of one trace have the same */
	uint32_t message_count, live_count;
	struct world_message messages[WORLD_MESSAGES];
	struct world_job jobs[WORLD_PENDING];
	struct world_notice notices[WORLD_PENDING];
	int look_ups[WORLD_DOMAINS]; /* 1: asked */
	uint32_t job_count, notice_count;
	struct world_note notes[WORLD_NOTES];
	struct route *routes[WORLD_SITES];
	int route_of[WORLD_DOMAINS];             /* -1: SERVFAIL, -2: NXDOMAIN, -3: null MX */
	int64_t starts[WORLD_SITES][WORLD_RATE]; /* of the last messages sent there */
	uint64_t start_count[WORLD_SITES];
	int mood[WORLD_SITES]; /* 0: well, 1: down, 2: moody */
	bool is_kind;          /* at the end of a trace: everything works */
};

void world_init(struct world *world, const char *name, uint64_t seed);
void world_deinit(struct world *world);

void world_step(struct world *world, const struct event *event); /* and checks its actions */
void world_advance(struct world *world, int64_t us);             /* with every timer on the way */
void world_do_something(struct world *world);
void world_restart(struct world *world);
void world_check(struct world *world);  /* ledgers, deadlines, counters */
void world_finish(struct world *world); /* time goes on until nothing is queued */
