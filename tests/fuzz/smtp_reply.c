#include "base/assert.h"
#include "base/err.h"
#include "smtp/extension.h"
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A reply is found whole or not at all: never from a shorter input, and its joined text is one
 * printable line. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = { (const char *)data, size };
	struct reply reply = { 0 }, again = { 0 };
	struct extensions extensions;
	int used = reply_parse(in, &reply);
	char text[64];

	ASSERT(used <= (int)size);
	if (used <= 0)
		return 0;
	ASSERT(reply.code >= 200 && reply.code <= 599 && reply.text.len == (size_t)used);
	ASSERT(reply_parse(bytes_first(in, (size_t)used - 1), &again) == 0);
	ASSERT(reply_parse(bytes_first(in, (size_t)used), &again) == used);
	reply_join(&reply, text, sizeof text);
	ASSERT(bytes_is_utf8(bytes_of(text)) && !strpbrk(text, "\r\n\t\x1b\x7f"));
	extensions_read(&reply, &extensions);
	return 0;
}
