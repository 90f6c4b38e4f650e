#include "base/buffer.h"
#include "config/config.h"
#include "support/check.h"
#include <stdlib.h>

static const struct {
	const char *name, *text, *problems;
} rows[] = {
	{ "unknown key, near", "receive {\n\tconections 5;\n}\n",
	  "t:2: receive.conections: unknown key; did you mean 'connections'?\n" },
	{ "unknown key, far", "\nzzz 5;\n", "t:2: zzz: unknown key\n" },
	{ "unknown key of a destination", "destination a.test {\nlifetme 1h; }",
	  "t:2: destination \"a.test\".lifetme: unknown key; did you mean 'lifetime'?\n" },
	{ "unknown block", "recieve {\n}\n",
	  "t:1: recieve: unknown block; did you mean 'receive'?\n" },
	{ "key as a block", "hostname {\n}\n",
	  "t:1: hostname: this is a key, not a block: a value and ';' are expected\n" },
	{ "block as a key", "spool 5;\n",
	  "t:1: spool: this is a block, not a key: '{' is expected\n" },
	{ "not a number", "workers many;\n", "t:1: workers: 'many' is not a number\n" },
	{ "negative", "workers -1;\n", "t:1: workers: '-1' is not a number\n" },
	{ "too many", "\n\nworkers 300;\n", "t:3: workers: 300 is out of range (0 to 256)\n" },
	{ "beyond 64 bits", "workers 99999999999999999999;\n",
	  "t:1: workers: '99999999999999999999' is not a number\n" },
	{ "not a duration", "defaults { idle 5parsecs; }",
	  "t:1: defaults.idle: '5parsecs' is not a duration such as 250ms, 90s, 1h30m or 5d\n" },
	{ "duration out of range", "defaults { idle 2h; }",
	  "t:1: defaults.idle: 2h is out of range (0 to 1h)\n" },
	{ "one of several durations", "defaults { schedule 1h 1ms 5m; }",
	  "t:1: defaults.schedule: 1ms is out of range (100ms to 365d)\n" },
	{ "no duration", "defaults { schedule; }",
	  "t:1: defaults.schedule: the value is missing: a duration such as 250ms, 90s, 1h30m or "
	  "5d is expected\n" },
	{ "not a size", "receive { message_size large; }",
	  "t:1: receive.message_size: 'large' is not a size such as 4096, 64K, 50M or 2G\n" },
	{ "size out of range", "receive { message_size 1K; }",
	  "t:1: receive.message_size: 1K is out of range (64K to 4G)\n" },
	{ "RFC 5321 4.5.3.1.8", "receive { recipients_per_message 99; }",
	  "t:1: receive.recipients_per_message: 99 is out of range (100 to 50000)\n" },
	{ "not a switch", "deliver { ipv6 maybe; }",
	  "t:1: deliver.ipv6: 'maybe' is not yes or no\n" },
	{ "not a choice", "log { level loud; }",
	  "t:1: log.level: 'loud' is none of: debug info warning error\n" },
	{ "not a network", "receive { relay_from 10.0.0.0/8 10.0.0.0/33; }",
	  "t:1: receive.relay_from: '10.0.0.0/33' is not a network such as 192.0.2.0/24 or "
	  "2001:db8::/32\n" },
	{ "not an endpoint", "dns { servers 127.0.0.1; }",
	  "t:1: dns.servers: '127.0.0.1' is not an address with port such as 127.0.0.1:25 or "
	  "[::1]:25\n" },
	{ "not a stub", "dns { stubs test; }",
	  "t:1: dns.stubs: 'test' is not a zone and a server such as test=127.0.0.1:53\n" },
	{ "not a host name", "hostname \"a b\";",
	  "t:1: hostname: 'a b' is not a host name such as "
	  "mail.example.com\n" },
	{ "not a mailbox", "report { from me; }",
	  "t:1: report.from: 'me' is not a mail address such as postmaster@example.com\n" },
	{ "not an IP address", "deliver { source_addresses eth0; }",
	  "t:1: deliver.source_addresses: 'eth0' is not an IP address\n" },
	{ "not a route", "defaults { route \"a..b\"; }",
	  "t:1: defaults.route: 'a..b' is not hosts such as mx.example.com or [192.0.2.1]:25\n" },
	{ "no directory", "spool { directory \"\"; }", "t:1: spool.directory: '' is not a name\n" },
	{ "no value", "workers;", "t:1: workers: the value is missing: a number is expected\n" },
	{ "two values", "workers 1\nnode 2;\n",
	  "t:1: workers: takes one value, but 'node' follows: is a ';' missing?\n" },
	{ "set twice", "receive { hops 50; }\n\nreceive {\nhops 60; }",
	  "t:4: receive.hops: already set at t:1\n" },
	{ "destination twice", "destination A.test { }\ndestination a.TEST { }",
	  "t:2: destination: there is already a block \"a.TEST\"\n" },
	{ "listener twice", "listener 127.0.0.1:1 { }\nlistener 127.0.0.1:1 { }",
	  "t:2: listener: there is already a block \"127.0.0.1:1\"\n" },
	{ "pattern", "destination a.*.test { }",
	  "t:1: destination: 'a.*.test' is not a domain, or *. and a domain\n" },
	{ "address literal",
	  "destination [1.2.3.4] { } destination [IPv6:::1] { }\n"
	  "destination [x] { }",
	  "t:2: destination: '[x]' is not an address in brackets\n" },
	{ "preset's name", "preset \"a b\" { }",
	  "t:1: preset: 'a b' is not a name of letters, digits, - and _\n" },
	{ "no argument", "destination { }",
	  "t:1: destination: takes one argument: destination \"DOMAIN\" { ... }\n" },
	{ "two arguments", "listener 127.0.0.1:1 127.0.0.1:2 { }",
	  "t:1: listener: takes one argument: listener \"ADDRESS:PORT\" { ... }\n" },
	{ "an argument too many", "spool fast { }", "t:1: spool: takes no argument\n" },
	{ "unknown preset", "defaults {\npreset fast; }",
	  "t:2: defaults.preset: there is no preset 'fast'\n" },
	{ "preset of a preset", "preset a { preset postfix; }",
	  "t:1: preset \"a\".preset: a preset cannot take another preset\n" },
	{ "TLS without a certificate", "listener 127.0.0.1:25 {\n\ttls starttls;\n}",
	  "t:2: listener \"127.0.0.1:25\".tls: needs a certificate\n" },
	{ "DKIM without a key", "dkim s._domainkey.a.test {\n}",
	  "t:1: dkim: its `key` is missing\n" },
	{ "no name of a key record", "dkim a.test {\n\tkey x;\n}",
	  "t:1: dkim: 'a.test' is not the name of a key record such as "
	  "s1._domainkey.example.com\n" },
	{ "no day", "dkim s._domainkey.a.test {\n\tkey x; from 2026-02-30;\n}",
	  "t:2: dkim \"s._domainkey.a.test\".from: '2026-02-30' is not a day such as "
	  "2026-11-23\n" },
	{ "alarm of nothing", "alarm a {\n\tfile /a;\n}",
	  "t:1: alarm: needs one of expiring, site_down, queue_age and disk_free\n" },
	{ "alarm of two things", "alarm a { expiring 1; queue_age 1h; file /a; }",
	  "t:1: alarm: needs one of expiring, site_down, queue_age and disk_free\n" },
	{ "alarm to nobody", "alarm a { expiring 1; }",
	  "t:1: alarm: needs exec, webhook or file\n" },
	{ "alarm by mail", "alarm a { expiring 1; file /a;\n\twebhook mailto:me@a.test; }",
	  "t:2: alarm \"a\".webhook: 'mailto:me@a.test' is not a URL that begins with "
	  "https:// or http://\n" },
	{ "ttl", "dns { ttl_min 1h; ttl_max 1m; }", "t:1: dns.ttl_min: more than dns.ttl_max\n" },
	{ "missing brace", "receive {\n\thops 50;\n\nspool {\n}\n",
	  "t:1: receive: the block that begins here has no '}'\n"
	  "t:4: receive.spool: a block cannot stand here: is a '}' missing above?\n" },
	{ "brace too many", "receive { }\n}\nworkers 1;\n", "t:2: '}' without a block\n" },
	{ "missing semicolon", "receive { hops 50 }", "t:1: hops: ';' is missing behind it\n" },
	{ "no name", "receive { hops 50;\n; }",
	  "t:2: the name of a key or block is expected here\n" },
	{ "a string as name", "\"workers\" 5;",
	  "t:1: the name of a key or block is expected here\n" },
	{ "open string", "hostname \"mail;\nworkers 1;\n",
	  "t:1: the string that begins here has no closing \"\n" },
	{ "unknown escape", "hostname \"a\\qb\";",
	  "t:1: unknown escape in a string; there are \\\" "
	  "\\\\ \\n \\t\n" },
	{ "not UTF-8", "hostname gr\xfc\xdf;", "t:1: this is not UTF-8\n" },
	{ "binary", "workers 1;\n\x01\x02\x03",
	  "t:2: control character: this is not a text file\n" },
	{ "include in a text", "include \"x.conf\";", "t:1: include: not allowed here\n" },
	{ "several", "workers many;\nreceive {\nhops 1;\nhop 1; }\n",
	  "t:1: workers: 'many' is not a number\n"
	  "t:3: receive.hops: 1 is out of range (10 to 1000)\n"
	  "t:4: receive.hop: unknown key; did you mean 'hops'?\n" },
};

static void test_each_mistake(void)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buffer problems = { 0 };
		struct config *config = NULL;

		CHECK_INT(rows[i].name,
		          config_parse("t", bytes_of(rows[i].text), &config, &problems),
		          ERR_INVALID);
		CHECK_TRUE(rows[i].name, config == NULL);
		CHECK_BYTES(rows[i].name, buffer_bytes(&problems), bytes_of(rows[i].problems));
		buffer_deinit(&problems);
	}
}

static int lines_in(struct bytes text)
{
	int count = 0;

	for (size_t i = 0; i < text.len; i++)
		count += text.at[i] == '\n';
	return count;
}

/* What a text of `count` times `piece` gives; returns the lines of problems. */
static int problem_lines(const char *piece, int count, struct buffer *problems)
{
	struct buffer text = { 0 };
	struct config *config = NULL;

	for (int i = 0; i < count; i++)
		buffer_append_text(&text, piece);
	buffer_clear(problems);
	config_parse("t", buffer_bytes(&text), &config, problems);
	config_release(config);
	buffer_deinit(&text);
	return lines_in(buffer_bytes(problems));
}

static void check_says(const char *name, const struct buffer *problems, const char *text)
{
	CHECK_TRUE(name, bytes_find(buffer_bytes(problems), bytes_of(text)) >= 0);
}

static void test_limits(void)
{
	struct buffer problems = { 0 };

	CHECK_INT("only the first 20", problem_lines("bad 1;\n", 1000, &problems), 21);
	check_says("the last line", &problems, "more problems are not shown\n");
	problem_lines("receive {", 9, &problems);
	check_says("nesting", &problems, "t:1: receive: blocks are nested more than 8 deep\n");
	problem_lines("a ", 1002, &problems);
	check_says("values", &problems, "t:1: a: more than 1000 values\n");
	problem_lines("a;", 500001, &problems);
	CHECK_INT("entries do not crash", lines_in(buffer_bytes(&problems)), 21);
	CHECK_INT("size", problem_lines("        ", 4 * 1024 * 1024 / 8 + 1, &problems), 1);
	check_says("size", &problems, "t: more than 4194304 bytes\n");
	buffer_deinit(&problems);
}

TEST_MAIN(test_each_mistake, test_limits)
