/* dns/dns.h - the resolver: libunbound on a thread of its own, and our cache of decisions above it.
 * Asked by fibers. */
#pragma once
#include "base/err.h"
#include "config/config.h"
#include "model/route.h"
#include "runtime/address.h"

enum dns_status {
	DNS_FOUND = 0,
	DNS_NO_DOMAIN,      /* NXDOMAIN */
	DNS_NO_DATA,        /* the name exists, the type does not */
	DNS_SERVER_FAILURE, /* SERVFAIL, REFUSED ... */
	DNS_TIMEOUT,
	DNS_BOGUS,    /* DNSSEC says the answer is forged */
	DNS_NULL_MX,  /* RFC 7505 (dns_route only) */
	DNS_NO_HOSTS, /* only we are left, or nothing usable (dns_route only; standards 3.2, 3.4) */
};

struct resolver;

/* resolver_start - starts the thread. Fails when the trust anchor or a server address cannot be
 * used (names it). The caller keeps `config` until resolver_stop. Neither is for fibers:
 * libunbound's stack frames are too large. */
int resolver_start(const struct config *config, struct resolver **resolver_out, struct err *err);
void resolver_stop(
	struct resolver *resolver); /* open questions are answered with DNS_TIMEOUT. Takes NULL */

/* What one lookup found. */
struct dns_route_answer {
	enum dns_status status;
	struct route *route;    /* with DNS_FOUND: one reference for the caller; else NULL */
	int64_t valid_until_us; /* ask again then (TTL within the configured bounds; negative
	                           answers too) */
	bool is_secure;         /* validated by DNSSEC */
	bool is_implicit;       /* no MX: the domain itself (RFC 5321 5.1) */
	bool is_self;   /* with DNS_NO_HOSTS: the best host is ourselves (5.4.6, else 5.4.4) */
	char text[200]; /* "DNS lookup of MX example.org: SERVFAIL"; "" when found */
};

/* dns_route - the hosts for a recipient domain (A-label): MX by preference, CNAME followed,
 * implicit MX, null MX (RFC 5321 5.1, RFC 7505). Does not look up the hosts' addresses. PARKS, at
 * most until the configured timeout. */
PARKS void dns_route(struct resolver *resolver, struct bytes domain,
                     struct dns_route_answer *answer_out);

#define DNS_ADDRESSES_MAX 16

struct dns_address_answer {
	enum dns_status status; /* of the whole: found if any family has an address; a failure beats
	                           "no data" */
	struct address addresses[DNS_ADDRESSES_MAX]; /* port unset; families alternate, IPv6 first,
	                                                order within a family as given */
	int count;
	bool is_secure;
	char text[200];
};

/* dns_addresses - AAAA (when `want_ipv6`) and A of a host; "[127.0.0.1]" and plain addresses are
 * taken as such. PARKS */
PARKS void dns_addresses(struct resolver *resolver, const char *host, bool want_ipv6,
                         struct dns_address_answer *answer_out);

/* dns_forget - whoever asks from now on for this domain or its hosts ("" = everything) gets nothing
 * that was looked up more than a second before. Any thread. */
void dns_forget(struct resolver *resolver, struct bytes domain);

const char *dns_status_name(enum dns_status status);
