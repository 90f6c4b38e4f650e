/* check/policy_record.h - the TXT records of MTA-STS (RFC 8461 3.1), TLSRPT (RFC 8460 3) and BIMI
 * (draft-brand-indicators-for-message-identification), and the policy of MTA-STS (RFC 8461 3.2).
 * Pure. */
#pragma once
#include "base/bytes.h"

/* Each returns false if the record is not in order; `problem_out` then says why. */

struct sts_record {
	struct bytes id;
};
bool sts_record_is(struct bytes text); /* begins with v=STSv1 */
bool sts_record_parse(struct bytes text, struct sts_record *record_out, char problem_out[200]);

struct tlsrpt_record {
	int count;            /* places that reports go to */
	struct bytes reports; /* rua= as it is written */
};
bool tlsrpt_record_is(struct bytes text); /* begins with v=TLSRPTv1 */
bool tlsrpt_record_parse(struct bytes text, struct tlsrpt_record *record_out,
                         char problem_out[200]);

struct bimi_record {
	struct bytes logo;      /* l=: https URL of the SVG; empty with a declined publication */
	struct bytes authority; /* a=: https URL of the certificate; may be empty */
	bool is_declined;       /* both are empty: the domain wants no logo shown */
};
bool bimi_record_is(struct bytes text); /* begins with v=BIMI1 */
bool bimi_record_parse(struct bytes text, struct bimi_record *record_out, char problem_out[200]);

enum sts_mode { STS_NONE, STS_TESTING, STS_ENFORCE };

#define STS_HOSTS_MAX 64

struct sts_policy {
	enum sts_mode mode;
	int64_t max_age_s;
	struct bytes hosts[STS_HOSTS_MAX]; /* "mx.example.com", "*.example.com" */
	int host_count;
};

/* sts_policy_parse - the file at /.well-known/mta-sts.txt. Borrows from `text`. */
bool sts_policy_parse(struct bytes text, struct sts_policy *policy_out, char problem_out[200]);

/* sts_policy_has_host - whether the policy allows an MX host; "*" stands for one label (4.1). */
bool sts_policy_has_host(const struct sts_policy *policy, struct bytes host);
const char *sts_mode_name(enum sts_mode mode);
