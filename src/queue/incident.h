/* queue/incident.h - the times at which a site, or the DNS of a domain, kept mail waiting. */
#pragma once
#include "base/buffer.h"
#include "base/units.h"
#include "model/cause.h"

#define INCIDENTS_MAX 16 /* of one site; the oldest goes */

struct incident {
	int64_t start_us, end_us; /* end 0: it lasts */
	enum cause cause;         /* at its start */
	uint32_t hurt;            /* recipients that had to wait */
	uint32_t expired;         /* of them, those that expired meanwhile */
	uint32_t recovered;       /* and those that were delivered afterwards */
};

struct incidents {
	struct incident *items; /* oldest first; NULL: none */
	uint8_t count;
};

void incidents_deinit(struct incidents *incidents);

#define RELAPSE_US (10 * US_PER_MINUTE)

/* incidents_begin - a new one; or, if the site was still recovering and the last one ended no
 * longer than RELAPSE_US ago, that one goes on. */
enum incident_kind { INCIDENT_NEW, INCIDENT_RELAPSE };
struct incident *incidents_begin(struct incidents *incidents, enum incident_kind kind,
                                 enum cause cause, int64_t now_us);
void incidents_end(struct incidents *incidents, int64_t now_us);
struct incident *incidents_current(const struct incidents *incidents); /* NULL: all is well */

/* incidents_hurt, incidents_expire - `count` recipients more, if one lasts. incidents_recover - a
 * recipient that arrived at `arrived_us` was delivered: counted if it was hurt by the last one. */
void incidents_hurt(const struct incidents *incidents, uint64_t count);
void incidents_expire(const struct incidents *incidents);
void incidents_recover(const struct incidents *incidents, int64_t arrived_us);

/* incidents_odds_percent - of the earlier ones that lasted as long as this one does now, how many
 * were over within `within_us` more; -1: there was none to tell from. */
int incidents_odds_percent(const struct incidents *incidents, int64_t within_us, int64_t now_us);

void incidents_encode(const struct incidents *incidents, struct buffer *out);
bool incidents_decode(struct reader *in, struct incidents *incidents_out); /* false: not one */
