/* Records of a Postfix queue file, written by hand; whole queues are read by
 * tests/system/test_import.py. */
#include "base/units.h"
#include "migrate/postfix.h"
#include "support/check.h"

/* A record: type, length below 128, data. */
#define R(type, length, data) type length data
#define HEAD \
	R("T", "\x11", "1795495238 123456") R("A", "\x0a", "ret_flags=") R("S", "\x05", "a@o.t")
#define BODY(text) R("M", "\x00", "") text R("X", "\x00", "")
#define END        R("E", "\x00", "")

static const struct {
	const char *name;
	struct bytes file;
	int result, recipients;
	const char *content;
} rows[] = {
	{ "one recipient",
	  BYTES_LITERAL(HEAD R("R", "\x05", "b@f.t") BODY(R("N", "\x02", "hi")) END), 0, 1,
	  "hi\r\n" },
	{ "one is done",
	  BYTES_LITERAL(HEAD R("D", "\x05", "b@f.t") R("R", "\x05", "c@f.t") BODY("") END), 0, 1,
	  "" },
	{ "all are done", BYTES_LITERAL(HEAD R("D", "\x05", "b@f.t") BODY("") END), ERR_INVALID, 0,
	  "" },
	{ "recipients behind the content", BYTES_LITERAL(HEAD BODY("") R("R", "\x05", "b@f.t") END),
	  0, 1, "" },
	{ "a long line in parts",
	  BYTES_LITERAL(HEAD R("R", "\x05", "b@f.t") BODY(R("L", "\x02", "ab") R("N", "\x01", "c"))
	                        END),
	  0, 1, "abc\r\n" },
	{ "a pointer to nowhere yet",
	  BYTES_LITERAL(HEAD R("R", "\x05", "b@f.t") BODY(R("p", "\x05", "    0")) END), 0, 1, "" },
	{ "a pointer beyond the end",
	  BYTES_LITERAL(HEAD R("R", "\x05", "b@f.t") BODY(R("p", "\x05", "99999")) END),
	  ERR_INVALID, 1, "" },
	{ "a pointer to itself", BYTES_LITERAL(HEAD R("M", "\x00", "") R("p", "\x05", "   40") END),
	  ERR_INVALID, 0, "" },
	{ "cut off", BYTES_LITERAL(HEAD R("R", "\x05", "b@f.t") R("M", "\x00", "")), ERR_INVALID, 1,
	  "" },
	{ "a length beyond the file", BYTES_LITERAL(HEAD "R\xff\xff\xff\xff\x7f"), ERR_INVALID, 0,
	  "" },
	{ "a recipient that is none", BYTES_LITERAL(HEAD R("R", "\x03", "b@@") BODY("") END),
	  ERR_INVALID, 0, "" },
	{ "no time", BYTES_LITERAL(R("S", "\x05", "a@o.t") R("R", "\x05", "b@f.t") BODY("") END),
	  ERR_INVALID, 1, "" },
	{ "nothing", BYTES_LITERAL(""), ERR_INVALID, 0, "" },
};

static void test_postfix_parse(void)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct found found;

		found_init(&found, 1000);
		CHECK_INT(rows[i].name, postfix_parse(rows[i].file, &found, NULL), rows[i].result);
		CHECK_INT(rows[i].name, found.message->recipient_count, rows[i].recipients);
		CHECK_BYTES(rows[i].name, buffer_bytes(&found.content), bytes_of(rows[i].content));
		found_deinit(&found);
	}
}

static void test_too_large(void)
{
	struct found found;

	found_init(&found, 3);
	CHECK_INT("limit",
	          postfix_parse(BYTES_LITERAL(HEAD R("R", "\x05", "b@f.t")
	                                              BODY(R("N", "\x02", "hi")) END),
	                        &found, NULL),
	          ERR_TOO_LONG);
	found_deinit(&found);
}

TEST_MAIN(test_postfix_parse, test_too_large)
