#include "deliver/client.h"
#include "base/alloc.h"
#include "deliver/secure.h"
#include "deliver/verdict.h"
#include "runtime/clock.h"
#include "runtime/fiber.h"
#include <stdio.h>
#include <string.h>

/* RFC 5321 4.5.3.2: how long each reply may take. */
static int64_t phase_timeout_us(const struct config_deliver *config, enum phase phase)
{
	if (phase == PHASE_GREETING)
		return config->greeting_timeout_us;
	if (phase == PHASE_DATA)
		return config->data_timeout_us;
	if (phase == PHASE_BODY)
		return config->body_timeout_us;
	if (phase == PHASE_DOT)
		return config->dot_timeout_us;
	return config->command_timeout_us;
}

void client_fill_peer(const struct client *client, struct outcome *outcome)
{
	memcpy(outcome->host, client->host, sizeof outcome->host);
	memcpy(outcome->address, client->address, sizeof outcome->address);
	memcpy(outcome->tls, client->tls, sizeof outcome->tls);
	outcome->is_verified = client->verified_for != NULL;
}

static bool client_die(struct client *client, int code, enum phase phase, struct bytes seen)
{
	struct broken broken = { code, phase, client->host, client->address, seen };

	verdict_of_loss(&broken, &client->trouble);
	client_fill_peer(client, &client->trouble);
	client->is_dead = true;
	return false;
}

void client_say(struct client *client, const char *format, ...)
{
	size_t start = client->out.len;
	va_list args;

	va_start(args, format);
	buffer_vprintf(&client->out, format, args);
	va_end(args);
	client_end(client, start);
}

void client_end(struct client *client, size_t start)
{
	fiber_trace('C', client->out.at + start, client->out.len - start);
	buffer_append(&client->out, BYTES_LITERAL("\r\n"));
}

/* A write that failed kills only when no reply can be there. */
static bool put(struct client *client, struct bytes data, enum phase phase)
{
	int64_t timeout_us = phase_timeout_us(&client->config->deliver, phase);
	int result = stream_write(client->stream, data, clock_now_us() + timeout_us, NULL);

	if (result >= 0)
		return true;
	if (result != ERR_SYSTEM && result != ERR_CLOSED)
		client_die(client, result, phase, (struct bytes){ 0 });
	return false;
}

#define PUT_BYTES_MAX 262144 /* each such run may take as long as body_timeout says */

PARKS bool client_put(struct client *client, struct bytes content)
{
	bool is_sent = !client->is_dead;

	if (is_sent && client->out.len > 0)
		is_sent = put(client, buffer_bytes(&client->out), PHASE_BODY);
	buffer_clear(&client->out);
	while (is_sent && content.len > 0) {
		is_sent = put(client, bytes_first(content, PUT_BYTES_MAX), PHASE_BODY);
		content = bytes_from(content, PUT_BYTES_MAX);
	}
	return is_sent;
}

PARKS bool client_send(struct client *client, enum phase phase)
{
	int64_t deadline_us = clock_now_us() + phase_timeout_us(&client->config->deliver, phase);
	int result;

	if (client->is_dead)
		return false;
	result = stream_write(client->stream, buffer_bytes(&client->out), deadline_us, NULL);
	if (result >= 0)
		result = stream_flush(client->stream, deadline_us, NULL);
	buffer_clear(&client->out);
	/* The server may have said why before it hung up: hearing tells. */
	return result >= 0 || result == ERR_SYSTEM || result == ERR_CLOSED ||
	       client_die(client, result, phase, (struct bytes){ 0 });
}

PARKS bool client_hear(struct client *client, enum phase phase, struct reply *reply_out)
{
	int64_t deadline_us = clock_now_us() + phase_timeout_us(&client->config->deliver, phase);
	struct bytes seen = { 0 };
	int used, result;

	if (client->is_dead)
		return false;
	stream_consume(client->stream, client->heard);
	client->heard = 0;
	seen = stream_buffered(client->stream);
	while ((used = reply_parse(seen, reply_out)) == 0) {
		result = stream_peek(client->stream, seen.len + 1, deadline_us, &seen, NULL);
		if (result < 0)
			return client_die(client, result, phase, (struct bytes){ 0 });
	}
	if (used < 0)
		return client_die(client, used, phase, seen);
	fiber_trace('S', reply_out->text.at, reply_out->text.len);
	client->heard = (size_t)used;
	if (reply_out->code != 421) {
		client->is_reused = false;
		return true;
	}
	verdict_of_reply(reply_out, phase, &client->trouble);
	client_fill_peer(client, &client->trouble);
	client->is_dead = true;
	return false;
}

bool client_is_silent(struct client *client, enum phase phase)
{
	struct bytes seen = bytes_from(stream_buffered(client->stream), client->heard);

	if (client->is_dead)
		return false;
	return seen.len == 0 || client_die(client, ERR_PROTOCOL, phase, seen);
}

void client_refuse(struct client *client, enum phase phase, const struct reply *reply)
{
	client_die(client, ERR_PROTOCOL, phase, reply->text);
}

/* RFC 5321 3.2, 4.1.4: a server that does not know EHLO gets HELO; some say it with odd codes. */
static bool wants_helo(int code)
{
	return code == 500 || code == 501 || code == 502 || code == 504 || code == 550;
}

PARKS bool client_introduce(struct client *client, struct reply *reply_out)
{
	const char *own_name = client->config->deliver.helo;

	client_say(client, "EHLO %s", own_name);
	if (!client_send(client, PHASE_EHLO) || !client_hear(client, PHASE_EHLO, reply_out))
		return false;
	if (reply_out->code / 100 == 2) {
		extensions_read(reply_out, &client->extensions);
		return true;
	}
	if (!wants_helo(reply_out->code))
		return true;
	client_say(client, "HELO %s", own_name);
	return client_send(client, PHASE_EHLO) && client_hear(client, PHASE_EHLO, reply_out);
}

/* Greeting and EHLO. On a refusal QUIT is still said, without waiting for what it brings. */
static bool begin(struct client *client, struct outcome *outcome)
{
	enum phase phase = PHASE_GREETING;
	struct reply reply;

	if (!client_hear(client, phase, &reply))
		goto dead;
	if (reply.code / 100 == 2) {
		phase = PHASE_EHLO;
		if (!client_introduce(client, &reply))
			goto dead;
	}
	if (reply.code / 100 == 2 && client_is_silent(client, phase))
		return true;
	if (client->is_dead)
		goto dead;
	if (reply.code / 100 == 3) {
		client_refuse(client, phase, &reply);
		goto dead;
	}
	verdict_of_reply(&reply, phase, outcome);
	client_say(client, "QUIT");
	client_send(client, PHASE_RSET);
	return false;
dead:
	*outcome = client->trouble;
	return false;
}

/* "[192.0.2.1]:25" */
static void format_target(const struct address *address, char *text_out, size_t size)
{
	char text[ADDRESS_TEXT_MAX];

	address_format(address, text);
	snprintf(text_out, size, "[%s]:%u", text, address_port(address));
}

static const struct address *source_for(const struct config_deliver *config,
                                        const struct address *to, struct address *source)
{
	for (int i = 0; i < config->source_addresses.count; i++)
		if (address_parse(bytes_of(config->source_addresses.items[i]), 0, source) &&
		    source->storage.ss_family == to->storage.ss_family)
			return source;
	return NULL;
}

static void name_peer(struct client *client, const struct client_target *target)
{
	char text[ADDRESS_TEXT_MAX];

	address_format(&target->address, text);
	snprintf(client->host, sizeof client->host, "%.127s", target->host);
	snprintf(client->address, sizeof client->address, "%.47s", text);
}

/* One connection up to where mail may be sent; NULL: see client_open. `*is_again_out`: another one
 * without TLS may do. */
PARKS static struct client *open_once(const struct client_target *target, struct outcome *outcome,
                                      int *rank_out, bool *is_again_out)
{
	const struct config_deliver *config = &target->config->deliver;
	struct client *client = alloc_zeroed(sizeof *client);
	enum secure_result secured = SECURE_GO_ON;
	char place[ADDRESS_TEXT_MAX + 10];
	struct err err = { 0 };
	struct address source;

	client->config = config_acquire(target->config);
	name_peer(client, target);
	format_target(&target->address, place, sizeof place);
	if (stream_connect(&target->address, source_for(config, &target->address, &source),
	                   clock_now_us() + config->connect_timeout_us, &client->stream,
	                   &err) < 0) {
		*rank_out = verdict_of_connect(&err, target->host, place, outcome);
		goto fail;
	}
	if (!begin(client, outcome)) {
		*rank_out = outcome->code ? RANK_REPLY : RANK_LOST;
		goto fail;
	}
	if (target->secure)
		secured = secure_client(client, target->secure, outcome);
	if (secured == SECURE_GO_ON)
		return client;
	*is_again_out = secured == SECURE_START_AGAIN;
	*rank_out = outcome->cause == CAUSE_TLS ? RANK_TLS : outcome->code ? RANK_REPLY : RANK_LOST;
	if (!client->is_dead) {
		client_say(client, "QUIT");
		client_send(client, PHASE_RSET);
	}
fail:
	client_fill_peer(client, outcome);
	client_close(client);
	return NULL;
}

PARKS struct client *client_open(const struct client_target *target, struct outcome *outcome_out,
                                 int *rank_out)
{
	struct client_target plain = *target;
	bool is_again = false;
	struct client *client = open_once(target, outcome_out, rank_out, &is_again);

	if (!client && is_again) {
		plain.secure = NULL;
		client = open_once(&plain, outcome_out, rank_out, &is_again);
	}
	if (client)
		client->was_tls_wanted = target->secure && target->secure->policy != SECURE_NONE;
	return client;
}

PARKS bool client_reset(struct client *client)
{
	struct reply reply;

	if (!client->needs_reset)
		return !client->is_dead;
	client_say(client, "RSET");
	if (!client_send(client, PHASE_RSET) || !client_hear(client, PHASE_RSET, &reply))
		return false;
	if (reply.code / 100 != 2) {
		verdict_of_reply(&reply, PHASE_RSET, &client->trouble);
		client->trouble.result = RESULT_DEFERRED;
		client->trouble.cause = CAUSE_PROTOCOL;
		client->trouble.scope = SCOPE_SITE;
		client_fill_peer(client, &client->trouble);
		client->is_dead = true;
		return false;
	}
	client->needs_reset = false;
	return true;
}

PARKS void client_quit(struct client *client)
{
	int64_t deadline_us = clock_now_us() + client->config->deliver.quit_timeout_us;
	struct bytes seen = { 0 };
	struct reply reply;

	if (!client->is_dead) {
		stream_consume(client->stream, client->heard);
		stream_write(client->stream, BYTES_LITERAL("QUIT\r\n"), deadline_us, NULL);
		if (stream_flush(client->stream, deadline_us, NULL) < 0)
			goto done;
		seen = stream_buffered(client->stream);
		while (reply_parse(seen, &reply) == 0)
			if (stream_peek(client->stream, seen.len + 1, deadline_us, &seen, NULL) < 0)
				break;
	}
done:
	client_close(client);
}

void client_close(struct client *client)
{
	if (!client)
		return;
	if (client->open_count)
		(*client->open_count)--;
	stream_close(client->stream);
	buffer_deinit(&client->out);
	config_release(client->config);
	alloc_free(client);
}
