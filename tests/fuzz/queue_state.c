/* Whatever a message's state or a note on disk has become: the queue loads it or refuses it, keeps
 * the ledger's sum, goes on, and what it writes then can be read again. */
#include "base/assert.h"
#include "base/units.h"
#include "queue/queue.h"
#include "queue/state.h"

#define START_US (1700000000LL * US_PER_SECOND)

static struct config *config;
static struct message *message;

static void prepare(void)
{
	struct buffer problems = { 0 };

	config_parse("fuzz", bytes_of("defaults { lifetime 1h; }"), &config, &problems);
	message = message_create();
	message->id = 1;
	message->arrived_us = START_US;
	message->sender = bytes_of("a@out.test");
	message->recipient_count = 2;
	message->recipients = arena_alloc(message->arena, 2 * sizeof *message->recipients);
	message->recipients[0].address = bytes_of("x@b.test");
	message->recipients[1].address = bytes_of("y@c.test");
}

static void check_encoding(const struct queue *queue)
{
	const struct entry *entry = roster_find(&queue->roster, 1);
	struct roster copies = { 0 };
	struct buffer state = { 0 };

	if (entry) {
		state_encode(queue, entry, &state);
		ASSERT(state_decode(buffer_bytes(&state), roster_add(&copies, 1, 2)));
	}
	roster_deinit(&copies);
	buffer_deinit(&state);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct event event = { .kind = EVENT_NOTE_LOADED };
	struct actions actions;
	struct queue *queue;

	if (!config)
		prepare();
	actions_init(&actions);
	queue = queue_create(config, 1, 1);
	event.note.bytes = (struct bytes){ (const char *)data, size };
	queue_step(queue, &event, START_US, &actions);
	event = (struct event){ .kind = EVENT_LOADED };
	event.added.message = message;
	event.added.state = (struct bytes){ (const char *)data, size };
	queue_step(queue, &event, START_US + US_PER_MINUTE, &actions);
	check_encoding(queue);
	for (int i = 0; i < 100; i++)
		queue_step(queue, &(struct event){ .kind = EVENT_TIME },
		           START_US + i * US_PER_MINUTE, &actions);
	queue_destroy(queue);
	actions_deinit(&actions);
	return 0;
}
