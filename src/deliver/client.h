/* deliver/client.h - one connection to one mail server, from the greeting on (RFC 5321 3.1, 3.2,
 * 4.2). Commands are put together and sent as one write; replies are heard in order. */
#pragma once
#include "base/buffer.h"
#include "config/config.h"
#include "model/outcome.h"
#include "runtime/stream.h"
#include "smtp/extension.h"

struct secure_wish;

struct client {
	struct stream *stream;
	const struct config *config;
	struct extensions extensions;
	char host[OUTCOME_HOST_MAX];
	char address[48];
	char tls[OUTCOME_TLS_MAX]; /* "": plaintext */
	bool was_tls_wanted;       /* by its first message; there may have been none to be had */
	const struct config_destination
		*verified_for; /* whose policy wanted it; NULL: not verified */
	struct buffer out;     /* commands not sent yet */
	size_t heard;          /* bytes of the last reply, dropped when the next is heard */
	bool is_dead;          /* nothing more can be said; `trouble` says why */
	bool needs_reset;      /* a transaction was left in the middle */
	bool is_reused;        /* it has been idle, and nothing was heard on it since */
	uint32_t transactions;
	uint32_t *open_count;   /* counted in here while it is open; NULL: nowhere */
	struct outcome trouble; /* for every recipient that has no answer yet */
};

struct client_target {
	const char *host;
	struct address address;
	const struct config *config;
	const struct secure_wish *secure; /* NULL: plaintext */
};

/* client_open - connects, hears the greeting, says EHLO (or HELO), goes to TLS as wished; where
 * that does not work and need not, connects once more without. NULL: not usable, `*outcome_out` and
 * `*rank_out` (enum rank) say why. PARKS */
PARKS struct client *client_open(const struct client_target *target, struct outcome *outcome_out,
                                 int *rank_out);

/* client_introduce - EHLO, or HELO where that is not known; fills `extensions`. PARKS */
PARKS bool client_introduce(struct client *client, struct reply *reply_out);

/* client_say - adds a command line (without its end). */
void client_say(struct client *client, const char *format, ...) PRINTF_LIKE(2, 3);

/* client_end - ends the line that was put into `client->out` from `start` on. */
void client_end(struct client *client, size_t start);

/* client_send - sends what was said. False: the client is dead. PARKS */
PARKS bool client_send(struct client *client, enum phase phase);

/* client_put - sends content behind what was said. False: not all of it was sent; unless the client
 * is dead, the server may have said why. PARKS */
PARKS bool client_put(struct client *client, struct bytes content);

/* client_hear - the next reply, valid until the next call. False: the client is dead: connection
 * lost, timeout, garbage, or 421 (which closes the channel: RFC 5321 3.8). PARKS */
PARKS bool client_hear(struct client *client, enum phase phase, struct reply *reply_out);

/* client_is_silent - nothing was said that was not asked for. Else the client is dead: replies
 * would be taken for answers to the wrong commands. */
bool client_is_silent(struct client *client, enum phase phase);

/* client_refuse - the reply just heard may not be said at this place: protocol error, dead. */
void client_refuse(struct client *client, enum phase phase, const struct reply *reply);

/* client_reset - RSET if a transaction was left in the middle. PARKS */
PARKS bool client_reset(struct client *client);

/* client_quit - QUIT, waits for its reply as long as configured, closes, frees. PARKS */
PARKS void client_quit(struct client *client);
void client_close(struct client *client); /* at once; takes NULL */

/* client_fill_peer - host, address and TLS of the outcome. */
void client_fill_peer(const struct client *client, struct outcome *outcome);
