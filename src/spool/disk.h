/* spool/disk.h - the few things that the journal asks of a file system, as a table, so that tests
 * can put a disk underneath that loses, tears and fails. Results are those of the system calls: -1
 * and errno on failure. */
#pragma once
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

struct disk {
	void *arg;

	/* open - an existing file for reading and writing, or a new one of `size_bytes` (> 0) with
	 * its space allocated. */
	int (*open)(void *arg, const char *path, int64_t size_bytes);
	void (*close)(void *arg, int fd);
	ssize_t (*write)(void *arg, int fd, const struct iovec *parts, int count, int64_t offset);
	ssize_t (*read)(void *arg, int fd, void *data, size_t size_bytes, int64_t offset);
	int (*sync)(void *arg, int fd);
	int (*sync_directory)(void *arg, const char *path);
	int (*rename)(void *arg, const char *from, const char *to);
	int (*remove)(void *arg, const char *path);
	int64_t (*free_bytes)(void *arg, const char *path);
};

extern const struct disk disk_real;
