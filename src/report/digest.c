#include "report/digest.h"
#include "base/alloc.h"
#include "base/units.h"
#include "mail/header.h"
#include "report/dsn.h"
#include "report/own.h"
#include "report/text.h"
#include <stdio.h>

#define SUBJECT_MAX 60

struct digest {
	struct arena *arena;
	const struct config *config;
	struct bytes sender, domain;
	int64_t now_us, oldest_us;
	int count;
	bool is_utf8;
	struct buffer lines;  /* of the text: each message */
	struct buffer advice; /* of the first one's cause */
	struct buffer parts[DIGEST_NAMED_MAX];
};

struct digest *digest_create(const struct config *config, struct bytes sender, struct bytes domain,
                             int64_t now_us)
{
	struct digest *digest = alloc_zeroed(sizeof *digest);

	digest->arena = arena_create(0);
	digest->config = config;
	digest->sender = arena_copy(digest->arena, sender);
	digest->domain = arena_copy(digest->arena, domain);
	digest->now_us = digest->oldest_us = now_us;
	digest->is_utf8 = !bytes_is_ascii(sender);
	return digest;
}

void digest_destroy(struct digest *digest)
{
	if (!digest)
		return;
	for (int i = 0; i < digest->count; i++)
		buffer_deinit(&digest->parts[i]);
	buffer_deinit(&digest->lines);
	buffer_deinit(&digest->advice);
	arena_destroy(digest->arena);
	alloc_free(digest);
}

int digest_count(const struct digest *digest)
{
	return digest->count;
}

static struct bytes header_of(const struct message *message, const char *name)
{
	struct bytes headers = bytes_first(message->body.data, message->header_bytes);
	struct header_field field;

	if (!headers.at || !header_find(headers, bytes_of(name), &field))
		return (struct bytes){ 0 };
	return bytes_trim(field.value);
}

/* "<you@far.test>: hello" and, below, how long it waits and until when. */
static void add_line(struct digest *digest, const struct report_request *request)
{
	const struct message *message = request->message;
	const struct notice_recipient *first = &request->notice->recipients[0];
	struct bytes subject = header_of(message, "Subject");
	struct buffer *out = &digest->lines;

	buffer_append_text(out, "\r\n<");
	dsn_append_safe(message->recipients[first->recipient].address, true, out);
	buffer_append_char(out, '>');
	if (request->notice->count > 1)
		buffer_printf(out, " and %u more", request->notice->count - 1);
	if (subject.len > 0) {
		buffer_append_text(out, ": ");
		dsn_append_safe(bytes_first(subject, SUBJECT_MAX), false, out);
	}
	buffer_append_text(out, "\r\n  waits for ");
	duration_format(out, digest->now_us - message->arrived_us);
	buffer_printf(out, " (%s); we try until ", cause_name(first->cause));
	date_format_mail(out, first->deadline_us);
	buffer_append_text(out, "\r\n");
}

static void add_part(const struct report_request *request, bool is_utf8, struct buffer *out)
{
	struct bytes id = header_of(request->message, "Message-ID");
	const struct notice_recipient **recipients;

	recipients = alloc((size_t)request->notice->count * sizeof *recipients);
	for (uint32_t i = 0; i < request->notice->count; i++)
		recipients[i] = &request->notice->recipients[i];
	if (id.len > 0 && id.len < 250 && bytes_is_ascii(id)) {
		buffer_append_text(out, "X-Outlast-Original-Message-ID: ");
		dsn_append_safe(id, false, out);
		buffer_append_text(out, "\r\n");
	}
	dsn_write(request, recipients, request->notice->count, is_utf8, out);
	alloc_free(recipients);
}

void digest_add(struct digest *digest, const struct report_request *request)
{
	const struct notice *notice = request->notice;
	bool is_utf8 = false;

	for (uint32_t i = 0; i < notice->count; i++)
		is_utf8 |= !bytes_is_ascii(
			request->message->recipients[notice->recipients[i].recipient].address);
	digest->is_utf8 |= is_utf8;
	if (digest->count == 0) {
		text_ledger(&notice->recipients[0], &digest->advice);
		text_advice(&notice->recipients[0], &digest->advice);
	}
	digest->oldest_us = MIN(digest->oldest_us, request->message->arrived_us);
	add_line(digest, request);
	add_part(request, is_utf8, &digest->parts[digest->count++]);
}

static void write_head(const struct digest *digest, uint64_t count, uint64_t id,
                       const char *boundary, struct buffer *out)
{
	char text[ID_TEXT_LENGTH + 1];

	id_format(id, text);
	buffer_append_text(out, "Date: ");
	date_format_mail(out, digest->now_us);
	buffer_printf(out, "\r\nFrom: Mail Delivery System <%s>\r\nTo: <",
	              digest->config->report.from);
	dsn_append_safe(digest->sender, true, out);
	buffer_printf(out,
	              ">\r\nSubject: Delayed: %llu of your messages to %.*s are still "
	              "waiting\r\nMessage-ID: <%s@%s>\r\nAuto-Submitted: auto-generated\r\n"
	              "MIME-Version: 1.0\r\nContent-Type: multipart/mixed;\r\n"
	              "\tboundary=\"%s\"\r\n",
	              (unsigned long long)count, BYTES_FORMAT(digest->domain), text,
	              digest->config->hostname, boundary);
}

static void write_text(const struct digest *digest, uint64_t count, struct buffer *out)
{
	buffer_printf(
		out,
		"This is the mail system at %s.\r\n\r\nTHIS IS ONLY A WARNING. You do not need "
		"to send your messages again.\r\n\r\n%llu of your messages to %.*s are late, "
		"the oldest by ",
		digest->config->hostname, (unsigned long long)count, BYTES_FORMAT(digest->domain));
	duration_format(out, digest->now_us - digest->oldest_us);
	buffer_append_text(out, ".\r\n");
	buffer_append(out, buffer_bytes(&digest->lines));
	if (count > (uint64_t)digest->count)
		buffer_printf(out, "\r\n... and %llu more that are late, or were so meanwhile.\r\n",
		              (unsigned long long)count - (uint64_t)digest->count);
	buffer_append_text(out, "\r\nOf the first of them:\r\n");
	buffer_append(out, buffer_bytes(&digest->advice));
	buffer_append_text(out, "\r\nYou will be told of each message that we cannot deliver.\r\n");
}

struct message *digest_finish(const struct digest *digest, uint64_t count, uint64_t id)
{
	struct buffer content = { 0 };
	struct message *message;
	uint32_t header_bytes;
	char boundary[40];

	snprintf(boundary, sizeof boundary, "=_outlast_%016llx", (unsigned long long)id);
	write_head(digest, count, id, boundary, &content);
	header_bytes = (uint32_t)content.len + 2;
	buffer_printf(&content,
	              "\r\nThis is a delivery notice in MIME format.\r\n\r\n--%s\r\n"
	              "Content-Type: text/plain; charset=%s\r\n%s\r\n",
	              boundary, digest->is_utf8 ? "utf-8" : "us-ascii",
	              digest->is_utf8 ? "Content-Transfer-Encoding: 8bit\r\n" : "");
	write_text(digest, count, &content);
	for (int i = 0; i < digest->count; i++) {
		bool is_ascii = bytes_is_ascii(buffer_bytes(&digest->parts[i]));

		buffer_printf(&content, "\r\n--%s\r\nContent-Type: message/%s\r\n\r\n", boundary,
		              is_ascii ? "delivery-status" : "global-delivery-status");
		buffer_append(&content, buffer_bytes(&digest->parts[i]));
	}
	buffer_printf(&content, "\r\n--%s--\r\n", boundary);
	message = report_message(&(struct report_envelope){ .to = digest->sender,
	                                                    .id = id,
	                                                    .now_us = digest->now_us,
	                                                    .header_bytes = header_bytes },
	                         buffer_bytes(&content));
	buffer_deinit(&content);
	return message;
}
