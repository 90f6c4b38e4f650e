#include "mail/downgrade.h"
#include "support/check.h"
#include <stdlib.h>

#define TEXT_TYPE "Content-Type: text/plain; charset=utf-8\r\n"
#define MULTIPART "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"b b\"\r\n"
#define QUOTED    "Content-Transfer-Encoding: quoted-printable\r\n"

/* standards 11.1; `out` NULL: it cannot be done. */
static const struct {
	const char *name, *in, *out;
} rows[] = {
	{ "nothing to do", "Subject: t\r\n\r\nhello\r\n", "Subject: t\r\n\r\nhello\r\n" },
	{ "empty", "", "" },
	{ "text", "MIME-Version: 1.0\r\n" TEXT_TYPE "\r\nh\xc3\xbc\r\n",
	  "MIME-Version: 1.0\r\n" TEXT_TYPE QUOTED "\r\nh=C3=BC\r\n" },
	{ "the encoding it named is replaced",
	  "MIME-Version: 1.0\r\ncontent-transfer-encoding: 8bit\r\n" TEXT_TYPE "\r\nh\xc3\xbc\r\n",
	  "MIME-Version: 1.0\r\n" TEXT_TYPE QUOTED "\r\nh=C3=BC\r\n" },
	{ "from before MIME", "Subject: t\r\n\r\n\xfc = \r\n",
	  "Subject: t\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; "
	  "charset=unknown-8bit\r\n" QUOTED "\r\n=FC =3D=20\r\n" },
	{ "no line end at the end", "MIME-Version: 1.0\r\n" TEXT_TYPE "\r\n\xfc\t",
	  "MIME-Version: 1.0\r\n" TEXT_TYPE QUOTED "\r\n=FC=09" },
	{ "a header section of 8 bits stays", "Subject: \xfc\r\n\r\nhello\r\n",
	  "Subject: \xfc\r\n\r\nhello\r\n" },
	{ "not text", "MIME-Version: 1.0\r\nContent-Type: image/gif\r\n\r\nGIF\xff",
	  "MIME-Version: 1.0\r\nContent-Type: image/gif\r\nContent-Transfer-Encoding: "
	  "base64\r\n\r\n"
	  "R0lG/w==\r\n" },
	{ "what is encoded already, with stray bytes",
	  "MIME-Version: 1.0\r\n" TEXT_TYPE QUOTED "\r\n=C3=BC\xfc=\r\nx\r\n",
	  "MIME-Version: 1.0\r\n" TEXT_TYPE QUOTED "\r\n=C3=BC=FC=\r\nx\r\n" },
	{ "base64 with a stray byte",
	  "MIME-Version: 1.0\r\nContent-Transfer-Encoding: base64\r\n\r\nR0\xfflG\r\n",
	  "MIME-Version: 1.0\r\nContent-Transfer-Encoding: base64\r\n\r\nR0?lG\r\n" },
	{ "an encoding that we do not know",
	  "MIME-Version: 1.0\r\nContent-Transfer-Encoding: x-uuencode\r\n\r\n\xff\r\n", NULL },
	{ "only the part that needs it",
	  MULTIPART "\r\npre\xfc\r\n--b b\r\n" TEXT_TYPE "\r\nh\xc3\xbc\r\n--b b\r\n\r\nplain\r\n"
	            "--b b--\r\nend\xfc\r\n",
	  MULTIPART "Content-Transfer-Encoding: 7bit\r\n\r\npre?\r\n--b b\r\n" TEXT_TYPE QUOTED
	            "\r\nh=C3=BC\r\n--b b\r\n\r\nplain\r\n--b b--\r\nend?\r\n" },
	{ "a boundary that only begins like it",
	  MULTIPART "\r\n--b b\r\n\r\n--b bc\r\n\xfc\r\n--b b--\r\n",
	  MULTIPART "Content-Transfer-Encoding: 7bit\r\n\r\n--b b\r\n" QUOTED
	            "\r\n--b bc\r\n=FC\r\n--b b--\r\n" },
	{ "never closed", MULTIPART "\r\n--b b\r\n\r\n\xfc\r\n",
	  MULTIPART "Content-Transfer-Encoding: 7bit\r\n\r\n--b b\r\n" QUOTED "\r\n=FC\r\n" },
	{ "an enclosed message",
	  "MIME-Version: 1.0\r\nContent-Type: message/rfc822\r\n\r\nSubject: in\r\nMIME-Version: "
	  "1.0\r\n" TEXT_TYPE "\r\n\xfc\r\n",
	  "MIME-Version: 1.0\r\nContent-Type: message/rfc822\r\nContent-Transfer-Encoding: "
	  "7bit\r\n\r\nSubject: in\r\nMIME-Version: 1.0\r\n" TEXT_TYPE QUOTED "\r\n=FC\r\n" },
	{ "message/partial must not be encoded",
	  "MIME-Version: 1.0\r\nContent-Type: message/partial; id=1\r\n\r\n\xfc\r\n", NULL },
	{ "a multipart without boundary",
	  "MIME-Version: 1.0\r\nContent-Type: multipart/mixed\r\n\r\n\xfc\r\n", NULL },
};

static void test_rows(void)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buffer out = { 0 };
		bool is_done = downgrade(bytes_of(rows[i].in), &out);

		CHECK_INT(rows[i].name, is_done, rows[i].out != NULL);
		if (is_done)
			CHECK_BYTES(rows[i].name, buffer_bytes(&out), bytes_of(rows[i].out));
		buffer_deinit(&out);
	}
}

static size_t longest_line(struct bytes text)
{
	size_t longest = 0;

	while (text.len > 0) {
		struct bytes line = bytes_split(&text, '\n');

		longest = MAX(longest, line.len);
	}
	return longest;
}

/* standards 3.18: lines over 998 are not sent, once the content is touched at all. */
static void test_long_lines(void)
{
	struct buffer in = { 0 }, out = { 0 };

	buffer_append_text(&in, "MIME-Version: 1.0\r\nSubject: t\r\n\r\n");
	for (int i = 0; i < 999; i++)
		buffer_append_char(&in, i % 7 ? 'a' : ' ');
	buffer_append_text(&in, "\r\n");
	CHECK_TRUE("converted", downgrade(buffer_bytes(&in), &out));
	CHECK_TRUE("76 and CR", longest_line(buffer_bytes(&out)) <= 77);
	buffer_deinit(&in);
	buffer_deinit(&out);
}

static void test_nested_too_deep(void)
{
	for (int depth = 1; depth <= DOWNGRADE_DEPTH_MAX + 1; depth++) {
		struct buffer in = { 0 }, out = { 0 };

		for (int i = 0; i < depth; i++)
			buffer_append_text(&in, "MIME-Version: 1.0\r\nContent-Type: "
			                        "message/rfc822\r\n\r\n");
		buffer_append_text(&in, "Subject: t\r\n\r\n\xfc\r\n");
		CHECK_INT("nested", downgrade(buffer_bytes(&in), &out),
		          depth <= DOWNGRADE_DEPTH_MAX);
		buffer_deinit(&in);
		buffer_deinit(&out);
	}
}

static void test_limit(void)
{
	struct buffer out = { .limit = 100 };
	char text[300] = "Subject: t\r\n\r\n";

	memset(text + 14, 0xfc, 200);
	CHECK_TRUE("over the limit", !downgrade(bytes_of(text), &out));
	buffer_deinit(&out);
}

TEST_MAIN(test_rows, test_long_lines, test_nested_too_deep, test_limit)
