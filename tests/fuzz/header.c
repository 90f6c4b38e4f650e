/* The header section of a stranger's message: fields lie within it, and looking comes to an end. */
#include "mail/header.h"
#include "base/assert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes content = { (const char *)data, size };
	size_t length = header_length(content);
	struct bytes rest = bytes_first(content, length);
	struct header_field field;

	ASSERT(length <= size);
	while (header_next(&rest, &field)) {
		ASSERT(field.name.len > 0 && field.whole.at >= content.at);
		ASSERT(field.whole.at + field.whole.len <= content.at + length);
		ASSERT(field.value.at + field.value.len <= field.whole.at + field.whole.len);
	}
	header_is_automatic(bytes_first(content, length));
	return 0;
}
