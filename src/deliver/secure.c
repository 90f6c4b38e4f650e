#include "deliver/secure.h"
#include "base/alloc.h"
#include "base/units.h"
#include "deliver/verdict.h"
#include "runtime/clock.h"
#include "runtime/tls.h"
#include <stdio.h>
#include <string.h>

#define BROKEN_US  US_PER_HOUR
#define BROKEN_MAX 10000

enum secure_policy secure_policy_of(const struct config_destination *destination)
{
	static const char *const words[] = { [SECURE_NONE] = "none",
		                             [SECURE_MAY] = "may",
		                             [SECURE_MUST] = "must",
		                             [SECURE_VERIFY] = "verify" };

	for (size_t i = 0; i < COUNT(words); i++)
		if (strcmp(destination->tls, words[i]) == 0)
			return (enum secure_policy)i;
	return SECURE_MAY;
}

/* The memory. */

struct broken_address {
	struct hash_node node;
	int64_t until_us;
	char address[48];
};

static uint64_t hash_of(const char *address)
{
	return bytes_hash(bytes_of(address), 0);
}

static struct broken_address *find(const struct secure_memory *memory, const char *address)
{
	HASH_EACH_MATCH (node, &memory->addresses, hash_of(address)) {
		struct broken_address *broken = CONTAINER_OF(node, struct broken_address, node);

		if (strcmp(broken->address, address) == 0)
			return broken;
	}
	return NULL;
}

static void forget(struct secure_memory *memory, struct broken_address *broken)
{
	hash_remove(&memory->addresses, &broken->node);
	alloc_free(broken);
}

bool secure_is_broken(struct secure_memory *memory, const char *address, int64_t now_us)
{
	struct broken_address *broken = find(memory, address);

	if (!broken)
		return false;
	if (broken->until_us > now_us)
		return true;
	forget(memory, broken);
	return false;
}

void secure_set_broken(struct secure_memory *memory, const char *address, int64_t now_us)
{
	struct broken_address *broken = find(memory, address);

	if (!broken && memory->addresses.count >= BROKEN_MAX)
		secure_memory_deinit(memory); /* each costs one more handshake to learn again */
	if (!broken) {
		broken = alloc_zeroed(sizeof *broken);
		snprintf(broken->address, sizeof broken->address, "%s", address);
		hash_insert(&memory->addresses, &broken->node, hash_of(address));
	}
	broken->until_us = now_us + BROKEN_US;
}

void secure_memory_deinit(struct secure_memory *memory)
{
	struct hash_node *node;

	while ((node = hash_each(&memory->addresses, NULL)) != NULL)
		forget(memory, CONTAINER_OF(node, struct broken_address, node));
	hash_deinit(&memory->addresses);
}

/* The handshake. */

#define NAMES_MAX 20

struct names {
	const char *items[NAMES_MAX];
	int count;
	char host[OUTCOME_HOST_MAX]; /* without the brackets of a literal */
};

static void find_names(const struct client *client, const struct secure_wish *wish,
                       struct names *names)
{
	const struct config_strings *given = &wish->destination->tls_names;
	struct bytes host = bytes_of(client->host);

	if (host.len > 2 && host.at[0] == '[')
		host = bytes_first(bytes_from(host, 1), host.len - 2);
	snprintf(names->host, sizeof names->host, "%.*s", BYTES_FORMAT(host));
	names->count = 0;
	if (wish->policy < SECURE_VERIFY)
		return;
	for (int i = 0; i < given->count && i < NAMES_MAX; i++)
		names->items[names->count++] = given->items[i];
	if (given->count == 0)
		names->items[names->count++] = names->host;
}

/* Not as secure as it must be: another host may be, or this one another day (standards 1.7). The
 * site stays open: other destinations that share it may want less. */
static enum secure_result refuse(const struct client *client, const char *why,
                                 struct outcome *outcome)
{
	*outcome = (struct outcome){ .result = RESULT_DEFERRED,
		                     .cause = CAUSE_TLS,
		                     .scope = SCOPE_MESSAGE,
		                     .phase = PHASE_STARTTLS };
	snprintf(outcome->text, sizeof outcome->text, "TLS is required, but %.100s[%.48s]: %.200s",
	         client->host, client->address, why);
	client_fill_peer(client, outcome);
	return SECURE_FAILED;
}

/* Something is wrong with this server's STARTTLS. */
static enum secure_result give_up(const struct client *client, const struct secure_wish *wish,
                                  const char *why, struct outcome *outcome)
{
	if (wish->policy > SECURE_MAY)
		return refuse(client, why, outcome);
	secure_set_broken(wish->memory, client->address, clock_now_us());
	return SECURE_START_AGAIN;
}

static void record(struct client *client, const struct secure_wish *wish)
{
	const struct tls *tls = stream_tls(client->stream);

	snprintf(client->tls, sizeof client->tls, "%s %s", tls_protocol(tls), tls_cipher(tls));
	if (wish->policy == SECURE_VERIFY && tls_verdict(tls) == TLS_VERIFIED)
		client->verified_for = wish->destination;
}

/* All that was learned in plaintext is forgotten (RFC 3207 4.2). */
PARKS static enum secure_result greet_again(struct client *client, struct outcome *outcome)
{
	struct reply reply;

	client->extensions = (struct extensions){ 0 };
	if (client_introduce(client, &reply) && reply.code / 100 == 2 &&
	    client_is_silent(client, PHASE_EHLO))
		return SECURE_GO_ON;
	if (!client->is_dead && reply.code / 100 == 3)
		client_refuse(client, PHASE_EHLO, &reply);
	if (client->is_dead) {
		*outcome = client->trouble;
		return SECURE_FAILED;
	}
	verdict_of_reply(&reply, PHASE_EHLO, outcome);
	client_fill_peer(client, outcome);
	return SECURE_FAILED;
}

PARKS static enum secure_result shake_hands(struct client *client, const struct secure_wish *wish,
                                            struct outcome *outcome)
{
	int64_t deadline_us = clock_now_us() + client->config->deliver.handshake_timeout_us;
	struct tls_start start = { .context = wish->context };
	enum tls_verdict verdict;
	struct names names;
	struct err err = { 0 };
	char why[200];

	find_names(client, wish, &names);
	start.server_name = names.host;
	start.names = names.items;
	start.name_count = names.count;
	client->heard = 0; /* the stream drops what is buffered, the reply with it */
	if (stream_start_tls(client->stream, &start, deadline_us, &err) < 0) {
		client->is_dead = true;
		if (err.code != ERR_CANCELLED)
			return give_up(client, wish, err.text, outcome);
		verdict_own_fault("stopped within the TLS handshake", outcome);
		return SECURE_FAILED;
	}
	record(client, wish);
	verdict = tls_verdict(stream_tls(client->stream));
	if (wish->policy == SECURE_VERIFY && verdict != TLS_VERIFIED) {
		snprintf(why, sizeof why, "its certificate is not valid: %s (%s)",
		         tls_verdict_name(verdict), tls_verdict_text(stream_tls(client->stream)));
		return refuse(client, why, outcome);
	}
	return greet_again(client, outcome);
}

/* It said that it can, and now that it cannot. In plaintext it may go on at once. */
static enum secure_result hear_refusal(struct client *client, const struct secure_wish *wish,
                                       const struct reply *reply, struct outcome *outcome)
{
	if (wish->policy <= SECURE_MAY)
		return SECURE_GO_ON;
	verdict_of_reply(reply, PHASE_STARTTLS, outcome);
	outcome->result = RESULT_DEFERRED;
	outcome->cause = CAUSE_TLS;
	outcome->scope = SCOPE_MESSAGE;
	client_fill_peer(client, outcome);
	return SECURE_FAILED;
}

PARKS enum secure_result secure_client(struct client *client, const struct secure_wish *wish,
                                       struct outcome *outcome_out)
{
	struct reply reply;

	if (wish->policy == SECURE_NONE)
		return SECURE_GO_ON;
	if (!(client->extensions.offered & EXTENSION_STARTTLS))
		return wish->policy == SECURE_MAY
		               ? SECURE_GO_ON
		               : refuse(client, "it does not offer STARTTLS", outcome_out);
	if (wish->policy == SECURE_MAY &&
	    secure_is_broken(wish->memory, client->address, clock_now_us()))
		return SECURE_GO_ON;
	client_say(client, "STARTTLS");
	if (!client_send(client, PHASE_STARTTLS) || !client_hear(client, PHASE_STARTTLS, &reply)) {
		*outcome_out = client->trouble;
		if (client->trouble.code || client->trouble.cause == CAUSE_OWN_FAULT)
			return SECURE_FAILED; /* 421, or we are stopping */
		return give_up(client, wish, client->trouble.text, outcome_out);
	}
	if (reply.code == 220)
		return shake_hands(client, wish, outcome_out);
	if (reply.code >= 400)
		return hear_refusal(client, wish, &reply, outcome_out);
	client_refuse(client, PHASE_STARTTLS, &reply);
	return give_up(client, wish, client->trouble.text, outcome_out);
}

bool secure_suffices(const struct client *client, const struct secure_wish *wish)
{
	if (wish->policy == SECURE_VERIFY)
		return client->verified_for == wish->destination;
	if (wish->policy == SECURE_MUST)
		return client->tls[0] != '\0';
	return wish->policy == SECURE_NONE || client->was_tls_wanted;
}
