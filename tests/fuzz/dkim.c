/* A stranger's message and key record: reading comes to an end; what we sign is right. */
#include "mail/dkim.h"
#include "base/assert.h"
#include "mail/dkim_form.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct dkim_key *key;
	struct bytes content = { (const char *)data, size }, headers, body;
	struct dkim_signer signer = { key, "a.test", "s" };
	struct dkim_signature signature;
	struct dkim_key *other = NULL;
	struct buffer out = { 0 };

	if (!key)
		key = dkim_key_generate(DKIM_ED25519_SHA256);
	signer.key = key;
	dkim_split(content, &headers, &body);
	dkim_author_domain(headers);
	while (dkim_signature_next(&headers, &signature))
		dkim_check(&signature, key, content, 0);
	dkim_key_parse_record(content, &other, NULL);
	dkim_key_destroy(other);
	if (size > 0 && (*data == ' ' || *data == '\t'))
		return 0; /* would go on with our field; mail begins with its Received field */
	dkim_sign(&signer, content, 1, &out);
	buffer_append(&out, content);
	headers = buffer_bytes(&out);
	ASSERT(dkim_signature_next(&headers, &signature));
	ASSERT(!dkim_check(&signature, key, buffer_bytes(&out), 0));
	buffer_deinit(&out);
	return 0;
}
