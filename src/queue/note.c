#include "queue/note.h"
#include "base/alloc.h"
#include "base/units.h"
#include "model/attempt.h"
#include "queue/destination.h"
#include "queue/site.h"
#include <string.h>

#define NOTE_VERSION 2
#define KEY_OF_SITE  (1ULL << 63)
#define REASON_MAX   1000

enum note_kind { NOTE_SITE = 'S', NOTE_DESTINATION = 'D', NOTE_SUSPENSION = 'A' };

static uint64_t key_of_name(const char *prefix, struct bytes name)
{
	return bytes_hash(name, bytes_hash(bytes_of(prefix), 0)) & ~KEY_OF_SITE;
}

static uint64_t key_of_site(const struct site *site)
{
	return site->by_hash.hash | KEY_OF_SITE;
}

/* `note` is the queue's scratch buffer; empty: the note is to be removed. */
static void emit(struct queue *queue, uint64_t key, const struct buffer *note)
{
	struct action *action = actions_add(queue->actions, ACTION_NOTE);

	action->note.key = key;
	action->note.bytes = arena_copy(queue->actions->arena, buffer_bytes(note));
}

static struct buffer *begin(struct queue *queue, enum note_kind kind)
{
	buffer_clear(&queue->scratch);
	buffer_put_u8(&queue->scratch, (uint8_t)kind);
	buffer_put_u8(&queue->scratch, NOTE_VERSION);
	return &queue->scratch;
}

static void emit_removal(struct queue *queue, uint64_t key)
{
	const struct buffer none = { 0 };

	emit(queue, key, &none);
}

static void put_timeline(struct buffer *out, const struct timeline *timeline)
{
	buffer_put_u16(out, timeline->count);
	for (uint16_t i = 0; i < timeline->count; i++) {
		buffer_put_u64(out, (uint64_t)timeline->spans[i].since_us);
		buffer_put_u8(out, timeline->spans[i].cause);
	}
}

static void put_outcome(struct buffer *out, const struct outcome *outcome)
{
	struct attempt attempt = { 0 };
	struct history history = { .attempts = &attempt, .count = 1 };
	struct buffer encoded = { 0 };

	if (outcome) {
		attempt.outcome = *outcome;
		history_encode(&history, &encoded);
	}
	buffer_put_bytes(out, buffer_bytes(&encoded));
	buffer_deinit(&encoded);
}

static void put_learned(struct buffer *out, const struct learned *learned)
{
	buffer_put_u64(out, (uint64_t)learned->pace.gap_us);
	buffer_put_u64(out, (uint64_t)learned->base_gap_us);
	buffer_put_u64(out, (uint64_t)learned->limited_us);
	buffer_put_u32(out, learned->connections);
	buffer_put_u64(out, (uint64_t)learned->greylisting_us);
}

void note_write_site(struct queue *queue, struct site *site)
{
	struct buffer *out = begin(queue, NOTE_SITE);

	buffer_put_u64(out, site->by_hash.hash);
	buffer_put_u8(out, (uint8_t)(site->state == SITE_PROBING ? SITE_CLOSED : site->state));
	buffer_put_u8(out, (uint8_t)site->cause);
	buffer_put_u64(out, (uint64_t)site->since_us);
	buffer_put_u32(out, site->probes);
	buffer_put_u64(out, (uint64_t)site->probe.key);
	buffer_put_u64(out, (uint64_t)site->last_failure_us);
	buffer_put_u64(out, (uint64_t)site->last_success_us);
	buffer_put_u64(out, (uint64_t)(site->pace.gap_us ? site->pace.due_us : 0));
	put_learned(out, &site->learned);
	incidents_encode(&site->incidents, out);
	put_outcome(out, site->last_failure);
	put_timeline(out, &site->timeline);
	site->has_note = true;
	emit(queue, key_of_site(site), out);
}

void note_write_destination(struct queue *queue, struct destination *destination)
{
	struct buffer *out = begin(queue, NOTE_DESTINATION);

	buffer_put_bytes(out, destination->name);
	buffer_put_u8(out, destination->has_resolved);
	buffer_put_u8(out, destination->site != NULL);
	buffer_put_u64(out, destination->site ? destination->site->by_hash.hash : 0);
	buffer_put_u64(out, (uint64_t)destination->closed_since_us);
	buffer_put_u8(out, (uint8_t)destination->closed_cause);
	buffer_put_u8(out, destination->suspension.is_set);
	buffer_put_u64(out, (uint64_t)destination->suspension.since_us);
	buffer_put_bytes(out, bytes_first(bytes_of(destination->suspension.reason), REASON_MAX));
	buffer_put_u64(out, (uint64_t)destination->moved_us);
	buffer_put_u32(out, destination->moved_waiting);
	buffer_put_bytes(out, bytes_of(destination->moved_from));
	incidents_encode(&destination->incidents, out);
	put_timeline(out, &destination->timeline);
	destination->has_note = true;
	emit(queue, key_of_name("d:", destination->name), out);
}

void note_write_suspension(struct queue *queue)
{
	uint64_t key = key_of_name("a:", (struct bytes){ 0 });
	struct buffer *out;

	if (!queue->suspension.is_set) {
		emit_removal(queue, key);
		return;
	}
	out = begin(queue, NOTE_SUSPENSION);
	buffer_put_u64(out, (uint64_t)queue->suspension.since_us);
	buffer_put_bytes(out, bytes_first(bytes_of(queue->suspension.reason), REASON_MAX));
	emit(queue, key, out);
}

void note_remove_site(struct queue *queue, struct site *site)
{
	if (site->has_note)
		emit_removal(queue, key_of_site(site));
	site->has_note = false;
}

void note_remove_destination(struct queue *queue, struct destination *destination)
{
	if (destination->has_note)
		emit_removal(queue, key_of_name("d:", destination->name));
	destination->has_note = false;
}

static bool read_timeline(struct reader *in, int cause_limit, struct timeline *timeline)
{
	uint16_t count = reader_u16(in);
	int64_t before_us = INT64_MIN;

	if (count > TIMELINE_SPANS_MAX)
		return false;
	for (uint16_t i = 0; i < count; i++) {
		int64_t since_us = (int64_t)reader_u64(in);
		uint8_t cause = reader_u8(in);

		if (in->is_short || cause >= cause_limit || since_us <= before_us || since_us < 0)
			return false;
		timeline_set(timeline, cause, since_us);
		before_us = since_us;
	}
	return in->in.len == 0 && !in->is_short;
}

static struct outcome *read_outcome(struct reader *in)
{
	struct bytes encoded = reader_bytes(in);
	struct history history = { 0 };
	struct outcome *outcome = NULL;

	if (encoded.len > 0 && history_decode(encoded, &history, NULL) == 0 && history.count == 1) {
		outcome = alloc(sizeof *outcome);
		*outcome = history.attempts[0].outcome;
	}
	history_deinit(&history);
	return outcome;
}

struct site_note {
	uint64_t hash;
	uint8_t state, cause;
	int64_t since_us, probe_us, failure_us, success_us, due_us;
	uint32_t probes;
	struct learned learned;
	struct incidents incidents;
	struct outcome *outcome;
	struct timeline timeline;
};

/* A site that was closed stays closed, and is probed when it would have been, or now. */
static void restore_site(struct queue *queue, struct site_note *note)
{
	struct site *site = site_find(queue, note->hash);

	if (!site)
		site = site_create(queue, note->hash);
	if (site->has_note || site->busy > 0)
		return;
	site->has_note = true;
	site->cause = (enum cause)note->cause;
	site->since_us = note->since_us;
	site->probes = note->probes;
	site->last_failure_us = note->failure_us;
	site->last_success_us = note->success_us;
	site->last_failure = note->outcome;
	note->outcome = NULL;
	if (note->timeline.count > 0) {
		timeline_deinit(&site->timeline);
		site->timeline = note->timeline;
		note->timeline = (struct timeline){ 0 };
	}
	site->learned = note->learned;
	if (note->due_us > 0)
		site->pace.due_us = note->due_us + PACE_NOTED_US;
	site->incidents = note->incidents;
	note->incidents = (struct incidents){ 0 };
	site->state = (enum site_state)note->state;
	if (site->state == SITE_RECOVERING)
		site->window = 1; /* slow start begins anew */
	if (site->state == SITE_CLOSED) {
		queue->totals.sites_closed++;
		site_probe_at(queue, site, note->probe_us);
	}
	site_touch(queue, site);
}

/* Rates and waits are counted anew: what was sent just before is not known. */
static void read_learned(struct reader *in, struct learned *learned)
{
	learned->pace.gap_us = (int64_t)reader_u64(in);
	learned->base_gap_us = (int64_t)reader_u64(in);
	learned->limited_us = (int64_t)reader_u64(in);
	learned->connections = reader_u32(in);
	learned->greylisting_us = (int64_t)reader_u64(in);
}

static bool is_legal(const struct site_note *note)
{
	const struct learned *learned = &note->learned;

	if (note->state == SITE_NEVER || note->state == SITE_PROBING || note->state >= SITE_STATES)
		return false;
	if (learned->pace.gap_us < 0 || learned->pace.gap_us > US_PER_DAY ||
	    learned->base_gap_us < learned->pace.gap_us || learned->base_gap_us > US_PER_DAY ||
	    learned->limited_us < 0)
		return false;
	return learned->connections <= UINT16_MAX && learned->greylisting_us >= 0 &&
	       learned->greylisting_us <= US_PER_DAY && note->cause < CAUSE_COUNT &&
	       note->since_us >= 0 && note->due_us >= 0 && note->due_us < INT64_MAX / 2;
}

static void load_site(struct queue *queue, struct reader *in)
{
	struct site_note note = { 0 };
	bool has_incidents;

	note.hash = reader_u64(in);
	note.state = reader_u8(in);
	note.cause = reader_u8(in);
	note.since_us = (int64_t)reader_u64(in);
	note.probes = reader_u32(in);
	note.probe_us = (int64_t)reader_u64(in);
	note.failure_us = (int64_t)reader_u64(in);
	note.success_us = (int64_t)reader_u64(in);
	note.due_us = (int64_t)reader_u64(in);
	read_learned(in, &note.learned);
	has_incidents = incidents_decode(in, &note.incidents);
	note.outcome = read_outcome(in);
	if (has_incidents && read_timeline(in, CAUSE_COUNT, &note.timeline) && is_legal(&note))
		restore_site(queue, &note);
	incidents_deinit(&note.incidents);
	alloc_free(note.outcome);
	timeline_deinit(&note.timeline);
}

struct destination_note {
	struct bytes name, reason;
	uint8_t has_resolved, has_site, closed_cause, is_suspended;
	uint64_t site;
	int64_t closed_since_us, suspended_us, moved_us;
	uint32_t moved_waiting;
	struct bytes moved_from;
	struct incidents incidents;
	struct timeline timeline;
};

static void restore_destination(struct queue *queue, struct destination_note *note)
{
	struct destination *destination = destination_obtain(queue, note->name);
	struct site *site = NULL;

	if (destination->has_note || destination->unfinished > 0)
		return;
	if (note->has_site) {
		site = site_find(queue, note->site);
		destination_attach(queue, destination,
		                   site ? site : site_create(queue, note->site));
	}
	destination->has_note = true;
	destination->has_resolved = note->has_resolved;
	destination->closed_cause = (enum cause)note->closed_cause;
	destination->closed_since_us = note->closed_since_us;
	if (note->closed_since_us > 0)
		destination->state = DESTINATION_CLOSED;
	destination->suspension.is_set = note->is_suspended;
	destination->suspension.since_us = note->suspended_us;
	if (note->is_suspended)
		destination->suspension.reason = strndup(note->reason.at ? note->reason.at : "",
		                                         note->reason.len);
	destination->incidents = note->incidents;
	note->incidents = (struct incidents){ 0 };
	destination->moved_us = note->moved_us;
	destination->moved_waiting = note->moved_waiting;
	if (note->moved_us > 0)
		destination->moved_from = strndup(note->moved_from.at ? note->moved_from.at : "",
		                                  note->moved_from.len);
	if (note->timeline.count > 0 &&
	    (destination->site || timeline_cause(&note->timeline) != CAUSE_OF_SITE)) {
		timeline_deinit(&destination->timeline);
		destination->timeline = note->timeline;
		note->timeline = (struct timeline){ 0 };
	}
	destination_settle(queue, destination);
}

static void load_destination(struct queue *queue, struct reader *in)
{
	struct destination_note note = { 0 };
	bool has_incidents;

	note.name = reader_bytes(in);
	note.has_resolved = reader_u8(in);
	note.has_site = reader_u8(in);
	note.site = reader_u64(in);
	note.closed_since_us = (int64_t)reader_u64(in);
	note.closed_cause = reader_u8(in);
	note.is_suspended = reader_u8(in);
	note.suspended_us = (int64_t)reader_u64(in);
	note.reason = reader_bytes(in);
	note.moved_us = (int64_t)reader_u64(in);
	note.moved_waiting = reader_u32(in);
	note.moved_from = reader_bytes(in);
	has_incidents = incidents_decode(in, &note.incidents);
	if (has_incidents && read_timeline(in, CAUSE_COUNT + 1, &note.timeline) &&
	    note.name.len > 0 && note.closed_cause < CAUSE_COUNT && note.closed_since_us >= 0 &&
	    note.has_site <= 1 && note.has_resolved <= 1 && note.is_suspended <= 1 &&
	    note.suspended_us >= 0 && note.moved_us >= 0)
		restore_destination(queue, &note);
	incidents_deinit(&note.incidents);
	timeline_deinit(&note.timeline);
}

static void load_suspension(struct queue *queue, struct reader *in)
{
	int64_t since_us = (int64_t)reader_u64(in);
	struct bytes reason = reader_bytes(in);

	if (in->is_short || queue->suspension.is_set || since_us < 0)
		return;
	queue->suspension.is_set = true;
	queue->suspension.since_us = since_us;
	queue->suspension.reason = strndup(reason.at ? reason.at : "", reason.len);
}

/* The key is not looked at: the note says itself whose it is. */
void note_load(struct queue *queue, uint64_t key, struct bytes bytes)
{
	struct reader in = { .in = bytes };
	uint8_t kind = reader_u8(&in);

	(void)key;
	if (reader_u8(&in) != NOTE_VERSION)
		return;
	if (kind == NOTE_SITE)
		load_site(queue, &in);
	else if (kind == NOTE_DESTINATION)
		load_destination(queue, &in);
	else if (kind == NOTE_SUSPENSION)
		load_suspension(queue, &in);
}
