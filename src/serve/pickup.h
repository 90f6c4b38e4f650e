/* serve/pickup.h - the thread that takes mail out of the drop folder: puts it into the spool, tells
 * the keeper, and only then removes the file. A crash in between takes a message twice, never
 * loses one. */
#pragma once
#include "serve/server.h"

struct pickup;

/* pickup_start - nothing to do, and `*pickup_out` NULL, when no folder is configured. It makes the
 * folder if it is missing. */
int pickup_start(struct server *server, struct pickup **pickup_out, struct err *err);

/* pickup_stop - after what it is at. Takes NULL. */
void pickup_stop(struct pickup *pickup);
