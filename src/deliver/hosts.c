#include "deliver/hosts.h"
#include "deliver/idle.h"
#include "runtime/clock.h"
#include <stdio.h>

#define NO_CUT UINT32_MAX

struct search {
	struct hosts *hosts;
	const struct route_host *order[ROUTE_HOSTS_MAX];
	uint32_t cut; /* hosts of this preference and above are left out */
	bool met_self;
	bool is_refused; /* by the host being tried: `refusal` says why */
	bool has_refusal;
	uint32_t open_count; /* hosts that may take the mail another time */
	struct outcome refusal;
};

/* The first of the highest rank stays: it is the most preferred host's. */
static void note(struct hosts *hosts, enum rank rank, const struct outcome *outcome)
{
	if (rank <= hosts->rank)
		return;
	hosts->rank = rank;
	hosts->verdict = *outcome;
}

static void put_in_order(struct search *search)
{
	const struct route *route = search->hosts->route;
	uint32_t group = 0;

	for (uint32_t i = 0; i < route->host_count; i++) {
		uint32_t place;

		if (route->hosts[i].preference != route->hosts[group].preference)
			group = i;
		place = group +
		        (uint32_t)random_below(search->hosts->random, (uint64_t)i - group + 1);
		search->order[i] = search->order[place];
		search->order[place] = &route->hosts[i];
	}
}

/* RFC 5321 5.1. A host of the configuration may well be on this machine; only our own listener
 * would be a loop. */
static bool is_self(const struct hosts *hosts, const struct address *address)
{
	bool listens = own_listens(hosts->config, address_port(address));
	bool is_loopback = own_is_loopback(address);

	if (hosts->config->deliver.allow_own_address)
		return false;
	if (is_loopback)
		return listens || !hosts->route->is_static;
	return listens && own_is_interface(hosts->own, address, clock_now_us());
}

/* Returns true when the search is over: found, or no more may be tried. */
static bool try_address(struct search *search, const struct client_target *target,
                        struct client **client_out, bool *is_answered_out)
{
	struct hosts *hosts = search->hosts;
	struct outcome outcome = { 0 };
	struct client *client;
	int rank = RANK_NONE;

	if (hosts->addresses_left-- <= 0)
		return true;
	hosts->connects++;
	client = client_open(target, &outcome, &rank);
	if (!client) {
		hosts->failures++;
		note(hosts, (enum rank)rank, &outcome);
		*is_answered_out = rank == RANK_REPLY || rank == RANK_TLS;
		return false;
	}
	if (hosts->accepts(hosts->arg, client, &outcome)) {
		*client_out = client;
		return true;
	}
	client_fill_peer(client, &outcome);
	if (!search->has_refusal)
		search->refusal = outcome;
	search->has_refusal = search->is_refused = *is_answered_out = true;
	idle_retire(client);
	return false;
}

/* RFC 5321 5.1, standards 1.7: a domain that has neither MX nor address gets no mail ever. */
static bool is_nowhere(const struct hosts *hosts, const struct dns_address_answer *answer)
{
	const struct route *route = hosts->route;

	return !route->is_static && route->host_count == 1 &&
	       (answer->status == DNS_NO_DATA || answer->status == DNS_NO_DOMAIN) &&
	       bytes_equal_nocase(hosts->domain, bytes_of(route->hosts[0].name));
}

static void note_no_address(struct hosts *hosts, const char *host,
                            const struct dns_address_answer *answer)
{
	struct outcome outcome;

	if (is_nowhere(hosts, answer)) {
		verdict_refusal("5.4.4", "the domain has no mail server and no address", &outcome);
		outcome.phase = PHASE_DNS;
	} else {
		verdict_of_dns(answer, host, &outcome);
	}
	snprintf(outcome.host, sizeof outcome.host, "%.127s", host);
	note(hosts, RANK_DNS, &outcome);
}

static bool try_host(struct search *search, const struct route_host *host,
                     struct client **client_out)
{
	struct hosts *hosts = search->hosts;
	struct dns_address_answer answer = { 0 };
	bool is_answered = false;

	search->is_refused = false;
	dns_addresses(hosts->resolver, host->name, hosts->config->deliver.ipv6, &answer);
	if (answer.count == 0)
		note_no_address(hosts, host->name, &answer);
	for (int i = 0; i < answer.count && !is_answered; i++) {
		struct client_target target = { host->name, answer.addresses[i], hosts->config,
			                        hosts->secure };

		address_set_port(&target.address, hosts->route->port);
		if (is_self(hosts, &target.address)) {
			search->met_self = true;
			if (!hosts->route->is_static)
				search->cut = host->preference;
			continue;
		}
		if (try_address(search, &target, client_out, &is_answered))
			return true;
	}
	search->open_count += !search->is_refused;
	return false;
}

static void note_self(struct hosts *hosts)
{
	struct outcome outcome;

	if (hosts->route->is_static) {
		verdict_own_fault("the configured route leads to ourselves", &outcome);
		outcome.scope = SCOPE_SITE;
	} else {
		verdict_refusal("5.4.6",
		                "mail for this domain would loop: its mail server is ourselves",
		                &outcome);
	}
	note(hosts, RANK_DNS, &outcome);
}

PARKS struct client *hosts_connect(struct hosts *hosts)
{
	struct search search = { .hosts = hosts, .cut = NO_CUT };
	struct client *client = NULL;

	hosts->rank = RANK_NONE;
	put_in_order(&search);
	for (uint32_t i = 0; i < hosts->route->host_count; i++) {
		if (search.order[i]->preference >= search.cut)
			break;
		if (try_host(&search, search.order[i], &client))
			break;
	}
	if (!client && search.met_self)
		note_self(hosts);
	/* What a host cannot take it never can; but only when every one says so (standards 1.7). */
	if (!client && search.has_refusal && search.open_count == 0)
		hosts->verdict = search.refusal;
	return client;
}
