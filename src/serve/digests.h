/* serve/digests.h - delay notices that are collected: after one to a sender about a domain went
 * out, those that follow within `delay_digest` go out as one message. What is collected is kept as
 * notes in the spool. Keeper's thread only. */
#pragma once
#include "base/bytes.h"
#include "model/message.h"
#include "model/notice.h"

#define DIGESTS_MAX 10000 /* senders and domains at once; beyond it nothing is collected */

struct digests;
struct keeper;

struct digests *digests_create(struct keeper *keeper);
void digests_destroy(struct digests *digests); /* takes NULL */

/* digests_load - a note of the spool; false: it is none of ours. */
bool digests_load(struct digests *digests, uint64_t key, struct bytes note);
void digests_begin(struct digests *digests); /* on the keeper's loop */

/* digests_collect - a delay notice about `message` that could go out now: true if it is collected
 * instead. Otherwise those that follow will be. Never where the sender asked for it (NOTIFY=DELAY),
 * or when the recipients have several domains. */
bool digests_collect(struct digests *digests, const struct notice *notice,
                     const struct message *message);

/* digests_forget - the message, which is delivered now, waits in a collection: it goes from there,
 * and its sender heard nothing of a delay. False: that was told, or is being told. */
bool digests_forget(struct digests *digests, const struct notice *notice,
                    const struct message *message);

/* digests_busy - how many are being made. */
int digests_busy(const struct digests *digests);
