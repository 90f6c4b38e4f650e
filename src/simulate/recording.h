/* simulate/recording.h - a world made from the event log of a running relay
 * (docs/formats/events.md): its mail at the times at which it came, and what its attempts met. */
#pragma once
#include "base/err.h"
#include "simulate/scene.h"

#define RECORDING_LINE_MAX 65536

/* recording_parse - reads the lines of a log. A last line without its end is left out: it is still
 * being written. ERR_INVALID (also when there is no message in it) with "name:line: what is wrong";
 * ERR_FULL with too many mails, hosts or domains. The mail is there already: scene_find_downtime
 * has been called, scene_fill is not to be. */
int recording_parse(const char *name, struct bytes text, struct scene **scene_out, struct err *err);

/* recording_load - the same of a file. */
int recording_load(const char *path, struct scene **scene_out, struct err *err);
