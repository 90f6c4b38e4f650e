/* codes/classify.h - SMTP reply -> what it means (category) and what to do (cause, scope, hint).
 * The one table that the queue's causes, `classify` and the bounce reader share. Pure; compiled
 * rules are immutable and may be used by any thread. */
#pragma once
#include "base/bytes.h"
#include "model/outcome.h"

struct classification {
	const char *
		category; /* a name of docs' taxonomy: "Greylisted", "RateLimited", ... "Unknown" */
	enum cause cause; /* for 4yz; CAUSE_NONE for a permanent refusal */
	enum scope scope;
	bool is_temporary; /* by the basic code's first digit, but for the few replies known to lie
	                    */
	int hint_s;        /* "try again in N": 0 none */
	const char *provider; /* "gmail", or "" */
	const char *advice;   /* one sentence */
};

/* classify_reply - `code` 0 when none was given; class/subject/detail 0 likewise; `text` the joined
 * reply; `phase` where it came. */
void classify_reply(int code, int class, int subject, int detail, struct bytes text,
                    enum phase phase, struct classification *classification_out);
