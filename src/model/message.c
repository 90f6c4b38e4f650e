#include "model/message.h"
#include "base/alloc.h"
#include "base/assert.h"
#include <stdatomic.h>

#define ENVELOPE_VERSION         2
#define ENVELOPE_WITHOUT_RELEASE 1 /* as the first versions wrote it */

/* The reference count stands before the message, so that the public struct holds facts only. */
struct counted {
	atomic_uint references;
	struct message message;
};

static struct counted *counted_of(struct message *message)
{
	return CONTAINER_OF(message, struct counted, message);
}

struct message *message_create(void)
{
	struct arena *arena = arena_create(1024);
	struct counted *counted = arena_alloc(arena, sizeof *counted);

	atomic_init(&counted->references, 1);
	counted->message.arena = arena;
	return &counted->message;
}

struct message *message_acquire(struct message *message)
{
	atomic_fetch_add_explicit(&counted_of(message)->references, 1, memory_order_relaxed);
	return message;
}

void message_release(struct message *message)
{
	unsigned before;

	if (!message)
		return;
	before = atomic_fetch_sub_explicit(&counted_of(message)->references, 1,
	                                   memory_order_acq_rel);
	ASSERT(before > 0);
	if (before == 1)
		arena_destroy(message->arena);
}

static void encode_recipient(const struct recipient_address *recipient, struct buffer *out)
{
	buffer_put_bytes(out, recipient->address);
	buffer_put_bytes(out, recipient->original);
	buffer_put_u8(out, recipient->notify);
}

void message_encode_envelope(const struct message *message, struct buffer *out)
{
	buffer_put_u8(out, ENVELOPE_VERSION);
	buffer_put_u64(out, (uint64_t)message->arrived_us);
	buffer_put_u64(out, (uint64_t)message->body.size_bytes);
	buffer_put_u32(out, message->header_bytes);
	buffer_put_u32(out, message->flags);
	buffer_put_u8(out, (uint8_t)message->body_type);
	buffer_put_u8(out, (uint8_t)message->dsn_return);
	buffer_put_u8(out, (uint8_t)message->priority);
	buffer_put_u64(out, (uint64_t)message->deliver_by_us);
	buffer_put_u64(out, (uint64_t)message->release_us);
	buffer_put_bytes(out, message->sender);
	buffer_put_bytes(out, message->envelope_id);
	buffer_put_bytes(out, message->client);
	buffer_put_bytes(out, bytes_of(message->body.path));
	buffer_put_u32(out, message->recipient_count);
	for (uint32_t i = 0; i < message->recipient_count; i++)
		encode_recipient(&message->recipients[i], out);
}

static void decode_recipients(struct reader *reader, struct message *message)
{
	message->recipients = arena_alloc(message->arena,
	                                  message->recipient_count * sizeof *message->recipients);
	for (uint32_t i = 0; i < message->recipient_count; i++) {
		struct recipient_address *recipient = &message->recipients[i];

		recipient->address = arena_copy(message->arena, reader_bytes(reader));
		recipient->original = arena_copy(message->arena, reader_bytes(reader));
		recipient->notify = reader_u8(reader);
	}
}

/* True if every value is one that message_encode_envelope could have written. */
static bool has_sound_values(const struct message *message)
{
	return message->body_type <= BODY_BINARYMIME && message->dsn_return <= RETURN_HEADERS &&
	       message->body.size_bytes >= 0 && message->header_bytes <= message->body.size_bytes &&
	       message->recipient_count >= 1 && message->recipient_count <= MESSAGE_RECIPIENTS_MAX;
}

int message_decode_envelope(struct bytes in, struct message **message_out, struct err *err)
{
	struct reader reader = { .in = in };
	struct message *message;
	struct bytes path;
	uint8_t version;

	version = reader_u8(&reader);
	if (version != ENVELOPE_VERSION && version != ENVELOPE_WITHOUT_RELEASE)
		return err_set(err, ERR_CORRUPT, "envelope has an unknown version");
	message = message_create();
	message->arrived_us = (int64_t)reader_u64(&reader);
	message->body.size_bytes = (int64_t)reader_u64(&reader);
	message->header_bytes = reader_u32(&reader);
	message->flags = reader_u32(&reader);
	message->body_type = reader_u8(&reader);
	message->dsn_return = reader_u8(&reader);
	message->priority = (int8_t)reader_u8(&reader);
	message->deliver_by_us = (int64_t)reader_u64(&reader);
	if (version != ENVELOPE_WITHOUT_RELEASE)
		message->release_us = (int64_t)reader_u64(&reader);
	message->sender = arena_copy(message->arena, reader_bytes(&reader));
	message->envelope_id = arena_copy(message->arena, reader_bytes(&reader));
	message->client = arena_copy(message->arena, reader_bytes(&reader));
	path = reader_bytes(&reader);
	if (path.len > 0)
		message->body.path = (char *)arena_copy(message->arena, path).at;
	message->recipient_count = reader_u32(&reader);
	if (!has_sound_values(message) || reader.is_short)
		goto corrupt;
	decode_recipients(&reader, message);
	if (reader.is_short || reader.in.len != 0)
		goto corrupt;
	*message_out = message;
	return 0;
corrupt:
	message_release(message);
	return err_set(err, ERR_CORRUPT, "envelope is cut short or has impossible values");
}

struct bytes message_domain(struct bytes address)
{
	ptrdiff_t at = bytes_find_last_char(address, '@');

	return at < 0 ? (struct bytes){ 0 } : bytes_from(address, (size_t)at + 1);
}
