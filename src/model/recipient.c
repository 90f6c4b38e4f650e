#include "model/recipient.h"
#include "base/macros.h"

static const char *const state_names[RECIPIENT_STATES] = {
	[RECIPIENT_QUEUED] = "queued",       [RECIPIENT_DELIVERING] = "delivering",
	[RECIPIENT_DELIVERED] = "delivered", [RECIPIENT_FAILED] = "failed",
	[RECIPIENT_EXPIRED] = "expired",     [RECIPIENT_HELD] = "held",
	[RECIPIENT_CANCELLED] = "cancelled",
};

const char *recipient_state_name(enum recipient_state state)
{
	return state_names[state];
}

bool recipient_state_parse(struct bytes name, enum recipient_state *state_out)
{
	for (size_t i = 0; i < COUNT(state_names); i++) {
		if (bytes_equal_nocase(name, bytes_of(state_names[i]))) {
			*state_out = (enum recipient_state)i;
			return true;
		}
	}
	return false;
}
