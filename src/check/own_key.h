/* check/own_key.h - the keys that the relay signs with, against those in the DNS. */
#pragma once
#include "base/bytes.h"
#include "mail/dkim_key.h"

enum own_key {
	OWN_KEY_NONE,     /* there is no key to compare on one of the two sides */
	OWN_KEY_VERIFIED, /* a signature by ours is verified by the DNS's */
	OWN_KEY_DIFFERS,
};

/* own_key_is_for - whether a key of the configuration, "SELECTOR._domainkey.DOMAIN", is one of
 * `domain`. Points into `name`. */
bool own_key_is_for(const char *name, struct bytes domain, struct bytes *selector_out);

/* own_key_verify - signs something with `own` (NULL: OWN_KEY_NONE), and verifies it with the key of
 * `record`, as a receiver does. Pure. */
enum own_key own_key_verify(const struct dkim_key *own, struct bytes record);
