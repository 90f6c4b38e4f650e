/* check/policy_fetch.h - fetches the policy of MTA-STS as RFC 8461 3.3 says: https, no redirect,
 * the certificate for mta-sts.DOMAIN, 64 KiB, one minute. */
#pragma once
#include "check/asker.h"
#include "check/policy_record.h"

struct policy_fetch {
	const char *trust;   /* PEM file of authorities; "" or NULL: the system's */
	int64_t deadline_us; /* at the latest */
};

/* policy_fetch - true if the file came; `problem_out` says why not, or what is wrong with it, or is
 * "". The policy borrows from the arena. PARKS */
PARKS bool policy_fetch(const struct asker *asker, struct arena *arena, struct bytes domain,
                        const struct policy_fetch *how, struct sts_policy *policy_out,
                        char problem_out[240]);
