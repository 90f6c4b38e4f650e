/* check/tag_list.h - "v=DMARC1; p=none; ..." as DKIM, DMARC, MTA-STS, TLSRPT and BIMI write their
 * records (RFC 6376 3.2). Pure. */
#pragma once
#include "base/bytes.h"
#include "base/macros.h"

#define TAG_LIST_MAX 32 /* tags of one record */

struct tag {
	struct bytes name, value; /* trimmed; borrowed from the record */
};

struct tag_list {
	struct tag tags[TAG_LIST_MAX];
	int count;
};

/* tag_list_parse - splits a record. Names are letters, digits and underscores, each at most once;
 * values are printable ASCII. False if it is no such list: `problem_out` says why. */
bool tag_list_parse(struct bytes record, struct tag_list *list_out, char problem_out[200]);

/* tag_list_find - the value of a tag; one without `at` if it is not there. */
struct bytes tag_list_find(const struct tag_list *list, const char *name);

/* tag_list_has_version - whether a record begins with "v=" and this version, in just that case, as
 * the first tag. What does not is no record of its kind and is passed over. */
bool tag_list_has_version(struct bytes record, const char *version);

/* tag_list_say - writes what is wrong, in printable characters whatever the record holds. Returns
 * false. */
bool tag_list_say(char problem_out[200], const char *format, ...) PRINTF_LIKE(2, 3);
