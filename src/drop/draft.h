/* drop/draft.h - what a program hands to sendmail(1), made a message: line ends, the fields that
 * are missing, recipients out of the header section. Pure. */
#pragma once
#include "base/buffer.h"
#include "model/message.h"

struct draft {
	struct message *message; /* its recipients and its content are filled in */
	uint32_t recipient_capacity;
	const char *domain; /* for addresses without one */
	const char *
		local_to; /* who gets what is for addresses without a domain; "": they themselves */
	const char *full_name; /* for a From field that is missing; "" or NULL: none */
	const char *hostname;  /* for a Message-ID that is missing */
	uint64_t number;       /* unique: likewise */
	int64_t now_us;        /* for a Date that is missing */
	bool ends_at_dot;      /* a line with nothing but a dot ends the text */
	uint32_t recipients_max;
};

/* draft_add_recipients - the addresses of a list, as on a command line or in a To field.
 * ERR_INVALID names the one that is none; ERR_TOO_LONG: more than recipients_max. One that is there
 * already is not added again. */
int draft_add_recipients(struct draft *draft, struct bytes list, struct err *err);

/* draft_take_recipients - those of the To, Cc and Bcc fields of `text` (any line ends). */
int draft_take_recipients(struct draft *draft, struct bytes text, struct err *err);

/* draft_set_envelope_id - ENVID from any text (RFC 3461 4.4), of which as much is taken as fits. */
void draft_set_envelope_id(struct draft *draft, struct bytes text);

/* draft_finish - the content from `text`: CRLF as line ends, an empty line behind the header
 * section, From, Date and Message-ID, no Bcc. The message's sender is set before. ERR_INVALID: it
 * holds a NUL. */
int draft_finish(struct draft *draft, struct bytes text, struct err *err);
