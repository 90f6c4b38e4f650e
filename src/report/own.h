/* report/own.h - what the files of this room share. */
#pragma once
#include "model/message.h"

struct report_envelope {
	struct bytes to;
	uint64_t id;
	int64_t now_us;
	uint32_t header_bytes;
};

/* report_message - a notice with this content: null sender, one recipient, marked as a notice. One
 * reference for the caller. */
struct message *report_message(const struct report_envelope *envelope, struct bytes content);
