/* RFC 5322 3.4: what addresses a To field holds. */
#include "mail/mailboxes.h"
#include "support/check.h"

static const struct {
	const char *name, *in, *out; /* out: the addresses, each with a blank behind it */
} rows[] = {
	{ "one", "a@x.test", "a@x.test " },
	{ "two", "a@x.test, b@x.test", "a@x.test b@x.test " },
	{ "a name in front", "Ann Other <a@x.test>", "a@x.test " },
	{ "a comma in the name", "\"Other, Ann\" <a@x.test>, b@x.test", "a@x.test b@x.test " },
	{ "a bracket in the name", "\"<no@x.test>\" <a@x.test>", "a@x.test " },
	{ "comments, nested", "a@x.test (one (of, two)), (b@x.test) c@x.test",
	  "a@x.test c@x.test " },
	{ "a comment with an escaped end", "(a \\) b) a@x.test", "a@x.test " },
	{ "a group", "Team: a@x.test, B <b@x.test>;, c@x.test", "a@x.test b@x.test c@x.test " },
	{ "an empty group", "undisclosed-recipients:;", "" },
	{ "a route", "<@one,@two:a@x.test>", "a@x.test " },
	{ "a quoted local part", "\"a b\"@x.test", "\"a b\"@x.test " },
	{ "a literal", "a@[IPv6:::1]", "a@[IPv6:::1] " },
	{ "without a domain", "root, ann", "root ann " },
	{ "folds", "a@x.test,\r\n\tb@x.test\r\n", "a@x.test b@x.test " },
	{ "words behind the address", "<a@x.test> really, b@x.test", "a@x.test b@x.test " },
	{ "empty entries", ",, ,a@x.test,", "a@x.test " },
	{ "a quote without end", "\"a@x.test, b@x.test", "\"a@x.test, b@x.test " },
	{ "nothing", "", "" },
};

static void test_mailboxes_next(void)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct bytes rest = bytes_of(rows[i].in);
		struct buffer address = { 0 }, all = { 0 };

		while (mailboxes_next(&rest, &address)) {
			buffer_append(&all, buffer_bytes(&address));
			buffer_append_char(&all, ' ');
		}
		CHECK_BYTES(rows[i].name, buffer_bytes(&all), bytes_of(rows[i].out));
		buffer_deinit(&address);
		buffer_deinit(&all);
	}
}

TEST_MAIN(test_mailboxes_next)
