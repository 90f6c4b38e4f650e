#include "spool/place.h"
#include "base/alloc.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

struct spool_place {
	char *directory;
	int lock_fd;
};

static int make_directory(const char *directory, const char *name, struct err *err)
{
	char path[512];

	snprintf(path, sizeof path, "%.400s%s", directory, name);
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return err_system(err, "make directory %s", path);
	return 0;
}

static int lock(struct spool_place *place, struct err *err)
{
	char path[512];

	snprintf(path, sizeof path, "%.400s/lock", place->directory);
	place->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (place->lock_fd < 0)
		return err_system(err, "open %s", path);
	if (flock(place->lock_fd, LOCK_EX | LOCK_NB) == 0)
		return 0;
	if (errno == EWOULDBLOCK)
		return err_set(err, ERR_BUSY, "the spool %s is in use by another process",
		               place->directory);
	return err_system(err, "lock %s", path);
}

int spool_place_open(const char *directory, struct spool_place **place_out, struct err *err)
{
	static const char *const names[] = { "", "/journal", "/bodies", "/quarantine" };
	struct spool_place *place = alloc_zeroed(sizeof *place);

	place->directory = strdup(directory);
	place->lock_fd = -1;
	if (strlen(directory) > 400) {
		err_set(err, ERR_TOO_LONG, "the path of the spool is longer than 400 bytes");
		goto fail;
	}
	for (size_t i = 0; i < COUNT(names); i++)
		if (make_directory(directory, names[i], err) < 0)
			goto fail;
	if (lock(place, err) < 0)
		goto fail;
	*place_out = place;
	return 0;
fail:
	spool_place_close(place);
	return err->code;
}

void spool_place_close(struct spool_place *place)
{
	if (!place)
		return;
	if (place->lock_fd >= 0)
		close(place->lock_fd);
	free(place->directory);
	alloc_free(place);
}

const char *spool_place_directory(const struct spool_place *place)
{
	return place->directory;
}
