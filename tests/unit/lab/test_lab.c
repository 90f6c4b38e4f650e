/* Whole labs: conversations with their hosts over loopback, control lines, ports. */
#include "base/units.h"
#include "lab/lab.h"
#include "runtime/fiber.h"
#include "runtime/loop.h"
#include "runtime/stream.h"
#include "support/check.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char world[] =
	"host ok.test { address 127.0.0.1; }"
	"host grey.test { address 127.0.0.2; greylist 200ms; }"
	"host picky.test { address 127.0.0.3; rcpt nobody@* \"550 5.1.1 no\"; recipients 2;"
	"  size 1000; mail \"451 4.3.0 wait\" times 1; }"
	"host dropper.test { address 127.0.0.4; dot drop; }"
	"host busy.test { address 127.0.0.5; greet \"421 4.3.2 busy\"; }"
	"host closed.test { address 127.0.0.6; greet \"554 5.7.1 closed\"; }"
	"host garbage.test { address 127.0.0.7; data garbage; }"
	"host rate.test { address 127.0.0.8; rate 1/1h; }"
	"host old.test { address 127.0.0.9; ehlo \"502 no\"; without all; }"
	"host slow.test { address 127.0.0.10; slow 20ms; speed 100K; }"
	"host refusing.test { address 127.0.0.11; refuse; }"
	"host reset.test { address 127.0.0.12; reset; }"
	"host black.test { address 127.0.0.13; blackhole; }"
	"host silent.test { address 127.0.0.14; silent; }"
	"host later.test { address 127.0.0.15; refuse; at 100ms { accept; } }";

static struct lab *lab;

static int64_t soon(int ms)
{
	return clock_now_us() + ms * US_PER_MS;
}

static int connect_to(const char *address, int wait_ms, struct stream **stream_out, struct err *err)
{
	struct address to;

	address_parse(bytes_of(address), lab_smtp_port(lab), &to);
	*stream_out = NULL;
	return stream_connect(&to, NULL, soon(wait_ms), stream_out, err);
}

/* Conversations: "> " is sent, "< " is how the next reply has to begin (its last line), "<<" the
 * end of the connection. */
static const struct {
	const char *name, *address, *lines;
} talks[] = {
	{ "plain", "127.0.0.1",
	  "< 220 ok.test\n> EHLO me\n< 250 SIZE\n> MAIL FROM:<a@b>\n< 250 2.1.0\n"
	  "> RCPT TO:<c@d>\n< 250 2.1.5\n> DATA\n< 354\n> a\n> ..\n> .\n< 250 2.0.0\n> QUIT\n"
	  "< 221\n<<" },
	{ "empty content", "127.0.0.1",
	  "< 220\n> HELO me\n< 250 ok.test\n> MAIL FROM:<>\n< 250\n> RCPT TO:<c@d>\n< 250\n> DATA\n"
	  "< 354\n> .\n< 250\n> RSET\n< 250\n> NOOP\n< 250\n> FLY\n< 500\n> QUIT\n< 221\n<<" },
	{ "chunks", "127.0.0.1",
	  "< 220\n> EHLO me\n< 250\n> MAIL FROM:<a@b>\n< 250\n> RCPT TO:<c@d>\n< 250\n"
	  "> BDAT 4\n> ab\n< 250 2.0.0 Chunk\n> BDAT 4 LAST\n> cd\n< 250 2.0.0 Mess\n> QUIT\n< "
	  "221" },
	{ "order", "127.0.0.1",
	  "< 220\n> RCPT TO:<c@d>\n< 503\n> DATA\n< 503\n> MAIL FROM:<a@b>\n< 250\n> MAIL "
	  "FROM:<a@b>\n"
	  "< 503\n> RCPT TO:c\n< 501\n> QUIT\n< 221" },
	{ "greylisted", "127.0.0.2",
	  "< 220\n> HELO me\n< 250\n> MAIL FROM:<a@b>\n< 250\n> RCPT TO:<c@d>\n< 451 4.7.1\n"
	  "> RCPT TO:<c@d>\n< 451\n~ 250\n> RCPT TO:<c@d>\n< 250\n> RCPT TO:<e@d>\n< 451\n" },
	{ "picky", "127.0.0.3",
	  "< 220\n> EHLO me\n< 250 SIZE 1000\n> MAIL FROM:<a@b>\n< 451\n"
	  "> MAIL FROM:<a@b> SIZE=1001\n< 552\n> MAIL FROM:<a@b> SIZE=1000\n< 250\n"
	  "> RCPT TO:<nobody@d>\n< 550\n> RCPT TO:<a@d>\n< 250\n> RCPT TO:<b@d>\n< 250\n"
	  "> RCPT TO:<c@d>\n< 452 4.5.3" },
	{ "drops after the dot", "127.0.0.4",
	  "< 220\n> HELO me\n< 250\n> MAIL FROM:<a@b>\n< 250\n> RCPT TO:<c@d>\n< 250\n> DATA\n< "
	  "354\n"
	  "> x\n> .\n<<" },
	{ "busy", "127.0.0.5", "< 421 4.3.2\n<<" },
	{ "closed", "127.0.0.6", "< 554\n> EHLO me\n< 503\n> QUIT\n< 221\n<<" },
	{ "garbage", "127.0.0.7",
	  "< 220\n> HELO me\n< 250\n> MAIL FROM:<a@b>\n< 250\n> RCPT TO:<c@d>\n< 250\n> DATA\n< "
	  "\x01" },
	{ "rate", "127.0.0.8",
	  "< 220\n> HELO me\n< 250\n> MAIL FROM:<a@b>\n< 250\n> RSET\n< 250\n> MAIL FROM:<a@b>\n"
	  "< 450 4.7.1" },
	{ "no EHLO, no codes", "127.0.0.9",
	  "< 220\n> EHLO me\n< 502\n> HELO me\n< 250\n> MAIL FROM:<a@b>\n< 250 Sender" },
	{ "slow", "127.0.0.10",
	  "< 220\n> HELO me\n< 250\n> MAIL FROM:<a@b>\n< 250\n> RCPT TO:<c@d>\n< 250\n> DATA\n< "
	  "354\n"
	  "> x\n> .\n< 250\n> QUIT\n< 221\n<<" },
	{ "comes back", "127.0.0.15", "< 220 later.test" },
};

/* Reads a reply to its last line and compares the beginning of that. */
static void expect(const char *name, struct stream *stream, struct bytes want)
{
	struct bytes line = { 0 };
	struct err err;
	int result;

	do {
		result = stream_read_line(stream, 1000, soon(2000), &line, &err);
	} while (result > 4 && line.at[3] == '-');
	CHECK_TRUE(name, result > 0);
	CHECK_BYTES(name, bytes_first(line, want.len), want);
}

static void say(struct stream *stream, struct bytes line)
{
	struct err err;

	stream_write(stream, line, soon(2000), &err);
	stream_write(stream, BYTES_LITERAL("\r\n"), soon(2000), &err);
	stream_flush(stream, soon(2000), &err);
}

static void talk(const char *name, const char *address, const char *lines)
{
	struct bytes rest = bytes_of(lines), ignored;
	struct stream *stream;
	struct err err = { 0 };

	CHECK_INT(name, connect_to(address, 2000, &stream, &err), 0);
	while (rest.len > 0) {
		struct bytes line = bytes_split(&rest, '\n');

		if (bytes_starts_with(line, BYTES_LITERAL("<<")))
			CHECK_INT(name, stream_peek(stream, 1, soon(2000), &ignored, &err),
			          ERR_CLOSED);
		else if (line.at[0] == '<')
			expect(name, stream, bytes_from(line, 2));
		else if (line.at[0] == '~')
			fiber_sleep(soon((int)strtol(line.at + 2, NULL, 10)));
		else
			say(stream, bytes_from(line, 2));
	}
	stream_close(stream);
}

static void test_talks(void)
{
	fiber_sleep(soon(150)); /* later.test is there then */
	for (size_t i = 0; i < COUNT(talks); i++)
		talk(talks[i].name, talks[i].address, talks[i].lines);
}

static void test_connections(void)
{
	struct stream *stream;
	struct bytes in;
	struct err err = { 0 };

	CHECK_INT("refusing", connect_to("127.0.0.11", 2000, &stream, &err), ERR_SYSTEM);
	CHECK_INT("refusing", err.system_errno, ECONNREFUSED);
	CHECK_INT("black hole", connect_to("127.0.0.13", 300, &stream, &err), ERR_TIMEOUT);
	if (connect_to("127.0.0.12", 2000, &stream, &err) == 0)
		CHECK_INT("reset", stream_peek(stream, 1, soon(2000), &in, &err), ERR_SYSTEM);
	CHECK_INT("reset", err.system_errno, ECONNRESET);
	stream_close(stream);
	CHECK_INT("silent", connect_to("127.0.0.14", 2000, &stream, &err), 0);
	CHECK_INT("silent", stream_peek(stream, 1, soon(100), &in, &err), ERR_TIMEOUT);
	stream_close(stream);
}

static void control(const char *line, const char *want)
{
	struct buffer out = { 0 };

	lab_control(lab, bytes_of(line), &out);
	CHECK_BYTES(line, bytes_first(buffer_bytes(&out), strlen(want)), bytes_of(want));
	buffer_deinit(&out);
}

/* A host that goes down cuts its connections, and may change again and again. */
static void test_control(void)
{
	struct stream *stream;
	struct bytes in;
	struct err err = { 0 };

	CHECK_INT("connect", connect_to("127.0.0.1", 2000, &stream, &err), 0);
	expect("greeting", stream, BYTES_LITERAL("220"));
	control("ok.test refuse", "{\"ok\":true}");
	CHECK_TRUE("cut", stream_peek(stream, 1, soon(2000), &in, &err) < 0);
	stream_close(stream);
	CHECK_INT("down", connect_to("127.0.0.1", 2000, &stream, &err), ERR_SYSTEM);
	control("ok.test blackhole;", "{\"ok\":true}");
	CHECK_INT("hole", connect_to("127.0.0.1", 100, &stream, &err), ERR_TIMEOUT);
	control("ok.test reset", "{\"ok\":true}");
	control("ok.test accept; ok.test greet \"421 no\"", "{\"ok\":true}\n{\"ok\":true}");
	talk("changed", "127.0.0.1", "< 421 no\n<<");
	control("ok.test healthy", "{\"ok\":true}");
	talk("healthy", "127.0.0.1", "< 220");
	control("ok.test fly", "{\"error\":\"line 1: fly \\\"\\\": unknown\"}");
	control("nobody.test refuse", "{\"error\":\"no host or domain \\\"nobody.test\\\"\"}");
	control("ok.test", "{\"error\":");
	control("\"", "{\"error\":");
	control("", "");
	control("status", "{\"hosts\":{\"ok.test\":{\"manner\":\"accept\",\"connections\":3,");
}

static void test_second_lab(void)
{
	struct lab_options options = { .record_path = "", .keep_directory = "" };
	struct lab *second = NULL;
	struct err err;

	options.smtp_port = lab_smtp_port(lab);
	CHECK_INT("the port is taken",
	          lab_start("w", BYTES_LITERAL("host x.test { }"), &options, &second, &err),
	          ERR_SYSTEM);
}

static char directory[] = "/tmp/outlast-lab-XXXXXX";

static bool file_holds(const char *name, const char *text)
{
	static char content[65536]; /* not on a fiber's stack */
	char path[256];
	size_t len;
	FILE *file;

	snprintf(path, sizeof path, "%s/%s", directory, name);
	file = fopen(path, "r");
	if (!file)
		return false;
	len = fread(content, 1, sizeof content, file);
	fclose(file);
	unlink(path);
	return bytes_find((struct bytes){ content, len }, bytes_of(text)) >= 0;
}

static void test_record(void)
{
	struct err err;
	struct stream *stream;

	CHECK_INT("connect", connect_to("127.0.0.1", 2000, &stream, &err), 0);
	say(stream, BYTES_LITERAL("MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nRCPT TO:<\"e@d>\r\nDATA\r\n"
	                          "Message-ID: <1@b>\r\n\r\n..x\r\n.\r\nQUIT"));
	for (int i = 0; i < 7; i++)
		expect("reply", stream, BYTES_LITERAL(""));
	stream_close(stream);
	CHECK_TRUE("kept", file_holds("ok.test-000001.eml", "Message-ID: <1@b>\r\n\r\n.x\r\n"));
}

static void run_in_loop(void *arg)
{
	void (**test)(void) = arg;

	(*test)();
	loop_stop(loop_current());
}

static void run_in_fiber(void (*test)(void))
{
	char record[64];
	struct lab_options options = { .record_path = record, .keep_directory = directory };
	struct loop *loop;
	struct err err = { 0 };

	snprintf(record, sizeof record, "%s/record", directory);
	CHECK_INT("loop", loop_create(&loop, &err), 0);
	CHECK_INT(err.text, lab_start("world", bytes_of(world), &options, &lab, &err), 0);
	fiber_spawn(run_in_loop, &test, "test");
	loop_run(loop);
	lab_shut(lab);
	loop_destroy(loop);
	lab_destroy(lab);
	if (test == test_record)
		CHECK_TRUE("recorded", file_holds("record", "\"event\":\"message\""));
	unlink(record);
}

#define IN_FIBER(name)                    \
	static void name##_in_fiber(void) \
	{                                 \
		run_in_fiber(name);       \
	}

IN_FIBER(test_talks)
IN_FIBER(test_connections)
IN_FIBER(test_control)
IN_FIBER(test_second_lab)
IN_FIBER(test_record)

/* Message content of the other tests is kept too; only its own names are here. */
static void make_directory(void)
{
	CHECK_TRUE("directory", mkdtemp(directory) != NULL);
}

static void remove_directory(void)
{
	static const char *const kept[] = { "ok.test-000001.eml", "ok.test-000002.eml",
		                            "ok.test-000003.eml", "slow.test-000001.eml" };

	for (size_t i = 0; i < COUNT(kept); i++)
		file_holds(kept[i], "");
	CHECK_INT("directory", rmdir(directory), 0);
}

TEST_MAIN(make_directory, test_talks_in_fiber, test_connections_in_fiber, test_control_in_fiber,
          test_second_lab_in_fiber, test_record_in_fiber, remove_directory)
