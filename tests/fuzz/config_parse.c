/* Any bytes as a configuration: either there is a problem, or what is shown of it reads back. */
#include "base/assert.h"
#include "base/buffer.h"
#include "config/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buffer problems = { 0 }, shown = { 0 };
	struct config *config = NULL, *again = NULL;

	if (config_parse("fuzz", (struct bytes){ (const char *)data, size }, &config, &problems) ==
	    0) {
		config_show(config, &shown);
		ASSERT(config_parse("shown", buffer_bytes(&shown), &again, &problems) == 0);
		ASSERT(again->destination_count == config->destination_count);
	}
	ASSERT((problems.len > 0) == (config == NULL));
	config_release(config);
	config_release(again);
	buffer_deinit(&problems);
	buffer_deinit(&shown);
	return 0;
}
