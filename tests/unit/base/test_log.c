#include "base/log.h"
#include "support/check.h"
#include <stdlib.h>
#include <unistd.h>

static int pipe_ends[2];
static char text[16384];

static void open_log(enum log_level level, int is_plain)
{
	if (pipe_ends[1] == 0)
		CHECK_INT("pipe", pipe(pipe_ends), 0);
	log_open(&(struct log_options){ .fd = pipe_ends[1], .level = level, .is_plain = is_plain });
}

/* What was written, without the time, which is checked for its shape. */
static struct bytes written(const char *before, size_t time_at)
{
	ssize_t len = read(pipe_ends[0], text, sizeof text);
	struct bytes all = { text, len > 0 ? (size_t)len : 0 };

	CHECK_TRUE("starts", bytes_starts_with(all, bytes_of(before)));
	CHECK_TRUE("time", all.len > time_at + 24 && text[time_at + 10] == 'T' &&
	                           text[time_at + 23] == 'Z');
	return bytes_from(all, time_at + 24);
}

static void test_json(void)
{
	open_log(LOG_INFO, 0);
	log_debug("spool", "not shown");
	log_info("spool", "a \"quoted\" \\ thing\n\x7f");
	CHECK_BYTES("json", written("{\"time\":\"", 9),
	            bytes_of("\",\"level\":\"info\",\"room\":\"spool\",\"text\":"
	                     "\"a \\\"quoted\\\" \\\\ thing\\u000a\\u007f\"}\n"));
	log_error("dns", "gr\xc3\xbc\xc3\x9f");
	CHECK_BYTES("UTF-8 stays", written("{", 9),
	            bytes_of("\",\"level\":\"error\",\"room\":\"dns\",\"text\":"
	                     "\"gr\xc3\xbc\xc3\x9f\"}\n"));
	log_warning("dns", "gr\xfc\xdf");
	CHECK_BYTES("other bytes", written("{", 9),
	            bytes_of("\",\"level\":\"warning\",\"room\":\"dns\",\"text\":"
	                     "\"gr\\u00fc\\u00df\"}\n"));
}

static void test_plain(void)
{
	open_log(LOG_DEBUG, 1);
	log_debug("queue", "site %s\tis \"open\"", "mx.test");
	CHECK_BYTES("plain", written("", 0),
	            bytes_of(" debug queue: site mx.test\\x09is \"open\"\n"));
}

static void test_long_text_is_cut_between_characters(void)
{
	static char in[3001];
	struct bytes out;

	for (size_t i = 0; i < sizeof in - 1; i += 3)
		memcpy(in + i, "\xe2\x82\xac", 3);
	in[3000] = '\0';
	open_log(LOG_DEBUG, 1);
	log_debug("q", "%s", in);
	out = written("", 0);
	CHECK_INT("cut", out.len, strlen(" debug q: ") + 1998 + 1);
	CHECK_TRUE("still UTF-8", bytes_is_utf8(out));
}

TEST_MAIN(test_json, test_plain, test_long_text_is_cut_between_characters)
