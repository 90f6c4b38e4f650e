/* deliver/hosts.h - from a route to a connection: hosts by preference, equal ones in random order,
 * all their addresses (RFC 5321 5.1, RFC 1123 5.3.4). */
#pragma once
#include "base/random.h"
#include "config/config.h"
#include "deliver/client.h"
#include "deliver/own.h"
#include "deliver/verdict.h"
#include "dns/dns.h"
#include "model/route.h"

struct hosts {
	const struct config *config;
	struct resolver *resolver;
	struct random *random;
	struct own *own;
	const struct route *route;
	struct bytes domain; /* of the recipients */
	int addresses_left;  /* may still be tried */
	const struct secure_wish *secure;
	/* accepts - may the mail go through this client? Else the verdict says why, and the next
	 * host is tried. */
	bool (*accepts)(void *arg, const struct client *client, struct outcome *outcome_out);
	void *arg;
	struct outcome verdict; /* when none was found: what counts most of all that was met */
	enum rank rank;
	uint32_t connects, failures; /* counted up */
};

/* hosts_connect - NULL: `verdict` says why. PARKS */
PARKS struct client *hosts_connect(struct hosts *hosts);
