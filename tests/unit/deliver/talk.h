/* A transcript (.talk): one or more jobs, what the server says (S:), what the client must say (C:),
 * and what must become of each recipient (=).
 *
 * job from <a@out.test> to <b@mx.test>
 *         a job; the next ones use the same slot, in order
 * body Subject: t\r\n\r\nhi\r\n
 *         its content, with \r \n \t \\ \xNN; this is the default
 * with 8bit smtputf8 ret=hdrs envid=x ...
 *         its envelope (see talk.c)
 * set command_timeout=100ms idle=1s tls=must certificate=expired ...
 *         configuration, for the whole transcript; the server's certificate: good (the default),
 *         expired, self-signed, wrong-name
 * route 10 refused.test 20 mx.test
 *         its route; default: 10 mx.test
 * connection
 *         from here on the server has a new connection
 * S: 250 ok             C: RCPT TO:<b@mx.test>
 * S: (close)            S: (silence)
 * S: (tls)              a handshake
 * C: (body)             all of the content and the final dot
 * C: (chunk)            as many bytes as BDAT said
 * C: (closed)           the client hangs up
 * = b@mx.test deferred network
 *         result, then status or cause, then any of: site message recipient duplicate hint=N tls
 *         verified plaintext "text" */
#pragma once
#include "base/arena.h"
#include "model/message.h"
#include "model/outcome.h"
#include "model/route.h"

#define TALK_LINES_MAX      400
#define TALK_JOBS_MAX       8
#define TALK_RECIPIENTS_MAX 200

enum talk_kind { TALK_SERVER, TALK_CLIENT, TALK_CONNECTION };

struct talk_line {
	enum talk_kind kind;
	struct bytes text;
};

struct talk_expectation {
	struct bytes address;
	enum result result;
	struct bytes words; /* what follows */
};

struct talk_job {
	struct message *message;
	struct route *route;
	struct talk_expectation expected[TALK_RECIPIENTS_MAX];
	uint32_t expected_count;
	int last_line; /* index of the line that decides the last recipient */
	bool is_probe;
};

struct talk {
	struct arena *arena;
	struct talk_line lines[TALK_LINES_MAX];
	int line_count;
	struct talk_job jobs[TALK_JOBS_MAX];
	int job_count;
	struct bytes settings; /* the words behind `set` */
	char error[200];       /* what is wrong with the file; "" nothing */
};

struct talk *talk_read(const char *path, uint16_t port);
void talk_free(struct talk *talk);
