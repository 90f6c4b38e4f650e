/* base/bytes.h - a borrowed run of bytes: pointer and length, not terminated, never owned.
 * Functions on it are pure and take any content, NUL included. Case means ASCII case only. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bytes {
	const char *at;
	size_t len;
};

/* For printf: `printf("%.*s", BYTES_FORMAT(name))`. */
#define BYTES_FORMAT(b)     (int)(b).len, (b).at ? (b).at : ""
#define BYTES_LITERAL(text) ((struct bytes){ "" text, sizeof(text) - 1 })

struct bytes bytes_of(const char *text); /* of a C string; NULL is empty */
bool bytes_equal(struct bytes a, struct bytes b);
bool bytes_equal_nocase(struct bytes a, struct bytes b);
int bytes_compare(struct bytes a, struct bytes b); /* as memcmp, shorter first */
bool bytes_starts_with(struct bytes in, struct bytes prefix);
bool bytes_starts_with_nocase(struct bytes in, struct bytes prefix);
bool bytes_ends_with_nocase(struct bytes in, struct bytes suffix);

/* Position of the first (last) occurrence, or -1. */
ptrdiff_t bytes_find_char(struct bytes in, char c);
ptrdiff_t bytes_find_last_char(struct bytes in, char c);
ptrdiff_t bytes_find(struct bytes in, struct bytes what);
ptrdiff_t bytes_find_nocase(struct bytes in, struct bytes what);

struct bytes bytes_from(struct bytes in,
                        size_t start); /* the rest from `start`; empty past the end */
struct bytes bytes_first(struct bytes in, size_t count); /* at most `count` bytes from the front */
struct bytes bytes_trim(struct bytes in); /* without blanks, tabs, CR, LF at both ends */

/* bytes_split - cuts `*rest` at the first `separator`: the part before it is returned, `*rest`
 * becomes what follows (empty, with at == NULL, when there was no separator left). */
struct bytes bytes_split(struct bytes *rest, char separator);

/* bytes_parse_u64 - decimal digits only, all of `in`, at least one. False on anything else or
 * overflow. */
bool bytes_parse_u64(struct bytes in, uint64_t *value_out);

bool bytes_is_ascii(struct bytes in);                       /* no byte above 127 */
bool bytes_is_utf8(struct bytes in);                        /* well-formed UTF-8 (RFC 3629) */
uint64_t bytes_hash(struct bytes in, uint64_t seed);        /* XXH3-64 */
uint64_t bytes_hash_nocase(struct bytes in, uint64_t seed); /* of the ASCII-lowered bytes */
char char_lower(char c);                                    /* ASCII */
