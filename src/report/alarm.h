/* report/alarm.h - when an alarm of the configuration is raised and cleared. Pure: judges what it
 * is told; serve/ gathers the facts and runs the hooks. */
#pragma once
#include "config/config.h"
#include "model/cause.h"

#define ALARM_TROUBLES_MAX 1000 /* that are looked at; beyond it the longest count */
#define ALARM_TEXT_MAX     500
#define ALARM_CALM_LOOKS   3 /* in a row without the trouble, and the alarm is cleared */
#define ALARM_HORIZONS     3 /* 1h, 6h, 24h */

/* A site, or a domain whose DNS fails, that keeps mail waiting. */
struct alarm_trouble {
	char name[256];
	enum cause cause;
	int64_t start_us;
};

struct alarm_facts {
	int64_t now_us;
	uint64_t expiring[ALARM_HORIZONS]; /* recipients */
	struct alarm_trouble *troubles;    /* longest first */
	int trouble_count;
	int64_t oldest_us;       /* arrival of the oldest message that waits; 0: none */
	int64_t disk_free_bytes; /* of the spool's file system; -1: unknown */
};

struct alarm_state {
	bool is_raised;
	int calm_looks;
	int64_t since_us; /* raised since; 0: it is not */
	char text[ALARM_TEXT_MAX];
};

enum alarm_change { ALARM_AS_BEFORE, ALARM_RAISED, ALARM_CLEARED };

/* alarm_condition - the key that makes it: "expiring", "site_down", "queue_age", "disk_free". */
const char *alarm_condition(const struct config_alarm *alarm);

/* alarm_look - judges the facts and moves the state on; its text says what was found. Raised at
 * once, cleared after ALARM_CALM_LOOKS. */
enum alarm_change alarm_look(const struct config_alarm *alarm, const struct alarm_facts *facts,
                             struct alarm_state *state);
