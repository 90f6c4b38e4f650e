#include "base/alloc.h"
#include "runtime/fiber.h"
#include "runtime/thread.h"
#include "support/check.h"
#include <pthread.h>

#define SENDERS      4
#define MAILS_OF_ONE 50000

struct numbered {
	struct mail mail;
	int sender, number;
};

static int next_of[SENDERS], received;
static struct mailbox *home;

static void take(struct mail *mail)
{
	struct numbered *numbered = CONTAINER_OF(mail, struct numbered, mail);

	CHECK_INT("in order", numbered->number, next_of[numbered->sender]++);
	alloc_free(numbered);
	if (++received == SENDERS * MAILS_OF_ONE)
		loop_stop(loop_current());
}

static void *send_all(void *arg)
{
	for (int i = 0; i < MAILS_OF_ONE; i++) {
		struct numbered *numbered = alloc_zeroed(sizeof *numbered);

		numbered->sender = *(int *)arg;
		numbered->number = i;
		numbered->mail.deliver = take;
		mailbox_post(home, &numbered->mail);
	}
	return NULL;
}

static void test_each_senders_order_is_kept(void)
{
	static int names[SENDERS] = { 0, 1, 2, 3 };
	pthread_t threads[SENDERS];
	struct loop *loop;
	struct err err;

	CHECK_INT("loop", loop_create(&loop, &err), 0);
	home = loop_mailbox(loop);
	for (int i = 0; i < SENDERS; i++)
		pthread_create(&threads[i], NULL, send_all, &names[i]);
	loop_run(loop);
	for (int i = 0; i < SENDERS; i++)
		pthread_join(threads[i], NULL);
	CHECK_INT("all", received, SENDERS * MAILS_OF_ONE);
	loop_destroy(loop);
}

struct doubling {
	struct call call;
	int value;
};

static struct thread *other;

static void double_it(struct call *call)
{
	CONTAINER_OF(call, struct doubling, call)->value *= 2;
	call_answer(call);
}

static void set_nine(void *arg)
{
	*(int *)arg = 9;
}

static void ask(void *arg)
{
	struct doubling doubling = { .value = 21 };
	int value = 0;

	(void)arg;
	call_make(&doubling.call, thread_mailbox(other), double_it);
	CHECK_INT("answered", doubling.value, 42);
	work_run(set_nine, &value);
	CHECK_INT("worked", value, 9);
	loop_stop(loop_current());
}

static void test_calls_and_work(void)
{
	struct loop *loop;
	struct err err;

	CHECK_INT("thread", thread_start("other", NULL, NULL, &other, &err), 0);
	CHECK_INT("loop", loop_create(&loop, &err), 0);
	fiber_spawn(ask, NULL, "ask");
	loop_run(loop);
	loop_destroy(loop);
	thread_stop(other);
}

TEST_MAIN(test_each_senders_order_is_kept, test_calls_and_work)
