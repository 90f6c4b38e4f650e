/* Anything in the place of a queue file of Postfix: what is taken has recipients, within limits. */
#include "base/assert.h"
#include "migrate/postfix.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = { (const char *)data, size };
	struct found found;

	found_init(&found, 60000);
	if (postfix_parse(in, &found, NULL) == 0) {
		ASSERT(found.message->recipient_count > 0 && found.message->arrived_us >= 0);
		ASSERT(found.content.len <= 60000);
	}
	found_deinit(&found);
	return 0;
}
