#include "runtime/address.h"
#include "support/check.h"

static const struct {
	const char *name, *text, *formatted; /* NULL: refused */
} addresses[] = {
	{ "IPv4", "127.0.0.1", "127.0.0.1:25" },
	{ "IPv4 and port", "127.0.0.1:2525", "127.0.0.1:2525" },
	{ "IPv6", "::1", "[::1]:25" },
	{ "IPv6 in brackets", "[::1]", "[::1]:25" },
	{ "IPv6 and port", "[2001:db8::1]:587", "[2001:db8::1]:587" },
	{ "Unix", "unix:/run/x", "unix:/run/x" },
	{ "a name", "localhost", NULL },
	{ "empty", "", NULL },
	{ "port too large", "127.0.0.1:65536", NULL },
	{ "no bracket", "[::1", NULL },
	{ "junk behind", "[::1]x", NULL },
};

static void test_addresses(void)
{
	for (size_t i = 0; i < COUNT(addresses); i++) {
		char text[ADDRESS_TEXT_MAX];
		struct address address;
		bool is_good = address_parse(bytes_of(addresses[i].text), 25, &address);

		CHECK_INT(addresses[i].name, is_good, addresses[i].formatted != NULL);
		if (!is_good)
			continue;
		address_format_port(&address, text);
		CHECK_STRING(addresses[i].name, text, addresses[i].formatted);
	}
}

static const struct {
	const char *network, *address;
	int is_good, is_within;
} networks[] = {
	{ "10.0.0.0/8", "10.255.0.1", 1, 1 },
	{ "10.0.0.0/8", "11.0.0.1", 1, 0 },
	{ "192.0.2.7", "192.0.2.7", 1, 1 },
	{ "192.0.2.7", "192.0.2.6", 1, 0 },
	{ "192.0.2.0/25", "192.0.2.128", 1, 0 },
	{ "0.0.0.0/0", "203.0.113.9", 1, 1 },
	{ "::1/128", "::1", 1, 1 },
	{ "2001:db8::/33", "2001:db8:8000::1", 1, 0 },
	{ "127.0.0.0/8", "::ffff:127.0.0.1", 1, 1 },
	{ "::1/128", "127.0.0.1", 1, 0 },
	{ "10.0.0.1/8", "", 0, 0 },
	{ "10.0.0.0/33", "", 0, 0 },
	{ "ten/8", "", 0, 0 },
	{ "", "", 0, 0 },
};

static void test_networks(void)
{
	for (size_t i = 0; i < COUNT(networks); i++) {
		struct network network;
		struct address address;

		CHECK_INT(networks[i].network,
		          network_parse(bytes_of(networks[i].network), &network),
		          networks[i].is_good);
		if (!networks[i].is_good)
			continue;
		CHECK_TRUE(networks[i].address,
		           address_parse(bytes_of(networks[i].address), 0, &address));
		CHECK_INT(networks[i].address, network_contains(&network, &address),
		          networks[i].is_within);
	}
}

TEST_MAIN(test_addresses, test_networks)
