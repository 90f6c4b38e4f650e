/* check/spf_macro.h - the macro strings of SPF (RFC 7208 section 7): their grammar and their
 * expansion. Pure. */
#pragma once
#include "base/buffer.h"
#include "base/bytes.h"
#include "runtime/address.h"

#define SPF_NAME_LEN_MAX 253 /* of a name after expansion (RFC 7208 7.3) */

enum spf_macro_kind { SPF_MACRO_END, SPF_MACRO_TEXT, SPF_MACRO_EXPAND, SPF_MACRO_ERROR };

struct spf_macro {
	char letter;             /* lower case */
	bool is_escaped;         /* the letter was a capital: the value is URL-escaped */
	bool is_reversed;        /* "r" */
	int keep;                /* labels kept from the right; 0: all */
	struct bytes delimiters; /* empty: "." */
	struct bytes text;       /* with SPF_MACRO_TEXT: what it stands for */
};

/* spf_macro_next - takes the next piece from the front of `*rest`. The letters c, r and t are taken
 * only with `is_explanation` (7.2), and so are blanks. At SPF_MACRO_ERROR `*rest` still begins with
 * what is wrong. */
enum spf_macro_kind spf_macro_next(struct bytes *rest, bool is_explanation,
                                   struct spf_macro *macro_out);

/* spf_macro_check - NULL if all of `text` is a macro-string, else what is wrong; `*at_out` is where
 * it is. */
const char *spf_macro_check(struct bytes text, bool is_explanation, size_t *at_out);

/* spf_macro_check_domain - the same for a domain-spec (7.1): it must end in a dot and a label that
 * can be the last of a name, or in a macro. */
const char *spf_macro_check_domain(struct bytes text, size_t *at_out);

/* spf_macro_uses - whether a macro-string that was checked has the macro `letter`. */
bool spf_macro_uses(struct bytes text, char letter);

/* What the macros stand for (7.2). */
struct spf_values {
	struct bytes local;         /* l: of the sender */
	struct bytes sender_domain; /* o */
	struct bytes domain;        /* d: whose record is being evaluated */
	struct address ip;          /* i, c, v */
	struct bytes validated;     /* p; empty: "unknown" */
	struct bytes helo;          /* h */
	struct bytes receiver;      /* r; empty: "unknown" */
	int64_t now_s;              /* t */
};

/* spf_macro_expand - appends the expansion of a string that was checked. */
void spf_macro_expand(struct bytes text, const struct spf_values *values, struct buffer *out);

/* spf_macro_expand_name - the expansion as a name: no final dot, cut from the left by whole labels
 * to SPF_NAME_LEN_MAX. Appends. */
void spf_macro_expand_name(struct bytes text, const struct spf_values *values, struct buffer *out);
