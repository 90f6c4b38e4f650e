/* check/blocklist.h - DNS blocklists of addresses and of domains (RFC 5782): which there are, what
 * is asked, and what the answer means. Pure. */
#pragma once
#include "base/bytes.h"
#include "runtime/address.h"

enum blocklist_kind { BLOCKLIST_IPV4, BLOCKLIST_IPV6, BLOCKLIST_DOMAINS, BLOCKLIST_KINDS };

struct blocklist_zone {
	const char *zone;
	unsigned kinds;     /* bits, 1 << kind */
	bool is_major;      /* many receivers refuse mail by it */
	const char *listed; /* of DOMAINS: an entry that is always listed */
	const char *lookup; /* a page that says more of a listing */
};

/* blocklist_zones - all of them, blocklist_zone_count many (blocklists.def). */
extern const struct blocklist_zone blocklist_zones[];
extern const int blocklist_zone_count;
#define BLOCKLIST_ZONES_MAX 32

#define BLOCKLIST_NAME_MAX 400

/* blocklist_name_address / _domain - the name to ask for (RFC 5782 2.1, 2.4, 3). */
void blocklist_name_address(const struct address *address, const char *zone,
                            char name_out[BLOCKLIST_NAME_MAX]);
void blocklist_name_domain(struct bytes domain, const char *zone,
                           char name_out[BLOCKLIST_NAME_MAX]);

/* blocklist_name_test - the entry that must be listed, or the one that must not be (RFC 5782 5). */
void blocklist_name_test(const struct blocklist_zone *zone, enum blocklist_kind kind,
                         bool is_listed, char name_out[BLOCKLIST_NAME_MAX]);

enum blocklist_reading {
	BLOCKLIST_CLEAR,
	BLOCKLIST_LISTED,
	BLOCKLIST_REFUSED,  /* 127.255.255.x, or 127.0.0.1: about the question, not about its object
	                     */
	BLOCKLIST_NONSENSE, /* not within 127.0.0.0/8: not an answer of a blocklist */
};

/* blocklist_read - what the addresses of an answer say; none is BLOCKLIST_CLEAR. One that says
 * "refused" or is nonsense decides. */
enum blocklist_reading blocklist_read(const struct bytes *records, int count);
