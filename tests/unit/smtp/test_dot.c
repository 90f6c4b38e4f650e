/* Content between DATA and the final dot (standards 2.6 to 2.8, 19). Every row is decoded whole,
 * and cut in two at every place. */
#include "smtp/dot.h"
#include "support/check.h"

enum { REFUSE = 0, NORMALISE = 1, VERBATIM = 2 };

static const struct {
	const char *name;
	int mode;
	struct bytes in, want;
	long rest; /* bytes behind the end; -1: it was not seen */
	uint32_t flags;
} rows[] = {
#define IN(text) BYTES_LITERAL(text)
	{ "empty content", REFUSE, IN(".\r\n"), IN(""), 0, 0 },
	{ "a line", REFUSE, IN("a\r\n.\r\n"), IN("a\r\n"), 0, 0 },
	{ "what follows is not content", REFUSE, IN("a\r\n.\r\nQUIT\r\n"), IN("a\r\n"), 6, 0 },
	{ "2.8 dots", REFUSE, IN("..\r\n.a\r\n...\r\n.\r\n"), IN(".\r\na\r\n..\r\n"), 0, 0 },
	{ "2.8 a dot within a line", REFUSE, IN("a.\r\n.\r\n"), IN("a.\r\n"), 0, 0 },
	{ "no end yet", REFUSE, IN("a\r\n."), IN("a\r\n"), -1, 0 },
	{ "no end at a dot behind text", REFUSE, IN("a.\r\n"), IN("a.\r\n"), -1, 0 },
	{ "2.7 LF . LF", REFUSE, IN("a\n.\n"), IN("a\n.\n"), -1, CONTENT_BARE_LF },
	{ "2.7 LF . CRLF", REFUSE, IN("a\n.\r\n"), IN("a\n.\r\n"), -1, CONTENT_BARE_LF },
	{ "2.7 CR . CR", REFUSE, IN("a\r.\rb"), IN("a\r.\rb"), -1, CONTENT_BARE_CR },
	{ "2.7 CR . CRLF", REFUSE, IN("a\r.\r\n"), IN("a\r.\r\n"), -1, CONTENT_BARE_CR },
	{ "2.7 CRLF . LF", REFUSE, IN("a\r\n.\nb"), IN("a\r\n\nb"), -1, CONTENT_BARE_LF },
	{ "2.7 CRLF . CR", REFUSE, IN("a\r\n.\rb"), IN("a\r\n\rb"), -1, CONTENT_BARE_CR },
	{ "19.3 CRLF . CR CRLF", REFUSE, IN("a\r\n.\r\r\nb"), IN("a\r\n\r\r\nb"), -1,
	  CONTENT_BARE_CR },
	{ "2.7 CRLF NUL . CRLF", REFUSE, IN("a\r\n\0.\r\n"), IN("a\r\n\0.\r\n"), -1, CONTENT_NUL },
	{ "2.7 blank before the dot", REFUSE, IN("a\r\n .\r\n"), IN("a\r\n .\r\n"), -1, 0 },
	{ "2.7 blank behind the dot", REFUSE, IN("a\r\n. \r\n"), IN("a\r\n \r\n"), -1, 0 },
	{ "2.7 CR CRLF . CRLF", REFUSE, IN("a\r\r\n.\r\n"), IN("a\r\r\n"), 0, CONTENT_BARE_CR },
	{ "8 bits", REFUSE, IN("\xc3\xa9\r\n.\r\n"), IN("\xc3\xa9\r\n"), 0, CONTENT_8BIT },
	{ "flags are of the content alone", REFUSE, IN(".\r\n\xc3\n\r"), IN(""), 3, 0 },
	{ "19.1 bare LF becomes CRLF", NORMALISE, IN("a\nb\r\n.\r\n"), IN("a\r\nb\r\n"), 0,
	  CONTENT_BARE_LF },
	{ "19.1 bare CR becomes CRLF", NORMALISE, IN("a\rb\r\n.\r\n"), IN("a\r\nb\r\n"), 0,
	  CONTENT_BARE_CR },
	{ "19.1 but ends nothing", NORMALISE, IN("a\n.\r\nb\r\n.\r\n"), IN("a\r\n.\r\nb\r\n"), 0,
	  CONTENT_BARE_LF },
	{ "19.1 LF . LF ends nothing", NORMALISE, IN("a\n.\nb\r\n.\r\n"), IN("a\r\n.\r\nb\r\n"), 0,
	  CONTENT_BARE_LF },
	{ "19.3 normalised", NORMALISE, IN("a\r\n.\r\r\nb\r\n.\r\n"), IN("a\r\n\r\n\r\nb\r\n"), 0,
	  CONTENT_BARE_CR },
	{ "2.8 BDAT has no dots", VERBATIM, IN(".\r\n..\r\n.\r\n"), IN(".\r\n..\r\n.\r\n"), -1, 0 },
	{ "10.3 bare LF in a chunk", VERBATIM, IN("a\n.\nb"), IN("a\n.\nb"), -1, CONTENT_BARE_LF },
	{ "19.4 normalised chunk", VERBATIM | NORMALISE, IN("a\n.\nb"), IN("a\r\n.\r\nb"), -1,
	  CONTENT_BARE_LF },
#undef IN
};

/* Decodes in pieces of at most `first` and then all the rest. */
static void check_row(size_t i, size_t first)
{
	struct dot_decoder decoder = { .is_normalising = rows[i].mode & NORMALISE,
		                       .is_verbatim = (rows[i].mode & VERBATIM) != 0 };
	struct buffer out = { 0 };
	bool is_end = false;
	size_t used = dot_decode(&decoder, bytes_first(rows[i].in, first), &out, &is_end);

	if (!is_end) {
		CHECK_INT(rows[i].name, used, MIN(first, rows[i].in.len));
		used += dot_decode(&decoder, bytes_from(rows[i].in, used), &out, &is_end);
	}
	CHECK_INT(rows[i].name, is_end ? (long)(rows[i].in.len - used) : -1, rows[i].rest);
	CHECK_BYTES(rows[i].name, buffer_bytes(&out), rows[i].want);
	CHECK_INT(rows[i].name, decoder.flags, rows[i].flags);
	buffer_deinit(&out);
}

static void content_is_decoded(void)
{
	for (size_t i = 0; i < COUNT(rows); i++)
		for (size_t first = 0; first <= rows[i].in.len; first++)
			check_row(i, first);
}

static void long_lines_are_noticed(void)
{
	for (size_t length = 997; length <= 1200; length++) {
		struct dot_decoder decoder = { 0 };
		struct buffer in = { 0 }, out = { 0 };
		bool is_end;

		buffer_append_text(&in, "short\r\n");
		for (size_t i = 0; i < length; i++)
			buffer_append_char(&in, 'x');
		buffer_append_text(&in, "\r\nshort\r\n.\r\n");
		dot_decode(&decoder, buffer_bytes(&in), &out, &is_end);
		CHECK_INT("998 bytes are allowed", decoder.flags,
		          length > 998 ? CONTENT_LONG_LINE : 0);
		CHECK_INT("nothing is lost", out.len, in.len - 3);
		buffer_deinit(&in);
		buffer_deinit(&out);
	}
}

static void a_chunk_may_end_within_crlf(void)
{
	struct dot_decoder decoder = { .is_verbatim = true };
	struct buffer out = { 0 };
	bool is_end;

	dot_decode(&decoder, BYTES_LITERAL("a\r"), &out, &is_end);
	CHECK_INT("not yet bare", decoder.flags, 0);
	dot_decode(&decoder, BYTES_LITERAL("\nb\r"), &out, &is_end);
	dot_close(&decoder);
	CHECK_INT("bare at the end", decoder.flags, CONTENT_BARE_CR);
	buffer_deinit(&out);
}

static const struct {
	const char *name, *in, *want;
} encoded[] = {
	{ "nothing", "", ".\r\n" },
	{ "a line", "a\r\n", "a\r\n.\r\n" },
	{ "no line end", "a", "a\r\n.\r\n" },
	{ "2.8 dots", ".\r\n..a\r\nb.\r\n", "..\r\n...a\r\nb.\r\n.\r\n" },
};

static void content_is_encoded(void)
{
	for (size_t i = 0; i < COUNT(encoded); i++) {
		size_t len = strlen(encoded[i].in);

		for (size_t first = 0; first <= len; first++) {
			struct buffer out = { 0 };
			bool at_line_start = true;

			dot_encode((struct bytes){ encoded[i].in, first }, &at_line_start, &out);
			dot_encode(bytes_of(encoded[i].in + first), &at_line_start, &out);
			dot_finish(at_line_start, &out);
			CHECK_BYTES(encoded[i].name, buffer_bytes(&out), bytes_of(encoded[i].want));
			buffer_deinit(&out);
		}
	}
}

TEST_MAIN(content_is_decoded, long_lines_are_noticed, a_chunk_may_end_within_crlf,
          content_is_encoded)
