/* report/text.h - the part of a notice that people read: what happened, where the time went, what
 * comes next, what they can do. Pure. */
#pragma once
#include "report/report.h"

/* text_subject - without line end. */
void text_subject(const struct report_request *request, struct buffer *out);
/* text_ledger - where its time went, as bars; nothing if it is not a second old. */
void text_ledger(const struct notice_recipient *recipient, struct buffer *out);

/* text_advice - what the sender can do, by the cause. */
void text_advice(const struct notice_recipient *recipient, struct buffer *out);
void text_write(const struct report_request *request,
                const struct notice_recipient *const *recipients, size_t count, bool is_utf8,
                struct buffer *out);
