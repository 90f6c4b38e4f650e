#include "codes/classify.h"
#include "base/assert.h"
#include "base/macros.h"
#include "codes/hint.h"
#include "codes/simplify.h"
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whatever a server says, some rule decides; the digit rules whether to retry; what is simplified
 * keeps to its bounds and is lower case. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes line = { (const char *)data, size };
	struct classification got;
	struct reply_codes codes;
	char text[SIMPLIFIED_MAX];
	size_t len;

	classify_line(line, NULL, &codes, &got);
	ASSERT(*got.category && *got.rule && got.advice && got.provider);
	ASSERT(got.hint_s >= 0 && got.hint_s <= HINT_MAX_S);
	ASSERT(got.is_temporary || (got.cause == CAUSE_NONE && got.hint_s == 0));
	ASSERT(codes.code / 100 != 4 || got.is_temporary);
	len = simplify_reply(line, codes.code, text);
	ASSERT(len >= 1 && len <= sizeof text && text[0] == ' ' && text[len - 1] == ' ');
	for (size_t i = 0; i < len; i++)
		ASSERT((text[i] < 'A' || text[i] > 'Z') && (text[i] < 0 || text[i] >= ' '));
	classify_reply(codes.code, codes.class, codes.subject, codes.detail, line, PHASE_RCPT,
	               &got);
	return 0;
}
