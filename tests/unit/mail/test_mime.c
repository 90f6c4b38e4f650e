/* Parts of messages as they come, encodings, charsets; and the limits. */
#include "base/alloc.h"
#include "mail/charset.h"
#include "mail/html.h"
#include "mail/mime.h"
#include "support/check.h"

#define HEAD "Content-Type: multipart/mixed; boundary=\"b\"\n\n"
#define PART "--b\nContent-Type: text/html; charset=utf-8\n\n"

static void test_parts(void)
{
	static const struct {
		const char *name, *message;
		const char *parts; /* "type|body" of every leaf, joined by newlines */
	} rows[] = {
		{ "no header", "just text\nmore", "text/plain|just text\nmore" },
		{ "no MIME", "Subject: x\n\nbody\n", "text/plain|body\n" },
		{ "two parts", HEAD "--b\n\none\n" PART "two\n--b--\n",
		  "text/plain|one\n\ntext/html|two\n" },
		{ "CRLF",
		  "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\none\r\n--b--",
		  "text/plain|one\r\n" },
		{ "no end line", HEAD "--b\n\none\n" PART "two\n",
		  "text/plain|one\n\ntext/html|two\n" },
		{ "text in front", HEAD "what happened\n--b\n\none\n--b--\n",
		  "text/plain|what happened\n\ntext/plain|one\n" },
		{ "another boundary than declared",
		  HEAD "--other\nContent-Type: text/html\n\none\n--other--\n", "text/html|one\n" },
		{ "no boundary at all", HEAD "nothing but text\n",
		  "text/plain|nothing but text\n" },
		{ "boundary is a prefix", HEAD "--b\n\n--bb\n--b--\n", "text/plain|--bb\n" },
		{ "a broken line in the header",
		  "Subject: x\nbroken line\nContent-Type: text/html\n\nb", "text/html|b" },
		{ "parts in parts",
		  HEAD "--b\nContent-Type: multipart/x; boundary=c\n\n--c\n\nin\n--c--\n" PART
		       "out\n",
		  "text/plain|in\n\ntext/html|out\n" },
		{ "a message within is not entered",
		  HEAD "--b\nContent-Type: message/rfc822\n\n" HEAD "--c\n\nx\n--b--\n",
		  "message/rfc822|" HEAD "--c\n\nx\n" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct arena *arena = arena_create(0);
		struct buffer got = { 0 };
		struct mime mime;

		mime_parse(bytes_of(rows[i].message), arena, &mime);
		for (int n = 0; n < mime.count; n++)
			if (!mime.parts[n].is_multipart)
				buffer_printf(&got, "%s%.*s|%.*s", got.len > 0 ? "\n" : "",
				              BYTES_FORMAT(mime.parts[n].type),
				              BYTES_FORMAT(mime.parts[n].body));
		CHECK_BYTES(rows[i].name, buffer_bytes(&got), bytes_of(rows[i].parts));
		CHECK_TRUE(rows[i].name, !mime.is_cut);
		buffer_deinit(&got);
		arena_destroy(arena);
	}
}

static void test_parts_are_counted(void)
{
	struct arena *arena = arena_create(0);
	struct buffer message = { 0 };
	struct mime mime;

	buffer_append_text(&message, HEAD);
	for (int i = 0; i < MIME_PARTS_MAX; i++)
		buffer_append_text(&message, "--b\n\nx\n");
	mime_parse(buffer_bytes(&message), arena, &mime);
	CHECK_INT("parts", mime.count, MIME_PARTS_MAX);
	CHECK_TRUE("says so", mime.is_cut);
	buffer_deinit(&message);
	arena_destroy(arena);
}

static void test_depth_is_limited(void)
{
	struct arena *arena = arena_create(0);
	struct buffer message = { 0 };
	struct mime mime;

	for (int i = 0; i < 500; i++)
		buffer_printf(&message, "Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n", i,
		              i);
	mime_parse(buffer_bytes(&message), arena, &mime);
	CHECK_INT("parts", mime.count, MIME_DEPTH_MAX + 1);
	CHECK_INT("depth", mime.parts[mime.count - 1].depth, MIME_DEPTH_MAX);
	CHECK_TRUE("the deepest is text", !mime.parts[mime.count - 1].is_multipart);
	CHECK_TRUE("says so", mime.is_cut);
	buffer_deinit(&message);
	arena_destroy(arena);
}

static void test_giant_header(void)
{
	struct arena *arena = arena_create(0);
	struct buffer message = { 0 };
	struct mime mime;

	for (int i = 0; i < 100000; i++)
		buffer_append_text(&message, "X-Filler: 0123456789\n");
	mime_parse(buffer_bytes(&message), arena, &mime);
	CHECK_TRUE("cut", mime.parts[0].headers.len <= MIME_HEADER_BYTES_MAX);
	buffer_deinit(&message);
	arena_destroy(arena);
}

static void test_text(void)
{
	static const struct {
		const char *name, *header, *body, *text;
	} rows[] = {
		{ "plain", "", "a\r\nb\rc", "a\nb\nc" },
		{ "quoted", "Content-Transfer-Encoding: Quoted-Printable", "caf=C3=A9 =\nx=3D=zz",
		  "caf\u00e9 x==zz" },
		{ "base64", "Content-Transfer-Encoding: base64", "NTUw\r\nIDUuMS4x", "550 5.1.1" },
		{ "base64 of two pieces", "Content-Transfer-Encoding: base64", "YQ==\nYg==", "ab" },
		{ "Latin-1", "Content-Type: text/plain; charset=iso-8859-1", "gr\xfc\xdf",
		  "gr\u00fc\u00df" },
		{ "GBK", "Content-Type: text/plain; charset=\"gb2312\"", "\xcd\xcb\xd0\xc5",
		  "\u9000\u4fe1" },
		{ "ISO-2022-JP, not declared", "", "\033$BG[?.\033(B", "\u914d\u4fe1" },
		{ "UTF-8 that calls itself Latin-1", "Content-Type: text/plain; charset=iso-8859-1",
		  "\u00fc", "\u00fc" },
		{ "unknown charset", "Content-Type: text/plain; charset=x-nothing", "\xe9",
		  "\u00e9" },
		{ "not in the charset", "Content-Type: text/plain; charset=euc-jp", "a\xff\xff z",
		  "a\ufffd\ufffd z" },
		{ "cut character", "Content-Type: text/plain; charset=gbk", "a\xcd", "a" },
		{ "HTML", "Content-Type: text/html",
		  "<style>p{}</style><p>a&amp;b<br>c<!-- no --> &lt;d@e.example&gt;",
		  "\na&b\nc <d@e.example>" },
		{ "HTML, address not quoted", "Content-Type: text/html", "to <a@b.example> 1 < 2",
		  "to <a@b.example> 1 < 2" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct arena *arena = arena_create(0);
		struct buffer message = { 0 }, text = { 0 };
		struct mime mime;

		buffer_printf(&message, "%s\n\n%s", *rows[i].header ? rows[i].header : "Subject: x",
		              rows[i].body);
		mime_parse(buffer_bytes(&message), arena, &mime);
		mime_text(&mime.parts[0], 1000, &text);
		CHECK_BYTES(rows[i].name, buffer_bytes(&text), bytes_of(rows[i].text));
		buffer_deinit(&message);
		buffer_deinit(&text);
		arena_destroy(arena);
	}
}

static void test_words(void)
{
	static const struct {
		const char *name, *value, *text;
	} rows[] = {
		{ "plain", "Returned mail", "Returned mail" },
		{ "base64", "=?UTF-8?B?TWFpbA==?= failure", "Mail failure" },
		{ "quoted",
		  "=?iso-8859-1?Q?Nicht_zustellbar=3A_=FC?=", "Nicht zustellbar: \u00fc" },
		{ "two words", "=?utf-8?q?a?= =?utf-8?q?b?= c", "ab c" },
		{ "folded", "a\r\n b", "a b" },
		{ "with a language", "=?us-ascii*en?q?x?=", "x" },
		{ "not closed", "=?utf-8?q?a", "=?utf-8?q?a" },
		{ "raw 8-bit", "gr\xfc", "gr\u00fc" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buffer text = { 0 };

		charset_decode_words(bytes_of(rows[i].value), &text);
		CHECK_BYTES(rows[i].name, buffer_bytes(&text), bytes_of(rows[i].text));
		buffer_deinit(&text);
	}
}

TEST_MAIN(test_parts, test_parts_are_counted, test_depth_is_limited, test_giant_header, test_text,
          test_words)
