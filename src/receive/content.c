/* DATA and BDAT: content from the stream into memory, or beyond a limit into a file; then handed on
 * to be kept. */
#include "base/alloc.h"
#include "base/id.h"
#include "base/units.h"
#include "mail/header.h"
#include "receive/receiver_own.h"
#include "receive/session.h"
#include "runtime/thread.h"
#include "runtime/tls.h"
#include <errno.h>
#include <string.h>
#include <unistd.h>

#define BUDGET_STEP_BYTES (64 << 10)
#define FILE_STEP_BYTES   (256 << 10)

static const char too_large[] = "552 5.3.4 the message is larger than is taken here";

void content_drop(struct session *session)
{
	struct content *content = &session->content;
	struct receiver *receiver = session->receiver;

	if (content->fd >= 0)
		close(content->fd);
	if (content->path[0])
		receiver->hooks.body_remove(receiver->hooks.arg, content->path);
	budget_give(receiver->budget, content->budget_bytes);
	buffer_deinit(&content->data);
	*content = (struct content){ .fd = -1 };
}

/* The content that we would keep is not wanted any more; what still comes is only read. */
static void refuse(struct session *session, const char *reply)
{
	content_drop(session);
	session->content.fault = reply;
}

/* Received (RFC 5321 4.4, 3848, 8314 4.3); `for` only where it discloses nobody (7.2). */
static void write_received(struct session *session)
{
	struct message *message = session->message;
	struct buffer *out = &session->content.data;
	const struct tls *tls = stream_tls(session->stream);
	const char *protocol = session->is_esmtp ? "ESMTP" : "SMTP";
	char id[ID_TEXT_LENGTH + 1];

	message->id = id_make(session->receiver->ids, clock_now_us());
	id_format(message->id, id);
	if (message->flags & MESSAGE_SMTPUTF8)
		protocol = "UTF8SMTP";
	buffer_printf(out, "Received: from %s ([%s%s])\r\n\tby %s (Outlast) with %s%s id %s",
	              session->helo, strchr(session->peer, ':') ? "IPv6:" : "", session->peer,
	              session->config->hostname, protocol, tls && session->is_esmtp ? "S" : "", id);
	if (message->recipient_count == 1 && bytes_is_ascii(message->recipients[0].address))
		buffer_printf(out, "\r\n\tfor <%.*s>",
		              BYTES_FORMAT(message->recipients[0].address));
	if (tls)
		buffer_printf(out, "\r\n\ttls %s (%s)", tls_cipher(tls), tls_protocol(tls));
	buffer_append_text(out, ";\r\n\t");
	date_format_mail(out, clock_now_us());
	buffer_append_text(out, "\r\n");
}

static void begin(struct session *session, bool is_verbatim)
{
	struct content *content = &session->content;

	content->decoder = (struct dot_decoder){
		.is_verbatim = is_verbatim,
		.is_normalising = strcmp(session->config->receive.bare_newline, "normalise") == 0,
	};
	write_received(session);
	content->size_bytes = (int64_t)content->data.len;
}

/* Date and Message-ID, where a program submits its first draft (RFC 6409 8). */
static void add_missing_fields(struct session *session, struct bytes headers)
{
	struct content *content = &session->content;
	struct buffer rest = { 0 };
	struct header_field field;
	ptrdiff_t own_end;
	char id[ID_TEXT_LENGTH + 1];
	bool has_date = header_find(headers, bytes_of("Date"), &field);
	bool has_id = header_find(headers, bytes_of("Message-ID"), &field);

	if (!session->is_submission || (has_date && has_id))
		return;
	id_format(session->message->id, id);
	header_next(&headers, &field); /* ours: new fields go behind it */
	own_end = field.whole.at + field.whole.len - content->data.at;
	buffer_append(&rest, bytes_from(buffer_bytes(&content->data), (size_t)own_end));
	content->data.len = (size_t)own_end;
	if (!has_date) {
		buffer_append_text(&content->data, "Date: ");
		date_format_mail(&content->data, clock_now_us());
		buffer_append_text(&content->data, "\r\n");
	}
	if (!has_id)
		buffer_printf(&content->data, "Message-ID: <%s@%s>\r\n", id,
		              session->config->hostname);
	buffer_append(&content->data, buffer_bytes(&rest));
	content->size_bytes += (int64_t)content->data.len - own_end - (int64_t)rest.len;
	buffer_deinit(&rest);
}

/* Looks at the header section, once: when it is all there, or the content ends. */
static void look_at_headers(struct session *session)
{
	struct content *content = &session->content;
	struct bytes headers = buffer_bytes(&content->data);

	content->has_headers = true;
	headers.len = header_length(headers);
	if ((int64_t)headers.len > session->config->receive.header_bytes) {
		refuse(session, "552 5.3.4 the header section is larger than is taken here");
		return;
	}
	if (header_count(headers, bytes_of("Received")) - 1 > session->config->receive.hops) {
		refuse(session, "554 5.4.6 too many hops: this looks like a mail loop");
		return;
	}
	add_missing_fields(session, headers);
	headers = buffer_bytes(&content->data);
	content->header_bytes = (uint32_t)header_length(headers);
	content->is_automatic = header_is_automatic(bytes_first(headers, content->header_bytes));
}

/* Writing to the body file blocks: it is done on the pool. */
struct file_write {
	int fd, result;
	struct bytes data;
};

static void write_file(void *arg)
{
	struct file_write *work = arg;

	while (work->data.len > 0 && work->result == 0) {
		ssize_t count = write(work->fd, work->data.at, work->data.len);

		if (count >= 0)
			work->data = bytes_from(work->data, (size_t)count);
		else if (errno != EINTR)
			work->result = -errno;
	}
}

PARKS static void flush_to_file(struct session *session)
{
	struct content *content = &session->content;
	struct file_write work = { .fd = content->fd, .data = buffer_bytes(&content->data) };

	work_run(write_file, &work);
	if (work.result == -ENOSPC)
		refuse(session, "452 4.3.1 no room on the disk");
	else if (work.result < 0)
		refuse(session, "451 4.3.0 the message cannot be kept");
	else
		buffer_clear(&content->data);
}

PARKS static void move_to_file(struct session *session)
{
	struct content *content = &session->content;
	struct receiver *receiver = session->receiver;
	struct err err = { 0 };

	look_at_headers(session);
	if (content->fault)
		return;
	if (receiver->hooks.body_file(receiver->hooks.arg, content->path, &content->fd, &err) < 0) {
		content->path[0] = '\0';
		content->fd = -1;
		refuse(session, err.code == ERR_FULL ? "452 4.3.1 no room on the disk"
		                                     : "451 4.3.0 the message cannot be kept");
		return;
	}
	flush_to_file(session);
}

/* Memory for what is buffered comes from the budget all sessions share: who finds it used up waits.
 */
PARKS static int take_memory(struct session *session)
{
	struct content *content = &session->content;
	int result;

	while ((int64_t)content->data.len + BUDGET_STEP_BYTES > content->budget_bytes) {
		result = budget_wait(
			session->receiver->budget, BUDGET_STEP_BYTES,
			session_deadline(session, session->config->receive.data_timeout_us));
		if (result == ERR_TIMEOUT) {
			refuse(session, "451 4.3.1 no memory for the message, try again later");
			return 0;
		}
		if (result < 0)
			return result;
		content->budget_bytes += BUDGET_STEP_BYTES;
	}
	return 0;
}

/* After some bytes have been decoded into content->data. */
PARKS static int settle(struct session *session, size_t before)
{
	struct content *content = &session->content;
	const struct config_receive *config = &session->config->receive;

	if (content->fault) {
		buffer_clear(&content->data);
		return 0;
	}
	content->size_bytes += (int64_t)(content->data.len - before);
	if (content->size_bytes > config->message_size_bytes) {
		refuse(session, too_large);
		return 0;
	}
	if (content->fd >= 0 && content->data.len >= FILE_STEP_BYTES)
		flush_to_file(session);
	else if (content->fd < 0 &&
	         (int64_t)content->data.len > MAX(config->memory_message_bytes,
	                                          config->header_bytes + BUDGET_STEP_BYTES))
		move_to_file(session);
	return content->fault ? 0 : take_memory(session);
}

/* What is wrong with the content as such; NULL: nothing. */
static const char *content_problem(const struct session *session)
{
	const struct content *content = &session->content;
	uint32_t bare = content->decoder.is_normalising ? 0 : CONTENT_BARE_LF | CONTENT_BARE_CR;

	if (content->decoder.flags & bare)
		return "550 5.6.0 CR or LF alone is not allowed in a message (RFC 5321 2.3.8)";
	if (content->decoder.flags & CONTENT_NUL)
		return "550 5.6.0 NUL is not allowed in a message";
	return NULL;
}

PARKS static int close_file(struct session *session, struct err *err)
{
	struct content *content = &session->content;
	struct receiver *receiver = session->receiver;
	int result;

	flush_to_file(session);
	if (content->fault)
		return err_set(err, ERR_SYSTEM, "body file");
	result = receiver->hooks.body_sync(receiver->hooks.arg, content->fd, err);
	close(content->fd);
	content->fd = -1;
	return result;
}

static void fill_message(struct session *session)
{
	struct message *message = session->message;
	struct content *content = &session->content;

	message->arrived_us = clock_now_us();
	message->body.size_bytes = content->size_bytes;
	message->header_bytes = content->header_bytes;
	if (content->decoder.flags & CONTENT_8BIT)
		message->flags |= MESSAGE_HAS_8BIT;
	if (content->decoder.flags & CONTENT_LONG_LINE)
		message->flags |= MESSAGE_HAS_LONG_LINES;
	if (content->is_automatic)
		message->flags |= MESSAGE_IS_AUTOMATIC;
	if (content->path[0])
		message->body.path =
			(char *)(uintptr_t)arena_copy(message->arena, bytes_of(content->path)).at;
	else
		message->body.data = arena_copy(message->arena, buffer_bytes(&content->data));
}

/* The whole content is there and sound: kept, and only then acknowledged. */
PARKS static void hand_on(struct session *session)
{
	struct receiver *receiver = session->receiver;
	struct message *message = session->message;
	struct err err = { 0 };
	char id[ID_TEXT_LENGTH + 1];
	int result = 0;

	fill_message(session);
	if (session->content.fd >= 0)
		result = close_file(session, &err);
	if (result == 0) {
		id_format(message->id, id);
		session->message = NULL; /* the reference goes to accept */
		receiver->stats.bytes += (uint64_t)message->body.size_bytes;
		result = receiver->hooks.accept(receiver->hooks.arg, message, &err);
	}
	if (result == 0) {
		session->content.path[0] = '\0'; /* the file is the spool's now */
		session->messages++;
		receiver->stats.messages++;
		session_reply(session, "250 2.0.0 kept as %s", id);
	} else if (err.code == ERR_FULL) {
		session_reply(session, "452 4.3.1 no room on the disk");
	} else {
		session_reply(session, "451 4.3.0 the message could not be kept, try again later");
	}
}

PARKS static void finish(struct session *session)
{
	struct content *content = &session->content;

	if (!content->fault && !content->has_headers)
		look_at_headers(session);
	if (!content->fault && content_problem(session))
		refuse(session, content_problem(session));
	if (content->fault)
		session_reply(session, "%s", content->fault);
	else
		hand_on(session);
	session_reset(session);
}

/* Takes the next bytes from the stream, at most `most`. */
PARKS static int take_some(struct session *session, size_t most, size_t *used_out, bool *is_end_out)
{
	struct content *content = &session->content;
	size_t before = content->data.len;
	struct bytes in;
	int result = stream_peek(
		session->stream, 1,
		session_deadline(session, session->config->receive.data_timeout_us), &in, NULL);

	if (result < 0)
		return result;
	*used_out = dot_decode(&content->decoder, bytes_first(in, most), &content->data,
	                       is_end_out);
	stream_consume(session->stream, *used_out);
	return settle(session, before);
}

int content_data(struct session *session)
{
	bool is_end = false;
	size_t used;
	int result = stream_flush(session->stream, session_deadline(session, US_PER_MINUTE), NULL);

	begin(session, false);
	if (result == 0)
		result = take_memory(session);
	while (result == 0 && !is_end)
		result = take_some(session, SIZE_MAX, &used, &is_end);
	if (result == 0)
		finish(session);
	return result;
}

/* Reads and forgets the octets of a chunk that is refused. */
PARKS static int skip_chunk(struct session *session, uint64_t left)
{
	struct bytes in;

	while (left > 0) {
		int result = stream_peek(
			session->stream, 1,
			session_deadline(session, session->config->receive.data_timeout_us), &in,
			NULL);

		if (result < 0)
			return result;
		in = bytes_first(in, (size_t)MIN(left, (uint64_t)in.len));
		stream_consume(session->stream, in.len);
		left -= in.len;
	}
	return 0;
}

int content_chunk(struct session *session, const struct command *command, bool is_refused)
{
	uint64_t left = command->chunk_bytes;
	bool is_end;
	size_t used;
	int result = 0;

	if (is_refused)
		return skip_chunk(session, left);
	if (!session->is_chunking) {
		begin(session, true);
		session->is_chunking = true;
		result = take_memory(session);
	}
	while (result == 0 && left > 0) {
		result = take_some(session, (size_t)MIN(left, (uint64_t)SIZE_MAX), &used, &is_end);
		left -= used;
	}
	if (result < 0)
		return result;
	if (command->is_last) {
		dot_close(&session->content.decoder);
		finish(session);
	} else if (session->content.fault) {
		session_reply(session, "%s", session->content.fault);
		session->is_broken = true;
	} else {
		session_reply(session, "250 2.0.0 %llu octets taken",
		              (unsigned long long)command->chunk_bytes);
	}
	return 0;
}
