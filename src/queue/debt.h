/* queue/debt.h - notices that people are owed: asked for, and asked for again until they are on
 * disk. */
#pragma once
#include "queue/heart.h"

/* debt_add - the recipient is over and its sender has to hear of it. */
void debt_add(struct queue *queue, struct recipient *recipient);

/* debt_ask_delay - asks for one delay notice for all recipients of the entry whose time has come.
 * False: too many notices are under way, try again later. */
bool debt_ask_delay(struct queue *queue, struct entry *entry);

/* debt_preview - the delay notice as it would be if it were due now for all who wait; asks for
 * nothing. What it points to is in the arena. */
void debt_preview(struct queue *queue, struct entry *entry, struct arena *arena,
                  struct notice *notice_out);

void debt_ask_final(struct queue *queue); /* as many as may be under way */
void debt_take_answer(struct queue *queue, uint64_t number, bool is_done);
void debt_run_timers(struct queue *queue);
void debt_destroy_all(struct queue *queue);
