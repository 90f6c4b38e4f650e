/* model/outcome.h - the world's answer to one attempt, for one recipient. A value. */
#pragma once
#include "base/bytes.h"
#include "model/cause.h"

enum result {
	RESULT_NONE = 0, /* not decided; after a lost connection: treat as deferred */
	RESULT_DELIVERED = 1,
	RESULT_DEFERRED = 2,
	RESULT_FAILED = 3,
};

/* What an answer is about, and so what has to wait. */
enum scope {
	SCOPE_RECIPIENT = 0, /* this recipient (or this message): its own schedule */
	SCOPE_MESSAGE = 1,
	SCOPE_SITE = 2, /* the site is closed; its messages stay ready */
};

/* Where in the conversation it happened. */
enum phase {
	PHASE_NONE = 0,
	PHASE_DNS,
	PHASE_CONNECT,
	PHASE_GREETING,
	PHASE_EHLO,
	PHASE_STARTTLS,
	PHASE_AUTH,
	PHASE_MAIL,
	PHASE_RCPT,
	PHASE_DATA,
	PHASE_BODY, /* sending the content */
	PHASE_DOT,  /* waiting for the reply to the final dot */
	PHASE_RSET,
	PHASE_COUNT,
};

#define OUTCOME_TEXT_MAX 400
#define OUTCOME_HOST_MAX 128
#define OUTCOME_TLS_MAX  64

struct outcome {
	enum result result;
	enum cause cause; /* CAUSE_NONE when delivered or failed for good */
	enum scope scope;
	enum phase phase;
	int code;                   /* basic reply code; 0: no reply came */
	int class, subject, detail; /* enhanced code as the server gave it; all 0: none */
	int hint_s;                 /* "try again in N seconds", 0: none */
	bool is_duplicate_possible; /* the final dot was sent, no reply came */
	int32_t duration_ms;
	char host[OUTCOME_HOST_MAX]; /* MX host name; "" if no host was reached or tried */
	char address[48];            /* its address, "192.0.2.1" */
	char tls[OUTCOME_TLS_MAX];   /* "TLSv1.3 TLS_AES_256_GCM_SHA384"; "": plaintext */
	bool is_verified;            /* the certificate was, as the policy wants */
	char text[OUTCOME_TEXT_MAX]; /* the reply's lines joined by a blank, with its codes, or our
	                              * own words
	                              * ("connect to mx.test[127.0.0.1]:25: Connection refused") */
};

const char *result_name(enum result result); /* "delivered", "deferred", "failed" */
const char *phase_name(enum phase phase);    /* "connect", "RCPT" ... */

/* outcome_status - writes the enhanced status to report ("4.2.1"): the server's own when its class
 * fits the reply, else the usual one for the code, else the cause's (standards 1.7). */
void outcome_status(const struct outcome *outcome, char text_out[16]);
