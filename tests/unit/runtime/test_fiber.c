#include "base/units.h"
#include "runtime/budget.h"
#include "runtime/fiber.h"
#include "runtime/loop.h"
#include "support/check.h"

/* What happened, in order, as letters. */
static struct buffer story;
static struct fiber *waiting;

static void run_all(void (*first)(void *arg))
{
	struct loop *loop;
	struct err err;

	buffer_clear(&story);
	CHECK_INT("loop", loop_create(&loop, &err), 0);
	CHECK_TRUE("fiber", fiber_spawn(first, NULL, "first") != NULL);
	loop_run(loop);
	loop_destroy(loop);
}

static void stop(void)
{
	loop_stop(loop_current());
}

static void wait_for_wake(void *arg)
{
	(void)arg;
	waiting = fiber_self();
	buffer_append_char(&story, 'a');
	CHECK_INT("woken", fiber_park(CLOCK_NEVER), 0);
	buffer_append_char(&story, 'c');
	stop();
}

static void wake_it(void *arg)
{
	(void)arg;
	fiber_spawn(wait_for_wake, NULL, "waiting");
	fiber_yield();
	buffer_append_char(&story, 'b');
	fiber_wake(waiting);
}

static void test_park_and_wake(void)
{
	run_all(wake_it);
	CHECK_BYTES("order", buffer_bytes(&story), bytes_of("abc"));
}

static void wake_first(void *arg)
{
	(void)arg;
	fiber_wake(fiber_self());
	CHECK_INT("a wake that came before counts", fiber_park(CLOCK_NEVER), 0);
	CHECK_INT("but once", fiber_park(clock_now_us() + 1000), ERR_TIMEOUT);
	CHECK_INT("a past deadline", fiber_park(clock_now_us() - 1000), ERR_TIMEOUT);
	stop();
}

static void test_wake_before_park(void)
{
	run_all(wake_first);
}

static void sleep_long(void *arg)
{
	int64_t *until_us = arg;

	CHECK_INT("slept", fiber_sleep(*until_us), 0);
	buffer_append_char(&story, (char)('0' + *until_us % 10));
	if (story.len == 3)
		stop();
}

static void sleep_in_order(void *arg)
{
	static int64_t until_us[3];
	int64_t base_us = (clock_now_us() / 10 + 500) * 10;

	(void)arg;
	for (int i = 0; i < 3; i++) {
		until_us[i] = base_us + (2 - i) * 3000 + i;
		fiber_spawn(sleep_long, &until_us[i], "sleeper");
	}
}

static void test_sleepers_wake_by_deadline(void)
{
	run_all(sleep_in_order);
	CHECK_BYTES("order", buffer_bytes(&story), bytes_of("210"));
}

static void be_cancelled(void *arg)
{
	(void)arg;
	CHECK_INT("parked", fiber_park(CLOCK_NEVER), ERR_CANCELLED);
	CHECK_INT("again", fiber_sleep(clock_now_us() + US_PER_HOUR), ERR_CANCELLED);
	buffer_append_char(&story, 'x');
}

static void be_deaf(void *arg)
{
	(void)arg;
	waiting = fiber_self();
	fiber_park_always();
	buffer_append_char(&story, 'y');
	CHECK_INT("the cancellation is still pending", fiber_park(CLOCK_NEVER), ERR_CANCELLED);
}

static void answer_late(struct timer *timer)
{
	(void)timer;
	buffer_append_char(&story, '!');
	fiber_wake(waiting);
}

static void stop_all(void *arg)
{
	static struct timer timer;

	(void)arg;
	fiber_spawn(be_cancelled, NULL, "cancelled");
	fiber_spawn(be_deaf, NULL, "deaf");
	fiber_yield();
	stop();
	timer = (struct timer){ 0 };
	timer_set(&timer, clock_now_us() + 2000, answer_late);
}

static void test_stop_cancels_but_waits_for_answers(void)
{
	run_all(stop_all);
	CHECK_BYTES("order", buffer_bytes(&story), bytes_of("x!y"));
}

static void refuse_more(void *arg)
{
	(void)arg;
	fiber_limit(1);
	CHECK_TRUE("the limit", fiber_spawn(be_deaf, NULL, "one more") == NULL);
	stop();
}

static void test_limit(void)
{
	run_all(refuse_more);
}

static void use_budget(void *arg)
{
	struct budget *budget = budget_create(100);

	(void)arg;
	CHECK_TRUE("fits", budget_take(budget, 60));
	CHECK_TRUE("does not", !budget_take(budget, 41));
	CHECK_INT("waits in vain", budget_wait(budget, 41, clock_now_us() + 2000), ERR_TIMEOUT);
	CHECK_INT("never", budget_wait(budget, 101, CLOCK_NEVER), ERR_TIMEOUT);
	budget_give(budget, 60);
	CHECK_INT("now", budget_wait(budget, 100, clock_now_us() + 2000), 0);
	CHECK_INT("used", budget_used(budget), 100);
	budget_destroy(budget);
	stop();
}

static void test_budget(void)
{
	run_all(use_budget);
}

TEST_MAIN(test_park_and_wake, test_wake_before_park, test_sleepers_wake_by_deadline,
          test_stop_cancels_but_waits_for_answers, test_limit, test_budget)
