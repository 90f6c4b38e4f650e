/* queue/filter.h - which recipients are meant. Empty fields match everything. The same filter
 * serves `queue list`, retry, hold, extend ...; `from` and `to` need addresses, which are on disk,
 * so that serve/ checks those two. */
#pragma once
#include "base/bytes.h"
#include "model/recipient.h"

struct filter {
	struct bytes destination; /* exact domain, or "*.suffix" */
	struct bytes site;        /* route text or name */
	bool has_cause, has_state;
	enum cause cause; /* the cause now: of the recipient or of its closed site */
	enum recipient_state state;
	int64_t older_us;      /* age above this */
	struct bytes from, to; /* substrings, without case; not looked at by queue/ */
};

struct queue;
struct recipient;

/* filter_matches - whether one recipient is meant, leaving addresses out. */
bool filter_matches(const struct filter *filter, const struct queue *queue,
                    const struct recipient *recipient);
bool filter_matches_domain(struct bytes pattern, struct bytes domain);
