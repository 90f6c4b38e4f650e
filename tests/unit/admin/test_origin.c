/* Which requests of a browser may reach the API: cross-site forgery and DNS rebinding. */
#include "admin/origin.h"
#include "support/check.h"

static const struct {
	const char *name, *host, *origin;
	bool is_ours;
} rows[] = {
	{ "the commands", "outlast", NULL, true },
	{ "curl on localhost", "localhost", NULL, true },
	{ "HTTP/1.0, no browser", NULL, NULL, true },
	{ "the console by a forwarded port", "localhost:8025", "http://localhost:8025", true },
	{ "the same by number", "127.0.0.1:8025", "http://127.0.0.1:8025", true },
	{ "IPv6", "[::1]:8025", "http://[::1]:8025", true },
	{ "any case", "LocalHost:8025", "http://localhost:8025", true },
	{ "another page", "localhost:8025", "http://evil.test", false },
	{ "another port of this machine", "localhost:8025", "http://localhost:3000", false },
	{ "a name that ends like ours", "localhost:8025", "http://localhost:8025.evil.test",
	  false },
	{ "a page from a file or a frame without origin", "localhost:8025", "null", false },
	{ "rebinding", "evil.test:8025", "http://evil.test:8025", false },
	{ "rebinding, a GET", "evil.test:8025", NULL, false },
	{ "a name that begins like ours", "localhost.evil.test", NULL, false },
	{ "an empty name", "", NULL, false },
	{ "an origin, but no host", NULL, "http://localhost", false },
};

static void test_origin(void)
{
	for (size_t i = 0; i < COUNT(rows); i++)
		CHECK_INT(rows[i].name, origin_is_ours(rows[i].host, rows[i].origin),
		          rows[i].is_ours);
}

TEST_MAIN(test_origin)
