#include "serve/pickup.h"
#include "base/alloc.h"
#include "base/log.h"
#include "base/units.h"
#include "drop/drop.h"
#include "drop/folder.h"
#include "serve/errand.h"
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#define FILES_AT_ONCE 400
#define WAIT_MS       10000 /* for what inotify does not tell of, and when the spool was full */

struct pickup {
	struct server *server;
	const struct config *config; /* the first one: the folder does not change */
	struct drop_folder *folder;
	struct drop_file files[FILES_AT_ONCE];
	struct buffer data;
	pthread_t thread;
	int watch_fd, stop_fd;
	bool is_stuck; /* a file that was taken cannot be removed: it must not be taken again */
};

/* Who brought it stands in the Received field: the file's owner, which nobody can feign. */
static void seal(const struct pickup *pickup, const struct drop_file *file, struct message *message)
{
	struct buffer field = { 0 };
	char id[ID_TEXT_LENGTH + 1], client[40];

	message->id = keeper_new_id(pickup->server->keeper);
	id_format(message->id, id);
	snprintf(client, sizeof client, "user %u", (unsigned)file->user);
	message->client = arena_copy(message->arena, bytes_of(client));
	buffer_printf(&field, "Received: by %s (Outlast, from %s) id %s;\r\n\t",
	              pickup->config->hostname, client, id);
	date_format_mail(&field, clock_now_us());
	buffer_append_text(&field, "\r\n");
	drop_seal(message, buffer_bytes(&field));
	buffer_deinit(&field);
}

static int write_all(int fd, struct bytes data, const char *path, struct err *err)
{
	while (data.len > 0) {
		ssize_t count = write(fd, data.at, data.len);

		if (count < 0 && errno != EINTR)
			return err_system(err, "write %s", path);
		data = bytes_from(data, count > 0 ? (size_t)count : 0);
	}
	return 0;
}

/* Large content goes to a file of the spool, as it does when it comes over SMTP. */
static int move_to_file(const struct pickup *pickup, struct message *message, struct err *err)
{
	struct spool *spool = pickup->server->spool;
	char path[512];
	int fd, result;

	if (message->body.size_bytes <= pickup->config->receive.memory_message_bytes)
		return 0;
	if (spool_body_file(spool, path, &fd, err) < 0)
		return err->code;
	result = write_all(fd, message->body.data, path, err);
	if (result == 0)
		result = spool_body_sync(spool, fd, err);
	close(fd);
	if (result < 0) {
		unlink(path);
		return result;
	}
	message->body.path = (char *)(uintptr_t)arena_copy(message->arena, bytes_of(path)).at;
	message->body.data = bytes_of(NULL);
	return 0;
}

/* The reference is handed over. */
static int keep(const struct pickup *pickup, struct message *message, struct err *err)
{
	struct server *server = pickup->server;
	int result = move_to_file(pickup, message, err);

	if (result == 0)
		result = errand_put(server->spool, keeper_mailbox(server->keeper), message, err);
	if (result == 0) {
		keeper_post_added(server->keeper, message);
		return 0;
	}
	if (message->body.path)
		unlink(message->body.path);
	message_release(message);
	return result;
}

/* ERR_INVALID and ERR_TOO_LONG: it can never be taken. */
static int take(struct pickup *pickup, const struct drop_file *file, struct err *err)
{
	struct message *message;
	int result;

	if (!spool_has_room(pickup->server->spool))
		return err_set(err, ERR_FULL, "no room on the spool's disk");
	result = drop_folder_read(pickup->folder, file, &pickup->data, err);
	if (result == 0)
		result = drop_decode(buffer_bytes(&pickup->data), &pickup->config->receive,
		                     clock_now_us(), &message, err);
	if (result < 0)
		return result;
	seal(pickup, file, message);
	if (keep(pickup, message, err) < 0)
		return err->code == ERR_FULL ? ERR_FULL : ERR_SYSTEM;
	pickup->is_stuck = drop_folder_remove(pickup->folder, file, err) < 0;
	return pickup->is_stuck ? ERR_SYSTEM : 0;
}

/* A bad file is set aside; anything else is our own trouble, and everything waits. */
static int take_or_set_aside(struct pickup *pickup, const struct drop_file *file)
{
	struct err err = { 0 };
	int result = take(pickup, file, &err);

	if (result == 0 || result == ERR_NOT_FOUND)
		return 0;
	if (result != ERR_INVALID && result != ERR_TOO_LONG) {
		log_error("serve", "mail waits in the drop folder: %s", err.text);
		return result;
	}
	log_error("serve", "%s of user %u in the drop folder is refused: %s", file->name,
	          (unsigned)file->user, err.text);
	result = drop_folder_set_aside(pickup->folder, file, &err);
	if (result < 0)
		log_error("serve", "%s", err.text);
	return result;
}

/* True if there may be more at once. */
static bool take_some(struct pickup *pickup)
{
	struct err err = { 0 };
	int count = pickup->is_stuck ? 0
	                             : drop_folder_list(pickup->folder, clock_now_us(),
	                                                pickup->files, FILES_AT_ONCE, &err);

	if (count < 0)
		log_error("serve", "%s", err.text);
	for (int i = 0; i < count; i++)
		if (take_or_set_aside(pickup, &pickup->files[i]) < 0)
			return false;
	buffer_deinit(&pickup->data);
	pickup->data.limit = (size_t)pickup->config->receive.message_size_bytes +
	                     DROP_HEAD_BYTES_MAX;
	return count > 0;
}

static bool is_stopping(const struct pickup *pickup, int wait_ms)
{
	struct pollfd fds[] = { { .fd = pickup->stop_fd, .events = POLLIN },
		                { .fd = pickup->watch_fd, .events = POLLIN } };
	char events[4096];

	poll(fds, COUNT(fds), wait_ms);
	if (fds[1].revents && read(pickup->watch_fd, events, sizeof events) < 0)
		log_debug("serve", "inotify: %s", strerror(errno));
	return fds[0].revents != 0;
}

static void *run(void *arg)
{
	struct pickup *pickup = arg;
	bool has_more = true;

	while (!is_stopping(pickup, has_more ? 0 : WAIT_MS))
		has_more = take_some(pickup);
	return NULL;
}

static int open_all(struct pickup *pickup, struct err *err)
{
	const char *directory = pickup->config->drop.directory;

	if (drop_folder_create(directory, err) < 0 ||
	    drop_folder_open(directory, &pickup->folder, err) < 0)
		return err->code;
	pickup->stop_fd = eventfd(0, EFD_CLOEXEC);
	pickup->watch_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (pickup->stop_fd < 0 || pickup->watch_fd < 0 ||
	    inotify_add_watch(pickup->watch_fd, directory, IN_MOVED_TO) < 0)
		return err_system(err, "watch %s", directory);
	errno = pthread_create(&pickup->thread, NULL, run, pickup);
	return errno ? err_system(err, "the thread of the drop folder") : 0;
}

static void destroy(struct pickup *pickup)
{
	if (pickup->watch_fd >= 0)
		close(pickup->watch_fd);
	if (pickup->stop_fd >= 0)
		close(pickup->stop_fd);
	drop_folder_close(pickup->folder);
	buffer_deinit(&pickup->data);
	config_release(pickup->config);
	alloc_free(pickup);
}

int pickup_start(struct server *server, struct pickup **pickup_out, struct err *err)
{
	struct pickup *pickup;

	*pickup_out = NULL;
	if (!*server->config->drop.directory)
		return 0;
	pickup = alloc_zeroed(sizeof *pickup);
	pickup->server = server;
	pickup->config = config_acquire(server->config);
	pickup->watch_fd = pickup->stop_fd = -1;
	pickup->data.limit = (size_t)pickup->config->receive.message_size_bytes +
	                     DROP_HEAD_BYTES_MAX;
	if (open_all(pickup, err) < 0) {
		destroy(pickup);
		return err->code;
	}
	*pickup_out = pickup;
	return 0;
}

void pickup_stop(struct pickup *pickup)
{
	if (!pickup)
		return;
	eventfd_write(pickup->stop_fd, 1);
	pthread_join(pickup->thread, NULL);
	destroy(pickup);
}
