#include "drop/folder.h"
#include "base/alloc.h"
#include "base/random.h"
#include "base/units.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define SUFFIX         ".drop"
#define SUFFIX_PARTIAL ".new"
#define REFUSED        "refused"
#define REFUSED_MAX    1000
#define PARTIAL_US     US_PER_HOUR
#define FOLDER_MODE    03777

struct drop_folder {
	char *path;
	int fd, refused_fd;
};

static bool has_suffix(const char *name, const char *suffix)
{
	size_t length = strlen(name), tail = strlen(suffix);

	return length > tail && strcmp(name + length - tail, suffix) == 0;
}

int drop_folder_create(const char *directory, struct err *err)
{
	struct stat found;

	if (mkdir(directory, 0700) < 0 && errno != EEXIST)
		return err_system(err, "create %s", directory);
	if (stat(directory, &found) < 0)
		return err_system(err, "look at %s", directory);
	if (found.st_uid == geteuid() && (found.st_mode & 07777) != FOLDER_MODE &&
	    chmod(directory, FOLDER_MODE) < 0)
		return err_system(err, "set the mode of %s", directory);
	return 0;
}

/* The files of `user` that wait; what vanishes meanwhile does not count. */
static int count_files(int directory_fd, uid_t user)
{
	int copy = openat(directory_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), count = 0;
	DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	struct stat found;

	if (!dir)
		return 0;
	for (struct dirent *entry; (entry = readdir(dir));)
		if (has_suffix(entry->d_name, SUFFIX) &&
		    fstatat(directory_fd, entry->d_name, &found, AT_SYMLINK_NOFOLLOW) == 0 &&
		    found.st_uid == user)
			count++;
	closedir(dir);
	return count;
}

static int check_room(int directory_fd, const char *directory, int64_t needed_bytes,
                      struct err *err)
{
	struct statvfs disk;

	if (fstatvfs(directory_fd, &disk) == 0 &&
	    (int64_t)disk.f_bavail * (int64_t)disk.f_frsize < needed_bytes)
		return err_set(err, ERR_FULL, "no room in %s", directory);
	if (geteuid() != 0 && count_files(directory_fd, geteuid()) >= DROP_FILES_PER_USER)
		return err_set(err, ERR_FULL, "%d of your messages wait in %s already",
		               DROP_FILES_PER_USER, directory);
	return 0;
}

static int write_all(int fd, struct bytes data)
{
	while (data.len > 0) {
		ssize_t count = write(fd, data.at, data.len);

		if (count < 0 && errno != EINTR)
			return -1;
		data = bytes_from(data, count > 0 ? (size_t)count : 0);
	}
	return fsync(fd);
}

/* Under a name that is not looked at; 0640, since the folder gives it the relay's group. */
static int write_partial(int directory_fd, const char *name, struct bytes file)
{
	int fd = openat(directory_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
	                0640);
	int result;

	if (fd < 0)
		return -1;
	result = fchmod(fd, 0640) < 0 ? -1 : write_all(fd, file);
	if (close(fd) < 0)
		result = -1;
	return result;
}

static int put(int directory_fd, const char *directory, struct bytes file, struct err *err)
{
	uint64_t number = random_entropy();
	char partial[64], final[64];

	snprintf(partial, sizeof partial, "%016llx" SUFFIX_PARTIAL, (unsigned long long)number);
	snprintf(final, sizeof final, "%016llx" SUFFIX, (unsigned long long)number);
	if (write_partial(directory_fd, partial, file) < 0) {
		err_system(err, "write %s/%s", directory, partial);
		unlinkat(directory_fd, partial, 0);
		return err->code;
	}
	if (renameat(directory_fd, partial, directory_fd, final) < 0) {
		err_system(err, "rename %s/%s", directory, partial);
		unlinkat(directory_fd, partial, 0);
		return err->code;
	}
	if (fsync(directory_fd) == 0)
		return 0;
	err_system(err, "sync %s", directory);
	/* The relay may have taken it already: then it is safe. */
	return unlinkat(directory_fd, final, 0) < 0 && errno == ENOENT ? 0 : err->code;
}

int drop_folder_put(const char *directory, struct bytes file, int64_t reserve_bytes,
                    struct err *err)
{
	int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int result;

	if (fd < 0)
		return err_system(err, "open the drop folder %s", directory);
	result = check_room(fd, directory, (int64_t)file.len + reserve_bytes, err);
	if (result == 0)
		result = put(fd, directory, file, err);
	close(fd);
	return result;
}

int drop_folder_open(const char *directory, struct drop_folder **folder_out, struct err *err)
{
	struct drop_folder *folder = alloc_zeroed(sizeof *folder);

	folder->path = strdup(directory);
	folder->refused_fd = -1;
	folder->fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder->fd < 0) {
		err_system(err, "open the drop folder %s", directory);
		drop_folder_close(folder);
		return err->code;
	}
	*folder_out = folder;
	return 0;
}

void drop_folder_close(struct drop_folder *folder)
{
	if (!folder)
		return;
	if (folder->fd >= 0)
		close(folder->fd);
	if (folder->refused_fd >= 0)
		close(folder->refused_fd);
	free(folder->path);
	alloc_free(folder);
}

static int64_t modified_us(const struct stat *found)
{
	return (int64_t)found->st_mtim.tv_sec * US_PER_SECOND + found->st_mtim.tv_nsec / 1000;
}

static int count_of(const struct drop_file *files, int count, uid_t user)
{
	int found = 0;

	for (int i = 0; i < count; i++)
		found += files[i].user == user;
	return found;
}

/* Whether it is one to be taken; sets whose it is. What a writer left unfinished goes. */
static bool look_at(const struct drop_folder *folder, const char *name, int64_t now_us,
                    struct drop_file *file_out)
{
	bool is_partial = has_suffix(name, SUFFIX_PARTIAL);
	struct stat found;

	if ((!is_partial && !has_suffix(name, SUFFIX)) || strlen(name) >= sizeof file_out->name ||
	    fstatat(folder->fd, name, &found, AT_SYMLINK_NOFOLLOW) < 0)
		return false;
	if (is_partial) {
		if (modified_us(&found) < now_us - PARTIAL_US)
			unlinkat(folder->fd, name, 0);
		return false;
	}
	file_out->user = found.st_uid;
	strcpy(file_out->name, name);
	return true;
}

int drop_folder_list(struct drop_folder *folder, int64_t now_us, struct drop_file *files_out,
                     int capacity, struct err *err)
{
	int copy = openat(folder->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), count = 0;
	DIR *dir = copy < 0 ? NULL : fdopendir(copy);

	if (!dir)
		return err_system(err, "read the drop folder %s", folder->path);
	for (struct dirent *entry; count < capacity && (entry = readdir(dir));) {
		struct drop_file file;

		if (look_at(folder, entry->d_name, now_us, &file) &&
		    count_of(files_out, count, file.user) < MAX(1, capacity / 4))
			files_out[count++] = file;
	}
	closedir(dir);
	return count;
}

static int read_all(int fd, struct buffer *data)
{
	for (;;) {
		char *room = buffer_reserve(data, 65536);
		ssize_t count;

		if (!room)
			return ERR_TOO_LONG;
		count = read(fd, room, 65536);
		if (count < 0 && errno != EINTR)
			return ERR_SYSTEM;
		if (count == 0)
			return 0;
		data->len += count > 0 ? (size_t)count : 0;
	}
}

int drop_folder_read(struct drop_folder *folder, const struct drop_file *file, struct buffer *data,
                     struct err *err)
{
	/* It may be anything by now, a pipe or a link too. */
	int fd = openat(folder->fd, file->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat found;
	int result;

	buffer_clear(data);
	if (fd < 0 && errno == ENOENT)
		return err_set(err, ERR_NOT_FOUND, "%s is gone", file->name);
	if (fd < 0 && errno != ELOOP && errno != ENXIO && errno != EACCES)
		return err_system(err, "open %s/%s", folder->path, file->name);
	if (fd < 0 || fstat(fd, &found) < 0 || !S_ISREG(found.st_mode) || found.st_nlink != 1 ||
	    found.st_uid != file->user) {
		if (fd >= 0)
			close(fd);
		return err_set(err, ERR_INVALID, "it is no plain file, or cannot be read");
	}
	result = read_all(fd, data);
	if (result == ERR_SYSTEM)
		err_system(err, "read %s/%s", folder->path, file->name);
	else if (result < 0)
		err_set(err, ERR_TOO_LONG, "it is too large");
	close(fd);
	return result;
}

int drop_folder_remove(struct drop_folder *folder, const struct drop_file *file, struct err *err)
{
	if (unlinkat(folder->fd, file->name, 0) < 0 && errno != ENOENT)
		return err_system(err, "remove %s/%s", folder->path, file->name);
	return 0;
}

static int open_refused(struct drop_folder *folder, struct err *err)
{
	if (folder->refused_fd >= 0)
		return 0;
	if (mkdirat(folder->fd, REFUSED, 0700) < 0 && errno != EEXIST)
		return err_system(err, "create %s/" REFUSED, folder->path);
	folder->refused_fd = openat(folder->fd, REFUSED,
	                            O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return folder->refused_fd < 0 ? err_system(err, "open %s/" REFUSED, folder->path) : 0;
}

static int count_entries(int directory_fd)
{
	int copy = openat(directory_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), count = 0;
	DIR *dir = copy < 0 ? NULL : fdopendir(copy);

	while (dir && readdir(dir))
		count++;
	if (dir)
		closedir(dir);
	return count - 2;
}

int drop_folder_set_aside(struct drop_folder *folder, const struct drop_file *file, struct err *err)
{
	if (open_refused(folder, err) < 0)
		return err->code;
	if (count_entries(folder->refused_fd) >= REFUSED_MAX)
		return drop_folder_remove(folder, file, err);
	if (renameat(folder->fd, file->name, folder->refused_fd, file->name) < 0)
		return err_system(err, "set aside %s/%s", folder->path, file->name);
	return 0;
}
