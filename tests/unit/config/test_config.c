#include "base/buffer.h"
#include "base/units.h"
#include "config/config.h"
#include "support/check.h"
#include <stdlib.h>

/* The parsed text; NULL, after printing why, if it has problems. */
static struct config *parsed(const char *text)
{
	struct buffer problems = { 0 };
	struct config *config = NULL;

	config_parse("t", bytes_of(text), &config, &problems);
	CHECK_BYTES("problems", buffer_bytes(&problems), bytes_of(""));
	buffer_deinit(&problems);
	return config;
}

static void test_defaults(void)
{
	struct config *config = parsed("");

	CHECK_INT("connections", config->receive.connections, 20000);
	CHECK_TRUE("size", config->receive.message_size_bytes == 50 << 20);
	CHECK_INT("networks", config->receive.relay_from.count, 2);
	CHECK_BYTES("network", bytes_of(config->receive.relay_from.items[1]), bytes_of("::1"));
	CHECK_INT("listeners", config->receive.listener_count, 1);
	CHECK_BYTES("listener", bytes_of(config->receive.listeners[0].address),
	            bytes_of("127.0.0.1:25"));
	CHECK_BYTES("kind", bytes_of(config->receive.listeners[0].kind), bytes_of("relay"));
	CHECK_TRUE("ipv6", config->deliver.ipv6 && !config->deliver.allow_own_address);
	CHECK_TRUE("hostname", config->hostname[0] != '\0');
	CHECK_BYTES("helo", bytes_of(config->deliver.helo), bytes_of(config->hostname));
	CHECK_TRUE("lifetime", config->defaults.lifetime_us == 5 * US_PER_DAY);
	CHECK_INT("schedule", config->defaults.schedule_count, 5);
	CHECK_TRUE("last wait", config->defaults.schedule_us[4] == US_PER_HOUR);
	CHECK_BYTES("no route", bytes_of(config->defaults.route), bytes_of(""));
	CHECK_INT("destinations", config->destination_count, 0);
	CHECK_BYTES("trust anchor", bytes_of(config->dns.trust_anchor), bytes_of(""));
	config_release(config);
}

static void test_values(void)
{
	struct config *config = parsed("# a comment\n"
	                               "hostname mail.example.com; workers 3;\n"
	                               "listener \"127.0.0.1:2525\" { kind submission; }\n"
	                               "listener [::1]:0 { }\n"
	                               "receive { hops 50; } receive { header_size 1M; }\n"
	                               "spool { directory \"/a b/\\\"c\\\\\"; } # ends\n"
	                               "dns { servers; stubs test=127.0.0.1:5 a.b=[::1]:6; }\n"
	                               "deliver { ipv6 no; dot_timeout 1h30m; }\n");

	CHECK_BYTES("hostname", bytes_of(config->hostname), bytes_of("mail.example.com"));
	CHECK_BYTES("from", bytes_of(config->report.from), bytes_of("postmaster@mail.example.com"));
	CHECK_INT("workers", config->workers, 3);
	CHECK_INT("listeners", config->receive.listener_count, 2);
	CHECK_BYTES("kind", bytes_of(config->receive.listeners[0].kind), bytes_of("submission"));
	CHECK_BYTES("second", bytes_of(config->receive.listeners[1].address), bytes_of("[::1]:0"));
	CHECK_INT("first part", config->receive.hops, 50);
	CHECK_TRUE("second part", config->receive.header_bytes == 1 << 20);
	CHECK_BYTES("escapes", bytes_of(config->spool.directory), bytes_of("/a b/\"c\\"));
	CHECK_INT("no servers", config->dns.servers.count, 0);
	CHECK_BYTES("stub", bytes_of(config->dns.stubs.items[1]), bytes_of("a.b=[::1]:6"));
	CHECK_TRUE("switch", !config->deliver.ipv6);
	CHECK_TRUE("duration", config->deliver.dot_timeout_us == 90 * US_PER_MINUTE);
	config_release(config);
}

static const char destinations[] = "destination example.com { lifetime 1h; }\n"
				   "destination *.example.com { lifetime 2h; }\n"
				   "destination *.b.example.com { lifetime 3h; }\n"
				   "destination *.com { connections 7; }\n"
				   "defaults { lifetime 9h; connections 5; }\n";

static void test_destination_of(void)
{
	static const struct {
		const char *domain;
		int hours, connections;
	} rows[] = {
		{ "example.com", 1, 5 },
		{ "EXAMPLE.com", 1, 5 },
		{ "a.example.com", 2, 5 },
		{ "a.B.example.com", 3, 5 },
		{ "b.example.com", 2, 5 },
		{ "xexample.com", 9, 7 },
		{ "com", 9, 5 },
		{ "example.net", 9, 5 },
		{ "", 9, 5 },
		{ ".example.com", 2, 5 },
		{ "example.com.", 9, 5 },
		{ "*.example.com", 2, 5 },
		{ "c.a.example.com", 2, 5 },
		{ "d.c.b.example.com", 3, 5 },
	};
	struct config *config = parsed(destinations);

	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct config_destination *found = config_destination_of(
			config, bytes_of(rows[i].domain));

		CHECK_INT(rows[i].domain, found->lifetime_us / US_PER_HOUR, rows[i].hours);
		CHECK_INT(rows[i].domain, found->connections, rows[i].connections);
	}
	config_release(config);
}

/* A hostile domain of many labels costs a look-up each, and nothing beyond its length. */
static void test_destination_of_long_domains(void)
{
	static char domain[100000];
	struct config *config = parsed(destinations);

	memset(domain, '.', sizeof domain);
	CHECK_TRUE("defaults",
	           config_destination_of(config, (struct bytes){ domain, sizeof domain }) ==
	                   &config->defaults);
	config_release(config);
}

static void test_presets(void)
{
	struct config *config = parsed(
		"preset slow { lifetime 9d; connections 2; }\n"
		"preset postfix { lifetime 6d; }\n"
		"defaults { preset slow; connections 3; }\n"
		"destination a.test { preset exchange-online; }\n"
		"destination b.test { lifetime 1h; preset exchange-online; }\n"
		"destination c.test { preset postfix; }\n"
		"destination d.test { preset \"\"; }\n");
	const struct config_destination *d = config->destinations;

	CHECK_TRUE("in the defaults", config->defaults.lifetime_us == 9 * US_PER_DAY);
	CHECK_INT("given beats preset", config->defaults.connections, 3);
	CHECK_TRUE("built-in", d[0].lifetime_us == US_PER_DAY && d[0].schedule_count == 5);
	CHECK_INT("the rest from the defaults", d[0].connections, 3);
	CHECK_TRUE("given beats preset, in any order", d[1].lifetime_us == US_PER_HOUR);
	CHECK_TRUE("own beats built-in", d[2].lifetime_us == 6 * US_PER_DAY);
	CHECK_TRUE("no preset leaves the defaults", d[3].lifetime_us == 9 * US_PER_DAY);
	config_release(config);
}

static void collect(void *arg, const char *path, const char *value, const char *origin)
{
	buffer_printf(arg, "%s=%s (%s)\n", path, value, origin);
}

static void test_walk_names_the_line(void)
{
	static const char *const lines[] = {
		"hostname=a.test (t:1)\n",
		"node=0 (default)\n",
		"receive.hops=100 (default)\n",
		"preset \"p\".idle=1s (t:3)\n",
		"defaults.connections=7 (t:7)\n",
		"destination \"x\".lifetime=1h (t:10)\n",
		"destination \"x\".connections=7 (t:7)\n",
		"destination \"y\".schedule=30m (preset \"sendmail\")\n",
	};
	struct buffer all = { 0 };
	struct config *config = parsed(
		"hostname a.test;\npreset p {\n idle 1s;\n}\ndefaults {\n preset p;\n"
		" connections 7;\n}\ndestination x {\n lifetime 1h;\n}\n"
		"destination y { preset sendmail; }\n");

	config_walk(config, collect, &all);
	for (size_t i = 0; i < COUNT(lines); i++)
		CHECK_TRUE(lines[i], bytes_find(buffer_bytes(&all), bytes_of(lines[i])) >= 0);
	buffer_deinit(&all);
	config_release(config);
}

/* Of presets a file shows only what they set; all else has to come back whole. */
static void collect_value(void *arg, const char *path, const char *value, const char *origin)
{
	(void)origin;
	buffer_printf(arg, "%s=%s\n", path, value);
}

static void test_show_reads_back(void)
{
	struct buffer shown = { 0 }, first = { 0 }, second = { 0 };
	struct config *config = parsed(
		"preset slow { lifetime 9d; }\n"
		"destination a { preset slow; route \"[::1]:2 b.test\"; }\n"
		"defaults { schedule 100ms 1w1d1h1s; route c; }\n"
		"destination b { route \"\"; idle 0h59m7s; }\n"
		"spool { directory \"a\\n\\t\\\"\\\\\"; segment_size 1048577; }\n"
		"report { event_log -; }\n");
	config_walk(config, collect_value, &first);
	config_show(config, &shown);
	config_release(config);
	buffer_append_char(&shown, '\0');
	config = parsed(shown.at);
	config_walk(config, collect_value, &second);
	config_release(config);
	CHECK_BYTES("every value", buffer_bytes(&second), buffer_bytes(&first));
	buffer_deinit(&shown);
	buffer_deinit(&first);
	buffer_deinit(&second);
}

static void test_references(void)
{
	struct config *config = parsed("workers 2;");
	struct config *held = config_acquire(config);

	config_release(config);
	CHECK_INT("still there", held->workers, 2);
	config_release(held);
	config_release(NULL);
}

static void test_example_loads(void)
{
	struct buffer problems = { 0 };
	struct config *config = NULL;

	CHECK_INT("result", config_load("etc/outlast.conf", &config, &problems), 0);
	CHECK_BYTES("problems", buffer_bytes(&problems), bytes_of(""));
	CHECK_BYTES("listener", bytes_of(config->receive.listeners[0].address),
	            bytes_of("127.0.0.1:2525"));
	CHECK_TRUE("spool without root", config->spool.directory[0] != '/');
	config_release(config);
	buffer_deinit(&problems);
}

TEST_MAIN(test_defaults, test_values, test_destination_of, test_destination_of_long_domains,
          test_presets, test_walk_names_the_line, test_show_reads_back, test_references,
          test_example_loads)
