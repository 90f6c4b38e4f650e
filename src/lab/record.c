#include "lab/record.h"
#include "base/alloc.h"
#include "base/log.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

struct record {
	int fd;
	struct buffer lines;
};

void record_json_string(struct buffer *out, struct bytes text)
{
	buffer_append_char(out, '"');
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.at[i];

		if (c == '"' || c == '\\')
			buffer_printf(out, "\\%c", c);
		else if (c < ' ' || c > '~')
			buffer_printf(out, "\\u%04x", c);
		else
			buffer_append_char(out, (char)c);
	}
	buffer_append_char(out, '"');
}

int record_open(const char *path, struct record **record_out, struct err *err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);

	if (fd < 0)
		return err_system(err, "open record %s", path);
	*record_out = alloc_zeroed(sizeof **record_out);
	(*record_out)->fd = fd;
	return 0;
}

void record_close(struct record *record)
{
	if (!record)
		return;
	record_flush(record);
	close(record->fd);
	buffer_deinit(&record->lines);
	alloc_free(record);
}

void record_flush(struct record *record)
{
	while (record && record->lines.len > 0) {
		ssize_t count = write(record->fd, record->lines.at, record->lines.len);

		if (count > 0)
			buffer_consume(&record->lines, (size_t)count);
		else if (errno != EINTR) {
			log_error("lab", "record: %s", strerror(errno));
			buffer_clear(&record->lines);
		}
	}
}

static void put_field(struct buffer *out, const char *name, const char *text)
{
	if (!text)
		return;
	buffer_printf(out, ",\"%s\":", name);
	record_json_string(out, bytes_of(text));
}

void record_write(struct record *record, const struct record_entry *entry)
{
	struct bytes rest = entry->recipients;
	const char *separator = "";
	struct buffer *out;

	if (!record)
		return;
	out = &record->lines;
	buffer_printf(out, "{\"at\":%.6f,\"event\":\"%s\"", (double)entry->at_us / 1e6,
	              entry->event);
	put_field(out, "host", entry->host);
	put_field(out, "client", entry->client);
	put_field(out, "stage", entry->stage);
	put_field(out, "reply", entry->reply);
	put_field(out, "from", entry->sender);
	if (rest.len > 0) {
		buffer_append_text(out, ",\"to\":[");
		while (rest.len > 0) {
			buffer_append_text(out, separator);
			record_json_string(out, bytes_split(&rest, '\n'));
			separator = ",";
		}
		buffer_append_char(out, ']');
	}
	if (entry->id.len > 0) {
		buffer_append_text(out, ",\"id\":");
		record_json_string(out, entry->id);
	}
	if (entry->bytes > 0)
		buffer_printf(out, ",\"bytes\":%llu", (unsigned long long)entry->bytes);
	buffer_append_text(out, "}\n");
}
