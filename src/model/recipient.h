/* model/recipient.h - the states of one recipient, and where its time went. */
#pragma once
#include "base/bytes.h"
#include "model/cause.h"

enum recipient_state {
	RECIPIENT_QUEUED = 0,
	RECIPIENT_DELIVERING,
	RECIPIENT_DELIVERED,
	RECIPIENT_FAILED,
	RECIPIENT_EXPIRED,
	RECIPIENT_HELD,
	RECIPIENT_CANCELLED,
	RECIPIENT_STATES,
};

const char *recipient_state_name(enum recipient_state state);
bool recipient_state_parse(struct bytes name, enum recipient_state *state_out);

struct ledger {
	uint32_t seconds[CAUSE_COUNT]; /* sums to the recipient's age in seconds (rounded once, at
	                                  the end) */
};
