/* codes/bounce_own.h - what the files of the bounce reader share. The way of a message: its parts
 * (letter), the status fields (fields) or the text (text), the codes in it (said), what they mean
 * (meaning). The phrases that mailers use are data (phrases). */
#pragma once
#include "base/arena.h"
#include "base/buffer.h"
#include "codes/bounce.h"

#define ADDRESS_BYTES_MAX 320

/* How an address stands in the notice. */
enum form {                /* the better the higher */
	    FORM_SENTENCE, /* somewhere in a line */
	    FORM_REPLY,    /* "550 5.1.1 <user@host>... User unknown" */
	    FORM_LABELLED, /* "Recipient: user@host" */
	    FORM_FIRST,    /* first in its line, words behind it */
	    FORM_ALONE,    /* alone in its line, or as "<user@host>:" */
};

#define MENTION_LIKELY 4 /* from this score on it is taken for a recipient */

struct mention {
	struct bytes address;
	size_t line, start, end; /* offsets in the notice */
	enum form form;
	int score;
	enum bounce_action action; /* of the list it stands in */
	bool is_recipient;         /* its address is one of the best of the notice */
	bool is_best;              /* it is why */
};

/* What the message is made of. All text is UTF-8 with bare LFs. */
struct letter {
	struct arena *arena;
	struct bytes headers;
	struct bytes subject, from;
	struct bytes notice;   /* what a person is told, without the returned message */
	struct bytes lower;    /* the same in small letters (ASCII) */
	struct bytes status;   /* delivery status fields; empty if there are none */
	struct bytes original; /* header section of the returned message */
	bool has_feedback, has_disposition, is_report, is_cut;
	struct mention *mentions; /* found when first asked for, as is `said` */
	int mention_count;
	struct said *said; /* in the whole notice */
};

/* letter_read - takes the message apart; everything is in `arena`. */
void letter_read(struct bytes message, struct arena *arena, struct letter *letter_out);

/* Copies: in small letters (ASCII); as one line, where folds and runs of blanks become one blank.
 */
struct bytes letter_lower(struct arena *arena, struct bytes text);
struct bytes letter_line(struct arena *arena, struct bytes text);

/* letter_address_next - the next mail address in `*rest`, which then begins behind it; false if
 * there is none. Letters of other scripts belong to it only between brackets: such scripts put no
 * blanks around an address. */
bool letter_address_next(struct bytes *rest, struct bytes *address_out);

/* letter_field_address - the first address in the fields named, in the order of the names. */
bool letter_field_address(struct bytes headers, const char *const *names,
                          struct bytes *address_out);
extern const char *const letter_recipient_fields[];
extern const char *const letter_sender_fields[];

/* The codes of a refusal in free text, and where the refusal begins. Zero: not there. */
struct said {
	int reply;
	int class, subject, detail;
	int score;    /* how sure: 0 nothing, above 3 a whole reply */
	size_t start; /* of the first code */
};

/* said_find - the first reply that is beyond doubt, else the best. A status that stands apart joins
 * it, if it is of the same class. */
void said_find(struct bytes text, struct said *said_out);

/* said_parse_status - "5.1.1" at the front of `text`, perhaps cut ("5.0."). */
bool said_parse_status(struct bytes text, struct said *said_out);

/* mentions_find - fills `letter->mentions`, once, and marks the recipients. */
void mentions_find(struct letter *letter);

/* text_recipient - the recipient by all but the status fields: X-Failed-Recipients, then the
 * notice, the returned message, the subject. False if nothing names one. */
bool text_recipient(struct letter *letter, struct bytes *address_out);

/* fields_read - recipients of the delivery status. False if there is none. */
bool fields_read(struct letter *letter, struct bounce *bounce);

/* text_read - recipients of a notice without status fields. */
void text_read(struct letter *letter, struct bounce *bounce);

/* text_about - what the notice says of that address: from the code of the refusal on, or the lines
 * behind the address; empty if there are none. */
struct bytes text_about(struct letter *letter, struct bytes address);

/* text_transcript - all lines of the reply that begins as `said`, if a session is quoted that has
 * more of it. */
struct bytes text_transcript(struct letter *letter, struct bytes said);

/* meaning_find - category and advice of what was said; `more`, then the subject, is text to fall
 * back on. */
void meaning_find(struct bounce_recipient *recipient, struct bytes more, struct bytes subject);

const char *category_advice(const char *category); /* one sentence */

/* The phrases, in small letters. */
enum phrase {
	PHRASE_LIST,      /* recipients follow */
	PHRASE_FAILED,    /* given up */
	PHRASE_DELAYED,   /* still trying */
	PHRASE_DELIVERED, /* arrived */
	PHRASE_ORIGINAL,  /* the returned message follows */
	PHRASE_FAILURE_SUBJECT,
	PHRASE_DELAY_SUBJECT,
	PHRASE_OTHER_SUBJECT, /* at the start of the subject: about something else */
	PHRASE_AUTO_SUBJECT,  /* at the start of the subject */
	PHRASE_CHALLENGE,     /* asks the sender to prove himself */
	PHRASE_RECIPIENT,     /* in front of an address: it is the recipient */
	PHRASE_NOT_RECIPIENT, /* in front of an address: it is not */
	PHRASE_CONTACT,       /* in the same sentence: somebody to ask */
	PHRASE_REASON,        /* on the same line as an address: something went wrong with it */
	PHRASE_TRAILER,       /* ends what the server said */
	PHRASES,
};

/* phrase_find - the position of the first phrase of that kind found in `lower`, or -1. */
ptrdiff_t phrase_find(enum phrase kind, struct bytes lower);
bool phrase_starts(enum phrase kind, struct bytes lower); /* `lower` begins with one */
bool phrase_ends(enum phrase kind, struct bytes lower);   /* `lower` ends with one, as words */
