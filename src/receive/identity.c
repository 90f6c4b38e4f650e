#include "receive/identity.h"
#include "base/alloc.h"
#include "base/log.h"
#include "base/units.h"
#include "runtime/tls.h"
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define LOOK_US (10 * US_PER_SECOND)

/* A file that is not there looks like one that was never read. */
static struct file_mark look_at(const char *path)
{
	struct stat found;

	if (stat(path, &found) < 0)
		return (struct file_mark){ 0 };
	return (struct file_mark){ found.st_mtim, found.st_size, found.st_ino };
}

static bool is_same(const struct file_mark *a, const struct file_mark *b)
{
	return a->modified.tv_sec == b->modified.tv_sec &&
	       a->modified.tv_nsec == b->modified.tv_nsec && a->size_bytes == b->size_bytes &&
	       a->inode == b->inode;
}

static void replace(char **text, const char *with)
{
	char *copy = strdup(with); /* it may be the old text itself */

	free(*text);
	*text = copy;
}

int identity_read(struct identity *identity, const char *certificate_path, const char *key_path,
                  struct err *err)
{
	const char *key = *key_path ? key_path : certificate_path;
	/* Looked at first: what changes while it is read is read again. */
	struct file_mark certificate_mark = look_at(certificate_path), key_mark = look_at(key);
	struct tls_context *context;
	int result = tls_server_create(certificate_path, key, &context, err);

	if (result < 0)
		return result;
	tls_context_destroy(identity->context);
	identity->context = context;
	identity->certificate = certificate_mark;
	identity->key = key_mark;
	replace(&identity->certificate_path, certificate_path);
	replace(&identity->key_path, key);
	return 0;
}

static void read_again(struct identity *identity, struct file_mark certificate,
                       struct file_mark key)
{
	struct err err = { 0 };

	if (identity_read(identity, identity->certificate_path, identity->key_path, &err) == 0) {
		log_info("receive", "certificate %s was read again", identity->certificate_path);
		return;
	}
	log_error("receive", "%s; the old certificate stays in use", err.text);
	identity->certificate = certificate; /* said once, not every ten seconds */
	identity->key = key;
}

struct tls_context *identity_context(struct identity *identity, int64_t now_us)
{
	struct file_mark certificate, key;

	if (now_us - identity->checked_us < LOOK_US)
		return identity->context;
	identity->checked_us = now_us;
	certificate = look_at(identity->certificate_path);
	key = look_at(identity->key_path);
	if (!is_same(&certificate, &identity->certificate) || !is_same(&key, &identity->key))
		read_again(identity, certificate, key);
	return identity->context;
}

void identity_deinit(struct identity *identity)
{
	tls_context_destroy(identity->context);
	free(identity->certificate_path);
	free(identity->key_path);
	*identity = (struct identity){ 0 };
}
