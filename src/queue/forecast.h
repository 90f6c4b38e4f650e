/* queue/forecast.h - what will expire if nothing changes. A survey goes through the queue slice by
 * slice, now and then, and counts what waits for each site (or domain without one) by the time that
 * is left to its deadline. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct queue;
struct site;
struct destination;

#define OUTLOOK_PARTS 14 /* of the time to the deadline; the last has no end */

/* One survey's counts for one site or domain. */
struct outlook_pass {
	uint32_t number;               /* of the survey; 0: never counted */
	uint32_t flow[OUTLOOK_PARTS];  /* recipients that go out as soon as the site takes them */
	uint32_t stuck[OUTLOOK_PARTS]; /* those that wait for a reason of their own, or are held */
	uint32_t stopped;              /* their time is not counted: they do not expire */
	uint64_t flow_bytes, stuck_bytes;
};

/* The one that is being counted and the one before. */
struct outlook {
	struct outlook_pass passes[2];
	int64_t warned_us; /* the last warning that no retry window is left */
	uint32_t warned_count;
};

struct survey {
	uint32_t number; /* of the one that runs, or ran last */
	uint32_t slot;   /* how far it is */
	bool is_running;
	int64_t next_us; /* when the next one begins */
	int64_t done_us; /* when the last whole one ended; 0: none has */
};

/* forecast_run - goes on with the survey that runs, or begins one that is due. */
void forecast_run(struct queue *queue);
int64_t forecast_next_us(const struct queue *queue); /* when forecast_run has work */
