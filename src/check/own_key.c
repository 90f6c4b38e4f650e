#include "check/own_key.h"
#include "base/buffer.h"
#include "mail/transfer.h"

bool own_key_is_for(const char *name, struct bytes domain, struct bytes *selector_out)
{
	struct bytes middle = BYTES_LITERAL("._domainkey."), text = bytes_of(name);
	ptrdiff_t at = bytes_find_nocase(text, middle);

	if (at <= 0 || !bytes_equal_nocase(bytes_from(text, (size_t)at + middle.len), domain))
		return false;
	*selector_out = bytes_first(text, (size_t)at);
	return true;
}

static bool verifies(const struct dkim_key *own, const struct dkim_key *published)
{
	static const uint8_t digest[32] = "what is signed does not matter.";
	struct buffer text = { 0 }, signature = { 0 };
	bool is_right;

	dkim_key_sign(own, digest, &text);
	transfer_decode(TRANSFER_BASE64, buffer_bytes(&text), &signature);
	is_right = dkim_key_algorithm(own) == dkim_key_algorithm(published) &&
	           dkim_key_verify(published, digest, buffer_bytes(&signature));
	buffer_deinit(&text);
	buffer_deinit(&signature);
	return is_right;
}

enum own_key own_key_verify(const struct dkim_key *own, struct bytes record)
{
	struct dkim_key *published;
	enum own_key result;

	if (!own || dkim_key_parse_record(record, &published, NULL) < 0)
		return OWN_KEY_NONE;
	result = verifies(own, published) ? OWN_KEY_VERIFIED : OWN_KEY_DIFFERS;
	dkim_key_destroy(published);
	return result;
}
