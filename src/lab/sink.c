#include "lab/sink.h"
#include "base/alloc.h"
#include "base/log.h"
#include "base/units.h"
#include "runtime/clock.h"
#include "runtime/fiber.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LINE_BYTES_MAX       8192
#define SENDER_BYTES_MAX     1024
#define RECIPIENTS_BYTES_MAX 1048576 /* the list for the record; further ones are only counted */
#define HEAD_BYTES_MAX       65536   /* of content, to find the Message-ID */
#define KEEP_BYTES_MAX       67108864
#define IDLE_US              (10 * US_PER_MINUTE)
#define END_MARK             "\r\n.\r\n"

/* What a step of the conversation leads to. */
enum next { NEXT_COMMAND, NEXT_END };

struct sink {
	struct host *host;
	struct manners *manners;
	struct stream *stream;
	struct err err;
	char client[ADDRESS_TEXT_MAX];
	bool is_extended, is_turned_away, has_mail;
	char sender[SENDER_BYTES_MAX];
	struct buffer recipients; /* each followed by LF */
	int64_t recipient_count;
	struct buffer content; /* as much as record and keep want */
	uint64_t content_bytes;
};

static struct bytes message_id(struct bytes content)
{
	ptrdiff_t end = bytes_find(content, BYTES_LITERAL("\r\n\r\n"));
	struct bytes head = end < 0 ? content : bytes_first(content, (size_t)end);

	while (head.len > 0) {
		struct bytes line = bytes_split(&head, '\n');

		if (bytes_starts_with_nocase(line, BYTES_LITERAL("Message-ID:")))
			return bytes_trim(bytes_from(line, 11));
	}
	return (struct bytes){ 0 };
}

static void sink_record(struct sink *sink, const char *event, const char *stage, const char *reply)
{
	struct record_entry entry = {
		.at_us = clock_now_us(),
		.host = host_name(sink->host)->text,
		.event = event,
		.client = sink->client,
		.stage = stage,
		.reply = reply,
		.sender = sink->has_mail ? sink->sender : NULL,
		.recipients = buffer_bytes(&sink->recipients),
		.id = message_id(buffer_bytes(&sink->content)),
		.bytes = sink->content_bytes,
	};

	record_write(host_options(sink->host)->record, &entry);
}

/* Replies */

/* Sends what was written, unless more commands wait (RFC 2920 3.2). */
static enum next send_replies(struct sink *sink)
{
	if (stream_buffered(sink->stream).len > 0)
		return NEXT_COMMAND;
	return stream_flush(sink->stream, clock_now_us() + IDLE_US, &sink->err) < 0 ? NEXT_END
	                                                                            : NEXT_COMMAND;
}

static enum next reply_text(struct sink *sink, const char *text)
{
	int64_t deadline_us = clock_now_us() + IDLE_US;

	if (sink->manners->delay_us > 0) {
		stream_flush(sink->stream, deadline_us, &sink->err);
		if (fiber_sleep(clock_now_us() + sink->manners->delay_us) < 0)
			return NEXT_END;
	}
	if (stream_write(sink->stream, bytes_of(text), deadline_us, &sink->err) < 0 ||
	    stream_write(sink->stream, BYTES_LITERAL("\r\n"), deadline_us, &sink->err) < 0)
		return NEXT_END;
	return send_replies(sink);
}

/* A reply of our own: the enhanced code is left out when the script says so. */
static enum next reply(struct sink *sink, int code, const char *enhanced, const char *text)
{
	bool has_codes = sink->manners->extensions & EXTENSION_ENHANCED_CODES && *enhanced;
	char line[NAME_MAX_BYTES + 64];

	snprintf(line, sizeof line, "%d %s%s%s", code, has_codes ? enhanced : "",
	         has_codes ? " " : "", text);
	return reply_text(sink, line);
}

/* A refusal, counted and recorded; 421 and the like end the connection. */
static enum next refuse(struct sink *sink, const char *stage, const char *text)
{
	enum next next;

	host_counts(sink->host)->refusals++;
	sink_record(sink, "reject", stage, text);
	next = reply_text(sink, text);
	if (strncmp(text, "421", 3) != 0)
		return next;
	stream_flush(sink->stream, clock_now_us() + IDLE_US, &sink->err);
	return NEXT_END;
}

static void stay_silent(struct sink *sink)
{
	struct bytes in;

	stream_flush(sink->stream, clock_now_us() + IDLE_US, &sink->err);
	while (stream_peek(sink->stream, 1, CLOCK_NEVER, &in, &sink->err) >= 0)
		stream_consume(sink->stream, in.len);
}

static const char *const stage_names[STAGES] = {
	[STAGE_GREETING] = "greeting", [STAGE_EHLO] = "ehlo", [STAGE_HELO] = "helo",
	[STAGE_MAIL] = "mail",         [STAGE_RCPT] = "rcpt", [STAGE_DATA] = "data",
	[STAGE_DOT] = "dot",           [STAGE_RSET] = "rset", [STAGE_QUIT] = "quit",
};

/* A scripted reply of success has a meaning for the greeting and the final dot only; elsewhere the
 * command has to do its work. */
static const struct action *take_refusal(struct action *action)
{
	if (action->kind == ACTION_REPLY && action->text[0] <= '3')
		return NULL;
	return action_take(action);
}

/* Carries out what is scripted. */
static enum next act(struct sink *sink, enum stage stage, const struct action *action)
{
	static const char garbage[] = "\x01\xff garbage \x80";

	switch (action->kind) {
	case ACTION_REPLY:
		if (action->text[0] == '2' || action->text[0] == '3')
			return reply_text(sink, action->text);
		return refuse(sink, stage_names[stage], action->text);
	case ACTION_DROP:
		host_counts(sink->host)->drops++;
		sink_record(sink, "drop", stage_names[stage], NULL);
		stream_flush(sink->stream, clock_now_us() + IDLE_US, &sink->err);
		return NEXT_END;
	case ACTION_SILENT:
		sink_record(sink, "silent", stage_names[stage], NULL);
		stay_silent(sink);
		return NEXT_END;
	case ACTION_GARBAGE:
		return reply_text(sink, garbage);
	case ACTION_NONE:
	default:
		return NEXT_COMMAND;
	}
}

/* Commands */

static void forget_mail(struct sink *sink)
{
	sink->has_mail = false;
	sink->recipient_count = 0;
	sink->content_bytes = 0;
	buffer_clear(&sink->recipients);
	buffer_clear(&sink->content);
}

static enum next on_ehlo(struct sink *sink, struct bytes argument)
{
	static const struct {
		enum extension bit;
		const char *text;
	} offers[] = {
		{ EXTENSION_PIPELINING, "PIPELINING" },
		{ EXTENSION_8BITMIME, "8BITMIME" },
		{ EXTENSION_DSN, "DSN" },
		{ EXTENSION_SMTPUTF8, "SMTPUTF8" },
		{ EXTENSION_CHUNKING, "CHUNKING" },
		{ EXTENSION_ENHANCED_CODES, "ENHANCEDSTATUSCODES" },
	};
	unsigned extensions = sink->manners->extensions;
	char text[512];
	int len;

	(void)argument;
	forget_mail(sink);
	sink->is_extended = true;
	len = snprintf(text, sizeof text, "250-%s", host_name(sink->host)->text);
	for (size_t i = 0; i < COUNT(offers); i++)
		if (extensions & offers[i].bit)
			len += snprintf(text + len, sizeof text - (size_t)len, "\r\n250-%s",
			                offers[i].text);
	if (extensions & EXTENSION_SIZE)
		snprintf(text + len, sizeof text - (size_t)len, "\r\n250 SIZE %lld",
		         (long long)sink->manners->size_bytes);
	else
		snprintf(text + len, sizeof text - (size_t)len, "\r\n250 HELP");
	return reply_text(sink, text);
}

static enum next on_helo(struct sink *sink, struct bytes argument)
{
	(void)argument;
	forget_mail(sink);
	return reply(sink, 250, "", host_name(sink->host)->text);
}

/* What stands between the first "<" and the last ">" before a blank. */
static bool read_path(struct bytes argument, struct bytes *path_out)
{
	ptrdiff_t start = bytes_find_char(argument, '<');
	ptrdiff_t end = bytes_find_char(argument, '>');

	if (start < 0 || end < start)
		return false;
	*path_out = (struct bytes){ argument.at + start + 1, (size_t)(end - start - 1) };
	return true;
}

static bool is_too_big(const struct sink *sink, struct bytes argument)
{
	ptrdiff_t at = bytes_find_nocase(argument, BYTES_LITERAL(" SIZE="));
	struct bytes rest = bytes_from(argument, (size_t)at + 6);
	uint64_t size;

	return at >= 0 && sink->manners->size_bytes > 0 &&
	       bytes_parse_u64(bytes_split(&rest, ' '), &size) &&
	       size > (uint64_t)sink->manners->size_bytes;
}

static enum next on_mail(struct sink *sink, struct bytes argument)
{
	struct bytes path;

	if (sink->has_mail)
		return reply(sink, 503, "5.5.1", "Sender was given already");
	if (!read_path(argument, &path) || path.len >= sizeof sink->sender)
		return reply(sink, 501, "5.5.4", "Syntax: MAIL FROM:<address>");
	if (is_too_big(sink, argument))
		return refuse(sink, "mail", "552 5.3.4 Message too big");
	if (host_is_over_rate(sink->host, clock_now_us()))
		return refuse(sink, "mail", sink->manners->rate_reply);
	snprintf(sink->sender, sizeof sink->sender, "%.*s", BYTES_FORMAT(path));
	sink->has_mail = true;
	return reply(sink, 250, "2.1.0", "Sender ok");
}

static struct action *pattern_action(struct sink *sink, struct bytes path)
{
	for (int i = 0; i < sink->manners->pattern_count; i++)
		if (pattern_match(bytes_of(sink->manners->patterns[i].pattern), path))
			return &sink->manners->patterns[i].action;
	return NULL;
}

static bool is_greylisted(struct sink *sink, struct bytes path)
{
	struct buffer triplet = { 0 };
	bool is_early;

	if (sink->manners->greylist_us == 0)
		return false;
	buffer_printf(&triplet, "%s %s %.*s", sink->client, sink->sender, BYTES_FORMAT(path));
	is_early = host_is_early(sink->host, buffer_bytes(&triplet), clock_now_us());
	buffer_deinit(&triplet);
	return is_early;
}

static enum next on_rcpt(struct sink *sink, struct bytes argument)
{
	const struct action *action = NULL;
	struct action *scripted;
	struct bytes path;

	if (!sink->has_mail)
		return reply(sink, 503, "5.5.1", "MAIL first");
	if (!read_path(argument, &path) || path.len == 0)
		return reply(sink, 501, "5.5.4", "Syntax: RCPT TO:<address>");
	scripted = pattern_action(sink, path);
	if (scripted)
		action = take_refusal(scripted);
	if (action)
		return act(sink, STAGE_RCPT, action);
	if (is_greylisted(sink, path))
		return refuse(sink, "rcpt", "451 4.7.1 Greylisted, please try again later");
	if (sink->manners->recipients > 0 && sink->recipient_count == sink->manners->recipients)
		return refuse(sink, "rcpt", "452 4.5.3 Too many recipients");
	sink->recipient_count++;
	if (sink->recipients.len + path.len < RECIPIENTS_BYTES_MAX) {
		buffer_append(&sink->recipients, path);
		buffer_append_char(&sink->recipients, '\n');
	}
	return reply(sink, 250, "2.1.5", "Recipient ok");
}

/* Content */

static void take_content(struct sink *sink, struct bytes data)
{
	const struct host_options *options = host_options(sink->host);
	size_t limit = *options->keep_directory ? KEEP_BYTES_MAX
	               : options->record        ? HEAD_BYTES_MAX
	                                        : 0;

	sink->content_bytes += data.len;
	if (sink->content.len < limit)
		buffer_append(&sink->content, bytes_first(data, limit - sink->content.len));
}

/* A host with a limit reads slowly: it rests after each run for as long as the run should take. */
static enum next rest(const struct sink *sink, size_t count)
{
	int64_t speed = sink->manners->speed;

	if (speed == 0)
		return NEXT_COMMAND;
	return fiber_sleep(clock_now_us() + (int64_t)count * US_PER_SECOND / speed) < 0
	               ? NEXT_END
	               : NEXT_COMMAND;
}

static size_t run_limit(const struct sink *sink)
{
	return sink->manners->speed > 0 ? (size_t)MAX(sink->manners->speed / 20, 1) : SIZE_MAX;
}

/* Looks for CRLF . CRLF across runs; `*matched` bytes of it are behind us. Returns how many bytes
 * of `in` belong to the content with its end. */
static size_t find_end(struct bytes in, size_t *matched)
{
	size_t at = 0;

	while (at < in.len && *matched < sizeof END_MARK - 1) {
		char c = in.at[at];

		if (c == END_MARK[*matched]) {
			(*matched)++;
			at++;
		} else if (*matched > 0) {
			*matched = c == '\r';
			at++;
		} else {
			const char *next = memchr(in.at + at, '\r', in.len - at);

			at = next ? (size_t)(next - in.at) : in.len;
		}
	}
	return at;
}

static enum next read_dotted(struct sink *sink)
{
	size_t matched = 2; /* DATA's own line end */
	struct bytes in;

	while (matched < sizeof END_MARK - 1) {
		if (stream_peek(sink->stream, 1, clock_now_us() + IDLE_US, &in, &sink->err) < 0)
			return NEXT_END;
		in = bytes_first(in, run_limit(sink));
		in = bytes_first(in, find_end(in, &matched));
		take_content(sink, in);
		stream_consume(sink->stream, in.len);
		if (rest(sink, in.len) == NEXT_END)
			return NEXT_END;
	}
	return NEXT_COMMAND;
}

/* Removes the final dot and the doubled ones (RFC 5321 4.5.2). */
static void undot(struct buffer *content, uint64_t content_bytes)
{
	bool is_at_start = true;
	size_t kept = 0;

	if (content->len == content_bytes) /* not cut by the limit */
		content->len -= 3;
	for (size_t i = 0; i < content->len; i++) {
		if (is_at_start && content->at[i] == '.' && i + 1 < content->len) {
			is_at_start = false;
			continue;
		}
		is_at_start = content->at[i] == '\n' && i > 0 && content->at[i - 1] == '\r';
		content->at[kept++] = content->at[i];
	}
	content->len = kept;
}

/* One file for each message: HOST-000001.eml. */
static void keep_content(struct sink *sink)
{
	char path[1024];
	ssize_t written;
	int fd;

	snprintf(path, sizeof path, "%s/%s-%06llu.eml", host_options(sink->host)->keep_directory,
	         host_name(sink->host)->text,
	         (unsigned long long)host_counts(sink->host)->messages);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0) {
		log_error("lab", "keep %s: %s", path, strerror(errno));
		return;
	}
	written = write(fd, sink->content.at, sink->content.len);
	if (written != (ssize_t)sink->content.len)
		log_error("lab", "keep %s: only %zd bytes were written", path, written);
	close(fd);
}

/* The message is in our hands: counts and keeps it. */
static void take_message(struct sink *sink)
{
	struct host_counts *counts = host_counts(sink->host);

	counts->messages++;
	counts->recipients += (uint64_t)sink->recipient_count;
	counts->bytes += sink->content_bytes;
	sink_record(sink, "message", NULL, NULL);
	if (*host_options(sink->host)->keep_directory)
		keep_content(sink);
}

static enum next end_content(struct sink *sink)
{
	const struct action *action = action_take(&sink->manners->actions[STAGE_DOT]);
	enum next next;

	if (action && (action->kind != ACTION_REPLY || action->text[0] != '2')) {
		next = act(sink, STAGE_DOT, action);
	} else {
		take_message(sink);
		next = action ? reply_text(sink, action->text)
		              : reply(sink, 250, "2.0.0", "Message taken");
	}
	forget_mail(sink);
	return next;
}

static enum next on_data(struct sink *sink, struct bytes argument)
{
	(void)argument;
	if (sink->recipient_count == 0)
		return reply(sink, 503, "5.5.1", "RCPT first");
	if (reply_text(sink, "354 End with a dot") == NEXT_END ||
	    stream_flush(sink->stream, clock_now_us() + IDLE_US, &sink->err) < 0 ||
	    read_dotted(sink) == NEXT_END)
		return NEXT_END;
	undot(&sink->content, sink->content_bytes);
	sink->content_bytes -= 3;
	return end_content(sink);
}

static enum next read_chunk(struct sink *sink, uint64_t left)
{
	struct bytes in;

	while (left > 0) {
		if (stream_peek(sink->stream, 1, clock_now_us() + IDLE_US, &in, &sink->err) < 0)
			return NEXT_END;
		in = bytes_first(in, MIN(run_limit(sink), left));
		take_content(sink, in);
		stream_consume(sink->stream, in.len);
		left -= in.len;
		if (rest(sink, in.len) == NEXT_END)
			return NEXT_END;
	}
	return NEXT_COMMAND;
}

/* RFC 3030: the chunk follows the command in any case, also when it is refused. */
static enum next on_bdat(struct sink *sink, struct bytes argument)
{
	struct bytes rest_of = argument;
	uint64_t size;
	bool is_last;

	if (!(sink->manners->extensions & EXTENSION_CHUNKING) ||
	    !bytes_parse_u64(bytes_split(&rest_of, ' '), &size))
		return reply(sink, 501, "5.5.4", "Syntax: BDAT size [LAST]");
	/* The argument is gone once the chunk is read. */
	is_last = bytes_equal_nocase(bytes_trim(rest_of), BYTES_LITERAL("LAST"));
	if (read_chunk(sink, size) == NEXT_END)
		return NEXT_END;
	if (sink->recipient_count == 0)
		return reply(sink, 503, "5.5.1", "RCPT first");
	if (is_last)
		return end_content(sink);
	return reply(sink, 250, "2.0.0", "Chunk taken");
}

static enum next on_rset(struct sink *sink, struct bytes argument)
{
	(void)argument;
	forget_mail(sink);
	return reply(sink, 250, "2.0.0", "Reset");
}

static enum next on_noop(struct sink *sink, struct bytes argument)
{
	(void)argument;
	return reply(sink, 250, "2.0.0", "ok");
}

static enum next on_quit(struct sink *sink, struct bytes argument)
{
	(void)argument;
	reply(sink, 221, "2.0.0", "Bye");
	stream_flush(sink->stream, clock_now_us() + IDLE_US, &sink->err);
	return NEXT_END;
}

static const struct command {
	const char *verb;
	enum next (*run)(struct sink *sink, struct bytes argument);
	enum stage stage; /* STAGES: not scripted */
} commands[] = {
	{ "EHLO", on_ehlo, STAGE_EHLO }, { "HELO", on_helo, STAGE_HELO },
	{ "MAIL", on_mail, STAGE_MAIL }, { "RCPT", on_rcpt, STAGE_RCPT },
	{ "DATA", on_data, STAGE_DATA }, { "BDAT", on_bdat, STAGES },
	{ "RSET", on_rset, STAGE_RSET }, { "NOOP", on_noop, STAGES },
	{ "QUIT", on_quit, STAGE_QUIT },
};

static enum next run_command(struct sink *sink, const struct command *command,
                             struct bytes argument)
{
	const struct action *action = NULL;

	if (command->stage != STAGES)
		action = take_refusal(&sink->manners->actions[command->stage]);
	return action ? act(sink, command->stage, action) : command->run(sink, argument);
}

static enum next read_command(struct sink *sink)
{
	struct bytes line, argument;

	if (stream_read_line(sink->stream, LINE_BYTES_MAX, clock_now_us() + IDLE_US, &line,
	                     &sink->err) < 0)
		return NEXT_END;
	argument = bytes_trim(line);
	line = bytes_split(&argument, ' ');
	if (sink->is_turned_away && !bytes_equal_nocase(line, BYTES_LITERAL("QUIT")))
		return reply(sink, 503, "5.5.1", "No service here");
	for (size_t i = 0; i < COUNT(commands); i++)
		if (bytes_equal_nocase(line, bytes_of(commands[i].verb)))
			return run_command(sink, &commands[i], argument);
	return reply(sink, 500, "5.5.2", "Unknown command");
}

static enum next greet(struct sink *sink)
{
	const struct action *action = action_take(&sink->manners->actions[STAGE_GREETING]);
	const struct manners *manners = sink->manners;
	char text[NAME_MAX_BYTES + 32];

	if (manners->connections > 0 &&
	    host_counts(sink->host)->open > (uint64_t)manners->connections)
		return refuse(sink, "greeting", "421 4.7.0 Too many connections");
	if (action) {
		sink->is_turned_away = action->kind == ACTION_REPLY && action->text[0] != '2';
		return act(sink, STAGE_GREETING, action);
	}
	snprintf(text, sizeof text, "220 %s ESMTP", host_name(sink->host)->text);
	return reply_text(sink, text);
}

void sink_serve(struct host *host, struct stream *stream)
{
	struct sink *sink = alloc_zeroed(sizeof *sink);
	enum next next;

	sink->host = host;
	sink->manners = host_name(host)->manners;
	sink->stream = stream;
	address_format(stream_peer(stream), sink->client);
	sink_record(sink, "connect", NULL, NULL);
	if (sink->manners->listen == LISTEN_SILENT)
		stay_silent(sink);
	else
		for (next = greet(sink); next == NEXT_COMMAND;)
			next = read_command(sink);
	buffer_deinit(&sink->recipients);
	buffer_deinit(&sink->content);
	alloc_free(sink);
}
