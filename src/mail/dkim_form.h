/* mail/dkim_form.h - the canonical forms of DKIM (RFC 6376 3.4), for signing and checking. Pure. */
#pragma once
#include "base/buffer.h"

#define DKIM_DIGEST_BYTES 32
#define DKIM_NAMES_MAX    200 /* fields that one signature covers */

enum dkim_form { DKIM_SIMPLE, DKIM_RELAXED };

/* dkim_split - at the first empty line, which belongs to neither. */
void dkim_split(struct bytes content, struct bytes *headers_out, struct bytes *body_out);

/* dkim_digest_body - SHA-256 of the body's canonical form, of its first `limit` bytes only (l=;
 * UINT64_MAX: all). False: the form is shorter than `limit`. */
bool dkim_digest_body(struct bytes body, enum dkim_form form, uint64_t limit,
                      uint8_t digest_out[DKIM_DIGEST_BYTES]);

/* dkim_append_field - the canonical form of one field, `whole` with its line end. */
void dkim_append_field(struct bytes whole, enum dkim_form form, struct buffer *out);

/* dkim_digest_fields - SHA-256 of the canonical forms of the fields that `names` ("from:to:to")
 * asks for, each name the lowest instance that was not taken yet, what is not there being nothing
 * (RFC 6376 5.4.2); and of the signature's own field, whose b= is empty, without its line end
 * (3.7). At most DKIM_NAMES_MAX names are looked at. */
void dkim_digest_fields(struct bytes headers, struct bytes names, enum dkim_form form,
                        struct bytes own_field, uint8_t digest_out[DKIM_DIGEST_BYTES]);
