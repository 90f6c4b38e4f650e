/* report/report.h - notices: delivery status notifications (RFC 3464, 3461, 6522, 6533) with the
 * ledger, the last reply, and what to do. Pure: makes a message from what it is told; serve/ keeps
 * and sends it. */
#pragma once
#include "base/err.h"
#include "base/id.h"
#include "config/config.h"
#include "model/attempt.h"
#include "model/message.h"
#include "model/notice.h"

struct report_request {
	const struct config *config;
	const struct message
		*message; /* the original: with its body, or at least its header section */
	const struct history *history; /* may be empty */
	const struct notice *notice;
	int64_t now_us;
	uint64_t id; /* for the notice */
};

enum report_result {
	REPORT_MADE = 0,   /* *notice_out is a message to the sender, or to the postmaster (double
	                      bounce) */
	REPORT_NOT_WANTED, /* null sender and no postmaster, NOTIFY, automatic mail ...: log and
	                      drop */
};

/* report_make - decides whether a notice is due (standards 1.4-1.6) and makes it. The notice has
 * the null sender, MESSAGE_IS_NOTICE, and one reference for the caller. */
enum report_result report_make(const struct report_request *request, struct message **notice_out);
