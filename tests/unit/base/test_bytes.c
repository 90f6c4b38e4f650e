#include "base/bytes.h"
#include "support/check.h"

static const struct bytes nothing = { NULL, 0 };

static void test_compare(void)
{
	static const struct {
		const char *name, *a, *b;
		int equal, equal_nocase, order;
	} rows[] = {
		{ "same", "abc", "abc", 1, 1, 0 },
		{ "case", "aBc", "AbC", 0, 1, 1 },
		{ "shorter first", "ab", "abc", 0, 0, -1 },
		{ "longer", "abc", "ab", 0, 0, 1 },
		{ "high bytes are above letters", "\xe4", "a", 0, 0, 1 },
		{ "no case beyond ASCII", "\xc4", "\xe4", 0, 0, -1 },
		{ "[ and { are not a pair", "[", "{", 0, 0, -1 },
		{ "both empty", "", "", 1, 1, 0 },
		{ "no pointer", NULL, "", 1, 1, 0 },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct bytes a = bytes_of(rows[i].a), b = bytes_of(rows[i].b);
		int order = bytes_compare(a, b);

		CHECK_INT(rows[i].name, bytes_equal(a, b), rows[i].equal);
		CHECK_INT(rows[i].name, bytes_equal_nocase(a, b), rows[i].equal_nocase);
		CHECK_INT(rows[i].name, (order > 0) - (order < 0), rows[i].order);
		CHECK_INT(rows[i].name, bytes_hash_nocase(a, 7) == bytes_hash_nocase(b, 7),
		          rows[i].equal_nocase);
	}
}

static void test_ends(void)
{
	struct bytes in = bytes_of("From: you");

	CHECK_TRUE("front", bytes_starts_with(in, bytes_of("From")));
	CHECK_TRUE("front, case", !bytes_starts_with(in, bytes_of("from")));
	CHECK_TRUE("front, any case", bytes_starts_with_nocase(in, bytes_of("fROM:")));
	CHECK_TRUE("front, empty", bytes_starts_with(in, nothing));
	CHECK_TRUE("front, longer", !bytes_starts_with_nocase(in, bytes_of("From: you too")));
	CHECK_TRUE("end", bytes_ends_with_nocase(in, bytes_of("YOU")));
	CHECK_TRUE("end, not", !bytes_ends_with_nocase(in, bytes_of("u:")));
	CHECK_TRUE("end, longer", !bytes_ends_with_nocase(bytes_of("u"), bytes_of("you")));
	CHECK_TRUE("end, empty", bytes_ends_with_nocase(nothing, nothing));
}

static void test_find(void)
{
	static const struct {
		const char *name, *in, *what;
		int first, nocase;
	} rows[] = {
		{ "front", "abcabc", "ab", 0, 0 },
		{ "inside", "xxabc", "abc", 2, 2 },
		{ "case", "xxaBc", "AbC", -1, 2 },
		{ "cut at the end", "xxab", "abc", -1, -1 },
		{ "longer than all", "a", "abc", -1, -1 },
		{ "nothing is everywhere", "abc", "", 0, 0 },
		{ "nothing in nothing", "", "", 0, 0 },
	};
	struct bytes nul = { "a\0b\0", 4 };

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct bytes in = bytes_of(rows[i].in), what = bytes_of(rows[i].what);

		CHECK_INT(rows[i].name, bytes_find(in, what), rows[i].first);
		CHECK_INT(rows[i].name, bytes_find_nocase(in, what), rows[i].nocase);
	}
	CHECK_INT("first NUL", bytes_find_char(nul, '\0'), 1);
	CHECK_INT("last NUL", bytes_find_last_char(nul, '\0'), 3);
	CHECK_INT("after a NUL", bytes_find_char(nul, 'b'), 2);
	CHECK_INT("none", bytes_find_last_char(nul, 'x'), -1);
	CHECK_INT("in no pointer", bytes_find_char(nothing, 'x'), -1);
	CHECK_INT("in no pointer, last", bytes_find_last_char(nothing, 'x'), -1);
}

static void test_parts(void)
{
	struct bytes in = bytes_of("abc"), rest = bytes_of("a,,b");

	CHECK_BYTES("from", bytes_from(in, 1), bytes_of("bc"));
	CHECK_BYTES("from the end", bytes_from(in, 3), nothing);
	CHECK_BYTES("from past the end", bytes_from(in, 9), nothing);
	CHECK_BYTES("from, no pointer", bytes_from(nothing, 1), nothing);
	CHECK_BYTES("first", bytes_first(in, 2), bytes_of("ab"));
	CHECK_BYTES("first, more", bytes_first(in, 9), in);
	CHECK_BYTES("trim", bytes_trim(bytes_of(" \r\n\ta b\t ")), bytes_of("a b"));
	CHECK_BYTES("trim all", bytes_trim(bytes_of(" \t ")), nothing);
	CHECK_BYTES("split 1", bytes_split(&rest, ','), bytes_of("a"));
	CHECK_BYTES("split 2", bytes_split(&rest, ','), nothing);
	CHECK_TRUE("more to come", rest.at != NULL);
	CHECK_BYTES("split 3", bytes_split(&rest, ','), bytes_of("b"));
	CHECK_TRUE("nothing left", rest.at == NULL);
	rest = bytes_of("a,");
	bytes_split(&rest, ',');
	CHECK_TRUE("an empty last part is a part", rest.at != NULL && rest.len == 0);
}

static void test_parse_u64(void)
{
	static const struct {
		const char *in;
		int ok;
		uint64_t value;
	} rows[] = {
		{ "0", 1, 0 },   { "0012", 1, 12 },
		{ "", 0, 0 },    { "18446744073709551615", 1, UINT64_MAX },
		{ "-1", 0, 0 },  { "18446744073709551616", 0, 0 },
		{ "+1", 0, 0 },  { "99999999999999999999999", 0, 0 },
		{ " 1", 0, 0 },  { "1 ", 0, 0 },
		{ "1a", 0, 0 },  { "0x1", 0, 0 },
		{ "1.5", 0, 0 }, { "\xb2", 0, 0 },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		uint64_t value = 0;

		CHECK_INT(rows[i].in, bytes_parse_u64(bytes_of(rows[i].in), &value), rows[i].ok);
		CHECK_TRUE(rows[i].in, value == rows[i].value);
	}
}

static void test_utf8(void)
{
	static const struct {
		const char *name, *in;
		int ok;
	} rows[] = {
		{ "empty", "", 1 },
		{ "ascii", "hello, a longer text", 1 },
		{ "two bytes", "gr\xc3\xbc\xc3\x9f", 1 },
		{ "three", "\xe2\x82\xac", 1 },
		{ "four", "\xf0\x9f\x93\xa8", 1 },
		{ "last character", "\xf4\x8f\xbf\xbf", 1 },
		{ "above the last", "\xf4\x90\x80\x80", 0 },
		{ "overlong slash", "\xc0\xaf", 0 },
		{ "overlong, three", "\xe0\x9f\xbf", 0 },
		{ "overlong, four", "\xf0\x8f\xbf\xbf", 0 },
		{ "surrogate", "\xed\xa0\x80", 0 },
		{ "cut", "12345678\xe2\x82", 0 },
		{ "stray continuation", "a\x80", 0 },
		{ "bad third", "\xe2\x82z", 0 },
		{ "latin1", "gr\xfc\xdf", 0 },
		{ "5-byte lead", "\xf8\x88\x80\x80\x80", 0 },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct bytes in = bytes_of(rows[i].in);

		CHECK_INT(rows[i].name, bytes_is_utf8(in), rows[i].ok);
		CHECK_INT(rows[i].name, bytes_is_ascii(in), i < 2);
	}
}

static void test_hash(void)
{
	static char upper[1000], lower[1000];
	struct bytes a = { upper, sizeof upper }, b = { lower, sizeof lower };

	for (size_t i = 0; i < sizeof upper; i++) {
		upper[i] = (char)('A' + i % 26);
		lower[i] = (char)('a' + i % 26);
	}
	CHECK_TRUE("long, case", bytes_hash_nocase(a, 1) == bytes_hash_nocase(b, 1));
	CHECK_TRUE("case matters", bytes_hash(a, 1) != bytes_hash(b, 1));
	CHECK_TRUE("seed matters", bytes_hash(a, 1) != bytes_hash(a, 2));
	CHECK_TRUE("seed matters, no case", bytes_hash_nocase(a, 1) != bytes_hash_nocase(a, 2));
	lower[999] = '!';
	CHECK_TRUE("the last byte matters", bytes_hash_nocase(a, 1) != bytes_hash_nocase(b, 1));
	CHECK_TRUE("no pointer", bytes_hash(nothing, 1) == bytes_hash(bytes_of(""), 1));
}

TEST_MAIN(test_compare, test_ends, test_find, test_parts, test_parse_u64, test_utf8, test_hash)
