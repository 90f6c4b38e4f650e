/* receive/session.h - one client's session: its state, shared by the files of this room. */
#pragma once
#include "base/list.h"
#include "receive/identity.h"
#include "receive/receive.h"
#include "runtime/clock.h"
#include "smtp/command.h"
#include "smtp/dot.h"

#define COMMAND_BYTES_MAX \
	2048 /* 512, and what DSN, SIZE and DELIVERBY add (RFC 5321 4.5.3.1.4, 3461 3) */

/* Content on its way in. */
struct content {
	struct buffer data; /* what is not in the file yet */
	struct dot_decoder decoder;
	int64_t size_bytes;   /* all of it, with our own fields */
	int64_t budget_bytes; /* taken from the budget */
	uint32_t header_bytes;
	int hops;         /* Received fields that were there before ours */
	bool has_headers; /* looked at: header_bytes and flags are known */
	bool is_automatic;
	int fd; /* of the body file; -1: all is in memory */
	char path[512];
	const char *fault; /* the reply that it will get at its end; NULL: none yet */
};

/* What the listener does about TLS. */
enum session_tls { SESSION_PLAIN, SESSION_STARTTLS, SESSION_TLS_REQUIRED, SESSION_TLS_IMPLICIT };

struct session {
	struct receiver *receiver;
	struct stream *stream;
	const struct config *config; /* a reference, taken anew for each transaction */
	bool is_submission;
	enum session_tls tls;
	struct identity *identity; /* its listener's; unused with SESSION_PLAIN */
	struct fiber *fiber;
	struct list node;
	char peer[ADDRESS_TEXT_MAX];
	char helo[256];
	bool is_esmtp, may_relay, is_idle, is_over;
	int errors, messages;
	int64_t deadline_us;     /* of the whole session */
	struct message *message; /* the transaction; NULL: none */
	uint32_t recipient_capacity;
	bool is_chunking; /* BDAT has begun */
	bool is_broken;   /* a chunk failed: the rest of them is refused */
	struct content content;
};

/* session_reply - buffers a reply; counts refusals. */
void session_reply(struct session *session, const char *format, ...) PRINTF_LIKE(2, 3);
int64_t session_deadline(const struct session *session, int64_t timeout_us);

/* session_refuse - one last line, before a session has begun. */
void session_refuse(struct session *session, const char *line);

/* session_run - the whole session. PARKS */
PARKS void session_run(struct session *session);

/* session_reset - ends the transaction, if there is one. PARKS (it may have a file to remove). */
PARKS void session_reset(struct session *session);

/* envelope.c: MAIL and RCPT. */
void envelope_mail(struct session *session, const struct command *command);
void envelope_rcpt(struct session *session, const struct command *command);

/* content.c: DATA and BDAT. < 0: the connection is lost. PARKS */
PARKS int content_data(struct session *session);
PARKS int content_chunk(struct session *session, const struct command *command, bool is_refused);
PARKS void content_drop(struct session *session);
