#include "lab/host.h"
#include "base/alloc.h"
#include "lab/sink.h"
#include "runtime/fiber.h"
#include "runtime/loop.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* A queue of length 0 takes one connection; the next requests find it full and are not answered. */
#define BLACKHOLE_FILLERS 2

struct triplet {
	struct hash_node node; /* told apart by the 64 bits of the hash */
	int64_t first_us;
};

/* A listening socket that is not the runtime's: for manners that no decent server has. */
struct odd_socket {
	struct host *host;
	struct watch *watch;
	int fd, fillers[BLACKHOLE_FILLERS];
};

struct session {
	struct list place;
	struct fiber *fiber;
};

struct host {
	struct name *name;
	const struct host_options *options;
	struct listener *listeners[WORLD_ADDRESSES_MAX];
	struct odd_socket odd[WORLD_ADDRESSES_MAX];
	struct address addresses[WORLD_ADDRESSES_MAX]; /* where it listens, whatever DNS says */
	int address_count;
	bool is_listening;
	enum listen_manner manner; /* what the sockets are now */
	struct list sessions;
	struct host_counts counts;
	struct hash triplets;
	int64_t period_start_us, period_count;
};

struct host *host_create(struct name *name, const struct host_options *options)
{
	struct host *host = alloc_zeroed(sizeof *host);

	host->name = name;
	host->options = options;
	host->manner = LISTEN_REFUSE;
	host->address_count = name->records.address_count;
	for (int i = 0; i < host->address_count; i++) {
		host->addresses[i] = name->records.addresses[i];
		address_set_port(&host->addresses[i], options->port);
	}
	list_init(&host->sessions);
	name->host = host;
	return host;
}

void host_destroy(struct host *host)
{
	struct hash_node *node;

	if (!host)
		return;
	host_shut(host);
	while ((node = hash_each(&host->triplets, NULL))) {
		hash_remove(&host->triplets, node);
		alloc_free(CONTAINER_OF(node, struct triplet, node));
	}
	hash_deinit(&host->triplets);
	alloc_free(host);
}

const struct name *host_name(const struct host *host)
{
	return host->name;
}

struct host_counts *host_counts(struct host *host)
{
	return &host->counts;
}

const struct host_options *host_options(const struct host *host)
{
	return host->options;
}

/* Sessions */

static void run_session(void *arg, struct stream *stream)
{
	struct host *host = arg;
	struct session session = { .fiber = fiber_self() };

	list_append(&host->sessions, &session.place);
	host->counts.connections++;
	host->counts.open++;
	sink_serve(host, stream);
	host->counts.open--;
	list_remove(&session.place);
	stream_close(stream);
}

static void cut_sessions(struct host *host)
{
	LIST_EACH (place, &host->sessions)
		fiber_cancel(CONTAINER_OF(place, struct session, place)->fiber);
}

/* Sockets */

static int open_listener(struct host *host, int nth, struct err *err)
{
	struct listener_options options = { .address = host->addresses[nth],
		                            .on_accept = run_session,
		                            .arg = host,
		                            .backlog = 4096,
		                            .name = "lab host" };

	return listener_open(&options, &host->listeners[nth], err);
}

static void reset_clients(void *arg, int events)
{
	struct odd_socket *odd = arg;
	struct linger at_once = { .l_onoff = 1, .l_linger = 0 };
	int fd;

	(void)events;
	while ((fd = accept4(odd->fd, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		odd->host->counts.connections++;
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
		close(fd);
	}
}

static void fill(struct odd_socket *odd, const struct address *address)
{
	for (int i = 0; i < BLACKHOLE_FILLERS; i++) {
		odd->fillers[i] = socket(address->storage.ss_family,
		                         SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		if (odd->fillers[i] >= 0 &&
		    connect(odd->fillers[i], (const struct sockaddr *)&address->storage,
		            address->len) < 0 &&
		    errno != EINPROGRESS)
			return;
	}
}

static int open_odd(struct host *host, int nth, struct err *err)
{
	const struct address *address = &host->addresses[nth];
	struct odd_socket *odd = &host->odd[nth];
	char text[ADDRESS_TEXT_MAX];
	int yes = 1;

	*odd = (struct odd_socket){ .host = host, .fillers = { -1, -1 } };
	odd->fd = socket(address->storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (odd->fd < 0 || setsockopt(odd->fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) < 0 ||
	    /* the listener before us closes only at the end of this turn */
	    setsockopt(odd->fd, SOL_SOCKET, SO_REUSEPORT, &yes, sizeof yes) < 0 ||
	    bind(odd->fd, (const struct sockaddr *)&address->storage, address->len) < 0 ||
	    listen(odd->fd, host->name->manners->listen == LISTEN_BLACKHOLE ? 0 : 1024) < 0) {
		address_format_port(address, text);
		return err_system(err, "listen on %s", text);
	}
	if (host->name->manners->listen == LISTEN_BLACKHOLE)
		fill(odd, address);
	else
		odd->watch = watch_start(odd->fd, WATCH_READ, reset_clients, odd);
	return 0;
}

static void shut_odd(struct odd_socket *odd)
{
	if (!odd->host)
		return;
	watch_stop(odd->watch);
	if (odd->fd >= 0)
		close(odd->fd);
	for (int i = 0; i < BLACKHOLE_FILLERS; i++)
		if (odd->fillers[i] >= 0)
			close(odd->fillers[i]);
	*odd = (struct odd_socket){ 0 };
}

void host_shut(struct host *host)
{
	for (int i = 0; i < host->address_count; i++) {
		listener_close(host->listeners[i]);
		host->listeners[i] = NULL;
		shut_odd(&host->odd[i]);
	}
	host->manner = LISTEN_REFUSE;
}

static bool is_served(enum listen_manner manner)
{
	return manner == LISTEN_ACCEPT || manner == LISTEN_SILENT;
}

int host_listen(struct host *host, struct err *err)
{
	enum listen_manner wanted = host->name->manners->listen;
	int result = 0;

	if (wanted == host->manner)
		return 0;
	if (!is_served(wanted))
		cut_sessions(host);
	if (is_served(wanted) && is_served(host->manner)) {
		host->manner = wanted;
		return 0;
	}
	host_shut(host);
	for (int i = 0; i < host->address_count && result == 0 && wanted != LISTEN_REFUSE; i++)
		result = is_served(wanted) ? open_listener(host, i, err) : open_odd(host, i, err);
	if (result == 0)
		host->manner = wanted;
	else
		host_shut(host);
	return result;
}

/* Memory of clients */

bool host_is_early(struct host *host, struct bytes triplet, int64_t now_us)
{
	uint64_t hash = bytes_hash_nocase(triplet, 0);
	struct hash_node *node = hash_first(&host->triplets, hash);
	struct triplet *known = node ? CONTAINER_OF(node, struct triplet, node) : NULL;

	if (!known && host->triplets.count == HOST_TRIPLETS_MAX)
		return false;
	if (!known) {
		known = alloc(sizeof *known);
		known->first_us = now_us;
		hash_insert(&host->triplets, &known->node, hash);
	}
	return now_us - known->first_us < host->name->manners->greylist_us;
}

bool host_is_over_rate(struct host *host, int64_t now_us)
{
	const struct manners *manners = host->name->manners;

	if (manners->rate_period_us == 0)
		return false;
	if (now_us - host->period_start_us >= manners->rate_period_us) {
		host->period_start_us = now_us;
		host->period_count = 0;
	}
	return ++host->period_count > manners->rate_count;
}
