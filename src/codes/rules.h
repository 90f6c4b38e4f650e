/* codes/rules.h - the rules that say what a reply means: data (codes/replies.rules, and a file of
 * the operator's), read into tables, their patterns compiled for one scan. Format:
 * docs/formats/rules.md. A set of rules never changes and may be used by any thread. */
#pragma once
#include "base/err.h"
#include "codes/scan.h"
#include "model/outcome.h"

#define RULES_MAX     SCAN_SLOTS_MAX /* rules and providers together */
#define RULE_CODES    8
#define RULE_STATUSES 12
#define ANY_NUMBER    -1

/* What holds for all rules of a category that do not say otherwise. */
struct category {
	const char *name, *advice;
	enum cause cause;
	enum scope scope;
	bool is_about_sender; /* the scope is the sender: for the queue, the message */
	bool is_temporary;    /* counts only when the reply has no code */
};

/* Which of a rule's patterns were seen in a reply. */
enum { SEEN_MATCH = 1, SEEN_AND = 2, SEEN_UNLESS = 4 };

struct rule {
	const char *name, *provider; /* provider NULL: any */
	struct category verdict;     /* the category's, with what the rule itself says */
	bool is_always_temporary;    /* whatever the reply's first digit */
	uint8_t wanted;              /* SEEN_MATCH, SEEN_AND: those it has */
	int slot;                    /* its place in what a scan has seen */
	int code_count, status_count;
	int codes[RULE_CODES];          /* 552, or 5 for all of 5yz */
	int statuses[RULE_STATUSES][3]; /* 5.7.1; ANY_NUMBER for x */
};

struct provider {
	const char *name;
	int slot;
};

/* A reply that the file gives with a rule; it has to be decided by that rule. */
struct example {
	const char *rule, *file;
	int line;
	struct bytes reply;
};

struct rules {
	struct arena *arena;
	struct category *categories;
	struct provider *providers;
	struct rule *rules; /* in the order in which they are asked */
	struct example *examples;
	int category_count, provider_count, rule_count, example_count, slot_count;
	struct scan_pattern *patterns;
	int pattern_count, pair_count;
	struct hs_database *database; /* NULL: not compiled */
};

/* rules_read - the built-in rules and, if `path` is not NULL, those of a file before them; not
 * compiled. The caller owns the result. Fails with ERR_SYSTEM or ERR_INVALID, naming file and
 * line. */
int rules_read(const char *path, struct rules **rules_out, struct err *err);

/* rules_load - as rules_read, and ready for use. The patterns of the built-in rules were compiled
 * when the program was built (a millisecond); with a file all are compiled anew (about a second).
 */
int rules_load(const char *path, struct rules **rules_out, struct err *err);
void rules_destroy(struct rules *rules); /* takes NULL */
