#include "mail/downgrade.h"
#include "base/assert.h"
#include "mail/header.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The spool holds no bare CR or LF. */
static void put_lines(const uint8_t *data, size_t size, struct buffer *out)
{
	for (size_t i = 0; i < size; i++) {
		if (data[i] == '\n')
			buffer_append_char(out, '\r');
		if (data[i] != '\r')
			buffer_append_char(out, (char)data[i]);
	}
}

/* Converting twice changes nothing more, and the body of what is no multipart and no message is
 * free of 8-bit bytes afterwards. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buffer in = { 0 }, out = { 0 }, again = { 0 };
	struct bytes first, body;

	put_lines(data, size, &in);
	if (downgrade(buffer_bytes(&in), &out)) {
		first = buffer_bytes(&out);
		ASSERT(downgrade(first, &again));
		ASSERT(bytes_equal(buffer_bytes(&again), first));
		body = bytes_from(first, header_length(first));
		ASSERT(bytes_is_ascii(body) ||
		       bytes_find_nocase(first, BYTES_LITERAL("multipart/")) >= 0 ||
		       bytes_find_nocase(first, BYTES_LITERAL("message/")) >= 0);
	}
	buffer_deinit(&in);
	buffer_deinit(&out);
	buffer_deinit(&again);
	return 0;
}
