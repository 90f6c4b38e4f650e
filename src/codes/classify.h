/* codes/classify.h - SMTP reply -> what it means (category) and what to do (cause, scope, hint).
 * The one table that the queue's causes, `classify` and the bounce reader share; the rules are data
 * (codes/replies.rules). Pure but for the rules, which are read at the first call; any thread may
 * call. */
#pragma once
#include "base/bytes.h"
#include "base/err.h"
#include "model/outcome.h"

struct classification {
	const char *
		category; /* a name of docs' taxonomy: "Greylisted", "RateLimited", ... "Unknown" */
	enum cause cause; /* for 4yz; CAUSE_NONE for a permanent refusal */
	enum scope scope;
	bool is_about_sender; /* the scope is this sender; for the queue, SCOPE_MESSAGE */
	bool is_temporary; /* by the basic code's first digit, but for the few replies known to lie
	                    */
	int hint_s;        /* "try again in N": 0 none */
	const char *provider; /* "gmail", or "" */
	const char *advice;   /* one sentence */
	const char *rule;     /* the name of the rule that decided */
};

/* classify_reply - `code` 0 when none was given; class/subject/detail 0 likewise; `text` the joined
 * reply; `phase` where it came. The strings live as long as the rules. */
void classify_reply(int code, int class, int subject, int detail, struct bytes text,
                    enum phase phase, struct classification *classification_out);

struct classify_memory;

/* What was said at the front of a reply that stands on one line. */
struct reply_codes {
	int code;                   /* 0: none */
	int class, subject, detail; /* all 0: none */
};

/* classify_line - as classify_reply, for a reply on one line as logs and notices show it
 * ("550-5.7.1 text 550 5.7.1 text", "smtp;550 text", "5.1.1 text", "said: 550 text"). `memory` may
 * be NULL; with it a reply that came before, but for the addresses in it, costs a fifth. */
void classify_line(struct bytes line, struct classify_memory *memory, struct reply_codes *codes_out,
                   struct classification *classification_out);

/* classify_memory_create - remembers the last few thousand short replies (2 MiB). For one thread;
 * of no use any more after classify_use_rules. */
struct classify_memory *classify_memory_create(void);
void classify_memory_destroy(struct classify_memory *memory); /* takes NULL */

/* classify_use_rules - from now on the rules of the file `path` are asked before the built-in ones
 * (NULL: only those). Its examples must be decided by their rules. Fails with ERR_SYSTEM or
 * ERR_INVALID, naming file and line; then the rules stay as they were. One thread at a time. The
 * strings of classifications before the last call but one are gone. */
int classify_use_rules(const char *path, struct err *err);

/* classify_check_examples - whether each example of the rules in use is decided by its rule. */
int classify_check_examples(struct err *err);
