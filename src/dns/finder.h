/* dns/finder.h - how a finding is made: which questions follow from which answers (RFC 5321 5.1,
 * RFC 7505). Straight-line code for the resolver's fibers. */
#pragma once
#include "dns/decision.h"
#include "dns/upstream.h"

/* finder_run - looks up what `decision` asks for and fills its finding, at the latest at its
 * deadline. `now_us` for the validity is read when the answers are there. PARKS */
PARKS void finder_run(struct decision *decision, struct upstream *upstream,
                      const struct config *config);

/* finder_literal - the finding for "[192.0.2.1]", "[IPv6:2001:db8::1]" and plain addresses, which
 * need no lookup. False if `host` is not one. */
bool finder_literal(struct bytes host, struct address *address_out);
