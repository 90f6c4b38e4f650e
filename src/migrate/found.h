/* migrate/found.h - a message found in the queue of another mail system, as it takes shape. Pure.
 */
#pragma once
#include "base/buffer.h"
#include "model/message.h"

#define FOUND_ATTEMPTS_UNKNOWN (-1)

struct found {
	struct message *message;
	uint32_t recipient_capacity;
	struct buffer content; /* with CRLF; it has a limit */
	int attempts;          /* or FOUND_ATTEMPTS_UNKNOWN */
};

/* found_init - `content_bytes_max` is the content's limit. */
void found_init(struct found *found, size_t content_bytes_max);
void found_deinit(struct found *found);

/* found_set_sender - "" and "@" and "MAILER-DAEMON" are the null sender. False: it is no address.
 */
bool found_set_sender(struct found *found, struct bytes address);

/* found_add_recipient - returns it, for what else is known of it; NULL if it is no address, or one
 * too many. */
struct recipient_address *found_add_recipient(struct found *found, struct bytes address);

/* found_add_line - a line of the content, without its line end. */
void found_add_line(struct found *found, struct bytes line);

/* found_add_lines - a text with LF or CRLF. */
void found_add_lines(struct found *found, struct bytes text);

/* found_finish - whether it is a whole message now: recipients, arrival, content within its limit.
 * ERR_INVALID or ERR_TOO_LONG with what is missing. */
int found_finish(struct found *found, struct err *err);
