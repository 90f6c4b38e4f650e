/* spool/bodies.h - large bodies, each in a file of its own; unlinked when their message is
 * finished. */
#pragma once
#include "base/err.h"
#include "model/message.h"

struct bodies;

struct bodies *bodies_create(const char *directory);
void bodies_destroy(struct bodies *bodies); /* takes NULL */

/* The journal's thread: which message has which file. */
void bodies_add(struct bodies *bodies, uint64_t id, const char *path);
void bodies_remove(struct bodies *bodies,
                   uint64_t id); /* unlinks it too; no effect for messages without one */
void bodies_remove_strays(struct bodies *bodies); /* files that no message names: left by sessions
                                                     that were cut off */

/* Any thread. */
int bodies_create_file(struct bodies *bodies, char path_out[512], int *fd_out, struct err *err);
int bodies_sync_file(struct bodies *bodies, int fd, struct err *err);
int bodies_read_headers(struct message *message, struct err *err);
