/* deliver/verdict.h - from what a conversation met to an outcome: cause, scope, words (standards
 * 1.7). Pure. Host, address and duration are filled by the caller. */
#pragma once
#include "base/err.h"
#include "dns/dns.h"
#include "model/outcome.h"
#include "smtp/reply.h"

/* What counts more when several hosts were tried in one attempt and none took the mail. */
enum rank { RANK_NONE, RANK_DNS, RANK_UNREACHABLE, RANK_CONNECT, RANK_LOST, RANK_TLS, RANK_REPLY };

/* verdict_of_reply - 2yz delivered, 4yz deferred, 5yz failed (before MAIL: deferred, since other
 * hosts and other days may do: standards 3.22); 3yz is nothing that may be said here: protocol. */
void verdict_of_reply(const struct reply *reply, enum phase phase, struct outcome *outcome_out);

/* verdict_of_loss - the conversation with host[address] broke at `phase`: `code` is the stream's
 * error, or ERR_PROTOCOL / ERR_TOO_LONG for bytes that were no reply; they are in `seen`. */
struct broken {
	int code;
	enum phase phase;
	const char *host, *address;
	struct bytes seen;
};
void verdict_of_loss(const struct broken *broken, struct outcome *outcome_out);

/* verdict_of_connect - `err` of stream_connect. Returns its rank. */
enum rank verdict_of_connect(const struct err *err, const char *host, const char *target,
                             struct outcome *outcome_out);
void verdict_of_dns(const struct dns_address_answer *answer, const char *host,
                    struct outcome *outcome_out);

/* verdict_refusal - our own decision that it can never be delivered so: `status` is "5.3.4" ... */
void verdict_refusal(const char *status, const char *text, struct outcome *outcome_out);
void verdict_own_fault(const char *text, struct outcome *outcome_out);
