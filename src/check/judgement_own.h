/* check/judgement_own.h - between judgement.c and the files that judge an area. */
#pragma once
#include "check/judgement.h"
#include <stdarg.h>

struct judge {
	struct arena *arena;
	const struct reputation *facts;
	struct judgement *out;
	enum area area;
};

/* found - notes a finding of the current area; its text is a format, its advice is not. What was
 * found out, good or bad, makes the area judged. */
void found(struct judge *judge, enum severity severity, const char *name, int lost,
           const char *advice, const char *format, ...) PRINTF_LIKE(6, 7);

/* lookup_failure - "SERVFAIL", "no answer" ... */
const char *lookup_failure(enum dns_status status);
bool is_lookup_known(enum dns_status status);

/* is_one_record - true if there is just one record, and it could be read. Else says what there is
 * instead: `what` is "DMARC record"; for none, `lost` points and `advice`. */
struct record_rules {
	const char *what, *missing, *several, *invalid; /* names of findings */
	enum severity severity;                         /* if it is missing, or there are several */
	int lost;
	const char *advice;
};
bool is_one_record(struct judge *judge, const struct reputation_record *record,
                   const struct record_rules *rules);

void judge_spf(struct judge *judge);
void judge_dkim(struct judge *judge);
void judge_dmarc(struct judge *judge);
void judge_reverse_dns(struct judge *judge);
void judge_blocklists(struct judge *judge);
void judge_mx(struct judge *judge);
void judge_mta_sts(struct judge *judge);
void judge_tlsrpt(struct judge *judge);
void judge_bimi(struct judge *judge);
