/* Plays every transcript of a folder against the client, over loopback: whole, byte by byte, and
 * cut after each of its lines. */
#include "base/alloc.h"
#include "base/macros.h"
#include "deliver/deliver.h"
#include "runtime/clock.h"
#include "runtime/fiber.h"
#include "runtime/loop.h"
#include "runtime/stream.h"
#include "runtime/tls.h"
#include "support/certificate.h"
#include "talk.h"
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum mode { MODE_WHOLE, MODE_BYTES, MODE_CUT };

static struct stage {
	enum mode mode;
	int cut; /* lines that are played */
	const struct talk *talk;
	const struct message *message; /* of the job under way */
	int position, sessions;
	uint64_t chunk_bytes; /* of the last BDAT */
	char failure[600];
} stage;

static uint16_t port;
static struct certificate authority;
static struct tls_context *server; /* with the transcript's certificate */
static const char *folder;
static int failures;

#define PATIENCE_US 5000000

static void fail(const char *format, ...) PRINTF_LIKE(1, 2);
static void fail(const char *format, ...)
{
	va_list args;

	if (stage.failure[0] || stage.mode == MODE_CUT)
		return; /* the first one tells; after a cut other things are checked */
	va_start(args, format);
	vsnprintf(stage.failure, sizeof stage.failure, format, args);
	va_end(args);
}

static bool is_word(struct bytes text, const char *word)
{
	return bytes_equal(text, bytes_of(word));
}

/* The server's side. */

static void send_text(struct stream *stream, struct bytes text)
{
	size_t step = stage.mode == MODE_BYTES ? 1 : text.len;

	for (size_t i = 0; i < text.len; i += step) {
		if (stream_write(stream, (struct bytes){ text.at + i, step },
		                 clock_now_us() + PATIENCE_US, NULL) < 0 ||
		    stream_flush(stream, clock_now_us() + PATIENCE_US, NULL) < 0)
			return;
		if (stage.mode == MODE_BYTES)
			fiber_yield();
	}
}

static bool is_cut(void)
{
	return stage.mode == MODE_CUT && stage.position >= stage.cut;
}

static bool shake_hands(struct stream *stream)
{
	struct tls_start start = { .context = server };
	struct err err;

	if (stream_start_tls(stream, &start, clock_now_us() + PATIENCE_US, &err) == 0)
		return true;
	fail("handshake: %s", err.text);
	return false;
}

/* All that the server says before it listens again goes out as one. False: it hung up. */
static bool speak(struct stream *stream)
{
	struct buffer text = { 0 };
	bool goes_on = true;

	while (goes_on && stage.position < stage.talk->line_count && !is_cut()) {
		const struct talk_line *line = &stage.talk->lines[stage.position];

		if (line->kind != TALK_SERVER)
			break;
		if (is_word(line->text, "(tls)") && text.len > 0)
			break; /* what comes before goes out first */
		stage.position++;
		if (is_word(line->text, "(tls)")) {
			goes_on = shake_hands(stream);
			continue;
		}
		if (is_word(line->text, "(close)") || is_word(line->text, "(silence)")) {
			goes_on = false;
			break;
		}
		buffer_append(&text, line->text);
		if (text.len == 0 || text.at[text.len - 1] != '\n')
			buffer_append_text(&text, "\r\n");
	}
	send_text(stream, buffer_bytes(&text));
	buffer_deinit(&text);
	return goes_on && !is_cut();
}

static bool take_line(struct stream *stream, struct bytes *line_out)
{
	if (stream_read_line(stream, 4096, clock_now_us() + PATIENCE_US, line_out, NULL) < 0)
		return false;
	*line_out = bytes_first(*line_out, line_out->len - (line_out->len >= 2 ? 2 : 0));
	return true;
}

static bool take_body(struct stream *stream)
{
	struct bytes rest = stage.message->body.data, line;

	while (take_line(stream, &line)) {
		struct bytes want = bytes_split(&rest, '\n');

		if (is_word(line, "."))
			return want.len == 0;
		if (want.len > 0 && want.at[want.len - 1] == '\r')
			want.len--;
		if (bytes_starts_with(want, BYTES_LITERAL(".")) && line.len > 0 &&
		    line.at[0] == '.')
			line = bytes_from(line, 1);
		if (!bytes_equal(want, line))
			return false;
	}
	return false;
}

static bool take_chunk(struct stream *stream)
{
	struct bytes all;
	bool is_same;

	if (stream_peek(stream, stage.chunk_bytes, clock_now_us() + PATIENCE_US, &all, NULL) < 0)
		return false;
	is_same = bytes_equal(bytes_first(all, stage.chunk_bytes), stage.message->body.data);
	stream_consume(stream, stage.chunk_bytes);
	return is_same;
}

static bool listen_for(struct stream *stream, struct bytes want)
{
	struct bytes line = { 0 };

	if (is_word(want, "(body)") || is_word(want, "(chunk)")) {
		bool is_good = is_word(want, "(body)") ? take_body(stream) : take_chunk(stream);

		if (!is_good)
			fail("line %d: other content", stage.position + 1);
		return is_good;
	}
	if (is_word(want, "(closed)")) {
		bool is_closed = !take_line(stream, &line);

		if (!is_closed)
			fail("should have hung up, said \"%.*s\"", BYTES_FORMAT(line));
		return is_closed;
	}
	if (!take_line(stream, &line)) {
		fail("waited for \"%.*s\", got nothing", BYTES_FORMAT(want));
		return false;
	}
	if (!bytes_equal(line, want)) {
		fail("waited for \"%.*s\", got \"%.*s\"", BYTES_FORMAT(want), BYTES_FORMAT(line));
		return false;
	}
	if (bytes_starts_with(line, BYTES_LITERAL("BDAT ")))
		stage.chunk_bytes = strtoull(line.at + 5, NULL, 10);
	return true;
}

/* What is not in the transcript: QUIT, or the end. */
static void see_off(struct stream *stream)
{
	struct bytes line;

	while (take_line(stream, &line)) {
		if (!is_word(line, "QUIT")) {
			fail("after the end: \"%.*s\"", BYTES_FORMAT(line));
			return;
		}
		send_text(stream, BYTES_LITERAL("221 bye\r\n"));
	}
}

static void wait_for_end(struct stream *stream)
{
	struct bytes all = { 0 };

	while (stream_peek(stream, all.len + 1, clock_now_us() + PATIENCE_US, &all, NULL) >= 0)
		;
}

static void play(struct stream *stream)
{
	const struct talk *talk = stage.talk;

	if (stage.position < talk->line_count &&
	    talk->lines[stage.position].kind == TALK_CONNECTION)
		stage.position++;
	while (!is_cut() && stage.position < talk->line_count &&
	       talk->lines[stage.position].kind != TALK_CONNECTION) {
		if (talk->lines[stage.position].kind == TALK_SERVER) {
			if (speak(stream))
				continue;
			if (!is_cut() && is_word(talk->lines[stage.position - 1].text, "(silence)"))
				wait_for_end(stream);
			return;
		}
		if (!listen_for(stream, talk->lines[stage.position].text))
			return;
		stage.position++;
	}
	if (!is_cut())
		see_off(stream);
}

static void serve(void *arg, struct stream *stream)
{
	(void)arg;
	stage.sessions++;
	if (!is_cut())
		play(stream);
	stream_close(stream);
	stage.sessions--;
}

/* The client's side. */

static struct config *make_config(const struct talk *talk)
{
	struct buffer text = { 0 }, defaults = { 0 }, problems = { 0 };
	struct bytes rest = talk->settings;
	struct config *config = NULL;

	buffer_printf(&text,
	              "hostname \"out.test\"; deliver { helo \"out.test\"; tls_trust \"%s\"; ",
	              authority.path);
	if (bytes_find(talk->settings, BYTES_LITERAL("allow_own_address")) < 0)
		buffer_append_text(&text, "allow_own_address yes; ");
	while (rest.len > 0) {
		struct bytes word = bytes_split(&rest, ' ');
		struct bytes key = bytes_split(&word, '=');

		struct buffer *block = bytes_starts_with(key, BYTES_LITERAL("tls")) ? &defaults
		                                                                    : &text;

		if (word.len > 0 && !is_word(key, "idle") && !is_word(key, "messages") &&
		    !is_word(key, "certificate"))
			buffer_printf(block, "%.*s %.*s; ", BYTES_FORMAT(key), BYTES_FORMAT(word));
	}
	buffer_printf(&text, "} defaults { %.*s }", BYTES_FORMAT(buffer_bytes(&defaults)));
	if (config_parse("talk", buffer_bytes(&text), &config, &problems) < 0)
		fail("configuration: %.*s", BYTES_FORMAT(buffer_bytes(&problems)));
	buffer_deinit(&text);
	buffer_deinit(&defaults);
	buffer_deinit(&problems);
	return config;
}

/* The server's certificate, as the transcript wants it. */
static void make_server(const struct talk *talk)
{
	static const struct {
		const char *word;
		struct certificate_wish wish;
		bool is_issued;
	} kinds[] = {
		{ "", { .name = "mx.test" }, true },
		{ "certificate=self-signed", { .name = "mx.test" }, false },
		{ "certificate=wrong-name", { .name = "other.test" }, true },
		{ "certificate=expired",
		  { .name = "mx.test", .begins_s = -7200, .ends_s = -3600 },
		  true },
	};
	struct certificate_wish wish;
	struct certificate certificate;
	struct err err;
	size_t kind = 0;

	for (size_t i = 1; i < COUNT(kinds); i++)
		if (bytes_find(talk->settings, bytes_of(kinds[i].word)) >= 0)
			kind = i;
	wish = kinds[kind].wish;
	wish.issuer = kinds[kind].is_issued ? &authority : NULL;
	certificate = certificate_make(&wish);
	tls_context_destroy(server);
	server = NULL;
	if (tls_server_create(certificate.path, certificate.key_path, &server, &err) < 0)
		fail("%s", err.text);
	certificate_free(&certificate);
}

static int setting(const struct talk *talk, const char *key, int otherwise)
{
	ptrdiff_t at = bytes_find(talk->settings, bytes_of(key));

	return at < 0 ? otherwise : atoi(talk->settings.at + at + strlen(key) + 1);
}

/* One word behind the result. */
static bool word_fits(struct bytes word, const struct outcome *outcome)
{
	static const char *const scopes[] = { "recipient", "message", "site" };
	char status[16], host[200];

	for (size_t i = 0; i < COUNT(scopes); i++)
		if (is_word(word, scopes[i]))
			return outcome->scope == (enum scope)i;
	if (is_word(word, "tls"))
		return outcome->cause == CAUSE_TLS || outcome->tls[0] != '\0';
	if (is_word(word, "plaintext"))
		return outcome->tls[0] == '\0';
	if (is_word(word, "verified"))
		return outcome->is_verified;
	if (is_word(word, "duplicate"))
		return outcome->is_duplicate_possible;
	if (bytes_starts_with(word, BYTES_LITERAL("hint=")))
		return outcome->hint_s == atoi(word.at + 5);
	outcome_status(outcome, status);
	snprintf(host, sizeof host, "%s[%s]", outcome->host, outcome->address);
	return is_word(word, cause_name(outcome->cause)) || is_word(word, status) ||
	       is_word(word, host);
}

static bool words_fit(struct bytes words, const struct outcome *outcome)
{
	while (words.len > 0) {
		words = bytes_trim(words);
		if (words.at[0] == '"') /* of garbage in pieces the first one is enough */
			return stage.mode == MODE_BYTES ||
			       bytes_find(bytes_of(outcome->text),
			                  bytes_first(bytes_from(words, 1), words.len - 2)) >= 0;
		if (!word_fits(bytes_split(&words, ' '), outcome))
			return false;
	}
	return true;
}

/* Whether the server had said this, behind some content, before it was cut off. */
static bool was_said(struct bytes text)
{
	bool is_behind_content = false;

	for (int i = 0; i < stage.cut && i < stage.talk->line_count; i++) {
		const struct talk_line *line = &stage.talk->lines[i];

		if (line->kind == TALK_CLIENT)
			is_behind_content = is_word(line->text, "(body)") ||
			                    is_word(line->text, "(chunk)") || is_behind_content;
		else if (is_behind_content && bytes_equal(line->text, text))
			return true;
	}
	return false;
}

static void check_outcome(const struct talk_job *job, uint32_t i, const struct outcome *outcome)
{
	const struct talk_expectation *expected = &job->expected[i];
	bool is_right = outcome->result == expected->result && words_fit(expected->words, outcome);

	/* Cut short, it must be as it would have been, or try again: no mail is lost, and none is
	 * taken for delivered that was not. */
	if (stage.mode == MODE_CUT) {
		bool is_over = stage.cut > job->last_line || was_said(bytes_of(outcome->text));

		is_right = outcome->result == RESULT_DEFERRED ||
		           (outcome->result == expected->result &&
		            (outcome->result == RESULT_FAILED || is_over));
	}
	if (is_right)
		return;
	snprintf(stage.failure, sizeof stage.failure,
	         "%.*s: %s, cause %s, scope %d, hint %d%s, %s[%s]: %s",
	         BYTES_FORMAT(expected->address), result_name(outcome->result),
	         cause_name(outcome->cause), (int)outcome->scope, outcome->hint_s,
	         outcome->is_duplicate_possible ? ", duplicate" : "", outcome->host,
	         outcome->address, outcome->text);
}

PARKS static void run_job(struct deliverer *deliverer, const struct talk_job *job)
{
	uint32_t count = job->message->recipient_count, *recipients;
	struct outcome *outcomes = alloc_zeroed(count * sizeof *outcomes);
	struct deliver_result result = { .outcomes = outcomes };
	struct deliver_job deliver = {
		.message = job->message,
		.recipient_count = count,
		.route = job->route,
		.slot = 1,
		.idle_us = setting(stage.talk, "idle", 0) * 1000,
		.messages_per_connection = setting(stage.talk, "messages", 100),
		.is_probe = job->is_probe,
	};

	recipients = alloc(count * sizeof *recipients);
	for (uint32_t i = 0; i < count; i++)
		recipients[i] = i;
	deliver.recipients = recipients;
	stage.message = job->message;
	deliverer_run(deliverer, &deliver, &result);
	for (uint32_t i = 0; i < count; i++)
		check_outcome(job, i, &outcomes[i]);
	alloc_free(recipients);
	alloc_free(outcomes);
}

PARKS static void wait_until_over(struct deliverer *deliverer)
{
	struct deliverer_stats stats;

	for (;;) {
		deliverer_stats(deliverer, &stats);
		if (stats.connections == 0 && stage.sessions == 0)
			return;
		fiber_sleep(clock_now_us() + 200);
	}
}

PARKS static void run_once(const struct talk *talk, enum mode mode, int cut)
{
	struct deliverer *deliverer;
	struct config *config;
	struct err err;

	stage = (struct stage){ .mode = mode, .cut = cut, .talk = talk };
	config = make_config(talk);
	if (!config)
		return;
	if (deliverer_create(config, NULL, &deliverer, &err) < 0) {
		fail("%s", err.text);
		config_release(config);
		return;
	}
	for (int i = 0; i < talk->job_count; i++)
		run_job(deliverer, &talk->jobs[i]);
	deliverer_stop(deliverer);
	wait_until_over(deliverer);
	if (stage.position < talk->line_count)
		fail("line %d of the conversation was not reached", stage.position + 1);
	deliverer_destroy(deliverer);
	config_release(config);
}

/* Byte by byte, what is said in one packet comes in several, and the end of one connection while
 * the next has begun: such a transcript would tell another story. */
static bool has_one_reading(const struct talk *talk)
{
	for (int i = 0; i < talk->line_count; i++)
		if (talk->lines[i].kind == TALK_CONNECTION ||
		    (talk->lines[i].kind == TALK_SERVER &&
		     bytes_find(talk->lines[i].text, BYTES_LITERAL("\r\n")) >= 0))
			return false;
	return true;
}

PARKS static void run_talk(const char *path, int number)
{
	static const char *const names[] = { "whole", "byte by byte", "cut" };
	struct talk *talk = talk_read(path, port);
	int runs = 2 + talk->line_count;

	make_server(talk);
	for (int i = 0; i < runs && !talk->error[0]; i++) {
		enum mode mode = i == 0 ? MODE_WHOLE : i == 1 ? MODE_BYTES : MODE_CUT;

		if (mode == MODE_BYTES && !has_one_reading(talk))
			continue;
		run_once(talk, mode, i - 2);
		if (stage.failure[0])
			snprintf(talk->error, sizeof talk->error, "%s %d: %.150s", names[mode],
			         mode == MODE_CUT ? i - 2 : 0, stage.failure);
	}
	printf("%s %d - %s\n", talk->error[0] ? "not ok" : "ok", number, strrchr(path, '/') + 1);
	if (talk->error[0])
		printf("# %s\n", stage.failure[0] ? stage.failure : talk->error);
	if (talk->error[0])
		printf("# %s\n", talk->error);
	failures += talk->error[0] != '\0';
	talk_free(talk);
}

PARKS static void direct(void *arg)
{
	struct listener *listener = arg;
	char pattern[400];
	glob_t found;

	snprintf(pattern, sizeof pattern, "%s/*.talk", folder);
	if (glob(pattern, 0, NULL, &found) != 0)
		found.gl_pathc = 0;
	printf("1..%zu\n", found.gl_pathc);
	for (size_t i = 0; i < found.gl_pathc; i++)
		run_talk(found.gl_pathv[i], (int)i + 1);
	failures += found.gl_pathc == 0;
	globfree(&found);
	listener_close(listener);
	loop_stop(loop_current());
}

int main(int argc, char **argv)
{
	struct listener_options options = { .on_accept = serve, .name = "server" };
	struct listener *listener;
	struct loop *loop;
	struct err err;

	folder = argc > 1 ? argv[1] : ".";
	authority = certificate_make(
		&(struct certificate_wish){ .name = "Authority", .kind = CERTIFICATE_AUTHORITY });
	setvbuf(stdout, NULL, _IOLBF, 0);
	address_parse(BYTES_LITERAL("127.0.0.1"), 0, &options.address);
	if (loop_create(&loop, &err) < 0 || listener_open(&options, &listener, &err) < 0) {
		printf("Bail out! %s\n", err.text);
		return 1;
	}
	port = address_port(listener_address(listener));
	fiber_spawn(direct, listener, "director");
	loop_run(loop);
	loop_destroy(loop);
	tls_context_destroy(server);
	certificate_free(&authority);
	return failures > 0;
}
