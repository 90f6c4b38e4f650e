/* codes/knowledge.h - what every SMTP code means and what to do about it: the reply codes of
 * RFC 5321 and its extensions, the IANA registry of enhanced status codes (RFC 3463, 5248) and the
 * codes of large providers. Written down in src/codes/knowledge/ (.txt, see README.md there),
 * checked and compiled in by tools/knowledge.py. Constant data: any thread, no allocation but in an
 * arena that the caller gives. */
#pragma once
#include "base/arena.h"
#include "base/bytes.h"

enum knowledge_kind {
	KNOWLEDGE_REPLY,  /* "450" */
	KNOWLEDGE_STATUS, /* "4.4.7", registered with IANA */
	KNOWLEDGE_VENDOR, /* "TSS04", "5.7.705": somebody's own */
};

enum knowledge_bounce { KNOWLEDGE_NO_BOUNCE, KNOWLEDGE_SOFT, KNOWLEDGE_HARD };

enum knowledge_severity {
	KNOWLEDGE_NOTHING_WRONG,
	KNOWLEDGE_LOW,      /* passes by itself */
	KNOWLEDGE_MEDIUM,   /* one message or recipient; look at it */
	KNOWLEDGE_HIGH,     /* mail is lost or stuck until somebody acts */
	KNOWLEDGE_CRITICAL, /* so is all other mail to that site */
};

struct knowledge_question {
	const char *question, *answer;
};

/* Strings are never NULL but may be empty; lists end with NULL; questions with a NULL question. */
struct knowledge_entry {
	const char *key;      /* "450", "4.4.7", "TSS04"; unique in any case; also a file name */
	const char *title;    /* "Delivery time expired" */
	const char *category; /* a name of the taxonomy; "Delivered" where nothing failed */
	const char *standard; /* "RFC 3463, 3.5"; "" where it is in no standard */
	const char *provider; /* "Yahoo"; "" unless KNOWLEDGE_VENDOR */
	enum knowledge_kind kind;
	enum knowledge_bounce bounce;
	enum knowledge_severity severity;
	int code;                   /* of a reply code, else 0 */
	int class, subject, detail; /* of an enhanced code, else all 0 */
	const char *const *meaning; /* paragraphs */
	const char *const *aliases; /* other names it is found by */
	const char *const *replies; /* enhanced code: the basic codes that go with it */
	const char *const *says;    /* typical words of a reply */
	const char *const *causes;
	const char *const *sender;    /* what the sender can do */
	const char *const *operators; /* what whoever runs the sending relay can do */
	const char *const *recipient; /* what the recipient's side can do */
	const char *const *seen;      /* "Provider: how it differs there" */
	const char *const *outlast;   /* what Outlast does about it */
	const char *const *related;   /* keys of other entries; each exists */
	const struct knowledge_question *questions;
};

/* knowledge_count, knowledge_at - all entries: reply codes, then enhanced codes by subject, detail
 * and class, then those of providers. */
size_t knowledge_count(void);
const struct knowledge_entry *knowledge_at(size_t i);

/* knowledge_find - by key or alias, in any case; a '#' in front is skipped. NULL if unknown. */
const struct knowledge_entry *knowledge_find(struct bytes key);

/* knowledge_find_reply - the entry that says most about a reply: its enhanced code, unless that is
 * X.0.0, unknown or absent (class 0); then its basic code (0: absent). NULL if there is neither. */
const struct knowledge_entry *knowledge_find_reply(int code, int class, int subject, int detail);

/* knowledge_parse_status - reads "4.4.7" (all of `text`): class 2, 4 or 5, then two numbers of one
 * to three digits without leading zeros (RFC 3463, 2). */
bool knowledge_parse_status(struct bytes text, int status_out[3]);

/* knowledge_compose - explains a well-formed enhanced code that has no entry of its own, by its
 * class, its subject and what the other classes say of the detail. Text lives in `arena`. */
void knowledge_compose(struct arena *arena, const int status[3], struct knowledge_entry *entry_out);

/* knowledge_search - the entries that fit the words best, best first; returns how many (at most
 * `max`). Words match from their beginning, in any case; rare words count more, and so do titles,
 * names and the typical words of replies. */
size_t knowledge_search(struct bytes words, const struct knowledge_entry **found, size_t max);

/* knowledge_nearest - for a key that is unknown: what may have been meant, best first. */
size_t knowledge_nearest(struct bytes key, const struct knowledge_entry **found, size_t max);

/* knowledge_subject - "Addresses" of 1, ... "Security and policy" of 7; "" beyond. */
const char *knowledge_subject(int subject);
const char *knowledge_bounce_name(enum knowledge_bounce bounce);       /* "soft", "hard", "none" */
const char *knowledge_severity_name(enum knowledge_severity severity); /* "none" ... "critical" */

/* The sections of an entry in the order to show them: heading, name for programs, and the list. */
struct knowledge_section {
	const char *heading, *name;
	const char *const *(*lines)(const struct knowledge_entry *entry);
};
extern const struct knowledge_section knowledge_sections[]; /* ends with a NULL heading */
