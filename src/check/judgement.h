/* check/judgement.h - what the facts of a reputation are worth: findings, points, a score, a
 * verdict. Pure: the same facts make the same score. docs/reputation.md is the list in words. */
#pragma once
#include "check/reputation.h"

enum area {
	AREA_SPF,
	AREA_DKIM,
	AREA_DMARC,
	AREA_REVERSE_DNS, /* and the HELO name */
	AREA_BLOCKLISTS,
	AREA_MX,
	AREA_MTA_STS,
	AREA_TLSRPT,
	AREA_BIMI,
	AREAS,
};

enum severity {
	SEVERITY_GOOD,
	SEVERITY_NOTE,    /* worth knowing; costs nothing */
	SEVERITY_UNKNOWN, /* could not be found out; costs nothing, and leaves something open */
	SEVERITY_WEAK,
	SEVERITY_BAD, /* mail is refused or doubted for it: the verdict is poor, whatever the score
	               */
};

struct finding {
	enum area area;
	enum severity severity;
	const char *name; /* "spf_missing": stable, for programs */
	char *text;       /* what was seen; in the arena */
	char *advice;     /* what would raise the score; NULL: nothing to do */
	int lost;         /* points; together never more than the area has */
};

#define FINDINGS_MAX 256

struct judgement {
	struct finding findings[FINDINGS_MAX]; /* by area */
	int count;
	int points[AREAS];     /* what is left of area_points */
	bool is_judged[AREAS]; /* there was something to judge by */
	int score;             /* 0..100: the points of the areas that were judged, in percent */
	int judged_points;     /* how many points those areas have */
	enum verdict { VERDICT_UNKNOWN, VERDICT_GOOD, VERDICT_FAIR, VERDICT_POOR } verdict;
};

/* judge - `*judgement_out` is large: not for the stack. */
void judge(struct arena *arena, const struct reputation *facts, struct judgement *judgement_out);

int area_points(enum area area);       /* together 100 */
const char *area_name(enum area area); /* "SPF", "reverse DNS" */
const char *area_key(enum area area);  /* "spf", "reverse_dns" */
const char *severity_name(enum severity severity);
const char *verdict_name(enum verdict verdict);
