/* runtime/mailbox.h - how threads talk: many senders, one receiver, no lock. The receiver's loop is
 * woken once per batch; it takes all that is there, in the order in which it was posted. */
#pragma once
#include "base/macros.h"

/* struct mail - embedded in whatever is sent. Who posts it hands it over: the receiver calls
 * `deliver` on its own thread, once, and owns the mail from then on. */
struct mail {
	struct mail *next;
	void (*deliver)(struct mail *mail);
};

struct mailbox;

/* mailbox_post - may be called by any thread, in fibers or not; never blocks, never parks. Posting
 * to a mailbox whose loop has ended is a bug. */
void mailbox_post(struct mailbox *mailbox, struct mail *mail);
