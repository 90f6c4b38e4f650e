/* Anything that a program may hand to sendmail: the content has CRLF only, and looking for
 * recipients comes to an end within its limit. */
#include "drop/draft.h"
#include "base/assert.h"
#include "mail/header.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes text = { (const char *)data, size };
	struct draft draft = { .message = message_create(),
		               .domain = "out.test",
		               .local_to = "",
		               .full_name = "Ann",
		               .hostname = "relay.test",
		               .recipients_max = 50 };

	draft.message->sender = bytes_of("ann@out.test");
	draft_take_recipients(&draft, text, NULL);
	ASSERT(draft.message->recipient_count <= 50);
	if (draft_finish(&draft, text, NULL) == 0) {
		struct bytes content = draft.message->body.data;

		ASSERT(header_count(bytes_first(content, header_length(content)),
		                    bytes_of("Bcc")) == 0);
		for (size_t i = 0; i < content.len; i++)
			ASSERT((content.at[i] == '\n') == (i > 0 && content.at[i - 1] == '\r'));
	}
	message_release(draft.message);
	return 0;
}
