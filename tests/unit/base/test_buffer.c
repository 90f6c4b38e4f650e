#include "base/buffer.h"
#include "support/check.h"

static void test_append(void)
{
	struct buffer buffer = { 0 };

	CHECK_BYTES("empty", buffer_bytes(&buffer), bytes_of(""));
	buffer_append(&buffer, (struct bytes){ NULL, 0 });
	buffer_append_text(&buffer, "one");
	buffer_append_char(&buffer, ' ');
	buffer_printf(&buffer, "%d %s", 2, "three");
	CHECK_BYTES("all", buffer_bytes(&buffer), bytes_of("one 2 three"));
	buffer_consume(&buffer, 4);
	CHECK_BYTES("consumed", buffer_bytes(&buffer), bytes_of("2 three"));
	buffer_consume(&buffer, 99);
	CHECK_BYTES("all consumed", buffer_bytes(&buffer), bytes_of(""));
	buffer_deinit(&buffer);
	buffer_append_text(&buffer, "again");
	CHECK_BYTES("usable after deinit", buffer_bytes(&buffer), bytes_of("again"));
	buffer_deinit(&buffer);
}

static void test_printf_at_every_length(void)
{
	for (int len = 0; len < 300; len++) {
		struct buffer buffer = { 0 };

		buffer_append_text(&buffer, "x");
		buffer_printf(&buffer, "%0*d", len, 7);
		CHECK_INT("length", buffer.len, len < 1 ? 2 : len + 1);
		CHECK_INT("last", buffer.at[buffer.len - 1], '7');
		buffer_deinit(&buffer);
	}
}

static void test_limit(void)
{
	struct buffer buffer = { .limit = 5 };

	buffer_append_text(&buffer, "abcd");
	buffer_printf(&buffer, "%s", "e");
	CHECK_TRUE("up to the limit", !buffer.is_over);
	buffer_append_char(&buffer, 'f');
	CHECK_TRUE("beyond", buffer.is_over);
	CHECK_TRUE("reserve", buffer_reserve(&buffer, 1) == NULL);
	CHECK_TRUE("overflow", buffer_reserve(&buffer, SIZE_MAX) == NULL);
	CHECK_BYTES("nothing was added", buffer_bytes(&buffer), bytes_of("abcde"));
	buffer_clear(&buffer);
	CHECK_TRUE("clear", !buffer.is_over && buffer.len == 0);
	buffer_printf(&buffer, "%s", "abcdef");
	CHECK_TRUE("printf beyond", buffer.is_over && buffer.len == 0);
	buffer_clear(&buffer);
	buffer_put_bytes(&buffer, bytes_of("ab"));
	CHECK_TRUE("a length without its bytes is not put", buffer.is_over && buffer.len == 0);
	buffer_deinit(&buffer);
	CHECK_INT("deinit keeps the limit", buffer.limit, 5);
}

static void put_all(struct buffer *buffer)
{
	buffer_put_u8(buffer, 0xfe);
	buffer_put_u16(buffer, 0xfedc);
	buffer_put_u32(buffer, 0xfedcba98);
	buffer_put_u64(buffer, 0xfedcba9876543210);
	buffer_put_bytes(buffer, bytes_of("text"));
	buffer_put_bytes(buffer, bytes_of(""));
}

static void test_integers(void)
{
	struct buffer buffer = { 0 };
	struct reader reader = { 0 };

	put_all(&buffer);
	CHECK_BYTES("little-endian", bytes_first(buffer_bytes(&buffer), 7),
	            bytes_of("\xfe\xdc\xfe\x98\xba\xdc\xfe"));
	reader.in = buffer_bytes(&buffer);
	CHECK_INT("u8", reader_u8(&reader), 0xfe);
	CHECK_INT("u16", reader_u16(&reader), 0xfedc);
	CHECK_INT("u32", reader_u32(&reader), 0xfedcba98);
	CHECK_TRUE("u64", reader_u64(&reader) == 0xfedcba9876543210);
	CHECK_BYTES("bytes", reader_bytes(&reader), bytes_of("text"));
	CHECK_BYTES("no bytes", reader_bytes(&reader), bytes_of(""));
	CHECK_TRUE("all read", reader.in.len == 0 && !reader.is_short);
	buffer_deinit(&buffer);
}

/* Whatever is missing at the end, nothing behind it is read and the flag stays. */
static void test_short_input(void)
{
	struct buffer buffer = { 0 };

	put_all(&buffer);
	for (size_t len = 0; len < buffer.len; len++) {
		struct reader reader = { bytes_first(buffer_bytes(&buffer), len), false };

		reader_u8(&reader);
		reader_u16(&reader);
		reader_u32(&reader);
		reader_u64(&reader);
		reader_bytes(&reader);
		reader_bytes(&reader);
		CHECK_TRUE("is short", reader.is_short);
		CHECK_INT("then 0", reader_u8(&reader), 0);
		CHECK_TRUE("then empty", reader_bytes(&reader).len == 0);
	}
	buffer_deinit(&buffer);
}

TEST_MAIN(test_append, test_printf_at_every_length, test_limit, test_integers, test_short_input)
