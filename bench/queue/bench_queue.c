/* What the queue costs with N messages queued (default 1,000,000; destinations all dead): memory of
 * a message, time to load them, time of a step, time of a summary.
 *
 *     bench_queue [MESSAGES] */
#include "base/alloc.h"
#include "base/units.h"
#include "queue/queue.h"
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define DOMAINS  1000
#define STEPS    200000
#define START_US (1700000000LL * US_PER_SECOND)

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int64_t resident_bytes(void)
{
	long pages = 0, all;
	FILE *file = fopen("/proc/self/statm", "r");

	if (file && fscanf(file, "%ld %ld", &all, &pages) != 2)
		pages = 0;
	if (file)
		fclose(file);
	return (int64_t)pages * 4096;
}

static struct message *make_message(uint64_t id, const char *domain)
{
	struct message *message = message_create();

	message->id = id;
	message->arrived_us = START_US;
	message->sender = bytes_of("a@out.test");
	message->recipient_count = 1;
	message->recipients = arena_alloc(message->arena, sizeof *message->recipients);
	message->recipients[0].address = bytes_of(arena_printf(message->arena, "x@%s", domain));
	return message;
}

static void load(struct queue *queue, uint64_t count, struct actions *actions)
{
	struct event event = { .kind = EVENT_LOADED };
	struct message *messages[DOMAINS];
	int64_t before_bytes, begin_ns;

	for (int i = 0; i < DOMAINS; i++) {
		char domain[32];

		snprintf(domain, sizeof domain, "d%d.test", i);
		messages[i] = make_message(0, domain);
	}
	before_bytes = resident_bytes();
	begin_ns = now_ns();
	for (uint64_t id = 1; id <= count; id++) {
		messages[id % DOMAINS]->id = id;
		event.added.message = messages[id % DOMAINS];
		queue_step(queue, &event, START_US, actions);
	}
	printf("load       %.2f s for %llu messages (%zu actions)\n",
	       (double)(now_ns() - begin_ns) / 1e9, (unsigned long long)count, actions->count);
	printf("memory     %.1f bytes a message by its own account, %.1f by RSS\n",
	       (double)queue_memory_bytes(queue) / (double)count,
	       (double)(resident_bytes() - before_bytes) / (double)count);
	for (int i = 0; i < DOMAINS; i++)
		message_release(messages[i]);
}

/* What the queue has asked for and is not answered yet. */
struct question {
	uint64_t job; /* 0: a look-up */
	char domain[32];
};

static struct question questions[4096];
static size_t asked, answered;

static void collect(struct actions *actions)
{
	for (size_t i = 0; i < actions->count; i++) {
		const struct action *action = &actions->items[i];
		struct question *question = &questions[asked % 4096];

		if (action->kind != ACTION_DELIVER && action->kind != ACTION_LOOK_UP)
			continue;
		question->job = 0;
		if (action->kind == ACTION_DELIVER)
			question->job = action->deliver.job;
		else
			snprintf(question->domain, sizeof question->domain, "%.*s",
			         BYTES_FORMAT(action->domain));
		asked++;
	}
	actions_clear(actions);
}

static void answer_job(struct queue *queue, uint64_t job, int64_t now_us, struct actions *actions)
{
	struct outcome outcome = { .result = RESULT_DEFERRED,
		                   .cause = CAUSE_HOST_DOWN,
		                   .scope = job % 2 ? SCOPE_SITE : SCOPE_RECIPIENT };
	struct event event = { .kind = EVENT_JOB_DONE };

	event.job_done.job = job;
	event.job_done.was_attempted = true;
	event.job_done.outcomes = &outcome;
	event.job_done.outcome_count = 1;
	queue_step(queue, &event, now_us, actions);
}

static void answer_look_up(struct queue *queue, const char *domain, int64_t now_us,
                           struct actions *actions)
{
	struct route_host host = { .preference = 10 };
	struct event event = { .kind = EVENT_ROUTE };
	struct route *route;

	snprintf(host.name, sizeof host.name, "mx.%s", domain);
	route = route_create(&host, 1, 25, false);
	event.route.domain = bytes_of(domain);
	event.route.route = route;
	event.route.valid_until_us = now_us + US_PER_HOUR;
	queue_step(queue, &event, now_us, actions);
	route_release(route);
}

static int compare(const void *a, const void *b)
{
	int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;

	return left < right ? -1 : left > right;
}

/* Answers what the queue asks for, in order, as a world where half of all attempts fail. */
static void step(struct queue *queue)
{
	int64_t *times_ns = alloc(STEPS * sizeof *times_ns), now_us = START_US;
	struct event time = { .kind = EVENT_TIME };
	struct actions actions;

	actions_init(&actions);
	for (int i = 0; i < STEPS; i++) {
		const struct question *question = &questions[answered % 4096];
		int64_t begin_ns = now_ns();

		now_us += 20;
		if (answered == asked) {
			now_us += 20 * US_PER_MS;
			queue_step(queue, &time, now_us, &actions);
		} else if (question->job) {
			answer_job(queue, question->job, now_us, &actions);
		} else {
			answer_look_up(queue, question->domain, now_us, &actions);
		}
		times_ns[i] = now_ns() - begin_ns;
		answered += answered < asked;
		collect(&actions);
	}
	qsort(times_ns, STEPS, sizeof *times_ns, compare);
	printf("step       %.2f us at the median, %.2f at 99 %%, %.0f at most\n",
	       (double)times_ns[STEPS / 2] / 1e3, (double)times_ns[STEPS / 100 * 99] / 1e3,
	       (double)times_ns[STEPS - 1] / 1e3);
	actions_deinit(&actions);
	alloc_free(times_ns);
}

static void count_destination(void *arg, const struct destination_view *view)
{
	*(uint64_t *)arg += view->counts[RECIPIENT_QUEUED];
}

static void summarise(struct queue *queue)
{
	int64_t begin_ns = now_ns();
	struct queue_totals totals;
	uint64_t count = 0;

	queue_totals(queue, &totals);
	queue_each_destination(queue, START_US, count_destination, &count);
	printf("summary    %.2f ms for %llu destinations\n", (double)(now_ns() - begin_ns) / 1e6,
	       (unsigned long long)totals.destinations);
}

int main(int argc, char **argv)
{
	uint64_t count = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000000;
	struct buffer problems = { 0 };
	struct actions actions;
	struct config *config;
	struct queue *queue;

	if (config_parse("bench", BYTES_LITERAL(""), &config, &problems) < 0)
		return 1;
	actions_init(&actions);
	queue = queue_create(config, 2, 1);
	load(queue, count, &actions);
	step(queue);
	summarise(queue);
	queue_destroy(queue);
	actions_deinit(&actions);
	config_release(config);
	return 0;
}
