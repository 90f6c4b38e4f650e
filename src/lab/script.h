/* lab/script.h - the text of a world: statements of words, each ended by ";" or by a block of
 * statements in braces. "#" begins a comment; "..." is one word, with \" \\ and \n (CRLF). Pure. */
#pragma once
#include "base/arena.h"
#include "base/err.h"

#define SCRIPT_WORDS_MAX 900 /* in one statement */
#define SCRIPT_DEPTH_MAX 4

struct statement {
	struct statement *next, *block; /* block: the first one inside; NULL if empty or none */
	char **words;
	int word_count, line;
	bool has_block;
};

/* script_parse - reads a whole text. Everything lives in `arena`. ERR_INVALID says "name:line:
 * what". An empty text gives NULL. */
int script_parse(const char *name, struct bytes text, struct arena *arena,
                 struct statement **first_out, struct err *err);
