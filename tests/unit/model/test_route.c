#include "model/route.h"
#include "support/check.h"
#include <stdio.h>
#include <string.h>

static const struct {
	const char *name, *text;
	int result;
	const char *canonical;
} rows[] = {
	{ "host", "mx.example.com", 0, "0 mx.example.com" },
	{ "case", "MX.Example.com", 0, "0 mx.example.com" },
	{ "port", "mx.example.com:2525", 0, "0 mx.example.com:2525" },
	{ "literal", "[192.0.2.1]:2525", 0, "0 [192.0.2.1]:2525" },
	{ "IPv6", "[2001:db8::1]", 0, "0 [2001:db8::1]" },
	{ "bracketed name", "[mail.example.com]", 0, "0 mail.example.com" },
	{ "two, in any order", "b.test  a.test", 0, "0 a.test,0 b.test" },
	{ "empty", "", ERR_INVALID, NULL },
	{ "blank", "  ", ERR_INVALID, NULL },
	{ "port 0", "a.test:0", ERR_INVALID, NULL },
	{ "port too large", "a.test:65536", ERR_INVALID, NULL },
	{ "port is no number", "a.test:smtp", ERR_INVALID, NULL },
	{ "ports differ", "a.test:25 b.test:26", ERR_INVALID, NULL },
	{ "an address", "a@b.test", ERR_INVALID, NULL },
};

static void test_parse(void)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct route *route = NULL;
		struct err err;

		CHECK_INT(rows[i].name, route_parse(bytes_of(rows[i].text), 25, &route, &err),
		          rows[i].result);
		if (route)
			CHECK_STRING(rows[i].name, route->text, rows[i].canonical);
		route_release(route);
	}
}

static void test_same_hosts_are_the_same_site(void)
{
	struct route_host forward[] = { { "mx2.test", 20 }, { "mx1.test", 10 } };
	struct route_host backward[] = { { "mx1.test", 10 }, { "mx2.test", 20 } };
	struct route *a = route_create(forward, 2, 25, false);
	struct route *b = route_create(backward, 2, 25, false);
	struct route *c = route_create(backward, 2, 26, false);

	CHECK_STRING("text", a->text, "10 mx1.test,20 mx2.test");
	CHECK_STRING("name", a->name, "mx1.test+1");
	CHECK_TRUE("same", a->hash == b->hash);
	CHECK_TRUE("other port, other site", a->hash != c->hash);
	route_release(a);
	route_release(b);
	route_release(c);
}

static void test_many_hosts_are_cut(void)
{
	static struct route_host hosts[100];
	struct route *route;

	for (uint16_t i = 0; i < COUNT(hosts); i++) {
		hosts[i].preference = (uint16_t)(100 - i);
		snprintf(hosts[i].name, sizeof hosts[i].name, "a-rather-long-host-name-%u.test", i);
	}
	route = route_create(hosts, COUNT(hosts), 25, false);
	CHECK_INT("count", route->host_count, ROUTE_HOSTS_MAX);
	CHECK_INT("best first", route->hosts[0].preference, 1);
	CHECK_TRUE("text is cut", strlen(route->text) < ROUTE_TEXT_MAX);
	route_release(route);
}

TEST_MAIN(test_parse, test_same_hosts_are_the_same_site, test_many_hosts_are_cut)
