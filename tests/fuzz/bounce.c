/* A stranger's message: what is said of it is within the limits, and every text is printable as it
 * claims to be. */
#include "codes/bounce.h"
#include "base/assert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_create(65536);
	struct bounce bounce;

	bounce_read((struct bytes){ (const char *)data, size }, arena, &bounce);
	ASSERT(bounce.count <= BOUNCE_RECIPIENTS_MAX && *bounce_kind_name(bounce.kind));
	ASSERT(bounce.kind != BOUNCE_AUTO_REPLY || bounce.count == 0);
	ASSERT(bounce.kind != BOUNCE_FEEDBACK || bounce.count == 0);
	for (int i = 0; i < bounce.count; i++) {
		const struct bounce_recipient *recipient = &bounce.recipients[i];

		ASSERT(recipient->category && recipient->advice);
		ASSERT(recipient->reply == 0 ||
		       (recipient->reply >= 400 && recipient->reply < 560));
		ASSERT(bytes_find_char(recipient->diagnostic, '\n') < 0);
		ASSERT(recipient->class == 0 || recipient->class == 2 || recipient->class == 4 ||
		       recipient->class == 5);
	}
	arena_destroy(arena);
	return 0;
}
