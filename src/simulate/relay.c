#include "simulate/relay.h"
#include "base/alloc.h"
#include "base/list.h"
#include "base/random.h"
#include "base/units.h"
#include "config/config.h"

#define COHORT_WINDOW  5                     /* Postfix: initial_destination_concurrency */
#define COHORT_DEAD_US (300 * US_PER_SECOND) /* minimal_backoff_time */
#define SQUARE_US      (400 * US_PER_SECOND)
#define TIMEOUT_APART  (120 * US_PER_SECOND) /* qmail, tcpto.c */
#define TIMEOUT_US     (3840 * US_PER_SECOND)
#define TIMEOUT_STEP   (64 * US_PER_SECOND)
#define PENALTY_US     (15 * US_PER_SECOND) /* OpenSMTPD, mta.c */
#define PENALTY_MAX_US US_PER_HOUR

/* A mail: in its lane's list of ready or of waiting ones, or in neither while it is tried. */
struct letter {
	struct list node;
	struct heap_node timer;
	uint32_t tries;
};

/* What is remembered of a host or destination that fails. */
struct memory {
	int64_t until_us; /* nothing is tried before */
	int64_t since_us; /* the last failure that counts */
	uint32_t failures;
	double window, cohorts;
};

/* The mail to one domain. */
struct lane {
	struct list ready, waiting;
	struct list due;        /* in the list of lanes that have work at this moment */
	struct heap_node timer; /* RELAY_QUEUES: the queue's next attempt */
	int busy;
};

struct relayed {
	struct run *run;
	const struct relay *relay;
	const struct config_destination *limits;
	const struct config *config;
	struct letter *letters;
	struct lane *lanes;      /* by domain */
	struct memory *memories; /* by host, or by domain */
	struct heap timers, lane_timers;
	struct random random;
};

static uint32_t index_of(const struct relayed *self, const struct letter *letter)
{
	return (uint32_t)(letter - self->letters);
}

static const struct mail *mail_of(const struct relayed *self, const struct letter *letter)
{
	return &run_scene(self->run)->mails[index_of(self, letter)];
}

static struct lane *lane_of(const struct relayed *self, const struct letter *letter)
{
	return &self->lanes[mail_of(self, letter)->domain];
}

static int64_t deadline_us(const struct relayed *self, const struct letter *letter)
{
	return mail_of(self, letter)->arrived_us + self->limits->lifetime_us;
}

static bool remembers_hosts(const struct relay *relay)
{
	return relay->memory == RELAY_HINTS || relay->memory == RELAY_TIMEOUTS ||
	       relay->memory == RELAY_PENALTIES;
}

static struct memory *memory_of(const struct relayed *self, uint32_t domain,
                                const struct scene_records *records)
{
	return &self->memories[remembers_hosts(self->relay) ? records->hosts[0] : domain];
}

/* When the next attempt for one message is. */

static int64_t wait_us(const struct relayed *self, uint32_t nth)
{
	return self->limits->schedule_us[MIN(nth, (uint32_t)self->limits->schedule_count - 1)];
}

static int64_t scanned_us(const struct relayed *self, int64_t at_us)
{
	int64_t scan_us = self->relay->scan_us;

	return scan_us ? (at_us + scan_us - 1) / scan_us * scan_us : at_us;
}

static int64_t next_square_us(int64_t arrived_us, int64_t now_us)
{
	int64_t n = 1;

	while (arrived_us + SQUARE_US * n * n <= now_us)
		n++;
	return arrived_us + SQUARE_US * n * n;
}

static int64_t next_try_us(const struct relayed *self, const struct letter *letter)
{
	int64_t now_us = run_now_us(self->run);
	int64_t arrived_us = mail_of(self, letter)->arrived_us;
	int64_t least_us = wait_us(self, 0), most_us = wait_us(self, UINT32_MAX);

	if (self->relay->message_us)
		return scanned_us(self, now_us + self->relay->message_us);
	if (self->relay->rhythm == RELAY_SQUARES)
		return next_square_us(arrived_us, now_us);
	if (self->relay->rhythm == RELAY_BY_AGE)
		return scanned_us(self, now_us + MAX(least_us, MIN(most_us, now_us - arrived_us)));
	return scanned_us(self, now_us + wait_us(self, letter->tries ? letter->tries - 1 : 0));
}

static void expire(struct relayed *self, struct letter *letter)
{
	list_remove(&letter->node);
	run_settle(self->run, index_of(self, letter), FATE_EXPIRED);
}

static void wait_until(struct relayed *self, struct letter *letter, int64_t at_us)
{
	list_remove(&letter->node);
	if (self->relay->is_late_allowed && run_now_us(self->run) >= deadline_us(self, letter)) {
		expire(self, letter);
		return;
	}
	if (!self->relay->is_late_allowed)
		at_us = MIN(at_us, deadline_us(self, letter));
	list_append(&lane_of(self, letter)->waiting, &letter->node);
	heap_move(&self->timers, &letter->timer, at_us);
}

static void put_off(struct relayed *self, struct letter *letter)
{
	wait_until(self, letter, next_try_us(self, letter));
}

/* Memory of failing hosts. */

static void note_cohort(struct relayed *self, struct memory *memory)
{
	memory->cohorts += 1 / memory->window;
	memory->window = MAX(1, memory->window - 1);
	if (memory->cohorts < 1)
		return;
	memory->until_us = run_now_us(self->run) + COHORT_DEAD_US;
	memory->window = COHORT_WINDOW;
	memory->cohorts = 0;
}

static int64_t pause_us(const struct relayed *self, uint32_t failures)
{
	const struct relay *relay = self->relay;

	if (relay->memory == RELAY_HINTS)
		return wait_us(self, failures - 1);
	if (relay->memory == RELAY_QUEUES)
		return relay->queue_us[MIN(failures, (uint32_t)relay->queue_count) - 1];
	return MIN(PENALTY_MAX_US, PENALTY_US * failures * failures);
}

static void note_failure(struct relayed *self, struct memory *memory, const struct pending *pending)
{
	int64_t now_us = run_now_us(self->run);

	switch (self->relay->memory) {
	case RELAY_FORGETS:
	case RELAY_SPREADS:
		memory->failures++;
		return;
	case RELAY_COHORTS:
		note_cohort(self, memory);
		return;
	case RELAY_TIMEOUTS:
		if (!pending->answer.has_timed_out ||
		    (memory->failures > 0 && now_us < memory->since_us + TIMEOUT_APART))
			return;
		memory->failures++;
		memory->since_us = now_us;
		return;
	case RELAY_PENALTIES:
	case RELAY_HINTS:
	case RELAY_QUEUES:
		if (now_us < memory->until_us)
			return; /* began before the last failure was known */
		memory->failures++;
		memory->until_us = now_us + pause_us(self, memory->failures);
		return;
	}
}

static void note_success(struct relayed *self, struct memory *memory)
{
	memory->failures = 0;
	memory->until_us = 0;
	memory->cohorts = 0;
	memory->window = MIN(self->relay->connections, memory->window + 1 / memory->window);
}

static bool is_shut(struct relayed *self, const struct memory *memory)
{
	int64_t now_us = run_now_us(self->run);

	if (self->relay->memory != RELAY_TIMEOUTS)
		return now_us < memory->until_us;
	return memory->failures >= 2 &&
	       now_us - memory->since_us <
	               TIMEOUT_US + TIMEOUT_STEP * (int64_t)random_below(&self->random, 32);
}

static int connections_now(const struct relayed *self, const struct memory *memory)
{
	enum relay_memory kind = self->relay->memory;

	if (kind == RELAY_COHORTS)
		return (int)memory->window;
	if (kind != RELAY_FORGETS && kind != RELAY_TIMEOUTS && memory->failures > 0)
		return 1;
	return self->relay->connections;
}

/* The lanes. */

static struct letter *first_ready(const struct lane *lane)
{
	return list_is_empty(&lane->ready) ? NULL
	                                   : CONTAINER_OF(lane->ready.next, struct letter, node);
}

/* What is ready while the host is not to be tried. False: it stays where it is. */
static bool pass_over(struct relayed *self, struct lane *lane, struct letter *letter,
                      const struct memory *memory)
{
	switch (self->relay->memory) {
	case RELAY_QUEUES:
		heap_move(&self->lane_timers, &lane->timer, memory->until_us);
		return false;
	case RELAY_HINTS:
		wait_until(self, letter, scanned_us(self, memory->until_us));
		return true;
	case RELAY_FORGETS:
	case RELAY_SPREADS:
	case RELAY_COHORTS:
	case RELAY_TIMEOUTS:
	case RELAY_PENALTIES:
		letter->tries++;
		put_off(self, letter);
		return true;
	}
	return false;
}

/* Returns false when the lane has to wait. */
static bool start_first(struct relayed *self, struct lane *lane)
{
	struct letter *letter = first_ready(lane);
	uint32_t domain = (uint32_t)(lane - self->lanes);
	int64_t now_us = run_now_us(self->run), until_us;
	const struct scene_records *records = net_look_up(run_net(self->run), domain, now_us,
	                                                  &until_us);
	struct net_try attempt = { .mail = index_of(self, letter),
		                   .hosts = records->hosts,
		                   .host_count = records->host_count,
		                   .connect_timeout_us = self->relay->connect_timeout_us };
	struct memory *memory;

	if (!self->relay->is_late_allowed && now_us >= deadline_us(self, letter)) {
		expire(self, letter);
		return true;
	}
	if (records->dns == SCENE_NXDOMAIN) {
		list_remove(&letter->node);
		run_settle(self->run, attempt.mail, FATE_FAILED);
		return true;
	}
	if (records->dns != SCENE_FOUND) {
		letter->tries++;
		put_off(self, letter);
		return true;
	}
	memory = memory_of(self, domain, records);
	if (is_shut(self, memory))
		return pass_over(self, lane, letter, memory);
	if (lane->busy >= connections_now(self, memory))
		return false;
	list_remove(&letter->node);
	letter->tries++;
	lane->busy++;
	run_try(self->run, &attempt, (uint64_t)(memory - self->memories), 0);
	return true;
}

static void pump(struct relayed *self, struct lane *lane)
{
	while (first_ready(lane) && start_first(self, lane))
		;
}

static void make_ready(struct relayed *self, struct letter *letter)
{
	struct lane *lane = lane_of(self, letter);

	heap_remove(&self->timers, &letter->timer);
	list_remove(&letter->node);
	list_append(&lane->ready, &letter->node);
}

/* OpenSMTPD tries all that waits for a host as soon as one message got through. */
static void release_waiting(struct relayed *self, struct lane *lane)
{
	while (!list_is_empty(&lane->waiting))
		make_ready(self, CONTAINER_OF(lane->waiting.next, struct letter, node));
}

static void spread_failure(struct relayed *self, struct lane *lane)
{
	for (struct letter *letter; (letter = first_ready(lane));) {
		letter->tries++;
		put_off(self, letter);
	}
}

static void fail(struct relayed *self, struct lane *lane, struct letter *letter,
                 const struct pending *pending)
{
	struct memory *memory = &self->memories[pending->tag];

	note_failure(self, memory, pending);
	if (self->relay->memory == RELAY_QUEUES) {
		list_prepend(&lane->ready, &letter->node);
		return; /* the queue waits, not the message */
	}
	if (self->relay->memory == RELAY_HINTS)
		wait_until(self, letter, scanned_us(self, memory->until_us));
	else
		put_off(self, letter);
	if (self->relay->memory == RELAY_SPREADS)
		spread_failure(self, lane);
}

static void finish(void *arg, const struct pending *pending)
{
	struct relayed *self = arg;
	struct letter *letter = &self->letters[pending->mail];
	struct lane *lane = lane_of(self, letter);
	struct memory *memory = &self->memories[pending->tag];
	const struct outcome *outcome = pending->answer.outcome;
	bool was_failing = memory->failures > 0;

	lane->busy--;
	if (pending->answer.is_host_down) {
		fail(self, lane, letter, pending);
		pump(self, lane);
		return;
	}
	note_success(self, memory);
	if (!outcome)
		run_settle(self->run, pending->mail, FATE_DELIVERED);
	else if (outcome->result == RESULT_FAILED)
		run_settle(self->run, pending->mail, FATE_FAILED);
	else
		put_off(self, letter);
	if (was_failing && self->relay->memory == RELAY_PENALTIES)
		release_waiting(self, lane);
	pump(self, lane);
}

static void accept_mail(void *arg, uint32_t mail)
{
	struct relayed *self = arg;

	make_ready(self, &self->letters[mail]);
	pump(self, lane_of(self, &self->letters[mail]));
}

static void make_all_due_ready(struct relayed *self, struct list *lanes)
{
	int64_t now_us = run_now_us(self->run);
	struct heap_node *node;

	while ((node = heap_first(&self->timers)) && node->key <= now_us) {
		struct letter *letter = CONTAINER_OF(node, struct letter, timer);
		struct lane *lane = lane_of(self, letter);

		make_ready(self, letter);
		list_remove(&lane->due);
		list_append(lanes, &lane->due);
	}
}

/* All that is due at this moment is ready before any of it is tried: a scan of the queue. */
static void tick(void *arg)
{
	struct relayed *self = arg;
	struct heap_node *node;
	struct list lanes, *due;

	list_init(&lanes);
	while ((node = heap_first(&self->lane_timers)) && node->key <= run_now_us(self->run)) {
		struct lane *lane = CONTAINER_OF(node, struct lane, timer);

		heap_remove(&self->lane_timers, node);
		list_append(&lanes, &lane->due);
	}
	make_all_due_ready(self, &lanes);
	while ((due = list_take_first(&lanes)))
		pump(self, CONTAINER_OF(due, struct lane, due));
}

static int64_t next_us(const void *arg)
{
	const struct relayed *self = arg;
	const struct heap_node *letter = heap_first(&self->timers);
	const struct heap_node *lane = heap_first(&self->lane_timers);

	return MIN(letter ? letter->key : INT64_MAX, lane ? lane->key : INT64_MAX);
}

static void *create(struct run *run, const void *arg)
{
	const struct relay_settings *settings = arg;
	const struct scene *scene = run_scene(run);
	size_t memories = MAX(scene->host_count, scene->domain_count);
	struct relayed *self = alloc_zeroed(sizeof *self);

	self->run = run;
	self->relay = settings->relay;
	self->config = config_acquire(settings->config);
	self->limits = &self->config->defaults;
	self->letters = alloc((scene->mail_count + 1) * sizeof *self->letters);
	self->lanes = alloc_zeroed((scene->domain_count + 1) * sizeof *self->lanes);
	self->memories = alloc_zeroed((memories + 1) * sizeof *self->memories);
	random_seed(&self->random, scene->seed);
	for (uint32_t i = 0; i < scene->mail_count; i++) {
		self->letters[i] = (struct letter){ .timer.index = HEAP_NONE };
		list_init(&self->letters[i].node);
	}
	for (uint32_t i = 0; i < scene->domain_count; i++) {
		self->lanes[i].timer.index = HEAP_NONE;
		list_init(&self->lanes[i].ready);
		list_init(&self->lanes[i].waiting);
		list_init(&self->lanes[i].due);
	}
	for (size_t i = 0; i < memories; i++)
		self->memories[i].window = COHORT_WINDOW;
	return self;
}

static void destroy(void *arg)
{
	struct relayed *self = arg;

	heap_deinit(&self->timers);
	heap_deinit(&self->lane_timers);
	alloc_free(self->letters);
	alloc_free(self->lanes);
	alloc_free(self->memories);
	config_release(self->config);
	alloc_free(self);
}

const struct policy relay_policy = { .name = "relay",
	                             .create = create,
	                             .destroy = destroy,
	                             .accept = accept_mail,
	                             .finish = finish,
	                             .tick = tick,
	                             .next_us = next_us };
