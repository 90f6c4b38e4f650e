#include "check/own_key.h"
#include "support/check.h"

static void test_verify(void)
{
	struct dkim_key *rsa = dkim_key_generate(DKIM_RSA_SHA256);
	struct dkim_key *ed25519 = dkim_key_generate(DKIM_ED25519_SHA256);
	struct dkim_key *other = dkim_key_generate(DKIM_ED25519_SHA256);
	struct buffer rsa_record = { 0 }, ed25519_record = { 0 };

	dkim_key_format_record(rsa, &rsa_record);
	dkim_key_format_record(ed25519, &ed25519_record);
	const struct {
		const char *name;
		const struct dkim_key *own;
		struct bytes record;
		enum own_key want;
	} rows[] = {
		{ "RSA", rsa, buffer_bytes(&rsa_record), OWN_KEY_VERIFIED },
		{ "Ed25519", ed25519, buffer_bytes(&ed25519_record), OWN_KEY_VERIFIED },
		{ "another key", other, buffer_bytes(&ed25519_record), OWN_KEY_DIFFERS },
		{ "another kind", ed25519, buffer_bytes(&rsa_record), OWN_KEY_DIFFERS },
		{ "the other way round", rsa, buffer_bytes(&ed25519_record), OWN_KEY_DIFFERS },
		{ "no key of ours", NULL, buffer_bytes(&rsa_record), OWN_KEY_NONE },
		{ "revoked", rsa, BYTES_LITERAL("v=DKIM1; p="), OWN_KEY_NONE },
		{ "no record", rsa, { 0 }, OWN_KEY_NONE },
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		CHECK_INT(rows[i].name, own_key_verify(rows[i].own, rows[i].record), rows[i].want);
	buffer_deinit(&rsa_record);
	buffer_deinit(&ed25519_record);
	dkim_key_destroy(rsa);
	dkim_key_destroy(ed25519);
	dkim_key_destroy(other);
}

static void test_is_for(void)
{
	struct bytes domain = BYTES_LITERAL("example.org"), selector = { 0 };

	CHECK_TRUE("its own", own_key_is_for("a.b._domainkey.Example.Org", domain, &selector));
	CHECK_BYTES("selector", selector, BYTES_LITERAL("a.b"));
	CHECK_TRUE("below it", !own_key_is_for("a._domainkey.x.example.org", domain, &selector));
	CHECK_TRUE("no key", !own_key_is_for("example.org", domain, &selector));
	CHECK_TRUE("no selector", !own_key_is_for("._domainkey.example.org", domain, &selector));
}

TEST_MAIN(test_verify, test_is_for)
