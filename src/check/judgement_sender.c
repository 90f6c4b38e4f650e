/* SPF, DKIM, DMARC: may this mail say that it is from this domain? */
#include "check/judgement_own.h"

#define SPF_LOOKUPS_NEAR 9
#define RSA_BITS_LEAST   1024 /* RFC 8301 3.2 */
#define RSA_BITS_ADVISED 2048

/* How the record ends, which is what is said of everybody else. */
static void judge_spf_end(struct judge *judge)
{
	struct bytes rest = judge->facts->spf_record.text, term;
	bool has_redirect = false;

	while (rest.at) {
		term = bytes_split(&rest, ' ');
		has_redirect |= bytes_starts_with_nocase(term, BYTES_LITERAL("redirect="));
		if (bytes_equal_nocase(term, BYTES_LITERAL("all")) ||
		    bytes_equal_nocase(term, BYTES_LITERAL("+all")))
			found(judge, SEVERITY_BAD, "spf_open", 15,
			      "End the SPF record in -all or ~all",
			      "the record ends in +all: the whole world may send for the domain");
		else if (bytes_equal_nocase(term, BYTES_LITERAL("?all")))
			found(judge, SEVERITY_WEAK, "spf_no_end", 5,
			      "End the SPF record in -all or ~all",
			      "the record ends in ?all, which says nothing of other senders");
		else if (bytes_ends_with_nocase(term, BYTES_LITERAL("all")) && term.len == 4)
			return;
		else
			continue;
		return;
	}
	if (!has_redirect)
		found(judge, SEVERITY_WEAK, "spf_no_end", 5, "End the SPF record in -all or ~all",
		      "the record has neither all nor redirect at its end: it says nothing of "
		      "other senders");
}

/* Whether receivers of mail from the addresses in question never get as far as a mistake. */
static bool pass_all(const struct reputation *facts)
{
	for (int i = 0; i < facts->subject.address_count; i++)
		if (facts->addresses[i].spf.result != SPF_PASS)
			return false;
	return facts->subject.address_count > 0;
}

static void judge_spf_tree(struct judge *judge)
{
	const struct spf_verdict *survey = &judge->facts->spf_survey;
	bool is_hidden = pass_all(judge->facts);
	enum severity severity = is_hidden ? SEVERITY_WEAK : SEVERITY_BAD;
	const char *but = is_hidden ? "; the addresses looked at pass before that" : "";

	if (survey->result == SPF_PERMERROR)
		found(judge, severity, "spf_error", is_hidden ? 5 : 15,
		      "Correct the SPF record: an error in it makes receivers pass over all of it",
		      "%s%s", survey->text, but);
	else if (survey->result == SPF_TEMPERROR)
		found(judge, SEVERITY_UNKNOWN, "spf_lookup_failed", 0,
		      "Mend the name servers that the SPF record leads to", "%s", survey->text);
	else if (survey->lookups > SPF_LOOKUPS_MAX)
		found(judge, severity, "spf_lookups", is_hidden ? 5 : 15,
		      "Take out includes that are not needed any more, or write addresses instead",
		      "the record needs up to %d DNS lookups; with more than %d it is an error%s",
		      survey->lookups, SPF_LOOKUPS_MAX, but);
	else if (survey->void_lookups > SPF_VOID_LOOKUPS_MAX)
		found(judge, severity, "spf_void_lookups", is_hidden ? 5 : 15,
		      "Take out the names that are gone from the DNS",
		      "%d lookups of the record find nothing; with more than %d it is an error%s",
		      survey->void_lookups, SPF_VOID_LOOKUPS_MAX, but);
	else if (survey->lookups >= SPF_LOOKUPS_NEAR)
		found(judge, SEVERITY_WEAK, "spf_lookups_near", 1,
		      "Take out includes before one of them grows beyond the limit",
		      "the record needs up to %d of %d DNS lookups", survey->lookups,
		      SPF_LOOKUPS_MAX);
	else
		found(judge, SEVERITY_GOOD, "spf_record", 0, NULL,
		      "one record, in order, %d of %d DNS lookups", survey->lookups,
		      SPF_LOOKUPS_MAX);
}

static void judge_spf_address(struct judge *judge, const struct reputation_address *address)
{
	const struct spf_verdict *spf = &address->spf;

	switch (spf->result) {
	case SPF_PASS:
		found(judge, SEVERITY_GOOD, "spf_pass", 0, NULL, "%s passes by %.*s of %.*s",
		      address->text, BYTES_FORMAT(spf->by), BYTES_FORMAT(spf->by_domain));
		break;
	case SPF_FAIL:
		found(judge, SEVERITY_BAD, "spf_fail", 15,
		      "Add the address to the SPF record, or do not send from it",
		      "%s fails by %.*s of %.*s: receivers refuse its mail", address->text,
		      BYTES_FORMAT(spf->by), BYTES_FORMAT(spf->by_domain));
		break;
	case SPF_SOFTFAIL:
	case SPF_NEUTRAL:
		found(judge, SEVERITY_WEAK, "spf_not_listed", 8,
		      "Add the address to the SPF record", "%s is not named: the result is %s",
		      address->text, spf_result_name(spf->result));
		break;
	case SPF_TEMPERROR:
		found(judge, SEVERITY_UNKNOWN, "spf_lookup_failed", 0, NULL, "%s: %s",
		      address->text, spf->text);
		break;
	case SPF_PERMERROR:
		found(judge, SEVERITY_BAD, "spf_error", 15,
		      "Correct the SPF record: an error in it makes receivers pass over all of it",
		      "%s: %s", address->text, spf->text);
		break;
	case SPF_NONE:
		break;
	}
}

void judge_spf(struct judge *judge)
{
	const struct reputation *facts = judge->facts;
	struct reputation_record record = facts->spf_record;
	static const struct record_rules rules = {
		"SPF record",
		"spf_missing",
		"spf_several",
		"spf_error",
		SEVERITY_BAD,
		15,
		"Publish a TXT record such as \"v=spf1 mx -all\" that names all your senders",
	};

	record.is_right = true; /* its mistakes are the survey's to say */
	if (!is_one_record(judge, &record, &rules))
		return;
	judge_spf_tree(judge);
	judge_spf_end(judge);
	for (int i = 0; i < facts->subject.address_count; i++) {
		judge_spf_address(judge, &facts->addresses[i]);
		if (facts->subject.helo.len > 0 && facts->addresses[i].helo_spf.result == SPF_FAIL)
			found(judge, SEVERITY_WEAK, "spf_helo_fails", 3,
			      "Add the address to the SPF record of the HELO name",
			      "the HELO name %.*s forbids %s: notices with the null sender fail",
			      BYTES_FORMAT(facts->subject.helo), facts->addresses[i].text);
	}
}

/* One key. True if a signature by it counts. */
static bool judge_key(struct judge *judge, const struct reputation_selector *selector)
{
	const struct key_record *key = &selector->key;
	int length = (int)selector->name.len;
	const char *name = selector->name.at;

	if (key->is_revoked) {
		found(judge, SEVERITY_NOTE, "dkim_revoked", 0, NULL,
		      "selector %.*s: the key was revoked (p= is empty)", length, name);
		return false;
	}
	if (!selector->record.is_right || !key->takes_sha256 || !key->takes_email) {
		found(judge, SEVERITY_WEAK, "dkim_invalid", 6, "Correct the key's record",
		      "selector %.*s: no signature can be verified: %s", length, name,
		      !selector->record.is_right ? selector->record.problem
		      : !key->takes_sha256       ? "h= does not allow sha256"
		                                 : "s= does not allow e-mail");
		return false;
	}
	if (key->kind == KEY_RSA && key->bits < RSA_BITS_LEAST) {
		found(judge, SEVERITY_BAD, "dkim_weak", 12,
		      "Make a new key of 2048 bits under a new selector",
		      "selector %.*s: an RSA key of %d bits; less than %d does not count", length,
		      name, key->bits, RSA_BITS_LEAST);
		return false;
	}
	if (selector->own == OWN_KEY_DIFFERS) {
		found(judge, SEVERITY_BAD, "dkim_own_differs", 18,
		      "Publish the public key that belongs to the private key in use",
		      "selector %.*s: the key is not the one that we sign with: all our signatures "
		      "fail",
		      length, name);
		return false;
	}
	if (key->is_testing)
		found(judge, SEVERITY_WEAK, "dkim_testing", 6, "Take t=y out of the key's record",
		      "selector %.*s: t=y asks receivers to treat the mail as unsigned", length,
		      name);
	if (key->kind == KEY_RSA && key->bits < RSA_BITS_ADVISED)
		found(judge, SEVERITY_WEAK, "dkim_short", 3,
		      "Make a new key of 2048 bits under a new selector",
		      "selector %.*s: an RSA key of %d bits; %d are advised", length, name,
		      key->bits, RSA_BITS_ADVISED);
	else
		found(judge, SEVERITY_GOOD, "dkim_key", 0, NULL, "selector %.*s: %s, %d bits%s",
		      length, name, key_kind_name(key->kind), key->bits,
		      selector->own == OWN_KEY_VERIFIED ? "; our own signature is verified by it"
		                                        : "");
	return true;
}

/* Of a selector that was named a key is expected; of a guessed one it is not. */
static void judge_absent(struct judge *judge, const struct reputation_selector *selector)
{
	if (judge->facts->are_selectors_guessed)
		return;
	if (!is_lookup_known(selector->record.status))
		found(judge, SEVERITY_UNKNOWN, "dkim_lookup_failed", 0,
		      "Mend the name servers of the domain: receivers do not get its keys",
		      "selector %.*s: the lookup failed: %s", BYTES_FORMAT(selector->name),
		      lookup_failure(selector->record.status));
	else
		found(judge, SEVERITY_BAD, "dkim_missing", 9,
		      "Publish the public key of the selector that you sign with",
		      "selector %.*s: there is no key", BYTES_FORMAT(selector->name));
}

void judge_dkim(struct judge *judge)
{
	const struct reputation *facts = judge->facts;
	int present = 0, usable = 0, unanswered = 0;

	for (int i = 0; i < facts->selector_count; i++) {
		const struct reputation_selector *selector = &facts->selectors[i];

		unanswered += !is_lookup_known(selector->record.status);
		if (selector->record.count == 0) {
			judge_absent(judge, selector);
			continue;
		}
		present++;
		if (selector->record.count > 1)
			found(judge, SEVERITY_WEAK, "dkim_several", 3, "Keep one key per selector",
			      "selector %.*s: there are %d records; which one counts is not "
			      "defined",
			      BYTES_FORMAT(selector->name), selector->record.count);
		usable += judge_key(judge, selector);
	}
	if (facts->are_selectors_guessed && present == 0)
		found(judge, SEVERITY_UNKNOWN, "dkim_not_guessed", 0,
		      "Name your selectors by --selector, so that their keys are looked at",
		      "none of the %d usual selectors that were guessed has a key; the lookup of "
		      "%d "
		      "failed",
		      facts->selector_count, unanswered);
	else if (present > 0 && usable == 0)
		found(judge, SEVERITY_BAD, "dkim_none_usable", 18,
		      "Publish a key that can be used, and sign with it",
		      "no key that was found can be used: the mail counts as unsigned");
	else if (facts->are_selectors_guessed)
		found(judge, SEVERITY_NOTE, "dkim_guessed", 0, NULL,
		      "the selectors were guessed; others may be in use");
}

static void judge_dmarc_policy(struct judge *judge)
{
	const struct reputation *facts = judge->facts;
	const struct dmarc_record *dmarc = &facts->dmarc;
	bool is_inherited = !bytes_equal_nocase(facts->dmarc_domain, facts->subject.domain);
	enum dmarc_policy policy = is_inherited ? dmarc->subdomain_policy : dmarc->policy;

	if (is_inherited)
		found(judge, SEVERITY_NOTE, "dmarc_inherited", 0, NULL,
		      "the record is that of %.*s: its policy for subdomains counts",
		      BYTES_FORMAT(facts->dmarc_domain));
	if (policy == DMARC_NONE)
		found(judge, SEVERITY_WEAK, "dmarc_none", 6,
		      "Read the reports, then move the policy to quarantine, and to reject",
		      "the policy is none: forged mail is only reported");
	else
		found(judge, SEVERITY_GOOD, "dmarc_policy", 0, NULL,
		      "the policy is %s; alignment: DKIM %s, SPF %s", dmarc_policy_name(policy),
		      dmarc->is_strict_dkim ? "strict" : "relaxed",
		      dmarc->is_strict_spf ? "strict" : "relaxed");
	if (policy != DMARC_NONE && (dmarc->percent < 100 || dmarc->is_testing))
		found(judge, SEVERITY_WEAK, "dmarc_partial", 2,
		      "Take pct= and t=y out of the DMARC record",
		      "the policy counts for %d %% of the mail%s", dmarc->percent,
		      dmarc->is_testing ? ", and t=y says that it is a test" : "");
	if (!is_inherited && dmarc->subdomain_policy < dmarc->policy)
		found(judge, SEVERITY_WEAK, "dmarc_subdomains", 2,
		      "Raise sp= to the policy of the domain",
		      "for subdomains the policy is only %s",
		      dmarc_policy_name(dmarc->subdomain_policy));
}

static void judge_dmarc_reports(struct judge *judge)
{
	const struct reputation *facts = judge->facts;

	if (facts->dmarc.aggregate.count == 0)
		found(judge, SEVERITY_WEAK, "dmarc_no_reports", 2,
		      "Add rua=mailto:... to the DMARC record, and read what comes",
		      "nobody gets reports: rua= is missing");
	for (int i = 0; i < facts->report_count; i++) {
		const struct reputation_report *report = &facts->reports[i];

		if (!is_lookup_known(report->status) || report->is_authorised)
			continue;
		found(judge, SEVERITY_WEAK, "dmarc_report_refused", 2,
		      "Have the receiver of the reports publish that it takes them",
		      "reports to %.*s are not sent: it has no record %.*s._report._dmarc",
		      BYTES_FORMAT(report->domain), BYTES_FORMAT(facts->dmarc_domain));
	}
}

void judge_dmarc(struct judge *judge)
{
	static const struct record_rules rules = {
		"DMARC record",
		"dmarc_missing",
		"dmarc_several",
		"dmarc_invalid",
		SEVERITY_BAD,
		15,
		"Publish \"v=DMARC1; p=none; rua=mailto:...\" at _dmarc, and raise p= later",
	};

	if (!is_one_record(judge, &judge->facts->dmarc_record, &rules))
		return;
	judge_dmarc_policy(judge);
	judge_dmarc_reports(judge);
	if (judge->facts->dmarc.problem[0])
		found(judge, SEVERITY_WEAK, "dmarc_mistake", 2, "Correct the DMARC record",
		      "a part of the record is passed over: %s", judge->facts->dmarc.problem);
}
