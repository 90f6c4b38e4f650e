/* smtp/extension.h - what a server offers in its reply to EHLO (RFC 5321 4.1.1.1). Pure. */
#pragma once
#include "smtp/reply.h"

enum extension {
	EXTENSION_PIPELINING = 1 << 0, /* RFC 2920 */
	EXTENSION_8BITMIME = 1 << 1,   /* RFC 6152 */
	EXTENSION_SMTPUTF8 = 1 << 2,   /* RFC 6531 */
	EXTENSION_SIZE = 1 << 3,       /* RFC 1870 */
	EXTENSION_DSN = 1 << 4,        /* RFC 3461 */
	EXTENSION_CHUNKING = 1 << 5,   /* RFC 3030 */
	EXTENSION_BINARYMIME = 1 << 6, /* RFC 3030 */
	EXTENSION_DELIVERBY = 1 << 7,  /* RFC 2852 */
	EXTENSION_STARTTLS = 1 << 8,   /* RFC 3207 */
	EXTENSION_LIMITS = 1 << 9,     /* RFC 9422 */
};

struct extensions {
	uint32_t offered;          /* enum extension, or-ed */
	uint64_t size_max;         /* bytes; 0: no limit said */
	uint32_t deliver_by_min_s; /* RFC 2852: smallest time of mode R; 0: none said */
	uint32_t recipients_max;   /* RCPTMAX: per transaction; 0: none said */
	uint32_t messages_max;     /* MAILMAX: per connection; 0: none said */
};

/* extensions_read - from the reply to EHLO. Keywords in any case; unknown ones and malformed values
 * are passed over; "AUTH=..." style lines too. */
void extensions_read(const struct reply *reply, struct extensions *extensions_out);
