#include "check/blocklist.h"
#include "base/macros.h"
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#define IPV4    (1U << BLOCKLIST_IPV4)
#define IPV6    (1U << BLOCKLIST_IPV6)
#define DOMAINS (1U << BLOCKLIST_DOMAINS)
#define MAJOR   true
#define MINOR   false

#define ZONE(zone, kinds, is_major, listed, lookup) { zone, kinds, is_major, listed, lookup },
const struct blocklist_zone blocklist_zones[] = {
#include "check/blocklists.def"
};
const int blocklist_zone_count = COUNT(blocklist_zones);

_Static_assert(COUNT(blocklist_zones) <= BLOCKLIST_ZONES_MAX, "blocklists.def has too many rows");

void blocklist_name_address(const struct address *address, const char *zone,
                            char name_out[BLOCKLIST_NAME_MAX])
{
	const void *storage = &address->storage;
	const uint8_t *bytes;
	size_t len = 0;

	if (!address_is_ipv6(address)) {
		bytes = (const uint8_t *)&((const struct sockaddr_in *)storage)->sin_addr;
		snprintf(name_out, BLOCKLIST_NAME_MAX, "%d.%d.%d.%d.%s", bytes[3], bytes[2],
		         bytes[1], bytes[0], zone);
		return;
	}
	bytes = ((const struct sockaddr_in6 *)storage)->sin6_addr.s6_addr;
	for (int i = 15; i >= 0; i--)
		len += (size_t)snprintf(name_out + len, BLOCKLIST_NAME_MAX - len, "%x.%x.",
		                        bytes[i] & 15, bytes[i] >> 4);
	snprintf(name_out + len, BLOCKLIST_NAME_MAX - len, "%s", zone);
}

void blocklist_name_domain(struct bytes domain, const char *zone, char name_out[BLOCKLIST_NAME_MAX])
{
	snprintf(name_out, BLOCKLIST_NAME_MAX, "%.*s.%s", BYTES_FORMAT(domain), zone);
}

void blocklist_name_test(const struct blocklist_zone *zone, enum blocklist_kind kind,
                         bool is_listed, char name_out[BLOCKLIST_NAME_MAX])
{
	struct address address = { 0 };
	const char *text;

	if (kind == BLOCKLIST_DOMAINS) {
		blocklist_name_domain(bytes_of(is_listed ? zone->listed : "invalid"), zone->zone,
		                      name_out);
		return;
	}
	if (kind == BLOCKLIST_IPV4)
		text = is_listed ? "127.0.0.2" : "127.0.0.1";
	else
		text = is_listed ? "::ffff:127.0.0.2" : "::ffff:127.0.0.1";
	address_parse(bytes_of(text), 0, &address);
	blocklist_name_address(&address, zone->zone, name_out);
}

enum blocklist_reading blocklist_read(const struct bytes *records, int count)
{
	for (int i = 0; i < count; i++) {
		const uint8_t *at = (const uint8_t *)records[i].at;

		if (records[i].len != 4 || at[0] != 127)
			return BLOCKLIST_NONSENSE;
		if ((at[1] == 255 && at[2] == 255) || (at[1] == 0 && at[2] == 0 && at[3] == 1))
			return BLOCKLIST_REFUSED;
	}
	return count > 0 ? BLOCKLIST_LISTED : BLOCKLIST_CLEAR;
}
