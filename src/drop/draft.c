#include "drop/draft.h"
#include "base/units.h"
#include "drop/drop.h"
#include "mail/header.h"
#include "mail/mailboxes.h"
#include "smtp/xtext.h"
#include <string.h>

#define ENVID_BYTES_MAX 100 /* RFC 3461 5.4 */
#define XTEXT_GROWTH    3   /* a byte becomes three at most */

static bool is_there(const struct message *message, struct bytes address)
{
	for (uint32_t i = 0; i < message->recipient_count; i++)
		if (bytes_equal(message->recipients[i].address, address))
			return true;
	return false;
}

static int add(struct draft *draft, struct bytes text, struct err *err)
{
	struct message *message = draft->message;
	struct bytes to = text, address;

	if (*draft->local_to && bytes_find_last_char(text, '@') < 0)
		to = bytes_of(draft->local_to);
	if (!drop_address(to, bytes_of(draft->domain), message->arena, &address))
		return err_set(err, ERR_INVALID, "\"%.*s\" is not an address",
		               (int)MIN(text.len, (size_t)100), text.at);
	if (is_there(message, address))
		return 0;
	if (message->recipient_count == draft->recipients_max)
		return err_set(err, ERR_TOO_LONG, "more than %u recipients", draft->recipients_max);
	if (message->recipient_count == draft->recipient_capacity) {
		struct recipient_address *old = message->recipients;

		draft->recipient_capacity = MAX(16U, 2 * draft->recipient_capacity);
		message->recipients = arena_alloc(message->arena,
		                                  draft->recipient_capacity * sizeof *old);
		if (old)
			memcpy(message->recipients, old, message->recipient_count * sizeof *old);
	}
	if (!bytes_is_ascii(address))
		message->flags |= MESSAGE_SMTPUTF8;
	message->recipients[message->recipient_count++].address = address;
	return 0;
}

int draft_add_recipients(struct draft *draft, struct bytes list, struct err *err)
{
	struct buffer address = { 0 };
	int result = 0;

	while (result == 0 && mailboxes_next(&list, &address))
		result = add(draft, buffer_bytes(&address), err);
	buffer_deinit(&address);
	return result;
}

static bool is_named(const struct header_field *field, const char *name)
{
	return bytes_equal_nocase(field->name, bytes_of(name));
}

/* The lines of a text without their line ends, whatever these are; false at its end. */
static bool next_line(struct bytes *rest, struct bytes *line_out)
{
	if (rest->len == 0)
		return false;
	*line_out = bytes_split(rest, '\n');
	if (line_out->len > 0 && line_out->at[line_out->len - 1] == '\r')
		line_out->len--;
	return true;
}

/* The text with CRLF, and without the line with which an mbox file begins. */
static void normalise(const struct draft *draft, struct bytes text, struct buffer *out)
{
	struct bytes line;
	bool is_first = true;

	while (next_line(&text, &line)) {
		if (draft->ends_at_dot && bytes_equal(line, bytes_of(".")))
			return;
		if (!is_first || !bytes_starts_with(line, BYTES_LITERAL("From "))) {
			for (size_t i = 0; i < line.len; i++)
				if (line.at[i] != '\r') /* alone within a line it means nothing */
					buffer_append_char(out, line.at[i]);
			buffer_append_text(out, "\r\n");
		}
		is_first = false;
	}
}

int draft_take_recipients(struct draft *draft, struct bytes text, struct err *err)
{
	struct buffer lines = { 0 };
	struct header_field field;
	struct bytes headers;
	int result = 0;

	normalise(draft, text, &lines);
	headers = buffer_bytes(&lines);
	headers.len = header_length(headers);
	while (result == 0 && header_next(&headers, &field))
		if (is_named(&field, "To") || is_named(&field, "Cc") || is_named(&field, "Bcc"))
			result = draft_add_recipients(draft, field.value, err);
	buffer_deinit(&lines);
	return result;
}

void draft_set_envelope_id(struct draft *draft, struct bytes text)
{
	struct buffer encoded = { 0 };

	xtext_encode(bytes_first(text, ENVID_BYTES_MAX / XTEXT_GROWTH), &encoded);
	draft->message->envelope_id = arena_copy(draft->message->arena, buffer_bytes(&encoded));
	buffer_deinit(&encoded);
}

static void append_phrase(struct buffer *out, const char *name)
{
	buffer_append_char(out, '"');
	for (const char *c = name; *c; c++)
		if (*c != '"' && *c != '\\' && (unsigned char)*c >= ' ')
			buffer_append_char(out, *c);
	buffer_append_char(out, '"');
}

static void append_missing(const struct draft *draft, struct bytes headers, struct buffer *out)
{
	struct bytes sender = draft->message->sender;
	struct header_field field;

	if (!header_find(headers, bytes_of("From"), &field) && sender.len > 0) {
		buffer_append_text(out, "From: ");
		if (draft->full_name && *draft->full_name) {
			append_phrase(out, draft->full_name);
			buffer_append_char(out, ' ');
		}
		buffer_printf(out, "<%.*s>\r\n", BYTES_FORMAT(sender));
	}
	if (!header_find(headers, bytes_of("Date"), &field)) {
		buffer_append_text(out, "Date: ");
		date_format_mail(out, draft->now_us);
		buffer_append_text(out, "\r\n");
	}
	if (!header_find(headers, bytes_of("Message-ID"), &field))
		buffer_printf(out, "Message-ID: <%016llx@%s>\r\n",
		              (unsigned long long)draft->number, draft->hostname);
}

static void append_fields(struct bytes headers, struct buffer *out)
{
	struct header_field field;

	while (header_next(&headers, &field))
		if (!is_named(&field, "Bcc") && !is_named(&field, "Resent-Bcc"))
			buffer_append(out, field.whole);
}

int draft_finish(struct draft *draft, struct bytes text, struct err *err)
{
	struct buffer lines = { 0 }, content = { 0 };
	struct bytes all, headers;

	normalise(draft, text, &lines);
	all = buffer_bytes(&lines);
	if (bytes_find_char(all, '\0') >= 0) {
		buffer_deinit(&lines);
		return err_set(err, ERR_INVALID, "the message holds a NUL");
	}
	headers = bytes_first(all, header_length(all));
	append_fields(headers, &content);
	append_missing(draft, headers, &content);
	buffer_append_text(&content, "\r\n");
	buffer_append(&content, bytes_from(all, headers.len));
	if (!bytes_is_ascii(all) && draft->message->body_type == BODY_7BIT)
		draft->message->body_type = BODY_8BITMIME;
	draft->message->body.data = arena_copy(draft->message->arena, buffer_bytes(&content));
	draft->message->body.size_bytes = (int64_t)content.len;
	buffer_deinit(&lines);
	buffer_deinit(&content);
	return 0;
}
