/* model/message.h - one accepted mail: its envelope and its content. Immutable once it has been
 * handed on; counted references (atomic) let the receiver, the cache and a delivery hold it at the
 * same time. */
#pragma once
#include "base/arena.h"
#include "base/buffer.h"
#include "base/bytes.h"
#include "base/err.h"

#define MESSAGE_RECIPIENTS_MAX 10000 /* the format's limit; receive's own is lower */
#define MESSAGE_ADDRESS_MAX    320   /* 64 + 1 + 255 (RFC 5321 4.5.3.1) */

/* NOTIFY of RFC 3461; 0: the parameter did not come. */
enum notify { NOTIFY_NEVER = 1, NOTIFY_SUCCESS = 2, NOTIFY_FAILURE = 4, NOTIFY_DELAY = 8 };
enum dsn_return { RETURN_UNSET = 0, RETURN_FULL = 1, RETURN_HEADERS = 2 };
enum body_type { BODY_7BIT = 0, BODY_8BITMIME = 1, BODY_BINARYMIME = 2 };

enum message_flags {
	MESSAGE_SMTPUTF8 = 1,  /* came with the SMTPUTF8 parameter */
	MESSAGE_HAS_8BIT = 2,  /* the content holds bytes above 127 */
	MESSAGE_IS_NOTICE = 4, /* we made it: a delay or failure notice */
	MESSAGE_IS_AUTOMATIC =
		8, /* Auto-Submitted other than no, Precedence bulk/list/junk, or List-* */
	MESSAGE_BY_NOTIFY = 16,      /* DELIVERBY mode N (else R, when deliver_by_us is set) */
	MESSAGE_BY_TRACE = 32,       /* DELIVERBY trace */
	MESSAGE_HAS_LONG_LINES = 64, /* a line over 998 bytes */
};

struct recipient_address {
	struct bytes
		address; /* "local@domain", domain in lower case (A-label), local part as it came */
	struct bytes original; /* ORCPT as it came ("rfc822;xtext"), or empty */
	uint8_t notify;        /* enum notify, or-ed */
};

/* The content: in memory, or (beyond the receiver's limit) in a file of the spool's bodies folder.
 * With CRLF line ends, no bare CR or LF, not dot-stuffed, our Received field in front. */
struct body {
	struct bytes data; /* in memory; at == NULL: in the file */
	char *path;        /* the file, or NULL */
	int64_t size_bytes;
};

struct message {
	uint64_t id;
	int64_t arrived_us;  /* accepted; the lifetime counts from here */
	struct bytes sender; /* "" is the null sender */
	struct recipient_address *recipients;
	uint32_t recipient_count;
	uint32_t flags; /* enum message_flags */
	enum body_type body_type;
	enum dsn_return dsn_return;
	struct bytes envelope_id; /* ENVID as it came (xtext), or empty */
	int64_t deliver_by_us;    /* RFC 2852: the moment; 0: none */
	int64_t release_us;       /* RFC 4865: not delivered before, and the lifetime counts from
	                             here; 0: none */
	int8_t priority;          /* RFC 6710: -9..9 */
	struct bytes
		client; /* who brought it: "host [192.0.2.1]"; for Received-From-MTA and the log */
	uint32_t
		header_bytes; /* length of the header section of the content, with its empty line */
	struct body body;
	struct arena *arena; /* owns all of the above */
};

/* message_create - an empty message with one reference; its arena is ready to copy into. */
struct message *message_create(void);
struct message *message_acquire(struct message *message);
void message_release(struct message *message); /* at the last reference frees all; takes NULL. Does
                                                  not unlink a body file */

/* message_encode_envelope - all but the body (and the id), for the disk. message_decode_envelope
 * reads it back into a message that it creates; the body is left empty. ERR_CORRUPT when the bytes
 * are not such an envelope. */
void message_encode_envelope(const struct message *message, struct buffer *out);
int message_decode_envelope(struct bytes in, struct message **message_out, struct err *err);

/* message_domain - what follows the last @ of an address; empty if there is none. */
struct bytes message_domain(struct bytes address);
