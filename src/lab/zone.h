/* lab/zone.h - the world's DNS: answers a question from the records of its names (RFC 1035, EDNS
 * RFC 6891). Pure. Authoritative for everything; the SOA of negative answers is that of the top
 * label. */
#pragma once
#include "base/buffer.h"
#include "lab/world.h"

enum zone_transport { ZONE_UDP, ZONE_TCP };

/* zone_answer - appends the answer to `query` to `out`: without TCP's length, and over UDP not
 * longer than the client takes (then it says "truncated"). Returns false, with `out` as it was,
 * when nothing is to be sent: a query that cannot be read, or a scripted timeout. */
bool zone_answer(const struct world *world, struct bytes query, enum zone_transport transport,
                 struct buffer *out);
