/* serve/hook.h - runs a program of the operator's. For threads without a loop. */
#pragma once
#include "base/bytes.h"
#include "base/err.h"

struct hook {
	const char *program;        /* absolute path; no shell */
	const char *first, *second; /* its arguments */
	struct bytes input;         /* its standard input; at most HOOK_INPUT_MAX */
	int64_t timeout_us;         /* then its process group is killed */
	int stop_fd;                /* readable: killed at once; -1: none */
};

#define HOOK_INPUT_MAX (64 << 10)

/* hook_run - blocks until it has ended. 0: it exited with 0; ERR_TIMEOUT, ERR_CANCELLED (stop_fd),
 * ERR_SYSTEM (it could not be started, failed, or died of a signal), with the reason. Its output
 * goes to our standard error; it inherits nothing else. */
int hook_run(const struct hook *hook, struct err *err);
