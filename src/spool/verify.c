/* The offline commands: every byte checked; every live message written out. */
#include "base/alloc.h"
#include "base/id.h"
#include "base/units.h"
#include "spool/journal.h"
#include "spool/place.h"
#include "spool/spool.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct verification {
	struct buffer *out;
	uint64_t segment;
	int damaged;
	int64_t records;
};

static void count_record(void *arg, const struct record *record, int64_t offset, int64_t size_bytes)
{
	struct verification *verification = arg;
	struct message *message;
	struct err err = { 0 };

	(void)size_bytes;
	verification->records++;
	if (record->type != RECORD_MESSAGE)
		return;
	if (message_decode_envelope(record->head, &message, &err) == 0) {
		message_release(message);
		return;
	}
	verification->damaged++;
	buffer_printf(verification->out, "segment %016" PRIx64 " at %" PRId64 ": %s\n",
	              verification->segment, offset, err.text);
}

static void count_damage(void *arg, int64_t offset, struct bytes data)
{
	struct verification *verification = arg;

	verification->damaged++;
	buffer_printf(verification->out,
	              "segment %016" PRIx64 " at %" PRId64 ": %zu damaged bytes\n",
	              verification->segment, offset, data.len);
}

int spool_verify(const char *directory, struct buffer *out,
                 void (*progress)(void *arg, int64_t done, int64_t all), void *arg, struct err *err)
{
	struct verification verification = { .out = out };
	struct scan_visitor visitor = { count_record, count_damage, &verification };
	struct spool_place *place;
	struct buffer data = { 0 };
	uint64_t *numbers = NULL;
	int count, result = 0;

	if (spool_place_open(directory, &place, err) < 0)
		return err->code;
	count = journal_list_segments(directory, &numbers, err);
	for (int i = 0; i < count && result == 0; i++) {
		result = journal_read_segment(&disk_real, directory, numbers[i], &data, err);
		verification.segment = numbers[i];
		if (result == 0)
			scan_segment(buffer_bytes(&data), numbers[i],
			             journal_end_of(&disk_real, directory, numbers[i]), &visitor);
		if (progress)
			progress(arg, i + 1, count);
	}
	buffer_printf(out, "%d segments, %" PRId64 " records\n", MAX(count, 0),
	              verification.records);
	buffer_deinit(&data);
	alloc_free(numbers);
	spool_place_close(place);
	if (count < 0 || result < 0)
		return MIN(count, result);
	return verification.damaged;
}

struct export
{
	struct journal *journal;
	const char *to_directory;
	void (*progress)(void *arg, int64_t done, int64_t all);
	void *arg;
	int written, all, result;
	struct err *err;
};

static int write_file(const char *path, struct bytes data, struct err *err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0)
		return err_system(err, "create %s", path);
	while (data.len > 0) {
		ssize_t count = write(fd, data.at, data.len);

		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0) {
			err_system(err, "write %s", path);
			close(fd);
			return ERR_SYSTEM;
		}
		data = bytes_from(data, (size_t)count);
	}
	close(fd);
	return 0;
}

static int copy_file(const char *from, const char *to, struct err *err)
{
	char data[8192 / 2];
	int in = open(from, O_RDONLY | O_CLOEXEC);
	int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600), result = 0;
	ssize_t count = 0;

	if (in < 0 || out < 0)
		result = err_system(err, "copy %s to %s", from, to);
	while (result == 0 && (count = read(in, data, sizeof data)) > 0)
		if (write(out, data, (size_t)count) != count)
			result = err_system(err, "write %s", to);
	if (result == 0 && count < 0)
		result = err_system(err, "read %s", from);
	if (in >= 0)
		close(in);
	if (out >= 0)
		close(out);
	return result;
}

static void append_json_string(struct buffer *out, struct bytes text)
{
	buffer_append_char(out, '"');
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.at[i];

		if (c == '"' || c == '\\' || c < 32)
			buffer_printf(out, "\\u%04x", c);
		else
			buffer_append_char(out, (char)c);
	}
	buffer_append_char(out, '"');
}

static void format_envelope(const struct message *message, struct buffer *out)
{
	char id[ID_TEXT_LENGTH + 1];

	id_format(message->id, id);
	buffer_printf(out, "{\"id\":\"%s\",\"arrived\":\"", id);
	date_format_iso(out, message->arrived_us);
	buffer_append_text(out, "\",\"sender\":");
	append_json_string(out, message->sender);
	buffer_append_text(out, ",\"recipients\":[");
	for (uint32_t i = 0; i < message->recipient_count; i++) {
		if (i > 0)
			buffer_append_char(out, ',');
		append_json_string(out, message->recipients[i].address);
	}
	buffer_append_text(out, "]}\n");
}

static int export_message(struct export *export, uint64_t id, const struct record *record)
{
	char name[ID_TEXT_LENGTH + 1], path[600];
	struct buffer envelope = { 0 };
	struct message *message;
	int result = message_decode_envelope(record->head, &message, export->err);

	if (result < 0)
		return result;
	message->id = id;
	id_format(id, name);
	snprintf(path, sizeof path, "%.400s/%s.eml", export->to_directory, name);
	result = message->body.path ? copy_file(message->body.path, path, export->err)
	                            : write_file(path, record->rest, export->err);
	snprintf(path, sizeof path, "%.400s/%s.json", export->to_directory, name);
	format_envelope(message, &envelope);
	if (result == 0)
		result = write_file(path, buffer_bytes(&envelope), export->err);
	buffer_deinit(&envelope);
	message_release(message);
	return result;
}

static void export_one(void *arg, uint64_t id, const struct places *places)
{
	struct export *export = arg;
	struct buffer data = { 0 };
	struct record record;
	int64_t offset;
	struct segment *segment;

	if (export->result < 0)
		return;
	segment = journal_pin(export->journal, places->message, &offset);
	export->result = segment_read(segment, offset, &data, &record, export->err);
	journal_unpin(export->journal, segment);
	if (export->result == 0)
		export->result = export_message(export, id, &record);
	buffer_deinit(&data);
	if (export->result == 0)
		export->written++;
	if (export->progress)
		export->progress(export->arg, export->written, export->all);
}

int spool_export(const char *directory, const char *to_directory,
                 void (*progress)(void *arg, int64_t done, int64_t all), void *arg, struct err *err)
{
	struct export export = {
		.to_directory = to_directory, .progress = progress, .arg = arg, .err = err
	};
	struct journal_options options = { .directory = directory, .disk = &disk_real };
	struct journal_status status;
	struct spool_place *place;

	if (spool_place_open(directory, &place, err) < 0)
		return err->code;
	export.result = journal_open(&options, &export.journal, err);
	if (export.result == 0) {
		journal_status(export.journal, &status);
		export.all = (int)status.live_count;
		journal_each(export.journal, export_one, &export);
		journal_close(export.journal);
	}
	spool_place_close(place);
	return export.result < 0 ? export.result : export.written;
}
