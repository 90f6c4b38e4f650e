#include "base/bytes.h"
#include <string.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

struct bytes bytes_of(const char *text)
{
	return (struct bytes){ text, text ? strlen(text) : 0 };
}

char char_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

/* The C library's functions take no NULL, not even for 0 bytes. */
static bool run_equal(const char *a, const char *b, size_t len)
{
	return len == 0 || memcmp(a, b, len) == 0;
}

static bool run_equal_nocase(const char *a, const char *b, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (char_lower(a[i]) != char_lower(b[i]))
			return false;
	}
	return true;
}

bool bytes_equal(struct bytes a, struct bytes b)
{
	return a.len == b.len && run_equal(a.at, b.at, a.len);
}

bool bytes_equal_nocase(struct bytes a, struct bytes b)
{
	return a.len == b.len && run_equal_nocase(a.at, b.at, a.len);
}

int bytes_compare(struct bytes a, struct bytes b)
{
	size_t common = a.len < b.len ? a.len : b.len;
	int order = common ? memcmp(a.at, b.at, common) : 0;

	if (order != 0)
		return order;
	return (a.len > b.len) - (a.len < b.len);
}

bool bytes_starts_with(struct bytes in, struct bytes prefix)
{
	return in.len >= prefix.len && run_equal(in.at, prefix.at, prefix.len);
}

bool bytes_starts_with_nocase(struct bytes in, struct bytes prefix)
{
	return in.len >= prefix.len && run_equal_nocase(in.at, prefix.at, prefix.len);
}

bool bytes_ends_with_nocase(struct bytes in, struct bytes suffix)
{
	return in.len >= suffix.len &&
	       bytes_equal_nocase(bytes_from(in, in.len - suffix.len), suffix);
}

ptrdiff_t bytes_find_char(struct bytes in, char c)
{
	const char *found = in.len ? memchr(in.at, c, in.len) : NULL;

	return found ? found - in.at : -1;
}

ptrdiff_t bytes_find_last_char(struct bytes in, char c)
{
	const char *found = in.len ? memrchr(in.at, c, in.len) : NULL;

	return found ? found - in.at : -1;
}

ptrdiff_t bytes_find(struct bytes in, struct bytes what)
{
	const char *found;

	if (what.len == 0)
		return 0;
	if (what.len > in.len)
		return -1;
	found = memmem(in.at, in.len, what.at, what.len);
	return found ? found - in.at : -1;
}

ptrdiff_t bytes_find_nocase(struct bytes in, struct bytes what)
{
	for (size_t i = 0; i + what.len <= in.len; i++) {
		if (run_equal_nocase(in.at + i, what.at, what.len))
			return (ptrdiff_t)i;
	}
	return -1;
}

struct bytes bytes_from(struct bytes in, size_t start)
{
	if (start >= in.len)
		return (struct bytes){ in.len ? in.at + in.len : in.at, 0 };
	return (struct bytes){ in.at + start, in.len - start };
}

struct bytes bytes_first(struct bytes in, size_t count)
{
	return (struct bytes){ in.at, count < in.len ? count : in.len };
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct bytes bytes_trim(struct bytes in)
{
	while (in.len > 0 && is_space(in.at[0]))
		in = bytes_from(in, 1);
	while (in.len > 0 && is_space(in.at[in.len - 1]))
		in.len--;
	return in;
}

struct bytes bytes_split(struct bytes *rest, char separator)
{
	struct bytes all = *rest;
	ptrdiff_t at = bytes_find_char(all, separator);

	if (at < 0) {
		*rest = (struct bytes){ NULL, 0 };
		return all;
	}
	*rest = bytes_from(all, (size_t)at + 1);
	return bytes_first(all, (size_t)at);
}

bool bytes_parse_u64(struct bytes in, uint64_t *value_out)
{
	uint64_t value = 0;

	if (in.len == 0)
		return false;
	for (size_t i = 0; i < in.len; i++) {
		if (in.at[i] < '0' || in.at[i] > '9')
			return false;
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(in.at[i] - '0'), &value))
			return false;
	}
	*value_out = value;
	return true;
}

static size_t ascii_prefix(struct bytes in)
{
	size_t i = 0;
	uint64_t word;

	for (; i + sizeof word <= in.len; i += sizeof word) {
		memcpy(&word, in.at + i, sizeof word);
		if (word & 0x8080808080808080U)
			break;
	}
	while (i < in.len && (unsigned char)in.at[i] < 0x80)
		i++;
	return i;
}

bool bytes_is_ascii(struct bytes in)
{
	return ascii_prefix(in) == in.len;
}

/* Length of the one well-formed character that starts with `at[0]` > 127, or 0. The second byte's
 * range excludes overlong forms, surrogates and what is above U+10FFFF (RFC 3629 4). */
static size_t utf8_character(const unsigned char *at, size_t len)
{
	size_t need = at[0] < 0xE0 ? 2 : at[0] < 0xF0 ? 3 : 4;
	unsigned char low = 0x80, high = 0xBF;

	if (at[0] < 0xC2 || at[0] > 0xF4 || len < need)
		return 0;
	if (at[0] == 0xE0)
		low = 0xA0;
	else if (at[0] == 0xED)
		high = 0x9F;
	else if (at[0] == 0xF0)
		low = 0x90;
	else if (at[0] == 0xF4)
		high = 0x8F;
	if (at[1] < low || at[1] > high)
		return 0;
	for (size_t i = 2; i < need; i++) {
		if ((at[i] & 0xC0) != 0x80)
			return 0;
	}
	return need;
}

bool bytes_is_utf8(struct bytes in)
{
	for (;;) {
		size_t used = ascii_prefix(in);

		in = bytes_from(in, used);
		if (in.len == 0)
			return true;
		used = utf8_character((const unsigned char *)in.at, in.len);
		if (used == 0)
			return false;
		in = bytes_from(in, used);
	}
}

uint64_t bytes_hash(struct bytes in, uint64_t seed)
{
	return XXH3_64bits_withSeed(in.at, in.len, seed);
}

/* Lowered piece by piece, each piece seeded with the hash so far: needs no memory of its own. */
uint64_t bytes_hash_nocase(struct bytes in, uint64_t seed)
{
	char lowered[256];

	do {
		struct bytes piece = bytes_first(in, sizeof lowered);

		for (size_t i = 0; i < piece.len; i++)
			lowered[i] = char_lower(piece.at[i]);
		seed = XXH3_64bits_withSeed(lowered, piece.len, seed);
		in = bytes_from(in, piece.len);
	} while (in.len > 0);
	return seed;
}
