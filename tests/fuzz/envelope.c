/* Envelopes and histories from the disk: whatever stands there is refused or taken whole. */
#include "base/assert.h"
#include "model/attempt.h"
#include "model/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = { (const char *)data, size };
	struct buffer encoded = { 0 };
	struct message *message;
	struct history history;
	struct err err = { 0 };

	if (message_decode_envelope(in, &message, &err) == 0) {
		message_encode_envelope(message, &encoded);
		ASSERT(bytes_equal(buffer_bytes(&encoded), in));
		message_release(message);
	}
	if (history_decode(in, &history, &err) == 0)
		history_deinit(&history);
	buffer_deinit(&encoded);
	return 0;
}
