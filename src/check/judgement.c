#include "check/judgement.h"
#include "base/err.h"
#include "check/judgement_own.h"
#include <stdio.h>
#include <string.h>

#define SCORE_GOOD 90
#define SCORE_FAIR 60

static const struct {
	const char *name, *key;
	int points;
	void (*judge)(struct judge *judge);
} areas[AREAS] = {
	[AREA_SPF] = { "SPF", "spf", 15, judge_spf },
	[AREA_DKIM] = { "DKIM", "dkim", 18, judge_dkim },
	[AREA_DMARC] = { "DMARC", "dmarc", 15, judge_dmarc },
	[AREA_REVERSE_DNS] = { "reverse DNS", "reverse_dns", 15, judge_reverse_dns },
	[AREA_BLOCKLISTS] = { "blocklists", "blocklists", 25, judge_blocklists },
	[AREA_MX] = { "MX", "mx", 4, judge_mx },
	[AREA_MTA_STS] = { "MTA-STS", "mta_sts", 4, judge_mta_sts },
	[AREA_TLSRPT] = { "TLSRPT", "tlsrpt", 2, judge_tlsrpt },
	[AREA_BIMI] = { "BIMI", "bimi", 2, judge_bimi },
};

int area_points(enum area area)
{
	return areas[area].points;
}

const char *area_name(enum area area)
{
	return areas[area].name;
}

const char *area_key(enum area area)
{
	return areas[area].key;
}

const char *severity_name(enum severity severity)
{
	static const char *const names[] = { [SEVERITY_GOOD] = "good",
		                             [SEVERITY_NOTE] = "note",
		                             [SEVERITY_UNKNOWN] = "unknown",
		                             [SEVERITY_WEAK] = "weak",
		                             [SEVERITY_BAD] = "bad" };

	return names[severity];
}

const char *verdict_name(enum verdict verdict)
{
	static const char *const names[] = { [VERDICT_UNKNOWN] = "unknown",
		                             [VERDICT_GOOD] = "good",
		                             [VERDICT_FAIR] = "fair",
		                             [VERDICT_POOR] = "poor" };

	return names[verdict];
}

void found(struct judge *judge, enum severity severity, const char *name, int lost,
           const char *advice, const char *format, ...)
{
	struct judgement *out = judge->out;
	struct finding *finding = &out->findings[out->count];
	char text[500];
	va_list args;

	if (out->count == FINDINGS_MAX)
		return;
	out->count++;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	*finding = (struct finding){ .area = judge->area,
		                     .severity = severity,
		                     .name = name,
		                     .text = arena_printf(judge->arena, "%s", text),
		                     .lost = MIN(lost, out->points[judge->area]) };
	if (advice)
		finding->advice = arena_printf(judge->arena, "%s", advice);
	out->points[judge->area] -= finding->lost;
	if (severity == SEVERITY_GOOD || severity == SEVERITY_WEAK || severity == SEVERITY_BAD)
		out->is_judged[judge->area] = true;
}

bool is_lookup_known(enum dns_status status)
{
	return status == DNS_FOUND || status == DNS_NO_DOMAIN || status == DNS_NO_DATA;
}

const char *lookup_failure(enum dns_status status)
{
	if (status == DNS_TIMEOUT)
		return "no answer";
	return status == DNS_BOGUS ? "DNSSEC says that the answer is forged" : "SERVFAIL";
}

bool is_one_record(struct judge *judge, const struct reputation_record *record,
                   const struct record_rules *rules)
{
	if (!is_lookup_known(record->status))
		found(judge, SEVERITY_UNKNOWN, "lookup_failed", 0,
		      "Mend the name servers of the domain: receivers do not get its records",
		      "the lookup of the %s failed: %s", rules->what,
		      lookup_failure(record->status));
	else if (record->count == 0)
		found(judge, rules->severity, rules->missing, rules->lost, rules->advice,
		      "there is no %s", rules->what);
	else if (record->count > 1)
		found(judge, rules->severity, rules->several, rules->lost,
		      "Keep one record, and delete the others",
		      "there are %d records where one %s should be: receivers take none of them",
		      record->count, rules->what);
	else if (!record->is_right)
		found(judge, rules->severity, rules->invalid, rules->lost, "Correct the record",
		      "the %s is not in order: %s", rules->what, record->problem);
	else
		return true;
	return false;
}

static enum verdict verdict_of(const struct judgement *judgement)
{
	if (judgement->judged_points == 0)
		return VERDICT_UNKNOWN;
	for (int i = 0; i < judgement->count; i++)
		if (judgement->findings[i].severity == SEVERITY_BAD)
			return VERDICT_POOR;
	if (judgement->score >= SCORE_GOOD)
		return VERDICT_GOOD;
	return judgement->score >= SCORE_FAIR ? VERDICT_FAIR : VERDICT_POOR;
}

void judge(struct arena *arena, const struct reputation *facts, struct judgement *judgement_out)
{
	struct judge judge = { .arena = arena, .facts = facts, .out = judgement_out };
	int points = 0;

	memset(judgement_out, 0, sizeof *judgement_out);
	for (enum area area = 0; area < AREAS; area++) {
		judge.area = area;
		judgement_out->points[area] = areas[area].points;
		areas[area].judge(&judge);
		if (!judgement_out->is_judged[area])
			continue;
		points += judgement_out->points[area];
		judgement_out->judged_points += areas[area].points;
	}
	if (judgement_out->judged_points > 0)
		judgement_out->score = (points * 100 + judgement_out->judged_points / 2) /
		                       judgement_out->judged_points;
	judgement_out->verdict = verdict_of(judgement_out);
}
