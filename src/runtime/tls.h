/* runtime/tls.h - TLS 1.2 and 1.3 (RFC 5246, 8446, 9325) by OpenSSL: contexts, and what a handshake
 * found out. The handshake itself is stream_start_tls. A context belongs to one thread; streams
 * that began with it outlive it. */
#pragma once
#include "base/arena.h"
#include "base/err.h"
#include "runtime/stream.h"

struct tls_context;

/* tls_server_create - for the accepting side. `certificate_path`: PEM, the server's own certificate
 * first, then its chain; `key_path`: PEM, without a passphrase. ERR_INVALID names the file and what
 * is wrong with it. Reads files: blocks for a moment. */
int tls_server_create(const char *certificate_path, const char *key_path,
                      struct tls_context **context_out, struct err *err);

/* TLS_TRUST_SYSTEM - the certification authorities that Debian's ca-certificates installs. */
#define TLS_TRUST_SYSTEM "/etc/ssl/certs/ca-certificates.crt"

/* tls_client_create - for the connecting side. `trust_path`: PEM, the authorities to believe; NULL:
 * none, so that nothing verifies but by TLSA. ERR_INVALID names the file. Blocks for a moment. */
int tls_client_create(const char *trust_path, struct tls_context **context_out, struct err *err);
void tls_context_destroy(struct tls_context *context); /* takes NULL */

/* A TLSA record (RFC 6698 2.1). Usages 2 (DANE-TA) and 3 (DANE-EE) count, others do not (RFC 7672
 * 3.1.3). */
struct tls_tlsa {
	uint8_t usage, selector, matching;
	struct bytes data;
};

/* struct tls_start - what a handshake is to do. Borrowed for the call only. */
struct tls_start {
	struct tls_context *context;
	/* For clients. `server_name`: said to the server (SNI, RFC 6066 3), and the base domain of
	 * the TLSA records; NULL or "": none. */
	const char *server_name;
	/* The certificate must carry one of these names (RFC 6125; or a literal address); without
	 * any, names are not looked at. */
	const char *const *names;
	int name_count;
	/* With a usable record among these, it alone decides, not the authorities (RFC 7672 2.2).
	 */
	const struct tls_tlsa *tlsa;
	int tlsa_count;
};

/* Is the peer who it should be? The handshake succeeds whatever the answer; what follows from it is
 * the caller's policy. The values answer to RFC 8460 4.3. */
enum tls_verdict {
	TLS_VERIFIED,
	TLS_NO_CERTIFICATE, /* none was shown, or this is a server and asks for none */
	TLS_NOT_TRUSTED,    /* no authority that we believe vouches for it; also self-signed */
	TLS_EXPIRED,        /* or not valid yet */
	TLS_WRONG_NAME,
	TLS_TLSA_MISMATCH, /* no TLSA record fits */
	TLS_INVALID,       /* anything else: revoked, malformed, weak key */
	TLS_VERDICTS,
};

/* tls_verdict_name - "verified", "not trusted", ... */
const char *tls_verdict_name(enum tls_verdict verdict);

/* What stream_tls gives; all of it as long as the stream. */
struct tls;
enum tls_verdict tls_verdict(const struct tls *tls);
const char *tls_verdict_text(const struct tls *tls); /* OpenSSL's words; "ok" */
bool tls_has_tlsa(const struct tls *tls);            /* a usable TLSA record was given */
const char *tls_protocol(const struct tls *tls);     /* "TLSv1.3" */
const char *tls_cipher(const struct tls *tls); /* as IANA writes it: "TLS_AES_256_GCM_SHA384" */
int tls_cipher_bits(const struct tls *tls);    /* 256 */
const char *tls_server_name(const struct tls *tls); /* SNI said or heard; "" if none */

#define TLS_DIGEST_BYTES 32
#define TLS_NAMES_MAX    100

/* struct tls_certificate - one of those that the peer showed. */
struct tls_certificate {
	const char *subject, *issuer; /* RFC 2253, cut at 255 bytes; may hold UTF-8 */
	const char *key;              /* "RSA 2048", "EC 256 (prime256v1)", "ED25519" */
	const char **names;           /* DNS names and addresses it is for */
	int name_count;               /* at most TLS_NAMES_MAX */
	int64_t not_before_us, not_after_us;
	bool is_self_signed;
	uint8_t sha256[TLS_DIGEST_BYTES];     /* of all of it: TLSA x 0 1 */
	uint8_t key_sha256[TLS_DIGEST_BYTES]; /* of its public key: TLSA x 1 1 */
};

/* tls_certificate - the peer's certificate number `n`: 0 its own, then the chain as it was sent.
 * False: there is none. Everything is copied into `arena`. */
bool tls_certificate(const struct tls *tls, int n, struct arena *arena,
                     struct tls_certificate *certificate_out);
