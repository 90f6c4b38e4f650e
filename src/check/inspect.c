#include "base/units.h"
#include "check/asker_dns.h"
#include "check/crew.h"
#include "check/inspect_server.h"
#include "check/policy_fetch.h"
#include "check/reputation.h"
#include "dns/wire.h"
#include "runtime/clock.h"
#include "runtime/fiber.h"
#include "runtime/loop.h"
#include "smtp/address.h"
#include <stdio.h>
#include <string.h>

#define QUESTIONS_MAX 200
#define OPEN_MAX      32

struct inspect {
	struct asker_dns *dns;
	struct asker asker;
	struct arena *arena;
	struct inspection *facts;
	struct tls_context *context;
	struct crew crew;
	int servers_done;
};

PARKS static void ask(struct inspect *inspect, const char *name, enum ask_type type,
                      struct asker_answer *answer)
{
	inspect->asker.ask(inspect->asker.arg, inspect->arena, name, type, answer);
}

/* The domain's MX. */

static void add_host(struct inspect *inspect, struct bytes name, int preference)
{
	struct inspection *facts = inspect->facts;
	struct address literal;
	struct inspection_host *host;

	if (facts->host_count == INSPECTION_HOSTS_MAX) {
		facts->are_hosts_cut = true;
		return;
	}
	for (int i = 0; i < facts->host_count; i++)
		facts->has_same_preference |= facts->hosts[i].preference == preference;
	host = &facts->hosts[facts->host_count++];
	host->name = name;
	host->preference = preference;
	host->is_literal = address_parse(name, 0, &literal);
}

PARKS static void find_mx(struct inspect *inspect)
{
	struct inspection *facts = inspect->facts;
	struct bytes domain = arena_copy(inspect->arena, facts->subject->domain);
	struct asker_answer answer;

	ask(inspect, domain.at, ASK_MX, &answer);
	facts->mx_status = answer.status;
	facts->is_mx_secure = answer.is_secure;
	for (int i = 0; i < answer.count; i++) {
		if (answer.records[i].len == 0)
			facts->is_null_mx = true;
		else
			add_host(inspect, answer.records[i], answer.preferences[i]);
	}
	facts->has_hosts_beside_null_mx = facts->is_null_mx && facts->host_count > 0;
	if (answer.status == DNS_NO_DATA) {
		facts->is_implicit_mx = true;
		add_host(inspect, domain, 0);
	}
}

/* Hosts: addresses, alias, TLSA. */

/* Addresses that nobody outside reaches. */
static bool is_private(const struct address *address)
{
	static const char *const networks[] = { "127.0.0.0/8",    "10.0.0.0/8", "172.16.0.0/12",
		                                "192.168.0.0/16", "0.0.0.0/8",  "169.254.0.0/16",
		                                "::1/128",        "fc00::/7",   "fe80::/10" };

	for (size_t i = 0; i < COUNT(networks); i++) {
		struct network network;

		if (network_parse(bytes_of(networks[i]), &network) &&
		    network_contains(&network, address))
			return true;
	}
	return false;
}

static void add_server(struct inspect *inspect, int host, const struct address *address,
                       const struct address *source)
{
	struct inspection *facts = inspect->facts;
	struct inspection_server *server;

	if (source && source->storage.ss_family != address->storage.ss_family)
		return;
	if (facts->server_count == INSPECTION_SERVERS_MAX) {
		facts->are_servers_cut = true;
		return;
	}
	server = &facts->servers[facts->server_count++];
	server->host = host;
	server->address = *address;
	address_set_port(&server->address, facts->subject->port);
	address_format(address, server->address_text);
	if (source) {
		server->source = *source;
		address_format(source, server->source_text);
	}
}

static void add_address(struct inspect *inspect, int index, const struct address *address)
{
	const struct inspection_subject *subject = inspect->facts->subject;
	struct inspection_host *host = &inspect->facts->hosts[index];

	host->address_count++;
	host->private_count += is_private(address);
	if (subject->source_count == 0)
		add_server(inspect, index, address, NULL);
	for (int i = 0; i < subject->source_count; i++)
		add_server(inspect, index, address, &subject->sources[i]);
}

/* A failure of one family counts only where the other has no address. */
PARKS static void find_addresses(struct inspect *inspect, int index)
{
	struct inspection_host *host = &inspect->facts->hosts[index];
	static const enum ask_type types[] = { ASK_IPV4, ASK_IPV6 };
	struct address address;

	host->is_secure = true;
	for (size_t t = 0; t < (inspect->facts->subject->wants_ipv6 ? COUNT(types) : 1); t++) {
		struct asker_answer answer;

		ask(inspect, host->name.at, types[t], &answer);
		host->is_secure = host->is_secure && answer.is_secure;
		if (host->address_count == 0 && (t == 0 || answer.status != DNS_NO_DATA))
			host->status = answer.status;
		for (int i = 0; i < answer.count; i++)
			if (wire_address_decode(answer.records[i], &address))
				add_address(inspect, index, &address);
	}
	if (host->address_count > 0)
		host->status = DNS_FOUND;
}

PARKS static void find_tlsa(struct inspect *inspect, struct inspection_host *host)
{
	struct asker_answer answer;

	ask(inspect,
	    arena_printf(inspect->arena, "_%d._tcp.%.*s", inspect->facts->subject->port,
	                 BYTES_FORMAT(host->name)),
	    ASK_TLSA, &answer);
	host->tlsa_status = answer.status;
	if (!answer.is_secure)
		return; /* without DNSSEC they say nothing (RFC 7672 2.2) */
	for (int i = 0; i < answer.count && host->tlsa_count < INSPECTION_TLSA_MAX; i++) {
		struct bytes data = answer.records[i];

		if (data.len > 3)
			host->tlsa[host->tlsa_count++] = (struct tls_tlsa){
				.usage = (uint8_t)data.at[0],
				.selector = (uint8_t)data.at[1],
				.matching = (uint8_t)data.at[2],
				.data = bytes_from(data, 3),
			};
	}
}

static void find_host(void *arg, int index)
{
	struct inspect *inspect = arg;
	struct inspection_host *host = &inspect->facts->hosts[index];
	struct asker_answer answer;

	if (host->is_literal)
		return;
	if (!inspect->facts->is_implicit_mx) {
		ask(inspect, host->name.at, ASK_CNAME, &answer);
		if (answer.count > 0)
			host->alias_of = answer.records[0];
	}
	find_addresses(inspect, index);
	if (inspect->facts->is_mx_secure && host->is_secure)
		find_tlsa(inspect, host);
}

/* Policies. */

static void find_sts(void *arg, int index)
{
	struct inspect *inspect = arg;
	struct inspection *facts = inspect->facts;
	const struct inspection_subject *subject = facts->subject;
	struct policy_fetch how = { subject->config->deliver.tls_trust, subject->deadline_us };
	struct asker_answer answer;
	struct sts_record record;

	(void)index;
	ask(inspect, arena_printf(inspect->arena, "_mta-sts.%.*s", BYTES_FORMAT(subject->domain)),
	    ASK_TXT, &answer);
	for (int i = 0; i < answer.count; i++)
		if (sts_record_is(answer.records[i]) && facts->sts.record_count++ == 0)
			facts->sts.is_record_right = sts_record_parse(answer.records[i], &record,
			                                              facts->sts.problem);
	if (facts->sts.record_count == 1 && facts->sts.is_record_right)
		facts->sts.is_fetched = policy_fetch(&inspect->asker, inspect->arena,
		                                     subject->domain, &how, &facts->sts.policy,
		                                     facts->sts.problem);
}

static void find_tlsrpt(void *arg, int index)
{
	struct inspect *inspect = arg;
	struct inspection *facts = inspect->facts;
	struct asker_answer answer;

	(void)index;
	ask(inspect,
	    arena_printf(inspect->arena, "_smtp._tls.%.*s", BYTES_FORMAT(facts->subject->domain)),
	    ASK_TXT, &answer);
	for (int i = 0; i < answer.count; i++)
		if (tlsrpt_record_is(answer.records[i]) && facts->tlsrpt.record_count++ == 0)
			facts->tlsrpt.is_right = tlsrpt_record_parse(
				answer.records[i], &facts->tlsrpt.record, facts->tlsrpt.problem);
}

/* Servers. */

static void tell_progress(const struct inspect *inspect)
{
	const struct inspection_subject *subject = inspect->facts->subject;

	if (subject->progress)
		subject->progress(subject->progress_arg, inspect->servers_done,
		                  inspect->facts->server_count);
}

static void talk_to_server(void *arg, int index)
{
	struct inspect *inspect = arg;
	inspect_server(inspect->facts, inspect->context, inspect->arena,
	               &inspect->facts->servers[index]);
	inspect->servers_done++;
	tell_progress(inspect);
}

/* By preference, not in the order in which the DNS answered. */
static void sort_servers(struct inspection *facts)
{
	for (int i = 1; i < facts->server_count; i++) {
		struct inspection_server server = facts->servers[i];
		int at = i;

		for (; at > 0 && facts->servers[at - 1].host > server.host; at--)
			facts->servers[at] = facts->servers[at - 1];
		facts->servers[at] = server;
	}
}

static void run(void *arg)
{
	struct inspect *inspect = arg;
	struct inspection *facts = inspect->facts;

	asker_dns_watch(inspect->dns);
	crew_start(&inspect->crew, find_sts, inspect, 0);
	crew_start(&inspect->crew, find_tlsrpt, inspect, 0);
	find_mx(inspect);
	for (int i = 0; i < facts->host_count; i++)
		crew_start(&inspect->crew, find_host, inspect, i);
	crew_await(&inspect->crew);
	for (int i = 0; facts->sts.is_fetched && i < facts->host_count; i++)
		facts->hosts[i].is_in_policy = sts_policy_has_host(&facts->sts.policy,
		                                                   facts->hosts[i].name);
	sort_servers(facts);
	tell_progress(inspect);
	for (int i = 0; i < facts->server_count; i++)
		crew_start(&inspect->crew, talk_to_server, inspect, i);
	crew_await(&inspect->crew);
	asker_dns_unwatch(inspect->dns);
	loop_stop(loop_current());
}

bool inspection_target(struct bytes text, struct buffer *domain_out, struct buffer *recipient_out)
{
	struct mailbox_parts parts = { .domain = text };
	bool is_address = bytes_find_char(text, '@') >= 0;

	if (is_address && (mailbox_parse(text, false, &parts) != MAILBOX_OK || parts.is_literal))
		return false;
	if (!reputation_domain(parts.domain, domain_out))
		return false;
	if (is_address)
		buffer_printf(recipient_out, "%.*s@%.*s", BYTES_FORMAT(parts.local),
		              BYTES_FORMAT(buffer_bytes(domain_out)));
	return true;
}

int inspect(const struct inspection_subject *subject, struct arena *arena,
            struct inspection **inspection_out, struct err *err)
{
	struct asker_dns_limits limits = { QUESTIONS_MAX, OPEN_MAX, subject->deadline_us };
	const char *trust = subject->config->deliver.tls_trust;
	struct inspect inspect = { .arena = arena, .crew = { .arena = arena } };
	int64_t began_us = clock_now_us();
	struct loop *loop;
	int result;

	if (loop_create(&loop, err) < 0)
		return err->code;
	result = tls_client_create(*trust ? trust : TLS_TRUST_SYSTEM, &inspect.context, err);
	if (result == 0)
		result = asker_dns_open(subject->config, &limits, &inspect.dns, err);
	if (result == 0) {
		inspect.asker = asker_dns_asker(inspect.dns);
		inspect.facts = arena_alloc(arena, sizeof *inspect.facts);
		*inspect.facts = (struct inspection){ .subject = subject };
		fiber_spawn(run, &inspect, "check");
		loop_run(loop);
		inspect.facts->took_us = clock_now_us() - began_us;
		*inspection_out = inspect.facts;
	}
	asker_dns_close(inspect.dns);
	tls_context_destroy(inspect.context);
	loop_destroy(loop);
	return result;
}
