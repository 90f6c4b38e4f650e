/* check/dmarc.h - the DMARC record (RFC 7489 6.3; RFC 9989 for np, psd and t): what it asks for and
 * what is wrong with it. Pure, but for the public suffix list on disk. */
#pragma once
#include "base/arena.h"
#include "base/bytes.h"

enum dmarc_policy { DMARC_NONE, DMARC_QUARANTINE, DMARC_REJECT };

#define DMARC_REPORTS_MAX 10 /* addresses of one list */

struct dmarc_reports {
	struct bytes addresses[DMARC_REPORTS_MAX]; /* "reports@example.net": of mailto: */
	int count;
};

struct dmarc_record {
	enum dmarc_policy policy, subdomain_policy;
	int percent;     /* pct=; 100 */
	bool is_testing; /* t=y of RFC 9989 */
	bool is_strict_dkim, is_strict_spf;
	bool has_policy; /* else none is assumed, where there is a rua= */
	struct dmarc_reports aggregate, failure;
	char problem[200]; /* "" if the record is in order */
};

/* dmarc_is - whether a TXT record is one of DMARC: it begins with v=DMARC1. */
bool dmarc_is(struct bytes text);

/* dmarc_parse - reads a record for which dmarc_is holds. False if receivers will take it for none;
 * a `problem` may be there all the same, where they only pass over a part. Borrows. */
bool dmarc_parse(struct bytes text, struct dmarc_record *record_out);

const char *dmarc_policy_name(enum dmarc_policy policy);

/* dmarc_organisation - the domain that was registered, by the public suffix list: that of
 * "mail.example.co.uk" is "example.co.uk". The domain itself where that is none below a public
 * suffix. Points into `domain`. */
struct bytes dmarc_organisation(struct bytes domain);

/* dmarc_report_name - where `target` says that it takes reports about `domain` (RFC 7489 7.1). */
char *dmarc_report_name(struct arena *arena, struct bytes domain, struct bytes target);
