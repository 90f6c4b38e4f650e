/* deliver/deliver.h - carries one message to one site and says what became of each recipient (RFC
 * 5321 client side, 1870, 1652, 2920, 3030, 3461, 6531, 2852). One per worker thread; it owns that
 * worker's connections, one per slot. */
#pragma once
#include "config/config.h"
#include "dns/dns.h"
#include "model/message.h"
#include "model/outcome.h"
#include "model/route.h"

struct deliverer;

struct deliver_job {
	const struct message *message; /* with its body */
	const uint32_t *recipients;    /* indices in the message */
	uint32_t recipient_count;
	const struct route *route;
	uint32_t slot;       /* the site's slot: its connection, if one is idle, is used */
	int64_t deadline_us; /* of the message; for DELIVERBY */
	int64_t idle_us;     /* keep the connection that long afterwards */
	int messages_per_connection;
	bool is_probe; /* try all hosts and addresses, however many (bounded by DNS_ADDRESSES_MAX x
	                  ROUTE_HOSTS_MAX) */
};

struct deliver_result {
	struct outcome *outcomes; /* one per recipient of the job; the caller's array, filled */
	bool next_hop_has_dsn;    /* parameters were handed on: no `relayed` notice is due (RFC
	                             3461 5.2.2) */
	uint32_t transactions;
};

/* deliverer_create - for the calling thread's loop. `resolver` outlives it. Fails naming the DKIM
 * key that cannot be read: mail should not leave unsigned unnoticed. */
int deliverer_create(const struct config *config, struct resolver *resolver,
                     struct deliverer **deliverer_out, struct err *err);

/* deliverer_run - the whole attempt: idle connection or MX hosts in order and all their addresses,
 * session, transaction(s), outcome per recipient. Every outcome is decided when it returns
 * (RESULT_NONE never). Cause and scope by codes/. At most as long as the configured timeouts allow.
 * PARKS */
PARKS void deliverer_run(struct deliverer *deliverer, const struct deliver_job *job,
                         struct deliver_result *result);

/* deliverer_reload - on an error (it names the DKIM key) the keys that were in use stay. */
int deliverer_reload(struct deliverer *deliverer, const struct config *config, struct err *err);

/* deliverer_stop - idle connections are closed with QUIT; further jobs end at once as deferred with
 * own_fault. */
void deliverer_stop(struct deliverer *deliverer);
void deliverer_destroy(struct deliverer *deliverer); /* after its fibers have ended. Takes NULL */

struct deliverer_stats {
	uint64_t connects, connect_failures, transactions, reused;
	uint32_t connections, idle; /* open now */
};
void deliverer_stats(const struct deliverer *deliverer, struct deliverer_stats *stats_out);
