#include "runtime/thread.h"
#include "base/alloc.h"
#include "base/assert.h"
#include "runtime/fiber.h"
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <string.h>

struct thread {
	pthread_t handle;
	const char *name;
	void (*begin)(void *arg);
	void *arg;
	struct loop *loop;
	sem_t started;
	struct err err;
	struct mail stop;
};

static void wait_for(sem_t *semaphore)
{
	while (sem_wait(semaphore) < 0 && errno == EINTR)
		;
}

static void *thread_main(void *arg)
{
	struct thread *thread = arg;
	struct loop *loop;
	int result = loop_create(&thread->loop, &thread->err);

	pthread_setname_np(pthread_self(), thread->name);
	loop = thread->loop;
	if (result == 0 && thread->begin)
		thread->begin(thread->arg);
	sem_post(&thread->started);
	if (result < 0)
		return NULL;
	loop_run(loop);
	loop_destroy(loop);
	return NULL;
}

/* Signals are for the main thread: every other one is born with all of them blocked. */
static int create_blocked(struct thread *thread)
{
	sigset_t all, before;
	int result;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	result = pthread_create(&thread->handle, NULL, thread_main, thread);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return result;
}

int thread_start(const char *name, void (*begin)(void *arg), void *arg, struct thread **thread_out,
                 struct err *err)
{
	struct thread *thread = alloc_zeroed(sizeof *thread);
	int result;

	thread->name = name;
	thread->begin = begin;
	thread->arg = arg;
	sem_init(&thread->started, 0, 0);
	result = create_blocked(thread);
	if (result != 0) {
		sem_destroy(&thread->started);
		alloc_free(thread);
		return err_set(err, ERR_SYSTEM, "start thread %s: %s", name, strerror(result));
	}
	wait_for(&thread->started);
	if (!thread->loop) {
		pthread_join(thread->handle, NULL);
		err_set(err, thread->err.code, "thread %s: %.150s", name, thread->err.text);
		sem_destroy(&thread->started);
		alloc_free(thread);
		return err ? (int)err->code : ERR_SYSTEM;
	}
	*thread_out = thread;
	return 0;
}

struct loop *thread_loop(struct thread *thread)
{
	return thread->loop;
}

struct mailbox *thread_mailbox(struct thread *thread)
{
	return loop_mailbox(thread->loop);
}

static void stop_arrives(struct mail *mail)
{
	(void)mail;
	loop_stop(loop_current());
}

void thread_stop(struct thread *thread)
{
	if (!thread)
		return;
	thread->stop.deliver = stop_arrives;
	mailbox_post(thread_mailbox(thread), &thread->stop);
	pthread_join(thread->handle, NULL);
	sem_destroy(&thread->started);
	alloc_free(thread);
}

static void call_arrives(struct mail *mail)
{
	struct call *call = CONTAINER_OF(mail, struct call, mail);

	call->handle(call);
}

static void answer_arrives(struct mail *mail)
{
	struct call *call = CONTAINER_OF(mail, struct call, mail);

	call->is_answered = 1;
	fiber_wake(call->fiber);
}

void call_make(struct call *call, struct mailbox *to, void (*handle)(struct call *call))
{
	call->home = loop_mailbox(loop_current());
	call->fiber = fiber_self();
	call->handle = handle;
	call->is_answered = 0;
	call->mail.deliver = call_arrives;
	mailbox_post(to, &call->mail);
	while (!call->is_answered)
		fiber_park_always();
}

void call_answer(struct call *call)
{
	call->mail.deliver = answer_arrives;
	mailbox_post(call->home, &call->mail);
}
