/* report/dsn.h - the machine-readable part of a notice: message/delivery-status (RFC 3464,
 * 3461 6.3, 6533 3). Pure. */
#pragma once
#include "base/buffer.h"
#include "report/report.h"

/* The last thing that went wrong for a recipient: its own newest attempt or, if later, the site's
 * failure. */
struct last_error {
	const struct outcome *outcome; /* NULL: no attempt was completed */
	int64_t at_us;
};

struct last_error dsn_last_error(const struct report_request *request,
                                 const struct notice_recipient *recipient);

/* dsn_status - the Status to report, by the kind of notice and the configured style
 * (standards 1.2). */
void dsn_status(const struct report_request *request, const struct notice_recipient *recipient,
                char text_out[16]);

/* dsn_write - the per-message fields, then a block for each of `count` recipients. */
void dsn_write(const struct report_request *request,
               const struct notice_recipient *const *recipients, size_t count, bool is_utf8,
               struct buffer *out);

/* dsn_append_safe - `text` on one line: control characters become blanks and, unless `is_utf8`,
 * bytes above 127 '?'. */
void dsn_append_safe(struct bytes text, bool is_utf8, struct buffer *out);
