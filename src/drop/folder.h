/* drop/folder.h - the drop folder (docs/formats/drop.md): every user may put files into
 * it and take away only the own ones; what they put there the relay's group may read. Blocking. */
#pragma once
#include "base/buffer.h"
#include "base/err.h"
#include <sys/types.h>

#define DROP_FILES_PER_USER 1000 /* that wait; more are refused, but for root */

/* drop_folder_create - makes it if it is missing: 03777, below a directory that others may pass. */
int drop_folder_create(const char *directory, struct err *err);

/* drop_folder_put - a new file; on success all of it is on disk under a final name. ERR_FULL: the
 * user has too many there, or less than `reserve_bytes` would be left; ERR_SYSTEM. Nothing is left
 * behind on a failure. */
int drop_folder_put(const char *directory, struct bytes file, int64_t reserve_bytes,
                    struct err *err);

/* A folder that is looked through. */
struct drop_folder;
struct drop_file {
	char name[64];
	uid_t user; /* whose file it is */
};

int drop_folder_open(const char *directory, struct drop_folder **folder_out, struct err *err);
void drop_folder_close(struct drop_folder *folder); /* takes NULL */

/* drop_folder_list - up to `capacity` whole files, of one user a quarter of that at most, so that
 * nobody's many files hold up another's; their count, or < 0. Removes what writers left unfinished
 * over an hour ago (`now_us`). */
int drop_folder_list(struct drop_folder *folder, int64_t now_us, struct drop_file *files_out,
                     int capacity, struct err *err);

/* drop_folder_read - a file's bytes (`data` is cleared; its limit holds). ERR_INVALID: it is no
 * plain file, cannot be read, has several names, or is not the one that was listed; ERR_NOT_FOUND:
 * its owner took it away; ERR_TOO_LONG; ERR_SYSTEM. */
int drop_folder_read(struct drop_folder *folder, const struct drop_file *file, struct buffer *data,
                     struct err *err);

/* drop_folder_remove - it is taken. drop_folder_set_aside - it cannot be: kept as it is in the
 * folder `refused` below, of which at most 1,000 stay. */
int drop_folder_remove(struct drop_folder *folder, const struct drop_file *file, struct err *err);
int drop_folder_set_aside(struct drop_folder *folder, const struct drop_file *file,
                          struct err *err);
