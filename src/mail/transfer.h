/* mail/transfer.h - content transfer encodings (RFC 2045 6.7, 6.8), read as leniently as mail is
 * written: what is no base64 is skipped, what is no quoted pair stands for itself. Pure. */
#pragma once
#include "base/buffer.h"

enum transfer { TRANSFER_PLAIN, TRANSFER_QUOTED, TRANSFER_BASE64 };

/* transfer_parse - of a Content-Transfer-Encoding field; TRANSFER_PLAIN for what is not known. */
enum transfer transfer_parse(struct bytes value);

/* transfer_decode - appends the decoded bytes to `out`, never more than `in` has. */
void transfer_decode(enum transfer transfer, struct bytes in, struct buffer *out);
