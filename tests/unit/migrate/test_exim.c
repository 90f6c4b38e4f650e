/* Header files of Exim, as its specification says. */
#include "base/units.h"
#include "migrate/exim.h"
#include "support/check.h"

#define HEAD "1-H\nroot 0 0\n<a@o.t>\n1795495266 0\n-ident root\n"

static const struct {
	const char *name, *head;
	int result, recipients;
	const char *content;
} rows[] = {
	{ "one", HEAD "XX\n1\nb@f.t\n\n011  Subject: a\n", 0, 1, "Subject: a\r\n\r\nhi\r\n" },
	{ "a field that was removed", HEAD "XX\n1\nb@f.t\n\n011* Subject: a\n", 0, 1,
	  "\r\nhi\r\n" },
	{ "a folded field", HEAD "XX\n1\nb@f.t\n\n008  A: b\n c\n", 0, 1,
	  "A: b\r\n c\r\n\r\nhi\r\n" },
	{ "a field of 1,000 digits", HEAD "XX\n1\nb@f.t\n\n99999999  A: b\n", ERR_INVALID, 1,
	  NULL },
	{ "one is done", HEAD "NN b@f.t\n2\nb@f.t\nc@f.t\n\n", 0, 1, "\r\nhi\r\n" },
	{ "a tree",
	  HEAD "YY m@f.t\nNN a@f.t\nYN z@f.t\nNN y@f.t\n5\na@f.t\nm@f.t\nz@f.t\nq@f.t\ny@f.t\n\n",
	  0, 1, "\r\nhi\r\n" },
	{ "a tree without end", HEAD "YY m@f.t\nNN a@f.t\n", ERR_INVALID, 0, NULL },
	{ "parent and errors address", HEAD "XX\n1\nb@f.t e@o.t 5,-1#1\n\n", 0, 1, "\r\nhi\r\n" },
	{ "a blank in quotes", HEAD "XX\n1\n\"a b\"@f.t\n\n", 0, 1, "\r\nhi\r\n" },
	{ "more recipients than it has", HEAD "XX\n9999\nb@f.t\n", ERR_INVALID, 1, NULL },
	{ "frozen", HEAD "-frozen 1795495266\nXX\n1\nb@f.t\n\n", ERR_INVALID, 0, NULL },
	{ "another format", HEAD "-spool_file_wireformat\nXX\n1\nb@f.t\n\n", ERR_INVALID, 0, NULL },
	{ "a variable with lines of its own", HEAD "-acl 0 5\nab\ncd\nXX\n1\nb@f.t\n\n", 0, 1,
	  "\r\nhi\r\n" },
	{ "cut off", HEAD, ERR_INVALID, 0, NULL },
	{ "something else", "hello\n", ERR_INVALID, 0, NULL },
};

static void test_exim_parse(void)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct found found;

		found_init(&found, 1000);
		CHECK_INT(rows[i].name,
		          exim_parse(bytes_of(rows[i].head), bytes_of("1-D\nhi\n"), &found, NULL),
		          rows[i].result);
		CHECK_INT(rows[i].name, found.message->recipient_count, rows[i].recipients);
		if (rows[i].content)
			CHECK_BYTES(rows[i].name, buffer_bytes(&found.content),
			            bytes_of(rows[i].content));
		found_deinit(&found);
	}
}

TEST_MAIN(test_exim_parse)
