/* dns/upstream.h - libunbound behind a loop: a context with its thread and cache. Belongs to one
 * thread, that of the resolver; asked by its fibers. */
#pragma once
#include "base/err.h"
#include "config/config.h"
#include "dns/dns.h"

struct upstream;

/* upstream_open - makes and finalises a context: servers, stubs, trust anchor, cache sizes. Fails
 * with ERR_INVALID, naming the server, stub or file. Any thread. */
int upstream_open(const struct config *config, struct upstream **upstream_out, struct err *err);

/* upstream_watch - from now on answers are taken by the calling thread's loop, until
 * upstream_unwatch. */
void upstream_watch(struct upstream *upstream);
void upstream_unwatch(struct upstream *upstream);

int upstream_open_count(const struct upstream *upstream); /* questions not answered yet */

/* upstream_close - ends libunbound's thread and frees. Unwatched, no question open. Takes NULL. Not
 * for fibers: the library's stack frames are large. */
void upstream_close(struct upstream *upstream);

#define LOOKUP_TYPE_A    1
#define LOOKUP_TYPE_MX   15
#define LOOKUP_TYPE_AAAA 28

/* struct lookup - one question to libunbound: set name and type; the rest is the answer. Embed it
 * on the fiber's stack. */
struct lookup {
	const char *name;
	int type;
	enum dns_status status; /* found, or why not (never the route's own two) */
	bool is_secure;
	int64_t ttl_us;           /* 0 for failures */
	int count;                /* with DNS_FOUND: records */
	struct ub_result *result; /* with DNS_FOUND: their data */
	char reason[120];         /* with DNS_BOGUS: libunbound's own words */

	struct upstream *upstream;
	struct fiber *fiber;
	int id;
	bool is_open;
};

/* upstream_ask - asks `count` questions at once and waits until all are answered. Those that are
 * not at `deadline_us`, or when the fiber is cancelled, come back as DNS_TIMEOUT. PARKS */
PARKS void upstream_ask(struct upstream *upstream, struct lookup *lookups, int count,
                        int64_t deadline_us);

/* lookup_data - the n-th record's data; `at` is NULL if there are not as many. */
struct bytes lookup_data(const struct lookup *lookup, int nth);
void lookup_deinit(struct lookup *lookup);

const char *lookup_type_name(int type);
