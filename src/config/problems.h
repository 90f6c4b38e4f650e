/* config/problems.h - what is wrong with a configuration: one line each, "file:line: key: text". */
#pragma once
#include "base/buffer.h"

#define PROBLEMS_MAX 20

struct place {
	const char *file; /* lives as long as what was read from it */
	int line;         /* 0: the file as a whole */
};

struct problems {
	struct buffer *out;
	int count; /* found; only the first PROBLEMS_MAX are written */
};

/* problems_add - `key` may be "" if the problem belongs to no key. */
void problems_add(struct problems *problems, struct place place, const char *key,
                  const char *format, ...) PRINTF_LIKE(4, 5);
