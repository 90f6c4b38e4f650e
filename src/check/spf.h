/* check/spf.h - may this address send mail for this domain? (RFC 7208 section 4: check_host). No
 * I/O of its own: the DNS is asked through a function, which in tests is a table. */
#pragma once
#include "check/asker.h"
#include "runtime/address.h"

#define SPF_LOOKUPS_MAX      10 /* terms that ask the DNS (4.6.4) */
#define SPF_VOID_LOOKUPS_MAX 2  /* of these, answered by nothing */
#define SPF_NAMES_MAX        10 /* hosts of one "mx", names of one "ptr" (4.6.4) */

struct spf_question {
	struct address ip;     /* an IPv4-mapped IPv6 address counts as IPv4 */
	struct bytes domain;   /* whose record decides */
	struct bytes sender;   /* "local@domain"; without a local part it is postmaster's (4.3) */
	struct bytes helo;     /* for %{h} */
	struct bytes receiver; /* for %{r}; may be empty */
	int64_t now_s;         /* for %{t} */
};

enum spf_result {
	SPF_NONE,
	SPF_NEUTRAL,
	SPF_PASS,
	SPF_FAIL,
	SPF_SOFTFAIL,
	SPF_TEMPERROR,
	SPF_PERMERROR,
};

struct spf_verdict {
	enum spf_result result;
	struct bytes explanation; /* with SPF_FAIL: what exp= says; empty: none */
	struct bytes by;          /* the directive that decided, "ip4:192.0.2.0/24"; empty: none */
	struct bytes by_domain;   /* in whose record it stands */
	int lookups, void_lookups;
	char text[300]; /* why, for errors: "example.org: ip4:1.2: not an IPv4 address (byte 7)" */
};

/* spf_check - evaluates. All that the verdict borrows is in the arena or in the question. PARKS */
PARKS void spf_check(const struct asker *asker, struct arena *arena,
                     const struct spf_question *question, struct spf_verdict *verdict_out);

/* spf_survey - walks the whole tree of records as if nothing ever matched: how many lookups the
 * longest evaluation takes, and the first mistake anywhere. Counts to 40 at most. The result is
 * SPF_NEUTRAL, or SPF_NONE, SPF_TEMPERROR or SPF_PERMERROR with its text. Hosts of "mx" are not
 * looked up, nor names that depend on the client. PARKS */
PARKS void spf_survey(const struct asker *asker, struct arena *arena,
                      const struct spf_question *question, struct spf_verdict *verdict_out);

/* spf_domain_is_valid - at least two labels of 1 to 63 bytes, none of them NUL, 253 in all
 * (4.3). */
bool spf_domain_is_valid(struct bytes domain);

const char *spf_result_name(enum spf_result result);
