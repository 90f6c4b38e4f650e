#include "spool/disk.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/statvfs.h>
#include <unistd.h>

static int real_open(void *arg, const char *path, int64_t size_bytes)
{
	int fd, failure;

	(void)arg;
	if (size_bytes == 0)
		return open(path, O_RDWR | O_CLOEXEC);
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return -1;
	failure = posix_fallocate(fd, 0, size_bytes);
	if (failure != 0) {
		close(fd);
		unlink(path);
		errno = failure;
		return -1;
	}
	return fd;
}

static void real_close(void *arg, int fd)
{
	(void)arg;
	close(fd);
}

static ssize_t real_write(void *arg, int fd, const struct iovec *parts, int count, int64_t offset)
{
	(void)arg;
	return pwritev(fd, parts, count, offset);
}

static ssize_t real_read(void *arg, int fd, void *data, size_t size_bytes, int64_t offset)
{
	(void)arg;
	return pread(fd, data, size_bytes, offset);
}

static int real_sync(void *arg, int fd)
{
	(void)arg;
	return fdatasync(fd);
}

static int real_sync_directory(void *arg, const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), result;

	(void)arg;
	if (fd < 0)
		return -1;
	result = fsync(fd);
	close(fd);
	return result;
}

static int real_rename(void *arg, const char *from, const char *to)
{
	(void)arg;
	return rename(from, to);
}

static int real_remove(void *arg, const char *path)
{
	(void)arg;
	return unlink(path);
}

static int64_t real_free_bytes(void *arg, const char *path)
{
	struct statvfs status;

	(void)arg;
	if (statvfs(path, &status) < 0)
		return -1;
	return (int64_t)status.f_bavail * (int64_t)status.f_frsize;
}

const struct disk disk_real = {
	.open = real_open,
	.close = real_close,
	.write = real_write,
	.read = real_read,
	.sync = real_sync,
	.sync_directory = real_sync_directory,
	.rename = real_rename,
	.remove = real_remove,
	.free_bytes = real_free_bytes,
};
