#include "support/certificate.h"
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char folder[64];
static int made;

static void remove_folder(void)
{
	char path[200];

	for (int i = 0; i < made; i++) {
		snprintf(path, sizeof path, "%s/%d.pem", folder, i);
		unlink(path);
		snprintf(path, sizeof path, "%s/%d.key", folder, i);
		unlink(path);
	}
	rmdir(folder);
}

static void make_folder(void)
{
	if (folder[0])
		return;
	snprintf(folder, sizeof folder, "/tmp/outlast-certificates-XXXXXX");
	if (!mkdtemp(folder))
		abort();
	atexit(remove_folder);
}

static void add_extension(X509 *x509, int nid, const char *value)
{
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	X509_add_ext(x509, extension, -1);
	X509_EXTENSION_free(extension);
}

static void fill(X509 *x509, const struct certificate_wish *wish, EVP_PKEY *key)
{
	X509_NAME *name = X509_get_subject_name(x509);
	long begins_s = wish->begins_s, ends_s = wish->ends_s;
	char names[300];

	if (begins_s == 0 && ends_s == 0) {
		begins_s = -1800;
		ends_s = 1800;
	}
	X509_set_version(x509, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(x509), made + 1);
	X509_gmtime_adj(X509_getm_notBefore(x509), begins_s);
	X509_gmtime_adj(X509_getm_notAfter(x509), ends_s);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)wish->name, -1,
	                           -1, 0);
	X509_set_issuer_name(x509, wish->issuer ? X509_get_subject_name(wish->issuer->x509) : name);
	X509_set_pubkey(x509, key);
	snprintf(names, sizeof names, "DNS:%s,IP:127.0.0.1", wish->name);
	if (wish->kind == CERTIFICATE_AUTHORITY)
		add_extension(x509, NID_basic_constraints, "critical,CA:TRUE");
	else
		add_extension(x509, NID_subject_alt_name, names);
}

struct certificate certificate_make(const struct certificate_wish *wish)
{
	struct certificate made_now = { .x509 = X509_new(), .key = EVP_EC_gen("P-256") };
	EVP_PKEY *signer = wish->issuer ? wish->issuer->key : made_now.key;
	FILE *file;

	make_folder();
	fill(made_now.x509, wish, made_now.key);
	X509_sign(made_now.x509, signer, EVP_sha256());
	snprintf(made_now.path, sizeof made_now.path, "%s/%d.pem", folder, made);
	snprintf(made_now.key_path, sizeof made_now.key_path, "%s/%d.key", folder, made++);
	file = fopen(made_now.path, "w");
	if (!file || !PEM_write_X509(file, made_now.x509) ||
	    (wish->issuer && !PEM_write_X509(file, wish->issuer->x509)))
		abort();
	fclose(file);
	file = fopen(made_now.key_path, "w");
	if (!file || !PEM_write_PrivateKey(file, made_now.key, NULL, NULL, 0, NULL, NULL))
		abort();
	fclose(file);
	return made_now;
}

void certificate_free(struct certificate *certificate)
{
	X509_free(certificate->x509);
	EVP_PKEY_free(certificate->key);
}
