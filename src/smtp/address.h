/* smtp/address.h - mail addresses in commands (RFC 5321 4.1.2, RFC 6531 3.3). Pure. */
#pragma once
#include "base/buffer.h"
#include "base/bytes.h"

enum mailbox_fault {
	MAILBOX_OK = 0,
	MAILBOX_SYNTAX,
	MAILBOX_LOCAL_TOO_LONG,  /* over 64 */
	MAILBOX_DOMAIN_TOO_LONG, /* over 255 */
	MAILBOX_TOO_LONG,        /* path over 256 */
	MAILBOX_NOT_ASCII,       /* and SMTPUTF8 was not asked for */
	MAILBOX_BAD_UTF8,
};

struct mailbox_parts {
	struct bytes local, domain; /* as written; domain empty only for "postmaster" */
	bool is_literal;            /* domain is "[...]" */
};

/* mailbox_parse - "local@domain", "\"quoted local\"@domain", "local@[192.0.2.1]", or "postmaster"
 * alone. Domains may have an underscore (seen in the wild), no empty label, no label over 63. */
enum mailbox_fault mailbox_parse(struct bytes text, bool allow_utf8,
                                 struct mailbox_parts *parts_out);

/* mailbox_domain_parse - a domain or address literal alone (EHLO argument). */
bool mailbox_domain_parse(struct bytes text, bool allow_utf8, bool *is_literal_out);

/* domain_to_ascii - A-labels in lower case (IDNA 2008 by libidn2), without a final dot. False if it
 * cannot be. */
bool domain_to_ascii(struct bytes domain, struct buffer *out);
