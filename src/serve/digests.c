#include "serve/digests.h"
#include "base/alloc.h"
#include "base/log.h"
#include "base/units.h"
#include "report/digest.h"
#include "serve/keeper_own.h"
#include <string.h>

#define NOTE_KIND    'N'
#define NOTE_VERSION 1
#define AGAIN_US     US_PER_MINUTE

/* What was collected of one sender and one domain. */
struct collection {
	struct hash_node by_name;
	struct heap_node timer;
	struct bytes sender, domain; /* behind the struct */
	uint64_t count;              /* messages collected */
	uint64_t ids[DIGEST_NAMED_MAX];
	int id_count;
	char text[];
};

/* A digest that is being made. It goes on by ids, while its collection may grow. */
struct digest_work {
	struct digests *digests;
	struct collection *collection;
	struct digest *digest;
	struct spool_read read;
	struct spool_put put;
	uint64_t count;
	int next, id_count;
};

struct digests {
	struct keeper *keeper;
	struct hash by_name;
	struct heap timers;
	struct timer timer;
	struct digest_work *work; /* one at a time; NULL: none */
	bool has_begun;           /* there is a loop for the timer */
};

static uint64_t key_of(struct bytes sender, struct bytes domain)
{
	uint64_t key = bytes_hash_nocase(domain, bytes_hash_nocase(sender, NOTE_KIND));

	return key & ~(1ULL << 63); /* the upper half is that of sites */
}

static struct collection *find(const struct digests *digests, struct bytes sender,
                               struct bytes domain)
{
	HASH_EACH_MATCH (node, &digests->by_name, key_of(sender, domain)) {
		struct collection *collection = CONTAINER_OF(node, struct collection, by_name);

		if (bytes_equal_nocase(collection->sender, sender) &&
		    bytes_equal_nocase(collection->domain, domain))
			return collection;
	}
	return NULL;
}

static struct collection *create(struct digests *digests, struct bytes sender, struct bytes domain)
{
	struct collection *collection = alloc_zeroed(sizeof *collection + sender.len + domain.len);

	memcpy(collection->text, sender.at, sender.len);
	memcpy(collection->text + sender.len, domain.at, domain.len);
	collection->sender = (struct bytes){ collection->text, sender.len };
	collection->domain = (struct bytes){ collection->text + sender.len, domain.len };
	collection->timer.index = HEAP_NONE;
	hash_insert(&digests->by_name, &collection->by_name, key_of(sender, domain));
	return collection;
}

static void destroy(struct digests *digests, struct collection *collection)
{
	heap_remove(&digests->timers, &collection->timer);
	hash_remove(&digests->by_name, &collection->by_name);
	alloc_free(collection);
}

static int64_t period_us(const struct digests *digests, struct bytes domain)
{
	return config_destination_of(digests->keeper->config, domain)->delay_digest_us;
}

static void timer_is_due(struct timer *timer);

static void set_due(struct digests *digests, struct collection *collection, int64_t due_us)
{
	const struct heap_node *first;

	heap_move(&digests->timers, &collection->timer, due_us);
	first = heap_first(&digests->timers);
	if (digests->has_begun)
		timer_set(&digests->timer, first->key, timer_is_due);
}

/* Notes. */

static void write_note(struct digests *digests, const struct collection *collection)
{
	struct buffer note = { 0 };

	if (collection->count > 0) {
		buffer_put_u8(&note, NOTE_KIND);
		buffer_put_u8(&note, NOTE_VERSION);
		buffer_put_bytes(&note, collection->sender);
		buffer_put_bytes(&note, collection->domain);
		buffer_put_u64(&note, (uint64_t)collection->timer.key);
		buffer_put_u64(&note, collection->count);
		buffer_put_u8(&note, (uint8_t)collection->id_count);
		for (int i = 0; i < collection->id_count; i++)
			buffer_put_u64(&note, collection->ids[i]);
	}
	spool_note(digests->keeper->spool, collection->by_name.hash, buffer_bytes(&note));
	buffer_deinit(&note);
}

bool digests_load(struct digests *digests, uint64_t key, struct bytes note)
{
	struct reader in = { .in = note };
	struct bytes sender, domain;
	struct collection *collection;
	int64_t due_us;
	uint64_t count;
	uint8_t id_count;

	if (reader_u8(&in) != NOTE_KIND)
		return false;
	if (reader_u8(&in) != NOTE_VERSION)
		return true;
	sender = reader_bytes(&in);
	domain = reader_bytes(&in);
	due_us = (int64_t)reader_u64(&in);
	count = reader_u64(&in);
	id_count = reader_u8(&in);
	if (in.is_short || in.in.len != id_count * sizeof(uint64_t) ||
	    id_count > DIGEST_NAMED_MAX || key != key_of(sender, domain) ||
	    find(digests, sender, domain)) {
		log_error("serve", "the note of a digest is damaged: it is dropped");
		return true;
	}
	collection = create(digests, sender, domain);
	collection->count = count;
	while (collection->id_count < id_count)
		collection->ids[collection->id_count++] = reader_u64(&in);
	set_due(digests, collection, due_us);
	return true;
}

void digests_begin(struct digests *digests)
{
	const struct heap_node *first = heap_first(&digests->timers);

	digests->has_begun = true;
	if (first)
		timer_set(&digests->timer, first->key, timer_is_due);
}

/* Collecting. */

/* The one domain of all recipients; empty: there are several, or the sender asked to be told of
 * each. */
static struct bytes common_domain(const struct notice *notice, const struct message *message)
{
	struct bytes domain = { 0 };

	for (uint32_t i = 0; i < notice->count; i++) {
		const struct recipient_address
			*address = &message->recipients[notice->recipients[i].recipient];
		struct bytes own = message_domain(address->address);

		if (address->notify != 0 || (i > 0 && !bytes_equal_nocase(own, domain)))
			return (struct bytes){ 0 };
		domain = own;
	}
	return domain;
}

bool digests_collect(struct digests *digests, const struct notice *notice,
                     const struct message *message)
{
	struct bytes domain = common_domain(notice, message);
	struct collection *collection;

	if (notice->kind != NOTICE_DELAY || domain.len == 0 || period_us(digests, domain) == 0)
		return false;
	collection = find(digests, message->sender, domain);
	if (!collection) {
		if (digests->by_name.count < DIGESTS_MAX)
			set_due(digests, create(digests, message->sender, domain),
			        clock_now_us() + period_us(digests, domain));
		return false;
	}
	collection->count++;
	if (collection->id_count < DIGEST_NAMED_MAX)
		collection->ids[collection->id_count++] = message->id;
	write_note(digests, collection);
	return true;
}

bool digests_forget(struct digests *digests, const struct notice *notice,
                    const struct message *message)
{
	struct bytes domain = common_domain(notice, message);
	struct collection *collection = find(digests, message->sender, domain);
	bool is_being_told = collection && digests->work && digests->work->collection == collection;

	for (int i = is_being_told ? digests->work->id_count : 0;
	     collection && i < collection->id_count; i++) {
		if (collection->ids[i] != message->id)
			continue;
		collection->count--;
		collection->id_count--;
		memmove(collection->ids + i, collection->ids + i + 1,
		        (size_t)(collection->id_count - i) * sizeof *collection->ids);
		write_note(digests, collection);
		return true;
	}
	return false;
}

/* Making one: each message that still waits is read, then the digest is kept. */

static void read_next(struct digest_work *work);

static void end_work(struct digest_work *work, bool is_done)
{
	struct digests *digests = work->digests;
	struct collection *collection = work->collection;
	int64_t period = period_us(digests, collection->domain);

	if (is_done) {
		collection->count -= work->count;
		collection->id_count -= work->id_count;
		memmove(collection->ids, collection->ids + work->id_count,
		        (size_t)collection->id_count * sizeof *collection->ids);
	}
	set_due(digests, collection,
	        clock_now_us() + (is_done ? MAX(period, US_PER_SECOND) : AGAIN_US));
	write_note(digests, collection);
	digest_destroy(work->digest);
	message_release(work->put.message);
	alloc_free(work);
	digests->work = NULL;
	keeper_end_drain(digests->keeper);
}

static void was_put(struct mail *mail)
{
	struct spool_put *put = CONTAINER_OF(mail, struct spool_put, done);
	struct digest_work *work = CONTAINER_OF(put, struct digest_work, put);
	struct keeper *keeper = work->digests->keeper;
	struct event event = { .kind = EVENT_ADDED };

	if (put->result < 0) {
		log_error("serve", "digest was not kept: %s", put->err.text);
	} else {
		event.added.message = put->message;
		keeper->current = put->message;
		keeper_step(keeper, &event);
		keeper->current = NULL;
	}
	end_work(work, put->result == 0);
}

static void finish(struct digest_work *work)
{
	struct keeper *keeper = work->digests->keeper;
	struct notice notice = { .kind = NOTICE_DELAY, .count = (uint32_t)work->count };
	struct event_details details = { .sender = work->collection->sender };

	if (digest_count(work->digest) == 0) { /* none of them waits any more */
		end_work(work, true);
		return;
	}
	details.notice_id = id_make(&keeper->ids, clock_now_us());
	event_log_notice(keeper->log, &notice, &details, clock_now_us());
	work->put.message = digest_finish(work->digest, work->count, details.notice_id);
	work->put.home = thread_mailbox(keeper->thread);
	work->put.done.deliver = was_put;
	spool_put(keeper->spool, &work->put);
}

/* What the queue says of the message now; `notice_out` has none of the recipients that are over or
 * of another domain. */
static void describe(const struct digest_work *work, struct arena *arena, uint64_t id,
                     struct notice *notice_out)
{
	const struct queue *queue = work->digests->keeper->queue;
	struct destination_view destination;
	struct message_view view;

	*notice_out = (struct notice){ .id = id, .kind = NOTICE_DELAY };
	if (!queue_view_message(queue, id, clock_now_us(), arena, &view) ||
	    !queue_view_destination(queue, work->collection->domain, clock_now_us(), &destination))
		return;
	notice_out->recipients = arena_alloc(arena,
	                                     view.recipient_count * sizeof *notice_out->recipients);
	for (uint32_t i = 0; i < view.recipient_count; i++) {
		const struct recipient_view *recipient = &view.recipients[i];

		if (recipient->state == RECIPIENT_QUEUED &&
		    bytes_equal_nocase(recipient->domain, work->collection->domain))
			notice_out->recipients[notice_out->count++] = (struct notice_recipient){
				.recipient = recipient->recipient,
				.state = recipient->state,
				.cause = recipient->cause,
				.attempts = recipient->attempts,
				.deadline_us = recipient->deadline_us,
				.next_us = recipient->next_us,
				.ledger = recipient->ledger,
				.site_outcome = destination.route ? destination.site.last_failure
				                                  : NULL,
				.site_outcome_us = destination.route
				                           ? destination.site.last_failure_us
				                           : 0,
				.text = *destination.route_text ? destination.route_text : NULL,
			};
	}
}

static void was_read(struct mail *mail)
{
	struct spool_read *read = CONTAINER_OF(mail, struct spool_read, done);
	struct digest_work *work = CONTAINER_OF(read, struct digest_work, read);
	struct arena *arena = arena_create(0);
	struct history history = { 0 };
	struct notice notice;
	struct err err = { 0 };

	describe(work, arena, read->id, &notice);
	if (read->result == 0 && history_decode(buffer_bytes(&read->history), &history, &err) < 0)
		log_error("serve", "history of a message to report: %s", err.text);
	if (read->result == 0 && notice.count > 0)
		digest_add(work->digest,
		           &(struct report_request){ .config = work->digests->keeper->config,
		                                     .message = read->message,
		                                     .history = &history,
		                                     .notice = &notice,
		                                     .now_us = clock_now_us() });
	history_deinit(&history);
	arena_destroy(arena);
	message_release(read->message);
	buffer_deinit(&read->state);
	buffer_deinit(&read->history);
	read_next(work);
}

static void read_next(struct digest_work *work)
{
	struct keeper *keeper = work->digests->keeper;

	if (work->next == work->id_count) {
		finish(work);
		return;
	}
	work->read = (struct spool_read){ .id = work->collection->ids[work->next++],
		                          .home = thread_mailbox(keeper->thread) };
	work->read.done.deliver = was_read;
	spool_read(keeper->spool, &work->read);
}

static void begin_work(struct digests *digests, struct collection *collection)
{
	struct digest_work *work = alloc_zeroed(sizeof *work);

	work->digests = digests;
	work->collection = collection;
	work->count = collection->count;
	work->id_count = collection->id_count;
	work->digest = digest_create(digests->keeper->config, collection->sender,
	                             collection->domain, clock_now_us());
	digests->work = work;
	heap_remove(&digests->timers, &collection->timer);
	read_next(work);
}

static void timer_is_due(struct timer *timer)
{
	struct digests *digests = CONTAINER_OF(timer, struct digests, timer);
	struct heap_node *node;

	while (!digests->work && !digests->keeper->is_draining &&
	       (node = heap_first(&digests->timers)) && node->key <= clock_now_us()) {
		struct collection *collection = CONTAINER_OF(node, struct collection, timer);

		if (collection->count > 0)
			begin_work(digests, collection);
		else
			destroy(digests, collection);
	}
	node = heap_first(&digests->timers);
	/* The end of the work sets it; and while all comes to its end, the next start. */
	if (node && !digests->work && !digests->keeper->is_draining)
		timer_set(&digests->timer, node->key, timer_is_due);
}

struct digests *digests_create(struct keeper *keeper)
{
	struct digests *digests = alloc_zeroed(sizeof *digests);

	digests->keeper = keeper;
	return digests;
}

void digests_destroy(struct digests *digests)
{
	if (!digests)
		return;
	for (struct hash_node *node; (node = hash_each(&digests->by_name, NULL));)
		destroy(digests, CONTAINER_OF(node, struct collection, by_name));
	hash_deinit(&digests->by_name);
	heap_deinit(&digests->timers);
	alloc_free(digests);
}

int digests_busy(const struct digests *digests)
{
	return digests->work != NULL;
}
