/* base/log.h - what the operator of the program reads: one line of JSON per entry. (What became of
 * mail is the event log's: report/event.h.) May be called by any thread; a line is one write. */
#pragma once
#include "base/macros.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR };

/* log_open - from now on entries of `level` and above go to `fd` (default: warnings and above, to
 * stderr). When `is_plain`, lines are text for a person instead of JSON. */
struct log_options {
	int fd;
	enum log_level level;
	int is_plain;
};
void log_open(const struct log_options *options);

/* log_write - `room` names the folder that speaks ("spool"); the text names the object, without
 * full stop. Text beyond 2,000 bytes is cut; control characters are escaped. */
void log_write(enum log_level level, const char *room, const char *format, ...) PRINTF_LIKE(3, 4);

#define log_debug(room, ...)   log_write(LOG_DEBUG, room, __VA_ARGS__)
#define log_info(room, ...)    log_write(LOG_INFO, room, __VA_ARGS__)
#define log_warning(room, ...) log_write(LOG_WARNING, room, __VA_ARGS__)
#define log_error(room, ...)   log_write(LOG_ERROR, room, __VA_ARGS__)
