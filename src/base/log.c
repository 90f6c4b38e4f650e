#include "base/log.h"
#include "base/buffer.h"
#include "base/units.h"
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

#define TEXT_BYTES_MAX 2000

static _Atomic int log_fd = STDERR_FILENO;
static _Atomic int log_level = LOG_WARNING;
static _Atomic int log_is_plain;

static const char *const level_names[] = {
	[LOG_DEBUG] = "debug",
	[LOG_INFO] = "info",
	[LOG_WARNING] = "warning",
	[LOG_ERROR] = "error",
};

void log_open(const struct log_options *options)
{
	atomic_store(&log_fd, options->fd);
	atomic_store(&log_level, (int)options->level);
	atomic_store(&log_is_plain, options->is_plain);
}

static void append_now(struct buffer *line)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	date_format_iso(line, now.tv_sec * US_PER_SECOND + now.tv_nsec / 1000);
}

/* Cuts between characters, so that a text that was UTF-8 stays UTF-8. */
static struct bytes cut(struct bytes text)
{
	struct bytes start = bytes_first(text, TEXT_BYTES_MAX);

	while (start.len < text.len && start.len > 0 &&
	       ((unsigned char)text.at[start.len] & 0xC0) == 0x80)
		start.len--;
	return start;
}

static void append_plain(struct buffer *line, struct bytes text)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.at[i];

		if (c < ' ' || c == 127)
			buffer_printf(line, "\\x%02x", c);
		else
			buffer_append_char(line, text.at[i]);
	}
}

/* JSON is UTF-8: bytes of a text that is not are written as the characters U+0080..U+00FF. */
static void append_json(struct buffer *line, struct bytes text)
{
	bool is_utf8 = bytes_is_utf8(text);

	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.at[i];

		if (c < ' ' || c == 127 || (c > 127 && !is_utf8)) {
			buffer_printf(line, "\\u%04x", c);
			continue;
		}
		if (c == '"' || c == '\\')
			buffer_append_char(line, '\\');
		buffer_append_char(line, text.at[i]);
	}
}

static void compose(struct buffer *line, enum log_level level, const char *room, struct bytes text)
{
	if (atomic_load(&log_is_plain)) {
		append_now(line);
		buffer_printf(line, " %s %s: ", level_names[level], room);
		append_plain(line, text);
		buffer_append_char(line, '\n');
		return;
	}
	buffer_append_text(line, "{\"time\":\"");
	append_now(line);
	buffer_printf(line, "\",\"level\":\"%s\",\"room\":\"%s\",\"text\":\"", level_names[level],
	              room);
	append_json(line, text);
	buffer_append_text(line, "\"}\n");
}

void log_write(enum log_level level, const char *room, const char *format, ...)
{
	struct buffer text = { 0 }, line = { 0 };
	va_list args;
	ssize_t written;

	if ((int)level < atomic_load(&log_level))
		return;
	va_start(args, format);
	buffer_vprintf(&text, format, args);
	va_end(args);
	compose(&line, level, room, cut(buffer_bytes(&text)));
	written = write(atomic_load(&log_fd), line.at, line.len);
	(void)written; /* there is nowhere to complain about a log that cannot be written */
	buffer_deinit(&text);
	buffer_deinit(&line);
}
