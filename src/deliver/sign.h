/* deliver/sign.h - the configuration's DKIM keys, and which of them sign a message (RFC 6376 5,
 * 8301, 8463). Signing is the last thing before a message leaves: after every conversion, with the
 * keys of that day, and for notices too. One thread's. */
#pragma once
#include "base/err.h"
#include "config/config.h"

#define SIGNATURES_MAX 8 /* of one message */

struct signers; /* counted references */

/* signers_read - all keys of the configuration. ERR_INVALID or ERR_SYSTEM name the file that cannot
 * be used. Reads files: blocks for a moment. */
int signers_read(const struct config *config, struct signers **signers_out, struct err *err);

/* signers_read_key - one key file. Likewise; the caller destroys the key. */
struct dkim_key;
int signers_read_key(const char *path, struct dkim_key **key_out, struct err *err);

struct signers *signers_acquire(struct signers *signers);
void signers_release(struct signers *signers); /* takes NULL */

/* signers_sign - appends the DKIM-Signature fields that belong in front of `content`: one for each
 * key whose senders include the author's domain (From) and whose dates include `now_us`; of keys
 * with the same domain and algorithm the newest. t= is `arrived_us`, so that every attempt gives
 * the same fields. PARKS when the content is large */
PARKS void signers_sign(struct signers *signers, struct bytes content, int64_t arrived_us,
                        int64_t now_us, struct buffer *out);
