/* model/cause.h - why a recipient is not delivered yet. A fixed list: the numbers are written to
 * disk, so new causes go to the end. */
#pragma once
#include "base/bytes.h"

enum cause {
	CAUSE_NONE = 0,      /* nothing is wrong: first attempt pending or under way */
	CAUSE_HOST_DOWN = 1, /* refused, timeout, unreachable at connect */
	CAUSE_HOST_BUSY = 2, /* 421 or x.3.2 */
	CAUSE_GREYLISTED = 3,
	CAUSE_MAILBOX_FULL = 4,
	CAUSE_MAILBOX_BUSY = 5,
	CAUSE_RATE_LIMITED = 6,
	CAUSE_REPUTATION = 7,
	CAUSE_POLICY = 8,
	CAUSE_DNS_FAILURE = 9,  /* SERVFAIL, timeout, bogus */
	CAUSE_DNS_CHANGED = 10, /* gone or moved since the message was accepted */
	CAUSE_NETWORK = 11,     /* reset, lost connection, no reply within the session */
	CAUSE_TLS = 12,
	CAUSE_PROTOCOL = 13,   /* what came was no SMTP */
	CAUSE_SOFT_OTHER = 14, /* any other 4xx */
	CAUSE_OWN_LIMIT = 15,  /* from here on: ours */
	CAUSE_SUSPENDED = 16,
	CAUSE_HELD = 17,
	CAUSE_OWN_FAULT = 18, /* disk, memory, configuration */
	CAUSE_COUNT = 19,
};

const char *cause_name(enum cause cause); /* "host_down"; "none" */
bool cause_parse(struct bytes name, enum cause *cause_out);
bool cause_is_ours(enum cause cause);
const char *cause_sentence(
	enum cause cause); /* "the host refused the connection or did not answer" */

/* cause_status - the enhanced status of class 4 that stands for the cause when the remote gave none
 * (standards 1.7): host_down 4.4.1, network 4.4.2, dns_failure 4.4.3 ... */
const char *cause_status(enum cause cause);
