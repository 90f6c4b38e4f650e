#include "queue/forecast.h"
#include "base/units.h"
#include "queue/destination.h"
#include "queue/forecast_view.h"
#include "queue/recipient.h"
#include "queue/site.h"
#include <string.h>

#define SLICE_SURVEY   2000 /* messages looked at in one step */
#define PER_MESSAGE_US 30   /* a survey of many messages comes less often */
#define WARN_AGAIN_US  US_PER_HOUR

static const int64_t ends_us[OUTLOOK_PARTS] = {
	5 * US_PER_MINUTE, 10 * US_PER_MINUTE, 20 * US_PER_MINUTE, 40 * US_PER_MINUTE,
	US_PER_HOUR,       2 * US_PER_HOUR,    3 * US_PER_HOUR,    4 * US_PER_HOUR,
	6 * US_PER_HOUR,   12 * US_PER_HOUR,   US_PER_DAY,         2 * US_PER_DAY,
	3 * US_PER_DAY,    INT64_MAX,
};
static const int64_t horizons_us[FORECAST_HORIZONS] = { US_PER_HOUR, 6 * US_PER_HOUR, US_PER_DAY };

static int part_of(int64_t left_us)
{
	int part = 0;

	while (left_us > ends_us[part])
		part++;
	return part;
}

static struct outlook *outlook_of(struct destination *destination)
{
	return destination->state == DESTINATION_ROUTED && destination->site
	               ? &destination->site->outlook
	               : &destination->outlook;
}

static struct outlook_pass *pass_of(struct outlook *outlook, uint32_t number)
{
	struct outlook_pass *pass = &outlook->passes[number & 1];

	if (pass->number != number)
		*pass = (struct outlook_pass){ .number = number };
	return pass;
}

/* Greylisting ends by itself: such mail counts as if it went out. */
static bool is_stuck(const struct recipient *recipient)
{
	if (recipient->state == RECIPIENT_HELD)
		return true;
	return recipient->state == RECIPIENT_QUEUED && !recipient_is_ready(recipient) &&
	       recipient->cause != CAUSE_GREYLISTED;
}

/* More likely than not it expires: by the past of what it waits for or, without one, once half of
 * its time is gone. */
static bool looks_bad(const struct queue *queue, const struct recipient *recipient,
                      const struct schedule *schedule)
{
	const struct destination *destination = recipient->destination;
	const struct incidents *incidents = NULL;
	int64_t left_us = schedule_deadline_us(schedule) - queue->now_us;
	int odds_percent = -1;

	if (destination->site && site_is_closed(destination->site))
		incidents = &destination->site->incidents;
	else if (destination->state == DESTINATION_CLOSED)
		incidents = &destination->incidents;
	if (incidents)
		odds_percent = incidents_odds_percent(incidents, left_us, queue->now_us);
	if (odds_percent >= 0)
		return odds_percent < 50;
	return (incidents || is_stuck(recipient)) &&
	       queue->now_us - schedule->entry->arrived_us >= left_us;
}

/* The delay notice does not wait for its time when the forecast is bad. */
static void foresee(struct queue *queue, struct recipient *recipient,
                    const struct schedule *schedule)
{
	if (recipient->state != RECIPIENT_QUEUED || (recipient->flags & RECIPIENT_LOOKS_BAD) ||
	    strcmp(schedule->limits->delay_notice_by, "time") == 0 ||
	    !looks_bad(queue, recipient, schedule))
		return;
	recipient->flags |= RECIPIENT_LOOKS_BAD;
	recipient_arm(queue, recipient);
}

static void count(struct queue *queue, const struct entry *entry, struct recipient *recipient)
{
	struct schedule schedule = recipient_schedule(queue, recipient);
	struct outlook_pass *pass = pass_of(outlook_of(recipient->destination),
	                                    queue->survey.number);
	int part = part_of(schedule_deadline_us(&schedule) - queue->now_us);

	if (recipient->destination->not_counted & (1U << recipient_cause(recipient))) {
		pass->stopped++;
		return;
	}
	foresee(queue, recipient, &schedule);
	if (is_stuck(recipient)) {
		pass->stuck[part]++;
		pass->stuck_bytes += entry->size_bytes;
	} else {
		pass->flow[part]++;
		pass->flow_bytes += entry->size_bytes;
	}
}

static void count_entry(struct queue *queue, struct entry *entry)
{
	for (uint32_t i = 0; i < entry->recipient_count; i++) {
		struct recipient *recipient = entry_recipient(entry, i);

		if (!recipient_is_final(recipient))
			count(queue, entry, recipient);
	}
}

/* How many of those who flow come too late at one message a gap, and the gap at which none would.
 * The deadlines nearest go first. */
static uint64_t too_many(const struct outlook_pass *pass, int64_t gap_us, int64_t within_us,
                         int64_t *needed_gap_us_out)
{
	uint64_t waiting = 0, most = 0;
	int64_t needed_us = 0;

	for (int i = 0; i < OUTLOOK_PARTS - 1 && ends_us[i] <= within_us; i++) {
		uint64_t in_time = gap_us > 0 ? (uint64_t)(ends_us[i] / gap_us) : UINT64_MAX;

		waiting += pass->flow[i];
		if (waiting > in_time)
			most = MAX(most, waiting - in_time);
		if (waiting > 0)
			needed_us = needed_us ? MIN(needed_us, ends_us[i] / (int64_t)waiting)
			                      : ends_us[i] / (int64_t)waiting;
	}
	if (needed_gap_us_out)
		*needed_gap_us_out = needed_us;
	return most;
}

static int64_t gap_of(const struct site *site)
{
	return MAX(site->pace.gap_us, site->learned.pace.gap_us);
}

static void warn(struct queue *queue, struct site *site)
{
	const struct outlook_pass *pass = pass_of(&site->outlook, queue->survey.number);
	struct outlook *outlook = &site->outlook;
	struct log_entry *log;
	int64_t needed_us;
	uint64_t late = too_many(pass, gap_of(site), INT64_MAX - 1, &needed_us);
	bool is_worse = late / 2 > outlook->warned_count;

	if (late == 0 || (queue->now_us < outlook->warned_us + WARN_AGAIN_US && !is_worse))
		return;
	outlook->warned_us = queue->now_us;
	outlook->warned_count = (uint32_t)MIN(late, UINT32_MAX);
	log = &actions_add(queue->actions, ACTION_LOG)->log;
	log->kind = LOGGED_NO_WINDOW;
	log->site = site_name(site, queue->actions->arena);
	log->cause = (enum cause)timeline_cause(&site->timeline);
	log->count = late;
	log->gap_us = gap_of(site);
	log->needed_gap_us = needed_us;
}

static void end_survey(struct queue *queue)
{
	struct survey *survey = &queue->survey;
	int64_t wait_us = MAX(queue->config->forecast_us,
	                      (int64_t)queue->totals.messages * PER_MESSAGE_US);

	survey->is_running = false;
	survey->done_us = queue->now_us;
	survey->next_us = queue->now_us + wait_us;
	HASH_EACH (node, &queue->sites) {
		struct site *site = CONTAINER_OF(node, struct site, by_hash);

		if (gap_of(site) > 0 && !site_is_closed(site))
			warn(queue, site);
	}
}

void forecast_run(struct queue *queue)
{
	struct survey *survey = &queue->survey;

	if (forecast_next_us(queue) > queue->now_us)
		return;
	if (!survey->is_running) {
		survey->is_running = true;
		survey->number++;
		survey->slot = 0;
	}
	for (int i = 0; i < SLICE_SURVEY && survey->slot < queue->roster.slot_count; i++) {
		struct entry *entry = roster_at(&queue->roster, survey->slot++);

		if (entry)
			count_entry(queue, entry);
	}
	if (survey->slot >= queue->roster.slot_count)
		end_survey(queue);
}

int64_t forecast_next_us(const struct queue *queue)
{
	if (queue->survey.is_running)
		return queue->now_us;
	if (queue->config->forecast_us == 0 || queue->totals.messages == 0)
		return INT64_MAX;
	return queue->survey.next_us;
}

static uint64_t sum_until(const uint32_t parts[OUTLOOK_PARTS], int64_t within_us)
{
	uint64_t sum = 0;

	for (int i = 0; i < OUTLOOK_PARTS && ends_us[i] <= within_us; i++)
		sum += parts[i];
	return sum;
}

static uint64_t share(uint64_t bytes, uint64_t part, uint64_t whole)
{
	return whole ? (uint64_t)((double)bytes * (double)part / (double)whole) : 0;
}

/* `is_closed`: nothing goes out, so that all whose deadline comes expire. */
static void reckon(const struct outlook_pass *pass, bool is_closed, struct forecast_view *view)
{
	uint64_t flow = sum_until(pass->flow, INT64_MAX), stuck = sum_until(pass->stuck, INT64_MAX);

	view->waiting = flow + stuck + pass->stopped;
	view->stopped = pass->stopped;
	for (int i = 0; i < FORECAST_HORIZONS; i++) {
		uint64_t flowing = is_closed ? sum_until(pass->flow, horizons_us[i])
		                             : too_many(pass, view->gap_us, horizons_us[i], NULL);
		uint64_t stuck_then = sum_until(pass->stuck, horizons_us[i]);

		view->expiring[i] = flowing + stuck_then;
		view->expiring_bytes[i] = share(pass->flow_bytes, flowing, flow) +
		                          share(pass->stuck_bytes, stuck_then, stuck);
		view->odds_percent[i] = -1;
	}
	if (!is_closed)
		view->too_many = too_many(pass, view->gap_us, INT64_MAX - 1, &view->needed_gap_us);
}

static void add_odds(const struct incidents *incidents, int64_t now_us, struct forecast_view *view)
{
	for (int i = 0; i < FORECAST_HORIZONS; i++)
		view->odds_percent[i] = incidents_odds_percent(incidents, horizons_us[i], now_us);
}

static const struct outlook_pass *last_pass(const struct queue *queue,
                                            const struct outlook *outlook)
{
	uint32_t number = queue->survey.number - (queue->survey.is_running ? 1 : 0);
	const struct outlook_pass *pass = &outlook->passes[number & 1];

	return number > 0 && pass->number == number ? pass : NULL;
}

static bool view_site(const struct queue *queue, const struct site *site, int64_t now_us,
                      struct forecast_view *view)
{
	const struct outlook_pass *pass = last_pass(queue, &site->outlook);

	if (!pass)
		return false;
	*view = (struct forecast_view){ .site = site->route ? site->route->name : "",
		                        .state = site->state,
		                        .cause = (enum cause)timeline_cause(&site->timeline),
		                        .limit = site_limit(queue, site),
		                        .gap_us = gap_of(site) };
	reckon(pass, site_is_closed(site), view);
	if (site_is_closed(site))
		add_odds(&site->incidents, now_us, view);
	return true;
}

static bool view_domain(const struct queue *queue, const struct destination *destination,
                        int64_t now_us, struct forecast_view *view)
{
	const struct outlook_pass *pass = last_pass(queue, &destination->outlook);

	if (!pass)
		return false;
	*view = (struct forecast_view){ .site = "",
		                        .domain = destination->name,
		                        .cause = destination_cause(destination),
		                        .limit = LIMIT_CLOSED };
	reckon(pass, true, view);
	add_odds(&destination->incidents, now_us, view);
	return true;
}

int64_t queue_forecast(const struct queue *queue, int64_t now_us,
                       void (*visit)(void *arg, const struct forecast_view *view), void *arg)
{
	struct forecast_view view;

	if (queue->totals.messages == 0)
		return queue->survey.done_us; /* what was surveyed last is gone */
	HASH_EACH (node, &queue->sites)
		if (view_site(queue, CONTAINER_OF(node, struct site, by_hash), now_us, &view))
			visit(arg, &view);
	HASH_EACH (node, &queue->destinations)
		if (view_domain(queue, CONTAINER_OF(node, struct destination, by_name), now_us,
		                &view))
			visit(arg, &view);
	return queue->survey.done_us;
}
