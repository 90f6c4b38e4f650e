#include "migrate/found.h"
#include "drop/drop.h"
#include <string.h>

void found_init(struct found *found, size_t content_bytes_max)
{
	*found = (struct found){ .message = message_create(), .attempts = FOUND_ATTEMPTS_UNKNOWN };
	found->content.limit = content_bytes_max;
}

void found_deinit(struct found *found)
{
	message_release(found->message);
	buffer_deinit(&found->content);
}

bool found_set_sender(struct found *found, struct bytes address)
{
	struct message *message = found->message;

	if (address.len == 0 || bytes_equal(address, BYTES_LITERAL("@")) ||
	    bytes_equal(address, BYTES_LITERAL("MAILER-DAEMON"))) {
		message->sender = bytes_of(NULL);
		return true;
	}
	if (!drop_address(address, bytes_of(NULL), message->arena, &message->sender))
		return false;
	if (!bytes_is_ascii(message->sender))
		message->flags |= MESSAGE_SMTPUTF8;
	return true;
}

struct recipient_address *found_add_recipient(struct found *found, struct bytes address)
{
	struct message *message = found->message;
	struct recipient_address recipient = { 0 }, *old = message->recipients;

	if (message->recipient_count == MESSAGE_RECIPIENTS_MAX ||
	    !drop_address(address, bytes_of(NULL), message->arena, &recipient.address))
		return NULL;
	if (message->recipient_count == found->recipient_capacity) {
		found->recipient_capacity = MAX(4U, 2 * found->recipient_capacity);
		message->recipients = arena_alloc(message->arena,
		                                  found->recipient_capacity * sizeof *old);
		if (old)
			memcpy(message->recipients, old, message->recipient_count * sizeof *old);
	}
	if (!bytes_is_ascii(recipient.address))
		message->flags |= MESSAGE_SMTPUTF8;
	message->recipients[message->recipient_count] = recipient;
	return &message->recipients[message->recipient_count++];
}

void found_add_line(struct found *found, struct bytes line)
{
	buffer_append(&found->content, line);
	buffer_append_text(&found->content, "\r\n");
}

void found_add_lines(struct found *found, struct bytes text)
{
	while (text.len > 0 && !found->content.is_over) {
		struct bytes line = bytes_split(&text, '\n');

		if (line.len > 0 && line.at[line.len - 1] == '\r')
			line.len--;
		found_add_line(found, line);
	}
}

int found_finish(struct found *found, struct err *err)
{
	struct message *message = found->message;

	if (message->recipient_count == 0)
		return err_set(err, ERR_INVALID, "no recipient is left");
	if (message->arrived_us <= 0)
		return err_set(err, ERR_INVALID, "it does not say when it arrived");
	if (found->content.is_over)
		return err_set(err, ERR_TOO_LONG, "it is larger than receive.message_size");
	if (!bytes_is_ascii(buffer_bytes(&found->content)))
		message->body_type = BODY_8BITMIME;
	message->body.data = buffer_bytes(&found->content);
	message->body.size_bytes = (int64_t)found->content.len;
	return 0;
}
