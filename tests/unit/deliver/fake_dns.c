#include "fake_dns.h"
#include <stdio.h>

static const struct {
	const char *prefix;
	enum dns_status status;
	const char *first, *second;
} table[] = {
	{ "mx", DNS_FOUND, "127.0.0.1", NULL },
	{ "refused", DNS_FOUND, "127.0.0.9", NULL },
	{ "both", DNS_FOUND, "127.0.0.9", "127.0.0.1" },
	{ "servfail", DNS_SERVER_FAILURE, NULL, NULL },
	{ "nodata", DNS_NO_DATA, NULL, NULL },
	{ "[127.0.0.1]", DNS_FOUND, "127.0.0.1", NULL },
};

static void add(const char *text, struct dns_address_answer *answer)
{
	if (text && address_parse(bytes_of(text), 0, &answer->addresses[answer->count]))
		answer->count++;
}

void fake_dns_addresses(const char *host, struct dns_address_answer *answer_out)
{
	*answer_out = (struct dns_address_answer){ .status = DNS_NO_DOMAIN };
	for (size_t i = 0; i < COUNT(table); i++) {
		if (!bytes_starts_with(bytes_of(host), bytes_of(table[i].prefix)))
			continue;
		answer_out->status = table[i].status;
		add(table[i].first, answer_out);
		add(table[i].second, answer_out);
		break;
	}
	if (answer_out->count == 0)
		snprintf(answer_out->text, sizeof answer_out->text, "DNS lookup of %s: %s", host,
		         dns_status_name(answer_out->status));
}

void dns_addresses(struct resolver *resolver, const char *host, bool want_ipv6,
                   struct dns_address_answer *answer_out)
{
	(void)resolver;
	(void)want_ipv6;
	fake_dns_addresses(host, answer_out);
}

const char *dns_status_name(enum dns_status status)
{
	static const char *const names[] = { "found",   "NXDOMAIN", "no data", "SERVFAIL",
		                             "timeout", "bogus",    "null MX", "no hosts" };

	return names[status];
}
