#include "serve/notices.h"
#include "base/alloc.h"
#include "base/log.h"
#include "report/report.h"
#include "serve/keeper_own.h"

#define NOTICES_AT_ONCE 64

struct notices {
	struct keeper *keeper;
	struct list waiting; /* struct notice_work */
	int busy;
};

struct notice_work {
	struct list node;
	struct keeper *keeper;
	struct spool_read read;
	struct spool_put put;
	struct notice notice; /* a copy of its own */
	struct arena *arena;  /* what the notice points to */
	struct job *job;      /* a `relayed` notice: the job that waits for it */
};

/* Everything that an action points to goes with the action: the work has copies. */
static struct notice_work *notice_work_create(struct keeper *keeper, const struct notice *notice)
{
	struct notice_work *work = alloc_zeroed(sizeof *work);

	work->keeper = keeper;
	work->arena = arena_create(0);
	work->notice = notice_copy(work->arena, notice);
	return work;
}

static void notice_work_destroy(struct notice_work *work)
{
	message_release(work->read.message);
	message_release(work->put.message);
	buffer_deinit(&work->read.state);
	buffer_deinit(&work->read.history);
	arena_destroy(work->arena);
	alloc_free(work);
}

static void begin_notices(struct notices *notices);

static void notice_is_done(struct notice_work *work, bool is_done)
{
	struct keeper *keeper = work->keeper;
	struct notices *notices = keeper->notices;
	struct event event = { .kind = EVENT_NOTICE_DONE };

	notices->busy--;
	if (work->job) {
		keeper_job_is_done(keeper, work->job);
	} else {
		event.notice_done.id = work->notice.id;
		event.notice_done.notice = work->notice.number;
		event.notice_done.is_done = is_done;
		keeper_step(keeper, &event);
	}
	notice_work_destroy(work);
	begin_notices(notices);
	keeper_end_drain(keeper);
}

static void notice_was_put(struct mail *mail)
{
	struct spool_put *put = CONTAINER_OF(mail, struct spool_put, done);
	struct notice_work *work = CONTAINER_OF(put, struct notice_work, put);
	struct event event = { .kind = EVENT_ADDED };

	if (put->result < 0) {
		log_error("serve", "notice was not kept: %s", put->err.text);
	} else {
		event.added.message = put->message;
		work->keeper->current = put->message;
		keeper_step(work->keeper, &event);
		work->keeper->current = NULL;
	}
	notice_is_done(work, put->result == 0);
}

static void put_notice(struct notice_work *work, const struct message *original,
                       const struct history *history)
{
	struct keeper *keeper = work->keeper;
	struct report_request request = { .config = keeper->config,
		                          .message = original,
		                          .history = history,
		                          .notice = &work->notice,
		                          .now_us = clock_now_us() };
	struct event_details details = { .sender = original->sender, .client = original->client };

	request.id = id_make(&keeper->ids, request.now_us);
	if (report_make(&request, &work->put.message) == REPORT_NOT_WANTED) {
		event_log_notice(keeper->log, &work->notice, &details, request.now_us);
		notice_is_done(work, true);
		return;
	}
	if (work->notice.kind == NOTICE_DELIVERED
	            ? digests_forget(keeper->digests, &work->notice, original)
	            : digests_collect(keeper->digests, &work->notice, original)) {
		notice_is_done(work, true);
		return;
	}
	details.notice_id = request.id;
	event_log_notice(keeper->log, &work->notice, &details, request.now_us);
	work->put.home = thread_mailbox(keeper->thread);
	work->put.done.deliver = notice_was_put;
	spool_put(keeper->spool, &work->put);
}

static void original_was_read(struct mail *mail)
{
	struct spool_read *read = CONTAINER_OF(mail, struct spool_read, done);
	struct notice_work *work = CONTAINER_OF(read, struct notice_work, read);
	struct history history = { 0 };
	struct err err = { 0 };
	char id[ID_TEXT_LENGTH + 1];

	if (read->result < 0) {
		id_format(work->notice.id, id);
		log_error("serve", "no notice for message %s: %s", id, read->err.text);
		notice_is_done(work, read->result == ERR_NOT_FOUND || read->result == ERR_CORRUPT);
		return;
	}
	if (history_decode(buffer_bytes(&read->history), &history, &err) < 0)
		log_error("serve", "history of a message to report: %s", err.text);
	put_notice(work, read->message, &history);
	history_deinit(&history);
}

static void begin_notices(struct notices *notices)
{
	struct keeper *keeper = notices->keeper;

	while (notices->busy < NOTICES_AT_ONCE && !keeper->is_draining) {
		struct list *node = list_take_first(&notices->waiting);
		struct notice_work *work;

		if (!node)
			return;
		work = CONTAINER_OF(node, struct notice_work, node);
		notices->busy++;
		work->read.id = work->notice.id;
		work->read.wants_body = work->notice.kind == NOTICE_FAILURE;
		work->read.home = thread_mailbox(keeper->thread);
		work->read.done.deliver = original_was_read;
		spool_read(keeper->spool, &work->read);
	}
}

void notices_add(struct notices *notices, const struct notice *notice)
{
	list_append(&notices->waiting, &notice_work_create(notices->keeper, notice)->node);
	begin_notices(notices);
}

bool notices_add_relayed(struct notices *notices, struct job *job)
{
	struct notice notice = { .id = job->action.id, .kind = NOTICE_RELAYED };
	struct notice_work *work;

	if (!job->was_attempted || job->next_hop_has_dsn || job->message->sender.len == 0)
		return false;
	notice.recipients = alloc_zeroed(job->action.recipient_count * sizeof *notice.recipients);
	for (uint32_t i = 0; i < job->action.recipient_count; i++) {
		uint32_t recipient = job->action.recipients[i];

		if (job->outcomes[i].result != RESULT_DELIVERED ||
		    !(job->message->recipients[recipient].notify & NOTIFY_SUCCESS))
			continue;
		notice.recipients[notice.count].recipient = recipient;
		notice.recipients[notice.count].site_outcome = &job->outcomes[i];
		notice.recipients[notice.count].site_outcome_us = clock_now_us();
		notice.recipients[notice.count++].state = RECIPIENT_DELIVERED;
	}
	if (notice.count > 0) {
		work = notice_work_create(notices->keeper, &notice);
		work->job = job;
		notices->busy++;
		put_notice(work, job->message, &job->history);
	}
	alloc_free(notice.recipients);
	return notice.count > 0;
}

struct notices *notices_create(struct keeper *keeper)
{
	struct notices *notices = alloc_zeroed(sizeof *notices);

	notices->keeper = keeper;
	list_init(&notices->waiting);
	return notices;
}

void notices_destroy(struct notices *notices)
{
	if (!notices)
		return;
	for (struct list *node; (node = list_take_first(&notices->waiting));)
		notice_work_destroy(CONTAINER_OF(node, struct notice_work, node));
	alloc_free(notices);
}

int notices_busy(const struct notices *notices)
{
	return notices->busy;
}
