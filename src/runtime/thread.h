/* runtime/thread.h - a thread with a loop of its own, and what waits for an answer of another
 * thread. */
#pragma once
#include "base/err.h"
#include "base/macros.h"
#include "runtime/loop.h"

struct thread;

/* thread_start - starts a thread that creates a loop, calls `begin(arg)` on it, and runs it.
 * Returns when the loop exists. */
int thread_start(const char *name, void (*begin)(void *arg), void *arg, struct thread **thread_out,
                 struct err *err);
struct loop *thread_loop(struct thread *thread);
struct mailbox *thread_mailbox(struct thread *thread);

/* thread_stop - posts a loop_stop to the thread, waits until it has ended, and frees it. Takes
 * NULL. */
void thread_stop(struct thread *thread);

/* struct call - a question to another thread, asked by a fiber that parks until the answer is
 * there. Embed it as the first member; `handle` runs on the other thread and must lead, then or
 * later, to one `call_answer`, from any thread. */
struct call {
	struct mail mail;
	struct mailbox *home;
	struct fiber *fiber;
	void (*handle)(struct call *call);
	int is_answered;
};

/* call_make - posts the call and parks until it is answered. It waits however long that takes, and
 * is not cancelled: the answering side sees to its own deadline, so that `call` may live on the
 * caller's stack. PARKS */
PARKS void call_make(struct call *call, struct mailbox *to, void (*handle)(struct call *call));
void call_answer(struct call *call);

/* work_run - runs `run(arg)` on a thread of the pool (for what blocks: file system, password
 * hashes), parks until it has ended. PARKS */
PARKS void work_run(void (*run)(void *arg), void *arg);
