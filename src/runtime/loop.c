#include "runtime/loop.h"
#include "base/alloc.h"
#include "base/assert.h"
#include "base/log.h"
#include "runtime/fiber.h"
#include "runtime/loop_own.h"
#include "runtime/mailbox_own.h"
#include "runtime/thread.h"
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>
#include <uv.h>

#define EVENTS_AT_ONCE 256
#define HOOKS_MAX      4
#define SIGNALS_MAX    4
#define SLOW_TURN_US   50000

/* Descriptors are watched by an epoll of our own, edge-triggered, which libuv watches as one
 * descriptor: so that a stream that waits again and again costs no epoll_ctl each time, as
 * uv_poll_start would. */
struct loop {
	uv_loop_t uv;
	uv_async_t async;
	uv_timer_t uv_timer;
	uv_poll_t uv_poll;
	int epoll_fd;
	struct mailbox mailbox;
	struct heap timers;
	struct fibers *fibers;
	struct list dead; /* polls closed while events are being handed out */
	struct {
		void (*run)(void *arg);
		void *arg;
	} hooks[HOOKS_MAX];
	int hook_count;
	struct {
		uv_signal_t uv;
		void (*run)(void *arg, int signal_number);
		void *arg;
	} signals[SIGNALS_MAX];
	int signal_count;
	int handles_open;
	bool is_stopping;
};

struct poll {
	struct list node;
	int fd;
	int events; /* WATCH_*: seen and not yet taken */
	struct fiber *reader, *writer;
	void (*on_event)(void *arg, int events); /* a watch's; NULL: fibers wait for it */
	void *arg;
	bool is_closed;
};

static _Thread_local struct loop *current;

struct loop *loop_current(void)
{
	return current;
}

struct mailbox *loop_mailbox(struct loop *loop)
{
	return &loop->mailbox;
}

struct fibers **loop_fibers(struct loop *loop)
{
	return &loop->fibers;
}

bool loop_is_stopping(const struct loop *loop)
{
	return loop->is_stopping;
}

static void wake(void *arg)
{
	struct loop *loop = arg;

	uv_async_send(&loop->async);
}

static void on_async(uv_async_t *async)
{
	struct loop *loop = async->data;

	mailbox_take_all(&loop->mailbox);
}

static void on_uv_timer(uv_timer_t *timer)
{
	(void)timer; /* it only ends the wait; due timers are run after each wait */
}

/* Readiness. */

static void hand_out(struct poll *poll, uint32_t seen)
{
	int events = 0;

	if (seen & (EPOLLIN | EPOLLRDHUP | EPOLLERR | EPOLLHUP))
		events |= WATCH_READ;
	if (seen & (EPOLLOUT | EPOLLERR | EPOLLHUP))
		events |= WATCH_WRITE;
	if (poll->on_event) {
		poll->on_event(poll->arg, events);
		return;
	}
	poll->events |= events;
	if ((events & WATCH_READ) && poll->reader)
		fiber_wake(poll->reader);
	if ((events & WATCH_WRITE) && poll->writer)
		fiber_wake(poll->writer);
}

static void on_ready(uv_poll_t *uv_poll, int status, int events)
{
	struct loop *loop = uv_poll->data;
	struct epoll_event ready[EVENTS_AT_ONCE];
	int count = epoll_wait(loop->epoll_fd, ready, EVENTS_AT_ONCE, 0);

	(void)status;
	(void)events;
	for (int i = 0; i < count; i++) {
		struct poll *poll = ready[i].data.ptr;

		if (!poll->is_closed)
			hand_out(poll, ready[i].events);
	}
	for (struct list *node; (node = list_take_first(&loop->dead));)
		alloc_free(CONTAINER_OF(node, struct poll, node));
}

static struct poll *poll_add(int fd, uint32_t events)
{
	struct poll *poll = alloc_zeroed(sizeof *poll);
	struct epoll_event event = { .events = events, .data.ptr = poll };

	list_init(&poll->node);
	poll->fd = fd;
	if (epoll_ctl(current->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
		BUG("epoll_ctl of descriptor %d: errno %d", fd, errno);
	return poll;
}

struct poll *poll_open(int fd)
{
	return poll_add(fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
}

void poll_close(struct poll *poll)
{
	struct epoll_event none = { 0 };

	epoll_ctl(current->epoll_fd, EPOLL_CTL_DEL, poll->fd, &none);
	poll->is_closed = true;
	list_append(&current->dead, &poll->node);
}

int poll_wait(struct poll *poll, int events, int64_t deadline_us)
{
	int result = 0;

	while (result == 0 && !(poll->events & events)) {
		if (events & WATCH_READ)
			poll->reader = fiber_self();
		if (events & WATCH_WRITE)
			poll->writer = fiber_self();
		result = fiber_park(deadline_us);
	}
	poll->reader = poll->writer = NULL;
	poll->events &= ~events;
	return result;
}

static uint32_t epoll_events(int events)
{
	return ((events & WATCH_READ) ? (uint32_t)EPOLLIN : 0) |
	       ((events & WATCH_WRITE) ? (uint32_t)EPOLLOUT : 0);
}

/* A watch is a poll that is level-triggered and calls back. */
struct watch *watch_start(int fd, int events, void (*run)(void *arg, int events), void *arg)
{
	struct poll *poll = poll_add(fd, epoll_events(events));

	poll->on_event = run;
	poll->arg = arg;
	return (struct watch *)poll;
}

void watch_change(struct watch *watch, int events)
{
	struct poll *poll = (struct poll *)watch;
	struct epoll_event event = { .events = epoll_events(events), .data.ptr = poll };

	epoll_ctl(current->epoll_fd, EPOLL_CTL_MOD, poll->fd, &event);
}

void watch_stop(struct watch *watch)
{
	if (watch)
		poll_close((struct poll *)watch);
}

/* Timers. */

void timer_set(struct timer *timer, int64_t at_us, void (*run)(struct timer *timer))
{
	if (!timer->is_set) {
		timer->loop = current;
		timer->node.index = HEAP_NONE;
		timer->is_set = true;
	}
	timer->run = run;
	heap_move(&timer->loop->timers, &timer->node, at_us);
}

void timer_stop(struct timer *timer)
{
	if (timer->is_set)
		heap_remove(&timer->loop->timers, &timer->node);
	timer->is_set = false;
}

static void run_timers(struct loop *loop)
{
	int64_t now_us = clock_now_us();
	struct heap_node *node;

	while ((node = heap_first(&loop->timers)) && node->key <= now_us) {
		struct timer *timer = CONTAINER_OF(node, struct timer, node);

		timer_stop(timer);
		timer->run(timer);
	}
}

/* How long to wait: until the first timer, rounded up to libuv's milliseconds. */
static void arm_uv_timer(struct loop *loop)
{
	struct heap_node *node = heap_first(&loop->timers);
	int64_t wait_us;

	if (!node) {
		uv_timer_stop(&loop->uv_timer);
		return;
	}
	wait_us = MAX(node->key - clock_now_us(), 0);
	uv_update_time(&loop->uv);
	/* It repeats, because libuv runs timers before it waits: one that is due by then would be
	 * gone, and the wait without an end. */
	uv_timer_start(&loop->uv_timer, on_uv_timer, (uint64_t)((wait_us + 999) / 1000), 1);
}

/* The loop itself. */

int loop_create(struct loop **loop_out, struct err *err)
{
	struct loop *loop = alloc_zeroed(sizeof *loop);

	ASSERT(!current);
	setenv("UV_USE_IO_URING", "0", 0);
	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epoll_fd < 0 || uv_loop_init(&loop->uv) < 0) {
		err_system(err, "create event loop");
		if (loop->epoll_fd >= 0)
			close(loop->epoll_fd);
		alloc_free(loop);
		return ERR_SYSTEM;
	}
	uv_async_init(&loop->uv, &loop->async, on_async);
	uv_timer_init(&loop->uv, &loop->uv_timer);
	uv_poll_init(&loop->uv, &loop->uv_poll, loop->epoll_fd);
	loop->async.data = loop->uv_timer.data = loop->uv_poll.data = loop;
	uv_poll_start(&loop->uv_poll, UV_READABLE, on_ready);
	loop->mailbox.wake = wake;
	loop->mailbox.arg = loop;
	list_init(&loop->dead);
	loop->fibers = fibers_create();
	current = loop;
	*loop_out = loop;
	return 0;
}

static void close_handle(uv_handle_t *handle, void *arg)
{
	(void)arg;
	if (!uv_is_closing(handle))
		uv_close(handle, NULL);
}

void loop_destroy(struct loop *loop)
{
	if (!loop)
		return;
	uv_walk(&loop->uv, close_handle, NULL);
	uv_run(&loop->uv, UV_RUN_DEFAULT);
	uv_loop_close(&loop->uv);
	close(loop->epoll_fd);
	for (struct list *node; (node = list_take_first(&loop->dead));)
		alloc_free(CONTAINER_OF(node, struct poll, node));
	fibers_destroy(loop->fibers);
	heap_deinit(&loop->timers);
	if (current == loop)
		current = NULL;
	alloc_free(loop);
}

static void warn_if_slow(int64_t began_us)
{
	int64_t took_us = clock_now_us() - began_us;

	if (took_us > SLOW_TURN_US)
		log_warning("runtime", "a turn of the loop took %lld ms; last fiber: %s",
		            (long long)(took_us / 1000), fibers_last_name(current->fibers));
}

static bool is_over(const struct loop *loop)
{
	return loop->is_stopping && fibers_alive(loop->fibers) == 0;
}

void loop_run(struct loop *loop)
{
	while (!is_over(loop)) {
		int64_t began_us = clock_now_us();
		bool may_wait;

		run_timers(loop);
		fibers_run(loop->fibers);
		for (int i = 0; i < loop->hook_count; i++)
			loop->hooks[i].run(loop->hooks[i].arg);
		warn_if_slow(began_us);
		arm_uv_timer(loop);
		may_wait = !fibers_are_runnable(loop->fibers) && !is_over(loop);
		uv_run(&loop->uv, may_wait ? UV_RUN_ONCE : UV_RUN_NOWAIT);
	}
	mailbox_take_all(&loop->mailbox); /* what was posted last is not left without an owner */
}

void loop_stop(struct loop *loop)
{
	loop->is_stopping = true;
	fibers_cancel_all(loop->fibers);
	uv_async_send(&loop->async);
}

void loop_after_turn(struct loop *loop, void (*run)(void *arg), void *arg)
{
	ASSERT(loop->hook_count < HOOKS_MAX);
	loop->hooks[loop->hook_count].run = run;
	loop->hooks[loop->hook_count++].arg = arg;
}

static void on_uv_signal(uv_signal_t *signal, int signal_number)
{
	struct loop *loop = signal->data;

	for (int i = 0; i < loop->signal_count; i++)
		if (&loop->signals[i].uv == signal)
			loop->signals[i].run(loop->signals[i].arg, signal_number);
}

void loop_on_signal(struct loop *loop, int signal_number, void (*run)(void *arg, int signal_number),
                    void *arg)
{
	uv_signal_t *signal = &loop->signals[loop->signal_count].uv;

	ASSERT(loop->signal_count < SIGNALS_MAX);
	loop->signals[loop->signal_count].run = run;
	loop->signals[loop->signal_count++].arg = arg;
	uv_signal_init(&loop->uv, signal);
	signal->data = loop;
	uv_signal_start(signal, on_uv_signal, signal_number);
}

/* The pool. */

struct pool_work {
	uv_work_t uv;
	void (*run)(void *arg);
	void *arg;
	struct fiber *fiber;
	bool is_done;
};

static void run_work(uv_work_t *uv)
{
	struct pool_work *work = uv->data;

	work->run(work->arg);
}

static void work_is_done(uv_work_t *uv, int status)
{
	struct pool_work *work = uv->data;

	(void)status;
	work->is_done = true;
	fiber_wake(work->fiber);
}

void work_run(void (*run)(void *arg), void *arg)
{
	struct pool_work work = { .run = run, .arg = arg, .fiber = fiber_self() };

	work.uv.data = &work;
	uv_queue_work(&current->uv, &work.uv, run_work, work_is_done);
	while (!work.is_done)
		fiber_park_always();
}
