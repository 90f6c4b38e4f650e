#include "dns/dns.h"
#include "base/alloc.h"
#include "base/assert.h"
#include "base/log.h"
#include "base/units.h"
#include "dns/decision.h"
#include "dns/finder.h"
#include "dns/upstream.h"
#include "dns/wire.h"
#include "runtime/fiber.h"
#include "runtime/thread.h"
#include <stdio.h>
#include <string.h>

/* Each costs about 2 KB when its route has five hosts; behind it stands libunbound's own cache. */
#define DECISIONS_MAX 32768

/* Open decisions that are being looked up at the same time; further ones wait for their turn, and
 * are answered by their own deadline all the same: all before them have earlier ones. */
#define FINDERS_MAX 4000

/* A context younger than this has nothing that would be worth forgetting. */
#define REOPEN_AFTER_US US_PER_SECOND

struct resolver {
	const struct config *config;
	struct thread *thread;
	struct upstream *upstream;
	int64_t opened_us;
	struct list retired;
	struct decision_table decisions;
	struct list backlog; /* open decisions that no finder has begun with */
	int finder_count;
};

/* struct question - one fiber's wait for a decision. */
struct question {
	struct call call;
	struct list waiting;
	struct resolver *resolver;
	enum decision_kind kind;
	struct bytes name;
	void (*answer)(struct question *question, const struct finding *finding);
	void *answer_out;
};

/* struct retirement - a context that is not asked any more, until the last of its questions must
 * have ended. */
struct retirement {
	struct timer timer;
	struct list place;
	struct upstream *upstream;
};

static void answer_all(struct decision *decision)
{
	struct list *first;

	while ((first = list_take_first(&decision->waiting))) {
		struct question *question = CONTAINER_OF(first, struct question, waiting);

		question->answer(question, &decision->finding);
		call_answer(&question->call);
	}
}

static void run_finder(void *arg)
{
	struct resolver *resolver = arg;
	struct list *turn;

	while ((turn = list_take_first(&resolver->backlog))) {
		struct decision *decision = CONTAINER_OF(turn, struct decision, turn);

		finder_run(decision, resolver->upstream, resolver->config);
		answer_all(decision);
		decision_settle(&resolver->decisions, decision);
	}
	resolver->finder_count--;
}

static void open_decision(struct resolver *resolver, struct decision *decision, int64_t now_us)
{
	decision->deadline_us = now_us + resolver->config->dns.timeout_us;
	list_append(&resolver->backlog, &decision->turn);
	if (resolver->finder_count == FINDERS_MAX)
		return;
	if (fiber_spawn(run_finder, resolver, "resolver")) {
		resolver->finder_count++;
	} else if (resolver->finder_count == 0) { /* nobody would ever take it */
		list_remove(&decision->turn);
		decision->finding.status = DNS_SERVER_FAILURE;
		decision->finding.valid_until_us = now_us;
		answer_all(decision);
		decision_settle(&resolver->decisions, decision);
	}
}

/* Runs on the resolver's thread. */
static void take_question(struct call *call)
{
	struct question *question = CONTAINER_OF(call, struct question, call);
	struct resolver *resolver = question->resolver;
	int64_t now_us = clock_now_us();
	struct decision *decision = decision_find(&resolver->decisions, question->kind,
	                                          question->name, now_us);

	if (decision && decision->is_settled) {
		question->answer(question, &decision->finding);
		call_answer(call);
	} else if (decision) {
		list_append(&decision->waiting, &question->waiting);
	} else {
		decision = decision_add(&resolver->decisions, question->kind, question->name);
		list_append(&decision->waiting, &question->waiting);
		open_decision(resolver, decision, now_us);
	}
}

PARKS static void ask(struct question *question)
{
	call_make(&question->call, thread_mailbox(question->resolver->thread), take_question);
}

static void copy_text(char out[200], const char *text)
{
	snprintf(out, 200, "%s", text ? text : "");
}

static void answer_route(struct question *question, const struct finding *finding)
{
	struct dns_route_answer *answer = question->answer_out;

	*answer = (struct dns_route_answer){
		.status = finding->status,
		.route = finding->route ? route_acquire(finding->route) : NULL,
		.valid_until_us = finding->valid_until_us,
		.is_secure = finding->is_secure,
		.is_implicit = finding->is_implicit,
		.is_self = finding->is_self,
	};
	copy_text(answer->text, finding->text);
}

static void answer_addresses(struct question *question, const struct finding *finding)
{
	struct dns_address_answer *answer = question->answer_out;

	answer->status = finding->status;
	answer->count = finding->address_count;
	answer->is_secure = finding->is_secure;
	if (finding->address_count > 0)
		memcpy(answer->addresses, finding->addresses,
		       (size_t)finding->address_count * sizeof *finding->addresses);
	copy_text(answer->text, finding->text);
}

/* Names are asked for in lower case and without the final dot. False: no name of the DNS. */
static bool normalise(struct bytes name, char text_out[WIRE_NAME_TEXT_MAX])
{
	size_t len = name.len;

	if (!wire_name_is_valid(name))
		return false;
	if (name.at[len - 1] == '.')
		len--;
	for (size_t i = 0; i < len; i++)
		text_out[i] = char_lower(name.at[i]);
	text_out[len] = '\0';
	return true;
}

/* The host of an address literal stays as it is written; nothing has to be looked up. */
static void route_to_literal(const struct resolver *resolver, struct bytes domain,
                             struct dns_route_answer *answer)
{
	struct route_host host = { .preference = 0 };

	snprintf(host.name, sizeof host.name, "%.*s", BYTES_FORMAT(domain));
	answer->route = route_create(&host, 1, (uint16_t)resolver->config->deliver.port, false);
	answer->valid_until_us = CLOCK_NEVER;
	answer->is_implicit = true;
}

void dns_route(struct resolver *resolver, struct bytes domain, struct dns_route_answer *answer_out)
{
	struct question question = { .resolver = resolver,
		                     .kind = DECISION_ROUTE,
		                     .answer = answer_route,
		                     .answer_out = answer_out };
	char name[WIRE_NAME_TEXT_MAX];
	struct address literal;

	*answer_out = (struct dns_route_answer){ .status = DNS_FOUND };
	if (domain.len > 0 && domain.at[0] == '[' && finder_literal(domain, &literal)) {
		route_to_literal(resolver, domain, answer_out);
		return;
	}
	if (!normalise(domain, name)) {
		answer_out->status = DNS_NO_DOMAIN;
		answer_out->valid_until_us = CLOCK_NEVER;
		snprintf(answer_out->text, sizeof answer_out->text, "\"%.*s\" is not a domain name",
		         (int)MIN(domain.len, 150), domain.at);
		return;
	}
	question.name = bytes_of(name);
	ask(&question);
}

void dns_addresses(struct resolver *resolver, const char *host, bool want_ipv6,
                   struct dns_address_answer *answer_out)
{
	struct question question = { .resolver = resolver,
		                     .kind = want_ipv6 ? DECISION_ADDRESSES : DECISION_IPV4,
		                     .answer = answer_addresses,
		                     .answer_out = answer_out };
	char name[WIRE_NAME_TEXT_MAX];

	answer_out->status = DNS_FOUND;
	answer_out->count = 0;
	answer_out->is_secure = false;
	answer_out->text[0] = '\0';
	if (finder_literal(bytes_of(host), &answer_out->addresses[0])) {
		answer_out->count = 1;
		return;
	}
	if (!normalise(bytes_of(host), name)) {
		answer_out->status = DNS_NO_DOMAIN;
		snprintf(answer_out->text, sizeof answer_out->text, "\"%.150s\" is not a host name",
		         host);
		return;
	}
	question.name = bytes_of(name);
	ask(&question);
}

static void end_retirement(struct timer *timer)
{
	struct retirement *retirement = CONTAINER_OF(timer, struct retirement, timer);

	/* After a sleep of the machine many deadlines are over in the same turn. */
	if (upstream_open_count(retirement->upstream) > 0) {
		timer_set(timer, clock_now_us() + US_PER_SECOND, end_retirement);
		return;
	}
	list_remove(&retirement->place);
	upstream_unwatch(retirement->upstream);
	upstream_close(retirement->upstream);
	alloc_free(retirement);
}

/* libunbound cannot forget; so a new context takes over, while the old one answers what it was
 * asked. */
static void reopen(struct resolver *resolver)
{
	struct upstream *upstream;
	struct retirement *retirement;
	struct err err = { 0 };

	if (upstream_open(resolver->config, &upstream, &err) < 0) {
		log_error("dns", "%s; going on with what is cached", err.text);
		return;
	}
	retirement = alloc_zeroed(sizeof *retirement);
	retirement->upstream = resolver->upstream;
	list_append(&resolver->retired, &retirement->place);
	resolver->opened_us = clock_now_us();
	timer_set(&retirement->timer,
	          resolver->opened_us + resolver->config->dns.timeout_us + US_PER_SECOND,
	          end_retirement);
	resolver->upstream = upstream;
	upstream_watch(upstream);
}

struct forget {
	struct mail mail;
	struct resolver *resolver;
	size_t len;
	char domain[];
};

static void take_forget(struct mail *mail)
{
	struct forget *forget = CONTAINER_OF(mail, struct forget, mail);
	struct resolver *resolver = forget->resolver;

	decision_forget(&resolver->decisions, (struct bytes){ forget->domain, forget->len });
	if (clock_now_us() - resolver->opened_us >= REOPEN_AFTER_US)
		reopen(resolver);
	alloc_free(forget);
}

void dns_forget(struct resolver *resolver, struct bytes domain)
{
	char name[WIRE_NAME_TEXT_MAX] = "";
	struct forget *forget;

	if (domain.len > 0 && !normalise(domain, name))
		return;
	forget = alloc(sizeof *forget + sizeof name);
	*forget = (struct forget){ .mail.deliver = take_forget,
		                   .resolver = resolver,
		                   .len = strlen(name) };
	memcpy(forget->domain, name, sizeof name);
	mailbox_post(thread_mailbox(resolver->thread), &forget->mail);
}

/* Lives as long as the thread, to take down at its end what belongs to the loop. */
static void keep_watch(void *arg)
{
	struct resolver *resolver = arg;

	while (fiber_park(CLOCK_NEVER) == 0)
		continue;
	upstream_unwatch(resolver->upstream);
	LIST_EACH (place, &resolver->retired) {
		struct retirement *retirement = CONTAINER_OF(place, struct retirement, place);

		timer_stop(&retirement->timer);
		upstream_unwatch(retirement->upstream);
	}
}

static void begin(void *arg)
{
	struct resolver *resolver = arg;

	upstream_watch(resolver->upstream);
	if (!fiber_spawn(keep_watch, resolver, "resolver watch"))
		BUG("the first fiber of a thread cannot be spawned");
}

int resolver_start(const struct config *config, struct resolver **resolver_out, struct err *err)
{
	struct resolver *resolver = alloc_zeroed(sizeof *resolver);

	resolver->config = config;
	list_init(&resolver->retired);
	list_init(&resolver->backlog);
	decision_table_init(&resolver->decisions, DECISIONS_MAX);
	if (upstream_open(config, &resolver->upstream, err) < 0)
		goto fail;
	resolver->opened_us = clock_now_us();
	if (thread_start("resolver", begin, resolver, &resolver->thread, err) < 0)
		goto fail;
	*resolver_out = resolver;
	return 0;
fail:
	resolver_stop(resolver);
	return err->code;
}

void resolver_stop(struct resolver *resolver)
{
	struct list *place;

	if (!resolver)
		return;
	thread_stop(resolver->thread);
	while ((place = list_take_first(&resolver->retired))) {
		struct retirement *retirement = CONTAINER_OF(place, struct retirement, place);

		upstream_close(retirement->upstream);
		alloc_free(retirement);
	}
	upstream_close(resolver->upstream);
	decision_table_deinit(&resolver->decisions);
	alloc_free(resolver);
}

const char *dns_status_name(enum dns_status status)
{
	static const char *const names[] = {
		[DNS_FOUND] = "found",     [DNS_NO_DOMAIN] = "no_domain",
		[DNS_NO_DATA] = "no_data", [DNS_SERVER_FAILURE] = "server_failure",
		[DNS_TIMEOUT] = "timeout", [DNS_BOGUS] = "bogus",
		[DNS_NULL_MX] = "null_mx", [DNS_NO_HOSTS] = "no_hosts",
	};

	return (size_t)status < COUNT(names) ? names[status] : "?";
}
