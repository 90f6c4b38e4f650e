/* queue/heart.h - the queue itself: the tables that the files of this room work on together. */
#pragma once
#include "base/buffer.h"
#include "base/random.h"
#include "queue/entry.h"
#include "queue/forecast.h"
#include "queue/queue.h"

#define LOOKUPS_MAX  200    /* look-ups in flight */
#define NOTICES_MAX  1000   /* notices in flight */
#define SLICE_TIMERS 2000   /* recipients' timers handled in one step */
#define SLICE_SWEEP  2000   /* messages looked at in one step, by a command */
#define SLICE_REFUSE 500    /* recipients refused in one step */
#define SLICE_IDLE   500    /* sites, and destinations, forgotten in one step */
#define IDLE_MAX     100000 /* sites, and destinations, remembered without mail */
#define IDLE_US      (3 * 24 * 3600 * 1000000LL) /* and for how long */

struct suspension {
	bool is_set;
	int64_t since_us;
	char *reason;
};

struct queue {
	const struct config *config;
	int worker_count;
	uint64_t seed; /* of the hash of domains */
	struct random random;
	int64_t now_us;
	bool is_loading;         /* start-up: who waits is not known yet */
	struct actions *actions; /* of the running step */

	struct roster roster;
	struct heap timers; /* recipients */

	struct hash destinations, sites;
	struct heap destination_timers, site_timers;
	struct list idle_destinations, idle_sites; /* longest idle first */
	uint32_t idle_destination_count, idle_site_count;
	struct list turns;            /* sites that could start a job now */
	struct list touched;          /* sites to settle at the end of the step */
	struct list look_ups;         /* destinations that want one */
	struct list refusing;         /* destinations whose mail is being refused */
	struct suspension suspension; /* of all destinations */
	int lookups_busy;

	struct hash jobs; /* by number */
	uint64_t job_number;

	struct list owed; /* recipients whose failure notice is to be asked for */
	struct hash notices;
	struct heap notice_timers;
	uint64_t notice_number;

	struct list sweeps; /* commands that go through the whole queue, slice by slice */
	struct survey survey;
	struct buffer scratch; /* for what is being encoded */
	struct queue_totals totals;
};
