/* postconf(5): what main.cf says, said in our words. What comes out is always a configuration. */
#include "config/config.h"
#include "migrate/main_cf.h"
#include "support/check.h"

static const struct {
	const char *name, *in, *out; /* out: a part of the result */
} rows[] = {
	{ "a name", "myhostname = mx.example.com\n", "hostname \"mx.example.com\";" },
	{ "of a name in a value", "mydomain=example.com\nmyorigin = $mydomain\n",
	  "domain \"example.com\";" },
	{ "in braces", "mydomain=example.com\nmyhostname = mx.${mydomain}\n",
	  "hostname \"mx.example.com\";" },
	{ "values that name each other", "myhostname = $mydomain\nmydomain = $myhostname\n",
	  "listener" },
	{ "a value over several lines",
	  "mynetworks = 10.0.0.0/8\n\t192.0.2.0/24,\n  [2001:db8::]/32\n",
	  "relay_from 127.0.0.0/8 ::1 10.0.0.0/8 192.0.2.0/24 2001:db8::/32;" },
	{ "the last one counts", "relayhost = a.test\nrelayhost = [b.test]:587\n",
	  "route \"b.test:587\";" },
	{ "waits", "minimal_backoff_time = 10m\nmaximal_backoff_time = 1h\n",
	  "schedule 600s 1200s 2400s 3600s;" },
	{ "days and hours", "maximal_queue_lifetime = 3\ndelay_warning_time = 4h\n",
	  "lifetime 3d;" },
	{ "encryption", "smtp_tls_security_level = secure\n", "tls verify;" },
	{ "loopback", "inet_interfaces = loopback-only\n", "listener \"127.0.0.1:25\"" },
	{ "without an equivalent", "transport_maps = hash:/etc/postfix/transport\n",
	  "#   transport_maps = hash:/etc/postfix/transport\n" },
	{ "a comment", "# myhostname = no.test\nmyhostname = yes.test\n",
	  "hostname \"yes.test\";" },
	{ "a quote in a value", "myhostname = a\";}\n", "listener" },
	{ "no settings at all", "", "listener" },
};

static void test_main_cf_convert(void)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buffer out = { 0 }, problems = { 0 };
		struct config *config = NULL;

		main_cf_convert(bytes_of(rows[i].in), &out);
		if (bytes_find(buffer_bytes(&out), bytes_of(rows[i].out)) < 0)
			CHECK_BYTES(rows[i].name, buffer_bytes(&out), bytes_of(rows[i].out));
		CHECK_INT(rows[i].name,
		          config_parse("made", buffer_bytes(&out), &config, &problems), 0);
		config_release(config);
		buffer_deinit(&out);
		buffer_deinit(&problems);
	}
}

TEST_MAIN(test_main_cf_convert)
