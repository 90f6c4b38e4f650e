/* drop/drop.h - a message on its way from a program of this machine to the relay: one file of the
 * drop folder (docs/formats/drop.md). Pure. Any user of the machine may have written what is read.
 */
#pragma once
#include "config/intake.h"
#include "model/message.h"

#define DROP_HEAD_BYTES_MAX (4 << 20) /* of a file, in front of the content */

/* drop_encode - envelope and content of `message` (its body is in memory) as a file. */
void drop_encode(const struct message *message, struct buffer *out);

/* drop_decode - a message, its content in memory, as it would have come over SMTP: addresses are
 * right, line ends are CRLF, sizes are within `limits`. What only the relay may say (flags, client,
 * times ahead of `now_us`) is not believed. ERR_INVALID or ERR_TOO_LONG with what is wrong. The
 * caller releases. */
int drop_decode(struct bytes in, const struct config_receive *limits, int64_t now_us,
                struct message **message_out, struct err *err);

/* drop_seal - puts `field` (with its line end) in front of the content, and fills in what is known
 * of a content only when it is whole: sizes and flags. The message must not be shared yet. */
void drop_seal(struct message *message, struct bytes field);

/* drop_address - "local@domain" for an envelope, the domain as A-labels in lower case; without one
 * `domain` is added. False if it is no address. */
bool drop_address(struct bytes text, struct bytes domain, struct arena *arena,
                  struct bytes *address_out);
