/* serve/serve.h - the daemon: builds the rooms, joins them by mailboxes, starts, reloads and stops
 * them in order. */
#pragma once
#include "base/buffer.h"
#include "base/err.h"
#include "config/config.h"

struct serve_options {
	const char *config_path;
	const char *ready_path; /* a file that gets the addresses (JSON) once all is up; NULL: none.
	                           For tests */
};

/* serve_run - runs until SIGTERM or SIGINT. Returns the exit status; says on stderr what could not
 * be started. */
int serve_run(const struct serve_options *options);
