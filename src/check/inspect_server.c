#include "check/inspect_server.h"
#include "base/alloc.h"
#include "base/units.h"
#include "codes/classify.h"
#include "runtime/clock.h"
#include "smtp/extension.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define QUIT_US (2 * US_PER_SECOND)

struct talk {
	const struct inspection *inspection;
	const struct inspection_host *host;
	struct inspection_server *server;
	struct arena *arena;
	struct tls_context *context; /* NULL: STARTTLS is left alone */
	struct stream *stream;
	size_t heard; /* bytes of the last reply */
	struct extensions extensions;
	int64_t deadline_us;
};

static bool fail(struct talk *talk, enum inspection_stage stage, int code, const char *text)
{
	struct inspection_server *server = talk->server;

	server->stage = stage;
	server->is_timeout = code == ERR_TIMEOUT;
	server->is_closed = code == ERR_CLOSED;
	server->is_garbage = code == ERR_PROTOCOL || code == ERR_TOO_LONG;
	snprintf(server->text, sizeof server->text, "%s", text);
	return false;
}

static bool refuse(struct talk *talk, enum inspection_stage stage, const struct reply *reply)
{
	struct inspection_server *server = talk->server;
	struct classification meaning;
	enum phase phase = stage == STAGE_GREETING ? PHASE_GREETING
	                   : stage == STAGE_EHLO   ? PHASE_EHLO
	                   : stage == STAGE_MAIL   ? PHASE_MAIL
	                                           : PHASE_RCPT;

	server->stage = stage;
	server->code = reply->code;
	reply_join(reply, server->text, sizeof server->text);
	classify_reply(reply->code, reply->class, reply->subject, reply->detail,
	               bytes_of(server->text), phase, &meaning);
	server->cause = meaning.is_temporary ? meaning.cause : CAUSE_NONE;
	server->category = meaning.category;
	server->advice = meaning.advice;
	return false;
}

/* What was said instead of a reply, for people. */
static bool hear_garbage(struct talk *talk, enum inspection_stage stage, int code,
                         struct bytes seen)
{
	char text[120];
	size_t len = MIN(seen.len, 80);

	for (size_t i = 0; i < len; i++)
		text[i] = seen.at[i] >= ' ' && seen.at[i] <= '~' ? seen.at[i] : '?';
	text[len] = '\0';
	return fail(talk, stage, code, arena_printf(talk->arena, "no SMTP: \"%s\"", text));
}

PARKS static bool hear(struct talk *talk, enum inspection_stage stage, struct reply *reply)
{
	struct bytes seen;
	struct err err = { 0 };
	int used, result;

	stream_consume(talk->stream, talk->heard);
	talk->heard = 0;
	seen = stream_buffered(talk->stream);
	while ((used = reply_parse(seen, reply)) == 0) {
		result = stream_peek(talk->stream, seen.len + 1, talk->deadline_us, &seen, &err);
		if (result < 0)
			return fail(talk, stage, result, err.text);
	}
	if (used < 0)
		return hear_garbage(talk, stage, used, seen);
	talk->heard = (size_t)used;
	return true;
}

PARKS static bool say(struct talk *talk, enum inspection_stage stage, const char *line)
{
	struct err err = { 0 };
	int result = stream_write(talk->stream, bytes_of(line), talk->deadline_us, &err);

	if (result >= 0)
		result = stream_write(talk->stream, BYTES_LITERAL("\r\n"), talk->deadline_us, &err);
	if (result >= 0)
		result = stream_flush(talk->stream, talk->deadline_us, &err);
	/* It may have said why before it hung up: hearing tells. */
	return result >= 0 || result == ERR_SYSTEM || result == ERR_CLOSED ||
	       fail(talk, stage, result, err.text);
}

PARKS static bool ask(struct talk *talk, enum inspection_stage stage, const char *line,
                      struct reply *reply)
{
	return say(talk, stage, line) && hear(talk, stage, reply);
}

PARKS static bool connect_to(struct talk *talk)
{
	struct inspection_server *server = talk->server;
	int64_t began_us = clock_now_us();
	struct err err = { 0 };
	int result = stream_connect(&server->address, server->source.len ? &server->source : NULL,
	                            talk->deadline_us, &talk->stream, &err);

	server->connect_us = clock_now_us() - began_us;
	if (result >= 0)
		return true;
	server->is_refused = err.system_errno == ECONNREFUSED;
	server->is_unreachable = err.system_errno == ENETUNREACH ||
	                         err.system_errno == EHOSTUNREACH ||
	                         err.system_errno == EADDRNOTAVAIL;
	return fail(talk, STAGE_CONNECT, result, err.text);
}

PARKS static bool hear_banner(struct talk *talk)
{
	struct reply reply;

	if (!hear(talk, STAGE_GREETING, &reply))
		return false;
	reply_join(&reply, talk->server->banner, sizeof talk->server->banner);
	return reply.code / 100 == 2 || refuse(talk, STAGE_GREETING, &reply);
}

static void list_extensions(const struct reply *reply, struct inspection_server *server)
{
	struct bytes rest = reply->text, line;
	struct buffer out = { .limit = sizeof server->extensions - 1 };
	bool is_first = true;

	while (reply_line(&rest, &line)) {
		if (!is_first) {
			buffer_append_text(&out, out.len ? ", " : "");
			for (size_t i = 0; i < line.len; i++)
				buffer_append_char(&out, line.at[i] >= ' ' && line.at[i] <= '~'
				                                 ? line.at[i]
				                                 : '?');
		}
		is_first = false;
	}
	snprintf(server->extensions, sizeof server->extensions, "%.*s",
	         BYTES_FORMAT(buffer_bytes(&out)));
	buffer_deinit(&out);
}

PARKS static bool introduce(struct talk *talk)
{
	const char *own_name = talk->inspection->subject->config->deliver.helo;
	struct reply reply;

	if (!ask(talk, STAGE_EHLO, arena_printf(talk->arena, "EHLO %s", own_name), &reply))
		return false;
	talk->server->has_ehlo = reply.code / 100 == 2;
	if (talk->server->has_ehlo) {
		extensions_read(&reply, &talk->extensions);
		talk->server->size_max = talk->extensions.size_max;
		list_extensions(&reply, talk->server);
		return true;
	}
	if (reply.code / 100 != 5)
		return refuse(talk, STAGE_EHLO, &reply);
	if (!ask(talk, STAGE_EHLO, arena_printf(talk->arena, "HELO %s", own_name), &reply))
		return false;
	return reply.code / 100 == 2 || refuse(talk, STAGE_EHLO, &reply);
}

static void read_tls(struct talk *talk)
{
	struct inspection_server *server = talk->server;
	const struct tls *tls = stream_tls(talk->stream);

	server->starttls = STARTTLS_WORKS;
	snprintf(server->protocol, sizeof server->protocol, "%s", tls_protocol(tls));
	snprintf(server->cipher, sizeof server->cipher, "%s", tls_cipher(tls));
	server->cipher_bits = tls_cipher_bits(tls);
	server->has_tlsa = tls_has_tlsa(tls);
	if (server->has_tlsa)
		server->tlsa_verdict = tls_verdict(tls);
	server->verdict = tls_verdict(tls);
	snprintf(server->verdict_text, sizeof server->verdict_text, "%s", tls_verdict_text(tls));
	server->has_certificate = tls_certificate(tls, 0, talk->arena, &server->certificate);
}

/* False: the connection is of no more use, which is no failure of the server's mail. */
PARKS static bool start_tls(struct talk *talk)
{
	struct inspection_server *server = talk->server;
	const char *name = talk->host->name.at;
	struct tls_start start = { .context = talk->context,
		                   .server_name = name,
		                   .names = &name,
		                   .name_count = 1,
		                   .tlsa = talk->host->tlsa,
		                   .tlsa_count = talk->host->tlsa_count };
	struct err err = { 0 };
	struct reply reply;

	server->starttls = STARTTLS_FAILED;
	if (!ask(talk, STAGE_EHLO, "STARTTLS", &reply)) {
		snprintf(server->starttls_text, sizeof server->starttls_text, "%.239s",
		         server->text);
		return false;
	}
	if (reply.code != 220) {
		server->starttls = STARTTLS_REFUSED;
		reply_join(&reply, server->starttls_text, sizeof server->starttls_text);
		return true;
	}
	talk->heard = 0;
	if (stream_start_tls(talk->stream, &start, talk->deadline_us, &err) < 0) {
		snprintf(server->starttls_text, sizeof server->starttls_text, "%.239s", err.text);
		return false;
	}
	read_tls(talk);
	return true;
}

/* Would it take mail for the recipient? With the null sender, and no content. */
PARKS static bool ask_recipient(struct talk *talk)
{
	struct bytes recipient = talk->inspection->subject->recipient;
	struct reply reply;

	if (recipient.len == 0)
		return true;
	if (!ask(talk, STAGE_MAIL, "MAIL FROM:<>", &reply))
		return false;
	if (reply.code / 100 != 2)
		return refuse(talk, STAGE_MAIL, &reply);
	if (!ask(talk, STAGE_RCPT,
	         arena_printf(talk->arena, "RCPT TO:<%.*s>", BYTES_FORMAT(recipient)), &reply))
		return false;
	if (reply.code / 100 != 2)
		return refuse(talk, STAGE_RCPT, &reply);
	return ask(talk, STAGE_RCPT, "RSET", &reply);
}

PARKS static void quit(struct talk *talk)
{
	struct reply reply;

	talk->deadline_us = MIN(talk->deadline_us, clock_now_us() + QUIT_US);
	if (say(talk, STAGE_DONE, "QUIT"))
		hear(talk, STAGE_DONE, &reply);
}

/* Returns false if it is worth another connection without TLS. */
PARKS static bool talk_to(struct talk *talk)
{
	bool goes_on = connect_to(talk) && hear_banner(talk) && introduce(talk);

	if (goes_on && talk->context && (talk->extensions.offered & EXTENSION_STARTTLS)) {
		if (!start_tls(talk))
			return false;
		if (talk->server->starttls == STARTTLS_WORKS)
			goes_on = introduce(talk);
	}
	if (goes_on && ask_recipient(talk)) {
		quit(talk);
		talk->server->stage = STAGE_DONE;
		talk->server->text[0] = '\0';
		talk->server->is_timeout = talk->server->is_closed = talk->server
		                                                             ->is_garbage = false;
	} else if (talk->stream && talk->server->code) {
		struct inspection_server kept = *talk->server;

		quit(talk);
		*talk->server = kept;
	}
	return true;
}

PARKS void inspect_server(const struct inspection *inspection, struct tls_context *context,
                          struct arena *arena, struct inspection_server *server)
{
	const struct inspection_subject *subject = inspection->subject;
	int64_t began_us = clock_now_us();
	struct talk talk = { .inspection = inspection,
		             .host = &inspection->hosts[server->host],
		             .server = server,
		             .arena = arena,
		             .context = context };

	talk.deadline_us = MIN(subject->deadline_us, began_us + subject->server_timeout_us);
	if (!talk_to(&talk)) {
		stream_close(talk.stream);
		talk.stream = NULL;
		talk.context = NULL;
		talk.heard = 0;
		talk.deadline_us = MIN(subject->deadline_us,
		                       clock_now_us() + subject->server_timeout_us);
		talk_to(&talk);
	}
	stream_close(talk.stream);
	server->took_us = clock_now_us() - began_us;
}
