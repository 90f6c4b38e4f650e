#include "base/buffer.h"
#include "base/units.h"
#include "runtime/fiber.h"
#include "runtime/loop.h"
#include "runtime/stream.h"
#include "support/check.h"
#include <string.h>

#define PATIENCE_US (20 * US_PER_SECOND)

static void (*serve)(struct stream *stream);
static void (*speak)(struct stream *stream);
static struct listener *listener;

static int64_t soon(void)
{
	return clock_now_us() + PATIENCE_US;
}

static void on_accept(void *arg, struct stream *stream)
{
	(void)arg;
	serve(stream);
	stream_close(stream);
}

static void run_client(void *arg)
{
	struct stream *stream = NULL;
	struct err err;

	(void)arg;
	CHECK_INT("connect",
	          stream_connect(listener_address(listener), NULL, soon(), &stream, &err), 0);
	speak(stream);
	stream_close(stream);
	listener_close(listener);
	loop_stop(loop_current());
}

static void run_both(void (*server)(struct stream *stream), void (*client)(struct stream *stream))
{
	struct listener_options options = { .on_accept = on_accept,
		                            .name = "server",
		                            .connections_max = 1,
		                            .refusal = "421 full\r\n" };
	struct loop *loop;
	struct err err;

	serve = server;
	speak = client;
	address_parse(BYTES_LITERAL("127.0.0.1:0"), 0, &options.address);
	CHECK_INT("loop", loop_create(&loop, &err), 0);
	CHECK_INT("listen", listener_open(&options, &listener, &err), 0);
	fiber_spawn(run_client, NULL, "client");
	loop_run(loop);
	loop_destroy(loop);
}

static void send_bytewise(struct stream *stream)
{
	struct bytes text = BYTES_LITERAL("one\r\ntwo\r\n0123456789long line\r\nlast\r\nhalf");

	for (size_t i = 0; i < text.len; i++) {
		CHECK_INT("write",
		          stream_write(stream, bytes_first(bytes_from(text, i), 1), soon(), NULL),
		          0);
		CHECK_INT("flush", stream_flush(stream, soon(), NULL), 0);
		fiber_yield();
	}
}

static void read_lines(struct stream *stream)
{
	struct bytes line;
	struct err err;

	CHECK_INT("one", stream_read_line(stream, 10, soon(), &line, &err), 5);
	CHECK_BYTES("one", line, bytes_of("one\r\n"));
	CHECK_INT("two", stream_read_line(stream, 10, soon(), &line, &err), 5);
	CHECK_INT("too long", stream_read_line(stream, 10, soon(), &line, &err), ERR_TOO_LONG);
	CHECK_INT("skipped", stream_skip_line(stream, 100, soon(), &err), 0);
	CHECK_INT("last", stream_read_line(stream, 10, soon(), &line, &err), 6);
	CHECK_INT("half a line", stream_read_line(stream, 10, soon(), &line, &err), ERR_CLOSED);
	CHECK_BYTES("is still there", stream_buffered(stream), bytes_of("half"));
	stream_discard(stream);
	CHECK_INT("nothing", stream_buffered(stream).len, 0);
}

static void test_lines(void)
{
	run_both(send_bytewise, read_lines);
}

#define LARGE_BYTES (8 << 20)

static void send_large(struct stream *stream)
{
	static char data[100000];

	for (int64_t sent = 0; sent < LARGE_BYTES; sent += (int64_t)sizeof data) {
		memset(data, (char)(sent / 100000), sizeof data);
		CHECK_INT("write",
		          stream_write(stream, (struct bytes){ data, sizeof data }, soon(), NULL),
		          0);
		CHECK_INT("small", stream_write(stream, BYTES_LITERAL("x"), soon(), NULL), 0);
	}
	CHECK_INT("flush", stream_flush(stream, soon(), NULL), 0);
}

static void read_slowly(struct stream *stream)
{
	int64_t all = 0;
	struct bytes in;

	while (stream_peek(stream, 1, soon(), &in, NULL) == 0) {
		size_t take = MIN(in.len, 30000);

		stream_consume(stream, take);
		all += (int64_t)take;
		fiber_yield();
	}
	CHECK_INT("all of it", all, (LARGE_BYTES / 100000 + 1) * 100001);
}

static void test_large_writes_to_a_slow_reader(void)
{
	run_both(send_large, read_slowly);
}

static void say_nothing(struct stream *stream)
{
	struct bytes in;

	stream_peek(stream, 1, soon(), &in, NULL);
}

static void wait_in_vain(struct stream *stream)
{
	struct stream *second = NULL;
	struct bytes in;
	struct err err;

	CHECK_INT("deadline", stream_peek(stream, 1, clock_now_us() + 2000, &in, &err),
	          ERR_TIMEOUT);
	CHECK_TRUE("names the peer", strstr(err.text, "127.0.0.1:") != NULL);
	CHECK_INT("second", stream_connect(listener_address(listener), NULL, soon(), &second, &err),
	          0);
	CHECK_INT("is refused", stream_read_line(second, 100, soon(), &in, &err), 10);
	CHECK_BYTES("with a word", in, bytes_of("421 full\r\n"));
	stream_close(second);
}

static void test_deadline_and_refusal(void)
{
	run_both(say_nothing, wait_in_vain);
}

static void connect_nowhere(void *arg)
{
	struct stream *stream = NULL;
	struct address address;
	struct err err;

	(void)arg;
	address_parse(BYTES_LITERAL("127.0.0.1:1"), 0, &address);
	CHECK_INT("refused", stream_connect(&address, NULL, soon(), &stream, &err), ERR_SYSTEM);
	CHECK_TRUE("says so",
	           strstr(err.text, "connect to 127.0.0.1:1: Connection refused") != NULL);
	loop_stop(loop_current());
}

static void test_refused(void)
{
	struct loop *loop;
	struct err err;

	CHECK_INT("loop", loop_create(&loop, &err), 0);
	fiber_spawn(connect_nowhere, NULL, "client");
	loop_run(loop);
	loop_destroy(loop);
}

TEST_MAIN(test_lines, test_large_writes_to_a_slow_reader, test_deadline_and_refusal, test_refused)
