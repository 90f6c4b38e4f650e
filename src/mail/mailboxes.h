/* mail/mailboxes.h - the addresses of a To, Cc or Bcc field (RFC 5322 3.4): names, comments, groups
 * and routes are gone through, what is left are addresses. Pure, tolerant. */
#pragma once
#include "base/buffer.h"
#include "base/bytes.h"

/* mailboxes_next - appends the next address of `*rest`, a field's value, to `out` (which is
 * cleared): "local@domain", or "local" where no domain is given. The address was not checked. False
 * when there is none left; `*rest` then is empty. */
bool mailboxes_next(struct bytes *rest, struct buffer *out);
