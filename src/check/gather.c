#include "check/gather.h"
#include "check/crew.h"
#include "check/policy_fetch.h"
#include "check/spf_record.h"
#include "dns/wire.h"
#include "runtime/fiber.h"
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

const char *const gather_usual_selectors[] = {
	"default", "google", "selector1", "selector2", "s1",  "s2",  "k1",       "k2",   "k3",
	"mail",    "dkim",   "smtp",      "fm1",       "fm2", "fm3", "mandrill", "zoho", NULL,
};

struct gather {
	const struct asker *asker;
	struct arena *arena;
	struct reputation *facts;
	struct crew crew;
};

PARKS static void ask(struct gather *gather, const char *name, enum ask_type type,
                      struct asker_answer *answer)
{
	gather->asker->ask(gather->asker->arg, gather->arena, name, type, answer);
}

static bool is_known(enum dns_status status)
{
	return status == DNS_FOUND || status == DNS_NO_DOMAIN || status == DNS_NO_DATA;
}

/* The one record of a kind among the TXT records of a name. */
PARKS static void find_record(struct gather *gather, const char *name,
                              bool (*is_wanted)(struct bytes text),
                              struct reputation_record *record)
{
	struct asker_answer answer;

	ask(gather, name, ASK_TXT, &answer);
	record->status = answer.status;
	for (int i = 0; i < answer.count; i++)
		if (is_wanted(answer.records[i]) && record->count++ == 0)
			record->text = answer.records[i];
}

static char *below_domain(struct gather *gather, const char *label, struct bytes domain)
{
	return arena_printf(gather->arena, "%s.%.*s", label, BYTES_FORMAT(domain));
}

/* SPF. */

static struct spf_question spf_question_of(const struct gather *gather, struct bytes domain)
{
	const struct reputation_subject *subject = &gather->facts->subject;

	return (struct spf_question){ .domain = domain,
		                      .sender = domain,
		                      .helo = subject->helo.len > 0 ? subject->helo : domain,
		                      .now_s = subject->now_s };
}

static void survey_spf(void *arg, int index)
{
	struct gather *gather = arg;
	struct reputation *facts = gather->facts;
	struct spf_question question = spf_question_of(gather, facts->subject.domain);

	(void)index;
	address_parse(BYTES_LITERAL("192.0.2.0"), 0, &question.ip);
	find_record(gather, arena_copy(gather->arena, facts->subject.domain).at, spf_record_is,
	            &facts->spf_record);
	spf_survey(gather->asker, gather->arena, &question, &facts->spf_survey);
}

static void check_spf(void *arg, int index)
{
	struct gather *gather = arg;
	struct reputation *facts = gather->facts;
	struct reputation_address *address = &facts->addresses[index];
	struct spf_question question = spf_question_of(gather, facts->subject.domain);

	question.ip = address->ip;
	spf_check(gather->asker, gather->arena, &question, &address->spf);
	if (facts->subject.helo.len == 0)
		return;
	question = spf_question_of(gather, facts->subject.helo);
	question.ip = address->ip;
	spf_check(gather->asker, gather->arena, &question, &address->helo_spf);
}

/* Addresses: names, and the name we greet with. */

static bool is_among(const struct address *ip, const struct asker_answer *answer)
{
	const void *storage = &ip->storage;
	struct bytes wanted = { (const char *)&((const struct sockaddr_in *)storage)->sin_addr, 4 };

	if (address_is_ipv6(ip))
		wanted = (struct bytes){
			(const char *)&((const struct sockaddr_in6 *)storage)->sin6_addr, 16
		};
	for (int i = 0; i < answer->count; i++)
		if (bytes_equal(answer->records[i], wanted))
			return true;
	return false;
}

PARKS static enum dns_status has_address(struct gather *gather, struct bytes host,
                                         const struct address *ip, bool *has_out)
{
	struct asker_answer answer;

	ask(gather, host.at, address_is_ipv6(ip) ? ASK_IPV6 : ASK_IPV4, &answer);
	*has_out = is_among(ip, &answer);
	return answer.status;
}

/* Providers name the lines of their customers after the address: 192-0-2-7.dsl.example.net. */
static bool spells_address(struct bytes name, const struct address *ip)
{
	const uint8_t *at = (const uint8_t *)&(
				    (const struct sockaddr_in *)(const void *)&ip->storage)
	                            ->sin_addr;
	static const char separators[] = "-.x_";
	char forward[24], backward[24];

	if (address_is_ipv6(ip))
		return false;
	for (const char *c = separators; *c; c++) {
		snprintf(forward, sizeof forward, "%d%c%d%c%d%c%d", at[0], *c, at[1], *c, at[2], *c,
		         at[3]);
		snprintf(backward, sizeof backward, "%d%c%d%c%d%c%d", at[3], *c, at[2], *c, at[1],
		         *c, at[0]);
		if (bytes_find(name, bytes_of(forward)) >= 0 ||
		    bytes_find(name, bytes_of(backward)) >= 0)
			return true;
	}
	return false;
}

static void find_names(void *arg, int index)
{
	struct gather *gather = arg;
	struct reputation_address *address = &gather->facts->addresses[index];
	char name[BLOCKLIST_NAME_MAX];
	struct asker_answer answer;

	blocklist_name_address(&address->ip,
	                       address_is_ipv6(&address->ip) ? "ip6.arpa" : "in-addr.arpa", name);
	ask(gather, name, ASK_PTR, &answer);
	address->names_status = answer.status;
	for (int i = 0; i < answer.count && i < REPUTATION_NAMES_MAX; i++) {
		struct reputation_name *found = &address->names[address->name_count++];

		found->name = answer.records[i];
		found->status = has_address(gather, found->name, &address->ip,
		                            &found->is_confirmed);
	}
	if (answer.count > 0)
		address->is_name_generic = spells_address(answer.records[0], &address->ip);
}

static void find_helo(void *arg, int index)
{
	struct gather *gather = arg;
	struct reputation_address *address = &gather->facts->addresses[index];
	struct bytes helo = arena_copy(gather->arena, gather->facts->subject.helo);

	if (helo.len > 0)
		address->helo_status = has_address(gather, helo, &address->ip,
		                                   &address->is_helo_right);
}

/* DKIM. */

static void find_key(void *arg, int index)
{
	struct gather *gather = arg;
	struct reputation_selector *selector = &gather->facts->selectors[index];
	char *name = arena_printf(gather->arena, "%.*s._domainkey.%.*s",
	                          BYTES_FORMAT(selector->name),
	                          BYTES_FORMAT(gather->facts->subject.domain));

	find_record(gather, name, key_record_is, &selector->record);
	if (selector->record.count == 0)
		return;
	selector->record.is_right = key_record_parse(selector->record.text, &selector->key);
	memcpy(selector->record.problem, selector->key.problem, sizeof selector->key.problem);
	if (!gather->facts->are_selectors_guessed)
		selector->own = own_key_verify(gather->facts->subject.keys[index],
		                               selector->record.text);
}

/* DMARC: the domain's record, else that of the domain that was registered (RFC 7489 6.6.3). */

static void authorise_report(struct gather *gather, struct bytes address)
{
	struct reputation *facts = gather->facts;
	ptrdiff_t at = bytes_find_last_char(address, '@');
	struct bytes target = bytes_from(address, (size_t)(at + 1));
	struct reputation_report *report = &facts->reports[facts->report_count];
	struct reputation_record record = { 0 };

	if (facts->report_count == DMARC_REPORTS_MAX ||
	    bytes_equal_nocase(dmarc_organisation(target), dmarc_organisation(facts->dmarc_domain)))
		return;
	facts->report_count++;
	report->domain = target;
	find_record(gather, dmarc_report_name(gather->arena, facts->dmarc_domain, target), dmarc_is,
	            &record);
	report->status = record.status;
	report->is_authorised = record.count > 0;
}

static void find_dmarc(void *arg, int index)
{
	struct gather *gather = arg;
	struct reputation *facts = gather->facts;
	struct bytes organisation = dmarc_organisation(facts->subject.domain);

	(void)index;
	facts->dmarc_domain = facts->subject.domain;
	find_record(gather, below_domain(gather, "_dmarc", facts->dmarc_domain), dmarc_is,
	            &facts->dmarc_record);
	if (is_known(facts->dmarc_record.status) && facts->dmarc_record.count == 0 &&
	    !bytes_equal_nocase(organisation, facts->dmarc_domain)) {
		facts->dmarc_domain = organisation;
		facts->dmarc_record = (struct reputation_record){ 0 };
		find_record(gather, below_domain(gather, "_dmarc", organisation), dmarc_is,
		            &facts->dmarc_record);
	}
	if (facts->dmarc_record.count != 1)
		return;
	facts->dmarc_record.is_right = dmarc_parse(facts->dmarc_record.text, &facts->dmarc);
	memcpy(facts->dmarc_record.problem, facts->dmarc.problem, sizeof facts->dmarc.problem);
	for (int i = 0; i < facts->dmarc.aggregate.count; i++)
		authorise_report(gather, facts->dmarc.aggregate.addresses[i]);
}

/* TLSRPT and BIMI. */

static void find_tlsrpt(void *arg, int index)
{
	struct gather *gather = arg;
	struct reputation_record *record = &gather->facts->tlsrpt_record;

	(void)index;
	find_record(gather, below_domain(gather, "_smtp._tls", gather->facts->subject.domain),
	            tlsrpt_record_is, record);
	if (record->count == 1)
		record->is_right = tlsrpt_record_parse(record->text, &gather->facts->tlsrpt,
		                                       record->problem);
}

static void find_bimi(void *arg, int index)
{
	struct gather *gather = arg;
	struct reputation_record *record = &gather->facts->bimi_record;

	(void)index;
	find_record(gather, below_domain(gather, "default._bimi", gather->facts->subject.domain),
	            bimi_record_is, record);
	if (record->count == 1)
		record->is_right = bimi_record_parse(record->text, &gather->facts->bimi,
		                                     record->problem);
}

/* MX, and MTA-STS, whose policy must name the MX hosts. */

static void find_host(void *arg, int index)
{
	struct gather *gather = arg;
	struct reputation_host *host = &gather->facts->hosts[index];
	struct asker_answer v4, v6;

	ask(gather, host->name.at, ASK_IPV4, &v4);
	ask(gather, host->name.at, ASK_IPV6, &v6);
	host->address_count = v4.count + v6.count;
	host->status = host->address_count > 0 ? DNS_FOUND
	               : is_known(v4.status)   ? v6.status
	                                       : v4.status;
}

static void find_hosts(struct gather *gather)
{
	struct reputation *facts = gather->facts;
	struct asker_answer answer;
	struct bytes domain = arena_copy(gather->arena, facts->subject.domain);

	ask(gather, domain.at, ASK_MX, &answer);
	facts->mx_status = answer.status;
	facts->is_null_mx = answer.count == 1 && answer.records[0].len == 0;
	facts->is_implicit_mx = answer.status == DNS_NO_DATA;
	if (facts->is_implicit_mx)
		facts->hosts[facts->host_count++].name = domain;
	for (int i = 0; i < answer.count && !facts->is_null_mx; i++)
		if (facts->host_count < REPUTATION_HOSTS_MAX)
			facts->hosts[facts->host_count++].name = answer.records[i];
	for (int i = 0; i < facts->host_count; i++)
		crew_start(&gather->crew, find_host, gather, i);
}

static void find_receiving(void *arg, int index)
{
	struct gather *gather = arg;
	struct reputation *facts = gather->facts;
	struct reputation_record *record = &facts->sts_record;
	struct policy_fetch how = { facts->subject.trust, facts->subject.deadline_us };
	struct sts_record sts;

	(void)index;
	find_hosts(gather);
	find_record(gather, below_domain(gather, "_mta-sts", facts->subject.domain), sts_record_is,
	            record);
	if (record->count == 1)
		record->is_right = sts_record_parse(record->text, &sts, record->problem);
	if (!record->is_right)
		return;
	facts->is_policy_fetched = policy_fetch(gather->asker, gather->arena, facts->subject.domain,
	                                        &how, &facts->policy, facts->policy_problem);
	for (int i = 0; i < facts->host_count; i++)
		facts->hosts[i].is_in_policy = sts_policy_has_host(&facts->policy,
		                                                   facts->hosts[i].name);
}

/* Blocklists. */

static enum reputation_trial try_zone(struct gather *gather, const struct blocklist_zone *zone,
                                      enum blocklist_kind kind)
{
	char name[BLOCKLIST_NAME_MAX];
	struct asker_answer answer;
	enum blocklist_reading reading;

	blocklist_name_test(zone, kind, true, name);
	ask(gather, name, ASK_IPV4, &answer);
	reading = blocklist_read(answer.records, answer.count);
	if (!is_known(answer.status))
		return TRIAL_NO_ANSWER;
	if (reading == BLOCKLIST_REFUSED)
		return TRIAL_REFUSED;
	if (reading != BLOCKLIST_LISTED)
		return reading == BLOCKLIST_CLEAR ? TRIAL_EMPTY : TRIAL_NO_BLOCKLIST;
	blocklist_name_test(zone, kind, false, name);
	ask(gather, name, ASK_IPV4, &answer);
	if (!is_known(answer.status))
		return TRIAL_NO_ANSWER;
	return answer.count == 0 ? TRIAL_PASSED : TRIAL_LISTS_ALL;
}

static void note_listing(struct gather *gather, const struct blocklist_zone *zone, const char *name,
                         const char *object, const struct asker_answer *codes)
{
	struct reputation *facts = gather->facts;
	struct reputation_listing *listing = &facts->listings[facts->listing_count];
	struct asker_answer reason;
	size_t len = 0;

	if (facts->listing_count == REPUTATION_LISTINGS_MAX)
		return;
	facts->listing_count++; /* before the next park: the place is taken */
	listing->zone = zone;
	snprintf(listing->object, sizeof listing->object, "%s", object);
	for (int i = 0; i < codes->count && len + 17 < sizeof listing->codes; i++) {
		const uint8_t *at = (const uint8_t *)codes->records[i].at;

		len += (size_t)snprintf(listing->codes + len, sizeof listing->codes - len,
		                        "%s%d.%d.%d.%d", i > 0 ? " " : "", at[0], at[1], at[2],
		                        at[3]);
	}
	ask(gather, name, ASK_TXT, &reason);
	if (reason.count > 0)
		listing->reason = reason.records[0];
}

/* Only what a zone that passed its trial says is believed; and never an error code. */
PARKS static void look_up_listing(struct gather *gather, const struct blocklist_zone *zone,
                                  const char *name, const char *object,
                                  enum reputation_trial *trial)
{
	struct asker_answer answer;

	ask(gather, name, ASK_IPV4, &answer);
	if (!is_known(answer.status)) {
		*trial = TRIAL_NO_ANSWER;
		return;
	}
	switch (blocklist_read(answer.records, answer.count)) {
	case BLOCKLIST_LISTED:
		note_listing(gather, zone, name, object, &answer);
		break;
	case BLOCKLIST_REFUSED:
		*trial = TRIAL_REFUSED;
		break;
	case BLOCKLIST_NONSENSE:
		*trial = TRIAL_NO_BLOCKLIST;
		break;
	case BLOCKLIST_CLEAR:
		break;
	}
}

static void look_up_addresses(struct gather *gather, const struct blocklist_zone *zone,
                              enum blocklist_kind kind, enum reputation_trial *trial)
{
	struct reputation *facts = gather->facts;
	char name[BLOCKLIST_NAME_MAX];

	for (int i = 0; i < facts->subject.address_count; i++) {
		const struct reputation_address *address = &facts->addresses[i];

		if (address_is_ipv6(&address->ip) != (kind == BLOCKLIST_IPV6))
			continue;
		blocklist_name_address(&address->ip, zone->zone, name);
		look_up_listing(gather, zone, name, address->text, trial);
	}
}

static bool is_needed(const struct reputation *facts, enum blocklist_kind kind)
{
	if (kind == BLOCKLIST_DOMAINS)
		return true;
	for (int i = 0; i < facts->subject.address_count; i++)
		if (address_is_ipv6(&facts->addresses[i].ip) == (kind == BLOCKLIST_IPV6))
			return true;
	return false;
}

static void look_into_zone(void *arg, int index)
{
	struct gather *gather = arg;
	enum blocklist_kind kind = (enum blocklist_kind)(index % BLOCKLIST_KINDS);
	const struct blocklist_zone *zone = &blocklist_zones[index / BLOCKLIST_KINDS];
	enum reputation_trial *trial = &gather->facts->trials[index / BLOCKLIST_KINDS][kind];
	char name[BLOCKLIST_NAME_MAX], object[256];
	struct bytes domain = gather->facts->subject.domain;

	*trial = try_zone(gather, zone, kind);
	if (*trial != TRIAL_PASSED)
		return;
	if (kind != BLOCKLIST_DOMAINS) {
		look_up_addresses(gather, zone, kind, trial);
		return;
	}
	snprintf(object, sizeof object, "%.*s", BYTES_FORMAT(domain));
	blocklist_name_domain(domain, zone->zone, name);
	look_up_listing(gather, zone, name, object, trial);
}

static void start_zones(struct gather *gather)
{
	for (int i = 0; i < blocklist_zone_count; i++)
		for (int kind = 0; kind < BLOCKLIST_KINDS; kind++)
			if ((blocklist_zones[i].kinds & (1U << kind)) &&
			    is_needed(gather->facts, (enum blocklist_kind)kind))
				crew_start(&gather->crew, look_into_zone, gather,
				           i * BLOCKLIST_KINDS + kind);
}

static void set_selectors(struct reputation *facts)
{
	const struct reputation_subject *subject = &facts->subject;

	facts->are_selectors_guessed = subject->selector_count == 0;
	for (int i = 0; i < subject->selector_count; i++)
		facts->selectors[facts->selector_count++].name = subject->selectors[i];
	for (int i = 0; facts->are_selectors_guessed && gather_usual_selectors[i]; i++)
		facts->selectors[facts->selector_count++].name = bytes_of(
			gather_usual_selectors[i]);
}

void gather_run(const struct asker *asker, struct arena *arena,
                const struct reputation_subject *subject, struct reputation *reputation_out)
{
	struct gather gather = {
		.asker = asker, .arena = arena, .facts = reputation_out, .crew = { .arena = arena }
	};

	*reputation_out = (struct reputation){ .subject = *subject };
	set_selectors(reputation_out);
	crew_start(&gather.crew, survey_spf, &gather, 0);
	crew_start(&gather.crew, find_dmarc, &gather, 0);
	crew_start(&gather.crew, find_receiving, &gather, 0);
	crew_start(&gather.crew, find_tlsrpt, &gather, 0);
	crew_start(&gather.crew, find_bimi, &gather, 0);
	for (int i = 0; i < reputation_out->selector_count; i++)
		crew_start(&gather.crew, find_key, &gather, i);
	for (int i = 0; i < subject->address_count; i++) {
		reputation_out->addresses[i].ip = subject->addresses[i];
		address_format(&subject->addresses[i], reputation_out->addresses[i].text);
		crew_start(&gather.crew, check_spf, &gather, i);
		crew_start(&gather.crew, find_names, &gather, i);
		crew_start(&gather.crew, find_helo, &gather, i);
	}
	start_zones(&gather);
	crew_await(&gather.crew);
}
