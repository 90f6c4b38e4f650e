#include "check/inspection_verdict.h"
#include "base/units.h"
#include <stdio.h>
#include <string.h>

#define EXPIRES_SOON_US (14 * US_PER_DAY)

struct judge {
	struct arena *arena;
	const struct inspection *facts;
	struct inspection_judgement *out;
	int64_t now_us;
};

static void add(struct judge *judge, const struct inspection_finding *finding)
{
	if (judge->out->count < INSPECTION_FINDINGS_MAX)
		judge->out->findings[judge->out->count++] = *finding;
}

const char *inspection_verdict_name(enum inspection_verdict verdict)
{
	static const char *const names[] = { [ACCEPTS_MAIL] = "yes",
		                             [ACCEPTS_PARTLY] = "partly",
		                             [ACCEPTS_NOT] = "no",
		                             [ACCEPTS_UNKNOWN] = "unknown" };

	return names[verdict];
}

static char *text_of(struct bytes bytes, struct arena *arena)
{
	return arena_printf(arena, "%.*s", BYTES_FORMAT(bytes));
}

/* The domain's MX. */

static void judge_mx_failure(struct judge *judge)
{
	static const struct {
		enum dns_status status;
		struct inspection_finding finding;
	} failures[] = {
		{ DNS_NO_DOMAIN,
		  { INSPECTION_BROKEN, "no-such-domain", "", "the domain does not exist (NXDOMAIN)",
		    "Check the spelling; if it is right, the domain has expired or its delegation "
		    "is "
		    "broken." } },
		{ DNS_SERVER_FAILURE,
		  { INSPECTION_BROKEN, "dns-failure", "",
		    "its name servers do not answer properly (SERVFAIL)",
		    "Whoever runs the domain has to mend its name servers or its DNSSEC "
		    "signatures." } },
		{ DNS_TIMEOUT,
		  { INSPECTION_BROKEN, "dns-timeout", "", "its name servers do not answer in time",
		    "Check your own resolver with another domain; if that answers, the domain's "
		    "name "
		    "servers are out of reach." } },
		{ DNS_BOGUS,
		  { INSPECTION_BROKEN, "dnssec-bogus", "", "its DNSSEC signatures do not verify",
		    "Whoever runs the domain has to mend its DS record or its signatures; every "
		    "validating resolver refuses it until then." } },
	};

	for (size_t i = 0; i < COUNT(failures); i++)
		if (judge->facts->mx_status == failures[i].status)
			add(judge, &failures[i].finding);
}

static void judge_mx(struct judge *judge)
{
	const struct inspection *facts = judge->facts;

	judge_mx_failure(judge);
	if (facts->is_null_mx && !facts->has_hosts_beside_null_mx)
		add(judge,
		    &(struct inspection_finding){
			    INSPECTION_BROKEN, "null-mx", "",
			    "it says that it takes no mail (null MX, RFC 7505)",
			    "Mail to it is refused at once by every relay: use another address." });
	if (facts->has_hosts_beside_null_mx)
		add(judge, &(struct inspection_finding){
				   INSPECTION_WARNING, "null-mx-among-others", "",
				   "a null MX stands beside other MX records",
				   "Remove one or the other (RFC 7505 section 3)." });
	if (facts->is_implicit_mx)
		add(judge,
		    &(struct inspection_finding){
			    INSPECTION_NOTE, "no-mx", "",
			    "it has no MX: mail goes to the domain's own address (RFC 5321 5.1)",
			    "An MX record says what is meant; many senders distrust domains "
			    "without." });
	if (facts->has_same_preference && !facts->is_implicit_mx)
		add(judge, &(struct inspection_finding){
				   INSPECTION_FINE, "same-preference", "",
				   "hosts with the same preference share the load", NULL });
	if (facts->are_hosts_cut)
		add(judge, &(struct inspection_finding){ INSPECTION_WARNING, "too-many-hosts", "",
		                                         "it has more MX hosts than are looked at",
		                                         NULL });
	if (facts->mx_status == DNS_FOUND)
		add(judge,
		    &(struct inspection_finding){
			    INSPECTION_FINE, facts->is_mx_secure ? "dnssec" : "no-dnssec", "",
			    facts->is_mx_secure ? "its MX is signed (DNSSEC)"
						: "its MX is not signed (DNSSEC)",
			    NULL });
}

/* Hosts. */

static void judge_addresses(struct judge *judge, const struct inspection_host *host,
                            const char *name)
{
	static const char gone[] = "Give it an address, or remove the MX record.";

	if (host->status == DNS_NO_DOMAIN)
		add(judge,
		    &(struct inspection_finding){ INSPECTION_BROKEN, "mx-does-not-exist", name,
		                                  "the MX host does not exist (NXDOMAIN)", gone });
	else if (host->status == DNS_NO_DATA)
		add(judge,
		    &(struct inspection_finding){ INSPECTION_BROKEN, "mx-without-address", name,
		                                  "the MX host has no address", gone });
	else if (host->status != DNS_FOUND)
		add(judge,
		    &(struct inspection_finding){
			    INSPECTION_BROKEN, "mx-dns-failure", name,
			    arena_printf(judge->arena, "its address cannot be looked up (%s)",
		                         dns_status_name(host->status)),
			    "Its name servers have to be mended." });
	else if (host->private_count == host->address_count)
		add(judge,
		    &(struct inspection_finding){
			    INSPECTION_WARNING, "mx-private-address", name,
			    "it has only addresses that nobody outside can reach",
			    "Publish a public address; this one is for a network of its own." });
}

static void judge_host(struct judge *judge, const struct inspection_host *host)
{
	const char *name = text_of(host->name, judge->arena);

	if (host->is_literal) {
		add(judge,
		    &(struct inspection_finding){
			    INSPECTION_BROKEN, "mx-is-address", name,
			    "the MX record holds an address where a name belongs (RFC 1035 3.3.9)",
			    "Give the host a name with an A record, and put that into the MX." });
		return;
	}
	if (host->alias_of.len > 0)
		add(judge,
		    &(struct inspection_finding){
			    INSPECTION_WARNING, "mx-is-alias", name,
			    arena_printf(judge->arena,
		                         "it is an alias (CNAME) of %.*s, which an MX may not be "
		                         "(RFC 2181 10.3)",
		                         BYTES_FORMAT(host->alias_of)),
			    "Put the real name into the MX record: some senders refuse an "
			    "alias." });
	judge_addresses(judge, host, name);
	if (judge->facts->sts.is_fetched && judge->facts->sts.policy.mode != STS_NONE &&
	    !host->is_in_policy)
		add(judge,
		    &(struct inspection_finding){
			    judge->facts->sts.policy.mode == STS_ENFORCE ? INSPECTION_BROKEN
									 : INSPECTION_WARNING,
			    "mx-not-in-sts-policy", name,
			    "the MTA-STS policy does not name it: senders that keep the policy "
			    "will "
			    "not use it",
			    "Add it to the policy file, and change the id of the record." });
	if (host->tlsa_count > 0)
		add(judge, &(struct inspection_finding){ INSPECTION_FINE, "tlsa", name,
		                                         "it has TLSA records (DANE)", NULL });
	else if (host->tlsa_status == DNS_BOGUS || host->tlsa_status == DNS_SERVER_FAILURE)
		add(judge,
		    &(struct inspection_finding){
			    INSPECTION_BROKEN, "tlsa-failure", name,
			    "its TLSA records cannot be looked up: senders with DANE do not "
			    "deliver",
			    "Its name servers have to answer for TLSA, if only with \"none\"." });
}

/* Servers. */

static const char *place_of(struct judge *judge, const struct inspection_server *server)
{
	const struct inspection_host *host = &judge->facts->hosts[server->host];

	return arena_printf(judge->arena, "%.*s [%s]%s%s", BYTES_FORMAT(host->name),
	                    server->address_text, *server->source_text ? " from " : "",
	                    server->source_text);
}

static void judge_connection(struct judge *judge, const struct inspection_server *server,
                             const char *place)
{
	struct inspection_finding finding = { INSPECTION_BROKEN, "unreachable", place,
		                              arena_printf(judge->arena, "%s", server->text),
		                              "If nothing else is reached either, look at your own "
		                              "network: many providers block port 25." };

	if (server->is_refused) {
		finding.name = "connection-refused";
		finding.text = "it refuses connections: no mail server runs there";
		finding.advice = "Its postmaster has to start it, or to open the port.";
	} else if (server->is_timeout) {
		finding.name = "connection-timeout";
		finding.text = "it does not answer: down, or a firewall drops the packets";
	} else if (server->is_unreachable) {
		finding.name = "no-route";
		finding.text = "there is no way to it from here";
		finding.severity = INSPECTION_NOTE;
		finding.advice = "From here, or from that source address, this family of addresses "
				 "does not work.";
	}
	add(judge, &finding);
}

static void judge_silence(struct judge *judge, const struct inspection_server *server,
                          const char *place)
{
	static const char *const stages[] = { [STAGE_GREETING] = "the greeting",
		                              [STAGE_EHLO] = "EHLO",
		                              [STAGE_MAIL] = "MAIL FROM:<>",
		                              [STAGE_RCPT] = "RCPT TO" };
	const char *stage = stages[server->stage];

	if (server->is_garbage)
		add(judge, &(struct inspection_finding){
				   INSPECTION_BROKEN, "not-smtp", place,
				   arena_printf(judge->arena,
		                                "what answers there speaks no SMTP at %s: %s",
		                                stage, server->text),
				   "Its postmaster has to look what listens on that port." });
	else if (server->is_timeout)
		add(judge,
		    &(struct inspection_finding){
			    INSPECTION_BROKEN, "silent", place,
			    arena_printf(judge->arena, "it says nothing at %s in the time given",
		                         stage),
			    "It may be overloaded, or make strangers wait: try again with a longer "
			    "--timeout." });
	else
		add(judge,
		    &(struct inspection_finding){
			    INSPECTION_BROKEN, "hangs-up", place,
			    arena_printf(judge->arena, "it closes the connection at %s", stage),
			    "It may refuse your address without a word: see outlast reputation." });
}

static void judge_refusal(struct judge *judge, const struct inspection_server *server,
                          const char *place)
{
	static const char *const names[] = { [STAGE_GREETING] = "refuses-us",
		                             [STAGE_EHLO] = "refuses-ehlo",
		                             [STAGE_MAIL] = "refuses-null-sender",
		                             [STAGE_RCPT] = "refuses-recipient" };
	struct inspection_finding finding = {
		INSPECTION_BROKEN, names[server->stage], place,
		arena_printf(judge->arena, "%s: %s", server->category, server->text), server->advice
	};

	if (server->cause == CAUSE_GREYLISTED) {
		finding.severity = INSPECTION_NOTE;
		finding.name = "greylists";
		finding.text = arena_printf(
			judge->arena, "it greylists: strangers are asked to come back later: %s",
			server->text);
	} else if (server->stage == STAGE_MAIL) {
		finding.text = arena_printf(
			judge->arena,
			"it refuses the null sender, so that no bounce reaches it: %s",
			server->text);
		finding.advice = "It has to take MAIL FROM:<> (RFC 5321 4.5.5).";
	} else if (server->code / 100 == 4) {
		finding.severity = INSPECTION_WARNING;
		finding.name = server->stage == STAGE_RCPT ? "defers-recipient" : "busy";
	}
	add(judge, &finding);
}

static void judge_certificate(struct judge *judge, const struct inspection_server *server,
                              const char *place)
{
	static const char *const names[TLS_VERDICTS] = {
		[TLS_NO_CERTIFICATE] = "no-certificate",
		[TLS_NOT_TRUSTED] = "certificate-not-trusted",
		[TLS_EXPIRED] = "certificate-expired",
		[TLS_WRONG_NAME] = "certificate-wrong-name",
		[TLS_TLSA_MISMATCH] = "tlsa-mismatch",
		[TLS_INVALID] = "certificate-invalid",
	};
	bool is_enforced = server->has_tlsa || (judge->facts->sts.is_fetched &&
	                                        judge->facts->sts.policy.mode == STS_ENFORCE);

	if (server->verdict != TLS_VERIFIED) {
		add(judge,
		    &(struct inspection_finding){
			    is_enforced ? INSPECTION_BROKEN : INSPECTION_NOTE,
			    names[server->verdict], place,
			    arena_printf(judge->arena, "its certificate does not verify: %s",
		                         server->verdict_text),
			    is_enforced ? "Senders that keep its policy do not deliver: mend the "
					  "certificate, or the policy."
					: "Most senders encrypt all the same; those that demand a "
					  "valid "
					  "certificate do not deliver." });
		return;
	}
	if (server->has_certificate &&
	    server->certificate.not_after_us < judge->now_us + EXPIRES_SOON_US)
		add(judge, &(struct inspection_finding){
				   INSPECTION_WARNING, "certificate-ends-soon", place,
				   "its certificate ends within two weeks", "Renew it." });
}

static void judge_tls(struct judge *judge, const struct inspection_server *server,
                      const char *place)
{
	bool is_enforced = judge->facts->sts.is_fetched &&
	                   judge->facts->sts.policy.mode == STS_ENFORCE;

	switch (server->starttls) {
	case STARTTLS_WORKS:
		judge_certificate(judge, server, place);
		return;
	case STARTTLS_NOT_OFFERED:
		add(judge,
		    &(struct inspection_finding){
			    is_enforced ? INSPECTION_BROKEN : INSPECTION_WARNING, "no-starttls",
			    place, "it does not offer STARTTLS: mail to it is readable on the way",
			    "Its postmaster should switch TLS on." });
		return;
	case STARTTLS_REFUSED:
	case STARTTLS_FAILED:
		add(judge, &(struct inspection_finding){
				   is_enforced ? INSPECTION_BROKEN : INSPECTION_WARNING,
				   server->starttls == STARTTLS_REFUSED ? "starttls-refused"
									: "starttls-broken",
				   place,
				   arena_printf(judge->arena,
		                                "it offers STARTTLS, but that does not work: %s",
		                                server->starttls_text),
				   "Its postmaster has to mend the certificate or the key file; "
				   "until then "
				   "senders that demand TLS do not deliver." });
		return;
	}
}

static void judge_server(struct judge *judge, const struct inspection_server *server)
{
	const char *place = place_of(judge, server);

	if (server->stage == STAGE_NOTHING)
		return;
	if (server->stage == STAGE_CONNECT)
		judge_connection(judge, server, place);
	else if (server->stage != STAGE_DONE && server->code == 0)
		judge_silence(judge, server, place);
	else if (server->stage != STAGE_DONE)
		judge_refusal(judge, server, place);
	else
		add(judge,
		    &(struct inspection_finding){ INSPECTION_FINE, "takes-mail", place,
		                                  judge->facts->subject->recipient.len > 0
		                                          ? "it would take mail for this recipient"
		                                          : "it is ready to take mail",
		                                  NULL });
	if (server->stage > STAGE_EHLO) {
		if (!server->has_ehlo)
			add(judge,
			    &(struct inspection_finding){
				    INSPECTION_WARNING, "no-ehlo", place,
				    "it knows only HELO: no TLS, no size limits, no DSN", NULL });
		else
			judge_tls(judge, server, place);
	}
}

/* Policies. */

static void judge_policies(struct judge *judge)
{
	const struct inspection *facts = judge->facts;

	if (facts->sts.record_count > 1)
		add(judge, &(struct inspection_finding){
				   INSPECTION_WARNING, "sts-records", "",
				   "it has several MTA-STS records: none counts", "Leave one." });
	else if (facts->sts.record_count == 1 && !facts->sts.is_fetched)
		add(judge,
		    &(struct inspection_finding){
			    INSPECTION_WARNING, "sts-policy-missing", "",
			    arena_printf(judge->arena, "its MTA-STS policy cannot be had: %s",
		                         facts->sts.problem),
			    "Publish https://mta-sts.DOMAIN/.well-known/mta-sts.txt, or remove the "
			    "record." });
	else if (facts->sts.is_fetched)
		add(judge, &(struct inspection_finding){
				   facts->sts.problem[0] ? INSPECTION_WARNING : INSPECTION_FINE,
				   facts->sts.problem[0] ? "sts-policy-broken" : "sts", "",
				   facts->sts.problem[0]
					   ? arena_printf(judge->arena, "its MTA-STS policy: %s",
		                                          facts->sts.problem)
					   : arena_printf(judge->arena, "MTA-STS: %s",
		                                          sts_mode_name(facts->sts.policy.mode)),
				   NULL });
	if (facts->tlsrpt.record_count > 0)
		add(judge, &(struct inspection_finding){
				   facts->tlsrpt.is_right ? INSPECTION_FINE : INSPECTION_WARNING,
				   facts->tlsrpt.is_right ? "tlsrpt" : "tlsrpt-broken", "",
				   facts->tlsrpt.is_right
					   ? "it wants reports about TLS (TLSRPT)"
					   : arena_printf(judge->arena, "its TLSRPT record: %s",
		                                          facts->tlsrpt.problem),
				   NULL });
}

/* The verdict. */

struct counts {
	int takes, later, refuses, broken, no_route;
};

static void count_servers(const struct inspection *facts, struct counts *counts)
{
	for (int i = 0; i < facts->server_count; i++) {
		const struct inspection_server *server = &facts->servers[i];

		counts->takes += server->stage == STAGE_DONE;
		counts->no_route += server->stage == STAGE_CONNECT && server->is_unreachable;
		if (server->stage != STAGE_DONE && server->code > 0) {
			counts->later += server->code / 100 == 4;
			counts->refuses += server->code / 100 == 5;
		} else if (server->stage != STAGE_DONE && !server->is_unreachable) {
			counts->broken++;
		}
	}
}

static bool has_broken_host(const struct inspection_judgement *judgement)
{
	for (int i = 0; i < judgement->count; i++)
		if (judgement->findings[i].severity == INSPECTION_BROKEN)
			return true;
	return false;
}

static void decide(struct judge *judge, enum inspection_verdict verdict, const char *sentence)
{
	judge->out->verdict = verdict;
	judge->out->sentence = sentence;
}

static void give_verdict(struct judge *judge)
{
	const struct inspection *facts = judge->facts;
	struct counts counts = { 0 };

	count_servers(facts, &counts);
	if (facts->mx_status == DNS_TIMEOUT)
		decide(judge, ACCEPTS_UNKNOWN, "its name servers, or your resolver, do not answer");
	else if (facts->is_null_mx && facts->host_count == 0)
		decide(judge, ACCEPTS_NOT, "it says that it takes no mail");
	else if (facts->mx_status == DNS_NO_DOMAIN)
		decide(judge, ACCEPTS_NOT, "the domain does not exist");
	else if (facts->mx_status == DNS_SERVER_FAILURE || facts->mx_status == DNS_BOGUS)
		decide(judge, ACCEPTS_NOT, "its DNS is broken; mail waits until it is mended");
	else if (facts->server_count == 0)
		decide(judge, ACCEPTS_NOT, "none of its mail hosts has an address");
	else if (counts.takes > 0 && has_broken_host(judge->out))
		decide(judge, ACCEPTS_PARTLY, "some of it works, and some does not");
	else if (counts.takes > 0)
		decide(judge, ACCEPTS_MAIL, "its mail servers are ready");
	else if (counts.later > 0)
		decide(judge, ACCEPTS_PARTLY, "not now: its servers ask us to come back later");
	else if (counts.refuses > 0)
		decide(judge, ACCEPTS_NOT, "its servers refuse");
	else if (counts.no_route == facts->server_count)
		decide(judge, ACCEPTS_UNKNOWN, "there is no way to its servers from here");
	else
		decide(judge, ACCEPTS_NOT, "none of its servers answers as a mail server does");
}

void inspection_judge(struct arena *arena, const struct inspection *facts,
                      struct inspection_judgement *judgement_out, int64_t now_us)
{
	struct judge judge = { arena, facts, judgement_out, now_us };

	*judgement_out = (struct inspection_judgement){ 0 };
	judge_mx(&judge);
	for (int i = 0; i < facts->host_count; i++)
		judge_host(&judge, &facts->hosts[i]);
	for (int i = 0; i < facts->server_count; i++)
		judge_server(&judge, &facts->servers[i]);
	judge_policies(&judge);
	give_verdict(&judge);
}
