#include "queue/recipient.h"
#include "base/assert.h"
#include "base/units.h"
#include "queue/debt.h"
#include "queue/destination.h"
#include "queue/site.h"
#include "queue/state.h"

#define POSTPONED_US 1000000LL /* a delay notice, while too many are under way */
#define STOPPED_US   1000000LL /* how often a deadline that moves is looked at, at most */

struct entry *recipient_entry(const struct queue *queue, const struct recipient *recipient)
{
	return roster_at(&queue->roster, recipient->slot);
}

bool recipient_is_late(const struct queue *queue, const struct recipient *recipient)
{
	struct schedule schedule = recipient_schedule(queue, recipient);

	return queue->now_us >= schedule_deadline_us(&schedule);
}

enum cause recipient_cause(const struct recipient *recipient)
{
	if (recipient_is_ready(recipient))
		return destination_cause(recipient->destination);
	if (recipient->state == RECIPIENT_DELIVERING)
		return CAUSE_NONE;
	return recipient->state == RECIPIENT_HELD ? CAUSE_HELD : (enum cause)recipient->cause;
}

/* What of its age is not booked yet; nothing once it is over. */
static struct stretch unbooked(const struct queue *queue, const struct recipient *recipient)
{
	const struct entry *entry = recipient_entry(queue, recipient);
	uint32_t from = tally_sum(&recipient->tally), to = entry_ticks(entry, queue->now_us);

	if (recipient_is_final(recipient) || to < from)
		to = from;
	return (struct stretch){ entry->arrived_us, from, to };
}

/* Adds the time since it was booked last. Mail that waits for its site is booked from what the site
 * and the destination remember. */
static void book_into(const struct queue *queue, const struct recipient *recipient,
                      struct tally *tally)
{
	const struct destination *destination = recipient->destination;
	struct stretch stretch = unbooked(queue, recipient);

	if (stretch.to == stretch.from)
		return;
	if (recipient_is_ready(recipient))
		timeline_book(&destination->timeline,
		              destination->site ? &destination->site->timeline : NULL, stretch,
		              tally);
	else
		tally_add(tally, recipient_cause(recipient), stretch.to - stretch.from);
}

struct tally recipient_tally(const struct queue *queue, const struct recipient *recipient)
{
	struct tally tally = tally_copy(&recipient->tally);

	book_into(queue, recipient, &tally);
	return tally;
}

/* An attempt that came to nothing took its time for the cause that ended it. */
static void book_attempt(struct queue *queue, struct recipient *recipient, enum cause cause)
{
	struct stretch stretch = unbooked(queue, recipient);

	tally_add(&recipient->tally, cause, stretch.to - stretch.from);
}

/* Of the time that is not booked yet. Most mail waits for a site that had one trouble only: then
 * there is nothing to cut. */
static uint32_t ticks_not_counted(const struct queue *queue, const struct recipient *recipient)
{
	const struct destination *destination = recipient->destination;
	struct stretch stretch = unbooked(queue, recipient);
	struct tally tally = { 0 };
	uint32_t causes, ticks = 0;

	if (!recipient_is_ready(recipient))
		return destination->not_counted & (1U << recipient_cause(recipient))
		               ? stretch.to - stretch.from
		               : 0;
	causes = destination->timeline.causes |
	         (destination->site ? destination->site->timeline.causes : 0);
	if (causes & destination->not_counted) {
		timeline_book(&destination->timeline,
		              destination->site ? &destination->site->timeline : NULL, stretch,
		              &tally);
		ticks = tally_sum_of(&tally, destination->not_counted);
		tally_deinit(&tally);
	}
	return ticks;
}

struct schedule recipient_schedule(const struct queue *queue, const struct recipient *recipient)
{
	const struct destination *destination = recipient->destination;
	struct schedule schedule = { .limits = destination->limits,
		                     .entry = recipient_entry(queue, recipient),
		                     .recipient = recipient };
	int64_t ticks;

	if (destination->not_counted && !recipient_is_final(recipient)) {
		ticks = (int64_t)tally_sum_of(&recipient->tally, destination->not_counted) +
		        ticks_not_counted(queue, recipient);
		schedule.not_counted_us = ticks * TICK_US;
	}
	return schedule;
}

/* Counters. Those that are ready are counted by their destination. */
static void count(struct queue *queue, const struct recipient *recipient, uint64_t amount)
{
	struct destination *destination = recipient->destination;
	enum cause cause = recipient_cause(recipient);

	queue->totals.counts[recipient->state] += amount;
	destination->counts[recipient->state] += amount;
	if (recipient_is_final(recipient) || recipient_is_ready(recipient))
		return;
	queue->totals.by_cause[cause] += amount;
	destination->by_cause[cause] += (uint32_t)amount;
}

/* Between leave and arrive a recipient is in no list, timer or counter. */
static void leave(struct queue *queue, struct recipient *recipient)
{
	book_into(queue, recipient, &recipient->tally);
	heap_remove(&queue->timers, &recipient->timer);
	count(queue, recipient, (uint64_t)-1);
	if (recipient_is_ready(recipient))
		destination_take(queue, recipient);
}

static void arrive(struct queue *queue, struct recipient *recipient)
{
	recipient->since = entry_ticks(recipient_entry(queue, recipient), queue->now_us);
	count(queue, recipient, 1);
	recipient_arm(queue, recipient);
}

/* While its time is not counted, its deadline moves on with the clock. */
static bool is_clock_stopped(const struct recipient *recipient)
{
	return recipient->destination->not_counted & (1U << recipient_cause(recipient));
}

void recipient_arm(struct queue *queue, struct recipient *recipient)
{
	struct schedule schedule = recipient_schedule(queue, recipient);
	int64_t key_us;

	if (recipient->state != RECIPIENT_QUEUED && recipient->state != RECIPIENT_HELD) {
		heap_remove(&queue->timers, &recipient->timer);
		return;
	}
	key_us = schedule_deadline_us(&schedule);
	if (recipient_is_ready(recipient) && !(recipient->flags & RECIPIENT_IS_URGENT))
		key_us = MIN(key_us, schedule_urgent_us(&schedule));
	if (is_clock_stopped(recipient) && key_us > queue->now_us)
		key_us = MAX(key_us, queue->now_us + STOPPED_US);
	if (recipient->state == RECIPIENT_QUEUED) {
		key_us = MIN(key_us, schedule_delay_us(&schedule));
		if (!recipient_is_ready(recipient) && recipient->next)
			key_us = MIN(key_us, entry_us(schedule.entry, recipient->next));
	}
	heap_move(&queue->timers, &recipient->timer, key_us);
}

static void append_ready(struct queue *queue, struct recipient *recipient)
{
	struct schedule schedule = recipient_schedule(queue, recipient);

	recipient->state = RECIPIENT_QUEUED;
	recipient->flags &= (uint16_t)~RECIPIENT_IS_URGENT;
	if (queue->now_us >= schedule_urgent_us(&schedule))
		recipient->flags |= RECIPIENT_IS_URGENT;
	destination_append(queue, recipient);
}

void recipient_make_ready(struct queue *queue, struct recipient *recipient)
{
	leave(queue, recipient);
	append_ready(queue, recipient);
	arrive(queue, recipient);
}

void recipient_enter(struct queue *queue, struct recipient *recipient)
{
	const struct entry *entry = recipient_entry(queue, recipient);

	destination_use(queue, recipient->destination, entry->arrived_us);
	if (recipient->state == RECIPIENT_QUEUED &&
	    entry_us(entry, recipient->next) <= queue->now_us) {
		recipient->next = 0;
		append_ready(queue, recipient);
	}
	arrive(queue, recipient);
	if (recipient_is_ready(recipient) && !queue->is_loading)
		destination_hurt(queue, recipient->destination, 1);
	if (recipient->flags & RECIPIENT_OWES_NOTICE)
		debt_add(queue, recipient);
}

void recipient_wait(struct queue *queue, struct recipient *recipient, int64_t next_us)
{
	const struct entry *entry = recipient_entry(queue, recipient);

	leave(queue, recipient);
	recipient->state = RECIPIENT_QUEUED;
	recipient->next = next_us == INT64_MAX ? 0
	                                       : MAX(1, entry_ticks(entry, next_us + TICK_US - 1));
	arrive(queue, recipient);
}

void recipient_begin_delivery(struct queue *queue, struct recipient *recipient)
{
	leave(queue, recipient);
	recipient->state = RECIPIENT_DELIVERING;
	arrive(queue, recipient);
}

void recipient_hold(struct queue *queue, struct recipient *recipient)
{
	leave(queue, recipient);
	recipient->state = RECIPIENT_HELD;
	arrive(queue, recipient);
}

void recipient_release(struct queue *queue, struct recipient *recipient)
{
	const struct entry *entry = recipient_entry(queue, recipient);
	int64_t next_us = entry_us(entry, recipient->next);

	if (recipient->next && next_us > queue->now_us)
		recipient_wait(queue, recipient, next_us);
	else
		recipient_make_ready(queue, recipient);
}

struct log_entry *recipient_log(struct queue *queue, enum log_kind kind,
                                const struct recipient *recipient)
{
	struct log_entry *log = &actions_add(queue->actions, ACTION_LOG)->log;
	const struct entry *entry = recipient_entry(queue, recipient);
	const struct destination *destination = recipient->destination;
	struct arena *arena = queue->actions->arena;

	log->kind = kind;
	log->id = entry_id(entry);
	log->recipient = recipient->index;
	log->domain = arena_copy(arena, destination->name);
	log->site = site_name(destination->site, arena);
	log->cause = (enum cause)recipient->cause;
	log->age_us = queue->now_us - entry->arrived_us;
	log->attempts = recipient->attempts;
	tally_seconds(&recipient->tally, &log->ledger);
	return log;
}

static void log_final(struct queue *queue, const struct recipient *recipient,
                      const struct outcome *outcome)
{
	enum log_kind kind = recipient->state == RECIPIENT_DELIVERED ? LOGGED_DELIVERED
	                     : recipient->state == RECIPIENT_FAILED  ? LOGGED_FAILED
	                     : recipient->state == RECIPIENT_EXPIRED ? LOGGED_EXPIRED
	                                                             : LOGGED_CANCELLED;

	recipient_log(queue, kind, recipient)->outcome = actions_keep(queue->actions, outcome);
}

static void count_final(struct queue *queue, const struct recipient *recipient)
{
	struct destination *destination = recipient->destination;

	if (recipient->state == RECIPIENT_DELIVERED) {
		queue->totals.delivered++;
		destination->delivered++;
		destination_recover(destination, recipient_entry(queue, recipient)->arrived_us);
	} else if (recipient->state == RECIPIENT_FAILED) {
		queue->totals.failed++;
		destination->failed++;
	} else if (recipient->state == RECIPIENT_EXPIRED) {
		queue->totals.expired++;
		destination->expired++;
		destination_expire(destination);
	}
}

/* The cause that the notice names: what it waited for at the end, unless that was our own doing. */
static void keep_last_cause(struct recipient *recipient)
{
	enum cause now = recipient_cause(recipient);

	if (now != CAUSE_NONE && (!cause_is_ours(now) || recipient->cause == CAUSE_NONE))
		recipient->cause = (uint8_t)now;
}

static void finish_for_good(struct queue *queue, struct recipient *recipient)
{
	struct entry *entry = recipient_entry(queue, recipient);

	ASSERT(entry->left > 0);
	entry->left--;
	destination_leave(queue, recipient->destination, entry->arrived_us);
}

/* Whether the sender is told how it ended. */
static bool wants_notice(const struct recipient *recipient)
{
	if (recipient->state == RECIPIENT_DELIVERED)
		return (recipient->flags & RECIPIENT_DELAY_DONE) && recipient->notify == 0 &&
		       recipient->destination->limits->delivered_notice;
	return (recipient->state == RECIPIENT_FAILED || recipient->state == RECIPIENT_EXPIRED) &&
	       schedule_wants_failure(recipient);
}

void recipient_finish(struct queue *queue, struct recipient *recipient, enum recipient_state state,
                      const struct outcome *outcome)
{
	keep_last_cause(recipient);
	leave(queue, recipient);
	recipient->state = (uint8_t)state;
	recipient->next = 0;
	recipient->flags &= (uint16_t)~RECIPIENT_WISHES;
	recipient->since = entry_ticks(recipient_entry(queue, recipient), queue->now_us);
	count_final(queue, recipient);
	log_final(queue, recipient, outcome);
	if (wants_notice(recipient)) {
		recipient->flags |= RECIPIENT_OWES_NOTICE;
		count(queue, recipient, 1);
		debt_add(queue, recipient);
		return;
	}
	finish_for_good(queue, recipient);
}

void recipient_give_up(struct queue *queue, struct recipient *recipient, enum recipient_state state)
{
	struct entry *entry = recipient_entry(queue, recipient);

	recipient_finish(queue, recipient, state, NULL);
	if (recipient->flags & RECIPIENT_OWES_NOTICE)
		entry_settle(queue, entry, ENTRY_UNCHANGED);
	else
		entry_settle(queue, entry, ENTRY_CHANGED);
}

void recipient_forget_debt(struct queue *queue, struct recipient *recipient)
{
	recipient->flags &= (uint16_t)~RECIPIENT_OWES_NOTICE;
	list_remove(&recipient->node);
	count(queue, recipient, (uint64_t)-1);
	finish_for_good(queue, recipient);
}

/* Commands that came while it was being delivered. Returns whether that settled it. */
static bool grant_wishes(struct queue *queue, struct recipient *recipient,
                         const struct outcome *outcome)
{
	uint16_t wishes = recipient->flags & RECIPIENT_WISHES;

	recipient->flags &= (uint16_t)~RECIPIENT_WISHES;
	if (wishes & RECIPIENT_WISH_CANCEL) {
		recipient_finish(queue, recipient, RECIPIENT_CANCELLED, outcome);
	} else if (wishes & RECIPIENT_WISH_EXPIRE) {
		recipient->flags |= RECIPIENT_BY_OPERATOR;
		recipient_finish(queue, recipient, RECIPIENT_EXPIRED, outcome);
	} else if (recipient_is_late(queue, recipient)) {
		recipient_finish(queue, recipient, RECIPIENT_EXPIRED, outcome);
	} else if (wishes & RECIPIENT_WISH_HOLD) {
		recipient_hold(queue, recipient);
	} else {
		return false;
	}
	return true;
}

/* How long it has waited since greylisting put it off, which its ledger knows. */
static int64_t greylisted_us(const struct recipient *recipient)
{
	return (int64_t)tally_of(&recipient->tally, CAUSE_GREYLISTED) * TICK_US;
}

static void learn_greylisting(const struct recipient *recipient, bool was_taken)
{
	struct site *site = recipient->destination->site;

	if (site && greylisted_us(recipient) > 0 && recipient->cause == CAUSE_GREYLISTED)
		learned_greylisting(&site->learned, greylisted_us(recipient), was_taken);
}

/* Where the wait that a site's greylisting wants is known, the next attempt comes then. */
static int hint_of(const struct recipient *recipient, const struct outcome *outcome)
{
	const struct site *site = recipient->destination->site;
	int64_t waited_us = greylisted_us(recipient), wait_us;

	if (outcome->hint_s > 0 || outcome->cause != CAUSE_GREYLISTED || !site)
		return outcome->hint_s;
	wait_us = learned_wait_us(&site->learned, waited_us);
	return wait_us ? (int)((wait_us - waited_us + US_PER_SECOND - 1) / US_PER_SECOND) : 0;
}

/* An attempt asked for by hand leaves the schedule as it was. */
static int64_t next_after_manual_us(struct queue *queue, const struct recipient *recipient,
                                    int hint_s)
{
	struct schedule schedule = recipient_schedule(queue, recipient);
	int64_t planned_us = entry_us(schedule.entry, recipient->next);

	if (recipient->next && planned_us > queue->now_us)
		return planned_us;
	return schedule_next_us(&schedule, hint_s, queue->now_us, &queue->random);
}

static void reschedule(struct queue *queue, struct recipient *recipient,
                       const struct outcome *outcome)
{
	struct schedule schedule = recipient_schedule(queue, recipient);
	int hint_s = hint_of(recipient, outcome);
	int64_t next_us;

	if (recipient->flags & RECIPIENT_IS_MANUAL) {
		next_us = next_after_manual_us(queue, recipient, hint_s);
	} else {
		next_us = schedule_next_us(&schedule, hint_s, queue->now_us, &queue->random);
		recipient->step = (uint16_t)MIN(recipient->step + 1, UINT16_MAX);
	}
	if (outcome->cause == CAUSE_GREYLISTED && hint_s > 0)
		next_us = MIN(next_us, schedule_return_us(&schedule, hint_s, queue->now_us));
	recipient_wait(queue, recipient, next_us);
}

/* The site's trouble is not the recipient's: it is ready again. A site that stays open all the same
 * is not asked about this recipient at once. */
static void wait_for_site(struct queue *queue, struct recipient *recipient)
{
	const struct destination *destination = recipient->destination;

	if (!destination->site || !site_is_open(destination->site)) {
		recipient_make_ready(queue, recipient);
		return;
	}
	recipient_wait(queue, recipient,
	               queue->now_us + schedule_probe_us(destination->limits, 0, &queue->random));
}

static enum cause cause_of(const struct outcome *outcome)
{
	return outcome->cause ? outcome->cause : CAUSE_NETWORK;
}

static void defer(struct queue *queue, struct recipient *recipient, const struct outcome *outcome)
{
	struct log_entry *log;

	learn_greylisting(recipient, false);
	recipient->cause = (uint8_t)cause_of(outcome);
	if (grant_wishes(queue, recipient, outcome))
		return;
	if (outcome->scope == SCOPE_SITE)
		wait_for_site(queue, recipient);
	else
		reschedule(queue, recipient, outcome);
	recipient->flags &= (uint16_t)~RECIPIENT_IS_MANUAL;
	log = recipient_log(queue, LOGGED_DEFERRED, recipient);
	log->outcome = actions_keep(queue->actions, outcome);
	log->next_us = recipient->next && !recipient_is_ready(recipient)
	                       ? entry_us(recipient_entry(queue, recipient), recipient->next)
	                       : 0;
}

void recipient_take_result(struct queue *queue, struct recipient *recipient,
                           const struct outcome *outcome)
{
	ASSERT(recipient->state == RECIPIENT_DELIVERING);
	if (outcome->result != RESULT_DELIVERED && outcome->result != RESULT_FAILED)
		book_attempt(queue, recipient, cause_of(outcome));
	recipient->attempts = (uint16_t)MIN(recipient->attempts + 1, UINT16_MAX);
	switch (outcome->result) {
	case RESULT_DELIVERED:
		learn_greylisting(recipient, true);
		recipient_finish(queue, recipient, RECIPIENT_DELIVERED, outcome);
		return;
	case RESULT_FAILED:
		recipient_finish(queue, recipient, RECIPIENT_FAILED, outcome);
		return;
	case RESULT_NONE:
	case RESULT_DEFERRED:
		defer(queue, recipient, outcome);
		return;
	}
}

void recipient_take_back(struct queue *queue, struct recipient *recipient, int64_t next_us)
{
	ASSERT(recipient->state == RECIPIENT_DELIVERING);
	book_attempt(queue, recipient, CAUSE_OWN_FAULT);
	if (grant_wishes(queue, recipient, NULL))
		return;
	recipient->cause = CAUSE_OWN_FAULT;
	recipient_wait(queue, recipient, next_us);
}

bool recipient_waits_for_release(const struct recipient *recipient)
{
	return recipient->state == RECIPIENT_QUEUED && !recipient_is_ready(recipient) &&
	       recipient->cause == CAUSE_HELD;
}

/* Its next attempt would come too late, or none is planned, and there is time for one. */
static bool needs_new_plan(const struct queue *queue, const struct recipient *recipient)
{
	struct schedule schedule = recipient_schedule(queue, recipient);
	int64_t last_us = schedule_last_us(&schedule);

	if (recipient->state != RECIPIENT_QUEUED || recipient_is_ready(recipient) ||
	    recipient_waits_for_release(recipient))
		return false;
	return recipient->next == 0 ||
	       (entry_us(schedule.entry, recipient->next) > last_us && queue->now_us < last_us);
}

void recipient_reconsider(struct queue *queue, struct recipient *recipient)
{
	struct schedule schedule = recipient_schedule(queue, recipient);

	if (needs_new_plan(queue, recipient))
		recipient_wait(queue, recipient,
		               schedule_next_us(&schedule, 0, queue->now_us, &queue->random));
	else if (recipient_is_ready(recipient) && (recipient->flags & RECIPIENT_IS_URGENT))
		recipient_make_ready(queue, recipient);
	recipient_arm(queue, recipient);
}

/* Who was told how long we would try is told anew. */
void recipient_extend(struct queue *queue, struct recipient *recipient, int64_t extension_us)
{
	int64_t ticks = extension_us / TICK_US;

	recipient->extension = (int32_t)MAX(-INT32_MAX, MIN(ticks, INT32_MAX));
	recipient->flags &= (uint16_t)~RECIPIENT_DELAY_DONE;
	recipient_reconsider(queue, recipient);
}

static void become_urgent(struct queue *queue, struct recipient *recipient)
{
	book_into(queue, recipient, &recipient->tally); /* as what it is until now: ready */
	destination_take(queue, recipient);
	append_ready(queue, recipient);
}

static void run_timer(struct queue *queue, struct recipient *recipient)
{
	struct entry *entry = recipient_entry(queue, recipient);
	struct schedule schedule;

	book_into(queue, recipient, &recipient->tally); /* so that it is not reckoned each time */
	schedule = recipient_schedule(queue, recipient);

	if (queue->now_us >= schedule_deadline_us(&schedule)) {
		recipient_give_up(queue, recipient, RECIPIENT_EXPIRED);
		return;
	}
	if (recipient_is_ready(recipient) && queue->now_us >= schedule_urgent_us(&schedule))
		become_urgent(queue, recipient);
	if (recipient->next && !recipient_is_ready(recipient) &&
	    entry_us(entry, recipient->next) <= queue->now_us) {
		recipient->next = 0;
		recipient_make_ready(queue, recipient);
		destination_hurt(queue, recipient->destination, 1);
	}
	recipient_arm(queue, recipient);
	if (recipient->state == RECIPIENT_QUEUED && queue->now_us >= schedule_delay_us(&schedule) &&
	    !debt_ask_delay(queue, entry))
		heap_move(&queue->timers, &recipient->timer,
		          MIN(queue->now_us + POSTPONED_US, schedule_deadline_us(&schedule)));
}

void recipient_run_timers(struct queue *queue)
{
	for (int i = 0; i < SLICE_TIMERS; i++) {
		struct heap_node *node = heap_first(&queue->timers);

		if (!node || node->key > queue->now_us)
			return;
		run_timer(queue, CONTAINER_OF(node, struct recipient, timer));
	}
}

static struct bytes encode_state(struct queue *queue, const struct entry *entry)
{
	buffer_clear(&queue->scratch);
	state_encode(queue, entry, &queue->scratch);
	return arena_copy(queue->actions->arena, buffer_bytes(&queue->scratch));
}

static void write_state(struct queue *queue, const struct entry *entry)
{
	struct action *action = actions_add(queue->actions, ACTION_RECORD);

	action->record.id = entry_id(entry);
	action->record.state = encode_state(queue, entry);
}

/* The first recipient that was given up or cancelled; NULL: all were delivered or refused. */
static const struct recipient *first_undelivered(struct entry *entry)
{
	for (uint32_t i = 0; i < entry->recipient_count; i++) {
		const struct recipient *recipient = entry_recipient(entry, i);

		if (recipient->state == RECIPIENT_EXPIRED ||
		    recipient->state == RECIPIENT_CANCELLED)
			return recipient;
	}
	return NULL;
}

static void put_into_vault(struct queue *queue, const struct entry *entry,
                           const struct recipient *recipient)
{
	struct action_vault *vault = &actions_add(queue->actions, ACTION_VAULT)->vault;

	vault->id = entry_id(entry);
	if (!queue->is_loading)
		vault->state = encode_state(queue, entry);
	vault->domain = arena_copy(queue->actions->arena, recipient->destination->name);
	vault->cause = (enum cause)recipient->cause;
	vault->ended_us = entry_us(entry, recipient->since);
	vault->size_bytes = entry->size_bytes;
}

void entry_settle(struct queue *queue, struct entry *entry, enum entry_change change)
{
	const struct recipient *undelivered;

	if (entry->left > 0) {
		if (change == ENTRY_CHANGED)
			write_state(queue, entry);
		return;
	}
	undelivered = first_undelivered(entry);
	if (undelivered && queue->config->vault.keep_us > 0 && !(entry->flags & ENTRY_IS_NOTICE))
		put_into_vault(queue, entry, undelivered);
	else
		actions_add(queue->actions, ACTION_REMOVE)->record.id = entry_id(entry);
	roster_remove(&queue->roster, entry);
	queue->totals.messages--;
}
