/* xtext (RFC 3461 4; standards 5.2). */
#include "smtp/xtext.h"
#include "support/check.h"

static const struct {
	const char *name, *text, *want; /* NULL: it is none */
} rows[] = {
	{ "plain", "abc", "abc" },
	{ "empty", "", "" },
	{ "encoded", "a+2Bb+3D", "a+b=" },
	{ "any byte may be encoded", "+41", "A" },
	{ "upper case only", "+2b", NULL },
	{ "one digit", "a+2", NULL },
	{ "no digit", "a+", NULL },
	{ "not a digit", "+2G", NULL },
	{ "=", "a=b", NULL },
	{ "blank", "a b", NULL },
	{ "control character", "a\x01", NULL },
	{ "beyond ASCII", "\xc3\xa9", NULL },
};

static void decoding(void)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buffer out = { 0 };
		bool is_good = xtext_decode(bytes_of(rows[i].text), &out);

		CHECK_INT(rows[i].name, is_good, rows[i].want != NULL);
		CHECK_INT(rows[i].name, xtext_is_valid(bytes_of(rows[i].text)), is_good);
		if (is_good)
			CHECK_BYTES(rows[i].name, buffer_bytes(&out), bytes_of(rows[i].want));
		buffer_deinit(&out);
	}
}

static void every_byte_comes_back(void)
{
	char all[256];
	struct buffer text = { 0 }, out = { 0 };

	for (int i = 0; i < 256; i++)
		all[i] = (char)i;
	xtext_encode((struct bytes){ all, sizeof all }, &text);
	CHECK_TRUE("valid", xtext_is_valid(buffer_bytes(&text)));
	CHECK_TRUE("decoded", xtext_decode(buffer_bytes(&text), &out));
	CHECK_BYTES("the same", buffer_bytes(&out), ((struct bytes){ all, sizeof all }));
	buffer_deinit(&text);
	buffer_deinit(&out);
}

TEST_MAIN(decoding, every_byte_comes_back)
