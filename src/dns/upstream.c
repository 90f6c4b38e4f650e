#include "dns/upstream.h"
#include "base/alloc.h"
#include "base/assert.h"
#include "base/log.h"
#include "base/units.h"
#include "dns/wire.h"
#include "runtime/fiber.h"
#include "runtime/loop.h"
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unbound.h>
#include <unistd.h>

#define QUERIES_MAX 8192 /* in libunbound; beyond, it drops the oldest */
#define SOCKETS_MAX 4096

struct upstream {
	struct ub_ctx *context;
	struct watch *watch;
	int open_count;
};

/* Every return code counts: an option that comes too late is refused with a code only, and the
 * context would then ask the real root servers without a word. */
static int check(int result, struct err *err, const char *what, const char *object)
{
	if (result == 0)
		return 0;
	return err_set(err, ERR_INVALID, "DNS: %s%s%s: %s", what, *object ? " " : "", object,
	               ub_strerror(result));
}

/* The library takes "address@port". */
static int format_server(struct bytes text, char *out, size_t out_size, struct err *err)
{
	struct address address;
	char host[ADDRESS_TEXT_MAX];

	if (!address_parse(text, 53, &address) || address.storage.ss_family == AF_UNIX)
		return err_set(err, ERR_INVALID, "DNS: \"%.*s\" is not an address of a server",
		               BYTES_FORMAT(text));
	address_format(&address, host);
	snprintf(out, out_size, "%s@%u", host, address_port(&address));
	return 0;
}

static int set_options(struct ub_ctx *context, const struct config *config, struct err *err)
{
	const struct config_dns *dns = &config->dns;
	struct rlimit files = { .rlim_cur = 1024 };
	char sockets[16], queries[16], ttl_max[24];

	getrlimit(RLIMIT_NOFILE, &files);
	snprintf(sockets, sizeof sockets, "%d", (int)MIN(files.rlim_cur / 4, SOCKETS_MAX));
	snprintf(queries, sizeof queries, "%d", QUERIES_MAX);
	snprintf(ttl_max, sizeof ttl_max, "%lld", (long long)(dns->ttl_max_us / US_PER_SECOND));
	const struct {
		const char *name, *value;
	} options[] = {
		{ "module-config:", *dns->trust_anchor ? "validator iterator" : "iterator" },
		{ "msg-cache-size:", "64m" }, /* the default of 4 MB thrashes at 20,000 names */
		{ "rrset-cache-size:", "128m" },
		{ "outgoing-range:", sockets },
		{ "num-queries-per-thread:", queries },
		{ "cache-max-ttl:", ttl_max },
		{ "cache-max-negative-ttl:", ttl_max },
		{ "infra-host-ttl:", "30" }, /* a server that was down is tried again soon */
		{ "infra-keep-probing:", "yes" },
		{ "unblock-lan-zones:", "yes" },
		{ "do-not-query-localhost:", "no" },
		/* Stubs name the only server there is; hunting for others would leave it. */
		{ "target-fetch-policy:", dns->stubs.count > 0 ? "0 0 0 0 0" : "3 2 1 0 0" },
	};

	for (size_t i = 0; i < COUNT(options); i++)
		if (check(ub_ctx_set_option(context, options[i].name, options[i].value), err,
		          "option", options[i].name) < 0)
			return err->code;
	return check(ub_ctx_async(context, 1), err, "thread", "");
}

static int set_servers(struct ub_ctx *context, const struct config_dns *dns, struct err *err)
{
	char server[ADDRESS_TEXT_MAX + 8];

	if (dns->servers.count == 0 && ub_ctx_resolvconf(context, NULL) != 0)
		log_info("dns", "no /etc/resolv.conf: the root servers are asked");
	for (int i = 0; i < dns->servers.count; i++) {
		if (format_server(bytes_of(dns->servers.items[i]), server, sizeof server, err) < 0)
			return err->code;
		if (check(ub_ctx_set_fwd(context, server), err, "server", server) < 0)
			return err->code;
	}
	return 0;
}

static int set_stubs(struct ub_ctx *context, const struct config_dns *dns, struct err *err)
{
	char server[ADDRESS_TEXT_MAX + 8], zone[WIRE_NAME_TEXT_MAX];

	for (int i = 0; i < dns->stubs.count; i++) {
		struct bytes rest = bytes_of(dns->stubs.items[i]);
		struct bytes name = bytes_trim(bytes_split(&rest, '='));

		if (!bytes_equal(name, BYTES_LITERAL(".")) && !wire_name_is_valid(name))
			return err_set(err, ERR_INVALID, "DNS: stub \"%s\" is not ZONE=ADDRESS",
			               dns->stubs.items[i]);
		snprintf(zone, sizeof zone, "%.*s", BYTES_FORMAT(name));
		if (format_server(bytes_trim(rest), server, sizeof server, err) < 0)
			return err->code;
		if (check(ub_ctx_set_stub(context, zone, server, 0), err, "stub", zone) < 0)
			return err->code;
	}
	return 0;
}

static int set_trust_anchor(struct ub_ctx *context, const char *path, struct err *err)
{
	if (!*path)
		return 0;
	if (access(path, R_OK) < 0)
		return err_system(err, "DNS: trust anchor %s", path);
	return check(ub_ctx_add_ta_file(context, path), err, "trust anchor", path);
}

/* libunbound answers these zones itself unless told otherwise; a server or stub that was named for
 * them has to be asked. This finalises the context, so it comes last. */
static int remove_built_in_zones(struct ub_ctx *context, struct err *err)
{
	static const char *const zones[] = { "test.", "invalid.", "127.in-addr.arpa.",
		                             "home.arpa." };

	for (size_t i = 0; i < COUNT(zones); i++)
		if (check(ub_ctx_zone_remove(context, zones[i]), err, "begin to resolve", "") < 0)
			return err->code;
	return 0;
}

int upstream_open(const struct config *config, struct upstream **upstream_out, struct err *err)
{
	struct upstream *upstream = alloc_zeroed(sizeof *upstream);
	struct ub_ctx *context = upstream->context = ub_ctx_create();

	if (!context) {
		err_set(err, ERR_FULL, "DNS: no memory for a resolver");
		goto fail;
	}
	ub_ctx_debugout(context, NULL);
	if (set_options(context, config, err) < 0 || set_servers(context, &config->dns, err) < 0 ||
	    set_stubs(context, &config->dns, err) < 0 ||
	    set_trust_anchor(context, config->dns.trust_anchor, err) < 0 ||
	    remove_built_in_zones(context, err) < 0)
		goto fail;
	*upstream_out = upstream;
	return 0;
fail:
	upstream_close(upstream);
	return err->code;
}

static void take_answers(void *arg, int events)
{
	struct upstream *upstream = arg;
	int result;

	(void)events;
	result = ub_process(upstream->context);
	if (result != 0)
		log_error("dns", "libunbound: %s", ub_strerror(result));
}

void upstream_watch(struct upstream *upstream)
{
	upstream->watch = watch_start(ub_fd(upstream->context), WATCH_READ, take_answers, upstream);
}

void upstream_unwatch(struct upstream *upstream)
{
	watch_stop(upstream->watch);
	upstream->watch = NULL;
}

int upstream_open_count(const struct upstream *upstream)
{
	return upstream->open_count;
}

void upstream_close(struct upstream *upstream)
{
	if (!upstream)
		return;
	ASSERT(!upstream->watch && upstream->open_count == 0);
	if (upstream->context)
		ub_ctx_delete(upstream->context);
	alloc_free(upstream);
}

static void lookup_end(struct lookup *lookup, enum dns_status status)
{
	lookup->is_open = false;
	lookup->upstream->open_count--;
	lookup->status = status;
}

static enum dns_status status_of(const struct ub_result *result)
{
	if (result->bogus)
		return DNS_BOGUS;
	if (result->nxdomain)
		return DNS_NO_DOMAIN;
	if (result->rcode != 0)
		return DNS_SERVER_FAILURE;
	return result->havedata ? DNS_FOUND : DNS_NO_DATA;
}

/* An answer without any record, not even the SOA of a negative one, does not say how long it holds
 * (RFC 2308 5); libunbound says 32768 s then. The counts stand at bytes 6 (answer) and 8
 * (authority) of the packet (RFC 1035 4.1.1). */
static bool has_records(const struct ub_result *result)
{
	const uint8_t *packet = result->answer_packet;

	return packet && result->answer_len >= 12 &&
	       (packet[6] | packet[7] | packet[8] | packet[9]) != 0;
}

static void on_answer(void *arg, int failure, struct ub_result *result)
{
	struct lookup *lookup = arg;

	if (failure != 0 || !result) {
		lookup_end(lookup, DNS_SERVER_FAILURE);
	} else {
		lookup_end(lookup, status_of(result));
		lookup->is_secure = result->secure != 0;
		if (has_records(result))
			lookup->ttl_us = MAX(result->ttl, 0) * US_PER_SECOND;
		snprintf(lookup->reason, sizeof lookup->reason, "%s",
		         result->why_bogus ? result->why_bogus : "");
		if (lookup->status == DNS_FOUND) {
			lookup->result = result;
			while (result->data[lookup->count])
				lookup->count++;
		} else {
			ub_resolve_free(result);
		}
	}
	fiber_wake(lookup->fiber);
}

static void lookup_begin(struct lookup *lookup, struct upstream *upstream)
{
	int result;

	lookup->upstream = upstream;
	lookup->fiber = fiber_self();
	lookup->is_open = true;
	upstream->open_count++;
	result = ub_resolve_async(upstream->context, lookup->name, lookup->type, 1, lookup,
	                          on_answer, &lookup->id);
	if (result == 0)
		return;
	log_error("dns", "question for %s: %s", lookup->name, ub_strerror(result));
	lookup_end(lookup, DNS_SERVER_FAILURE);
}

static struct lookup *first_open(struct lookup *lookups, int count)
{
	for (int i = 0; i < count; i++)
		if (lookups[i].is_open)
			return &lookups[i];
	return NULL;
}

void upstream_ask(struct upstream *upstream, struct lookup *lookups, int count, int64_t deadline_us)
{
	struct lookup *open;

	for (int i = 0; i < count; i++)
		lookup_begin(&lookups[i], upstream);
	while (first_open(lookups, count))
		if (fiber_park(deadline_us) < 0)
			break;
	while ((open = first_open(lookups, count))) {
		ub_cancel(upstream->context, open->id); /* its callback will not be called */
		lookup_end(open, DNS_TIMEOUT);
	}
}

struct bytes lookup_data(const struct lookup *lookup, int nth)
{
	if (nth >= lookup->count)
		return (struct bytes){ 0 };
	return (struct bytes){ lookup->result->data[nth], (size_t)lookup->result->len[nth] };
}

void lookup_deinit(struct lookup *lookup)
{
	if (lookup->result)
		ub_resolve_free(lookup->result);
	lookup->result = NULL;
}

const char *lookup_type_name(int type)
{
	switch (type) {
	case LOOKUP_TYPE_A:
		return "A";
	case LOOKUP_TYPE_AAAA:
		return "AAAA";
	case LOOKUP_TYPE_MX:
		return "MX";
	default:
		return "?";
	}
}
