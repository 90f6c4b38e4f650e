/* check/inspection_verdict.h - what the facts about a destination come to. Pure. */
#pragma once
#include "check/inspection.h"

/* Is it accepting mail? */
enum inspection_verdict { ACCEPTS_MAIL, ACCEPTS_PARTLY, ACCEPTS_NOT, ACCEPTS_UNKNOWN };
const char *inspection_verdict_name(enum inspection_verdict verdict); /* "yes", "partly" ... */

enum inspection_severity {
	INSPECTION_FINE,
	INSPECTION_NOTE,
	INSPECTION_WARNING,
	INSPECTION_BROKEN
};

#define INSPECTION_FINDINGS_MAX 200

struct inspection_finding {
	enum inspection_severity severity;
	const char *name;  /* "mx-is-alias": for programs */
	const char *where; /* a host or address; "" the domain */
	const char *text;
	const char *advice; /* NULL: nothing to do */
};

struct inspection_judgement {
	enum inspection_verdict verdict;
	const char *sentence; /* why */
	struct inspection_finding findings[INSPECTION_FINDINGS_MAX];
	int count;
};

/* inspection_judge - pure. All texts are in the arena or constant. */
void inspection_judge(struct arena *arena, const struct inspection *facts,
                      struct inspection_judgement *judgement_out, int64_t now_us);
