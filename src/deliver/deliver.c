#include "deliver/deliver.h"
#include "base/alloc.h"
#include "base/log.h"
#include "deliver/hosts.h"
#include "deliver/idle.h"
#include "deliver/secure.h"
#include "deliver/sign.h"
#include "deliver/transaction.h"
#include "runtime/clock.h"
#include "runtime/tls.h"
#include <limits.h>
#include <stdio.h>

struct deliverer {
	const struct config *config;
	struct resolver *resolver;
	struct random random;
	struct own own;
	struct idle_table idle;
	struct tls_context *tls;
	struct signers *signers;
	struct secure_memory memory;
	struct deliverer_stats stats;
};

struct run {
	struct deliverer *deliverer;
	const struct deliver_job *job;
	struct deliver_result *result;
	const struct config *config;
	struct secure_wish secure; /* the most that any of its recipients' destinations wants */
	struct content content;
	struct content downgraded; /* made when the first host without 8BITMIME is met */
	bool has_downgraded, cannot_downgrade, is_utf8;
};

/* Without authorities nothing verifies, and mail that needs it waits; the rest goes on. */
static void read_trust(struct deliverer *deliverer)
{
	const char *path = deliverer->config->deliver.tls_trust;
	struct tls_context *context;
	struct err err = { 0 };

	if (tls_client_create(*path ? path : NULL, &context, &err) < 0) {
		log_warning("deliver", "%s: no certificate will be believed", err.text);
		if (deliverer->tls || tls_client_create(NULL, &context, &err) < 0)
			return;
	}
	tls_context_destroy(deliverer->tls);
	deliverer->tls = context;
}

int deliverer_create(const struct config *config, struct resolver *resolver,
                     struct deliverer **deliverer_out, struct err *err)
{
	struct deliverer *deliverer = alloc_zeroed(sizeof *deliverer);

	deliverer->config = config_acquire(config);
	deliverer->resolver = resolver;
	random_seed(&deliverer->random, random_entropy());
	read_trust(deliverer);
	if (signers_read(config, &deliverer->signers, err) < 0) {
		deliverer_destroy(deliverer);
		return err->code;
	}
	*deliverer_out = deliverer;
	return 0;
}

int deliverer_reload(struct deliverer *deliverer, const struct config *config, struct err *err)
{
	struct signers *signers;

	config_release(deliverer->config);
	deliverer->config = config_acquire(config);
	read_trust(deliverer);
	if (signers_read(config, &signers, err) < 0)
		return err->code;
	signers_release(deliverer->signers);
	deliverer->signers = signers;
	return 0;
}

void deliverer_stop(struct deliverer *deliverer)
{
	idle_stop(&deliverer->idle);
}

void deliverer_destroy(struct deliverer *deliverer)
{
	if (!deliverer)
		return;
	idle_deinit(&deliverer->idle);
	own_deinit(&deliverer->own);
	secure_memory_deinit(&deliverer->memory);
	tls_context_destroy(deliverer->tls);
	signers_release(deliverer->signers);
	config_release(deliverer->config);
	alloc_free(deliverer);
}

void deliverer_stats(const struct deliverer *deliverer, struct deliverer_stats *stats_out)
{
	*stats_out = deliverer->stats;
	stats_out->idle = deliverer->idle.clients.count;
}

/* Nothing that goes on a command line may end it. */
static bool is_one_line(struct bytes text)
{
	for (size_t i = 0; i < text.len; i++)
		if ((unsigned char)text.at[i] < ' ' || text.at[i] == 0x7f)
			return false;
	return true;
}

/* Decides for all that are undecided. */
static void decide(struct run *run, const struct outcome *outcome)
{
	for (uint32_t i = 0; i < run->job->recipient_count; i++)
		if (run->result->outcomes[i].result == RESULT_NONE)
			run->result->outcomes[i] = *outcome;
}

static void refuse_unsafe(struct run *run)
{
	const struct message *message = run->job->message;
	struct outcome fault;

	verdict_own_fault("an address of the message holds a control character", &fault);
	if (!is_one_line(message->sender) || !is_one_line(message->envelope_id))
		decide(run, &fault);
	for (uint32_t i = 0; i < run->job->recipient_count; i++) {
		const struct recipient_address
			*recipient = &message->recipients[run->job->recipients[i]];

		if (!is_one_line(recipient->address) || !is_one_line(recipient->original))
			run->result->outcomes[i] = fault;
	}
}

static bool offers(const struct client *client, uint32_t extension)
{
	return (client->extensions.offered & extension) == extension;
}

/* The content as this server can take it; NULL: it cannot. PARKS */
PARKS static struct content *convert(struct run *run, const struct client *client)
{
	bool is_binary = run->job->message->body_type == BODY_BINARYMIME &&
	                 !offers(client, EXTENSION_BINARYMIME | EXTENSION_CHUNKING);

	if (!is_binary && (!run->content.has_8bit || offers(client, EXTENSION_8BITMIME)))
		return &run->content;
	if (!run->has_downgraded && !run->cannot_downgrade) {
		run->has_downgraded = content_downgrade(&run->content, &run->downgraded);
		run->cannot_downgrade = !run->has_downgraded;
	}
	return run->has_downgraded ? &run->downgraded : NULL;
}

/* The same with its signatures: made once for each form that it takes. */
PARKS static const struct content *content_for(struct run *run, const struct client *client)
{
	struct content *content = convert(run, client);

	if (!content || content->is_signed)
		return content;
	signers_sign(run->deliverer->signers, content->data, run->job->message->arrived_us,
	             clock_now_us(), &content->signatures);
	content->is_signed = true;
	return content;
}

/* RFC 2852 4: mode R must not go where its time cannot be kept. */
static bool keeps_time(const struct run *run, const struct client *client)
{
	const struct message *message = run->job->message;
	int64_t left_s = (message->deliver_by_us - clock_now_us()) / 1000000;

	if (message->deliver_by_us == 0 || (message->flags & MESSAGE_BY_NOTIFY))
		return true;
	return offers(client, EXTENSION_DELIVERBY) && left_s > 0 &&
	       left_s >= client->extensions.deliver_by_min_s;
}

/* standards 1.7: what this host lacks another may have. */
PARKS static bool accepts(void *arg, const struct client *client, struct outcome *outcome_out)
{
	struct run *run = arg;
	const struct content *content = content_for(run, client);
	uint64_t size_max = client->extensions.size_max;
	char text[160];

	if (!content) {
		verdict_refusal("5.6.3",
		                "the server takes no 8-bit content, and this cannot be converted",
		                outcome_out);
		return false;
	}
	if (run->is_utf8 && !offers(client, EXTENSION_SMTPUTF8)) {
		verdict_refusal("5.6.7",
		                "the message needs SMTPUTF8, which the server does not offer",
		                outcome_out);
		return false;
	}
	if (size_max != 0 && content_size(content) > size_max) {
		snprintf(text, sizeof text,
		         "the message has %zu bytes; the server takes no more than %llu",
		         content_size(content), (unsigned long long)size_max);
		verdict_refusal("5.3.4", text, outcome_out);
		return false;
	}
	if (!keeps_time(run, client)) {
		verdict_refusal("5.4.7",
		                "the server does not promise delivery in the time asked for",
		                outcome_out);
		return false;
	}
	return true;
}

/* The next undecided recipients, as many as the server takes at once. */
static uint32_t choose(const struct run *run, const struct client *client,
                       struct transaction *transaction)
{
	uint32_t limit = client->extensions.recipients_max;

	if (limit == 0 || limit > TRANSACTION_RECIPIENTS_MAX)
		limit = TRANSACTION_RECIPIENTS_MAX;
	transaction->count = 0;
	for (uint32_t i = 0; i < run->job->recipient_count && transaction->count < limit; i++)
		if (run->result->outcomes[i].result == RESULT_NONE)
			transaction->places[transaction->count++] = i;
	return transaction->count;
}

static bool is_used_up(const struct run *run, const struct client *client)
{
	uint32_t own_limit = (uint32_t)MAX(run->job->messages_per_connection, 1);
	uint32_t limit = client->extensions.messages_max;

	return client->transactions >= (limit == 0 ? own_limit : MIN(limit, own_limit));
}

/* Transactions on one connection, until nothing is left or no more may be sent on it. */
PARKS static void use(struct run *run, struct client *client)
{
	struct transaction transaction = {
		.message = run->job->message,
		.content = content_for(run, client),
		.recipients = run->job->recipients,
		.outcomes = run->result->outcomes,
		.is_utf8 = run->is_utf8,
	};

	while (!client->is_dead && !is_used_up(run, client) &&
	       choose(run, client, &transaction) > 0) {
		transaction_run(client, &transaction);
		run->result->transactions++;
		run->deliverer->stats.transactions++;
		run->result->next_hop_has_dsn = offers(client, EXTENSION_DSN);
	}
}

static bool is_done(const struct run *run)
{
	for (uint32_t i = 0; i < run->job->recipient_count; i++)
		if (run->result->outcomes[i].result == RESULT_NONE)
			return false;
	return true;
}

/* What becomes of the connection after its use. Returns true when the rest may be tried on another.
 */
static bool part(struct run *run, struct client *client)
{
	const struct deliver_job *job = run->job;
	struct idle_key key = { job->route->hash, job->slot };
	bool was_stale = client->is_dead && client->is_reused;

	if (client->is_dead) {
		if (!was_stale)
			decide(run, &client->trouble);
		client_close(client);
		return was_stale;
	}
	if (job->idle_us <= 0 || is_used_up(run, client))
		idle_retire(client);
	else
		idle_put(&run->deliverer->idle, key, client, clock_now_us() + job->idle_us);
	return true;
}

PARKS static struct client *connect_anew(struct run *run)
{
	struct deliverer *deliverer = run->deliverer;
	const struct deliver_job *job = run->job;
	const struct recipient_address *first = &job->message->recipients[job->recipients[0]];
	struct hosts hosts = {
		.config = run->config,
		.resolver = deliverer->resolver,
		.random = &deliverer->random,
		.own = &deliverer->own,
		.route = job->route,
		.domain = message_domain(first->address),
		.addresses_left = job->is_probe ? INT_MAX
		                                : run->config->deliver.addresses_per_attempt,
		.secure = &run->secure,
		.accepts = accepts,
		.arg = run,
	};
	struct client *client = hosts_connect(&hosts);

	deliverer->stats.connects += hosts.connects;
	deliverer->stats.connect_failures += hosts.failures;
	if (!client) {
		decide(run, &hosts.verdict);
		return NULL;
	}
	client->open_count = &deliverer->stats.connections;
	deliverer->stats.connections++;
	return client;
}

/* The slot's own connection, if it is still of use. */
PARKS static struct client *take_idle(struct run *run)
{
	struct idle_key key = { run->job->route->hash, run->job->slot };
	struct client *client = idle_take(&run->deliverer->idle, key);
	struct outcome ignored;

	if (!client)
		return NULL;
	client->is_reused = true;
	if (is_used_up(run, client) || !secure_suffices(client, &run->secure) ||
	    !accepts(run, client, &ignored)) {
		idle_retire(client);
		return NULL;
	}
	run->deliverer->stats.reused++;
	return client;
}

PARKS static void converse(struct run *run)
{
	struct client *client = take_idle(run);

	while (!is_done(run)) {
		if (!client)
			client = connect_anew(run);
		if (!client)
			return;
		use(run, client);
		if (!part(run, client))
			return;
		client = NULL;
	}
	if (client)
		part(run, client);
}

/* One connection for all recipients: the strictest of their destinations decides. */
static void find_security(struct run *run)
{
	const struct deliver_job *job = run->job;

	run->secure.context = run->deliverer->tls;
	run->secure.memory = &run->deliverer->memory;
	for (uint32_t i = 0; i < job->recipient_count; i++) {
		struct bytes address = job->message->recipients[job->recipients[i]].address;
		const struct config_destination *destination = config_destination_of(
			run->config, message_domain(address));
		enum secure_policy policy = secure_policy_of(destination);

		if (i > 0 && policy <= run->secure.policy)
			continue;
		run->secure.policy = policy;
		run->secure.destination = destination;
	}
}

static void finish(struct run *run, int64_t started_us)
{
	int64_t took_ms = (clock_now_us() - started_us) / 1000;

	for (uint32_t i = 0; i < run->job->recipient_count; i++)
		run->result->outcomes[i].duration_ms = (int32_t)MIN(took_ms, INT32_MAX);
}

PARKS void deliverer_run(struct deliverer *deliverer, const struct deliver_job *job,
                         struct deliver_result *result)
{
	struct run run = { .deliverer = deliverer, .job = job, .result = result };
	int64_t started_us = clock_now_us();
	struct outcome fault;
	struct err err;

	result->next_hop_has_dsn = false;
	result->transactions = 0;
	for (uint32_t i = 0; i < job->recipient_count; i++)
		result->outcomes[i] = (struct outcome){ 0 };
	run.config = config_acquire(deliverer->config);
	find_security(&run);
	refuse_unsafe(&run);
	if (deliverer->idle.is_stopping) {
		verdict_own_fault("the relay is stopping", &fault);
		decide(&run, &fault);
	} else if (content_open(job->message, &run.content, &err) < 0) {
		verdict_own_fault(err.text, &fault);
		decide(&run, &fault);
	} else {
		run.is_utf8 = transaction_is_utf8(job->message, run.content.data);
		converse(&run);
	}
	finish(&run, started_us);
	content_close(&run.content);
	content_close(&run.downgraded);
	config_release(run.config);
}
