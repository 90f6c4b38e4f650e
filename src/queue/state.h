/* queue/state.h - what is written of a message when something changed that must survive
 * (docs/formats/state.md). */
#pragma once
#include "base/buffer.h"
#include "queue/final.h"
#include "queue/heart.h"

void state_encode(const struct queue *queue, const struct entry *entry, struct buffer *out);

/* state_decode - fills the entry's recipients, which must be new. False, with the recipients as
 * they were, when the bytes are not such a state. */
bool state_decode(struct bytes in, struct entry *entry);
