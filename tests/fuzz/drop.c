/* A drop file of anybody: what is taken can be encoded, and read back as the same. */
#include "drop/drop.h"
#include "base/assert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct config_receive limits = { .message_size_bytes = 60000,
		                                      .recipients_per_message = 100,
		                                      .header_bytes = 30000,
		                                      .hops = 100 };
	struct bytes in = { (const char *)data, size };
	struct message *message, *again;
	struct buffer file = { 0 };

	if (drop_decode(in, &limits, 1000, &message, NULL) < 0)
		return 0;
	drop_encode(message, &file);
	ASSERT(drop_decode(buffer_bytes(&file), &limits, 1000, &again, NULL) == 0);
	ASSERT(message->recipient_count == again->recipient_count);
	ASSERT(bytes_equal(message->body.data, again->body.data));
	message_release(message);
	message_release(again);
	buffer_deinit(&file);
	return 0;
}
