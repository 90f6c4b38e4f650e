/* model/attempt.h - the history of a message: what each attempt met. Kept on disk beside the
 * message, so that `explain` and the notices can tell it. Bounded: each recipient's newest attempt
 * stays, and about HISTORY_FIRST + HISTORY_LAST in all; what is left out of the middle is counted.
 */
#pragma once
#include "base/buffer.h"
#include "base/err.h"
#include "model/outcome.h"

#define HISTORY_FIRST 4
#define HISTORY_LAST  28

struct attempt {
	int64_t at_us;
	uint32_t recipient; /* index in the message */
	struct outcome outcome;
	bool is_replaced; /* set by history_add: a newer attempt of the recipient follows */
};

struct history {
	struct attempt *attempts; /* oldest first */
	uint32_t count;
	uint32_t dropped; /* attempts of the middle that are no longer here */
};

void history_deinit(struct history *history);
void history_add(struct history *history, const struct attempt *attempt);
const struct attempt *history_last(const struct history *history,
                                   uint32_t recipient); /* NULL: none */
void history_encode(const struct history *history, struct buffer *out);
int history_decode(struct bytes in, struct history *history_out, struct err *err);
