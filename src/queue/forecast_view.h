/* queue/forecast_view.h - what the queue foresees, and the trouble that it remembers. */
#pragma once
#include "queue/view.h"

/* What will expire if nothing changes, of a site or of a domain without one; from the last survey.
 */
#define FORECAST_HORIZONS 3

struct forecast_view {
	const char *site;      /* route name; "" for a domain without a site */
	struct bytes domain;   /* of that; else empty */
	enum site_state state; /* SITE_NEVER: the domain's look-up fails, or was not made */
	enum cause cause;
	enum site_limit limit;
	uint64_t waiting, stopped;            /* recipients; those whose time is not counted */
	uint64_t expiring[FORECAST_HORIZONS]; /* recipients, within 1 h, 6 h, 24 h */
	uint64_t expiring_bytes[FORECAST_HORIZONS];
	int odds_percent[FORECAST_HORIZONS]; /* that it is back by then, from its own incidents;
	                                        -1: nothing to tell from, or it is not closed */
	uint64_t too_many; /* recipients for which no retry window is left at the present rate */
	int64_t gap_us;    /* between messages at present; 0: no limit */
	int64_t needed_gap_us; /* so that nothing expires; 0: no matter */
};

/* queue_forecast - visits whatever has mail; returns when the survey ended, 0: there was none yet.
 * Costs the number of sites and destinations. */
int64_t queue_forecast(const struct queue *queue, int64_t now_us,
                       void (*visit)(void *arg, const struct forecast_view *view), void *arg);

/* queue_each_incident - of sites, then of domains, each oldest first; `site` or `domain` is empty.
 * Costs the number of sites and destinations. */
void queue_each_incident(const struct queue *queue,
                         void (*visit)(void *arg, const char *site, struct bytes domain,
                                       const struct incident *incident),
                         void *arg);
