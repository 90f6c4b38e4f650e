#include "deliver/verdict.h"
#include "codes/classify.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

static void deferred(struct outcome *outcome, enum cause cause, enum scope scope, enum phase phase)
{
	*outcome = (struct outcome){
		.result = RESULT_DEFERRED, .cause = cause, .scope = scope, .phase = phase
	};
}

static void set_status(struct outcome *outcome, int class, int subject, int detail)
{
	outcome->class = class;
	outcome->subject = subject;
	outcome->detail = detail;
}

/* A host that turns us away before MAIL says nothing about the message: it stays, whatever the
 * digit (standards 3.22). */
static void turned_away(const struct classification *classification, struct outcome *outcome)
{
	outcome->result = RESULT_DEFERRED;
	outcome->scope = SCOPE_SITE;
	outcome->cause = strcmp(classification->category, "BadReputation") == 0 ? CAUSE_REPUTATION
	                                                                        : CAUSE_HOST_BUSY;
}

void verdict_of_reply(const struct reply *reply, enum phase phase, struct outcome *outcome_out)
{
	struct classification classification;

	*outcome_out = (struct outcome){ .phase = phase, .code = reply->code };
	set_status(outcome_out, reply->class, reply->subject, reply->detail);
	reply_join(reply, outcome_out->text, sizeof outcome_out->text);
	if (reply->code / 100 == 2) {
		outcome_out->result = RESULT_DELIVERED;
		return;
	}
	if (reply->code / 100 == 3) {
		outcome_out->result = RESULT_DEFERRED;
		outcome_out->cause = CAUSE_PROTOCOL;
		outcome_out->scope = SCOPE_MESSAGE;
		return;
	}
	classify_reply(reply->code, reply->class, reply->subject, reply->detail,
	               bytes_of(outcome_out->text), phase, &classification);
	/* The first digit decides whether to try again (standards 3.13). */
	outcome_out->result = reply->code / 100 == 4 ? RESULT_DEFERRED : RESULT_FAILED;
	outcome_out->scope = classification.scope;
	outcome_out->hint_s = classification.hint_s;
	if (outcome_out->result == RESULT_DEFERRED)
		outcome_out->cause = classification.cause ? classification.cause : CAUSE_SOFT_OTHER;
	if (outcome_out->result == RESULT_FAILED && phase < PHASE_MAIL)
		turned_away(&classification, outcome_out);
	if (reply->code == 421)
		outcome_out->scope = SCOPE_SITE; /* the connection is over */
}

/* "the reply to RCPT" */
static void name_phase(enum phase phase, char *text_out, size_t size)
{
	if (phase == PHASE_BODY)
		snprintf(text_out, size, "sending the content");
	else if (phase == PHASE_GREETING)
		snprintf(text_out, size, "waiting for the greeting");
	else
		snprintf(text_out, size, "waiting for the reply to %s", phase_name(phase));
}

static void name_garbage(const struct broken *broken, char *text_out, size_t size)
{
	char seen[81];
	size_t len = broken->seen.len < 80 ? broken->seen.len : 80;

	for (size_t i = 0; i < len; i++) {
		char c = broken->seen.at[i];

		if (c == '\r' || c == '\n')
			len = i;
		seen[i] = c >= ' ' && c <= '~' ? c : '?';
	}
	seen[len] = '\0';
	if (broken->phase == PHASE_GREETING)
		snprintf(text_out, size, "protocol error: \"%s\" as greeting of %s[%s]", seen,
		         broken->host, broken->address);
	else
		snprintf(text_out, size, "protocol error: \"%s\" in reply to %s from %s[%s]", seen,
		         phase_name(broken->phase), broken->host, broken->address);
}

void verdict_of_loss(const struct broken *broken, struct outcome *outcome_out)
{
	/* Up to RCPT it is likely the host; what breaks later may be about this message, and the
	 * others should not wait for it. */
	enum scope scope = broken->phase <= PHASE_RCPT ? SCOPE_SITE : SCOPE_MESSAGE;
	char place[48];

	if (broken->code == ERR_CANCELLED)
		verdict_own_fault("stopped within the conversation", outcome_out);
	else
		deferred(outcome_out, CAUSE_NETWORK, scope, broken->phase);
	outcome_out->phase = broken->phase;
	outcome_out->is_duplicate_possible = broken->phase == PHASE_DOT;
	if (broken->code == ERR_CANCELLED)
		return;
	if (broken->code == ERR_PROTOCOL || broken->code == ERR_TOO_LONG) {
		outcome_out->cause = CAUSE_PROTOCOL;
		name_garbage(broken, outcome_out->text, sizeof outcome_out->text);
		return;
	}
	name_phase(broken->phase, place, sizeof place);
	snprintf(outcome_out->text, sizeof outcome_out->text, "%s with %s[%s] while %s",
	         broken->code == ERR_TIMEOUT ? "timeout" : "lost connection", broken->host,
	         broken->address, place);
}

enum rank verdict_of_connect(const struct err *err, const char *host, const char *target,
                             struct outcome *outcome_out)
{
	int code = err->code == ERR_TIMEOUT ? ETIMEDOUT : err->system_errno;

	if (err->code == ERR_CANCELLED) {
		verdict_own_fault("stopped while connecting", outcome_out);
		return RANK_CONNECT;
	}
	deferred(outcome_out, CAUSE_HOST_DOWN, SCOPE_SITE, PHASE_CONNECT);
	if (code == EMFILE || code == ENFILE || code == ENOBUFS || code == ENOMEM ||
	    code == EADDRNOTAVAIL)
		outcome_out->cause = CAUSE_OWN_FAULT;
	snprintf(outcome_out->text, sizeof outcome_out->text, "connect to %s%s: %s", host, target,
	         strerrordesc_np(code));
	/* "No route" says more about us and IPv6 than about the host. */
	return code == ENETUNREACH || code == EAFNOSUPPORT ? RANK_UNREACHABLE : RANK_CONNECT;
}

void verdict_of_dns(const struct dns_address_answer *answer, const char *host,
                    struct outcome *outcome_out)
{
	bool has_none = answer->status == DNS_NO_DATA || answer->status == DNS_NO_DOMAIN ||
	                answer->status == DNS_FOUND;

	deferred(outcome_out, CAUSE_DNS_FAILURE, SCOPE_SITE, PHASE_DNS);
	set_status(outcome_out, 4, 4, has_none ? 4 : 3);
	if (answer->text[0])
		snprintf(outcome_out->text, sizeof outcome_out->text, "%s", answer->text);
	else
		snprintf(outcome_out->text, sizeof outcome_out->text,
		         "DNS lookup of the addresses of %s: %s", host,
		         has_none ? "none" : dns_status_name(answer->status));
}

void verdict_refusal(const char *status, const char *text, struct outcome *outcome_out)
{
	*outcome_out = (struct outcome){ .result = RESULT_FAILED, .scope = SCOPE_MESSAGE };
	sscanf(status, "%d.%d.%d", &outcome_out->class, &outcome_out->subject,
	       &outcome_out->detail);
	snprintf(outcome_out->text, sizeof outcome_out->text, "%s", text);
}

void verdict_own_fault(const char *text, struct outcome *outcome_out)
{
	deferred(outcome_out, CAUSE_OWN_FAULT, SCOPE_MESSAGE, PHASE_NONE);
	snprintf(outcome_out->text, sizeof outcome_out->text, "%s", text);
}
