/* What a handshake found out about the peer. */
#include "base/units.h"
#include "runtime/tls.h"
#include "runtime/tls_own.h"
#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <time.h>

static const char *const verdict_names[TLS_VERDICTS] = {
	[TLS_VERIFIED] = "verified",       [TLS_NO_CERTIFICATE] = "no certificate",
	[TLS_NOT_TRUSTED] = "not trusted", [TLS_EXPIRED] = "expired",
	[TLS_WRONG_NAME] = "wrong name",   [TLS_TLSA_MISMATCH] = "TLSA mismatch",
	[TLS_INVALID] = "invalid",
};

const char *tls_verdict_name(enum tls_verdict verdict)
{
	return verdict_names[verdict];
}

enum tls_verdict tls_verdict(const struct tls *tls)
{
	if (!tls->is_client || !SSL_get0_peer_certificate(tls->ssl))
		return TLS_NO_CERTIFICATE;
	switch (SSL_get_verify_result(tls->ssl)) {
	case X509_V_OK:
		return TLS_VERIFIED;
	case X509_V_ERR_CERT_HAS_EXPIRED:
	case X509_V_ERR_CERT_NOT_YET_VALID:
		return TLS_EXPIRED;
	case X509_V_ERR_HOSTNAME_MISMATCH:
	case X509_V_ERR_IP_ADDRESS_MISMATCH:
		return TLS_WRONG_NAME;
	case X509_V_ERR_DANE_NO_MATCH:
		return TLS_TLSA_MISMATCH;
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
	case X509_V_ERR_CERT_UNTRUSTED:
		return TLS_NOT_TRUSTED;
	default:
		return TLS_INVALID;
	}
}

const char *tls_verdict_text(const struct tls *tls)
{
	return X509_verify_cert_error_string(SSL_get_verify_result(tls->ssl));
}

bool tls_has_tlsa(const struct tls *tls)
{
	return tls->has_tlsa;
}

const char *tls_protocol(const struct tls *tls)
{
	return SSL_get_version(tls->ssl);
}

const char *tls_cipher(const struct tls *tls)
{
	const char *name = SSL_CIPHER_standard_name(SSL_get_current_cipher(tls->ssl));

	return name ? name : "";
}

int tls_cipher_bits(const struct tls *tls)
{
	return SSL_get_cipher_bits(tls->ssl, NULL);
}

const char *tls_server_name(const struct tls *tls)
{
	const char *name = SSL_get_servername(tls->ssl, TLSEXT_NAMETYPE_host_name);

	return name ? name : "";
}

/* Certificates. */

static const char *copy_name(const X509_NAME *name, struct arena *arena)
{
	BIO *bio = BIO_new(BIO_s_mem());
	const char *text;
	char *at;
	long length;

	X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
	length = BIO_get_mem_data(bio, &at);
	text = arena_copy(arena, (struct bytes){ at, (size_t)MIN(length, 255) }).at;
	BIO_free(bio);
	return text;
}

static const char *describe_key(X509 *x509, struct arena *arena)
{
	EVP_PKEY *key = X509_get0_pubkey(x509);
	const char *type = key ? EVP_PKEY_get0_type_name(key) : NULL;
	char curve[40] = "";

	if (!type)
		return "unknown";
	if (EVP_PKEY_get_group_name(key, curve, sizeof curve, NULL) == 1)
		return arena_printf(arena, "%s %d (%s)", type, EVP_PKEY_get_bits(key), curve);
	if (EVP_PKEY_is_a(key, "ED25519") || EVP_PKEY_is_a(key, "ED448"))
		return arena_printf(arena, "%s", type);
	return arena_printf(arena, "%s %d", type, EVP_PKEY_get_bits(key));
}

static int64_t time_us(const ASN1_TIME *time)
{
	struct tm parts = { 0 };

	if (!time || ASN1_TIME_to_tm(time, &parts) != 1)
		return 0;
	return (int64_t)timegm(&parts) * US_PER_SECOND;
}

/* NULL: a kind of name that mail has no use for. */
static const char *copy_general_name(const GENERAL_NAME *name, struct arena *arena)
{
	char text[INET6_ADDRSTRLEN];
	const ASN1_STRING *string;
	struct bytes bytes;

	if (name->type != GEN_DNS && name->type != GEN_IPADD)
		return NULL;
	string = name->type == GEN_DNS ? name->d.dNSName : name->d.iPAddress;
	bytes = (struct bytes){ (const char *)ASN1_STRING_get0_data(string),
		                (size_t)ASN1_STRING_length(string) };
	if (name->type == GEN_DNS)
		return arena_copy(arena, bytes).at;
	if (bytes.len != 4 && bytes.len != 16)
		return NULL;
	inet_ntop(bytes.len == 4 ? AF_INET : AF_INET6, bytes.at, text, sizeof text);
	return arena_printf(arena, "%s", text);
}

static void copy_names(X509 *x509, struct arena *arena, struct tls_certificate *out)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(x509, NID_subject_alt_name, NULL, NULL);
	int count = MIN(sk_GENERAL_NAME_num(names), TLS_NAMES_MAX);

	if (count <= 0)
		return;
	out->names = arena_alloc(arena, (size_t)count * sizeof *out->names);
	for (int i = 0; i < count; i++) {
		const char *name = copy_general_name(sk_GENERAL_NAME_value(names, i), arena);

		if (name)
			out->names[out->name_count++] = name;
	}
	GENERAL_NAMES_free(names);
}

/* SHA-256 of the SubjectPublicKeyInfo. */
static void digest_key(X509 *x509, uint8_t digest_out[TLS_DIGEST_BYTES])
{
	unsigned char *der = NULL;
	int length = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x509), &der);

	if (length > 0)
		EVP_Digest(der, (size_t)length, digest_out, NULL, EVP_sha256(), NULL);
	OPENSSL_free(der);
}

bool tls_certificate(const struct tls *tls, int n, struct arena *arena,
                     struct tls_certificate *certificate_out)
{
	STACK_OF(X509) *chain = SSL_get_peer_cert_chain(tls->ssl);
	struct tls_certificate *out = certificate_out;
	X509 *x509;

	if (n < 0 || n >= sk_X509_num(chain))
		return false;
	x509 = sk_X509_value(chain, n);
	*out = (struct tls_certificate){
		.subject = copy_name(X509_get_subject_name(x509), arena),
		.issuer = copy_name(X509_get_issuer_name(x509), arena),
		.key = describe_key(x509, arena),
		.not_before_us = time_us(X509_get0_notBefore(x509)),
		.not_after_us = time_us(X509_get0_notAfter(x509)),
		.is_self_signed = X509_self_signed(x509, 0) == 1,
	};
	copy_names(x509, arena, out);
	X509_digest(x509, EVP_sha256(), out->sha256, NULL);
	digest_key(x509, out->key_sha256);
	ERR_clear_error();
	return true;
}
