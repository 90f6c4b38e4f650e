/* The resolver against the lab's name server, in one process: RFC 5321 5.1, RFC 7505 (standards 3.1
 * to 3.5, 7.5, 7.6). tests/system/test_dns.py asks an independent server. */
#include "base/units.h"
#include "dns/dns.h"
#include "lab/lab.h"
#include "runtime/fiber.h"
#include "runtime/loop.h"
#include "support/check.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char world[] =
	"domain one.test { mx 10 mx1.one.test; }"
	"domain many.test { mx 20 b.many.test 10 c.many.test 10 A.many.test. 30 d.many.test; }"
	"domain null.test { mx 0 .; }"
	"domain null-and-more.test { mx 0 . 10 mx.null-and-more.test; }"
	"domain roots.test { mx 0 . 10 .; }"
	"domain strange.test { mx 10 \"a b.test\" 20 good.test; }"
	"domain only-strange.test { mx 10 \"a b.test\"; address 127.0.0.9; }"
	"domain implicit.test { address 127.0.0.9; }"
	"domain implicit6.test { address 2001:db8::9; }"
	"domain empty.test { }"
	"domain own.test { mx 10 first.test 20 ME.lab.test 20 beside.test 30 later.test; }"
	"domain own-only.test { mx 5 me.lab.test 10 later.test; }"
	"domain me.lab.test { address 127.0.0.3; }"
	"domain alias.test { cname one.test; }"
	"domain alias2.test { cname alias.test; }"
	"domain alias-to-nothing.test { cname nowhere.test; }"
	"domain loop-a.test { cname loop-b.test; }"
	"domain loop-b.test { cname loop-a.test; }"
	"domain gone.test { nxdomain; }"
	"domain broken.test { servfail; }"
	"domain refusing.test { refused; }"
	"domain dead.test { timeout; }"
	"domain truncated.test { truncate; mx 10 mx1.one.test; }"
	"domain moving.test { ttl 1s; mx 10 old.test; }"
	"domain forgotten.test { ttl 1h; mx 10 old.test; }"
	"domain both.test { address 127.0.0.1 127.0.0.2 2001:db8::1 127.0.0.3 2001:db8::2; }"
	"domain alias-host.test { cname both.test; }";

static const struct config base_config = {
	.hostname = "me.lab.test",
	.dns = { .trust_anchor = "",
	         .timeout_us = US_PER_SECOND,
	         .ttl_min_us = US_PER_SECOND,
	         .ttl_max_us = US_PER_DAY },
	.deliver = { .helo = "me.lab.test", .port = 25 },
};

static struct {
	struct lab *lab;
	struct resolver *resolver;
} env;

static void control(const char *line)
{
	struct buffer out = { 0 };

	CHECK_INT(line, lab_control(env.lab, bytes_of(line), &out), 0);
	buffer_deinit(&out);
}

static int dns_queries(void)
{
	struct buffer out = { 0 };
	const char *found;
	int count;

	lab_control(env.lab, bytes_of("status"), &out);
	buffer_append_char(&out, '\0');
	found = strstr(out.at, "\"dns_queries\":");
	count = found ? (int)strtol(found + 14, NULL, 10) : -1;
	buffer_deinit(&out);
	return count;
}

/* "10 a.test,20 b.test", or the status when there is no route. */
static void describe(const char *domain, char *out, size_t size)
{
	struct dns_route_answer answer;
	int64_t now_us = clock_now_us();

	dns_route(env.resolver, bytes_of(domain), &answer);
	if (answer.status == DNS_FOUND)
		snprintf(out, size, "%s%s", answer.is_implicit ? "implicit " : "",
		         answer.route->text);
	else
		snprintf(out, size, "%s%s", dns_status_name(answer.status),
		         answer.is_self ? " (self)" : "");
	CHECK_TRUE(domain, (answer.status == DNS_FOUND) == (answer.text[0] == '\0'));
	CHECK_TRUE(domain, (answer.status == DNS_FOUND) == (answer.route != NULL));
	CHECK_TRUE(domain, answer.valid_until_us > now_us);
	route_release(answer.route);
}

static const struct {
	const char *domain, *want;
} routes[] = {
	{ "one.test", "10 mx1.one.test" },
	{ "ONE.Test.", "10 mx1.one.test" },
	{ "many.test", "10 a.many.test,10 c.many.test,20 b.many.test,30 d.many.test" }, /* 3.3 */
	{ "null.test", "null_mx" },                                                     /* 7.5 */
	{ "null-and-more.test", "10 mx.null-and-more.test" },                           /* 7.6 */
	{ "roots.test", "no_hosts" },
	{ "strange.test", "20 good.test" },
	{ "only-strange.test", "no_hosts" }, /* 3.2: no fallback to the address */
	{ "implicit.test", "implicit 0 implicit.test" },
	{ "implicit6.test", "implicit 0 implicit6.test" },
	{ "empty.test", "no_hosts" },
	{ "own.test", "10 first.test" },        /* 3.4 */
	{ "own-only.test", "no_hosts (self)" }, /* 3.4 */
	{ "me.lab.test", "no_hosts (self)" },   /* 3.4, without an MX */
	{ "alias.test", "10 mx1.one.test" },    /* 3.1 */
	{ "alias2.test", "10 mx1.one.test" },
	{ "alias-to-nothing.test", "no_domain" },
	{ "loop-a.test", "server_failure" },
	{ "gone.test", "no_domain" }, /* 3.1 */
	{ "never-heard-of.test", "no_domain" },
	{ "broken.test", "server_failure" }, /* 3.1 */
	{ "refusing.test", "server_failure" },
	{ "dead.test", "timeout" },
	{ "truncated.test", "10 mx1.one.test" },
	{ "[127.0.0.1]", "implicit 0 [127.0.0.1]" },
	{ "[IPv6:2001:db8::1]", "implicit 0 [IPv6:2001:db8::1]" },
	{ "[127.0.0]", "no_domain" },
	{ "", "no_domain" },
	{ "a b.test", "no_domain" },
	{ "a..test", "no_domain" },
};

static void test_routes(void)
{
	char got[ROUTE_TEXT_MAX + 64];

	for (size_t i = 0; i < COUNT(routes); i++) {
		describe(routes[i].domain, got, sizeof got);
		CHECK_STRING(routes[i].domain, got, routes[i].want);
	}
}

static void test_texts(void)
{
	static const struct {
		const char *domain, *want;
	} rows[] = {
		{ "gone.test", "DNS lookup of MX gone.test: NXDOMAIN" },
		{ "broken.test", "DNS lookup of MX broken.test: SERVFAIL" },
		{ "dead.test", "DNS lookup of MX dead.test: no answer within 1 s" },
		{ "null.test", "null.test accepts no mail (null MX)" },
		{ "empty.test", "empty.test has neither MX nor address records" },
	};
	struct dns_route_answer answer;

	for (size_t i = 0; i < COUNT(rows); i++) {
		dns_route(env.resolver, bytes_of(rows[i].domain), &answer);
		CHECK_STRING(rows[i].domain, answer.text, rows[i].want);
	}
}

static void test_big_set(void)
{
	struct dns_route_answer answer;

	dns_route(env.resolver, bytes_of("big.test"), &answer);
	CHECK_INT("status", answer.status, DNS_FOUND);
	CHECK_INT("hosts", answer.route->host_count, ROUTE_HOSTS_MAX);
	CHECK_STRING("best", answer.route->hosts[0].name, "mx0.big.test");
	CHECK_STRING("last", answer.route->hosts[31].name, "mx31.big.test");
	route_release(answer.route);
}

static void test_addresses(void)
{
	static const struct {
		const char *host;
		bool want_ipv6;
		enum dns_status status;
		const char *want;
	} rows[] = {
		{ "both.test", true, DNS_FOUND,
		  "2001:db8::1 127.0.0.1 2001:db8::2 127.0.0.2 127.0.0.3" },
		{ "both.test", false, DNS_FOUND, "127.0.0.1 127.0.0.2 127.0.0.3" },
		{ "alias-host.test", false, DNS_FOUND, "127.0.0.1 127.0.0.2 127.0.0.3" }, /* 3.5 */
		{ "implicit6.test", false, DNS_NO_DATA, "" },
		{ "gone.test", true, DNS_NO_DOMAIN, "" },
		{ "broken.test", true, DNS_SERVER_FAILURE, "" },
		{ "dead.test", true, DNS_TIMEOUT, "" },
		{ "[127.0.0.5]", true, DNS_FOUND, "127.0.0.5" },
		{ "127.0.0.5", true, DNS_FOUND, "127.0.0.5" },
		{ "[IPv6:::1]", true, DNS_FOUND, "::1" },
		{ "not a host", true, DNS_NO_DOMAIN, "" },
	};
	struct dns_address_answer answer;

	for (size_t i = 0; i < COUNT(rows); i++) {
		char got[1024] = "", text[ADDRESS_TEXT_MAX];

		dns_addresses(env.resolver, rows[i].host, rows[i].want_ipv6, &answer);
		for (int k = 0; k < answer.count; k++) {
			address_format(&answer.addresses[k], text);
			snprintf(got + strlen(got), sizeof got - strlen(got), "%s%s", k ? " " : "",
			         text);
		}
		CHECK_INT(rows[i].host, answer.status, rows[i].status);
		/* Within a family a server may turn the order; both.test's are sorted here. */
		CHECK_INT(rows[i].host, strlen(got), strlen(rows[i].want));
		CHECK_TRUE(rows[i].host, (answer.text[0] == '\0') == (answer.count > 0));
	}
}

/* Fibers that ask the same thing at the same time share one lookup. */
static int running;

static void ask_once(void *arg)
{
	const char *domain = arg;
	char got[ROUTE_TEXT_MAX + 64];

	describe(domain, got, sizeof got);
	CHECK_STRING(domain, got, "10 mx1.one.test");
	running--;
}

static void test_sharing(void)
{
	int before;

	dns_forget(env.resolver, bytes_of("one.test"));
	before = dns_queries();
	running = 200;
	for (int i = 0; i < 200; i++)
		fiber_spawn(ask_once, "one.test", "asker");
	while (running > 0)
		fiber_sleep(clock_now_us() + 5 * US_PER_MS);
	CHECK_TRUE("at most one question", dns_queries() - before <= 1);
}

/* A moved MX is seen once its TTL is over, and a failure that ends soon after. */
static void test_moving(void)
{
	char got[ROUTE_TEXT_MAX + 64];

	describe("moving.test", got, sizeof got);
	CHECK_STRING("before", got, "10 old.test");
	control("moving.test mx 10 new.test");
	describe("moving.test", got, sizeof got);
	CHECK_STRING("within its time", got, "10 old.test");
	fiber_sleep(clock_now_us() + 2100 * US_PER_MS);
	describe("moving.test", got, sizeof got);
	CHECK_STRING("after", got, "10 new.test");
}

static void test_forget(void)
{
	char got[ROUTE_TEXT_MAX + 64];

	describe("forgotten.test", got, sizeof got);
	CHECK_STRING("before", got, "10 old.test");
	control("forgotten.test mx 10 new.test");
	fiber_sleep(clock_now_us() + 1100 * US_PER_MS);
	dns_forget(env.resolver, bytes_of("forgotten.test"));
	describe("forgotten.test", got, sizeof got);
	CHECK_STRING("after", got, "10 new.test");
	dns_forget(env.resolver, bytes_of(""));
	describe("one.test", got, sizeof got);
	CHECK_STRING("all forgotten", got, "10 mx1.one.test");
}

static void test_stub(void)
{
	char got[ROUTE_TEXT_MAX + 64];

	describe("many.test", got, sizeof got);
	CHECK_STRING("many.test", got,
	             "10 a.many.test,10 c.many.test,20 b.many.test,30 d.many.test");
	describe("never-heard-of.test", got, sizeof got);
	CHECK_STRING("never-heard-of.test", got, "no_domain");
}

static void test_bad_config(void)
{
	static const struct {
		char *server, *stub, *trust_anchor;
		const char *want;
	} rows[] = {
		{ "nowhere", NULL, "", "DNS: \"nowhere\" is not an address of a server" },
		{ "127.0.0.1", "test", "", "DNS: \"\" is not an address of a server" },
		{ "127.0.0.1", "a b=127.0.0.1", "",
		  "DNS: stub \"a b=127.0.0.1\" is not ZONE=ADDRESS" },
		{ "127.0.0.1", NULL, "/nowhere/root.key",
		  "DNS: trust anchor /nowhere/root.key: No such file or directory" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		char *servers[] = { rows[i].server }, *stubs[] = { rows[i].stub };
		struct config config = base_config;
		struct resolver *resolver = NULL;
		struct err err = { 0 };

		config.dns.servers = (struct config_strings){ servers, 1 };
		config.dns.stubs = (struct config_strings){ stubs, rows[i].stub ? 1 : 0 };
		config.dns.trust_anchor = rows[i].trust_anchor;
		CHECK_TRUE(rows[i].want, resolver_start(&config, &resolver, &err) < 0);
		CHECK_STRING(rows[i].want, err.text, rows[i].want);
		CHECK_TRUE(rows[i].want, resolver == NULL);
	}
}

static void stop_now(struct timer *timer)
{
	(void)timer;
	resolver_stop(env.resolver);
	env.resolver = NULL;
}

/* Who asks while the resolver stops gets an answer all the same. */
static void test_stop_while_asking(void)
{
	struct dns_route_answer answer;
	struct timer timer = { 0 };
	int64_t began_us = clock_now_us();

	timer_set(&timer, began_us + 100 * US_PER_MS, stop_now);
	dns_route(env.resolver, bytes_of("dead.test"), &answer);
	CHECK_INT("status", answer.status, DNS_TIMEOUT);
	CHECK_TRUE("before its deadline", clock_now_us() - began_us < 900 * US_PER_MS);
}

static void make_world(struct buffer *out)
{
	buffer_append_text(out, world);
	buffer_append_text(out, "domain big.test { mx");
	for (int i = 0; i < 300; i++)
		buffer_printf(out, " %d mx%d.big.test", i, i);
	buffer_append_text(out, "; }");
}

struct run {
	void (*test)(void);
};

static void run_in_loop(void *arg)
{
	const struct run *run = arg;

	run->test();
	loop_stop(loop_current());
}

/* How the resolver finds the lab. A stub's zone, "test", is one that libunbound would answer
 * itself. */
enum ask_by { ASK_BY_SERVER, ASK_BY_STUB };

/* A loop, a lab and a resolver for each test, so that none sees another's cache. */
static void run_in_fiber(void (*test)(void), enum ask_by by)
{
	struct lab_options options = { .record_path = "", .keep_directory = "" };
	char server[64], stub[80];
	char *servers[] = { server }, *stubs[] = { stub };
	struct config config = base_config;
	struct run run = { test };
	struct buffer text = { 0 };
	struct loop *loop;
	struct err err = { 0 };

	make_world(&text);
	CHECK_INT("loop", loop_create(&loop, &err), 0);
	CHECK_INT(err.text, lab_start("world", buffer_bytes(&text), &options, &env.lab, &err), 0);
	snprintf(server, sizeof server, "127.0.0.1:%u", lab_dns_port(env.lab));
	snprintf(stub, sizeof stub, "test=%s", server);
	if (by == ASK_BY_SERVER)
		config.dns.servers = (struct config_strings){ servers, 1 };
	else
		config.dns.stubs = (struct config_strings){ stubs, 1 };
	CHECK_INT(err.text, resolver_start(&config, &env.resolver, &err), 0);
	fiber_spawn(run_in_loop, &run, "test");
	loop_run(loop);
	resolver_stop(env.resolver);
	lab_shut(env.lab);
	loop_destroy(loop);
	lab_destroy(env.lab);
	buffer_deinit(&text);
}

#define IN_FIBER(name, by)                \
	static void name##_in_fiber(void) \
	{                                 \
		run_in_fiber(name, by);   \
	}

IN_FIBER(test_routes, ASK_BY_SERVER)
IN_FIBER(test_texts, ASK_BY_SERVER)
IN_FIBER(test_big_set, ASK_BY_SERVER)
IN_FIBER(test_addresses, ASK_BY_SERVER)
IN_FIBER(test_sharing, ASK_BY_SERVER)
IN_FIBER(test_moving, ASK_BY_SERVER)
IN_FIBER(test_forget, ASK_BY_SERVER)
IN_FIBER(test_stub, ASK_BY_STUB)
IN_FIBER(test_stop_while_asking, ASK_BY_SERVER)

TEST_MAIN(test_routes_in_fiber, test_texts_in_fiber, test_big_set_in_fiber, test_addresses_in_fiber,
          test_sharing_in_fiber, test_moving_in_fiber, test_forget_in_fiber, test_stub_in_fiber,
          test_bad_config, test_stop_while_asking_in_fiber)
