#include "deliver/own.h"
#include "support/check.h"

static const struct {
	const char *text;
	bool is_loopback;
} rows[] = {
	{ "127.0.0.1", true },  { "127.9.9.9", true },    { "::1", true },
	{ "0.0.0.0", true },    { "::", true },           { "::ffff:127.0.0.1", true },
	{ "192.0.2.1", false }, { "2001:db8::1", false }, { "128.0.0.1", false },
};

static void test_loopback(void)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct address address;

		CHECK_TRUE(rows[i].text, address_parse(bytes_of(rows[i].text), 25, &address));
		CHECK_INT(rows[i].text, own_is_loopback(&address), rows[i].is_loopback);
	}
}

/* Every machine has this one; 192.0.2.0/24 is nobody's. */
static void test_interface(void)
{
	struct own own = { 0 };
	struct address local, other;

	address_parse(BYTES_LITERAL("127.0.0.1"), 25, &local);
	address_parse(BYTES_LITERAL("192.0.2.1"), 25, &other);
	CHECK_TRUE("ours, whatever the port", own_is_interface(&own, &local, 1));
	CHECK_TRUE("not ours", !own_is_interface(&own, &other, 2));
	own_deinit(&own);
}

static void test_listens(void)
{
	struct config_listener listeners[] = { { .address = "127.0.0.1:2525" },
		                               { .address = "[::]:25" } };
	struct config config = { .receive = { .listeners = listeners, .listener_count = 2 } };

	CHECK_TRUE("first", own_listens(&config, 2525));
	CHECK_TRUE("second", own_listens(&config, 25));
	CHECK_TRUE("none", !own_listens(&config, 26));
}

TEST_MAIN(test_loopback, test_interface, test_listens)
