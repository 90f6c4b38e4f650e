#include "serve/operation.h"
#include "base/alloc.h"
#include "base/log.h"
#include "serve/errand.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FLUSH_BYTES 65536
#define LINE_BYTES  200
#define NUMBERS_MAX 200
#define AT_ONCE     500 /* recipients changed before the keeper turns to other work */

enum direction { FORTH, BACK };

static void folder_path(const struct server *server, char out[512])
{
	snprintf(out, 512, "%.490s/operations", server->first_config->spool.directory);
}

static void file_path(const struct server *server, uint64_t number, const char *state,
                      char out[600])
{
	char folder[512];

	folder_path(server, folder);
	snprintf(out, 600, "%s/%llu.%s", folder, (unsigned long long)number, state);
}

static int by_number(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

	return left < right ? 1 : left > right ? -1 : 0;
}

/* The numbers of the files in `state`, newest first; at most `limit`. */
static size_t find_numbers(const struct server *server, const char *state, uint64_t *numbers_out,
                           size_t limit)
{
	size_t count = 0;
	char folder[512];
	DIR *dir;

	folder_path(server, folder);
	dir = opendir(folder);
	for (struct dirent *entry; dir && count < limit && (entry = readdir(dir));) {
		char *end;
		uint64_t number = strtoull(entry->d_name, &end, 10);

		if (end != entry->d_name && *end == '.' && strcmp(end + 1, state) == 0)
			numbers_out[count++] = number;
	}
	if (dir)
		closedir(dir);
	qsort(numbers_out, count, sizeof *numbers_out, by_number);
	return count;
}

static uint64_t highest_number(const struct server *server)
{
	static const char *const states[] = { "begun", "done", "undone" };
	uint64_t highest = 0, numbers[NUMBERS_MAX];

	for (size_t i = 0; i < COUNT(states); i++)
		if (find_numbers(server, states[i], numbers, COUNT(numbers)) > 0)
			highest = MAX(highest, numbers[0]);
	return highest;
}

static int sync_folder(const struct server *server, struct err *err)
{
	char folder[512];
	int fd, result = 0;

	folder_path(server, folder);
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) < 0)
		result = err_system(err, "sync %s", folder);
	if (fd >= 0)
		close(fd);
	return result;
}

struct turn {
	struct server *server;
	uint64_t number; /* 0: another one is under way */
};

/* On the keeper's thread. One operation at a time: each sets deadlines to what it has seen, and
 * more. */
static void begin_turn(void *arg, struct queue *queue, struct actions *actions)
{
	struct turn *turn = arg;
	struct server *server = turn->server;

	(void)queue;
	(void)actions;
	if (server->is_operating)
		return;
	server->is_operating = true;
	server->operation_number = MAX(server->operation_number, highest_number(server)) + 1;
	turn->number = server->operation_number;
}

static void end_turn(void *arg, struct queue *queue, struct actions *actions)
{
	struct server *server = arg;

	(void)queue;
	(void)actions;
	server->is_operating = false;
}

static int acquire_turn(struct server *server, uint64_t *number_out, struct err *err)
{
	struct turn turn = { .server = server };

	keeper_ask(server->keeper, begin_turn, &turn);
	*number_out = turn.number;
	return turn.number ? 0 : err_set(err, ERR_BUSY, "another change of deadlines is under way");
}

static void release_turn(struct server *server)
{
	keeper_ask(server->keeper, end_turn, server);
}

static int create_file(struct server *server, struct operation *operation, struct err *err)
{
	char folder[512];

	folder_path(server, folder);
	if (mkdir(folder, 0700) < 0 && errno != EEXIST)
		return err_system(err, "create %s", folder);
	file_path(server, operation->number, "begun.new", operation->path);
	operation->fd = open(operation->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	return operation->fd < 0 ? err_system(err, "create %s", operation->path) : 0;
}

int operation_begin(struct server *server, const json_t *head, struct operation *operation_out,
                    struct err *err)
{
	char *line;

	*operation_out = (struct operation){ .fd = -1 };
	if (acquire_turn(server, &operation_out->number, err) < 0)
		return err->code;
	if (create_file(server, operation_out, err) < 0) {
		release_turn(server);
		return err->code;
	}
	line = json_dumps(head, JSON_COMPACT);
	buffer_append_text(&operation_out->pending, line);
	buffer_append_char(&operation_out->pending, '\n');
	free(line);
	return 0;
}

static void flush(struct operation *operation)
{
	size_t sent = 0;

	while (!operation->err.code && sent < operation->pending.len) {
		ssize_t count = write(operation->fd, operation->pending.at + sent,
		                      operation->pending.len - sent);

		if (count < 0 && errno != EINTR)
			err_system(&operation->err, "write %s", operation->path);
		else if (count > 0)
			sent += (size_t)count;
	}
	buffer_clear(&operation->pending);
}

void operation_add(struct operation *operation, uint64_t id, uint32_t recipient, int64_t before_us,
                   int64_t after_us)
{
	char text[ID_TEXT_LENGTH + 1];

	id_format(id, text);
	buffer_printf(&operation->pending, "%s %u %lld %lld\n", text, recipient,
	              (long long)before_us, (long long)after_us);
	operation->recipients++;
	if (operation->pending.len >= FLUSH_BYTES)
		flush(operation);
}

static void drop_file(struct operation *operation)
{
	if (operation->fd >= 0) {
		close(operation->fd);
		unlink(operation->path);
	}
	buffer_deinit(&operation->pending);
	operation->fd = -1;
}

/* Carrying it out: line by line, some at once on the keeper's thread. */

struct change {
	uint64_t id;
	uint32_t recipient;
	int64_t expected_us, wanted_us;
};

struct changes {
	struct change items[AT_ONCE];
	size_t count;
	bool is_checked; /* only where nobody has changed it since */
	uint64_t made;
};

static bool is_as_expected(struct queue *queue, const struct change *change, int64_t now_us)
{
	struct arena *arena = arena_create(0);
	struct message_view view;
	bool is_so = false;

	if (queue_view_message(queue, change->id, now_us, arena, &view) &&
	    change->recipient < view.recipient_count)
		is_so = view.recipients[change->recipient].extension_us == change->expected_us;
	arena_destroy(arena);
	return is_so;
}

static void make_changes(void *arg, struct queue *queue, struct actions *actions)
{
	struct changes *changes = arg;
	int64_t now_us = clock_now_us();

	for (size_t i = 0; i < changes->count; i++) {
		const struct change *change = &changes->items[i];
		struct event event = { .kind = EVENT_COMMAND };

		if (changes->is_checked && !is_as_expected(queue, change, now_us))
			continue;
		event.command.kind = COMMAND_EXTEND;
		event.command.id = change->id;
		event.command.recipient = change->recipient;
		event.command.extension_us = change->wanted_us;
		queue_step(queue, &event, now_us, actions);
		changes->made++;
	}
}

static bool parse_line(const char *line, enum direction direction, struct change *change_out)
{
	long long before_us, after_us;
	char id[ID_TEXT_LENGTH + 1];
	unsigned recipient;

	if (sscanf(line, "%13s %u %lld %lld", id, &recipient, &before_us, &after_us) != 4 ||
	    !id_parse(bytes_of(id), &change_out->id))
		return false;
	change_out->recipient = recipient;
	change_out->expected_us = direction == FORTH ? before_us : after_us;
	change_out->wanted_us = direction == FORTH ? after_us : before_us;
	return true;
}

static int carry_out(struct server *server, const char *path, enum direction direction,
                     uint64_t *count_out, struct err *err)
{
	struct changes *changes = alloc_zeroed(sizeof *changes);
	FILE *file = fopen(path, "re");
	char line[LINE_BYTES];
	bool is_head = true, is_on_disk;

	changes->is_checked = direction == BACK;
	while (file && fgets(line, sizeof line, file)) {
		bool is_whole = strchr(line, '\n') != NULL;

		if (!is_head && parse_line(line, direction, &changes->items[changes->count]))
			changes->count++;
		is_head = is_head && !is_whole; /* the head may be longer than our buffer */
		if (changes->count == AT_ONCE) {
			keeper_ask(server->keeper, make_changes, changes);
			changes->count = 0;
		}
	}
	keeper_ask(server->keeper, make_changes, changes);
	is_on_disk = errand_sync(server->spool, keeper_mailbox(server->keeper)) == 0;
	if (count_out)
		*count_out = changes->made;
	alloc_free(changes);
	if (!file)
		return err_system(err, "read %s", path);
	fclose(file);
	return is_on_disk ? 0 : err_set(err, ERR_FULL, "the journal could not be written");
}

static int move(struct server *server, uint64_t number, const char *from, const char *to,
                struct err *err)
{
	char old_path[600], new_path[600];

	file_path(server, number, from, old_path);
	file_path(server, number, to, new_path);
	if (rename(old_path, new_path) < 0)
		return err_system(err, "rename %s", old_path);
	return sync_folder(server, err);
}

static void remove_old(struct server *server, const char *state)
{
	uint64_t numbers[NUMBERS_MAX];
	size_t count = find_numbers(server, state, numbers, COUNT(numbers));
	char path[600];

	for (size_t i = OPERATIONS_KEPT; i < count; i++) {
		file_path(server, numbers[i], state, path);
		unlink(path);
	}
}

/* All of it on disk, under the name that says so. */
static int finish_file(struct server *server, struct operation *operation, struct err *err)
{
	flush(operation);
	if (!operation->err.code && fsync(operation->fd) < 0)
		err_system(&operation->err, "sync %s", operation->path);
	if (operation->err.code) {
		*err = operation->err;
		drop_file(operation);
		return err->code;
	}
	close(operation->fd);
	operation->fd = -1;
	buffer_deinit(&operation->pending);
	return move(server, operation->number, "begun.new", "begun", err);
}

int operation_commit(struct server *server, struct operation *operation, struct err *err)
{
	int result = finish_file(server, operation, err);
	char path[600];

	/* From here on it will be done, after a crash too. */
	file_path(server, operation->number, "begun", path);
	if (result == 0)
		result = carry_out(server, path, FORTH, NULL, err);
	if (result == 0)
		result = move(server, operation->number, "begun", "done", err);
	remove_old(server, "done");
	remove_old(server, "undone");
	release_turn(server);
	return result;
}

static int undo(struct server *server, uint64_t number, uint64_t *count_out, struct err *err)
{
	uint64_t numbers[NUMBERS_MAX];
	char path[600];

	if (number == 0 && find_numbers(server, "done", numbers, COUNT(numbers)) > 0)
		number = numbers[0];
	file_path(server, number, "done", path);
	if (number == 0 || access(path, R_OK) < 0)
		return err_set(err, ERR_NOT_FOUND, "there is no operation to undo");
	if (carry_out(server, path, BACK, count_out, err) < 0)
		return err->code;
	return move(server, number, "done", "undone", err);
}

int operation_undo(struct server *server, uint64_t number, uint64_t *count_out, struct err *err)
{
	uint64_t unused;
	int result;

	if (acquire_turn(server, &unused, err) < 0)
		return err->code;
	result = undo(server, number, count_out, err);
	release_turn(server);
	return result;
}

void operation_finish_all(struct server *server)
{
	uint64_t numbers[NUMBERS_MAX];
	size_t count = find_numbers(server, "begun", numbers, COUNT(numbers));

	for (size_t i = count; i > 0; i--) {
		struct err err = { 0 };
		char path[600];

		file_path(server, numbers[i - 1], "begun", path);
		log_info("serve", "operation %llu was interrupted; it is finished now",
		         (unsigned long long)numbers[i - 1]);
		if (carry_out(server, path, FORTH, NULL, &err) < 0 ||
		    move(server, numbers[i - 1], "begun", "done", &err) < 0)
			log_error("serve", "%s", err.text);
	}
}

static void list_state(struct server *server, const char *state, json_t *list)
{
	uint64_t numbers[NUMBERS_MAX];
	size_t count = find_numbers(server, state, numbers, COUNT(numbers));

	for (size_t i = 0; i < count; i++) {
		char path[600], line[2000];
		FILE *file;
		json_t *head = NULL;

		file_path(server, numbers[i], state, path);
		file = fopen(path, "re");
		if (file && fgets(line, sizeof line, file))
			head = json_loads(line, 0, NULL);
		if (file)
			fclose(file);
		if (!json_is_object(head)) {
			json_decref(head);
			continue;
		}
		json_object_set_new(head, "number", json_integer((json_int_t)numbers[i]));
		json_object_set_new(head, "state", json_string(state));
		json_array_append_new(list, head);
	}
}

json_t *operation_list(struct server *server)
{
	json_t *list = json_array();

	list_state(server, "begun", list);
	list_state(server, "done", list);
	list_state(server, "undone", list);
	return list;
}
