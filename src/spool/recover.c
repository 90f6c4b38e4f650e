#include "base/alloc.h"
#include "base/log.h"
#include "spool/journal_own.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int compare_numbers(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

	return left < right ? -1 : left > right;
}

int journal_list_segments(const char *directory, uint64_t **numbers_out, struct err *err)
{
	uint64_t *numbers = NULL, number;
	char path[PATH_BYTES];
	struct dirent *entry;
	int count = 0, end;
	DIR *dir;

	snprintf(path, sizeof path, "%.400s/journal", directory);
	dir = opendir(path);
	if (!dir)
		return err_system(err, "open directory %s", path);
	while ((entry = readdir(dir))) {
		end = 0;
		if (sscanf(entry->d_name, "%16" SCNx64 ".seg%n", &number, &end) != 1 || end != 20 ||
		    entry->d_name[end])
			continue;
		numbers = alloc_resize(numbers, (size_t)count + 1, sizeof *numbers);
		numbers[count++] = number;
	}
	closedir(dir);
	if (count > 0)
		qsort(numbers, (size_t)count, sizeof *numbers, compare_numbers);
	*numbers_out = numbers;
	return count;
}

int journal_read_segment(const struct disk *disk, const char *directory, uint64_t number,
                         struct buffer *data, struct err *err)
{
	char path[PATH_BYTES];
	struct stat status;
	int fd, result = 0;

	segment_path(directory, number, path);
	fd = disk->open(disk->arg, path, 0);
	if (fd < 0 || fstat(fd, &status) < 0) {
		err_system(err, "open segment %s", path);
		if (fd >= 0)
			disk->close(disk->arg, fd);
		return ERR_SYSTEM;
	}
	buffer_clear(data);
	buffer_reserve(data, (size_t)status.st_size);
	while (data->len < (size_t)status.st_size && result == 0) {
		ssize_t count = disk->read(disk->arg, fd, data->at + data->len,
		                           (size_t)status.st_size - data->len, (int64_t)data->len);

		if (count < 0 && errno == EINTR)
			continue;
		if (count <= 0)
			result = err_system(err, "read segment %s", path);
		else
			data->len += (size_t)count;
	}
	disk->close(disk->arg, fd);
	return result;
}

int64_t journal_end_of(const struct disk *disk, const char *directory, uint64_t number)
{
	char path[PATH_BYTES], head[RECORD_HEADER_BYTES + sizeof(uint64_t)];
	struct record record;
	int64_t end = -1;
	uint64_t value;
	int fd;

	segment_path(directory, number + 1, path);
	fd = disk->open(disk->arg, path, 0);
	if (fd < 0)
		return -1;
	if (disk->read(disk->arg, fd, head, sizeof head, 0) == (ssize_t)sizeof head &&
	    record_decode((struct bytes){ head, sizeof head }, number + 1, &record) > 0 &&
	    record.type == RECORD_SEAL && record.id == number && record.head.len == sizeof value) {
		memcpy(&value, record.head.at, sizeof value);
		end = (int64_t)value;
	}
	disk->close(disk->arg, fd);
	return end;
}

/* One segment being recovered. */
struct recovery {
	struct journal *journal;
	struct segment *segment;
};

static void take_record(void *arg, const struct record *record, int64_t offset, int64_t size_bytes)
{
	struct recovery *recovery = arg;

	journal_apply(recovery->journal, record, place_make(recovery->segment->number, offset),
	              size_bytes);
}

/* Nothing that was once on disk disappears without a word: the bytes are kept for whoever wants to
 * look. */
static void keep_damage(void *arg, int64_t offset, struct bytes data)
{
	struct recovery *recovery = arg;
	char path[PATH_BYTES];
	int fd;

	snprintf(path, sizeof path, "%.400s/quarantine/%016" PRIx64 "-%" PRId64,
	         recovery->journal->options.directory, recovery->segment->number, offset);
	log_error("spool",
	          "segment %016" PRIx64 ": %zu bytes at %" PRId64 " are damaged; kept as %s",
	          recovery->segment->number, data.len, offset, path);
	recovery->journal->counts.quarantined_count++;
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, data.at, data.len) != (ssize_t)data.len)
		log_error("spool", "quarantine %s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
}

static int recover_segment(struct journal *journal, uint64_t number, struct buffer *data,
                           struct err *err)
{
	const struct disk *disk = journal->options.disk;
	struct segment *segment = alloc_zeroed(sizeof *segment);
	struct recovery recovery = { journal, segment };
	struct scan_visitor visitor = { take_record, keep_damage, &recovery };
	char path[PATH_BYTES];

	if (journal_read_segment(disk, journal->options.directory, number, data, err) < 0) {
		alloc_free(segment);
		return err->code;
	}
	segment_path(journal->options.directory, number, path);
	segment->number = number;
	segment->disk = disk;
	segment->size_bytes = (int64_t)data->len;
	segment->fd = disk->open(disk->arg, path, 0);
	journal_add_segment(journal, segment);
	segment->used_bytes = scan_segment(buffer_bytes(data), number,
	                                   journal_end_of(disk, journal->options.directory, number),
	                                   &visitor);
	segment->synced_bytes = segment->used_bytes;
	return segment->fd < 0 ? err_system(err, "open segment %s", path) : 0;
}

static void count_spares(struct journal *journal)
{
	char path[PATH_BYTES];
	struct stat status;

	for (;;) {
		spare_path(journal->options.directory, journal->spare_count, path);
		if (stat(path, &status) < 0)
			return;
		if (status.st_size != journal->options.segment_bytes) {
			unlink(path); /* the configured size has changed */
			return;
		}
		journal->spare_count++;
		journal->counts.disk_bytes += status.st_size;
	}
}

/* The spare that a full disk leaves for states and ends. */
static int make_spare(struct journal *journal, struct err *err)
{
	const struct disk *disk = journal->options.disk;
	char path[PATH_BYTES];
	int fd;

	if (journal->spare_count > 0)
		return 0;
	spare_path(journal->options.directory, 0, path);
	fd = disk->open(disk->arg, path, journal->options.segment_bytes);
	if (fd < 0)
		return errno == ENOSPC ? 0 : err_system(err, "create %s", path);
	disk->close(disk->arg, fd);
	journal->spare_count = 1;
	journal->counts.disk_bytes += journal->options.segment_bytes;
	return 0;
}

int journal_recover(struct journal *journal, struct err *err)
{
	uint64_t *numbers = NULL;
	struct buffer data = { 0 };
	int count = journal_list_segments(journal->options.directory, &numbers, err);
	int result = MIN(count, 0);

	for (int i = 0; i < count && result == 0; i++) {
		if (i > 0 && numbers[i] != numbers[i - 1] + 1) {
			result = err_set(err, ERR_CORRUPT,
			                 "segment %016" PRIx64 " is missing in %s/journal",
			                 numbers[i - 1] + 1, journal->options.directory);
			break;
		}
		result = recover_segment(journal, numbers[i], &data, err);
	}
	buffer_deinit(&data);
	alloc_free(numbers);
	if (result < 0 || journal->options.segment_bytes == 0)
		return result; /* only to be read: spares are left as they are */
	count_spares(journal);
	return make_spare(journal, err);
}
