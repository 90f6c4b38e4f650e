#include "mail/dkim_key.h"
#include "base/alloc.h"
#include "base/assert.h"
#include "mail/dkim_tags.h"
#include "mail/transfer.h"
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#define ED25519_BYTES 32

struct dkim_key {
	EVP_PKEY *pkey;
	enum dkim_algorithm algorithm;
};

static const char *const names[] = {
	[DKIM_RSA_SHA256] = "rsa-sha256", [DKIM_ED25519_SHA256] = "ed25519-sha256"
};

const char *dkim_algorithm_name(enum dkim_algorithm algorithm)
{
	return names[algorithm];
}

bool dkim_algorithm_parse(struct bytes name, enum dkim_algorithm *algorithm_out)
{
	for (size_t i = 0; i < COUNT(names); i++) {
		if (!bytes_equal_nocase(name, bytes_of(names[i])))
			continue;
		*algorithm_out = (enum dkim_algorithm)i;
		return true;
	}
	return false;
}

enum dkim_algorithm dkim_key_algorithm(const struct dkim_key *key)
{
	return key->algorithm;
}

int dkim_key_bits(const struct dkim_key *key)
{
	return EVP_PKEY_get_bits(key->pkey);
}

void dkim_key_destroy(struct dkim_key *key)
{
	if (!key)
		return;
	EVP_PKEY_free(key->pkey);
	alloc_free(key);
}

/* Takes `pkey` over. */
static int wrap(EVP_PKEY *pkey, const char *name, struct dkim_key **key_out, struct err *err)
{
	struct dkim_key *key = alloc_zeroed(sizeof *key);
	int bits = EVP_PKEY_get_bits(pkey);

	key->pkey = pkey;
	if (EVP_PKEY_is_a(pkey, "ED25519")) {
		key->algorithm = DKIM_ED25519_SHA256;
	} else if (!EVP_PKEY_is_a(pkey, "RSA")) {
		err_set(err, ERR_INVALID, "%s: neither an RSA nor an Ed25519 key", name);
		goto fail;
	} else if (bits < DKIM_RSA_BITS_MIN || bits > DKIM_RSA_BITS_MAX) {
		err_set(err, ERR_INVALID, "%s: an RSA key of %d bits; %d to %d are usable", name,
		        bits, DKIM_RSA_BITS_MIN, DKIM_RSA_BITS_MAX);
		goto fail;
	}
	*key_out = key;
	return 0;
fail:
	dkim_key_destroy(key);
	return ERR_INVALID;
}

/* A daemon has nobody to ask. */
static int no_passphrase(char *buffer, int size, int is_writing, void *arg)
{
	(void)buffer;
	(void)size;
	(void)is_writing;
	(void)arg;
	return -1;
}

int dkim_key_parse(struct bytes pem, const char *name, struct dkim_key **key_out, struct err *err)
{
	BIO *bio = BIO_new_mem_buf(pem.at ? pem.at : "", (int)MIN(pem.len, 1 << 20));
	EVP_PKEY *pkey = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);

	BIO_free(bio);
	ERR_clear_error();
	if (!pkey)
		return err_set(err, ERR_INVALID, "%s: not a private key in PEM (no passphrase)",
		               name);
	return wrap(pkey, name, key_out, err);
}

struct dkim_key *dkim_key_generate(enum dkim_algorithm algorithm)
{
	EVP_PKEY *pkey = algorithm == DKIM_RSA_SHA256 ? EVP_RSA_gen((unsigned)DKIM_RSA_BITS_USUAL)
	                                              : EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	struct dkim_key *key;

	if (!pkey || wrap(pkey, "new key", &key, NULL) < 0)
		BUG("OpenSSL cannot make a key");
	return key;
}

/* "p=": SubjectPublicKeyInfo, some write RSAPublicKey (RFC 6376 3.6.1); the 32 bytes for Ed25519.
 */
static EVP_PKEY *read_public(struct bytes der, bool is_ed25519)
{
	const unsigned char *at = (const unsigned char *)der.at;
	EVP_PKEY *pkey;

	if (is_ed25519)
		return der.len == ED25519_BYTES
		               ? EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, at, der.len)
		               : NULL;
	pkey = d2i_PUBKEY(NULL, &at, (long)der.len);
	at = (const unsigned char *)der.at;
	return pkey ? pkey : d2i_PublicKey(EVP_PKEY_RSA, NULL, &at, (long)der.len);
}

static int parse_public(struct bytes value, bool is_ed25519, struct dkim_key **key_out,
                        struct err *err)
{
	struct buffer der = { .limit = DKIM_RECORD_BYTES_MAX };
	EVP_PKEY *pkey = NULL;

	transfer_decode(TRANSFER_BASE64, value, &der);
	if (der.len > 0)
		pkey = read_public(buffer_bytes(&der), is_ed25519);
	buffer_deinit(&der);
	ERR_clear_error();
	if (!pkey)
		return err_set(err, ERR_INVALID, "the key record's p= holds no key");
	return wrap(pkey, "the key record", key_out, err);
}

/* "sha1:sha256" */
static bool has_sha256(struct bytes list)
{
	while (list.at)
		if (bytes_equal_nocase(bytes_trim(bytes_split(&list, ':')),
		                       BYTES_LITERAL("sha256")))
			return true;
	return false;
}

int dkim_key_parse_record(struct bytes record, struct dkim_key **key_out, struct err *err)
{
	struct bytes version, kind = BYTES_LITERAL("rsa"), hashes, value;
	bool is_ed25519;

	if (record.len > DKIM_RECORD_BYTES_MAX)
		return err_set(err, ERR_INVALID, "the key record is longer than %d bytes",
		               DKIM_RECORD_BYTES_MAX);
	if (dkim_tag_find(record, "v", &version) &&
	    (!bytes_equal(version, BYTES_LITERAL("DKIM1")) ||
	     !bytes_starts_with(bytes_trim(record), BYTES_LITERAL("v"))))
		return err_set(err, ERR_INVALID, "the key record is not of version DKIM1");
	dkim_tag_find(record, "k", &kind);
	is_ed25519 = bytes_equal(kind, BYTES_LITERAL("ed25519"));
	if (!is_ed25519 && !bytes_equal(kind, BYTES_LITERAL("rsa")))
		return err_set(err, ERR_INVALID, "the key record's k= is neither rsa nor ed25519");
	if (dkim_tag_find(record, "h", &hashes) && !has_sha256(hashes))
		return err_set(err, ERR_INVALID, "the key record's h= leaves out sha256");
	if (!dkim_tag_find(record, "p", &value))
		return err_set(err, ERR_INVALID, "the key record has no p=");
	if (value.len == 0)
		return err_set(err, ERR_NOT_FOUND, "the key was revoked: p= is empty");
	return parse_public(value, is_ed25519, key_out, err);
}

static void append_base64(const unsigned char *data, size_t len, struct buffer *out)
{
	char *at = buffer_reserve(out, (len + 2) / 3 * 4 + 1);

	out->len += (size_t)EVP_EncodeBlock((unsigned char *)at, data, (int)len);
}

void dkim_key_format_pem(const struct dkim_key *key, struct buffer *out)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *at;
	long length;

	if (PEM_write_bio_PrivateKey(bio, key->pkey, NULL, NULL, 0, NULL, NULL) != 1)
		BUG("a public key has no private part to write");
	length = BIO_get_mem_data(bio, &at);
	buffer_append(out, (struct bytes){ at, (size_t)length });
	BIO_free(bio);
}

void dkim_key_format_record(const struct dkim_key *key, struct buffer *out)
{
	unsigned char raw[ED25519_BYTES], *der = NULL;
	size_t raw_bytes = sizeof raw;
	int length;

	if (key->algorithm == DKIM_ED25519_SHA256) {
		EVP_PKEY_get_raw_public_key(key->pkey, raw, &raw_bytes);
		buffer_append_text(out, "v=DKIM1; k=ed25519; p=");
		append_base64(raw, raw_bytes, out);
		return;
	}
	length = i2d_PUBKEY(key->pkey, &der);
	buffer_append_text(out, "v=DKIM1; k=rsa; p=");
	append_base64(der, (size_t)length, out);
	OPENSSL_free(der);
}

/* Ed25519 signs the digest as its message (RFC 8463 3), RSA as what it is. */
static EVP_PKEY_CTX *begin_rsa(const struct dkim_key *key, int (*init)(EVP_PKEY_CTX *context))
{
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key->pkey, NULL);

	if (!context || init(context) != 1 ||
	    EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) != 1 ||
	    EVP_PKEY_CTX_set_signature_md(context, EVP_sha256()) != 1)
		BUG("OpenSSL cannot use an RSA key");
	return context;
}

void dkim_key_sign(const struct dkim_key *key, const uint8_t digest[32], struct buffer *out)
{
	unsigned char signature[DKIM_SIGNATURE_MAX];
	size_t length = sizeof signature;
	int result;

	if (key->algorithm == DKIM_RSA_SHA256) {
		EVP_PKEY_CTX *context = begin_rsa(key, EVP_PKEY_sign_init);

		result = EVP_PKEY_sign(context, signature, &length, digest, 32);
		EVP_PKEY_CTX_free(context);
	} else {
		EVP_MD_CTX *context = EVP_MD_CTX_new();

		result = EVP_DigestSignInit(context, NULL, NULL, NULL, key->pkey) == 1 &&
		         EVP_DigestSign(context, signature, &length, digest, 32) == 1;
		EVP_MD_CTX_free(context);
	}
	if (result != 1)
		BUG("OpenSSL cannot sign");
	append_base64(signature, length, out);
}

bool dkim_key_verify(const struct dkim_key *key, const uint8_t digest[32], struct bytes signature)
{
	const unsigned char *at = (const unsigned char *)signature.at;
	bool is_right;

	if (key->algorithm == DKIM_RSA_SHA256) {
		EVP_PKEY_CTX *context = begin_rsa(key, EVP_PKEY_verify_init);

		is_right = EVP_PKEY_verify(context, at, signature.len, digest, 32) == 1;
		EVP_PKEY_CTX_free(context);
	} else {
		EVP_MD_CTX *context = EVP_MD_CTX_new();

		is_right = EVP_DigestVerifyInit(context, NULL, NULL, NULL, key->pkey) == 1 &&
		           EVP_DigestVerify(context, at, signature.len, digest, 32) == 1;
		EVP_MD_CTX_free(context);
	}
	ERR_clear_error();
	return is_right;
}
