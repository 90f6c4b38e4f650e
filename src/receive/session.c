/* One client's conversation (RFC 5321 4.1). Replies are buffered, and sent when the client has
 * nothing more to say for now: so a pipelined group (RFC 2920) costs one read and one write. */
#include "receive/session.h"
#include "base/alloc.h"
#include "base/log.h"
#include "base/units.h"
#include "receive/receiver_own.h"
#include "runtime/fiber.h"
#include "runtime/tls.h"
#include "smtp/address.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define SKIP_BYTES_MAX    (1 << 20) /* of an endless line, before we hang up */
#define REPLY_WAIT_US     (30 * US_PER_SECOND)
#define HANDSHAKE_WAIT_US US_PER_MINUTE

int64_t session_deadline(const struct session *session, int64_t timeout_us)
{
	return MIN(clock_now_us() + timeout_us, session->deadline_us);
}

void session_reply(struct session *session, const char *format, ...)
{
	char line[900];
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(line, sizeof line - 2, format, args);
	va_end(args);
	length = MIN(length, (int)sizeof line - 3);
	fiber_trace('S', line, (size_t)length);
	if (line[0] == '5')
		session->errors++;
	if (line[0] >= '4' && line[0] != '\0')
		session->receiver->stats.rejected++;
	memcpy(line + length, "\r\n", 2);
	if (stream_write(session->stream, (struct bytes){ line, (size_t)length + 2 },
	                 session_deadline(session, REPLY_WAIT_US), NULL) < 0)
		session->is_over = true;
}

void session_refuse(struct session *session, const char *line)
{
	session->deadline_us = CLOCK_NEVER;
	session_reply(session, "%s", line);
	stream_flush(session->stream, session_deadline(session, US_PER_SECOND), NULL);
}

void session_reset(struct session *session)
{
	content_drop(session);
	message_release(session->message);
	session->message = NULL;
	session->is_chunking = session->is_broken = false;
}

/* STARTTLS (RFC 3207) and implicit TLS (RFC 8314 3.3). */

static bool may_start_tls(const struct session *session)
{
	return !stream_tls(session->stream) &&
	       (session->tls == SESSION_STARTTLS || session->tls == SESSION_TLS_REQUIRED);
}

/* After a handshake that failed nothing more can be said: ERR_CLOSED. PARKS */
PARKS static int shake_hands(struct session *session)
{
	struct tls_start start = { .context = identity_context(session->identity, clock_now_us()) };
	struct receiver_stats *stats = &session->receiver->stats;
	struct err err = { 0 };

	stats->handshakes++;
	if (stream_start_tls(session->stream, &start, session_deadline(session, HANDSHAKE_WAIT_US),
	                     &err) == 0)
		return 0;
	stats->handshakes_failed++;
	log_info("receive", "%s", err.text);
	return ERR_CLOSED;
}

PARKS static int begin_tls(struct session *session, const struct command *command)
{
	int result;

	if (command->argument.len > 0) {
		session_reply(session, "501 5.5.4 STARTTLS takes no argument");
		return 0;
	}
	if (!may_start_tls(session)) {
		session_reply(session, stream_tls(session->stream) ? "503 5.5.1 this is TLS already"
		                                                   : "502 5.5.1 not offered here");
		return 0;
	}
	session_reply(session, "220 2.0.0 go on");
	result = stream_flush(session->stream, session_deadline(session, REPLY_WAIT_US), NULL);
	if (result < 0)
		return result;
	/* Whoever can put commands behind STARTTLS in plaintext is not the client: the stream drops
	 * them, and all that was said before is forgotten (RFC 3207 4.2). */
	if (stream_buffered(session->stream).len > 0)
		log_warning("receive", "%s sent plaintext behind STARTTLS: dropped", session->peer);
	session_reset(session);
	session->helo[0] = '\0';
	session->is_esmtp = false;
	return shake_hands(session);
}

/* EHLO and HELO. */

/* The greatest wait, in seconds, and the same as a date (RFC 4865 3). */
static void offer_future_release(struct session *session)
{
	int64_t most_us = session->config->receive.future_release_us;
	struct buffer date = { 0 };

	if (!session->is_submission || most_us == 0)
		return;
	date_format_iso(&date, clock_now_us() + most_us);
	session_reply(session, "250-FUTURERELEASE %lld %.19sZ",
	              (long long)(most_us / US_PER_SECOND), date.at);
	buffer_deinit(&date);
}

static void greet(struct session *session, const struct command *command)
{
	const struct config *config = session->config;
	bool is_literal;

	if (!mailbox_domain_parse(command->argument, false, &is_literal) &&
	    bytes_find_char(command->argument, ' ') >= 0) {
		session_reply(session, "501 5.5.4 a domain or an address literal is needed");
		return;
	}
	session_reset(session);
	session->is_esmtp = command->verb == VERB_EHLO;
	snprintf(session->helo, sizeof session->helo, "%.*s", BYTES_FORMAT(command->argument));
	for (char *c = session->helo; *c; c++)
		if ((unsigned char)*c <= 32 || (unsigned char)*c >= 127 || strchr("()<>;\"\\", *c))
			*c = '?'; /* it goes into the Received field */
	if (!session->is_esmtp) {
		session_reply(session, "250 %s", config->hostname);
		return;
	}
	session_reply(session, "250-%s", config->hostname);
	session_reply(session, "250-PIPELINING");
	session_reply(session, "250-SIZE %lld", (long long)config->receive.message_size_bytes);
	session_reply(session, "250-8BITMIME");
	session_reply(session, "250-SMTPUTF8");
	if (may_start_tls(session))
		session_reply(session, "250-STARTTLS");
	session_reply(session, "250-ENHANCEDSTATUSCODES");
	session_reply(session, "250-CHUNKING");
	session_reply(session, "250-DSN");
	session_reply(session, "250-DELIVERBY");
	session_reply(session, "250-MT-PRIORITY");
	offer_future_release(session);
	session_reply(session, "250-LIMITS MAILMAX=%d RCPTMAX=%d",
	              MIN(config->receive.messages_per_connection, 999999),
	              config->receive.recipients_per_message);
	session_reply(session, "250 HELP");
}

/* A configuration holds for a whole transaction. */
static void take_config(struct session *session)
{
	if (session->config == session->receiver->config)
		return;
	config_release(session->config);
	session->config = config_acquire(session->receiver->config);
}

static void begin_mail(struct session *session, const struct command *command)
{
	struct receiver *receiver = session->receiver;

	if (session->helo[0] == '\0') {
		session_reply(session, "503 5.5.1 EHLO first");
	} else if (session->tls == SESSION_TLS_REQUIRED && !stream_tls(session->stream)) {
		session_reply(session, "530 5.7.0 STARTTLS first");
	} else if (session->message) {
		session_reply(session, "503 5.5.1 a transaction is open already");
	} else if (session->messages >= session->config->receive.messages_per_connection) {
		session_reply(session, "421 4.7.0 too many messages on one connection");
		session->is_over = true;
	} else if (!receiver->hooks.has_room(receiver->hooks.arg)) {
		session_reply(session, "452 4.3.1 no room on the disk for new mail");
	} else {
		take_config(session);
		envelope_mail(session, command);
	}
}

static void begin_rcpt(struct session *session, const struct command *command)
{
	if (!session->message || session->is_chunking)
		session_reply(session, "503 5.5.1 MAIL first");
	else
		envelope_rcpt(session, command);
}

static int begin_data(struct session *session)
{
	if (!session->message || session->is_chunking) {
		session_reply(session, "503 5.5.1 %s",
		              session->is_chunking ? "BDAT has begun" : "MAIL first");
		return 0;
	}
	if (session->message->recipient_count == 0) {
		session_reply(session, "554 5.5.1 no valid recipients");
		return 0;
	}
	session_reply(session, "354 go on; end with a dot on a line of its own");
	return content_data(session);
}

/* The octets of a chunk are read whatever becomes of them (RFC 3030 2). */
static int begin_chunk(struct session *session, const struct command *command)
{
	bool is_refused = !session->message || session->message->recipient_count == 0 ||
	                  session->is_broken;
	int result = content_chunk(session, command, is_refused);

	if (result < 0 || !is_refused)
		return result;
	session_reply(session, "503 5.5.1 %s",
	              session->is_broken ? "an earlier chunk was refused"
	              : session->message ? "no valid recipients"
	                                 : "MAIL first");
	return 0;
}

static void refuse_fault(struct session *session, const struct command *command,
                         enum command_fault fault)
{
	switch (fault) {
	case COMMAND_UNKNOWN:
		session_reply(session, "500 5.5.2 unknown command");
		return;
	case COMMAND_BAD_PATH:
		session_reply(session, "501 %s not an address in angle brackets",
		              command->verb == VERB_MAIL ? "5.1.7" : "5.1.3");
		return;
	case COMMAND_TOO_MANY_PARAMETERS:
		session_reply(session, "501 5.5.4 too many parameters");
		return;
	case COMMAND_OK:
	case COMMAND_SYNTAX:
		break;
	}
	session_reply(session, "501 5.5.4 wrong or missing argument");
}

/* Returns < 0 when the connection is lost. */
static int run_command(struct session *session, const struct command *command)
{
	switch (command->verb) {
	case VERB_EHLO:
	case VERB_HELO:
		greet(session, command);
		return 0;
	case VERB_MAIL:
		begin_mail(session, command);
		return 0;
	case VERB_RCPT:
		begin_rcpt(session, command);
		return 0;
	case VERB_DATA:
		return begin_data(session);
	case VERB_BDAT:
		return begin_chunk(session, command);
	case VERB_RSET:
		session_reset(session);
		session_reply(session, "250 2.0.0 ok");
		return 0;
	case VERB_NOOP:
		session_reply(session, "250 2.0.0 ok");
		return 0;
	case VERB_VRFY:
		session_reply(session, "252 2.1.5 send it, and you will see");
		return 0;
	case VERB_HELP:
		session_reply(session, "214 2.0.0 RFC 5321 says it all");
		return 0;
	case VERB_QUIT:
		session_reply(session, "221 2.0.0 bye");
		session->is_over = true;
		return 0;
	case VERB_STARTTLS:
		return begin_tls(session, command);
	case VERB_EXPN:
	case VERB_AUTH:
	case VERB_UNKNOWN:
		break;
	}
	session_reply(session, "502 5.5.1 not offered here");
	return 0;
}

/* Browsers made to speak to a mail port (cross-protocol attacks) begin like this. */
static bool is_http(struct bytes line)
{
	static const char *const verbs[] = { "GET ",     "POST ",   "PUT ",   "HEAD ", "CONNECT ",
		                             "OPTIONS ", "DELETE ", "PATCH ", "TRACE " };

	for (size_t i = 0; i < COUNT(verbs); i++)
		if (bytes_starts_with(line, bytes_of(verbs[i])))
			return true;
	return false;
}

static int handle_line(struct session *session, struct bytes line)
{
	struct command command;
	enum command_fault fault;

	fiber_trace('C', line.at, line.len);
	if (is_http(line) && session->helo[0] == '\0') {
		session_reply(session, "421 4.7.0 this is a mail server");
		session->is_over = true;
		return 0;
	}
	if (!bytes_is_ascii(line) && !session->is_esmtp) {
		session_reply(session, "500 5.5.2 not ASCII");
		return 0;
	}
	fault = command_parse(line, &command);
	if (fault != COMMAND_OK && command.verb != VERB_STARTTLS && command.verb != VERB_EXPN) {
		refuse_fault(session, &command, fault);
		return 0;
	}
	return run_command(session, &command);
}

/* Only CRLF ends a command (RFC 5321 2.3.8): with a bare LF or CR in it, or a NUL, everything up to
 * the next CRLF is one bad line. */
static int read_command(struct session *session, struct bytes *line_out, bool *is_bad_out)
{
	int64_t deadline_us = session_deadline(session,
	                                       session->config->receive.command_timeout_us);
	struct bytes line;
	int length;

	*is_bad_out = false;
	for (;;) {
		length = stream_read_line(session->stream, COMMAND_BYTES_MAX, deadline_us, &line,
		                          NULL);
		if (length == ERR_TOO_LONG) {
			length = stream_skip_line(session->stream, SKIP_BYTES_MAX, deadline_us,
			                          NULL);
			if (length < 0)
				return length;
			*is_bad_out = true;
			return 0;
		}
		if (length < 0)
			return length;
		if (line.len >= 2 && line.at[line.len - 2] == '\r')
			break;
		*is_bad_out = true;
	}
	line.len -= 2;
	if (memchr(line.at, '\r', line.len) || memchr(line.at, '\0', line.len))
		*is_bad_out = true;
	*line_out = line;
	return 0;
}

static int next_command(struct session *session)
{
	struct bytes line = { 0 };
	bool is_bad;
	int result;

	if (stream_buffered(session->stream).len == 0) {
		result = stream_flush(session->stream, session_deadline(session, REPLY_WAIT_US),
		                      NULL);
		if (result < 0)
			return result;
	}
	session->is_idle = true;
	result = read_command(session, &line, &is_bad);
	session->is_idle = false;
	if (result < 0)
		return result;
	if (session->receiver->is_stopping)
		return ERR_CANCELLED;
	if (is_bad) {
		session_reply(session, "500 5.5.2 line too long, or with CR, LF or NUL in it");
		return 0;
	}
	return handle_line(session, line);
}

static void say_goodbye(struct session *session, int result)
{
	if (result == ERR_TIMEOUT)
		session_reply(session, "421 4.4.2 timed out");
	else if (result == ERR_CANCELLED)
		session_reply(session, "421 4.3.2 shutting down, try again later");
	else if (result == ERR_TOO_LONG)
		session_reply(session, "421 4.7.0 this line has no end");
	stream_flush(session->stream, clock_now_us() + US_PER_SECOND, NULL);
}

void session_run(struct session *session)
{
	const struct config_receive *config = &session->config->receive;
	int result = 0;

	session->deadline_us = clock_now_us() + config->session_timeout_us;
	if (session->tls == SESSION_TLS_IMPLICIT && shake_hands(session) < 0)
		return;
	session_reply(session, "220 %s ESMTP Outlast", session->config->hostname);
	while (result == 0 && !session->is_over) {
		result = next_command(session);
		if (result == 0 &&
		    session->errors > session->config->receive.errors_per_connection) {
			session_reply(session, "421 4.7.0 too many errors");
			session->is_over = true;
		}
	}
	say_goodbye(session, result);
	session_reset(session);
}
