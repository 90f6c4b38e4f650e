/* The drop folder: who may do what in it, and what is never taken out of it. */
#include "base/units.h"
#include "drop/folder.h"
#include "support/check.h"
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define NOW_US ((int64_t)time(NULL) * US_PER_SECOND)

static char directory[60];

static void begin(void)
{
	strcpy(directory, "/tmp/outlast-drop-XXXXXX");
	assert_non_null(mkdtemp(directory));
	assert_int_equal(drop_folder_create(directory, NULL), 0);
}

static void end(void)
{
	char command[100];

	snprintf(command, sizeof command, "rm -rf %s", directory);
	assert_int_equal(system(command), 0);
}

static const char *path_of(const char *name)
{
	static char path[200];

	snprintf(path, sizeof path, "%s/%s", directory, name);
	return path;
}

static int list(struct drop_file *files_out, int capacity)
{
	struct drop_folder *folder;
	int count;

	assert_int_equal(drop_folder_open(directory, &folder, NULL), 0);
	count = drop_folder_list(folder, NOW_US, files_out, capacity, NULL);
	drop_folder_close(folder);
	return count;
}

static void test_put_and_take(void)
{
	struct drop_folder *folder;
	struct drop_file file;
	struct buffer data = { 0 };
	struct stat found;

	begin();
	CHECK_INT("put", drop_folder_put(directory, bytes_of("mail"), 0, NULL), 0);
	CHECK_INT("one", list(&file, 1), 1);
	CHECK_INT("its user", file.user, geteuid());
	assert_int_equal(stat(path_of(file.name), &found), 0);
	CHECK_INT("nobody else reads it", found.st_mode & 07777, 0640);
	assert_int_equal(stat(directory, &found), 0);
	CHECK_INT("all may put, none take another's", found.st_mode & 07777, 03777);
	assert_int_equal(drop_folder_open(directory, &folder, NULL), 0);
	CHECK_INT("read", drop_folder_read(folder, &file, &data, NULL), 0);
	CHECK_BYTES("content", buffer_bytes(&data), bytes_of("mail"));
	data.limit = 3;
	buffer_deinit(&data);
	CHECK_INT("too large", drop_folder_read(folder, &file, &data, NULL), ERR_TOO_LONG);
	CHECK_INT("remove", drop_folder_remove(folder, &file, NULL), 0);
	CHECK_INT("none", list(&file, 1), 0);
	CHECK_INT("gone", drop_folder_read(folder, &file, &data, NULL), ERR_NOT_FOUND);
	buffer_deinit(&data);
	drop_folder_close(folder);
	end();
}

static void test_strange_files(void)
{
	static const char *const names[] = { "link.drop", "pipe.drop", "two.drop", "dir.drop" };
	struct drop_folder *folder;
	struct drop_file file;
	struct buffer data = { 0 };

	begin();
	assert_int_equal(symlink("/etc/passwd", path_of("link.drop")), 0);
	assert_int_equal(mkfifo(path_of("pipe.drop"), 0640), 0);
	assert_int_equal(mkdir(path_of("dir.drop"), 0700), 0);
	close(open(path_of("two.drop"), O_CREAT | O_WRONLY, 0600));
	{
		char other[200];

		strcpy(other, path_of("other"));
		assert_int_equal(link(path_of("two.drop"), other), 0);
	}
	assert_int_equal(drop_folder_open(directory, &folder, NULL), 0);
	for (size_t i = 0; i < COUNT(names); i++) {
		strcpy(file.name, names[i]);
		file.user = geteuid();
		CHECK_INT(names[i], drop_folder_read(folder, &file, &data, NULL), ERR_INVALID);
		CHECK_INT(names[i], drop_folder_set_aside(folder, &file, NULL), 0);
		CHECK_TRUE(names[i], access(path_of(names[i]), F_OK) < 0);
	}
	buffer_deinit(&data);
	drop_folder_close(folder);
	end();
}

/* What was not renamed yet is nobody's; an hour later it is rubbish. */
static void test_unfinished(void)
{
	struct drop_file file;
	struct drop_folder *folder;

	begin();
	close(open(path_of("1.new"), O_CREAT | O_WRONLY, 0600));
	CHECK_INT("not taken", list(&file, 1), 0);
	CHECK_INT("still there", access(path_of("1.new"), F_OK), 0);
	assert_int_equal(drop_folder_open(directory, &folder, NULL), 0);
	CHECK_INT("later", drop_folder_list(folder, NOW_US + 2 * US_PER_HOUR, &file, 1, NULL), 0);
	CHECK_TRUE("removed", access(path_of("1.new"), F_OK) < 0);
	drop_folder_close(folder);
	end();
}

static void test_limits(void)
{
	struct drop_file files[8];
	struct err err = { 0 };
	char name[40];

	begin();
	CHECK_INT("no room", drop_folder_put(directory, bytes_of("mail"), INT64_MAX / 2, &err),
	          ERR_FULL);
	if (geteuid() == 0)
		assert_int_equal(seteuid(65534), 0); /* root may do more */
	for (int i = 0; i < DROP_FILES_PER_USER; i++) {
		snprintf(name, sizeof name, "%d.drop", i);
		close(open(path_of(name), O_CREAT | O_WRONLY, 0600));
	}
	CHECK_INT("too many", drop_folder_put(directory, bytes_of("mail"), 0, &err), ERR_FULL);
	assert_int_equal(seteuid(getuid()), 0);
	CHECK_INT("a quarter for each", list(files, 8), 2);
	end();
}

TEST_MAIN(test_put_and_take, test_strange_files, test_unfinished, test_limits)
