/* mail/dkim_key.h - keys of DKIM: RSA with SHA-256 (RFC 6376, 8301) and Ed25519 (RFC 8463), private
 * as PEM, public as the text of a DNS record. Pure. */
#pragma once
#include "base/buffer.h"
#include "base/err.h"

enum dkim_algorithm { DKIM_RSA_SHA256, DKIM_ED25519_SHA256, DKIM_ALGORITHMS };

#define DKIM_RSA_BITS_MIN     1024 /* RFC 8301 3.2: less is never valid, and never signed with */
#define DKIM_RSA_BITS_MAX     4096
#define DKIM_RSA_BITS_USUAL   2048
#define DKIM_SIGNATURE_MAX    (DKIM_RSA_BITS_MAX / 8)
#define DKIM_RECORD_BYTES_MAX 4096

struct dkim_key;

/* dkim_key_parse - a private key in PEM. `name` is for errors: ERR_INVALID says what is wrong. */
int dkim_key_parse(struct bytes pem, const char *name, struct dkim_key **key_out, struct err *err);

/* dkim_key_generate - a new one; RSA has DKIM_RSA_BITS_USUAL. Takes up to a second. */
struct dkim_key *dkim_key_generate(enum dkim_algorithm algorithm);

/* dkim_key_parse_record - the public key of a DNS record "v=DKIM1; k=rsa; p=..." (RFC 6376 3.6.1).
 * ERR_NOT_FOUND: the key was revoked (empty p=); ERR_INVALID says what else is wrong. */
int dkim_key_parse_record(struct bytes record, struct dkim_key **key_out, struct err *err);
void dkim_key_destroy(struct dkim_key *key); /* takes NULL */

enum dkim_algorithm dkim_key_algorithm(const struct dkim_key *key);
const char *dkim_algorithm_name(enum dkim_algorithm algorithm); /* "rsa-sha256" */
bool dkim_algorithm_parse(struct bytes name, enum dkim_algorithm *algorithm_out);
int dkim_key_bits(const struct dkim_key *key); /* 2048; 256 for Ed25519 */

void dkim_key_format_pem(const struct dkim_key *key, struct buffer *out); /* of a private key */
void dkim_key_format_record(const struct dkim_key *key, struct buffer *out);

/* dkim_key_sign - of a SHA-256 digest, as base64. */
void dkim_key_sign(const struct dkim_key *key, const uint8_t digest[32], struct buffer *out);

/* dkim_key_verify - `signature` is decoded already. */
bool dkim_key_verify(const struct dkim_key *key, const uint8_t digest[32], struct bytes signature);
