/* Content between DATA and the final dot: however it is cut into pieces the result is the same, and
 * what comes out of the encoder goes through the decoder unchanged. */
#include "smtp/dot.h"
#include "base/assert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t decode(struct bytes in, size_t step, bool is_normalising, struct buffer *out,
                     bool *is_end)
{
	struct dot_decoder decoder = { .is_normalising = is_normalising };
	size_t used = 0;

	*is_end = false;
	while (used < in.len && !*is_end)
		used += dot_decode(&decoder, bytes_first(bytes_from(in, used), step), out, is_end);
	return used;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = { (const char *)data, size };
	struct buffer whole = { 0 }, bytewise = { 0 }, encoded = { 0 }, again = { 0 };
	bool is_end, is_end_bytewise, at_line_start = true;

	ASSERT(decode(in, SIZE_MAX, true, &whole, &is_end) ==
	       decode(in, 1, true, &bytewise, &is_end_bytewise));
	ASSERT(is_end == is_end_bytewise &&
	       bytes_equal(buffer_bytes(&whole), buffer_bytes(&bytewise)));
	dot_encode(buffer_bytes(&whole), &at_line_start, &encoded);
	if (at_line_start) {
		dot_finish(at_line_start, &encoded);
		ASSERT(decode(buffer_bytes(&encoded), 7, false, &again, &is_end) == encoded.len &&
		       is_end);
		ASSERT(bytes_equal(buffer_bytes(&whole), buffer_bytes(&again)));
	}
	buffer_deinit(&whole);
	buffer_deinit(&bytewise);
	buffer_deinit(&encoded);
	buffer_deinit(&again);
	return 0;
}
