#include "dns/finder.h"
#include "base/alloc.h"
#include "base/units.h"
#include "dns/wire.h"
#include "runtime/clock.h"
#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* More MX records than this are not looked at; the route keeps the best ROUTE_HOSTS_MAX. */
#define MX_RECORDS_MAX 1024

static void set_text(struct finding *finding, const char *format, ...) PRINTF_LIKE(2, 3);

static void set_text(struct finding *finding, const char *format, ...)
{
	char text[200];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	alloc_free(finding->text);
	finding->text = strcpy(alloc(strlen(text) + 1), text);
}

/* The answer is that the lookup failed, for good or for now. */
static void set_failure(struct finding *finding, const struct lookup *lookup, int64_t timeout_us)
{
	static const char *const reasons[] = {
		[DNS_FOUND] = "no usable data",   [DNS_NO_DOMAIN] = "NXDOMAIN",
		[DNS_NO_DATA] = "no such record", [DNS_SERVER_FAILURE] = "SERVFAIL",
		[DNS_TIMEOUT] = "no answer",      [DNS_BOGUS] = "DNSSEC validation failed",
	};
	const char *type = lookup_type_name(lookup->type);

	finding->status = lookup->status == DNS_FOUND ? DNS_NO_DATA : lookup->status;
	finding->is_secure = lookup->is_secure;
	if (lookup->status == DNS_TIMEOUT)
		set_text(finding, "DNS lookup of %s %s: no answer within %lld s", type,
		         lookup->name, (long long)(timeout_us / US_PER_SECOND));
	else
		set_text(finding, "DNS lookup of %s %.120s: %s%s%s", type, lookup->name,
		         reasons[lookup->status], *lookup->reason ? ": " : "", lookup->reason);
}

static int64_t valid_until(int64_t ttl_us, const struct config_dns *dns)
{
	return clock_now_us() + MAX(MIN(ttl_us, dns->ttl_max_us), dns->ttl_min_us);
}

static bool is_own_name(const char *host, const struct config *config)
{
	if (config->deliver.allow_own_address)
		return false;
	return bytes_equal_nocase(bytes_of(host), bytes_of(config->hostname)) ||
	       bytes_equal_nocase(bytes_of(host), bytes_of(config->deliver.helo));
}

/* Drops the preference under which we ourselves stand, and all that is worse (RFC 5321 5.1: else
 * mail would go round). */
static size_t without_own(struct route_host *hosts, size_t count, const struct config *config)
{
	uint32_t own = UINT32_MAX;
	size_t kept = 0;

	for (size_t i = 0; i < count; i++)
		if (is_own_name(hosts[i].name, config))
			own = MIN(own, hosts[i].preference);
	for (size_t i = 0; i < count; i++)
		if (hosts[i].preference < own)
			hosts[kept++] = hosts[i];
	return kept;
}

/* Makes the route of what is left of the hosts when we ourselves are taken out. */
static void set_route(struct finding *finding, struct route_host *hosts, size_t count,
                      const struct config *config, const char *domain)
{
	size_t kept = without_own(hosts, count, config);

	finding->is_self = count > 0 && kept == 0;
	if (kept > 0) {
		finding->status = DNS_FOUND;
		finding->route = route_create(hosts, kept, (uint16_t)config->deliver.port, false);
		return;
	}
	finding->status = DNS_NO_HOSTS;
	if (finding->is_self)
		set_text(finding, "the best mail host of %s is this host: mail would loop", domain);
	else
		set_text(finding, "none of the MX records of %s names a host", domain);
}

static void set_route_by_mx(struct finding *finding, const struct lookup *lookup,
                            const struct config *config)
{
	struct route_host *hosts = alloc(MX_RECORDS_MAX * sizeof *hosts);
	size_t count = 0;
	struct wire_mx mx;
	int seen = 0;

	finding->is_secure = lookup->is_secure;
	for (; seen < MIN(lookup->count, MX_RECORDS_MAX); seen++) {
		wire_mx_decode(lookup_data(lookup, seen), &mx);
		if (mx.kind != WIRE_MX_HOST)
			continue;
		memcpy(hosts[count].name, mx.host, sizeof mx.host);
		hosts[count++].preference = mx.preference;
	}
	if (seen == 1 && mx.kind == WIRE_MX_NULL) {
		finding->status = DNS_NULL_MX;
		set_text(finding, "%s accepts no mail (null MX)", lookup->name);
	} else {
		set_route(finding, hosts, count, config, lookup->name);
	}
	alloc_free(hosts);
}

/* Of lookups of which none found anything: the one to be reported. What may change soon beats what
 * was answered, so that mail is not returned for half an answer. */
static const struct lookup *worst_of(const struct lookup *lookups, int count)
{
	static const int rank[] = {
		[DNS_NO_DOMAIN] = 1, [DNS_NO_DATA] = 2,        [DNS_BOGUS] = 3,
		[DNS_TIMEOUT] = 4,   [DNS_SERVER_FAILURE] = 5,
	};
	const struct lookup *worst = &lookups[0];

	for (int i = 1; i < count; i++)
		if (rank[lookups[i].status] > rank[worst->status])
			worst = &lookups[i];
	return worst;
}

/* The shortest life among those that found something; if none did, among all. */
static int64_t shortest_ttl(const struct lookup *lookups, int count)
{
	int64_t found_us = INT64_MAX, all_us = INT64_MAX;

	for (int i = 0; i < count; i++) {
		all_us = MIN(all_us, lookups[i].ttl_us);
		if (lookups[i].status == DNS_FOUND)
			found_us = MIN(found_us, lookups[i].ttl_us);
	}
	return found_us < INT64_MAX ? found_us : all_us;
}

/* No MX: the domain itself is the host, if it has an address at all. */
static void find_implicit(struct decision *decision, const struct lookup *mx,
                          struct upstream *upstream, const struct config *config)
{
	struct finding *finding = &decision->finding;
	struct lookup lookups[] = { { .name = decision->name, .type = LOOKUP_TYPE_A },
		                    { .name = decision->name, .type = LOOKUP_TYPE_AAAA } };
	const struct lookup *worst;
	struct route_host host = { .preference = 0 };

	upstream_ask(upstream, lookups, COUNT(lookups), decision->deadline_us);
	worst = worst_of(lookups, COUNT(lookups));
	finding->is_implicit = true;
	if (lookups[0].status == DNS_FOUND || lookups[1].status == DNS_FOUND) {
		snprintf(host.name, sizeof host.name, "%s", decision->name);
		set_route(finding, &host, 1, config, decision->name);
	} else if (worst->status == DNS_NO_DATA || worst->status == DNS_NO_DOMAIN) {
		finding->status = DNS_NO_HOSTS;
		set_text(finding, "%s has neither MX nor address records", decision->name);
	} else {
		set_failure(finding, worst, config->dns.timeout_us);
	}
	finding->is_secure = mx->is_secure && lookups[0].is_secure && lookups[1].is_secure;
	finding->valid_until_us = valid_until(
		MIN(mx->ttl_us, shortest_ttl(lookups, COUNT(lookups))), &config->dns);
	lookup_deinit(&lookups[0]);
	lookup_deinit(&lookups[1]);
}

static void find_route(struct decision *decision, struct upstream *upstream,
                       const struct config *config)
{
	struct finding *finding = &decision->finding;
	struct lookup mx = { .name = decision->name, .type = LOOKUP_TYPE_MX };

	upstream_ask(upstream, &mx, 1, decision->deadline_us);
	finding->valid_until_us = valid_until(mx.ttl_us, &config->dns);
	if (mx.status == DNS_FOUND)
		set_route_by_mx(finding, &mx, config);
	else if (mx.status == DNS_NO_DATA)
		find_implicit(decision, &mx, upstream, config);
	else
		set_failure(finding, &mx, config->dns.timeout_us);
	lookup_deinit(&mx);
}

/* Takes the n-th address of a lookup, if it has that many. */
static void take_address(struct finding *finding, const struct lookup *lookup, int nth)
{
	struct bytes data = lookup_data(lookup, nth);

	if (finding->address_count < DNS_ADDRESSES_MAX &&
	    wire_address_decode(data, &finding->addresses[finding->address_count]))
		finding->address_count++;
}

/* `lookups` in the order of families to be tried; the families take turns. */
static void set_addresses(struct finding *finding, const struct lookup *lookups, int count)
{
	finding->addresses = alloc(DNS_ADDRESSES_MAX * sizeof *finding->addresses);
	finding->is_secure = true;
	for (int i = 0; i < count; i++)
		if (lookups[i].status == DNS_FOUND && !lookups[i].is_secure)
			finding->is_secure = false;
	for (int nth = 0; nth < DNS_ADDRESSES_MAX; nth++)
		for (int i = 0; i < count; i++)
			take_address(finding, &lookups[i], nth);
	finding->addresses = alloc_resize(finding->addresses, (size_t)finding->address_count,
	                                  sizeof *finding->addresses);
}

static void find_addresses(struct decision *decision, struct upstream *upstream,
                           const struct config *config)
{
	struct finding *finding = &decision->finding;
	struct lookup lookups[] = { { .name = decision->name, .type = LOOKUP_TYPE_AAAA },
		                    { .name = decision->name, .type = LOOKUP_TYPE_A } };
	int skipped = decision->kind == DECISION_IPV4 ? 1 : 0;
	struct lookup *asked = &lookups[skipped];
	int count = (int)COUNT(lookups) - skipped;

	upstream_ask(upstream, asked, count, decision->deadline_us);
	set_addresses(finding, asked, count);
	if (finding->address_count == 0)
		set_failure(finding, worst_of(asked, count), config->dns.timeout_us);
	finding->valid_until_us = valid_until(shortest_ttl(asked, count), &config->dns);
	for (int i = 0; i < count; i++)
		lookup_deinit(&asked[i]);
}

void finder_run(struct decision *decision, struct upstream *upstream, const struct config *config)
{
	if (decision->kind == DECISION_ROUTE)
		find_route(decision, upstream, config);
	else
		find_addresses(decision, upstream, config);
}

bool finder_literal(struct bytes host, struct address *address_out)
{
	static const struct bytes tag = BYTES_LITERAL("IPv6:");
	char text[INET6_ADDRSTRLEN + 8], raw[16];
	int family;

	if (host.len > 2 && host.at[0] == '[' && host.at[host.len - 1] == ']')
		host = (struct bytes){ host.at + 1, host.len - 2 };
	if (bytes_starts_with_nocase(host, tag))
		host = bytes_from(host, tag.len);
	if (host.len >= sizeof text)
		return false;
	snprintf(text, sizeof text, "%.*s", BYTES_FORMAT(host));
	family = strchr(text, ':') ? AF_INET6 : AF_INET;
	if (inet_pton(family, text, raw) != 1)
		return false;
	return wire_address_decode((struct bytes){ raw, family == AF_INET6 ? 16 : 4 }, address_out);
}
