/* queue/recipient.h - what can become of a recipient. Every change goes through here, so that its
 * time is booked, its timers set and the counters right. */
#pragma once
#include "queue/heart.h"
#include "queue/schedule.h"

static inline bool recipient_is_ready(const struct recipient *recipient)
{
	return recipient->state == RECIPIENT_QUEUED && !list_is_empty(&recipient->node);
}

static inline bool recipient_is_final(const struct recipient *recipient)
{
	return recipient->state != RECIPIENT_QUEUED && recipient->state != RECIPIENT_DELIVERING &&
	       recipient->state != RECIPIENT_HELD;
}

struct entry *recipient_entry(const struct queue *queue, const struct recipient *recipient);
struct schedule recipient_schedule(const struct queue *queue, const struct recipient *recipient);
bool recipient_is_late(const struct queue *queue, const struct recipient *recipient);

/* recipient_cause - why it waits now. */
enum cause recipient_cause(const struct recipient *recipient);

/* recipient_tally - its ledger up to now, without changing anything; tally_deinit the copy. */
struct tally recipient_tally(const struct queue *queue, const struct recipient *recipient);

/* recipient_enter - counts it in, in the state it has been given; for one that is new or loaded. */
void recipient_enter(struct queue *queue, struct recipient *recipient);

void recipient_make_ready(struct queue *queue, struct recipient *recipient);

/* recipient_wait - until `next_us` of its own schedule (INT64_MAX: there is no further attempt). */
void recipient_wait(struct queue *queue, struct recipient *recipient, int64_t next_us);
void recipient_begin_delivery(struct queue *queue, struct recipient *recipient);
void recipient_hold(struct queue *queue, struct recipient *recipient);
void recipient_release(struct queue *queue, struct recipient *recipient);

/* recipient_finish - delivered, failed, expired or cancelled; `outcome` may be NULL. */
void recipient_finish(struct queue *queue, struct recipient *recipient, enum recipient_state state,
                      const struct outcome *outcome);

/* recipient_give_up - finishes it without an attempt, and settles its entry. While its notice is
 * not on disk, neither is this: after a restart it is found out again. */
void recipient_give_up(struct queue *queue, struct recipient *recipient,
                       enum recipient_state state);

/* recipient_take_result - what one attempt came to. */
void recipient_take_result(struct queue *queue, struct recipient *recipient,
                           const struct outcome *outcome);

/* recipient_take_back - nothing was tried, for a reason of our own: again at `next_us`. */
void recipient_take_back(struct queue *queue, struct recipient *recipient, int64_t next_us);

/* recipient_forget_debt - its failure notice is on disk, or not wanted any more. */
void recipient_forget_debt(struct queue *queue, struct recipient *recipient);

/* recipient_waits_for_release - for the time that its sender set (RFC 4865). */
bool recipient_waits_for_release(const struct recipient *recipient);

/* recipient_reconsider - its deadline is another one now: for its next attempt, its place and its
 * timer. recipient_extend - sets by how much the deadline is later than the lifetime says. */
void recipient_reconsider(struct queue *queue, struct recipient *recipient);
void recipient_extend(struct queue *queue, struct recipient *recipient, int64_t extension_us);
void recipient_arm(struct queue *queue, struct recipient *recipient);
void recipient_run_timers(struct queue *queue);

/* recipient_log - fills an entry of the event log. */
struct log_entry *recipient_log(struct queue *queue, enum log_kind kind,
                                const struct recipient *recipient);

/* entry_settle - removes the entry when nothing is left of it; else writes its state if it is to.
 */
enum entry_change { ENTRY_UNCHANGED, ENTRY_CHANGED };
void entry_settle(struct queue *queue, struct entry *entry, enum entry_change change);
