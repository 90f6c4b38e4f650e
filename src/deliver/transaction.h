/* deliver/transaction.h - one mail transaction (RFC 5321 3.3; PIPELINING RFC 2920, CHUNKING RFC
 * 3030, DSN RFC 3461): MAIL, RCPT for each, content, and an outcome for each. */
#pragma once
#include "deliver/client.h"
#include "deliver/content.h"
#include "model/message.h"

/* RFC 5321 4.5.3.1.8: what every server takes. Their replies fit into the socket's buffers, so that
 * a group can be written whole before the first reply is read (RFC 2920 3.1). */
#define TRANSACTION_RECIPIENTS_MAX 100

struct transaction {
	const struct message *message;
	const struct content *content;
	const uint32_t *recipients;                  /* indices in the message */
	struct outcome *outcomes;                    /* the same order; result NONE: still to do */
	uint32_t places[TRANSACTION_RECIPIENTS_MAX]; /* which of them this transaction has */
	uint32_t count;
	bool is_utf8; /* needs SMTPUTF8 */
};

/* transaction_run - afterwards the outcome of every place is decided, but for those that the client
 * left open by dying (client->trouble is theirs), and those that the server asked to send in
 * another transaction (RFC 5321 4.5.3.1.10), which happens only if others were delivered in this
 * one. PARKS
 */
PARKS void transaction_run(struct client *client, struct transaction *transaction);

/* transaction_is_utf8 - an address or the header section is not ASCII (RFC 6531 3.4). */
bool transaction_is_utf8(const struct message *message, struct bytes content);
