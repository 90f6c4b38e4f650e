#include "talk.h"
#include "base/alloc.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct bytes read_whole(const char *path, struct arena *arena)
{
	static char text[65536];
	FILE *file = fopen(path, "r");
	size_t len = file ? fread(text, 1, sizeof text, file) : 0;

	if (file)
		fclose(file);
	return arena_copy(arena, (struct bytes){ text, len });
}

static struct bytes next_word(struct bytes *rest)
{
	*rest = bytes_trim(*rest);
	return bytes_split(rest, ' ');
}

static char unescape_one(const char **at)
{
	char c = *(*at)++;

	if (c != '\\')
		return c;
	c = *(*at)++;
	if (c == 'x') {
		char digits[3] = { (*at)[0], (*at)[1], 0 };

		*at += 2;
		return (char)strtol(digits, NULL, 16);
	}
	return c == 'r' ? '\r' : c == 'n' ? '\n' : c == 't' ? '\t' : c;
}

static struct bytes unescape(struct bytes in, struct arena *arena)
{
	struct bytes copy = arena_copy(arena, in);
	const char *from = copy.at;
	char *to = (char *)(uintptr_t)copy.at, *start = to;

	while (from < copy.at + copy.len)
		*to++ = unescape_one(&from);
	return (struct bytes){ start, (size_t)(to - start) };
}

static void set_body(struct message *message, struct bytes body)
{
	ptrdiff_t end = bytes_find(body, BYTES_LITERAL("\r\n\r\n"));

	message->body.data = body;
	message->body.size_bytes = (int64_t)body.len;
	message->header_bytes = (uint32_t)(end < 0 ? (ptrdiff_t)body.len : end + 4);
	if (!bytes_is_ascii(body))
		message->flags |= MESSAGE_HAS_8BIT;
}

static struct bytes strip(struct bytes word)
{
	return bytes_first(bytes_from(word, 1), word.len - 2);
}

static struct talk_job *begin_job(struct talk *talk, struct bytes rest, uint16_t port)
{
	struct talk_job *job = &talk->jobs[talk->job_count++];
	struct route_host host = { "mx.test", 10 };
	struct message *message = message_create();
	struct bytes word;

	message->recipients = arena_alloc(message->arena,
	                                  TALK_RECIPIENTS_MAX * sizeof *message->recipients);
	next_word(&rest); /* from */
	message->sender = arena_copy(message->arena, strip(next_word(&rest)));
	next_word(&rest); /* to */
	while ((word = next_word(&rest)).len > 0)
		message->recipients[message->recipient_count++].address = unescape(strip(word),
		                                                                   message->arena);
	set_body(message, BYTES_LITERAL("Subject: t\r\n\r\nhello\r\n"));
	job->message = message;
	job->route = route_create(&host, 1, port, false);
	return job;
}

static void set_route(struct talk_job *job, struct bytes rest, uint16_t port)
{
	static struct route_host hosts[ROUTE_HOSTS_MAX];
	size_t count = 0;
	struct bytes word;
	bool is_static = false;

	while ((word = next_word(&rest)).len > 0) {
		if (bytes_equal(word, BYTES_LITERAL("static"))) {
			is_static = true;
			continue;
		}
		hosts[count].preference = (uint16_t)atoi(word.at);
		word = next_word(&rest);
		snprintf(hosts[count++].name, sizeof hosts[0].name, "%.*s", BYTES_FORMAT(word));
	}
	route_release(job->route);
	job->route = route_create(hosts, count, port, is_static);
}

static unsigned read_notify(struct bytes value)
{
	unsigned notify = 0;

	if (bytes_find(value, BYTES_LITERAL("never")) >= 0)
		notify |= NOTIFY_NEVER;
	if (bytes_find(value, BYTES_LITERAL("success")) >= 0)
		notify |= NOTIFY_SUCCESS;
	if (bytes_find(value, BYTES_LITERAL("failure")) >= 0)
		notify |= NOTIFY_FAILURE;
	if (bytes_find(value, BYTES_LITERAL("delay")) >= 0)
		notify |= NOTIFY_DELAY;
	return notify;
}

static bool set_envelope(struct talk_job *job, struct bytes key, struct bytes value, int64_t now_us)
{
	struct message *message = job->message;

	if (bytes_equal(key, BYTES_LITERAL("smtputf8")))
		message->flags |= MESSAGE_SMTPUTF8;
	else if (bytes_equal(key, BYTES_LITERAL("binary")))
		message->body_type = BODY_BINARYMIME;
	else if (bytes_equal(key, BYTES_LITERAL("probe")))
		job->is_probe = true;
	else if (bytes_equal(key, BYTES_LITERAL("ret")))
		message->dsn_return = value.at[0] == 'h' ? RETURN_HEADERS : RETURN_FULL;
	else if (bytes_equal(key, BYTES_LITERAL("envid")))
		message->envelope_id = arena_copy(message->arena, value);
	else if (bytes_equal(key, BYTES_LITERAL("notify")))
		message->recipients[0].notify = (uint8_t)read_notify(value);
	else if (bytes_equal(key, BYTES_LITERAL("orcpt")))
		message->recipients[0].original = arena_copy(message->arena, value);
	else if (bytes_equal(key, BYTES_LITERAL("by")))
		message->deliver_by_us = now_us + atoll(value.at) * 1000000 + 500000;
	else if (bytes_equal(key, BYTES_LITERAL("bynotify")))
		message->flags |= MESSAGE_BY_NOTIFY;
	else if (bytes_equal(key, BYTES_LITERAL("bytrace")))
		message->flags |= MESSAGE_BY_TRACE;
	else
		return false;
	return true;
}

static void expect(struct talk *talk, struct talk_job *job, struct bytes rest)
{
	struct talk_expectation *expected = &job->expected[job->expected_count++];
	struct bytes result;

	expected->address = unescape(next_word(&rest), talk->arena);
	result = next_word(&rest);
	expected->result = bytes_equal(result, BYTES_LITERAL("delivered")) ? RESULT_DELIVERED
	                   : bytes_equal(result, BYTES_LITERAL("failed"))  ? RESULT_FAILED
	                                                                   : RESULT_DEFERRED;
	expected->words = bytes_trim(rest);
	job->last_line = talk->line_count - 1;
}

static void add_line(struct talk *talk, enum talk_kind kind, struct bytes text)
{
	if (talk->line_count == TALK_LINES_MAX) {
		snprintf(talk->error, sizeof talk->error, "too many lines");
		return;
	}
	talk->lines[talk->line_count++] = (struct talk_line){ kind, text };
}

int64_t clock_now_us(void);

static void read_line(struct talk *talk, struct bytes line, uint16_t port)
{
	struct talk_job *job = talk->job_count > 0 ? &talk->jobs[talk->job_count - 1] : NULL;
	struct bytes rest = line, key = next_word(&rest), words = rest, word;

	if (key.len == 0 || key.at[0] == '#')
		return;
	if (bytes_equal(key, BYTES_LITERAL("S:")))
		add_line(talk, TALK_SERVER, unescape(rest, talk->arena));
	else if (bytes_equal(key, BYTES_LITERAL("C:")))
		add_line(talk, TALK_CLIENT, unescape(rest, talk->arena));
	else if (bytes_equal(key, BYTES_LITERAL("connection")))
		add_line(talk, TALK_CONNECTION, (struct bytes){ 0 });
	else if (bytes_equal(key, BYTES_LITERAL("set")))
		talk->settings = rest;
	else if (bytes_equal(key, BYTES_LITERAL("job")))
		begin_job(talk, rest, port);
	else if (!job)
		snprintf(talk->error, sizeof talk->error, "before the job: %.*s",
		         BYTES_FORMAT(line));
	else if (bytes_equal(key, BYTES_LITERAL("body")))
		set_body(job->message, unescape(rest, job->message->arena));
	else if (bytes_equal(key, BYTES_LITERAL("route")))
		set_route(job, rest, port);
	else if (bytes_equal(key, BYTES_LITERAL("=")))
		expect(talk, job, rest);
	else if (bytes_equal(key, BYTES_LITERAL("with")))
		while ((word = next_word(&words)).len > 0) {
			struct bytes name = bytes_split(&word, '=');

			if (!set_envelope(job, name, word, clock_now_us()))
				snprintf(talk->error, sizeof talk->error, "unknown: %.*s",
				         BYTES_FORMAT(name));
		}
	else
		snprintf(talk->error, sizeof talk->error, "unknown: %.*s", BYTES_FORMAT(line));
}

struct talk *talk_read(const char *path, uint16_t port)
{
	struct talk *talk = alloc_zeroed(sizeof *talk);
	struct bytes rest;

	talk->arena = arena_create(0);
	rest = read_whole(path, talk->arena);
	while (rest.len > 0)
		read_line(talk, bytes_split(&rest, '\n'), port);
	for (int i = 0; i < talk->job_count; i++)
		if (talk->jobs[i].expected_count != talk->jobs[i].message->recipient_count)
			snprintf(talk->error, sizeof talk->error,
			         "job %d: not one = line for each recipient", i + 1);
	if (talk->job_count == 0)
		snprintf(talk->error, sizeof talk->error, "no job");
	return talk;
}

void talk_free(struct talk *talk)
{
	for (int i = 0; i < talk->job_count; i++) {
		message_release(talk->jobs[i].message);
		route_release(talk->jobs[i].route);
	}
	arena_destroy(talk->arena);
	alloc_free(talk);
}
