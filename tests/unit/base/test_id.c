#include "base/id.h"
#include "support/check.h"

#define NOW 1795465452000000LL /* 2026-11-23 */

static void test_grows(void)
{
	struct id_maker maker = { .node = 255, .maker = 31 };
	uint64_t first = id_make(&maker, NOW), second = id_make(&maker, NOW);
	uint64_t back = id_make(&maker, NOW - 5000000), later = id_make(&maker, NOW + 10);

	CHECK_INT("time", id_time_us(first), NOW);
	CHECK_TRUE("same microsecond", second > first);
	CHECK_TRUE("the clock stepped back", back > second);
	CHECK_INT("the clock is ahead again", id_time_us(later), NOW + 10);
	CHECK_INT("node and maker", first & 0x1fff, 0x1fff);
	CHECK_TRUE("before 2020", id_make(&(struct id_maker){ 0 }, 0) > 0);
}

static void test_raise(void)
{
	struct id_maker maker = { .maker = 3 }, other = { .maker = 30 };
	uint64_t found = id_make(&other, NOW + 777);

	id_raise(&maker, found);
	id_raise(&maker, 0);
	CHECK_TRUE("above what was found", id_make(&maker, NOW) > found);
}

static void test_text(void)
{
	static const uint64_t ids[] = { 0, 1, 31, 32, 0x123456789abcdef0, UINT64_MAX };
	char text[ID_TEXT_LENGTH + 1], last[ID_TEXT_LENGTH + 1] = "";

	for (size_t i = 0; i < COUNT(ids); i++) {
		uint64_t id = 9;

		id_format(ids[i], text);
		CHECK_INT(text, strlen(text), ID_TEXT_LENGTH);
		CHECK_TRUE(text, id_parse(bytes_of(text), &id) && id == ids[i]);
		CHECK_TRUE("texts sort as the numbers do", strcmp(text, last) > 0);
		memcpy(last, text, sizeof last);
	}
	CHECK_BYTES("last", bytes_of(text), bytes_of("fzzzzzzzzzzzz"));
}

static void test_parse(void)
{
	static const struct {
		const char *name, *in;
		int ok;
		uint64_t id;
	} rows[] = {
		{ "upper case", "000000000000Z", 1, 31 },
		{ "look-alikes", "OooooooooooIL", 1, 33 },
		{ "no u", "000000000000u", 0, 0 },
		{ "short", "000000000000", 0, 0 },
		{ "long", "00000000000000", 0, 0 },
		{ "beyond 64 bits", "g000000000000", 0, 0 },
		{ "bad first", "-000000000000", 0, 0 },
		{ "blank", "000000 000000", 0, 0 },
		{ "empty", "", 0, 0 },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		uint64_t id = 0;

		CHECK_INT(rows[i].name, id_parse(bytes_of(rows[i].in), &id), rows[i].ok);
		CHECK_INT(rows[i].name, id, rows[i].id);
	}
}

TEST_MAIN(test_grows, test_raise, test_text, test_parse)
