#include "simulate/run.h"
#include "base/alloc.h"
#include "base/assert.h"
#include "base/macros.h"
#include "base/units.h"
#include <stdlib.h>

#define LONG_ENOUGH_US (10 * US_PER_MINUTE)
#define PENDING_PAGE   256
#define AFTERLIFE_US   (30 * US_PER_DAY) /* no lifetime of a preset is longer */

struct run {
	const struct scene *scene;
	const struct policy *policy;
	void *self;
	struct net *net;
	int64_t now_us, end_us;
	struct heap pendings;
	struct pending *free_pendings;
	struct pending_page {
		struct pending_page *next;
		struct pending items[PENDING_PAGE];
	} * pages;
	uint8_t *fates;
	float *delays, *recoveries; /* seconds, of those delivered */
	size_t delay_count, recovery_count;
	uint32_t arrived; /* mails so far */
	size_t sample_capacity;
	struct run_result result;
};

const struct scene *run_scene(const struct run *run)
{
	return run->scene;
}

struct net *run_net(struct run *run)
{
	return run->net;
}

int64_t run_now_us(const struct run *run)
{
	return run->now_us;
}

enum fate run_fate(const struct run *run, uint32_t mail)
{
	return (enum fate)run->fates[mail];
}

static struct pending *take_pending(struct run *run)
{
	struct pending *pending;

	if (!run->free_pendings) {
		struct pending_page *page = alloc_zeroed(sizeof *page);

		page->next = run->pages;
		run->pages = page;
		for (size_t i = 0; i < PENDING_PAGE; i++) {
			page->items[i].next_free = run->free_pendings;
			run->free_pendings = &page->items[i];
		}
	}
	pending = run->free_pendings;
	run->free_pendings = pending->next_free;
	*pending = (struct pending){ .timer.index = HEAP_NONE };
	return pending;
}

void run_try(struct run *run, const struct net_try *attempt, uint64_t tag, uint8_t kind)
{
	struct pending *pending = take_pending(run);

	pending->answer = net_begin(run->net, attempt, run->now_us);
	pending->tag = tag;
	pending->mail = attempt->mail;
	pending->kind = kind;
	pending->is_attempt = true;
	heap_move(&run->pendings, &pending->timer, run->now_us + pending->answer.duration_us);
}

void run_wait(struct run *run, int64_t us, uint32_t mail, uint64_t tag, uint8_t kind)
{
	struct pending *pending = take_pending(run);

	pending->tag = tag;
	pending->mail = mail;
	pending->kind = kind;
	heap_move(&run->pendings, &pending->timer, run->now_us + us);
}

static void note_delivery(struct run *run, const struct mail *mail)
{
	const struct scene_domain *domain = &run->scene->domains[mail->domain];
	struct span waited = { mail->arrived_us, run->now_us };
	int64_t recovery_us = scene_recovery_us(domain, waited);

	run->delays[run->delay_count++] = (float)(run->now_us - mail->arrived_us) / 1e6f;
	if (recovery_us >= 0)
		run->recoveries[run->recovery_count++] = (float)(run->now_us - recovery_us) / 1e6f;
}

void run_settle(struct run *run, uint32_t index, enum fate fate)
{
	const struct mail *mail = &run->scene->mails[index];
	struct span life = { mail->arrived_us, run->now_us };

	ASSERT(run->fates[index] == FATE_QUEUED && fate != FATE_QUEUED);
	run->fates[index] = (uint8_t)fate;
	run->result.queued--;
	if (fate == FATE_DELIVERED) {
		run->result.delivered++;
		note_delivery(run, mail);
	} else if (fate == FATE_FAILED) {
		run->result.failed++;
	} else {
		run->result.expired++;
		run->result.wasted += scene_uptime_us(&run->scene->domains[mail->domain], life) >=
		                      LONG_ENOUGH_US;
	}
}

static void sample(struct run *run)
{
	struct run_result *result = &run->result;

	while ((int64_t)result->sample_count * RUN_SAMPLE_US <= run->now_us) {
		if (result->sample_count == run->sample_capacity) {
			run->sample_capacity = MAX(1024, run->sample_capacity * 2);
			result->samples = alloc_resize(result->samples, run->sample_capacity,
			                               sizeof *result->samples);
		}
		result->samples[result->sample_count++] = (uint32_t)result->queued;
	}
}

static int64_t next_pending_us(const struct run *run)
{
	const struct heap_node *node = heap_first(&run->pendings);

	return node ? node->key : INT64_MAX;
}

static int64_t next_arrival_us(const struct run *run)
{
	return run->arrived < run->scene->mail_count ? run->scene->mails[run->arrived].arrived_us
	                                             : INT64_MAX;
}

static void finish_pending(struct run *run)
{
	struct pending *pending = CONTAINER_OF(heap_first(&run->pendings), struct pending, timer);

	heap_remove(&run->pendings, &pending->timer);
	if (pending->is_attempt)
		net_end(run->net, &pending->answer);
	run->policy->finish(run->self, pending);
	pending->next_free = run->free_pendings;
	run->free_pendings = pending;
}

/* One thing happens: the earliest. False: nothing is left to happen. */
static bool step(struct run *run)
{
	int64_t pending_us = next_pending_us(run), arrival_us = next_arrival_us(run);
	int64_t timer_us = MAX(run->now_us, run->policy->next_us(run->self));
	int64_t next_us = MIN(timer_us, MIN(pending_us, arrival_us));

	if (next_us > run->end_us || (run->result.queued == 0 && arrival_us == INT64_MAX))
		return false;
	run->now_us = MAX(run->now_us, next_us);
	sample(run);
	run->result.steps++;
	if (pending_us <= next_us) {
		finish_pending(run);
	} else if (arrival_us <= next_us) {
		run->result.accepted++;
		run->result.queued++;
		run->policy->accept(run->self, run->arrived++);
	} else {
		run->policy->tick(run->self);
	}
	return true;
}

static int compare_floats(const void *a, const void *b)
{
	float first = *(const float *)a, second = *(const float *)b;

	return first < second ? -1 : first > second;
}

static double mean(const float *values, size_t count)
{
	double sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += (double)values[i];
	return count ? sum / (double)count : 0;
}

/* Of sorted values: the smallest that so many percent do not exceed. */
static double percentile(const float *values, size_t count, size_t percent)
{
	size_t rank = (count * percent + 99) / 100;

	return count ? (double)values[MAX(1, rank) - 1] : 0;
}

static void sum_up(struct run *run)
{
	struct run_result *result = &run->result;

	qsort(run->delays, run->delay_count, sizeof *run->delays, compare_floats);
	qsort(run->recoveries, run->recovery_count, sizeof *run->recoveries, compare_floats);
	result->delay_mean_s = mean(run->delays, run->delay_count);
	result->delay_50_s = percentile(run->delays, run->delay_count, 50);
	result->delay_95_s = percentile(run->delays, run->delay_count, 95);
	result->delay_99_s = percentile(run->delays, run->delay_count, 99);
	result->recovered = run->recovery_count;
	result->recovery_mean_s = mean(run->recoveries, run->recovery_count);
	result->recovery_95_s = percentile(run->recoveries, run->recovery_count, 95);
	result->counts = *net_counts(run->net);
	result->ended_us = run->now_us;
	ASSERT(result->accepted ==
	       result->delivered + result->failed + result->expired + result->queued);
}

static void deinit(struct run *run)
{
	run->policy->destroy(run->self);
	net_destroy(run->net);
	heap_deinit(&run->pendings);
	alloc_free(run->fates);
	alloc_free(run->delays);
	alloc_free(run->recoveries);
	for (struct pending_page *page = run->pages, *next; page; page = next) {
		next = page->next;
		alloc_free(page);
	}
}

struct run_result run_policy(const struct scene *scene, const struct policy *policy,
                             const void *settings)
{
	size_t count = scene->mail_count;
	struct run run = {
		.scene = scene,
		.policy = policy,
		.net = net_create(scene),
		.fates = alloc_zeroed(count + 1),
		.delays = alloc((count + 1) * sizeof(float)),
		.recoveries = alloc((count + 1) * sizeof(float)),
		.result.policy = policy->name,
	};

	run.end_us = scene->duration_us;
	if (run.end_us == 0)
		run.end_us = (count ? scene->mails[count - 1].arrived_us : 0) + AFTERLIFE_US;
	run.self = policy->create(&run, settings);
	while (step(&run))
		;
	sum_up(&run);
	deinit(&run);
	return run.result;
}

void run_result_deinit(struct run_result *result)
{
	alloc_free(result->samples);
	result->samples = NULL;
}
