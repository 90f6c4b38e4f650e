#include "check/key_record.h"
#include "base/buffer.h"
#include "check/tag_list.h"
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#define KEY_BYTES_MAX 4096
#define ED25519_BYTES 32

const char *key_kind_name(enum key_kind kind)
{
	static const char *const names[] = {
		[KEY_UNKNOWN] = "unknown", [KEY_RSA] = "rsa", [KEY_ED25519] = "ed25519"
	};

	return names[kind];
}

/* Whether a list "a:b:c" has an entry. */
static bool list_has(struct bytes list, struct bytes entry)
{
	while (list.at)
		if (bytes_equal_nocase(bytes_trim(bytes_split(&list, ':')), entry))
			return true;
	return false;
}

static bool is_base64_char(char c)
{
	char lower = char_lower(c);

	return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/';
}

/* Strict: whole quads, padding at the end only; folds and blanks may stand between. */
static bool decode_base64(struct bytes text, struct buffer *out)
{
	unsigned char quad[4], triple[3];
	int in_quad = 0, padding = 0;

	for (size_t i = 0; i < text.len; i++) {
		char c = text.at[i];

		if (c == ' ' || c == '\t')
			continue;
		if ((c != '=' && (padding > 0 || !is_base64_char(c))) ||
		    (c == '=' && (in_quad < 2 || padding == 2)))
			return false;
		padding += c == '=';
		quad[in_quad++] = (unsigned char)c;
		if (in_quad < 4)
			continue;
		if (EVP_DecodeBlock(triple, quad, 4) != 3)
			return false;
		buffer_append(out, (struct bytes){ (char *)triple, (size_t)(3 - padding) });
		in_quad = 0;
	}
	return in_quad == 0 && !out->is_over;
}

/* A SubjectPublicKeyInfo; the RSAPublicKey alone is what the RFC's text says, and some write it
 * (RFC 6376 3.6.1, erratum 3017). */
static EVP_PKEY *read_rsa(struct bytes der)
{
	const unsigned char *at = (const unsigned char *)der.at;
	EVP_PKEY *key = d2i_PUBKEY(NULL, &at, (long)der.len);

	if (!key) {
		at = (const unsigned char *)der.at;
		key = d2i_PublicKey(EVP_PKEY_RSA, NULL, &at, (long)der.len);
	}
	ERR_clear_error();
	return key;
}

static void read_key(struct bytes der, struct key_record *record)
{
	EVP_PKEY *key;

	if (record->kind == KEY_ED25519) {
		record->bits = 256;
		if (der.len != ED25519_BYTES)
			tag_list_say(record->problem, "p= holds %zu bytes; a key of Ed25519 has %d",
			             der.len, ED25519_BYTES);
		return;
	}
	key = read_rsa(der);
	if (!key || !EVP_PKEY_is_a(key, "RSA"))
		tag_list_say(record->problem, "p= holds no RSA key");
	else
		record->bits = EVP_PKEY_get_bits(key);
	EVP_PKEY_free(key);
}

static void read_public(struct bytes value, struct key_record *record)
{
	struct buffer der = { .limit = KEY_BYTES_MAX };

	if (!decode_base64(value, &der) || der.len == 0)
		tag_list_say(record->problem, "p= is not base64; part of the key may be missing");
	else
		read_key(buffer_bytes(&der), record);
	buffer_deinit(&der);
}

static void read_kind(struct bytes value, struct key_record *record)
{
	if (!value.at || bytes_equal_nocase(value, BYTES_LITERAL("rsa")))
		record->kind = KEY_RSA;
	else if (bytes_equal_nocase(value, BYTES_LITERAL("ed25519")))
		record->kind = KEY_ED25519;
	else
		tag_list_say(record->problem, "k=%.*s is no kind of key that receivers know",
		             (int)MIN(value.len, 40), value.at);
}

bool key_record_parse(struct bytes text, struct key_record *record_out)
{
	struct bytes version, hashes, services, flags, value;
	struct tag_list list;

	*record_out = (struct key_record){ .kind = KEY_UNKNOWN };
	if (!tag_list_parse(text, &list, record_out->problem))
		return false;
	version = tag_list_find(&list, "v");
	hashes = tag_list_find(&list, "h");
	services = tag_list_find(&list, "s");
	flags = tag_list_find(&list, "t");
	value = tag_list_find(&list, "p");
	record_out->takes_sha256 = !hashes.at || list_has(hashes, BYTES_LITERAL("sha256"));
	record_out->takes_email = !services.at || list_has(services, BYTES_LITERAL("email")) ||
	                          list_has(services, BYTES_LITERAL("*"));
	record_out->is_testing = list_has(flags, BYTES_LITERAL("y"));
	record_out->is_strict = list_has(flags, BYTES_LITERAL("s"));
	record_out->is_revoked = value.at && value.len == 0;
	read_kind(tag_list_find(&list, "k"), record_out);
	if (version.at && !tag_list_has_version(text, "DKIM1"))
		tag_list_say(record_out->problem, "v= must be DKIM1, and come first");
	else if (!value.at)
		tag_list_say(record_out->problem, "it has no p=");
	if (!record_out->problem[0] && !record_out->is_revoked)
		read_public(value, record_out);
	return !record_out->problem[0];
}

bool key_record_is(struct bytes text)
{
	struct bytes rest = text;

	while (rest.at) {
		struct bytes value = bytes_split(&rest, ';');
		struct bytes name = bytes_trim(bytes_split(&value, '='));

		if (value.at && bytes_equal(name, BYTES_LITERAL("p")))
			return true;
	}
	return tag_list_has_version(text, "DKIM1");
}
