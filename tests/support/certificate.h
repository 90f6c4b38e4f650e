/* tests/support/certificate.h - keys and certificates made for a test, as PEM files (with the
 * issuer behind) in a folder of its own that is removed when the program ends. */
#pragma once

struct certificate {
	char path[200], key_path[200];
	struct x509_st *x509;
	struct evp_pkey_st *key;
};

enum certificate_kind { CERTIFICATE_LEAF, CERTIFICATE_AUTHORITY };

struct certificate_wish {
	const char *name; /* subject, and the DNS name it is for */
	enum certificate_kind kind;
	const struct certificate *issuer; /* NULL: itself */
	long begins_s, ends_s;            /* from now; both 0: valid for an hour around now */
};

struct certificate certificate_make(const struct certificate_wish *wish);
void certificate_free(struct certificate *certificate);
