/* config/value.h - one value between its text and its place in a struct. */
#pragma once
#include "base/arena.h"
#include "base/buffer.h"
#include "config/schema.h"

/* struct value_texts - what stands behind a key. */
struct value_texts {
	char *const *items; /* owned by the arena */
	int count;
};

/* value_parse - stores the value in `block` (the struct of the key's block). False if it is wrong:
 * then `wrong` says why and `block` is unchanged. */
bool value_parse(const struct schema_key *key, struct value_texts texts, struct arena *arena,
                 void *block, struct buffer *wrong);

/* value_format - the value as it would be written in a file, quoted where needed. */
void value_format(const struct schema_key *key, const void *block, struct buffer *out);

/* value_copy - takes over the value of another struct of the same block; texts stay shared. */
void value_copy(const struct schema_key *key, void *to, const void *from);

/* value_format_exact - a NUMBER, SIZE or DURATION of this type, without rounding: "1h30m". */
void value_format_exact(enum schema_type type, int64_t value, struct buffer *out);
