/* config/syntax.h - the block language without its meaning: a tree of entries.
 *
 *   key value value;      # a comment
 *   name { key value; }
 *   name "argument" { key value; }
 *   include "more.conf";   # a file or a pattern, relative to the file it stands in
 */
#pragma once
#include "base/arena.h"
#include "config/problems.h"

#define SYNTAX_FILE_BYTES_MAX (4 * 1024 * 1024)
#define SYNTAX_FILES_MAX      1000   /* included in all */
#define SYNTAX_INCLUDES_MAX   8      /* nested */
#define SYNTAX_BLOCKS_MAX     8      /* nested */
#define SYNTAX_ENTRIES_MAX    500000 /* in all */
#define SYNTAX_VALUES_MAX     1000   /* of one entry */

struct syntax_entry {
	struct syntax_entry *next;
	const char *name;
	char **values; /* of a block: its arguments */
	int value_count;
	bool is_block;
	struct syntax_entry *children;
	struct place place;
};

/* struct syntax - one reading; zero but for the first two. The entries live in the arena. */
struct syntax {
	struct arena *arena;
	struct problems *problems;
	int file_count, entry_count;
};

/* syntax_read_file - the entries of a file and of what it includes. NULL with a problem if it
 * cannot be read; entries with problems are left out. */
struct syntax_entry *syntax_read_file(struct syntax *syntax, const char *path);

/* syntax_read_text - as syntax_read_file, of a text; includes are refused. */
struct syntax_entry *syntax_read_text(struct syntax *syntax, const char *name, struct bytes text);
