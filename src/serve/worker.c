#include "serve/worker.h"
#include "base/alloc.h"
#include "base/log.h"
#include "runtime/fiber.h"
#include "serve/keeper.h"
#include "serve/wait.h"
#include <string.h>
#include <unistd.h>

struct worker {
	struct worker_options options;
	struct thread *thread;
	struct receiver *receiver;
	struct deliverer *deliverer;
	struct id_maker ids;
	bool is_stopping;
};

/* accept: what stands between a complete message and its 250 (architecture, "A message's way"). */

struct put_call {
	struct spool_put put;
	struct fiber *fiber;
	bool is_done;
};

static void put_is_done(struct mail *mail)
{
	struct spool_put *put = CONTAINER_OF(mail, struct spool_put, done);
	struct put_call *call = CONTAINER_OF(put, struct put_call, put);

	call->is_done = true;
	fiber_wake(call->fiber);
}

/* Waits for the sync even when the session is cancelled: the answer must be known. */
PARKS static int keep_message(struct worker *worker, struct message *message, struct err *err)
{
	struct put_call call = { .fiber = fiber_self() };

	call.put.message = message;
	call.put.home = loop_mailbox(loop_current());
	call.put.done.deliver = put_is_done;
	spool_put(worker->options.spool, &call.put);
	while (!call.is_done)
		fiber_park_always();
	*err = call.put.err;
	return call.put.result;
}

PARKS static int accept_message(void *arg, struct message *message, struct err *err)
{
	struct worker *worker = arg;
	int result = keep_message(worker, message, err);

	if (result < 0) {
		log_error("serve", "message was not accepted: %s", err->text);
		message_release(message);
		return result;
	}
	keeper_post_added(worker->options.keeper, message);
	return 0;
}

static bool has_room(void *arg)
{
	struct worker *worker = arg;

	return spool_has_room(worker->options.spool);
}

/* Large bodies: files, whose system calls block and so run on the pool. */

struct file_work {
	struct spool *spool;
	char *path_out;
	int fd, result;
	struct err *err;
};

static void open_body(void *arg)
{
	struct file_work *work = arg;

	work->result = spool_body_file(work->spool, work->path_out, &work->fd, work->err);
}

PARKS static int body_file(void *arg, char path_out[512], int *fd_out, struct err *err)
{
	struct worker *worker = arg;
	struct file_work work = { .spool = worker->options.spool,
		                  .path_out = path_out,
		                  .err = err };

	work_run(open_body, &work);
	*fd_out = work.fd;
	return work.result;
}

static void sync_body(void *arg)
{
	struct file_work *work = arg;

	work->result = spool_body_sync(work->spool, work->fd, work->err);
}

PARKS static int body_sync(void *arg, int fd, struct err *err)
{
	struct worker *worker = arg;
	struct file_work work = { .spool = worker->options.spool, .fd = fd, .err = err };

	work_run(sync_body, &work);
	return work.result;
}

static void unlink_body(void *arg)
{
	unlink(arg);
}

PARKS static void body_remove(void *arg, const char *path)
{
	char copy[512];

	(void)arg;
	strncpy(copy, path, sizeof copy - 1);
	copy[sizeof copy - 1] = '\0';
	work_run(unlink_body, copy);
}

/* Jobs. */

PARKS static void run_job(void *arg)
{
	struct job *job = arg;
	struct deliver_job deliver = {
		.message = job->message,
		.recipients = job->action.recipients,
		.recipient_count = job->action.recipient_count,
		.route = job->action.route,
		.slot = job->action.slot.index,
		.deadline_us = job->action.deadline_us,
		.idle_us = job->idle_us,
		.messages_per_connection = job->messages_per_connection,
		.is_probe = job->action.is_probe,
	};
	struct deliver_result result = { .outcomes = job->outcomes };

	deliverer_run(job->worker->deliverer, &deliver, &result);
	job->was_attempted = true;
	job->next_hop_has_dsn = result.next_hop_has_dsn;
	keeper_post_done(job->worker->options.keeper, job);
}

/* A job that cannot be begun goes back as not attempted: the queue books it to own_fault. */
static void begin_job(struct job *job)
{
	if (!job->worker->is_stopping && fiber_spawn(run_job, job, "deliver"))
		return;
	keeper_post_done(job->worker->options.keeper, job);
}

static void job_was_read(struct mail *mail)
{
	struct job *job = CONTAINER_OF(CONTAINER_OF(mail, struct spool_read, done), struct job,
	                               read);
	struct err err = { 0 };

	job->message = job->read.message;
	if (job->read.result == 0 &&
	    history_decode(buffer_bytes(&job->read.history), &job->history, &err) == 0) {
		begin_job(job);
		return;
	}
	log_error("serve", "message to deliver could not be read: %s",
	          job->read.result < 0 ? job->read.err.text : err.text);
	keeper_post_done(job->worker->options.keeper, job);
}

static void job_arrives(struct mail *mail)
{
	begin_job(CONTAINER_OF(mail, struct job, mail));
}

void worker_post_job(struct worker *worker, struct job *job)
{
	job->worker = worker;
	if (job->message) {
		job->mail.deliver = job_arrives;
		mailbox_post(thread_mailbox(worker->thread), &job->mail);
		return;
	}
	job->read.id = job->action.id;
	job->read.wants_body = true;
	job->read.home = thread_mailbox(worker->thread);
	job->read.done.deliver = job_was_read;
	spool_read(worker->options.spool, &job->read);
}

/* Look-ups. */

struct look_up {
	struct mail mail;
	struct worker *worker;
	struct bytes domain;
	char text[];
};

PARKS static void run_look_up(void *arg)
{
	struct look_up *look_up = arg;
	struct dns_route_answer answer = { 0 };

	dns_route(look_up->worker->options.resolver, look_up->domain, &answer);
	keeper_post_route(look_up->worker->options.keeper, look_up->domain, &answer);
	alloc_free(look_up);
}

static void look_up_arrives(struct mail *mail)
{
	struct look_up *look_up = CONTAINER_OF(mail, struct look_up, mail);
	struct dns_route_answer answer = { .status = DNS_TIMEOUT,
		                           .text = "DNS lookup was not begun: too many fibers" };

	if (fiber_spawn(run_look_up, look_up, "look up"))
		return;
	keeper_post_route(look_up->worker->options.keeper, look_up->domain, &answer);
	alloc_free(look_up);
}

void worker_post_look_up(struct worker *worker, struct bytes domain)
{
	struct look_up *look_up = alloc_zeroed(sizeof *look_up + domain.len + 1);

	memcpy(look_up->text, domain.at, domain.len);
	look_up->domain = (struct bytes){ look_up->text, domain.len };
	look_up->worker = worker;
	look_up->mail.deliver = look_up_arrives;
	mailbox_post(thread_mailbox(worker->thread), &look_up->mail);
}

/* Reload and stop. */

struct order {
	struct mail mail;
	struct worker *worker;
	const struct config *config;
};

static struct order *order_create(struct worker *worker, void (*deliver)(struct mail *mail))
{
	struct order *order = alloc_zeroed(sizeof *order);

	order->worker = worker;
	order->mail.deliver = deliver;
	return order;
}

static void reload_arrives(struct mail *mail)
{
	struct order *order = CONTAINER_OF(mail, struct order, mail);
	struct err err = { 0 };

	if (deliverer_reload(order->worker->deliverer, order->config, &err) < 0)
		log_error("serve", "reload: %s", err.text);
	if (receiver_reload(order->worker->receiver, order->config, &err) < 0)
		log_error("serve", "reload: %s", err.text);
	config_release(order->config);
	alloc_free(order);
}

void worker_post_reload(struct worker *worker, const struct config *config)
{
	struct order *order = order_create(worker, reload_arrives);

	order->config = config_acquire(config);
	mailbox_post(thread_mailbox(worker->thread), &order->mail);
}

static void stop_arrives(struct mail *mail)
{
	struct order *order = CONTAINER_OF(mail, struct order, mail);

	order->worker->is_stopping = true;
	receiver_stop(order->worker->receiver);
	deliverer_stop(order->worker->deliverer);
	alloc_free(order);
}

void worker_post_stop(struct worker *worker)
{
	mailbox_post(thread_mailbox(worker->thread), &order_create(worker, stop_arrives)->mail);
}

/* Start and end: what lives on the worker's loop is made on its thread, and freed once that has
 * ended. */

struct start {
	struct wait wait;
	struct worker *worker;
	struct err *err;
	int result;
};

static void create_rooms(struct mail *mail)
{
	struct start *start = CONTAINER_OF(CONTAINER_OF(mail, struct wait, mail), struct start,
	                                   wait);
	struct worker *worker = start->worker;
	struct receiver_hooks hooks = {
		.arg = worker,
		.accept = accept_message,
		.has_room = has_room,
		.body_file = body_file,
		.body_sync = body_sync,
		.body_remove = body_remove,
	};

	const struct worker *first = worker->options.first;

	start->result = deliverer_create(worker->options.config, worker->options.resolver,
	                                 &worker->deliverer, start->err);
	if (start->result == 0)
		start->result = receiver_create(
			worker->options.config, &hooks, worker->options.budget, &worker->ids,
			first ? first->receiver : NULL, &worker->receiver, start->err);
	wait_answer(&start->wait);
}

int worker_start(const struct worker_options *options, struct worker **worker_out, struct err *err)
{
	struct worker *worker = alloc_zeroed(sizeof *worker);
	struct start start = { .worker = worker, .err = err };

	worker->options = *options;
	worker->ids.node = (uint8_t)options->config->node;
	worker->ids.maker = (uint8_t)options->number;
	id_raise(&worker->ids, options->id_floor);
	if (thread_start("worker", NULL, NULL, &worker->thread, err) < 0) {
		alloc_free(worker);
		return err->code;
	}
	wait_for(&start.wait, thread_mailbox(worker->thread), create_rooms);
	if (start.result < 0) {
		worker_join(worker);
		return start.result;
	}
	*worker_out = worker;
	return 0;
}

void worker_join(struct worker *worker)
{
	if (!worker)
		return;
	thread_stop(worker->thread);
	receiver_destroy(worker->receiver);
	deliverer_destroy(worker->deliverer);
	alloc_free(worker);
}

struct stats_wait {
	struct wait wait;
	struct worker *worker;
	struct worker_stats *stats_out;
};

static void take_stats(struct mail *mail)
{
	struct stats_wait *ask = CONTAINER_OF(CONTAINER_OF(mail, struct wait, mail),
	                                      struct stats_wait, wait);

	receiver_stats(ask->worker->receiver, &ask->stats_out->receiver);
	deliverer_stats(ask->worker->deliverer, &ask->stats_out->deliverer);
	ask->stats_out->fibers = fiber_count();
	wait_answer(&ask->wait);
}

void worker_stats(struct worker *worker, struct worker_stats *stats_out)
{
	struct stats_wait ask = { .worker = worker, .stats_out = stats_out };

	wait_for(&ask.wait, thread_mailbox(worker->thread), take_stats);
}

const struct address *worker_address(const struct worker *worker, int n)
{
	return receiver_address(worker->receiver, n);
}
