#include "report/report.h"
#include "base/alloc.h"
#include "base/units.h"
#include "mail/header.h"
#include "report/dsn.h"
#include "report/own.h"
#include "report/text.h"
#include <stdio.h>
#include <string.h>

/* RFC 3461 5.2.5 and 5.2.6, and standards 1.6: who is told of what. */
static bool is_wanted(const struct report_request *request,
                      const struct notice_recipient *recipient)
{
	const struct message *message = request->message;
	uint8_t notify = message->recipients[recipient->recipient].notify;

	switch (request->notice->kind) {
	case NOTICE_DELAY:
		if (message->sender.len == 0 || (message->flags & MESSAGE_IS_NOTICE))
			return false;
		if (notify != 0)
			return (notify & NOTIFY_DELAY) != 0;
		return !(message->flags & MESSAGE_IS_AUTOMATIC);
	case NOTICE_FAILURE:
		return notify == 0 || (notify & NOTIFY_FAILURE);
	case NOTICE_RELAYED:
		return message->sender.len > 0 && (notify & NOTIFY_SUCCESS);
	case NOTICE_DELIVERED:
		return message->sender.len > 0 && notify == 0 &&
		       !(message->flags & (MESSAGE_IS_NOTICE | MESSAGE_IS_AUTOMATIC));
	}
	return false;
}

/* To whom: the sender; for mail with the null sender the postmaster, if there is one and it is not
 * his own notice that failed. Empty: nobody. */
static struct bytes addressee_of(const struct report_request *request)
{
	struct bytes postmaster = bytes_of(request->config->report.postmaster);

	if (request->message->sender.len > 0)
		return request->message->sender;
	if (request->notice->kind != NOTICE_FAILURE)
		return (struct bytes){ 0 };
	for (uint32_t i = 0; i < request->message->recipient_count; i++)
		if (bytes_equal_nocase(request->message->recipients[i].address, postmaster))
			return (struct bytes){ 0 };
	return postmaster;
}

struct parts {
	const struct notice_recipient **recipients;
	size_t count;
	struct bytes to;
	bool is_utf8; /* an address needs it: message/global-* (RFC 6533) */
	bool returns_whole;
	struct bytes returned;
	char boundary[64];
};

static void choose_returned(const struct report_request *request, struct parts *parts)
{
	const struct message *message = request->message;
	struct bytes content = message->body.data;

	parts->returns_whole = request->notice->kind == NOTICE_FAILURE &&
	                       message->dsn_return != RETURN_HEADERS && content.at &&
	                       content.len == (size_t)message->body.size_bytes &&
	                       message->body.size_bytes <= request->config->report.return_bytes;
	parts->returned = parts->returns_whole ? content
	                                       : bytes_first(content, message->header_bytes);
}

static void write_head(const struct report_request *request, const struct parts *parts,
                       struct buffer *out)
{
	char id[ID_TEXT_LENGTH + 1];
	struct header_field original_id;
	bool is_to_sender = request->message->sender.len > 0;

	id_format(request->id, id);
	buffer_append_text(out, "Date: ");
	date_format_mail(out, request->now_us);
	buffer_printf(out, "\r\nFrom: Mail Delivery System <%s>\r\nTo: <",
	              request->config->report.from);
	dsn_append_safe(parts->to, parts->is_utf8, out);
	buffer_append_text(out, ">\r\nSubject: ");
	text_subject(request, out);
	buffer_printf(out, "\r\nMessage-ID: <%s@%s>\r\n", id, request->config->hostname);
	if (parts->returned.at &&
	    header_find(bytes_first(parts->returned, request->message->header_bytes),
	                bytes_of("Message-ID"), &original_id) &&
	    original_id.value.len < 250 && bytes_is_ascii(original_id.value)) {
		buffer_append_text(out, "References: ");
		dsn_append_safe(bytes_trim(original_id.value), false, out);
		buffer_append_text(out, "\r\n");
	}
	buffer_printf(out, "Auto-Submitted: %s\r\n",
	              is_to_sender ? "auto-replied" : "auto-generated");
	buffer_printf(out,
	              "MIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=%s;\r\n"
	              "\tboundary=\"%s\"\r\n",
	              parts->is_utf8 ? "global-delivery-status" : "delivery-status",
	              parts->boundary);
}

static void begin_part(const struct parts *parts, const char *type, const char *description,
                       bool is_8bit, struct buffer *out)
{
	buffer_printf(out, "\r\n--%s\r\nContent-Type: %s\r\nContent-Description: %s\r\n",
	              parts->boundary, type, description);
	if (is_8bit)
		buffer_append_text(out, "Content-Transfer-Encoding: 8bit\r\n");
	buffer_append_text(out, "\r\n");
}

static void write_returned(const struct parts *parts, struct buffer *out)
{
	bool is_8bit = !bytes_is_ascii(parts->returned);

	if (!parts->returned.at)
		return;
	if (parts->returns_whole)
		begin_part(parts, parts->is_utf8 ? "message/global" : "message/rfc822",
		           "Your message", is_8bit, out);
	else
		begin_part(parts, parts->is_utf8 ? "message/global-headers" : "text/rfc822-headers",
		           "The header of your message", is_8bit, out);
	buffer_append(out, parts->returned);
}

static void write_content(const struct report_request *request, const struct parts *parts,
                          struct buffer *out, uint32_t *header_bytes)
{
	write_head(request, parts, out);
	*header_bytes = (uint32_t)out->len + 2;
	buffer_append_text(out, "\r\nThis is a delivery notice in MIME format.\r\n");
	begin_part(parts,
	           parts->is_utf8 ? "text/plain; charset=utf-8" : "text/plain; charset=us-ascii",
	           "What happened", parts->is_utf8, out);
	text_write(request, parts->recipients, parts->count, parts->is_utf8, out);
	begin_part(parts,
	           parts->is_utf8 ? "message/global-delivery-status" : "message/delivery-status",
	           "Report for programs", parts->is_utf8, out);
	dsn_write(request, parts->recipients, parts->count, parts->is_utf8, out);
	write_returned(parts, out);
	buffer_printf(out, "\r\n--%s--\r\n", parts->boundary);
}

static bool needs_utf8(const struct report_request *request, const struct parts *parts)
{
	for (size_t i = 0; i < parts->count; i++)
		if (!bytes_is_ascii(
			    request->message->recipients[parts->recipients[i]->recipient].address))
			return true;
	return !bytes_is_ascii(parts->to);
}

struct message *report_message(const struct report_envelope *envelope, struct bytes content)
{
	struct message *notice = message_create();
	bool is_utf8 = !bytes_is_ascii(envelope->to) ||
	               !bytes_is_ascii(bytes_first(content, envelope->header_bytes));

	notice->id = envelope->id;
	notice->arrived_us = envelope->now_us;
	notice->flags = MESSAGE_IS_NOTICE | MESSAGE_IS_AUTOMATIC;
	if (is_utf8)
		notice->flags |= MESSAGE_SMTPUTF8;
	if (!bytes_is_ascii(content)) {
		notice->flags |= MESSAGE_HAS_8BIT;
		notice->body_type = BODY_8BITMIME;
	}
	notice->header_bytes = envelope->header_bytes;
	notice->recipient_count = 1;
	notice->recipients = arena_alloc(notice->arena, sizeof *notice->recipients);
	notice->recipients[0].address = arena_copy(notice->arena, envelope->to);
	notice->body.data = arena_copy(notice->arena, content);
	notice->body.size_bytes = (int64_t)content.len;
	return notice;
}

static struct message *make(const struct report_request *request, struct parts *parts)
{
	struct report_envelope envelope = { .to = parts->to,
		                            .id = request->id,
		                            .now_us = request->now_us };
	struct buffer content = { 0 };
	struct message *notice;
	char id[ID_TEXT_LENGTH + 1];

	parts->is_utf8 = needs_utf8(request, parts);
	choose_returned(request, parts);
	id_format(request->id, id);
	snprintf(parts->boundary, sizeof parts->boundary, "=_outlast_%s_%016llx", id,
	         (unsigned long long)bytes_hash(parts->returned, request->id));
	write_content(request, parts, &content, &envelope.header_bytes);
	notice = report_message(&envelope, buffer_bytes(&content));
	if (parts->is_utf8)
		notice->flags |= MESSAGE_SMTPUTF8;
	buffer_deinit(&content);
	return notice;
}

enum report_result report_make(const struct report_request *request, struct message **notice_out)
{
	struct parts parts = { .to = addressee_of(request) };

	*notice_out = NULL;
	parts.recipients = alloc_zeroed((request->notice->count + 1) * sizeof *parts.recipients);
	for (uint32_t i = 0; i < request->notice->count; i++)
		if (is_wanted(request, &request->notice->recipients[i]))
			parts.recipients[parts.count++] = &request->notice->recipients[i];
	if (parts.count > 0 && parts.to.len > 0)
		*notice_out = make(request, &parts);
	alloc_free(parts.recipients);
	return *notice_out ? REPORT_MADE : REPORT_NOT_WANTED;
}
