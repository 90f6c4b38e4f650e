/* runtime/mailbox_own.h - the receiver's side of a mailbox: for loop.c. */
#pragma once
#include "runtime/mailbox.h"
#include <stdatomic.h>

/* A stack that senders push to and the receiver takes whole. `wake` is called by the sender that
 * found it empty. */
struct mailbox {
	_Atomic(struct mail *) first;
	void (*wake)(void *arg);
	void *arg;
};

/* mailbox_take_all - delivers all that is there, oldest first. Returns how many. */
int mailbox_take_all(struct mailbox *mailbox);
