/* queue/final.h - what became of the recipients of a message that is over, from its last state. */
#pragma once
#include "base/bytes.h"
#include "model/recipient.h"

struct final_recipient {
	enum recipient_state state;
	enum cause cause; /* the last one */
	int64_t age_us;   /* when it was over, counted from the message's arrival */
};

/* state_read_final - false when the bytes are no such state, or not all recipients are over. */
bool state_read_final(struct bytes state, uint32_t recipient_count,
                      struct final_recipient *recipients_out);
