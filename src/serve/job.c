#include "serve/job.h"
#include "base/alloc.h"
#include <string.h>

struct job *job_create(const struct action_deliver *action, struct message *message)
{
	struct job *job = alloc_zeroed(sizeof *job);
	size_t size_bytes = action->recipient_count * sizeof *action->recipients;

	job->action = *action;
	job->action.recipients = alloc(size_bytes);
	memcpy(job->action.recipients, action->recipients, size_bytes);
	job->action.route = route_acquire(action->route);
	job->action.domain = (struct bytes){ 0 };
	job->action.limits = NULL;
	job->idle_us = action->limits->idle_us;
	job->messages_per_connection = action->limits->messages_per_connection;
	job->outcomes = alloc_zeroed(action->recipient_count * sizeof *job->outcomes);
	job->message = message;
	return job;
}

void job_destroy(struct job *job)
{
	message_release(job->message);
	history_deinit(&job->history);
	history_deinit(&job->others);
	buffer_deinit(&job->read.state);
	buffer_deinit(&job->read.history);
	route_release(job->action.route);
	alloc_free(job->action.recipients);
	alloc_free(job->outcomes);
	alloc_free(job);
}

static bool knows(const struct history *history, const struct attempt *attempt)
{
	for (uint32_t i = 0; i < history->count; i++)
		if (history->attempts[i].at_us == attempt->at_us &&
		    history->attempts[i].recipient == attempt->recipient)
			return true;
	return false;
}

static void tell_siblings(const struct job *job, struct list *jobs, const struct attempt *attempt)
{
	if (job->message->recipient_count == job->action.recipient_count)
		return;
	LIST_EACH (node, jobs) {
		struct job *other = CONTAINER_OF(node, struct job, node);

		if (other != job && other->action.id == job->action.id)
			history_add(&other->others, attempt);
	}
}

bool job_add_attempts(struct job *job, struct list *jobs, int64_t now_us)
{
	bool is_worth_keeping = job->history.count > 0 ||
	                        job->message->recipient_count > job->action.recipient_count;

	for (uint32_t i = 0; i < job->others.count; i++)
		if (!knows(&job->history, &job->others.attempts[i]))
			history_add(&job->history, &job->others.attempts[i]);
	for (uint32_t i = 0; i < job->action.recipient_count; i++) {
		struct attempt attempt = { .at_us = now_us,
			                   .recipient = job->action.recipients[i],
			                   .outcome = job->outcomes[i] };

		history_add(&job->history, &attempt);
		tell_siblings(job, jobs, &attempt);
		is_worth_keeping |= attempt.outcome.result != RESULT_DELIVERED;
	}
	return is_worth_keeping;
}
