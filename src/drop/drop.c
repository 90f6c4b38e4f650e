#include "drop/drop.h"
#include "mail/header.h"
#include "smtp/address.h"
#include "smtp/dot.h"
#include "smtp/xtext.h"
#include <string.h>

#define MAGIC              BYTES_LITERAL("outlast-drop 1\n")
#define ENVID_BYTES_MAX    100 /* RFC 3461 5.4 */
#define ORIGINAL_BYTES_MAX 500
#define NOTIFY_ALL         (NOTIFY_NEVER | NOTIFY_SUCCESS | NOTIFY_FAILURE | NOTIFY_DELAY)

void drop_encode(const struct message *message, struct buffer *out)
{
	struct buffer envelope = { 0 };

	message_encode_envelope(message, &envelope);
	buffer_append(out, MAGIC);
	buffer_put_bytes(out, buffer_bytes(&envelope));
	buffer_put_u64(out, bytes_hash(message->body.data, 0));
	buffer_put_u64(out, message->body.data.len);
	buffer_append(out, message->body.data);
	buffer_deinit(&envelope);
}

static int split(struct bytes in, struct bytes *envelope_out, struct bytes *content_out,
                 struct err *err)
{
	struct reader reader = { .in = bytes_from(in, MAGIC.len) };
	uint64_t hash, length;

	if (!bytes_starts_with(in, MAGIC))
		return err_set(err, ERR_INVALID, "it is not a drop file");
	*envelope_out = reader_bytes(&reader);
	hash = reader_u64(&reader);
	length = reader_u64(&reader);
	*content_out = reader.in;
	if (reader.is_short || length != reader.in.len || bytes_hash(reader.in, 0) != hash)
		return err_set(err, ERR_INVALID, "it is cut off or damaged");
	if (envelope_out->len > DROP_HEAD_BYTES_MAX)
		return err_set(err, ERR_TOO_LONG, "its envelope is too large");
	return 0;
}

bool drop_address(struct bytes text, struct bytes domain, struct arena *arena,
                  struct bytes *address_out)
{
	struct buffer whole = { 0 }, address = { 0 };
	struct mailbox_parts parts;
	bool is_good;

	buffer_append(&whole, text);
	if (domain.len > 0 && bytes_find_last_char(text, '@') < 0) {
		buffer_append_char(&whole, '@');
		buffer_append(&whole, domain);
	}
	is_good = mailbox_parse(buffer_bytes(&whole), true, &parts) == MAILBOX_OK &&
	          parts.domain.len > 0;
	if (is_good) {
		buffer_append(&address, parts.local);
		buffer_append_char(&address, '@');
		if (parts.is_literal)
			buffer_append(&address, parts.domain);
		else
			is_good = domain_to_ascii(parts.domain, &address);
	}
	if (is_good)
		*address_out = arena_copy(arena, buffer_bytes(&address));
	buffer_deinit(&whole);
	buffer_deinit(&address);
	return is_good;
}

/* The address as it must be by now: nothing is added any more. */
static bool is_address(struct bytes text)
{
	struct arena *arena = arena_create(0);
	struct bytes address;
	bool is_one = drop_address(text, bytes_of(NULL), arena, &address) &&
	              bytes_equal(text, address);

	arena_destroy(arena);
	return is_one;
}

static bool is_recipient(const struct recipient_address *recipient)
{
	struct bytes rest = recipient->original, type = bytes_split(&rest, ';');

	if (!is_address(recipient->address) || (recipient->notify & ~NOTIFY_ALL))
		return false;
	return recipient->original.len == 0 ||
	       (recipient->original.len <= ORIGINAL_BYTES_MAX && type.len > 0 &&
	        xtext_is_valid(type) && xtext_is_valid(rest));
}

static int check_envelope(const struct message *message, const struct config_receive *limits,
                          struct err *err)
{
	if (message->recipient_count == 0)
		return err_set(err, ERR_INVALID, "it has no recipients");
	if (message->recipient_count > (uint32_t)limits->recipients_per_message)
		return err_set(err, ERR_TOO_LONG, "it has %u recipients; %d are the limit",
		               message->recipient_count, limits->recipients_per_message);
	if (message->sender.len > 0 && !is_address(message->sender))
		return err_set(err, ERR_INVALID, "its sender is no address");
	for (uint32_t i = 0; i < message->recipient_count; i++)
		if (!is_recipient(&message->recipients[i]))
			return err_set(err, ERR_INVALID, "recipient %u is no address", i + 1);
	if (message->envelope_id.len > ENVID_BYTES_MAX || !xtext_is_valid(message->envelope_id))
		return err_set(err, ERR_INVALID, "its envelope id is malformed");
	if (message->dsn_return > RETURN_HEADERS || message->body_type > BODY_8BITMIME)
		return err_set(err, ERR_INVALID, "its envelope is malformed");
	return 0;
}

static uint32_t scan(struct bytes content)
{
	struct dot_decoder decoder = { .is_verbatim = true };
	struct buffer copy = { 0 };
	bool is_end;

	dot_decode(&decoder, content, &copy, &is_end);
	dot_close(&decoder);
	buffer_deinit(&copy);
	return decoder.flags;
}

static int check_content(struct bytes content, const struct config_receive *limits, struct err *err)
{
	struct bytes headers = bytes_first(content, header_length(content));

	if ((int64_t)content.len > limits->message_size_bytes)
		return err_set(err, ERR_TOO_LONG, "it has %zu bytes; %lld are the limit",
		               content.len, (long long)limits->message_size_bytes);
	if ((int64_t)headers.len > limits->header_bytes)
		return err_set(err, ERR_TOO_LONG, "its header section is larger than is taken");
	if (header_count(headers, bytes_of("Received")) > limits->hops)
		return err_set(err, ERR_INVALID, "too many hops: this looks like a mail loop");
	if (scan(content) & (CONTENT_BARE_CR | CONTENT_BARE_LF | CONTENT_NUL))
		return err_set(err, ERR_INVALID, "it has a CR or LF alone, or a NUL");
	return 0;
}

/* What the relay alone may say is as for a message that just came. */
static void distrust(struct message *message, int64_t now_us)
{
	message->flags &= MESSAGE_SMTPUTF8;
	message->client = bytes_of(NULL);
	message->deliver_by_us = 0;
	message->release_us = 0;
	message->priority = 0;
	if (message->arrived_us <= 0 || message->arrived_us > now_us)
		message->arrived_us = now_us;
}

int drop_decode(struct bytes in, const struct config_receive *limits, int64_t now_us,
                struct message **message_out, struct err *err)
{
	struct bytes envelope, content;
	struct message *message = NULL;
	int result = split(in, &envelope, &content, err);

	if (result == 0)
		result = message_decode_envelope(envelope, &message, err);
	if (result == 0)
		result = check_envelope(message, limits, err);
	if (result == 0)
		result = check_content(content, limits, err);
	if (result < 0) {
		message_release(message);
		return result == ERR_CORRUPT ? ERR_INVALID : result;
	}
	distrust(message, now_us);
	message->body.data = arena_copy(message->arena, content);
	*message_out = message;
	return 0;
}

void drop_seal(struct message *message, struct bytes field)
{
	struct buffer content = { 0 };
	uint32_t found;

	buffer_append(&content, field);
	buffer_append(&content, message->body.data);
	message->body.data = arena_copy(message->arena, buffer_bytes(&content));
	message->body.size_bytes = (int64_t)content.len;
	buffer_deinit(&content);
	message->header_bytes = (uint32_t)header_length(message->body.data);
	found = scan(message->body.data);
	if (found & CONTENT_8BIT)
		message->flags |= MESSAGE_HAS_8BIT;
	if (found & CONTENT_LONG_LINE)
		message->flags |= MESSAGE_HAS_LONG_LINES;
	if (header_is_automatic(bytes_first(message->body.data, message->header_bytes)))
		message->flags |= MESSAGE_IS_AUTOMATIC;
}
