/* receive/identity.h - a listener's certificate and key: read from their files, and again when
 * those have changed. One thread's. */
#pragma once
#include "base/err.h"
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

/* How a file looked when it was read. */
struct file_mark {
	struct timespec modified;
	off_t size_bytes;
	ino_t inode;
};

struct identity {
	struct tls_context *context; /* NULL: never read */
	char *certificate_path, *key_path;
	struct file_mark certificate, key;
	int64_t checked_us;
};

/* identity_read - an empty `key_path`: the key is in the certificate's file. On an error (it names
 * the file) what was read before stays in use. */
int identity_read(struct identity *identity, const char *certificate_path, const char *key_path,
                  struct err *err);

/* identity_context - after identity_read has succeeded once: what handshakes use now. Looks at most
 * once every ten seconds whether a file has changed; files that cannot be read are logged, and what
 * was in use stays. Valid until the next call. */
struct tls_context *identity_context(struct identity *identity, int64_t now_us);
void identity_deinit(struct identity *identity);
