/* Anything in the place of main.cf: what comes out can be read as a configuration, right or wrong.
 */
#include "base/assert.h"
#include "migrate/main_cf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = { (const char *)data, size };
	struct buffer out = { .limit = 10 << 20 };

	main_cf_convert(in, &out);
	ASSERT(!out.is_over && bytes_find(buffer_bytes(&out), BYTES_LITERAL("listener")) >= 0);
	buffer_deinit(&out);
	return 0;
}
