/* serve/wait.h - how a thread without a loop (main, the HTTP server's) waits for another thread's
 * answer. */
#pragma once
#include "runtime/mailbox.h"
#include <semaphore.h>

struct wait {
	struct mail mail;
	sem_t answered;
};

/* wait_for - posts the wait to `mailbox`, where `deliver` runs, and blocks until wait_answer. */
void wait_for(struct wait *wait, struct mailbox *mailbox, void (*deliver)(struct mail *mail));
void wait_answer(struct wait *wait);
