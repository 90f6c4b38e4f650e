/* check/key_record.h - a DKIM key as it stands in the DNS (RFC 6376 3.6.1; RFC 8301, 8463): what is
 * right and wrong with it. Pure. */
#pragma once
#include "base/bytes.h"

enum key_kind { KEY_UNKNOWN, KEY_RSA, KEY_ED25519 };

struct key_record {
	enum key_kind kind;
	int bits;          /* of the RSA modulus; 256 for Ed25519 */
	bool is_revoked;   /* p= is empty */
	bool is_testing;   /* t=y: receivers treat its signatures as if there were none */
	bool is_strict;    /* t=s: no subdomains in i= */
	bool takes_sha256; /* h= allows it, or is not there */
	bool takes_email;  /* s= allows it, or is not there */
	char problem[200]; /* why it is not a key; "" if it is */
};

/* key_record_parse - reads the joined text of one TXT record. False if no signature can be verified
 * by it (`problem` says why); a revoked key is true. */
bool key_record_parse(struct bytes text, struct key_record *record_out);

/* key_record_is - whether a TXT record at a selector's name is meant to be a key: it has a p= or
 * says v=DKIM1. A wildcard or a CNAME may put other texts there. */
bool key_record_is(struct bytes text);

const char *key_kind_name(enum key_kind kind); /* "rsa", "ed25519", "unknown" */
