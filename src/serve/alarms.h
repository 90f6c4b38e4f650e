/* serve/alarms.h - the thread that looks whether an alarm is to be raised, and tells of it outside
 * the mail path. Hooks run one after the other there: one that hangs delays other alarms, by its
 * timeout at most, and no mail. What is raised is remembered over restarts. */
#pragma once
#include "base/err.h"
#include "config/config.h"
#include <jansson.h>

struct alarms;
struct server;

/* alarms_start - asks the server's keeper, which outlives it. */
int alarms_start(struct server *server, struct alarms **alarms_out, struct err *err);

/* alarms_post_reload - from the next look on by this configuration. Any thread. */
void alarms_post_reload(struct alarms *alarms, const struct config *config);

/* alarms_json - each alarm and its state, an array; the caller's. Any thread. */
json_t *alarms_json(struct alarms *alarms);

/* alarms_stop - kills a program that runs; a web hook may take its timeout. Takes NULL. */
void alarms_stop(struct alarms *alarms);
