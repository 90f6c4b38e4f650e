/* The parts of a returned message: what people read, what programs read, and the header section of
 * what comes back. */
#include "base/macros.h"
#include "codes/bounce_own.h"
#include "mail/charset.h"
#include "mail/header.h"
#include "mail/mime.h"
#include <string.h>

const char *const letter_recipient_fields[] = { "X-Original-To",
	                                        "X-Envelope-To",
	                                        "Envelope-To",
	                                        "Delivered-To",
	                                        "X-Rcpt-To",
	                                        "To",
	                                        "Apparently-To",
	                                        "Resent-To",
	                                        "Cc",
	                                        NULL };
const char *const letter_sender_fields[] = { "From",      "Return-Path",     "Sender", "Reply-To",
	                                     "Errors-To", "X-Envelope-From", NULL };

/* Which letters of which parts were collected. */
struct collector {
	struct letter *letter;
	struct buffer text, html, status, original;
};

static bool is_local(char c)
{
	return (char_lower(c) >= 'a' && char_lower(c) <= 'z') || (c >= '0' && c <= '9') ||
	       (c != '\0' && strchr(".!#$%&'*+-/=?^_`{|}~", c));
}

static bool is_domain(char c)
{
	return (char_lower(c) >= 'a' && char_lower(c) <= 'z') || (c >= '0' && c <= '9') ||
	       c == '.' || c == '-' || c == '_';
}

/* "SMTP=user@host", "recipient=user@host" */
static size_t skip_label(struct bytes local)
{
	static const char *const labels[] = { "smtp=",    "recipient=",  "rcpt=", "to=",
		                              "address=", "email=",      "user=", "rfc822=",
		                              "addr=",    "envelope-to=" };
	size_t skipped = 0;

	for (size_t i = 0; i < COUNT(labels); i++)
		if (bytes_starts_with_nocase(local, bytes_of(labels[i])))
			skipped = strlen(labels[i]);
	while (skipped < local.len && strchr(".-'*`/=#|!?{}", local.at[skipped]))
		skipped++;
	return skipped;
}

static size_t local_start(struct bytes text, size_t at)
{
	size_t start = at, oldest = at > ADDRESS_BYTES_MAX / 2 ? at - ADDRESS_BYTES_MAX / 2 : 0;
	ptrdiff_t open;

	if (at > 1 && text.at[at - 1] == '"') {
		open = bytes_find_last_char(bytes_from(bytes_first(text, at - 1), oldest), '"');
		return open < 0 ? at : oldest + (size_t)open;
	}
	/* Between brackets any letter of any script belongs to it (RFC 6531). */
	open = bytes_find_last_char(bytes_from(bytes_first(text, at), oldest), '<');
	if (open >= 0 && !memchr(text.at + oldest + open, '\n', at - oldest - (size_t)open) &&
	    !memchr(text.at + oldest + open, '>', at - oldest - (size_t)open) &&
	    !memchr(text.at + oldest + open, ' ', at - oldest - (size_t)open) &&
	    !memchr(text.at + oldest + open, ':', at - oldest - (size_t)open))
		return oldest + (size_t)open + 1;
	while (start > oldest && is_local(text.at[start - 1]))
		start--;
	return start + skip_label(bytes_from(bytes_first(text, at), start));
}

static size_t domain_end(struct bytes text, size_t at, bool is_bracketed)
{
	size_t end = at + 1;

	if (end < text.len && text.at[end] == '[') {
		ptrdiff_t close = bytes_find_char(bytes_first(bytes_from(text, end), 64), ']');

		return close < 0 ? at : end + (size_t)close + 1;
	}
	while (end < text.len && end - at < 255 &&
	       (is_domain(text.at[end]) || (is_bracketed && (text.at[end] & 0x80))))
		end++;
	while (end > at + 1 && strchr(".-_", text.at[end - 1]))
		end--;
	return end;
}

bool letter_address_next(struct bytes *rest, struct bytes *address_out)
{
	struct bytes text = *rest;

	for (size_t from = 0; from < text.len;) {
		ptrdiff_t found = bytes_find_char(bytes_from(text, from), '@');
		size_t at = from + (size_t)found, start, end;
		bool is_bracketed;

		if (found < 0)
			break;
		start = local_start(text, at);
		is_bracketed = start > 0 && text.at[start - 1] == '<';
		end = domain_end(text, at, is_bracketed);
		from = MAX(end, at + 1);
		if (start == at || end == at + 1 ||
		    (!is_bracketed &&
		     bytes_find_char(bytes_from(bytes_first(text, end), at), '.') < 0))
			continue;
		*address_out = bytes_from(bytes_first(text, end), start);
		*rest = bytes_from(text, end);
		return true;
	}
	*rest = bytes_from(text, text.len);
	return false;
}

bool letter_field_address(struct bytes headers, const char *const *names, struct bytes *address_out)
{
	for (; *names; names++) {
		struct header_field field;

		if (header_find(headers, bytes_of(*names), &field) &&
		    letter_address_next(&field.value, address_out))
			return true;
	}
	return false;
}

static struct bytes take_line(struct bytes *rest)
{
	ptrdiff_t lf = bytes_find_char(*rest, '\n');
	struct bytes line = lf < 0 ? *rest : bytes_first(*rest, (size_t)lf + 1);

	*rest = bytes_from(*rest, line.len);
	return line;
}

/* Is this the beginning of a header section in the middle of text? Fields that only a real message
 * has, at the start of a line, and two more fields behind them. */
static bool begins_headers(struct bytes text)
{
	static const char *const firsts[] = { "Received:", "Return-Path:", "Message-ID:",
		                              "X-Originating-IP:", "DKIM-Signature:" };
	struct header_field field;
	struct bytes section;
	bool is_first = false;

	for (size_t i = 0; i < COUNT(firsts); i++)
		is_first = is_first || bytes_starts_with_nocase(text, bytes_of(firsts[i]));
	if (!is_first)
		return false;
	section = bytes_first(text, header_length(bytes_first(text, 8192)));
	for (int i = 0; i < 3; i++)
		if (!header_next(&section, &field))
			return false;
	return true;
}

/* Cuts the returned message off the notice. The line that announces it counts only if a header
 * field follows soon, or if it is drawn like a rule. */
static void cut_original(struct letter *letter, struct buffer *original)
{
	struct bytes rest = letter->notice, lower = letter->lower, line, low;

	while (rest.len > 0) {
		size_t at = letter->notice.len - rest.len;
		struct bytes here = rest;

		line = take_line(&rest);
		low = bytes_trim(bytes_first(bytes_from(lower, at), line.len));
		if (!begins_headers(here) &&
		    (low.len > 120 || phrase_find(PHRASE_ORIGINAL, low) < 0))
			continue;
		if (begins_headers(here))
			rest = here;
		while (rest.len > 0 &&
		       (rest.at[0] == '\n' || rest.at[0] == ' ' || rest.at[0] == '>'))
			rest = bytes_from(rest, 1);
		if (header_length(bytes_first(rest, 8192)) < 20)
			continue;
		if (original->len == 0)
			buffer_append(original, bytes_first(rest, header_length(rest)));
		letter->notice = bytes_first(letter->notice, at);
		letter->lower = bytes_first(letter->lower, at);
		return;
	}
}

/* Complaints that do not call themselves a feedback report. */
static bool is_complaint(const struct letter *letter)
{
	static const char *const fields[] = { "X-Apple-Unsubscribe", "X-HmXmrOriginalRecipient",
		                              "X-Feedback-Type" };
	struct header_field field;

	for (size_t i = 0; i < COUNT(fields); i++)
		if (header_find(letter->headers, bytes_of(fields[i]), &field))
			return true;
	return bytes_starts_with_nocase(letter->subject,
	                                BYTES_LITERAL("complaint about message from")) ||
	       bytes_starts_with_nocase(letter->subject,
	                                BYTES_LITERAL("email feedback report for")) ||
	       bytes_find(letter->lower, BYTES_LITERAL("\nfeedback-type:")) >= 0;
}

static bool has_fields(struct bytes text)
{
	return bytes_starts_with_nocase(text, BYTES_LITERAL("Final-Recipient")) ||
	       bytes_find_nocase(text, BYTES_LITERAL("\nFinal-Recipient")) >= 0 ||
	       bytes_find_nocase(text, BYTES_LITERAL("\nOriginal-Recipient")) >= 0;
}

/* Text for people; a delivery status that calls itself text is told by its fields. */
static void take_text(const struct mime_part *part, struct collector *collector)
{
	struct buffer text = { 0 };

	mime_text(part, BOUNCE_NOTICE_BYTES_MAX, &text);
	collector->letter->is_cut |= part->body.len > BOUNCE_NOTICE_BYTES_MAX;
	if (mime_is(part, "text/html") && collector->html.len < BOUNCE_NOTICE_BYTES_MAX) {
		buffer_append(&collector->html, buffer_bytes(&text));
		buffer_append_char(&collector->html, '\n');
	} else if (!mime_is(part, "text/html") && collector->text.len < BOUNCE_NOTICE_BYTES_MAX) {
		buffer_append(&collector->text, buffer_bytes(&text));
		buffer_append_char(&collector->text, '\n');
	}
	buffer_deinit(&text);
}

static void take_original(const struct mime_part *part, struct collector *collector)
{
	struct buffer text = { 0 };
	struct bytes whole;

	if (collector->original.len > 0)
		return;
	mime_text(part, MIME_HEADER_BYTES_MAX, &text);
	whole = buffer_bytes(&text);
	while (whole.len > 0 && strchr("\n ", whole.at[0]))
		whole = bytes_from(whole, 1);
	buffer_append(&collector->original, bytes_first(whole, header_length(whole)));
	buffer_deinit(&text);
}

/* A gateway that does not know the type of a delivery status calls it data. */
static void take_data(const struct mime_part *part, struct collector *collector)
{
	struct buffer text = { 0 };

	mime_text(part, 65536, &text);
	if (has_fields(buffer_bytes(&text)) && collector->status.len < BOUNCE_STATUS_BYTES_MAX) {
		buffer_append(&collector->status, buffer_bytes(&text));
		buffer_append_text(&collector->status, "\n\n");
	}
	buffer_deinit(&text);
}

static void take_part(const struct mime_part *part, struct collector *collector)
{
	if (part->is_multipart)
		return;
	if (mime_is(part, "message/delivery-status") ||
	    mime_is(part, "message/global-delivery-status")) {
		if (collector->status.len < BOUNCE_STATUS_BYTES_MAX)
			mime_text(part, BOUNCE_STATUS_BYTES_MAX, &collector->status);
		buffer_append_text(&collector->status, "\n\n");
		collector->letter->is_report = true;
		collector->letter->is_cut |= part->body.len > BOUNCE_STATUS_BYTES_MAX;
	} else if (mime_is(part, "message/feedback-report")) {
		collector->letter->has_feedback = true;
	} else if (mime_is(part, "message/disposition-notification") ||
	           mime_is(part, "message/global-disposition-notification")) {
		collector->letter->has_disposition = true;
	} else if (mime_is(part, "message/") || mime_is(part, "text/rfc822-headers") ||
	           mime_is(part, "text/rfc822")) {
		take_original(part, collector);
	} else if (mime_is(part, "text/") || mime_is(part, "text") || part->depth == 0) {
		take_text(part, collector);
	} else if (mime_is(part, "application/")) {
		take_data(part, collector);
	}
}

struct bytes letter_lower(struct arena *arena, struct bytes text)
{
	char *copy = arena_alloc(arena, text.len + 1);

	for (size_t i = 0; i < text.len; i++)
		copy[i] = char_lower(text.at[i]);
	return (struct bytes){ copy, text.len };
}

struct bytes letter_line(struct arena *arena, struct bytes text)
{
	char *copy = arena_alloc(arena, text.len + 1);
	size_t len = 0;

	text = bytes_trim(text);
	for (size_t i = 0; i < text.len; i++) {
		if (!strchr(" \t\r\n", text.at[i]))
			copy[len++] = text.at[i];
		else if (len > 0 && copy[len - 1] != ' ')
			copy[len++] = ' ';
	}
	return (struct bytes){ copy, len };
}

static struct bytes decode_field(struct letter *letter, const char *name)
{
	struct header_field field;
	struct buffer text = { 0 };
	struct bytes copy;

	if (!header_find(letter->headers, bytes_of(name), &field))
		return (struct bytes){ 0 };
	charset_decode_words(bytes_first(field.value, 4096), &text);
	copy = arena_copy(letter->arena, bytes_trim(buffer_bytes(&text)));
	buffer_deinit(&text);
	return copy;
}

/* The "From " line of a mailbox, a byte order mark, empty lines. */
static struct bytes skip_front(struct bytes message)
{
	if (bytes_starts_with(message, BYTES_LITERAL("\xef\xbb\xbf")))
		message = bytes_from(message, 3);
	while (message.len > 0 && strchr("\r\n", message.at[0]))
		message = bytes_from(message, 1);
	if (bytes_starts_with(message, BYTES_LITERAL("From ")) ||
	    bytes_starts_with(message, BYTES_LITERAL(">From ")))
		take_line(&message);
	return message;
}

/* Status fields within the text are not for people. */
static void cut_fields(struct letter *letter)
{
	static const char *const firsts[] = { "\nreporting-mta:", "\nfinal-recipient:",
		                              "\noriginal-recipient:" };

	for (size_t i = 0; has_fields(letter->notice) && i < COUNT(firsts); i++) {
		ptrdiff_t at = bytes_find(letter->lower, bytes_of(firsts[i]));

		if (at < 0)
			continue;
		letter->notice = bytes_first(letter->notice, (size_t)at);
		letter->lower = bytes_first(letter->lower, (size_t)at);
	}
}

/* The plain text, unless it says nothing ("your reader does not show HTML"). */
static struct buffer *choose_notice(struct collector *collector)
{
	struct bytes text = bytes_trim(buffer_bytes(&collector->text));
	struct bytes html = buffer_bytes(&collector->html);

	if (html.len > 0 &&
	    (text.len < 40 || (bytes_find_char(text, '@') < 0 && bytes_find_char(html, '@') >= 0)))
		return &collector->html;
	return &collector->text;
}

static void finish(struct collector *collector)
{
	struct letter *letter = collector->letter;
	struct buffer *notice = choose_notice(collector);

	letter->notice = arena_copy(letter->arena,
	                            bytes_first(buffer_bytes(notice), BOUNCE_NOTICE_BYTES_MAX));
	letter->lower = letter_lower(letter->arena, letter->notice);
	if (!has_fields(buffer_bytes(&collector->status)) && has_fields(letter->notice)) {
		buffer_clear(&collector->status);
		buffer_append(&collector->status, letter->notice);
	}
	cut_original(letter, &collector->original);
	cut_fields(letter);
	letter->original = arena_copy(letter->arena, buffer_bytes(&collector->original));
	letter->status = arena_copy(letter->arena, bytes_first(buffer_bytes(&collector->status),
	                                                       BOUNCE_STATUS_BYTES_MAX));
	buffer_deinit(&collector->text);
	buffer_deinit(&collector->html);
	buffer_deinit(&collector->status);
	buffer_deinit(&collector->original);
}

void letter_read(struct bytes message, struct arena *arena, struct letter *letter_out)
{
	struct collector collector = { .letter = letter_out };
	struct mime mime;

	*letter_out = (struct letter){ .arena = arena, .is_cut = message.len > BOUNCE_BYTES_MAX };
	message = skip_front(bytes_first(message, BOUNCE_BYTES_MAX));
	mime_parse(message, arena, &mime);
	letter_out->is_cut |= mime.is_cut;
	letter_out->headers = mime.parts[0].headers;
	letter_out->is_report = bytes_equal_nocase(mime.parts[0].report_type,
	                                           BYTES_LITERAL("delivery-status"));
	letter_out->subject = decode_field(letter_out, "Subject");
	letter_out->from = decode_field(letter_out, "From");
	for (int i = 0; i < mime.count; i++)
		take_part(&mime.parts[i], &collector);
	finish(&collector);
	letter_out->has_feedback = letter_out->has_feedback || is_complaint(letter_out);
}
