/* receive/receive.h - the SMTP server: what a client may do, policy at the door; collects a message
 * and hands it on (RFC 5321, 1870, 1652, 2034, 2852, 2920, 3030, 3207, 3461, 6531, 8314, 9422). One
 * receiver per worker thread; each session is a fiber. */
#pragma once
#include "base/err.h"
#include "base/id.h"
#include "config/config.h"
#include "model/message.h"
#include "runtime/budget.h"
#include "runtime/stream.h"

struct receiver;

/* What the receiver needs from the rooms it does not know. All may be called by any worker's
 * fibers. */
struct receiver_hooks {
	void *arg;

	/* accept - keeps a complete message; returns 0 only when it is on disk: then the client is
	 * told 250. The reference passes to the callee, also on failure. ERR_FULL -> 452 4.3.1,
	 * anything else -> 451 4.3.0. PARKS */
	PARKS int (*accept)(void *arg, struct message *message, struct err *err);

	/* has_room - false: MAIL FROM is answered 452 4.3.1. Does not park. */
	bool (*has_room)(void *arg);

	/* body_file, body_sync, body_remove - large content (see spool.h: spool_body_file). PARK */
	PARKS int (*body_file)(void *arg, char path_out[512], int *fd_out, struct err *err);
	PARKS int (*body_sync)(void *arg, int fd, struct err *err);
	PARKS void (*body_remove)(void *arg, const char *path);
};

struct receiver_stats {
	uint64_t connections, connections_refused, messages, recipients, bytes, rejected;
	uint64_t handshakes, handshakes_failed; /* TLS */
	uint32_t sessions;                      /* open now */
};

/* receiver_create - opens the configured listeners on the calling thread's loop. `budget` (memory
 * for content) and `ids` stay the caller's; `ids` belongs to this worker alone. Fails naming the
 * listener that could not be opened. */
int receiver_create(const struct config *config, const struct receiver_hooks *hooks,
                    struct budget *budget, struct id_maker *ids, const struct receiver *first,
                    struct receiver **receiver_out, struct err *err);

/* receiver_reload - sessions take the new configuration with their next transaction; listeners that
 * are new are opened, gone ones closed. A certificate that cannot be read leaves the one that is in
 * use; the error names it. */
int receiver_reload(struct receiver *receiver, const struct config *config, struct err *err);

/* receiver_stop - no new connections; sessions are told 421 4.3.2 at their next command, and at
 * once when they are idle. */
void receiver_stop(struct receiver *receiver);
void receiver_destroy(struct receiver *receiver); /* after the sessions have ended (loop_run has
                                                     returned). Takes NULL */

void receiver_stats(const struct receiver *receiver,
                    struct receiver_stats *stats_out); /* own thread */

/* receiver_address - where listener number `n` listens, with its real port (tests use port 0). NULL
 * beyond the last. */
const struct address *receiver_address(const struct receiver *receiver, int n);
