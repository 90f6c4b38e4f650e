/* serve/keeper.h - the thread that owns the queue: turns what the other rooms report into events,
 * and carries out the actions that the queue decides. */
#pragma once
#include "base/id.h"
#include "config/config.h"
#include "dns/dns.h"
#include "queue/queue.h"
#include "report/event.h"
#include "serve/vault.h"
#include "serve/worker.h"
#include "spool/spool.h"

struct keeper;
struct trend;

struct keeper_options {
	const struct config *config;
	struct spool *spool;
	int worker_count;
};

/* keeper_create - loads every message of the spool into the queue and starts the thread, which
 * waits for keeper_begin. */
int keeper_create(const struct keeper_options *options, struct keeper **keeper_out,
                  struct err *err);

/* keeper_id_floor - the highest id that the spool held: new ids have to be above. */
uint64_t keeper_id_floor(const struct keeper *keeper);

/* keeper_begin - lets it deliver, with these workers (worker_count of them; they outlive its
 * thread). */
void keeper_begin(struct keeper *keeper, struct worker **workers);

/* Reports, from any thread. What is posted is handed over. */
void keeper_post_added(struct keeper *keeper, struct message *message);
void keeper_post_done(struct keeper *keeper, struct job *job);
void keeper_post_route(struct keeper *keeper, struct bytes domain,
                       const struct dns_route_answer *answer);
void keeper_post_reload(struct keeper *keeper, const struct config *config);

/* keeper_ask - runs `run(arg, queue)` on the keeper's thread and waits for it. What `run` appends
 * to `actions` is carried out. Blocks: never from a loop's thread. */
void keeper_ask(struct keeper *keeper,
                void (*run)(void *arg, struct queue *queue, struct actions *actions), void *arg);

/* keeper_vault - the vault; for use within `run` of keeper_ask only. */
struct vault *keeper_vault(struct keeper *keeper);

/* keeper_config - the configuration in force; for use within `run` of keeper_ask only. */
const struct config *keeper_config(const struct keeper *keeper);

/* keeper_trend - how the queue went; for use within `run` of keeper_ask only. */
struct trend *keeper_trend(struct keeper *keeper);

/* keeper_drop - takes a message out of the vault, for good; within keeper_ask only. */
void keeper_drop(struct keeper *keeper, uint64_t id);

/* keeper_new_id - for a message that is made here. Blocks, as keeper_ask. */
uint64_t keeper_new_id(struct keeper *keeper);

/* keeper_mailbox - of its thread: the home of errands. */
struct mailbox *keeper_mailbox(const struct keeper *keeper);

/* keeper_log_operation - what an operator did, into the event log. Any thread. */
void keeper_log_operation(struct keeper *keeper, const struct operation_entry *entry);
void keeper_log_alarm(struct keeper *keeper, const struct alarm_entry *entry);

/* keeper_drain - no further jobs begin; waits until those under way have come back. */
void keeper_drain(struct keeper *keeper);

/* keeper_destroy - stops the thread, writes what is to be written, and frees it. Takes NULL. */
void keeper_destroy(struct keeper *keeper);
