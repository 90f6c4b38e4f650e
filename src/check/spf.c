#include "check/spf.h"
#include "check/spf_macro.h"
#include "check/spf_record.h"
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#define SURVEY_LOOKUPS_MAX 40
#define LABEL_LEN_MAX      63

/* One evaluation with all its records. `*verdict` gathers the counts and the reason. */
struct evaluation {
	const struct asker *asker;
	struct arena *arena;
	struct spf_values values; /* but for the domain, which differs by record */
	struct spf_verdict *verdict;
	struct spf_problem problem; /* here, since evaluations nest and stacks are small */
	bool is_survey;
};

/* What one term did: it matched or not, or it ended the evaluation. */
enum match { MATCH_NO, MATCH_YES, MATCH_TEMPERROR, MATCH_PERMERROR };

static enum spf_result evaluate(struct evaluation *evaluation, struct bytes domain, bool is_first);

bool spf_domain_is_valid(struct bytes domain)
{
	int labels = 0;

	if (domain.len > 0 && domain.at[domain.len - 1] == '.')
		domain.len--;
	if (domain.len == 0 || domain.len > SPF_NAME_LEN_MAX)
		return false;
	for (struct bytes rest = domain; rest.at; labels++) {
		struct bytes label = bytes_split(&rest, '.');

		if (label.len == 0 || label.len > LABEL_LEN_MAX ||
		    bytes_find_char(label, '\0') >= 0)
			return false;
	}
	return labels >= 2;
}

const char *spf_result_name(enum spf_result result)
{
	static const char *const names[] = {
		[SPF_NONE] = "none",           [SPF_NEUTRAL] = "neutral",
		[SPF_PASS] = "pass",           [SPF_FAIL] = "fail",
		[SPF_SOFTFAIL] = "softfail",   [SPF_TEMPERROR] = "temperror",
		[SPF_PERMERROR] = "permerror",
	};

	return (size_t)result < COUNT(names) ? names[result] : "?";
}

/* Keeps the first reason: what comes later follows from it. */
static void explain(struct evaluation *evaluation, const char *format, ...) PRINTF_LIKE(2, 3);
static void explain(struct evaluation *evaluation, const char *format, ...)
{
	va_list args;

	if (evaluation->verdict->text[0])
		return;
	va_start(args, format);
	vsnprintf(evaluation->verdict->text, sizeof evaluation->verdict->text, format, args);
	va_end(args);
}

static void ask(struct evaluation *evaluation, struct bytes name, enum ask_type type,
                struct asker_answer *answer)
{
	struct bytes text = arena_copy(evaluation->arena, name);

	*answer = (struct asker_answer){ .status = DNS_NO_DOMAIN };
	if (spf_domain_is_valid(name)) /* else no such name can be asked for: nothing is there */
		evaluation->asker->ask(evaluation->asker->arg, evaluation->arena, text.at, type,
		                       answer);
}

static bool is_failure(const struct asker_answer *answer)
{
	return answer->status != DNS_FOUND && answer->status != DNS_NO_DOMAIN &&
	       answer->status != DNS_NO_DATA;
}

/* Counts one term that asks (4.6.4). */
static enum match count_lookup(struct evaluation *evaluation, struct bytes domain)
{
	int max = evaluation->is_survey ? SURVEY_LOOKUPS_MAX : SPF_LOOKUPS_MAX;

	if (++evaluation->verdict->lookups <= max)
		return MATCH_NO;
	explain(evaluation, "%.*s: more than %d DNS lookups are needed", BYTES_FORMAT(domain), max);
	return MATCH_PERMERROR;
}

/* What an answer means for the term that asked: a failure ends the evaluation, "nothing" counts. */
static enum match weigh_answer(struct evaluation *evaluation, const struct asker_answer *answer,
                               struct bytes name)
{
	if (is_failure(answer)) {
		explain(evaluation, "%.*s: DNS lookup failed: %s", BYTES_FORMAT(name),
		        dns_status_name(answer->status));
		return MATCH_TEMPERROR;
	}
	if (answer->count > 0 || ++evaluation->verdict->void_lookups <= SPF_VOID_LOOKUPS_MAX ||
	    evaluation->is_survey)
		return MATCH_NO;
	explain(evaluation, "%.*s: more than %d DNS lookups found nothing", BYTES_FORMAT(name),
	        SPF_VOID_LOOKUPS_MAX);
	return MATCH_PERMERROR;
}

static const uint8_t *ip_bytes(const struct address *ip, int *bits_out)
{
	if (address_is_ipv6(ip)) {
		*bits_out = 128;
		return ((const struct sockaddr_in6 *)(const void *)&ip->storage)->sin6_addr.s6_addr;
	}
	*bits_out = 32;
	return (const uint8_t *)&((const struct sockaddr_in *)(const void *)&ip->storage)->sin_addr;
}

static bool prefix_equal(const uint8_t *a, const uint8_t *b, int bits)
{
	int whole = bits / 8, rest = bits % 8;

	return memcmp(a, b, (size_t)whole) == 0 &&
	       (rest == 0 || ((a[whole] ^ b[whole]) >> (8 - rest)) == 0);
}

static enum match match_network(const struct evaluation *evaluation,
                                const struct spf_directive *directive)
{
	int bits;
	const uint8_t *ip = ip_bytes(&evaluation->values.ip, &bits);

	if (bits != (directive->mechanism == SPF_IP4 ? 32 : 128))
		return MATCH_NO;
	bits = bits == 32 ? directive->ip4_bits : directive->ip6_bits;
	return prefix_equal(ip, directive->network, bits) ? MATCH_YES : MATCH_NO;
}

/* Addresses of the client's family. */
static void ask_addresses(struct evaluation *evaluation, struct bytes host,
                          struct asker_answer *answer)
{
	ask(evaluation, host, address_is_ipv6(&evaluation->values.ip) ? ASK_IPV6 : ASK_IPV4,
	    answer);
}

static bool has_address(const struct evaluation *evaluation, const struct asker_answer *answer,
                        const struct spf_directive *directive)
{
	int bits, wanted;
	const uint8_t *ip = ip_bytes(&evaluation->values.ip, &bits);

	wanted = !directive ? bits : bits == 32 ? directive->ip4_bits : directive->ip6_bits;
	for (int i = 0; i < answer->count; i++)
		if (answer->records[i].len == (size_t)bits / 8 &&
		    prefix_equal(ip, (const uint8_t *)answer->records[i].at, wanted))
			return true;
	return false;
}

static void ask_names(struct evaluation *evaluation, struct asker_answer *answer)
{
	struct buffer name = { 0 };

	spf_macro_expand(BYTES_LITERAL("%{ir}.%{v}.arpa"), &evaluation->values, &name);
	ask(evaluation, buffer_bytes(&name), ASK_PTR, answer);
	buffer_deinit(&name);
}

static bool is_same_name(struct bytes a, struct bytes b)
{
	if (a.len > 0 && a.at[a.len - 1] == '.')
		a.len--;
	return bytes_equal_nocase(a, b);
}

static bool is_below(struct bytes name, struct bytes domain)
{
	if (name.len > 0 && name.at[name.len - 1] == '.')
		name.len--;
	return name.len > domain.len && name.at[name.len - domain.len - 1] == '.' &&
	       bytes_ends_with_nocase(name, domain);
}

/* Whether one of the client's names leads back to its address (5.5). */
static bool is_validated(struct evaluation *evaluation, struct bytes name)
{
	struct asker_answer addresses;

	ask_addresses(evaluation, name, &addresses);
	return !is_failure(&addresses) && has_address(evaluation, &addresses, NULL);
}

/* The name for %{p}: the domain itself is the best, then one below it, then any (7.3). */
static struct bytes find_validated(struct evaluation *evaluation, struct bytes domain)
{
	struct bytes found = { 0 };
	struct asker_answer names;
	int rank = 0;

	ask_names(evaluation, &names);
	for (int i = 0; i < names.count && i < SPF_NAMES_MAX; i++) {
		struct bytes name = names.records[i];
		int this_rank = is_same_name(name, domain) ? 3 : is_below(name, domain) ? 2 : 1;

		if (this_rank > rank && is_validated(evaluation, name)) {
			found = name;
			rank = this_rank;
		}
	}
	if (found.len > 0 && found.at[found.len - 1] == '.')
		found.len--;
	return found;
}

static void prepare_values(struct evaluation *evaluation, struct bytes spec, struct bytes domain)
{
	evaluation->values.domain = domain;
	if (!evaluation->is_survey && spf_macro_uses(spec, 'p'))
		evaluation->values.validated = find_validated(evaluation, domain);
}

/* The name that a domain-spec stands for; the domain of the record if there is none. */
static struct bytes target_of(struct evaluation *evaluation, struct bytes spec, struct bytes domain)
{
	struct buffer name = { 0 };
	struct bytes copy;

	if (spec.len == 0)
		return domain;
	prepare_values(evaluation, spec, domain);
	spf_macro_expand_name(spec, &evaluation->values, &name);
	copy = arena_copy(evaluation->arena, buffer_bytes(&name));
	buffer_deinit(&name);
	return copy;
}

static enum match match_a(struct evaluation *evaluation, const struct spf_directive *directive,
                          struct bytes target)
{
	struct asker_answer answer;
	enum match failure;

	ask_addresses(evaluation, target, &answer);
	failure = weigh_answer(evaluation, &answer, target);
	if (failure != MATCH_NO)
		return failure;
	return has_address(evaluation, &answer, directive) ? MATCH_YES : MATCH_NO;
}

static enum match match_mx(struct evaluation *evaluation, const struct spf_directive *directive,
                           struct bytes target)
{
	struct asker_answer hosts, addresses;
	enum match failure;

	ask(evaluation, target, ASK_MX, &hosts);
	failure = weigh_answer(evaluation, &hosts, target);
	if (failure != MATCH_NO)
		return failure;
	if (hosts.count > SPF_NAMES_MAX) {
		explain(evaluation, "%.*s has more than %d MX hosts", BYTES_FORMAT(target),
		        SPF_NAMES_MAX);
		return MATCH_PERMERROR;
	}
	for (int i = 0; i < hosts.count && !evaluation->is_survey; i++) {
		ask_addresses(evaluation, hosts.records[i], &addresses);
		if (is_failure(&addresses))
			return weigh_answer(evaluation, &addresses, hosts.records[i]);
		if (has_address(evaluation, &addresses, directive))
			return MATCH_YES;
	}
	return MATCH_NO;
}

/* A failed lookup only means no match here (5.5). */
static enum match match_ptr(struct evaluation *evaluation, struct bytes target)
{
	struct asker_answer names;

	if (evaluation->is_survey)
		return MATCH_NO;
	ask_names(evaluation, &names);
	if (is_failure(&names))
		return MATCH_NO;
	if (names.count == 0)
		return weigh_answer(evaluation, &names, target);
	for (int i = 0; i < names.count && i < SPF_NAMES_MAX; i++)
		if ((is_same_name(names.records[i], target) ||
		     is_below(names.records[i], target)) &&
		    is_validated(evaluation, names.records[i]))
			return MATCH_YES;
	return MATCH_NO;
}

static enum match match_exists(struct evaluation *evaluation, struct bytes target)
{
	struct asker_answer answer;
	enum match failure;

	if (evaluation->is_survey)
		return MATCH_NO;
	ask(evaluation, target, ASK_IPV4, &answer);
	failure = weigh_answer(evaluation, &answer, target);
	if (failure != MATCH_NO)
		return failure;
	return answer.count > 0 ? MATCH_YES : MATCH_NO;
}

/* The table of section 5.2. */
static enum match match_include(struct evaluation *evaluation, struct bytes target)
{
	struct spf_verdict *verdict = evaluation->verdict;
	struct bytes by = verdict->by, by_domain = verdict->by_domain;

	switch (evaluate(evaluation, target, false)) {
	case SPF_PASS:
		return MATCH_YES;
	case SPF_TEMPERROR:
		return MATCH_TEMPERROR;
	case SPF_PERMERROR:
		return MATCH_PERMERROR;
	case SPF_NONE:
		explain(evaluation, "%.*s is included, but has no SPF record",
		        BYTES_FORMAT(target));
		return MATCH_PERMERROR;
	case SPF_FAIL:
	case SPF_SOFTFAIL:
	case SPF_NEUTRAL:
		break;
	}
	verdict->by = by; /* what decided in there decides nothing here */
	verdict->by_domain = by_domain;
	return MATCH_NO;
}

/* Whether a survey, which has no client, cannot know the name that a domain-spec stands for. */
static bool depends_on_client(struct bytes spec)
{
	for (const char *letter = "islhp"; *letter; letter++)
		if (spf_macro_uses(spec, *letter))
			return true;
	return false;
}

static enum match match_directive(struct evaluation *evaluation,
                                  const struct spf_directive *directive, struct bytes domain)
{
	struct bytes target;

	if (directive->mechanism == SPF_ALL)
		return MATCH_YES;
	if (directive->mechanism == SPF_IP4 || directive->mechanism == SPF_IP6)
		return match_network(evaluation, directive);
	if (count_lookup(evaluation, domain) != MATCH_NO)
		return MATCH_PERMERROR;
	if (evaluation->is_survey && depends_on_client(directive->domain))
		return MATCH_NO;
	target = target_of(evaluation, directive->domain, domain);
	switch (directive->mechanism) {
	case SPF_A:
		return match_a(evaluation, directive, target);
	case SPF_MX:
		return match_mx(evaluation, directive, target);
	case SPF_PTR:
		return match_ptr(evaluation, target);
	case SPF_EXISTS:
		return match_exists(evaluation, target);
	case SPF_INCLUDE:
		return match_include(evaluation, target);
	case SPF_ALL:
	case SPF_IP4:
	case SPF_IP6:
		break;
	}
	return MATCH_NO;
}

static enum spf_result result_of(char qualifier)
{
	switch (qualifier) {
	case '-':
		return SPF_FAIL;
	case '~':
		return SPF_SOFTFAIL;
	case '?':
		return SPF_NEUTRAL;
	default:
		return SPF_PASS;
	}
}

/* Section 6.2: one TXT record, whose macros may be the explanation's; anything wrong: none. */
static void fetch_explanation(struct evaluation *evaluation, struct bytes spec, struct bytes domain)
{
	struct bytes target = target_of(evaluation, spec, domain);
	struct buffer text = { .limit = 4096 };
	struct asker_answer answer;
	size_t at;

	ask(evaluation, target, ASK_TXT, &answer);
	if (is_failure(&answer) || answer.count != 1 ||
	    spf_macro_check(answer.records[0], true, &at))
		return;
	prepare_values(evaluation, answer.records[0], domain);
	spf_macro_expand(answer.records[0], &evaluation->values, &text);
	evaluation->verdict->explanation = arena_copy(evaluation->arena, buffer_bytes(&text));
	buffer_deinit(&text);
}

static enum spf_result redirect(struct evaluation *evaluation, const struct spf_record *record,
                                struct bytes domain, bool is_first)
{
	struct bytes target;
	enum spf_result result;

	if (record->redirect.len == 0) /* beside "all" it is never reached (5.1) */
		return SPF_NEUTRAL;
	if (count_lookup(evaluation, domain) != MATCH_NO)
		return SPF_PERMERROR;
	if (evaluation->is_survey && depends_on_client(record->redirect))
		return SPF_NEUTRAL;
	target = target_of(evaluation, record->redirect, domain);
	result = evaluate(evaluation, target, is_first);
	if (result != SPF_NONE)
		return result;
	explain(evaluation, "%.*s is redirected to, but has no SPF record", BYTES_FORMAT(target));
	return SPF_PERMERROR;
}

/* Section 4.6.2: the directives from left to right, then redirect, then neutral. */
static enum spf_result evaluate_record(struct evaluation *evaluation,
                                       const struct spf_record *record, struct bytes domain,
                                       bool is_first)
{
	for (int i = 0; i < record->count; i++) {
		const struct spf_directive *directive = &record->directives[i];
		enum match match = match_directive(evaluation, directive, domain);
		enum spf_result result = result_of(directive->qualifier);

		if (match == MATCH_TEMPERROR)
			return SPF_TEMPERROR;
		if (match == MATCH_PERMERROR)
			return SPF_PERMERROR;
		if (evaluation->is_survey && directive->mechanism == SPF_ALL)
			return SPF_NEUTRAL; /* what follows is never looked at */
		if (match == MATCH_NO || evaluation->is_survey)
			continue;
		if (directive->mechanism != SPF_INCLUDE) {
			evaluation->verdict->by = arena_copy(evaluation->arena, directive->text);
			evaluation->verdict->by_domain = domain;
		}
		if (is_first && result == SPF_FAIL && record->explanation.len > 0)
			fetch_explanation(evaluation, record->explanation, domain);
		return result;
	}
	return redirect(evaluation, record, domain, is_first);
}

/* Section 4.5: the one record among the domain's TXT records. */
static enum spf_result select_record(struct evaluation *evaluation, struct bytes domain,
                                     struct bytes *text_out)
{
	struct asker_answer answer;
	int found = 0;

	if (!spf_domain_is_valid(domain))
		return SPF_NONE;
	ask(evaluation, domain, ASK_TXT, &answer);
	if (is_failure(&answer)) {
		explain(evaluation, "%.*s: DNS lookup failed: %s", BYTES_FORMAT(domain),
		        dns_status_name(answer.status));
		return SPF_TEMPERROR;
	}
	for (int i = 0; i < answer.count; i++) {
		if (!spf_record_is(answer.records[i]))
			continue;
		*text_out = answer.records[i];
		found++;
	}
	if (found > 1) {
		explain(evaluation, "%.*s has %d SPF records; one is allowed", BYTES_FORMAT(domain),
		        found);
		return SPF_PERMERROR;
	}
	return found == 1 ? SPF_NEUTRAL : SPF_NONE;
}

/* `is_first` - not within an include, so that exp= counts (6.2). */
static enum spf_result evaluate(struct evaluation *evaluation, struct bytes domain, bool is_first)
{
	enum spf_result result;
	struct spf_record record;
	struct bytes text = { 0 };

	result = select_record(evaluation, domain, &text);
	if (result != SPF_NEUTRAL)
		return result;
	if (spf_record_parse(evaluation->arena, text, &record, &evaluation->problem) < 0) {
		explain(evaluation, "%.*s: %s (byte %zu of its SPF record)", BYTES_FORMAT(domain),
		        evaluation->problem.text, evaluation->problem.at + 1);
		return SPF_PERMERROR;
	}
	return evaluate_record(evaluation, &record, domain, is_first);
}

static struct address unmapped(const struct address *ip)
{
	struct address plain = *ip;
	const struct in6_addr *in6;
	struct sockaddr_in *in = (struct sockaddr_in *)(void *)&plain.storage;

	if (!address_is_ipv6(ip))
		return plain;
	in6 = &((const struct sockaddr_in6 *)(const void *)&ip->storage)->sin6_addr;
	if (!IN6_IS_ADDR_V4MAPPED(in6))
		return plain;
	memset(&plain, 0, sizeof plain);
	in->sin_family = AF_INET;
	memcpy(&in->sin_addr, in6->s6_addr + 12, 4);
	plain.len = sizeof *in;
	return plain;
}

static void run(const struct asker *asker, struct arena *arena, const struct spf_question *question,
                bool is_survey, struct spf_verdict *verdict)
{
	ptrdiff_t at = bytes_find_last_char(question->sender, '@');
	struct evaluation evaluation = { .asker = asker,
		                         .arena = arena,
		                         .verdict = verdict,
		                         .is_survey = is_survey,
		                         .values = { .ip = unmapped(&question->ip),
		                                     .local = BYTES_LITERAL("postmaster"),
		                                     .sender_domain = question->sender,
		                                     .helo = question->helo,
		                                     .receiver = question->receiver,
		                                     .now_s = question->now_s } };
	struct bytes domain = question->domain;

	if (at > 0)
		evaluation.values.local = bytes_first(question->sender, (size_t)at);
	if (at >= 0)
		evaluation.values.sender_domain = bytes_from(question->sender, (size_t)at + 1);
	if (evaluation.values.sender_domain.len == 0)
		evaluation.values.sender_domain = domain;
	if (domain.len > 0 && domain.at[domain.len - 1] == '.')
		domain.len--;
	*verdict = (struct spf_verdict){ 0 };
	verdict->result = evaluate(&evaluation, domain, true);
	if (verdict->result == SPF_NONE)
		explain(&evaluation, "%.*s has no SPF record", BYTES_FORMAT(domain));
}

void spf_check(const struct asker *asker, struct arena *arena, const struct spf_question *question,
               struct spf_verdict *verdict_out)
{
	run(asker, arena, question, false, verdict_out);
}

void spf_survey(const struct asker *asker, struct arena *arena, const struct spf_question *question,
                struct spf_verdict *verdict_out)
{
	run(asker, arena, question, true, verdict_out);
}
