/* smtp/command.h - what an SMTP client says (RFC 5321 4.1). Pure. Results point into the line. */
#pragma once
#include "base/bytes.h"

enum verb {
	VERB_UNKNOWN,
	VERB_EHLO,
	VERB_HELO,
	VERB_MAIL,
	VERB_RCPT,
	VERB_DATA,
	VERB_BDAT,
	VERB_RSET,
	VERB_NOOP,
	VERB_VRFY,
	VERB_EXPN,
	VERB_HELP,
	VERB_QUIT,
	VERB_STARTTLS,
	VERB_AUTH,
};

#define COMMAND_PARAMETERS_MAX 16

struct parameter {
	struct bytes name, value; /* value.at == NULL: no "=" */
};

struct command {
	enum verb verb;
	struct bytes argument; /* what follows the verb, trimmed at the end */
	struct bytes
		path; /* MAIL, RCPT: inside the angle brackets, source route removed; "" for <> */
	struct parameter parameters[COMMAND_PARAMETERS_MAX];
	int parameter_count;
	uint64_t chunk_bytes; /* BDAT; also when only what follows it is wrong */
	bool is_last;         /* BDAT ... LAST */
};

/* What is wrong with a line; the server's reply hangs on it. */
enum command_fault {
	COMMAND_OK = 0,
	COMMAND_UNKNOWN,  /* 500 5.5.2 */
	COMMAND_SYNTAX,   /* 501 5.5.4 (argument) */
	COMMAND_BAD_PATH, /* 501 5.1.7 / 5.1.3: not an address */
	COMMAND_TOO_MANY_PARAMETERS,
};

/* command_parse - `line` without its line end. Verbs and keywords in any case; blanks around are
 * tolerated as RFC 5321 4.1.1 says. */
enum command_fault command_parse(struct bytes line, struct command *command_out);
