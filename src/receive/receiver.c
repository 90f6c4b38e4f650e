#include "base/alloc.h"
#include "base/log.h"
#include "receive/receiver_own.h"
#include "receive/session.h"
#include "runtime/fiber.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One listener of this worker. */
struct door {
	struct receiver *receiver;
	char *address; /* as configured */
	bool is_submission;
	enum session_tls tls;
	struct identity identity;
	struct listener *listener;
};

/* Connections of one client address. */
struct client {
	struct hash_node by_address;
	char address[ADDRESS_TEXT_MAX];
	int connections;
};

static struct client *find_client(struct receiver *receiver, const char *address)
{
	HASH_EACH_MATCH (node, &receiver->clients, bytes_hash(bytes_of(address), 0)) {
		struct client *client = CONTAINER_OF(node, struct client, by_address);

		if (strcmp(client->address, address) == 0)
			return client;
	}
	return NULL;
}

static bool client_enters(struct receiver *receiver, const char *address)
{
	struct client *client = find_client(receiver, address);

	if (!client) {
		client = alloc_zeroed(sizeof *client);
		snprintf(client->address, sizeof client->address, "%s", address);
		hash_insert(&receiver->clients, &client->by_address,
		            bytes_hash(bytes_of(address), 0));
	}
	if (client->connections >= receiver->config->receive.connections_per_client)
		return false;
	client->connections++;
	return true;
}

static void client_leaves(struct receiver *receiver, const char *address)
{
	struct client *client = find_client(receiver, address);

	if (--client->connections > 0)
		return;
	hash_remove(&receiver->clients, &client->by_address);
	alloc_free(client);
}

static bool may_relay(const struct receiver *receiver, const struct address *peer)
{
	for (int i = 0; i < receiver->relay_from_count; i++)
		if (network_contains(&receiver->relay_from[i], peer))
			return true;
	return false;
}

PARKS static void on_accept(void *arg, struct stream *stream)
{
	struct door *door = arg;
	struct receiver *receiver = door->receiver;
	struct session session = { .receiver = receiver,
		                   .stream = stream,
		                   .fiber = fiber_self(),
		                   .is_submission = door->is_submission,
		                   .tls = door->tls,
		                   .identity = &door->identity,
		                   .content.fd = -1 };

	address_format(stream_peer(stream), session.peer);
	receiver->stats.connections++;
	if (receiver->is_stopping || !client_enters(receiver, session.peer)) {
		receiver->stats.connections_refused++;
		session_refuse(&session, receiver->is_stopping ? "421 4.3.2 shutting down"
		                                               : "421 4.7.0 too many connections "
		                                                 "from your address");
		stream_close(stream);
		return;
	}
	session.config = config_acquire(receiver->config);
	session.may_relay = may_relay(receiver, stream_peer(stream));
	list_append(&receiver->sessions, &session.node);
	receiver->stats.sessions++;
	session_run(&session);
	receiver->stats.sessions--;
	list_remove(&session.node);
	config_release(session.config);
	client_leaves(receiver, session.peer);
	stream_close(stream);
}

static void read_networks(struct receiver *receiver)
{
	const struct config_strings *from = &receiver->config->receive.relay_from;

	alloc_free(receiver->relay_from);
	receiver->relay_from = alloc_zeroed(((size_t)from->count + 1) *
	                                    sizeof *receiver->relay_from);
	receiver->relay_from_count = 0;
	for (int i = 0; i < from->count; i++)
		if (network_parse(bytes_of(from->items[i]),
		                  &receiver->relay_from[receiver->relay_from_count]))
			receiver->relay_from_count++;
}

static enum session_tls find_tls(const char *word)
{
	static const char *const words[] = { [SESSION_PLAIN] = "none",
		                             [SESSION_STARTTLS] = "starttls",
		                             [SESSION_TLS_REQUIRED] = "required",
		                             [SESSION_TLS_IMPLICIT] = "implicit" };

	for (size_t i = 0; word && i < COUNT(words); i++)
		if (strcmp(word, words[i]) == 0)
			return (enum session_tls)i;
	return SESSION_PLAIN;
}

/* What the sessions to come find here. On an error all stays as it was. */
static int furnish(struct door *door, const struct config_listener *config, struct err *err)
{
	enum session_tls tls = find_tls(config->tls);

	if (tls != SESSION_PLAIN &&
	    identity_read(&door->identity, config->certificate, config->key, err) < 0) {
		struct err why = *err;

		return err_set(err, why.code, "listener \"%s\": %s", config->address, why.text);
	}
	door->tls = tls;
	door->is_submission = config->kind && strcmp(config->kind, "submission") == 0;
	return 0;
}

/* `port` stands for a configured port 0. */
static int open_door(struct receiver *receiver, const struct config_listener *config, uint16_t port,
                     struct door *door, struct err *err)
{
	struct listener_options options = {
		.on_accept = on_accept,
		.arg = door,
		.name = "session",
		.connections_max = (size_t)receiver->config->receive.connections,
		.refusal = "421 4.3.2 too many connections, try again later\r\n",
	};

	if (!address_parse(bytes_of(config->address), 25, &options.address))
		return err_set(err, ERR_INVALID, "listener \"%s\": not an address",
		               config->address);
	if (address_port(&options.address) == 0)
		address_set_port(&options.address, port);
	if (furnish(door, config, err) < 0)
		return err->code;
	door->receiver = receiver;
	door->address = strdup(config->address);
	if (listener_open(&options, &door->listener, err) < 0) {
		free(door->address);
		door->address = NULL;
		return err->code;
	}
	return 0;
}

#define DOORS_MAX 64

int receiver_create(const struct config *config, const struct receiver_hooks *hooks,
                    struct budget *budget, struct id_maker *ids, const struct receiver *first,
                    struct receiver **receiver_out, struct err *err)
{
	struct receiver *receiver = alloc_zeroed(sizeof *receiver);

	receiver->config = config_acquire(config);
	receiver->hooks = *hooks;
	receiver->budget = budget;
	receiver->ids = ids;
	receiver->doors = alloc_zeroed(DOORS_MAX * sizeof *receiver->doors);
	list_init(&receiver->sessions);
	read_networks(receiver);
	*receiver_out = receiver;
	for (int i = 0; i < MIN(config->receive.listener_count, DOORS_MAX); i++) {
		uint16_t port = first ? address_port(receiver_address(first, i)) : 0;

		if (open_door(receiver, &config->receive.listeners[i], port, &receiver->doors[i],
		              err) < 0)
			return err->code;
		receiver->door_count++;
	}
	return 0;
}

static bool is_configured(const struct config *config, const struct door *door)
{
	for (int i = 0; i < config->receive.listener_count; i++)
		if (strcmp(config->receive.listeners[i].address, door->address) == 0)
			return true;
	return false;
}

static struct door *find_door(const struct receiver *receiver, const char *address)
{
	for (int i = 0; i < receiver->door_count; i++)
		if (receiver->doors[i].listener && strcmp(receiver->doors[i].address, address) == 0)
			return &receiver->doors[i];
	return NULL;
}

static void close_door(struct door *door)
{
	listener_close(door->listener);
	door->listener = NULL;
}

/* A closed door stays in its place: its sessions still point to it. */
int receiver_reload(struct receiver *receiver, const struct config *config, struct err *err)
{
	int result = 0;

	config_release(receiver->config);
	receiver->config = config_acquire(config);
	read_networks(receiver);
	for (int i = 0; i < receiver->door_count; i++)
		if (receiver->doors[i].listener && !is_configured(config, &receiver->doors[i]))
			close_door(&receiver->doors[i]);
	for (int i = 0; i < config->receive.listener_count; i++) {
		const struct config_listener *listener = &config->receive.listeners[i];
		struct door *open = find_door(receiver, listener->address);

		if (open && furnish(open, listener, err) < 0)
			result = err->code;
		if (open)
			continue;
		if (receiver->door_count == DOORS_MAX)
			return err_set(err, ERR_FULL,
			               "listener \"%s\": no more than %d listeners between "
			               "two starts",
			               listener->address, DOORS_MAX);
		if (open_door(receiver, listener, 0, &receiver->doors[receiver->door_count], err) <
		    0)
			result = err->code;
		else
			receiver->door_count++;
	}
	return result;
}

void receiver_stop(struct receiver *receiver)
{
	receiver->is_stopping = true;
	for (int i = 0; i < receiver->door_count; i++)
		close_door(&receiver->doors[i]);
	LIST_EACH (node, &receiver->sessions) {
		struct session *session = CONTAINER_OF(node, struct session, node);

		if (session->is_idle)
			fiber_cancel(session->fiber);
	}
}

void receiver_destroy(struct receiver *receiver)
{
	if (!receiver)
		return;
	for (int i = 0; i < receiver->door_count; i++) {
		free(receiver->doors[i].address);
		identity_deinit(&receiver->doors[i].identity);
	}
	hash_deinit(&receiver->clients);
	alloc_free(receiver->relay_from);
	alloc_free(receiver->doors);
	config_release(receiver->config);
	alloc_free(receiver);
}

void receiver_stats(const struct receiver *receiver, struct receiver_stats *stats_out)
{
	*stats_out = receiver->stats;
}

const struct address *receiver_address(const struct receiver *receiver, int n)
{
	return n < receiver->door_count && receiver->doors[n].listener
	               ? listener_address(receiver->doors[n].listener)
	               : NULL;
}
