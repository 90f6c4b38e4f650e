/* mail/dkim.h - DKIM signatures (RFC 6376, 8301, 8463): made and checked. Pure: who asks for a key
 * record is the caller. */
#pragma once
#include "mail/dkim_key.h"

/* struct dkim_signer - who signs: the key that SELECTOR._domainkey.DOMAIN publishes. */
struct dkim_signer {
	const struct dkim_key *key;
	const char *domain, *selector;
};

/* dkim_sign - appends one DKIM-Signature field, with its line end, to stand in front of `content`
 * (which must have CRLF as its only line ends, not begin with a blank, and go out unchanged).
 * relaxed/relaxed; covers what a reader sees or a program acts on, and forbids a second From,
 * Subject, To, Cc, Reply-To and others (h= names them once more than they are there: RFC
 * 6376 8.15). The same arguments give the same field: `time_s` (t=, seconds since 1970) should be
 * the message's own time. */
void dkim_sign(const struct dkim_signer *signer, struct bytes content, int64_t time_s,
               struct buffer *out);

/* dkim_author_domain - of the From field's (first) address, as it stands there; empty: none. */
struct bytes dkim_author_domain(struct bytes headers);

/* One DKIM-Signature of a message, as it was found. */
struct dkim_signature {
	struct bytes domain, selector; /* "" if the signature does not say */
	enum dkim_algorithm algorithm;
	struct bytes whole;  /* the field */
	struct bytes tags;   /* its value */
	const char *problem; /* why it can never be valid; NULL: it may be */
};

/* dkim_signature_next - the next signature of `*headers`; false: there is no more. */
bool dkim_signature_next(struct bytes *headers, struct dkim_signature *signature_out);

/* dkim_check - is the signature right, with this key, for this content? `now_s` for its expiry.
 * Returns NULL, or what is wrong. */
const char *dkim_check(const struct dkim_signature *signature, const struct dkim_key *key,
                       struct bytes content, int64_t now_s);
