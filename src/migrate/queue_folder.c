#include "migrate/queue_folder.h"
#include "migrate/exim.h"
#include "migrate/opensmtpd.h"
#include "migrate/postfix.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_BYTES     1024
#define HEAD_BYTES_MAX (32 << 20) /* of a file, besides the content */
#define DEPTH_MAX      4

struct walk {
	const struct queue_visitor *visitor;
	size_t content_bytes_max;
	struct err *err;
};

typedef int visit_file(const struct walk *walk, const char *path, const char *name);

static bool is_hidden(const char *name)
{
	return name[0] == '.';
}

static int read_file(const char *path, size_t limit, struct buffer *data, struct err *err)
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	ssize_t count = 1;

	buffer_deinit(data);
	data->limit = limit;
	if (fd < 0)
		return err_system(err, "open");
	while (count > 0 || (count < 0 && errno == EINTR)) {
		char *room = buffer_reserve(data, 65536);

		if (!room)
			break;
		count = read(fd, room, 65536);
		data->len += count > 0 ? (size_t)count : 0;
	}
	close(fd);
	if (count < 0)
		return err_system(err, "read");
	return count > 0 ? err_set(err, ERR_TOO_LONG, "it is too large") : 0;
}

/* Hands a message on, or says why not. */
static int finish(const struct walk *walk, const char *path, const char *id, struct found *found,
                  int result, const struct err *err)
{
	if (result == 0) {
		result = walk->visitor->message(walk->visitor->arg, id, found);
	} else {
		walk->visitor->skipped(walk->visitor->arg, path, err->text);
		result = 0;
	}
	found_deinit(found);
	return result;
}

static int visit_postfix(const struct walk *walk, const char *path, const char *name)
{
	struct buffer file = { 0 };
	struct found found;
	struct err err = { 0 };
	int result;

	found_init(&found, walk->content_bytes_max);
	result = read_file(path, walk->content_bytes_max + HEAD_BYTES_MAX, &file, &err);
	if (result == 0)
		result = postfix_parse(buffer_bytes(&file), &found, &err);
	buffer_deinit(&file);
	return finish(walk, path, name, &found, result, &err);
}

static int visit_held(const struct walk *walk, const char *path, const char *name)
{
	(void)name;
	walk->visitor->skipped(walk->visitor->arg, path, "it is held");
	return 0;
}

/* ID-H; the body is beside it. */
static int visit_exim(const struct walk *walk, const char *path, const char *name)
{
	struct buffer head = { 0 }, body = { 0 };
	char body_path[PATH_BYTES], id[64];
	struct found found;
	struct err err = { 0 };
	int result;

	if (strlen(name) < 3 || strcmp(name + strlen(name) - 2, "-H") != 0)
		return 0;
	snprintf(id, sizeof id, "%.*s", (int)MIN(strlen(name) - 2, sizeof id - 1), name);
	snprintf(body_path, sizeof body_path, "%.*sD", (int)strlen(path) - 1, path);
	found_init(&found, walk->content_bytes_max);
	result = read_file(path, HEAD_BYTES_MAX, &head, &err);
	if (result == 0)
		result = read_file(body_path, walk->content_bytes_max + PATH_BYTES, &body, &err);
	if (result == 0)
		result = exim_parse(buffer_bytes(&head), buffer_bytes(&body), &found, &err);
	buffer_deinit(&head);
	buffer_deinit(&body);
	return finish(walk, path, id, &found, result, &err);
}

/* Each of the files whose names begin with the message's. */
static int add_envelopes(const struct walk *walk, const char *folder, const char *id,
                         struct found *found, struct err *err)
{
	struct dirent **entries;
	struct buffer file = { 0 };
	int count = scandir(folder, &entries, NULL, alphasort), result = 0;

	if (count < 0)
		return err_system(err, "read");
	for (int i = 0; i < count; i++) {
		char path[PATH_BYTES + 256];

		snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
		if (result == 0 && strncmp(entries[i]->d_name, id, strlen(id)) == 0) {
			result = read_file(path, HEAD_BYTES_MAX, &file, err);
			if (result == 0 && opensmtpd_add(buffer_bytes(&file), found, err) < 0) {
				walk->visitor->skipped(walk->visitor->arg, path, err->text);
				*err = (struct err){ 0 };
			}
		}
		free(entries[i]);
	}
	free(entries);
	buffer_deinit(&file);
	return result;
}

/* The file "message" stands for its folder, which bears the message's name. */
static int visit_opensmtpd(const struct walk *walk, const char *path, const char *name)
{
	char folder[PATH_BYTES];
	struct buffer content = { 0 };
	struct found found;
	struct err err = { 0 };
	const char *id;
	int result;

	if (strcmp(name, "message") != 0)
		return 0;
	snprintf(folder, sizeof folder, "%.*s", (int)(strlen(path) - strlen("/message")), path);
	id = strrchr(folder, '/');
	id = id ? id + 1 : folder;
	found_init(&found, walk->content_bytes_max);
	result = add_envelopes(walk, folder, id, &found, &err);
	if (result == 0)
		result = read_file(path, walk->content_bytes_max, &content, &err);
	if (result == 0)
		result = opensmtpd_finish(buffer_bytes(&content), &found, &err);
	buffer_deinit(&content);
	return finish(walk, path, id, &found, result, &err);
}

/* Every plain file below, in the order of their names. One that is not there has nothing. */
static int walk_files(const struct walk *walk, const char *directory, visit_file *visit, int depth)
{
	struct dirent **entries;
	int count = scandir(directory, &entries, NULL, alphasort), result = 0;

	if (count < 0)
		return errno == ENOENT || errno == ENOTDIR
		               ? 0
		               : err_system(walk->err, "read %s", directory);
	for (int i = 0; i < count; i++) {
		const char *name = entries[i]->d_name;
		char path[PATH_BYTES];
		struct stat found;
		bool is_usable = result == 0 && !is_hidden(name) &&
		                 snprintf(path, sizeof path, "%s/%s", directory, name) <
		                         (int)sizeof path &&
		                 lstat(path, &found) == 0;

		if (is_usable && S_ISDIR(found.st_mode) && depth < DEPTH_MAX)
			result = walk_files(walk, path, visit, depth + 1);
		else if (is_usable && S_ISREG(found.st_mode))
			result = visit(walk, path, name);
		free(entries[i]);
	}
	free(entries);
	return result;
}

static const struct {
	const char *system, *folder;
	visit_file *visit;
} folders[] = {
	{ "postfix", "maildrop", visit_postfix },  { "postfix", "incoming", visit_postfix },
	{ "postfix", "active", visit_postfix },    { "postfix", "deferred", visit_postfix },
	{ "postfix", "hold", visit_held },         { "exim", "input", visit_exim },
	{ "opensmtpd", "queue", visit_opensmtpd },
};

int queue_folder_walk(const char *system, const char *directory, size_t content_bytes_max,
                      const struct queue_visitor *visitor, struct err *err)
{
	struct walk walk = { visitor, content_bytes_max, err };
	int result = 0, seen = 0;

	for (size_t i = 0; i < COUNT(folders) && result == 0; i++) {
		char path[PATH_BYTES];
		struct stat found;

		if (strcmp(folders[i].system, system) != 0)
			continue;
		snprintf(path, sizeof path, "%s/%s", directory, folders[i].folder);
		seen += stat(path, &found) == 0;
		result = walk_files(&walk, path, folders[i].visit, 0);
	}
	if (result == 0 && seen == 0)
		return err_set(err, ERR_INVALID, "%s is no queue directory of %s", directory,
		               system);
	return result;
}
