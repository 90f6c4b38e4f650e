/* Both sides of a handshake on loopback: who is believed, what is carried, what breaks. */
#include "base/buffer.h"
#include "base/units.h"
#include "runtime/clock.h"
#include "runtime/fiber.h"
#include "runtime/loop.h"
#include "runtime/tls.h"
#include "support/certificate.h"
#include "support/check.h"
#include <openssl/x509.h>

#define PATIENCE_US (20 * US_PER_SECOND)

static struct certificate authority, good, expired, alone, other;

static void make_certificates(void)
{
	authority = certificate_make(&(struct certificate_wish){ .name = "Test Authority",
	                                                         .kind = CERTIFICATE_AUTHORITY });
	good = certificate_make(
		&(struct certificate_wish){ .name = "mx.test", .issuer = &authority });
	other = certificate_make(
		&(struct certificate_wish){ .name = "*.other.test", .issuer = &authority });
	expired = certificate_make(&(struct certificate_wish){
		.name = "mx.test", .issuer = &authority, .begins_s = -7200, .ends_s = -3600 });
	alone = certificate_make(&(struct certificate_wish){ .name = "mx.test" });
}

static void free_certificates(void)
{
	struct certificate *all[] = { &authority, &good, &expired, &alone, &other };

	for (size_t i = 0; i < COUNT(all); i++)
		certificate_free(all[i]);
}

static int64_t soon(void)
{
	return clock_now_us() + PATIENCE_US;
}

/* One run: a server in a fiber, a client in another. */
static struct run {
	const char *name;
	const struct certificate *certificate;
	void (*serve)(struct stream *stream); /* after the handshake */
	void (*speak)(struct stream *stream); /* instead of the usual */
	struct tls_start start;
	struct tls_context *server, *client;
	struct listener *listener;
} run;

static void on_accept(void *arg, struct stream *stream)
{
	struct tls_start start = { .context = run.server };
	struct err err;

	(void)arg;
	if (stream_start_tls(stream, &start, soon(), &err) == 0 && run.serve)
		run.serve(stream);
	stream_close(stream);
}

static void run_client(void *arg)
{
	struct stream *stream = NULL;
	struct err err;

	(void)arg;
	CHECK_INT(run.name,
	          stream_connect(listener_address(run.listener), NULL, soon(), &stream, &err), 0);
	run.start.context = run.client;
	run.speak(stream);
	stream_close(stream);
	listener_close(run.listener);
	loop_stop(loop_current());
}

static void run_both(void)
{
	struct listener_options options = { .on_accept = on_accept, .name = "server" };
	struct loop *loop;
	struct err err = { 0 };

	address_parse(BYTES_LITERAL("127.0.0.1:0"), 0, &options.address);
	CHECK_INT(run.name,
	          tls_server_create(run.certificate->path, run.certificate->key_path, &run.server,
	                            &err),
	          0);
	CHECK_INT(run.name, tls_client_create(authority.path, &run.client, &err), 0);
	CHECK_INT(run.name, loop_create(&loop, &err), 0);
	CHECK_INT(run.name, listener_open(&options, &run.listener, &err), 0);
	fiber_spawn(run_client, NULL, "client");
	loop_run(loop);
	loop_destroy(loop);
	tls_context_destroy(run.server);
	tls_context_destroy(run.client);
}

/* Whom the client believes. */

static const char *const mx[] = { "mx.test" };
static const char *const deep[] = { "a.b.other.test" };
static const char *const wild[] = { "a.other.test" };
static const char *const literal[] = { "127.0.0.1" };
static const char *const second[] = { "nobody.test", "mx.test" };

/* The TLSA records of a row. */
enum records {
	NO_RECORDS,
	OF_THE_LEAF,   /* 3 1 1 */
	OF_THE_ISSUER, /* 2 0 1 */
	OF_ANOTHER,    /* 3 1 1, of a key that is not shown */
	UNUSABLE,      /* usage 1, and a digest nobody knows */
};

static const struct {
	const char *name;
	const struct certificate *certificate;
	const char *const *names;
	int name_count;
	enum records records;
	enum tls_verdict verdict;
} rows[] = {
	{ "good", &good, mx, 1, NO_RECORDS, TLS_VERIFIED },
	{ "names do not matter", &other, NULL, 0, NO_RECORDS, TLS_VERIFIED },
	{ "second name", &good, second, 2, NO_RECORDS, TLS_VERIFIED },
	{ "wildcard", &other, wild, 1, NO_RECORDS, TLS_VERIFIED },
	{ "wildcard is one label", &other, deep, 1, NO_RECORDS, TLS_WRONG_NAME },
	{ "address", &good, literal, 1, NO_RECORDS, TLS_VERIFIED },
	{ "wrong name", &other, mx, 1, NO_RECORDS, TLS_WRONG_NAME },
	{ "expired", &expired, mx, 1, NO_RECORDS, TLS_EXPIRED },
	{ "self-signed", &alone, mx, 1, NO_RECORDS, TLS_NOT_TRUSTED },
	{ "7672 3.1.1: EE, self-signed", &alone, mx, 1, OF_THE_LEAF, TLS_VERIFIED },
	{ "7672 3.1.1: EE, expired", &expired, mx, 1, OF_THE_LEAF, TLS_VERIFIED },
	{ "7672 3.1.1: EE, wrong name", &other, mx, 1, OF_THE_LEAF, TLS_VERIFIED },
	{ "7672 3.1.2: TA", &good, mx, 1, OF_THE_ISSUER, TLS_VERIFIED },
	{ "7672 3.2.2: TA, wrong name", &other, mx, 1, OF_THE_ISSUER, TLS_WRONG_NAME },
	{ "7672 2.2: no match, though trusted", &good, mx, 1, OF_ANOTHER, TLS_TLSA_MISMATCH },
	{ "7672 3.1.3: unusable ones do not count", &good, mx, 1, UNUSABLE, TLS_VERIFIED },
};

static enum tls_verdict wanted;

static void check_verdict(struct stream *stream)
{
	struct err err = { 0 };

	CHECK_INT(run.name, stream_start_tls(stream, &run.start, soon(), &err), 0);
	CHECK_STRING(run.name, tls_verdict_name(tls_verdict(stream_tls(stream))),
	             tls_verdict_name(wanted));
}

static void digest_key(const struct certificate *certificate, uint8_t digest_out[32])
{
	unsigned char *der = NULL;
	int length = i2d_PUBKEY(certificate->key, &der);

	EVP_Digest(der, (size_t)length, digest_out, NULL, EVP_sha256(), NULL);
	OPENSSL_free(der);
}

static int make_records(enum records records, const struct certificate *certificate,
                        struct tls_tlsa tlsa_out[2])
{
	static uint8_t digest[32];
	struct bytes data = { (const char *)digest, sizeof digest };

	if (records == OF_THE_ISSUER)
		X509_digest(authority.x509, EVP_sha256(), digest, NULL);
	else
		digest_key(records == OF_ANOTHER ? &authority : certificate, digest);
	if (records == NO_RECORDS)
		return 0;
	if (records == UNUSABLE) {
		tlsa_out[0] = (struct tls_tlsa){ 1, 1, 1, data };
		tlsa_out[1] = (struct tls_tlsa){ 3, 1, 77, data };
		return 2;
	}
	tlsa_out[0] = (struct tls_tlsa){ 3, 1, 1, data };
	if (records == OF_THE_ISSUER)
		tlsa_out[0] = (struct tls_tlsa){ 2, 0, 1, data };
	return 1;
}

static void test_whom_a_client_believes(void)
{
	struct tls_tlsa tlsa[2];

	make_certificates();
	for (size_t i = 0; i < COUNT(rows); i++) {
		run = (struct run){ .name = rows[i].name,
			            .certificate = rows[i].certificate,
			            .speak = check_verdict,
			            .start = { .server_name = "mx.test",
			                       .names = rows[i].names,
			                       .name_count = rows[i].name_count,
			                       .tlsa = tlsa } };
		run.start.tlsa_count = make_records(rows[i].records, rows[i].certificate, tlsa);
		wanted = rows[i].verdict;
		run_both();
	}
	free_certificates();
}

/* What was found can be read. */

static void check_facts(struct stream *stream)
{
	struct tls_certificate leaf, issuer;
	struct arena *arena = arena_create(0);
	const struct tls *tls;
	uint8_t digest[32];

	CHECK_TRUE("plaintext", !stream_tls(stream));
	CHECK_INT("shake", stream_start_tls(stream, &run.start, soon(), NULL), 0);
	tls = stream_tls(stream);
	CHECK_STRING("protocol", tls_protocol(tls), "TLSv1.3");
	CHECK_STRING("cipher", tls_cipher(tls), "TLS_AES_256_GCM_SHA384");
	CHECK_INT("bits", tls_cipher_bits(tls), 256);
	CHECK_STRING("server name", tls_server_name(tls), "mx.test");
	CHECK_TRUE("leaf", tls_certificate(tls, 0, arena, &leaf));
	CHECK_STRING("subject", leaf.subject, "CN=mx.test");
	CHECK_STRING("issuer", leaf.issuer, "CN=Test Authority");
	CHECK_STRING("key", leaf.key, "EC 256 (prime256v1)");
	CHECK_INT("names", leaf.name_count, 2);
	CHECK_STRING("name", leaf.names[0], "mx.test");
	CHECK_STRING("address", leaf.names[1], "127.0.0.1");
	CHECK_INT("an hour", leaf.not_after_us - leaf.not_before_us, US_PER_HOUR);
	CHECK_TRUE("issued", !leaf.is_self_signed);
	digest_key(&good, digest);
	CHECK_INT("TLSA 3 1 1", memcmp(digest, leaf.key_sha256, sizeof digest), 0);
	X509_digest(good.x509, EVP_sha256(), digest, NULL);
	CHECK_INT("TLSA 3 0 1", memcmp(digest, leaf.sha256, sizeof digest), 0);
	CHECK_TRUE("chain", tls_certificate(tls, 1, arena, &issuer));
	CHECK_TRUE("self-signed", issuer.is_self_signed);
	CHECK_TRUE("its end", !tls_certificate(tls, 2, arena, &issuer));
	arena_destroy(arena);
}

static void test_facts(void)
{
	make_certificates();
	run = (struct run){ .name = "facts", .certificate = &good, .speak = check_facts };
	run.start = (struct tls_start){ .server_name = "mx.test", .names = mx, .name_count = 1 };
	run_both();
	free_certificates();
}

/* What is carried. */

#define PIECE_BYTES 100000
#define PIECES      42

static void echo_large(struct stream *stream)
{
	struct buffer all = { 0 };
	struct bytes in;

	while (all.len < PIECES * PIECE_BYTES && stream_peek(stream, 1, soon(), &in, NULL) == 0) {
		buffer_append(&all, in);
		stream_consume(stream, in.len);
	}
	CHECK_INT("echo", stream_write(stream, buffer_bytes(&all), soon(), NULL), 0);
	CHECK_INT("flush", stream_flush(stream, soon(), NULL), 0);
	buffer_deinit(&all);
}

static void send_and_read_back(struct stream *stream)
{
	static char data[PIECE_BYTES];
	size_t heard = 0;
	struct bytes in;

	CHECK_INT("shake", stream_start_tls(stream, &run.start, soon(), NULL), 0);
	for (size_t i = 0; i < sizeof data; i++)
		data[i] = (char)(i * 7);
	for (int i = 0; i < PIECES; i++)
		CHECK_INT("write",
		          stream_write(stream, (struct bytes){ data, sizeof data }, soon(), NULL),
		          0);
	while (stream_peek(stream, 1, soon(), &in, NULL) == 0) {
		for (size_t i = 0; i < in.len; i++)
			if (in.at[i] != data[(heard + i) % sizeof data])
				fail_msg("byte %zu is wrong", heard + i);
		heard += in.len;
		stream_consume(stream, in.len);
	}
	CHECK_INT("all of it", heard, PIECES * PIECE_BYTES);
}

static void test_large_both_ways(void)
{
	make_certificates();
	run = (struct run){ .name = "large",
		            .certificate = &good,
		            .serve = echo_large,
		            .speak = send_and_read_back };
	run_both();
	free_certificates();
}

/* What is not. */

static void speak_plaintext(struct stream *stream)
{
	struct bytes line;

	stream_write(stream, BYTES_LITERAL("EHLO no handshake\r\n"), soon(), NULL);
	stream_flush(stream, soon(), NULL);
	CHECK_TRUE("ends", stream_read_line(stream, 100, soon(), &line, NULL) < 0);
}

static void test_a_server_hears_plaintext(void)
{
	make_certificates();
	run = (struct run){ .name = "plain", .certificate = &good, .speak = speak_plaintext };
	run_both();
	free_certificates();
}

static void answer_plaintext(void *arg, struct stream *stream)
{
	struct bytes in;

	(void)arg;
	stream_peek(stream, 1, soon(), &in, NULL);
	stream_write(stream, BYTES_LITERAL("454 4.7.0 not today\r\n"), soon(), NULL);
	stream_flush(stream, soon(), NULL);
	stream_peek(stream, 60000, soon(), &in, NULL);
	stream_close(stream);
}

static void say_nothing(void *arg, struct stream *stream)
{
	struct bytes in;

	(void)arg;
	stream_peek(stream, 60000, soon(), &in, NULL);
	stream_close(stream);
}

static void hang_up(void *arg, struct stream *stream)
{
	struct bytes in;

	(void)arg;
	stream_peek(stream, 1, soon(), &in, NULL);
	stream_close(stream);
}

static const struct {
	const char *name;
	void (*on_accept)(void *arg, struct stream *stream);
	int64_t patience_us;
	int result;
	const char *text;
} failures[] = {
	{ "no TLS at all", answer_plaintext, PATIENCE_US, ERR_PROTOCOL, "wrong version number" },
	{ "silence", say_nothing, 20 * US_PER_MS, ERR_TIMEOUT, "timed out" },
	{ "hangs up", hang_up, PATIENCE_US, ERR_CLOSED, "closed the connection" },
};

static void fail_to_shake(void *arg)
{
	size_t i = (size_t)(uintptr_t)arg;
	struct stream *stream = NULL;
	struct err err = { 0 };

	stream_connect(listener_address(run.listener), NULL, soon(), &stream, &err);
	CHECK_INT(failures[i].name,
	          stream_start_tls(stream, &run.start, clock_now_us() + failures[i].patience_us,
	                           &err),
	          failures[i].result);
	CHECK_TRUE(err.text, strstr(err.text, failures[i].text) != NULL);
	CHECK_TRUE("names the peer", strstr(err.text, "127.0.0.1:") != NULL);
	stream_close(stream);
	listener_close(run.listener);
	loop_stop(loop_current());
}

static void test_handshakes_that_fail(void)
{
	for (size_t i = 0; i < COUNT(failures); i++) {
		struct listener_options options = { .on_accept = failures[i].on_accept,
			                            .name = "server" };
		struct loop *loop;
		struct err err;

		run = (struct run){ 0 };
		CHECK_INT("client", tls_client_create(NULL, &run.start.context, &err), 0);
		address_parse(BYTES_LITERAL("127.0.0.1:0"), 0, &options.address);
		CHECK_INT("loop", loop_create(&loop, &err), 0);
		CHECK_INT("listen", listener_open(&options, &run.listener, &err), 0);
		fiber_spawn(fail_to_shake, (void *)(uintptr_t)i, "client");
		loop_run(loop);
		loop_destroy(loop);
		tls_context_destroy(run.start.context);
	}
}

static void test_files_that_are_none(void)
{
	struct tls_context *context;
	struct err err;

	make_certificates();
	CHECK_INT("no file", tls_server_create("/nowhere.pem", good.key_path, &context, &err),
	          ERR_INVALID);
	CHECK_STRING("says which", err.text, "certificate /nowhere.pem: No such file or directory");
	CHECK_INT("no key", tls_server_create(good.path, good.path, &context, &err), ERR_INVALID);
	CHECK_TRUE(err.text, strstr(err.text, "key /tmp/") != NULL);
	CHECK_INT("not its key", tls_server_create(good.path, other.key_path, &context, &err),
	          ERR_INVALID);
	CHECK_TRUE(err.text, strstr(err.text, "key values mismatch") != NULL);
	CHECK_INT("no authorities", tls_client_create(good.key_path, &context, &err), ERR_INVALID);
	CHECK_TRUE(err.text, strstr(err.text, "authorities /tmp/") != NULL);
	free_certificates();
}

TEST_MAIN(test_whom_a_client_believes, test_facts, test_large_both_ways,
          test_a_server_hears_plaintext, test_handshakes_that_fail, test_files_that_are_none)
