/* base/err.h - our own failures. The world's answers (a 550, an NXDOMAIN) are values:
 * model/outcome.h. */
#pragma once
#include "base/macros.h"

enum err_code {
	ERR_SYSTEM = -1,    /* a system call failed: see `system_errno` */
	ERR_INVALID = -2,   /* malformed input from a person: config, argument, API */
	ERR_PROTOCOL = -3,  /* the other side's bytes can never be right */
	ERR_TOO_LONG = -4,  /* beyond a limit */
	ERR_TIMEOUT = -5,   /* the deadline came first */
	ERR_CLOSED = -6,    /* the other side closed the connection */
	ERR_CANCELLED = -7, /* this fiber is being stopped */
	ERR_FULL = -8,      /* no room: disk, budget, table */
	ERR_NOT_FOUND = -9,
	ERR_EXISTS = -10,
	ERR_CORRUPT = -11,  /* our own data on disk does not verify */
	ERR_POISONED = -12, /* an earlier write or sync of this file failed */
	ERR_BUSY = -13,     /* somebody else holds it, or not in this state */
};

struct err {
	enum err_code code; /* 0: none */
	int system_errno;   /* 0 unless code is ERR_SYSTEM */
	char text[240];     /* one sentence that names the object; no full stop */
};

/* err_set - fills `*err` (which may be NULL) and returns `code`, so that `return err_set(...)`
 * reads well. */
int err_set(struct err *err, enum err_code code, const char *format, ...) PRINTF_LIKE(3, 4);

/* err_system - as err_set with ERR_SYSTEM, the current errno, and ": <its text>" appended. */
int err_system(struct err *err, const char *format, ...) PRINTF_LIKE(2, 3);

/* err_name - "timeout", "too long", ...; never NULL. */
const char *err_name(int code);
