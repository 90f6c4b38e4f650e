#include "base/buffer.h"
#include "config/config.h"
#include "support/check.h"
#include <ftw.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char directory[] = "/tmp/outlast-config-XXXXXX";

static const char *path_of(const char *name)
{
	static char path[200];

	snprintf(path, sizeof path, "%s/%s", directory, name);
	return path;
}

static void write_file(const char *name, const char *text)
{
	FILE *file = fopen(path_of(name), "w");

	CHECK_TRUE(name, file != NULL);
	fputs(text, file);
	fclose(file);
}

/* Loads `main` with this text; the problems without the name of the directory. */
static struct config *load(const char *text, struct buffer *problems)
{
	struct buffer all = { 0 };
	struct config *config = NULL;
	struct bytes rest, name = bytes_of(directory);
	ptrdiff_t at;

	write_file("main", text);
	config_load(path_of("main"), &config, &all);
	buffer_clear(problems);
	for (rest = buffer_bytes(&all); (at = bytes_find(rest, name)) >= 0;
	     rest = bytes_from(rest, (size_t)at + name.len + 1))
		buffer_append(problems, bytes_first(rest, (size_t)at));
	buffer_append(problems, rest);
	buffer_deinit(&all);
	return config;
}

static void test_includes(void)
{
	struct buffer problems = { 0 };
	struct config *config;

	mkdir(path_of("conf.d"), 0700);
	write_file("conf.d/20.conf", "receive { connections 5; }\n");
	write_file("conf.d/10.conf", "receive { hops 50; }\ninclude \"more/x\";\n");
	write_file("conf.d/ignored", "bad;");
	mkdir(path_of("conf.d/more"), 0700);
	write_file("conf.d/more/x", "workers 9;");
	write_file("inner", "lifetime 1h;");
	config = load("include \"conf.d/*.conf\";\ndefaults { include inner; }\n"
	              "include \"none/*.conf\";\nnode 7;\n",
	              &problems);
	CHECK_BYTES("no problems", buffer_bytes(&problems), bytes_of(""));
	CHECK_INT("a pattern", config->receive.connections, 5);
	CHECK_INT("relative to the including file", config->workers, 9);
	CHECK_TRUE("in a block", config->defaults.lifetime_us == 3600000000);
	CHECK_INT("behind it", config->node, 7);
	config_release(config);
	buffer_deinit(&problems);
}

static void test_problems(void)
{
	static const struct {
		const char *name, *main, *other, *problems;
	} rows[] = {
		{ "not there", "\ninclude missing;", "",
		  "main:2: cannot read missing: No such file or directory\n" },
		{ "a directory", "include .;", "", "main:1: cannot read .: Is a directory\n" },
		{ "a mistake in another file", "include other;\n", "\nworkers x;",
		  "other:2: workers: 'x' is not a number\n" },
		{ "set in both", "workers 1;\ninclude other;\n", "workers 2;",
		  "other:1: workers: already set at main:1\n" },
		{ "a block ends in its file", "receive { include other;\n}", "}",
		  "other:1: '}' without a block\n" },
		{ "itself", "include other;", "include other;",
		  "other:1: include: more than 8 deep: does a file include itself?\n" },
		{ "two names", "include a b;", "",
		  "main:1: include: takes one file name or pattern\n" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buffer problems = { 0 };

		write_file("other", rows[i].other);
		CHECK_TRUE(rows[i].name, load(rows[i].main, &problems) == NULL);
		CHECK_BYTES(rows[i].name, buffer_bytes(&problems), bytes_of(rows[i].problems));
		buffer_deinit(&problems);
	}
}

static void test_many_files(void)
{
	struct buffer problems = { 0 };

	write_file("other", "include \"othe[r]\";\ninclude \"othe[r]\";\ninclude \"othe[r]\";\n"
	                    "include \"othe[r]\";\n");
	CHECK_TRUE("refused", load("include other;", &problems) == NULL);
	CHECK_TRUE("is said", bytes_find(buffer_bytes(&problems),
	                                 bytes_of("more problems are not shown")) >= 0);
	buffer_deinit(&problems);
}

static void test_unreadable(void)
{
	struct buffer problems = { 0 };
	struct config *config = NULL;

	CHECK_INT("result", config_load("/nowhere/x", &config, &problems), ERR_SYSTEM);
	CHECK_BYTES("says", buffer_bytes(&problems),
	            bytes_of("/nowhere/x: cannot read it: No such file or directory\n"));
	buffer_deinit(&problems);
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *where)
{
	(void)status;
	(void)kind;
	(void)where;
	return remove(path);
}

static void test_begin(void)
{
	CHECK_TRUE("directory", mkdtemp(directory) != NULL);
}

static void test_end(void)
{
	CHECK_INT("removed", nftw(directory, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

TEST_MAIN(test_begin, test_includes, test_problems, test_many_files, test_unreadable, test_end)
