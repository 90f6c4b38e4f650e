#include "base/units.h"
#include "report/event.h"
#include "support/check.h"
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static char path[] = "/tmp/outlast-event-XXXXXX";

static struct bytes read_back(char *data, size_t size)
{
	int fd = open(path, O_RDONLY);
	ssize_t count = read(fd, data, size);

	close(fd);
	return (struct bytes){ data, count < 0 ? 0 : (size_t)count };
}

static void test_line(void)
{
	struct outcome outcome = { .result = RESULT_DEFERRED,
		                   .cause = CAUSE_GREYLISTED,
		                   .code = 451,
		                   .phase = PHASE_RCPT,
		                   .text = "451 \"later\"\x01" };
	struct log_entry entry = { .kind = LOGGED_DEFERRED,
		                   .id = 1,
		                   .domain = BYTES_LITERAL("a.test"),
		                   .site = "mx.a.test",
		                   .cause = CAUSE_GREYLISTED,
		                   .outcome = &outcome,
		                   .age_us = 1500 * US_PER_MS,
		                   .next_us = 1001 * US_PER_SECOND,
		                   .attempts = 1 };
	struct event_details details = { .sender = BYTES_LITERAL("\xff@out.test") };
	struct event_log *log;
	char data[2000];
	struct err err;

	close(mkstemp(path));
	CHECK_INT("open", event_log_open(path, &log, &err), 0);
	event_log_write(log, &entry, &details, 1000 * US_PER_SECOND);
	CHECK_INT("nothing before the flush", read_back(data, sizeof data).len, 0);
	event_log_flush(log);
	CHECK_BYTES(
		"line", read_back(data, sizeof data),
		bytes_of("{\"time\":\"1970-01-01T00:16:40.000Z\",\"event\":\"deferred\",\"id\":"
	                 "\"0000000000001\","
	                 "\"sender\":\"?@out.test\",\"destination\":\"a.test\",\"site\":\"mx.a."
	                 "test\","
	                 "\"cause\":\"greylisted\",\"index\":0,\"attempts\":1,\"age\":1.500,"
	                 "\"next\":1.000,"
	                 "\"status\":\"4.3.0\",\"code\":451,\"phase\":\"RCPT\",\"duration_ms\":0,"
	                 "\"reply\":\"451 \\\"later\\\"\\u0001\"}\n"));
	event_log_close(log);
	unlink(path);
}

static void test_none(void)
{
	struct log_entry entry = { .kind = LOGGED_ACCEPTED };
	struct event_details details = { 0 };
	struct event_log *log;
	struct err err;

	CHECK_INT("open", event_log_open("", &log, &err), 0);
	event_log_write(log, &entry, &details, 0);
	event_log_flush(log);
	event_log_close(log);
	CHECK_INT("no folder", event_log_open("/nonexistent/events", &log, &err), ERR_SYSTEM);
}

TEST_MAIN(test_line, test_none)
