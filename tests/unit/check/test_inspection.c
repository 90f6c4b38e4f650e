/* What the facts about a destination come to (issue 5, part 4), where no server of a test is
 * needed. */
#include "check/inspection_verdict.h"
#include "support/check.h"
#include <string.h>

#define NOW_US 1700000000000000LL

static struct arena *arena;
static struct inspection facts;
static struct inspection_subject subject;
static struct inspection_judgement judgement;

/* One host with one server that takes mail over verified TLS. */
static void begin(void)
{
	facts = (struct inspection){ .subject = &subject, .host_count = 1, .server_count = 1 };
	facts.hosts[0].name = bytes_of("mx.a.test");
	facts.hosts[0].address_count = 1;
	facts.servers[0].stage = STAGE_DONE;
	facts.servers[0].has_ehlo = true;
	facts.servers[0].starttls = STARTTLS_WORKS;
	facts.servers[0].category = facts.servers[0].advice = "";
}

static void set_bogus(void)
{
	facts.mx_status = DNS_BOGUS;
	facts.host_count = facts.server_count = 0;
}

static void set_tlsa_mismatch(void)
{
	facts.servers[0].has_tlsa = true;
	facts.servers[0].verdict = TLS_TLSA_MISMATCH;
}

static void set_tlsa_failure(void)
{
	facts.hosts[0].tlsa_status = DNS_BOGUS;
}

static void enforce(void)
{
	facts.sts.record_count = 1;
	facts.sts.is_fetched = true;
	facts.sts.policy.mode = STS_ENFORCE;
	facts.hosts[0].is_in_policy = true;
}

static void set_enforced_without_tls(void)
{
	enforce();
	facts.servers[0].starttls = STARTTLS_NOT_OFFERED;
}

static void set_enforced_expired(void)
{
	enforce();
	facts.servers[0].verdict = TLS_EXPIRED;
}

static void set_expired(void)
{
	facts.servers[0].verdict = TLS_EXPIRED;
}

static void set_ends_soon(void)
{
	facts.servers[0].has_certificate = true;
	facts.servers[0].certificate.not_after_us = NOW_US + 1;
}

static void set_no_route(void)
{
	facts.servers[0].stage = STAGE_CONNECT;
	facts.servers[0].is_unreachable = true;
}

static void set_timeout(void)
{
	facts.servers[0].stage = STAGE_CONNECT;
	facts.servers[0].is_timeout = true;
}

static void set_sts_twice(void)
{
	facts.sts.record_count = 2;
}

static void nothing(void)
{
}

static const struct {
	const char *name;
	void (*set)(void);
	enum inspection_severity severity;
	enum inspection_verdict verdict;
} rows[] = {
	{ "takes-mail", nothing, INSPECTION_FINE, ACCEPTS_MAIL },
	{ "dnssec-bogus", set_bogus, INSPECTION_BROKEN, ACCEPTS_NOT },
	{ "tlsa-mismatch", set_tlsa_mismatch, INSPECTION_BROKEN, ACCEPTS_PARTLY },
	{ "tlsa-failure", set_tlsa_failure, INSPECTION_BROKEN, ACCEPTS_PARTLY },
	{ "no-starttls", set_enforced_without_tls, INSPECTION_BROKEN, ACCEPTS_PARTLY },
	{ "certificate-expired", set_enforced_expired, INSPECTION_BROKEN, ACCEPTS_PARTLY },
	{ "certificate-expired", set_expired, INSPECTION_NOTE, ACCEPTS_MAIL },
	{ "certificate-ends-soon", set_ends_soon, INSPECTION_WARNING, ACCEPTS_MAIL },
	{ "no-route", set_no_route, INSPECTION_NOTE, ACCEPTS_UNKNOWN },
	{ "connection-timeout", set_timeout, INSPECTION_BROKEN, ACCEPTS_NOT },
	{ "sts-records", set_sts_twice, INSPECTION_WARNING, ACCEPTS_MAIL },
};

static const struct inspection_finding *find(const char *name)
{
	for (int i = 0; i < judgement.count; i++)
		if (strcmp(judgement.findings[i].name, name) == 0)
			return &judgement.findings[i];
	return NULL;
}

static void test_findings(void)
{
	arena = arena_create(0);
	for (size_t i = 0; i < COUNT(rows); i++) {
		begin();
		rows[i].set();
		inspection_judge(arena, &facts, &judgement, NOW_US);
		CHECK_TRUE(rows[i].name, find(rows[i].name) != NULL);
		if (find(rows[i].name))
			CHECK_INT(rows[i].name, find(rows[i].name)->severity, rows[i].severity);
		CHECK_INT(rows[i].name, judgement.verdict, rows[i].verdict);
	}
	arena_destroy(arena);
}

/* As many findings as there can be: no more than there is room for. */
static void test_many(void)
{
	begin();
	arena = arena_create(0);
	facts.host_count = INSPECTION_HOSTS_MAX;
	facts.server_count = INSPECTION_SERVERS_MAX;
	for (int i = 0; i < facts.host_count; i++)
		facts.hosts[i] = facts.hosts[0];
	for (int i = 0; i < facts.server_count; i++)
		facts.servers[i] = facts.servers[0];
	enforce();
	inspection_judge(arena, &facts, &judgement, NOW_US);
	CHECK_TRUE("bounded", judgement.count <= INSPECTION_FINDINGS_MAX);
	arena_destroy(arena);
}

TEST_MAIN(test_findings, test_many)
