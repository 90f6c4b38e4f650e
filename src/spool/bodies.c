#include "spool/bodies.h"
#include "base/alloc.h"
#include "base/hash.h"
#include "base/log.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct body_file {
	struct hash_node by_id;
	uint64_t id;
	char *path;
};

struct bodies {
	char *directory; /* of the files */
	struct hash by_id;
};

struct bodies *bodies_create(const char *directory)
{
	struct bodies *bodies = alloc_zeroed(sizeof *bodies);

	if (asprintf(&bodies->directory, "%s/bodies", directory) < 0)
		abort();
	return bodies;
}

static struct body_file *find(const struct bodies *bodies, uint64_t id)
{
	HASH_EACH_MATCH (node, &bodies->by_id, id)
		return CONTAINER_OF(node, struct body_file, by_id);
	return NULL;
}

void bodies_add(struct bodies *bodies, uint64_t id, const char *path)
{
	struct body_file *file;

	if (find(bodies, id))
		return;
	file = alloc_zeroed(sizeof *file);
	file->id = id;
	file->path = strdup(path);
	hash_insert(&bodies->by_id, &file->by_id, id);
}

static void forget(struct bodies *bodies, struct body_file *file)
{
	hash_remove(&bodies->by_id, &file->by_id);
	free(file->path);
	alloc_free(file);
}

void bodies_remove(struct bodies *bodies, uint64_t id)
{
	struct body_file *file = find(bodies, id);

	if (!file)
		return;
	if (unlink(file->path) < 0 && errno != ENOENT)
		log_error("spool", "remove %s: %s", file->path, strerror(errno));
	forget(bodies, file);
}

void bodies_destroy(struct bodies *bodies)
{
	if (!bodies)
		return;
	for (struct hash_node *node; (node = hash_each(&bodies->by_id, NULL));)
		forget(bodies, CONTAINER_OF(node, struct body_file, by_id));
	hash_deinit(&bodies->by_id);
	free(bodies->directory);
	alloc_free(bodies);
}

static bool is_known(const struct bodies *bodies, const char *path)
{
	HASH_EACH (node, &bodies->by_id)
		if (strcmp(CONTAINER_OF(node, struct body_file, by_id)->path, path) == 0)
			return true;
	return false;
}

void bodies_remove_strays(struct bodies *bodies)
{
	DIR *dir = opendir(bodies->directory);
	struct dirent *entry;
	char path[512];

	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof path, "%.400s/%.100s", bodies->directory, entry->d_name);
		if (!is_known(bodies, path) && unlink(path) == 0)
			log_info("spool", "removed %s, which no message names", path);
	}
	if (dir)
		closedir(dir);
}

int bodies_create_file(struct bodies *bodies, char path_out[512], int *fd_out, struct err *err)
{
	snprintf(path_out, 512, "%.400s/body-XXXXXX", bodies->directory);
	*fd_out = mkostemp(path_out, O_CLOEXEC);
	if (*fd_out >= 0)
		return 0;
	err_system(err, "create %s", path_out);
	return errno == ENOSPC ? ERR_FULL : ERR_SYSTEM;
}

int bodies_sync_file(struct bodies *bodies, int fd, struct err *err)
{
	int directory_fd;

	if (fsync(fd) < 0)
		return err_system(err, "sync a body file in %s", bodies->directory);
	directory_fd = open(bodies->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (directory_fd < 0 || fsync(directory_fd) < 0) {
		err_system(err, "sync directory %s", bodies->directory);
		if (directory_fd >= 0)
			close(directory_fd);
		return ERR_SYSTEM;
	}
	close(directory_fd);
	return 0;
}

int bodies_read_headers(struct message *message, struct err *err)
{
	int fd = open(message->body.path, O_RDONLY | O_CLOEXEC);
	char *data;
	ssize_t count;

	if (fd < 0)
		return err_system(err, "open %s", message->body.path);
	data = arena_alloc(message->arena, message->header_bytes + 1);
	count = pread(fd, data, message->header_bytes, 0);
	close(fd);
	if (count != (ssize_t)message->header_bytes)
		return err_set(err, ERR_CORRUPT, "%s is shorter than its header section",
		               message->body.path);
	message->body.data = (struct bytes){ data, message->header_bytes };
	return 0;
}
