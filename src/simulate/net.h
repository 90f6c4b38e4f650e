/* simulate/net.h - the other side during one run: who is connected, how much of a rate is used up,
 * which senders and recipients were seen. All policies meet the same one. */
#pragma once
#include "simulate/scene.h"

struct net;

/* What a policy asks of it: to deliver a mail now to these hosts, in this order. */
struct net_try {
	uint32_t mail;
	const uint32_t *hosts;
	int host_count;
	int64_t connect_timeout_us;
};

struct net_answer {
	const struct outcome *outcome; /* NULL: delivered. Lives as long as the scene */
	int64_t duration_us;
	int32_t host;       /* the one that answered; -1: none could be reached */
	bool is_host_down;  /* no host took a connection for it: refused, no answer, or 421 */
	bool has_timed_out; /* and the last one did not answer at all */
};

struct net *net_create(const struct scene *scene);
void net_destroy(struct net *net); /* takes NULL */

/* net_begin - what comes of an attempt that begins at `now_us`; the connection is held until
 * net_end. */
struct net_answer net_begin(struct net *net, const struct net_try *attempt, int64_t now_us);
void net_end(struct net *net, const struct net_answer *answer);

/* net_look_up - the records of a domain as a resolver with a cache sees them; good until
 * `*until_us_out`. */
const struct scene_records *net_look_up(struct net *net, uint32_t domain, int64_t now_us,
                                        int64_t *until_us_out);

struct net_counts {
	uint64_t attempts;
	uint64_t dead;    /* connections to hosts that did not take them, or said 421 at once */
	uint64_t crowded; /* connections beyond a host's number */
	uint64_t limited; /* refused for the rate */
};
const struct net_counts *net_counts(const struct net *net);
