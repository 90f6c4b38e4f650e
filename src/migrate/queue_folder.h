/* migrate/queue_folder.h - the queues of Postfix, Exim and OpenSMTPD, read and never changed. The
 * other system must not run meanwhile. Blocking. */
#pragma once
#include "migrate/found.h"

struct queue_visitor {
	/* A message that waits there; borrowed for the call. Other than 0 ends the walk. */
	int (*message)(void *arg, const char *id, const struct found *found);
	void (*skipped)(void *arg, const char *path, const char *reason);
	void *arg;
};

/* queue_folder_walk - `system` is "postfix", "exim" or "opensmtpd"; `directory` is its queue
 * directory (/var/spool/postfix, /var/spool/exim4, /var/spool/smtpd). Calls the visitor for each
 * message with recipients that still wait, whose content has up to `content_bytes_max`. Returns 0,
 * what the visitor returned, ERR_INVALID (no such system), or ERR_SYSTEM. */
int queue_folder_walk(const char *system, const char *directory, size_t content_bytes_max,
                      const struct queue_visitor *visitor, struct err *err);
