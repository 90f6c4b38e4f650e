#include "mail/dkim.h"
#include "mail/dkim_form.h"
#include "mail/dkim_tags.h"
#include "support/check.h"
#include <openssl/evp.h>

static struct dkim_key *keys[DKIM_ALGORITHMS];

static void make_keys(void)
{
	for (int i = 0; i < DKIM_ALGORITHMS; i++)
		if (!keys[i])
			keys[i] = dkim_key_generate((enum dkim_algorithm)i);
}

/* Canonical forms. */

static const struct {
	const char *name, *body, *simple, *relaxed;
} bodies[] = {
	{ "RFC 6376 3.4.5", " C \r\nD \t E\r\n\r\n\r\n", " C \r\nD \t E\r\n", " C\r\nD E\r\n" },
	{ "empty", "", "\r\n", "" },
	{ "empty lines", "\r\n\r\n", "\r\n", "" },
	{ "blanks only", " \t\r\n \r\n", " \t\r\n \r\n", "" },
	{ "no line end", "a", "a\r\n", "a\r\n" },
	{ "empty lines inside", "a\r\n\r\n\r\nb\r\n", "a\r\n\r\n\r\nb\r\n", "a\r\n\r\n\r\nb\r\n" },
	{ "blank line inside", "a\r\n \t\r\nb\r\n", "a\r\n \t\r\nb\r\n", "a\r\n\r\nb\r\n" },
	{ "blank in front", "\t a  b \r\n", "\t a  b \r\n", " a b\r\n" },
	{ "bare CR", "a\rb\r\n", "a\rb\r\n", "a\rb\r\n" },
};

static void check_body(const char *name, const char *body, enum dkim_form form, const char *wanted)
{
	uint8_t got[DKIM_DIGEST_BYTES], want[DKIM_DIGEST_BYTES];

	CHECK_TRUE(name, dkim_digest_body(bytes_of(body), form, UINT64_MAX, got));
	EVP_Digest(wanted, strlen(wanted), want, NULL, EVP_sha256(), NULL);
	CHECK_INT(name, memcmp(got, want, sizeof got), 0);
	CHECK_TRUE(name, dkim_digest_body(bytes_of(body), form, strlen(wanted), got));
	CHECK_TRUE(name, !dkim_digest_body(bytes_of(body), form, strlen(wanted) + 1, got));
}

static void test_bodies(void)
{
	for (size_t i = 0; i < COUNT(bodies); i++) {
		check_body(bodies[i].name, bodies[i].body, DKIM_SIMPLE, bodies[i].simple);
		check_body(bodies[i].name, bodies[i].body, DKIM_RELAXED, bodies[i].relaxed);
	}
}

static const struct {
	const char *whole, *relaxed;
} fields[] = {
	{ "A: X\r\n", "a:X\r\n" },
	{ "B : Y\t\r\n\tZ  \r\n", "b:Y Z\r\n" },
	{ "Subject:\r\n x\r\n", "subject:x\r\n" },
	{ "Empty:\r\n", "empty:\r\n" },
	{ "Blank: \t \r\n \r\n", "blank:\r\n" },
	{ "Colon: a:b : c\r\n", "colon:a:b : c\r\n" },
};

static void test_fields(void)
{
	for (size_t i = 0; i < COUNT(fields); i++) {
		struct buffer out = { 0 };

		dkim_append_field(bytes_of(fields[i].whole), DKIM_RELAXED, &out);
		CHECK_BYTES(fields[i].whole, buffer_bytes(&out), bytes_of(fields[i].relaxed));
		buffer_clear(&out);
		dkim_append_field(bytes_of(fields[i].whole), DKIM_SIMPLE, &out);
		CHECK_BYTES(fields[i].whole, buffer_bytes(&out), bytes_of(fields[i].whole));
		buffer_deinit(&out);
	}
}

/* What others signed. */

/* RFC 8463, appendix A: key and message are the RFC's. */
static const char rfc8463_record[] =
	"v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
static const char rfc8463_message[] =
	"DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;\r\n"
	" d=football.example.com; i=@football.example.com;\r\n"
	" q=dns/txt; s=brisbane; t=1528637909; h=from : to :\r\n"
	" subject : date : message-id : from : subject : date;\r\n"
	" bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n"
	" b=/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus\r\n"
	" Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==\r\n"
	"From: Joe SixPack <joe@football.example.com>\r\n"
	"To: Suzie Q <suzie@shopping.example.net>\r\n"
	"Subject: Is dinner ready?\r\n"
	"Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\n"
	"Message-ID: <20030712040037.46341.5F8J@football.example.com>\r\n"
	"\r\n"
	"Hi.\r\n\r\nWe lost the game.  Are you hungry yet?\r\n\r\nJoe.\r\n";

static const char *check_first(struct bytes message, const struct dkim_key *key, int64_t now_s)
{
	struct bytes headers, body;
	struct dkim_signature signature;

	dkim_split(message, &headers, &body);
	if (!dkim_signature_next(&headers, &signature))
		return "no signature";
	return dkim_check(&signature, key, message, now_s);
}

static void test_example_of_the_rfc(void)
{
	struct dkim_key *key;
	struct err err;

	CHECK_INT("record", dkim_key_parse_record(bytes_of(rfc8463_record), &key, &err), 0);
	CHECK_STRING("RFC 8463 A.3", check_first(bytes_of(rfc8463_message), key, 0), NULL);
	dkim_key_destroy(key);
}

/* What we sign. */

static const struct {
	const char *name, *content;
} contents[] = {
	{ "plain", "From: a@b.test\r\nSubject: x\r\n\r\nhello\r\n" },
	{ "no body", "From: a@b.test\r\n\r\n" },
	{ "no empty line", "From: a@b.test\r\nTo: x@y.test" },
	{ "no header", "\r\nbody\r\n" },
	{ "nothing", "" },
	{ "folded",
	  "From: \"A\"\r\n\t <a@b.test>\r\nSubject:\r\n  a\r\n\tb \r\n\r\nx  y \r\n\r\n" },
	{ "many To", "To: a@x.test\r\nFrom: a@b.test\r\nTo: b@x.test\r\nTo: c@x.test\r\n\r\nx" },
	{ "8-bit", "From: a@b.test\r\nSubject: gr\xc3\xbc\xc3\x9f\r\n\r\n\xff\xfe\r\n" },
	{ "no field", "From: a@b.test\r\nthis is no field\r\nSubject: x\r\n\r\nx\r\n" },
	{ "blank before colon", "From : a@b.test\r\nSubject\t: x\r\n\r\nx\r\n" },
	{ "signed before", "DKIM-Signature: v=1; d=x\r\nFrom: a@b.test\r\n\r\nx\r\n" },
};

static void sign(const char *content, enum dkim_algorithm algorithm, struct buffer *out)
{
	struct dkim_signer signer = { keys[algorithm], "b.test", "sel" };

	make_keys();
	signer.key = keys[algorithm];
	dkim_sign(&signer, bytes_of(content), 1700000000, out);
	buffer_append_text(out, content);
}

static void test_signed_is_right(void)
{
	for (size_t i = 0; i < COUNT(contents) * DKIM_ALGORITHMS; i++) {
		const char *name = contents[i / DKIM_ALGORITHMS].name;
		enum dkim_algorithm algorithm = i % DKIM_ALGORITHMS;
		struct buffer out = { 0 }, again = { 0 };
		struct bytes rest;

		sign(contents[i / DKIM_ALGORITHMS].content, algorithm, &out);
		CHECK_STRING(name, check_first(buffer_bytes(&out), keys[algorithm], 0), NULL);
		CHECK_TRUE(name, check_first(buffer_bytes(&out), keys[!algorithm], 0) != NULL);
		sign(contents[i / DKIM_ALGORITHMS].content, algorithm, &again);
		CHECK_BYTES(name, buffer_bytes(&again), buffer_bytes(&out));
		rest = buffer_bytes(&out);
		while (rest.len > 0)
			CHECK_TRUE(name, bytes_split(&rest, '\n').len <= 78);
		buffer_deinit(&out);
		buffer_deinit(&again);
	}
}

static const char signable[] = "Received: by x\r\nFrom: a@b.test\r\nTo: c@d.test\r\nSubject: s\r\n"
			       "\r\none two\r\n";

/* What is done to it on the way, and whether it may be. */
static const struct {
	const char *name, *find, *replace;
	bool is_right;
} changes[] = {
	{ "nothing", "Subject: s", "Subject: s", true },
	{ "a fold", "Subject: s", "Subject:\r\n\ts", true },
	{ "letters of a name", "Subject: s", "SUBJECT: s", true },
	{ "blanks in the body", "one two", "one \t two  ", true },
	{ "empty lines at the end", "one two\r\n", "one two\r\n\r\n\r\n", true },
	{ "another hop", "Received: by x\r\n", "Received: by y\r\nReceived: by x\r\n", true },
	{ "a field that is not covered", "Received: by x\r\n", "X-Seen: 1\r\n", true },
	{ "the subject", "Subject: s", "Subject: t", false },
	{ "the body", "one two", "one  too", false },
	{ "a second From", "Received", "From: evil@x.test\r\nReceived", false },
	{ "a second Subject", "Received", "Subject: evil\r\nReceived", false },
	{ "a second Subject below", "\r\n\r\n", "\r\nSubject: evil\r\n\r\n", false },
	{ "a Cc where there was none", "Received", "Cc: evil@x.test\r\nReceived", false },
	{ "no To", "To: c@d.test\r\n", "", false },
};

static void test_changes_on_the_way(void)
{
	struct buffer out = { 0 };

	sign(signable, DKIM_ED25519_SHA256, &out);
	for (size_t i = 0; i < COUNT(changes); i++) {
		ptrdiff_t at = bytes_find(buffer_bytes(&out), bytes_of(changes[i].find));
		struct buffer changed = { 0 };
		const char *wrong;

		buffer_append(&changed, bytes_first(buffer_bytes(&out), (size_t)at));
		buffer_append_text(&changed, changes[i].replace);
		buffer_append(&changed,
		              bytes_from(buffer_bytes(&out), (size_t)at + strlen(changes[i].find)));
		wrong = check_first(buffer_bytes(&changed), keys[DKIM_ED25519_SHA256], 0);
		CHECK_INT(changes[i].name, wrong == NULL, changes[i].is_right);
		buffer_deinit(&changed);
	}
	buffer_deinit(&out);
}

/* Reading. */

static const struct {
	const char *value, *problem;
} signatures[] = {
	{ "v=1; a=rsa-sha256; d=a.test; s=s; h=from; bh=x; b=y", NULL },
	{ "a=rsa-sha256; d=a.test; s=s; h=from; bh=x; b=y", "it is not of version 1" },
	{ "v=1; v=1; a=rsa-sha256; d=a.test; s=s; h=from; bh=x; b=y", "it is not of version 1" },
	{ "v=1; a=rsa-sha256; s=s; h=from; bh=x; b=y", "it has no d= or no s=" },
	{ "v=1; a=rsa-sha1; d=a.test; s=s; h=from; bh=x; b=y",
	  "its a= is neither rsa-sha256 nor ed25519-sha256" },
	{ "v=1; a=rsa-sha256; c=odd; d=a.test; s=s; h=from; bh=x; b=y", "its c= is unknown" },
	{ "v=1; a=rsa-sha256; d=a.test; s=s; h=to:subject; bh=x; b=y", "it does not cover From" },
	{ "v=1; a=rsa-sha256; d=a.test; s=s; i=@xa.test; h=from; bh=x; b=y",
	  "its i= is not below its d=" },
	{ "v=1; a=rsa-sha256; d=a.test; s=s; i=u@x.a.test; h=from; bh=x; b=y", NULL },
	{ "v=1; a=rsa-sha256; d=a.test; s=s; h=from; b=y", "it has no b= or no bh=" },
};

static void test_signatures(void)
{
	for (size_t i = 0; i < COUNT(signatures); i++) {
		struct dkim_signature signature;
		struct bytes headers;
		char text[300];

		snprintf(text, sizeof text, "DKIM-Signature: %s\r\n", signatures[i].value);
		headers = bytes_of(text);
		CHECK_TRUE(text, dkim_signature_next(&headers, &signature));
		CHECK_STRING(text, signature.problem, signatures[i].problem);
	}
}

static void test_expired(void)
{
	static const char text[] = "DKIM-Signature: v=1; a=ed25519-sha256; d=a.test; s=s; x=100; "
				   "h=from; bh=x; b=y\r\n\r\n";

	make_keys();
	CHECK_STRING("later", check_first(bytes_of(text), keys[DKIM_ED25519_SHA256], 101),
	             "it has expired (x=)");
	CHECK_STRING("not yet", check_first(bytes_of(text), keys[DKIM_ED25519_SHA256], 100),
	             "the body was changed");
}

static const struct {
	const char *record;
	int result;
	const char *text;
} records[] = {
	{ "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=", 0, "" },
	{ "k=ed25519; p=11qYAYKxCrfVS/7TyWQHO g7hcvPapiMlrwIaaPcHURo=;", 0, "" },
	{ "v=DKIM2; p=x", ERR_INVALID, "the key record is not of version DKIM1" },
	{ "k=rsa; v=DKIM1; p=x", ERR_INVALID, "the key record is not of version DKIM1" },
	{ "v=DKIM1; p=", ERR_NOT_FOUND, "the key was revoked: p= is empty" },
	{ "v=DKIM1; k=dsa; p=x", ERR_INVALID, "the key record's k= is neither rsa nor ed25519" },
	{ "v=DKIM1; h=sha1; p=x", ERR_INVALID, "the key record's h= leaves out sha256" },
	{ "v=DKIM1", ERR_INVALID, "the key record has no p=" },
	{ "v=DKIM1; p=aGVsbG8=", ERR_INVALID, "the key record's p= holds no key" },
	{ "v=DKIM1; k=ed25519; p=aGVsbG8=", ERR_INVALID, "the key record's p= holds no key" },
};

static void test_records(void)
{
	for (size_t i = 0; i < COUNT(records); i++) {
		struct dkim_key *key = NULL;
		struct err err = { 0 };

		CHECK_INT(records[i].record,
		          dkim_key_parse_record(bytes_of(records[i].record), &key, &err),
		          records[i].result);
		CHECK_STRING(records[i].record, err.text, records[i].text);
		dkim_key_destroy(key);
	}
}

static void test_keys_read_back(void)
{
	make_keys();
	for (int i = 0; i < DKIM_ALGORITHMS; i++) {
		struct buffer pem = { 0 }, record = { 0 }, signature = { 0 }, decoded = { 0 };
		struct dkim_key *private, *public;
		uint8_t digest[32] = { 7 };
		struct err err;
		int length;

		dkim_key_format_pem(keys[i], &pem);
		dkim_key_format_record(keys[i], &record);
		CHECK_INT("pem", dkim_key_parse(buffer_bytes(&pem), "k", &private, &err), 0);
		CHECK_INT("record", dkim_key_parse_record(buffer_bytes(&record), &public, &err), 0);
		CHECK_INT("algorithm", dkim_key_algorithm(public), i);
		dkim_key_sign(private, digest, &signature);
		buffer_reserve(&decoded, 1024);
		length = EVP_DecodeBlock((unsigned char *)decoded.at,
		                         (const unsigned char *)signature.at, (int)signature.len);
		while (length > 0 && !dkim_key_verify(public, digest,
		                                      (struct bytes){ decoded.at, (size_t)length }))
			length--; /* padding */
		CHECK_INT("verified", length, i == DKIM_RSA_SHA256 ? 256 : 64);
		dkim_key_destroy(public);
		CHECK_INT("not PEM", dkim_key_parse(BYTES_LITERAL("hello"), "k.pem", &public, &err),
		          ERR_INVALID);
		CHECK_STRING("named", err.text, "k.pem: not a private key in PEM (no passphrase)");
		dkim_key_destroy(private);
		buffer_deinit(&pem);
		buffer_deinit(&record);
		buffer_deinit(&signature);
		buffer_deinit(&decoded);
	}
}

static const struct {
	const char *from, *domain;
} authors[] = {
	{ "From: a@b.test\r\n", "b.test" },
	{ "From: A B <a@b.test>\r\n", "b.test" },
	{ "From: \"x@y.test\" <a@b.test>\r\n", "b.test" },
	{ "From: \"q\\\"@y.test\" <a@b.test>\r\n", "b.test" },
	{ "From: (c@d.test (n@e.test)) <a@b.test> (x)\r\n", "b.test" },
	{ "From: x@y.test <a@b.test>\r\n", "b.test" },
	{ "From: a@b.test, c@d.test\r\n", "b.test" },
	{ "From:\r\n <a@b.test>\r\n", "b.test" },
	{ "From: \"a@x\"@b.test\r\n", "b.test" },
	{ "From: nobody\r\n", "" },
	{ "From: \"unended@b.test\r\n", "" },
	{ "To: a@b.test\r\n", "" },
};

static void test_authors(void)
{
	for (size_t i = 0; i < COUNT(authors); i++)
		CHECK_BYTES(authors[i].from, dkim_author_domain(bytes_of(authors[i].from)),
		            bytes_of(authors[i].domain));
	for (int i = 0; i < DKIM_ALGORITHMS; i++)
		dkim_key_destroy(keys[i]);
}

TEST_MAIN(test_bodies, test_fields, test_example_of_the_rfc, test_signed_is_right,
          test_changes_on_the_way, test_signatures, test_expired, test_records, test_keys_read_back,
          test_authors)
