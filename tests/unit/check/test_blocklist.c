#include "check/blocklist.h"
#include "support/check.h"

static const struct {
	const char *ip, *want;
} names[] = {
	{ "192.0.2.7", "7.2.0.192.bl.example" },
	{ "127.0.0.2", "2.0.0.127.bl.example" },
	{ "2001:db8::7",
	  "7.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.bl.example" },
};

static void test_names(void)
{
	char name[BLOCKLIST_NAME_MAX];
	struct address address;

	for (size_t i = 0; i < COUNT(names); i++) {
		CHECK_TRUE(names[i].ip, address_parse(bytes_of(names[i].ip), 0, &address));
		blocklist_name_address(&address, "bl.example", name);
		CHECK_STRING(names[i].ip, name, names[i].want);
	}
	blocklist_name_domain(BYTES_LITERAL("example.org"), "dbl.example", name);
	CHECK_STRING("domain", name, "example.org.dbl.example");
}

/* RFC 5782 5. */
static void test_trials(void)
{
	static const struct blocklist_zone zone = { "bl.example", 7, true, "test", "" };
	static const struct {
		enum blocklist_kind kind;
		bool is_listed;
		const char *want;
	} rows[] = {
		{ BLOCKLIST_IPV4, true, "2.0.0.127.bl.example" },
		{ BLOCKLIST_IPV4, false, "1.0.0.127.bl.example" },
		{ BLOCKLIST_IPV6, true,
		  "2.0.0.0.0.0.f.7.f.f.f.f.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.bl.example" },
		{ BLOCKLIST_IPV6, false,
		  "1.0.0.0.0.0.f.7.f.f.f.f.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.bl.example" },
		{ BLOCKLIST_DOMAINS, true, "test.bl.example" },
		{ BLOCKLIST_DOMAINS, false, "invalid.bl.example" },
	};
	char name[BLOCKLIST_NAME_MAX];

	for (size_t i = 0; i < COUNT(rows); i++) {
		blocklist_name_test(&zone, rows[i].kind, rows[i].is_listed, name);
		CHECK_STRING(rows[i].want, name, rows[i].want);
	}
}

static const struct {
	const char *name, *first, *second;
	enum blocklist_reading want;
} readings[] = {
	{ "nothing", NULL, NULL, BLOCKLIST_CLEAR },
	{ "the usual code", "\x7f\0\0\2", NULL, BLOCKLIST_LISTED },
	{ "two codes", "\x7f\0\0\2", "\x7f\0\0\x0a", BLOCKLIST_LISTED },
	{ "a code of domains", "\x7f\0\1\2", NULL, BLOCKLIST_LISTED },
	{ "a public resolver", "\x7f\xff\xff\xfe", NULL, BLOCKLIST_REFUSED },
	{ "too many questions", "\x7f\xff\xff\xff", NULL, BLOCKLIST_REFUSED },
	{ "the list's name is wrong", "\x7f\xff\xff\xfc", NULL, BLOCKLIST_REFUSED },
	{ "blocked", "\x7f\0\0\1", NULL, BLOCKLIST_REFUSED },
	{ "an error beside a code", "\x7f\0\0\2", "\x7f\xff\xff\xff", BLOCKLIST_REFUSED },
	{ "a parked domain", "\xcb\0\x71\x09", NULL, BLOCKLIST_NONSENSE },
};

static void test_read(void)
{
	for (size_t i = 0; i < COUNT(readings); i++) {
		struct bytes records[2] = { { readings[i].first, 4 }, { readings[i].second, 4 } };
		int count = (readings[i].first != NULL) + (readings[i].second != NULL);

		CHECK_INT(readings[i].name, blocklist_read(records, count), readings[i].want);
	}
}

/* The data itself. */
static void test_zones(void)
{
	for (int i = 0; i < blocklist_zone_count; i++) {
		const struct blocklist_zone *zone = &blocklist_zones[i];
		bool has_domains = zone->kinds & (1U << BLOCKLIST_DOMAINS);

		CHECK_TRUE(zone->zone, zone->kinds > 0 && zone->kinds < (1U << BLOCKLIST_KINDS));
		CHECK_INT(zone->zone, has_domains, zone->listed[0] != '\0');
		CHECK_TRUE(zone->zone, strncmp(zone->lookup, "http", 4) == 0);
		for (int j = 0; j < i; j++)
			CHECK_TRUE(zone->zone, strcmp(zone->zone, blocklist_zones[j].zone) != 0);
	}
}

TEST_MAIN(test_names, test_trials, test_read, test_zones)
