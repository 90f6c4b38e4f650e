/* codes/bounce.h - what a returned message says: RFC 3464 reports (also RFC 6533's), the notices of
 * the many mailers that never heard of them, automatic replies (RFC 3834), feedback reports
 * (RFC 5965). Pure. Whatever a stranger sends, time and memory are bounded by the limits below. */
#pragma once
#include "base/arena.h"
#include "base/bytes.h"

#define BOUNCE_BYTES_MAX        16777216 /* of a message; the rest is not looked at */
#define BOUNCE_NOTICE_BYTES_MAX 131072   /* of text for people */
#define BOUNCE_STATUS_BYTES_MAX 1048576  /* of delivery status fields */
#define BOUNCE_RECIPIENTS_MAX   1000
#define BOUNCE_MENTIONS_MAX     1000 /* addresses in the text that are weighed */

enum bounce_kind { BOUNCE_OTHER, BOUNCE_FAILURE, BOUNCE_DELAY, BOUNCE_AUTO_REPLY, BOUNCE_FEEDBACK };

enum bounce_action {
	BOUNCE_NO_ACTION,
	BOUNCE_FAILED,
	BOUNCE_DELAYED, /* the relay that wrote this is still trying */
	BOUNCE_DELIVERED,
	BOUNCE_RELAYED,
	BOUNCE_EXPANDED,
};

struct bounce_recipient {
	struct bytes address;
	enum bounce_action action;
	int reply;                  /* basic code of the SMTP reply; 0 if the message holds none */
	int class, subject, detail; /* enhanced code (RFC 3463); all 0 if the message holds none */
	struct bytes diagnostic;    /* what was said, UTF-8, one line */
	struct bytes retry_until;   /* Will-Retry-Until, as written */
	const char *category;       /* "InvalidRecipient", ...; "Unknown"; "Delivered" */
	const char *advice;         /* one sentence, or "" */
	bool is_hard;               /* the address is of no use any more */
};

struct bounce {
	enum bounce_kind kind;
	struct bounce_recipient *recipients;
	int count;
	bool is_cut;          /* a limit was reached: there may be more */
	struct bytes subject; /* decoded */
};

/* bounce_read - reads a whole message; a "From " line in front of it is skipped. Everything in
 * `*bounce_out` is in `arena`. */
void bounce_read(struct bytes message, struct arena *arena, struct bounce *bounce_out);

const char *bounce_kind_name(enum bounce_kind kind); /* "bounce", "delay", "auto-reply", ... */
const char *bounce_action_name(enum bounce_action action); /* "failed", ...; "" for none */

/* bounce_meaning - a category in words: "there is no such mailbox". */
const char *bounce_meaning(const char *category);
