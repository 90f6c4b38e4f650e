/* serve/errand.h - what threads without a loop (the HTTP server's, main) want of the spool. Each
 * blocks until the journal has answered, by way of `home`, a thread with a loop. */
#pragma once
#include "spool/spool.h"

/* errand_put - a new message: 0 once it is on disk. The reference stays the caller's. */
int errand_put(struct spool *spool, struct mailbox *home, struct message *message, struct err *err);

/* errand_read - fills `read`, whose id and wants_body are set; the caller gives back what it holds.
 */
void errand_read(struct spool *spool, struct mailbox *home, struct spool_read *read);

/* errand_sync - until all that was recorded before is on disk; < 0: it could not be written. */
int errand_sync(struct spool *spool, struct mailbox *home);
