/* Reverse DNS, blocklists, MX, MTA-STS, TLSRPT, BIMI: the machines and what is published of them.
 */
#include "check/judgement_own.h"

#define POLICY_AGE_S_LEAST 86400

/* The names that lead back, and what they look like. */
static void judge_confirmed(struct judge *judge, const struct reputation_address *address)
{
	struct bytes name = address->names[0].name;
	int confirmed = 0, known = 0;

	for (int i = 0; i < address->name_count; i++) {
		known += is_lookup_known(address->names[i].status);
		if (address->names[i].is_confirmed && confirmed++ == 0)
			name = address->names[i].name;
	}
	if (confirmed == 0 && known < address->name_count)
		found(judge, SEVERITY_UNKNOWN, "ptr_lookup_failed", 0, NULL,
		      "%s: whether its name %.*s leads back is not known: the lookup failed",
		      address->text, BYTES_FORMAT(name));
	else if (confirmed == 0)
		found(judge, SEVERITY_BAD, "ptr_unconfirmed", 10,
		      "Give the name an A or AAAA record with the address",
		      "%s is called %.*s, but that name does not lead back to it", address->text,
		      BYTES_FORMAT(name));
	else if (address->is_name_generic)
		found(judge, SEVERITY_WEAK, "ptr_generic", 4,
		      "Have the provider give the address a name of its own, such as "
		      "mail.example.org",
		      "%s is called %.*s, as the lines of customers are", address->text,
		      BYTES_FORMAT(name));
	else
		found(judge, SEVERITY_GOOD, "ptr", 0, NULL, "%s is %.*s, and back", address->text,
		      BYTES_FORMAT(name));
}

static void judge_names(struct judge *judge, const struct reputation_address *address)
{
	if (!is_lookup_known(address->names_status))
		found(judge, SEVERITY_UNKNOWN, "ptr_lookup_failed", 0,
		      "Mend the reverse zone: receivers cannot look the address up",
		      "%s: the lookup of its name failed: %s", address->text,
		      lookup_failure(address->names_status));
	else if (address->name_count == 0)
		found(judge, SEVERITY_BAD, "ptr_missing", 15,
		      "Have the provider of the address set its PTR record to your host's name",
		      "%s has no name (PTR): many receivers refuse it", address->text);
	else
		judge_confirmed(judge, address);
}

static void judge_helo(struct judge *judge, const struct reputation_address *address)
{
	struct bytes helo = judge->facts->subject.helo;

	if (helo.len == 0 || !is_lookup_known(address->helo_status) || address->is_helo_right)
		return;
	if (bytes_find_char(helo, '.') < 0)
		found(judge, SEVERITY_WEAK, "helo_not_full", 5,
		      "Set deliver.helo to the full name of the host",
		      "we greet as \"%.*s\", which is no full name", BYTES_FORMAT(helo));
	else if (address->helo_status == DNS_FOUND)
		found(judge, SEVERITY_WEAK, "helo_elsewhere", 2,
		      "Add the address to the HELO name's records",
		      "we greet as %.*s, which does not lead to %s", BYTES_FORMAT(helo),
		      address->text);
	else
		found(judge, SEVERITY_WEAK, "helo_unknown", 5,
		      "Give the HELO name an A or AAAA record with the address",
		      "we greet as %.*s, which has no address of the kind of %s",
		      BYTES_FORMAT(helo), address->text);
}

void judge_reverse_dns(struct judge *judge)
{
	const struct reputation *facts = judge->facts;

	if (facts->subject.address_count == 0)
		found(judge, SEVERITY_UNKNOWN, "no_address", 0,
		      "Name the addresses that you send from by --ip, so that they are looked at",
		      "no sending address is known");
	for (int i = 0; i < facts->subject.address_count; i++) {
		judge_names(judge, &facts->addresses[i]);
		judge_helo(judge, &facts->addresses[i]);
	}
}

static const char *trial_text(enum reputation_trial trial)
{
	static const char *const texts[] = {
		[TRIAL_NOT_NEEDED] = "",
		[TRIAL_PASSED] = "",
		[TRIAL_NO_ANSWER] = "it does not answer",
		[TRIAL_REFUSED] = "it refuses the questions of this resolver",
		[TRIAL_EMPTY] = "its test entry is not listed",
		[TRIAL_LISTS_ALL] = "it lists what must not be listed",
		[TRIAL_NO_BLOCKLIST] = "what it answers is not what a blocklist answers",
	};

	return texts[trial];
}

static int judge_trials(struct judge *judge)
{
	static const char *const kinds[] = { "IPv4", "IPv6", "domains" };
	int believed = 0;

	for (int i = 0; i < blocklist_zone_count; i++)
		for (int kind = 0; kind < BLOCKLIST_KINDS; kind++) {
			enum reputation_trial trial = judge->facts->trials[i][kind];

			believed += trial == TRIAL_PASSED;
			if (*trial_text(trial))
				found(judge, SEVERITY_NOTE, "blocklist_not_believed", 0, NULL,
				      "%s (%s) is passed over: %s", blocklist_zones[i].zone,
				      kinds[kind], trial_text(trial));
		}
	return believed;
}

void judge_blocklists(struct judge *judge)
{
	const struct reputation *facts = judge->facts;
	int believed;

	for (int i = 0; i < facts->listing_count; i++) {
		const struct reputation_listing *listing = &facts->listings[i];
		char *advice = arena_printf(judge->arena,
		                            "Find and end the cause, then ask for removal: %s",
		                            listing->zone->lookup);

		found(judge, listing->zone->is_major ? SEVERITY_BAD : SEVERITY_WEAK,
		      listing->zone->is_major ? "listed" : "listed_minor",
		      listing->zone->is_major ? 25 : 5, advice, "%s is listed by %s (%s)%s%.*s",
		      listing->object, listing->zone->zone, listing->codes,
		      listing->reason.len > 0 ? ": " : "", (int)MIN(listing->reason.len, 200),
		      listing->reason.at ? listing->reason.at : "");
	}
	believed = judge_trials(judge);
	if (believed > 0 && facts->listing_count == 0)
		found(judge, SEVERITY_GOOD, "not_listed", 0, NULL, "not listed by %d blocklists",
		      believed);
	else if (believed == 0 && facts->listing_count == 0)
		found(judge, SEVERITY_UNKNOWN, "no_blocklist", 0,
		      "Ask through a resolver of your own (--nameserver): most lists refuse public "
		      "ones",
		      "no blocklist could be believed");
}

void judge_mx(struct judge *judge)
{
	const struct reputation *facts = judge->facts;
	int reachable = 0, unknown = 0;

	if (facts->is_null_mx) {
		found(judge, SEVERITY_BAD, "mx_null", 4,
		      "Give the domain an MX, or send from one that takes mail",
		      "the domain takes no mail (null MX): receivers may refuse its senders");
		return;
	}
	for (int i = 0; i < facts->host_count; i++) {
		const struct reputation_host *host = &facts->hosts[i];

		reachable += host->address_count > 0;
		unknown += !is_lookup_known(host->status);
		if (host->address_count == 0 && is_lookup_known(host->status) &&
		    !facts->is_implicit_mx)
			found(judge, SEVERITY_WEAK, "mx_no_address", 2,
			      "Take out MX hosts that are gone, or give them addresses",
			      "the MX host %.*s has no address", BYTES_FORMAT(host->name));
	}
	if (!is_lookup_known(facts->mx_status) || (reachable == 0 && unknown > 0))
		found(judge, SEVERITY_UNKNOWN, "mx_lookup_failed", 0,
		      "Mend the name servers of the domain: no bounce can reach it",
		      "the lookup of the MX failed");
	else if (reachable == 0)
		found(judge, SEVERITY_BAD, "mx_missing", 4,
		      "Give the domain an MX: receivers check that a sender can get bounces",
		      "no bounce can reach the domain: it has no MX host with an address");
	else if (facts->is_implicit_mx)
		found(judge, SEVERITY_WEAK, "mx_implicit", 1, "Publish an MX record",
		      "there is no MX record; mail goes to the domain's own address");
	else
		found(judge, SEVERITY_GOOD, "mx", 0, NULL, "%d MX host%s with addresses", reachable,
		      reachable == 1 ? "" : "s");
}

static void judge_policy(struct judge *judge)
{
	const struct reputation *facts = judge->facts;
	const struct sts_policy *policy = &facts->policy;

	for (int i = 0; i < facts->host_count; i++)
		if (!facts->hosts[i].is_in_policy && policy->mode != STS_NONE)
			found(judge, policy->mode == STS_ENFORCE ? SEVERITY_BAD : SEVERITY_WEAK,
			      "sts_host_missing", 4, "Add the host to the policy, then change id=",
			      "the MX host %.*s is not in the policy%s",
			      BYTES_FORMAT(facts->hosts[i].name),
			      policy->mode == STS_ENFORCE ? ": mail to it is refused" : "");
	if (policy->mode != STS_ENFORCE)
		found(judge, SEVERITY_WEAK, "sts_not_enforced", 2,
		      "Move the policy to mode: enforce once the TLS reports are clean",
		      "the policy's mode is %s", sts_mode_name(policy->mode));
	if (policy->max_age_s < POLICY_AGE_S_LEAST)
		found(judge, SEVERITY_WEAK, "sts_short_age", 1, "Raise max_age to a week or more",
		      "the policy is kept for %lld s only", (long long)policy->max_age_s);
	if (judge->out->points[AREA_MTA_STS] == area_points(AREA_MTA_STS))
		found(judge, SEVERITY_GOOD, "sts", 0, NULL,
		      "the policy is enforced and names every MX host");
}

void judge_mta_sts(struct judge *judge)
{
	static const struct record_rules rules = {
		"MTA-STS record",
		"sts_missing",
		"sts_several",
		"sts_invalid",
		SEVERITY_WEAK,
		4,
		"Publish an MTA-STS policy, so that mail to the domain is not sent in the clear",
	};

	if (!is_one_record(judge, &judge->facts->sts_record, &rules))
		return;
	if (judge->facts->policy_problem[0])
		found(judge, SEVERITY_WEAK, "sts_policy_invalid", 4,
		      "Serve a right policy at https://mta-sts.DOMAIN/.well-known/mta-sts.txt",
		      "the policy %s: %s",
		      judge->facts->is_policy_fetched ? "is not in order" : "cannot be fetched",
		      judge->facts->policy_problem);
	else
		judge_policy(judge);
}

void judge_tlsrpt(struct judge *judge)
{
	static const struct record_rules rules = {
		"TLSRPT record",
		"tlsrpt_missing",
		"tlsrpt_several",
		"tlsrpt_invalid",
		SEVERITY_WEAK,
		2,
		"Publish \"v=TLSRPTv1; rua=mailto:...\" at _smtp._tls, and read what comes",
	};

	if (is_one_record(judge, &judge->facts->tlsrpt_record, &rules))
		found(judge, SEVERITY_GOOD, "tlsrpt", 0, NULL, "reports go to %.*s",
		      (int)MIN(judge->facts->tlsrpt.reports.len, 200),
		      judge->facts->tlsrpt.reports.at);
}

void judge_bimi(struct judge *judge)
{
	const struct reputation *facts = judge->facts;
	static const struct record_rules rules = {
		"BIMI record",
		"bimi_missing",
		"bimi_several",
		"bimi_invalid",
		SEVERITY_WEAK,
		2,
		"Once DMARC enforces, publish a logo at default._bimi; some providers show it",
	};

	if (!is_one_record(judge, &facts->bimi_record, &rules))
		return;
	if (facts->bimi.is_declined)
		found(judge, SEVERITY_GOOD, "bimi_declined", 0, NULL,
		      "the domain says that it wants no logo shown");
	else if (!facts->dmarc_record.is_right || facts->dmarc.policy == DMARC_NONE)
		found(judge, SEVERITY_WEAK, "bimi_without_dmarc", 1,
		      "Move DMARC to quarantine or reject: without that no logo is shown",
		      "the record has no effect: DMARC does not enforce");
	else
		found(judge, SEVERITY_GOOD, "bimi", 0, NULL, "a logo%s",
		      facts->bimi.authority.len > 0 ? " with a certificate" : "");
}
