#include "base/alloc.h"
#include "base/log.h"
#include "base/units.h"
#include "runtime/fiber.h"
#include "runtime/loop_own.h"
#include "runtime/stream.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG_DEFAULT 1024
#define PAUSE_US        (100 * US_PER_MS)

struct listener {
	struct listener_options options;
	struct address address;
	char *refusal;
	int fd;
	struct poll *poll;
	struct fiber *acceptor; /* NULL once it has ended */
	size_t connections;
	int64_t warned_us;
	bool is_closing;
};

/* One accepted connection on its way into its fiber. */
struct arrival {
	struct listener *listener;
	struct stream *stream;
};

static void free_if_over(struct listener *listener)
{
	if (!listener->is_closing || listener->acceptor || listener->connections > 0)
		return;
	free(listener->refusal);
	alloc_free(listener);
}

static void run_session(void *arg)
{
	struct arrival arrival = *(struct arrival *)arg;
	struct listener *listener = arrival.listener;

	alloc_free(arg);
	listener->options.on_accept(listener->options.arg, arrival.stream);
	listener->connections--;
	free_if_over(listener);
}

static void refuse(struct listener *listener, int fd)
{
	if (listener->refusal)
		(void)!send(fd, listener->refusal, strlen(listener->refusal),
		            MSG_NOSIGNAL | MSG_DONTWAIT);
	close(fd);
}

static void take(struct listener *listener, int fd, const struct address *peer)
{
	struct arrival *arrival;

	if (listener->options.connections_max > 0 &&
	    listener->connections >= listener->options.connections_max) {
		refuse(listener, fd);
		return;
	}
	arrival = alloc(sizeof *arrival);
	arrival->listener = listener;
	arrival->stream = stream_of(fd, peer);
	listener->connections++;
	if (fiber_spawn(run_session, arrival, listener->options.name))
		return;
	log_warning("runtime", "no fiber for a connection: too many");
	listener->connections--;
	stream_close(arrival->stream);
	alloc_free(arrival);
}

/* accept failed: waits for the next connection, or until descriptors may be free again. */
PARKS static int wait_to_accept(struct listener *listener)
{
	int64_t now_us = clock_now_us();

	if (errno == EAGAIN || errno == EWOULDBLOCK)
		return poll_wait(listener->poll, WATCH_READ, CLOCK_NEVER);
	if (errno != EMFILE && errno != ENFILE && errno != ENOBUFS && errno != ENOMEM)
		return 0; /* that one connection was lost before it was taken */
	if (now_us - listener->warned_us > US_PER_MINUTE) {
		log_error("runtime", "connections cannot be accepted: %s", strerror(errno));
		listener->warned_us = now_us;
	}
	return fiber_sleep(now_us + PAUSE_US);
}

static void run_acceptor(void *arg)
{
	struct listener *listener = arg;
	int result = 0;

	while (result == 0 && !listener->is_closing) {
		struct address peer = { .len = sizeof peer.storage };
		int fd = accept4(listener->fd, (struct sockaddr *)&peer.storage, &peer.len,
		                 SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0)
			take(listener, fd, &peer);
		else
			result = wait_to_accept(listener);
	}
	poll_close(listener->poll);
	close(listener->fd);
	listener->acceptor = NULL;
	free_if_over(listener);
}

static int open_listening(const struct listener_options *options, struct err *err)
{
	int fd = socket(options->address.storage.ss_family,
	                SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	char text[ADDRESS_TEXT_MAX];
	int yes = 1;

	address_format_port(&options->address, text);
	if (fd < 0)
		return err_system(err, "listen on %s", text);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
	setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &yes, sizeof yes);
	if (bind(fd, (const struct sockaddr *)&options->address.storage, options->address.len) <
	            0 ||
	    listen(fd, options->backlog ? options->backlog : BACKLOG_DEFAULT) < 0) {
		err_system(err, "listen on %s", text);
		close(fd);
		return ERR_SYSTEM;
	}
	return fd;
}

int listener_open(const struct listener_options *options, struct listener **listener_out,
                  struct err *err)
{
	struct listener *listener;
	int fd = open_listening(options, err);

	if (fd < 0)
		return fd;
	listener = alloc_zeroed(sizeof *listener);
	listener->options = *options;
	listener->refusal = options->refusal ? strdup(options->refusal) : NULL;
	listener->fd = fd;
	listener->poll = poll_open(fd);
	listener->address.len = sizeof listener->address.storage;
	getsockname(fd, (struct sockaddr *)&listener->address.storage, &listener->address.len);
	listener->acceptor = fiber_spawn(run_acceptor, listener, "accept");
	if (!listener->acceptor) {
		poll_close(listener->poll);
		close(fd);
		free(listener->refusal);
		alloc_free(listener);
		return err_set(err, ERR_FULL, "listener: no fiber to accept with");
	}
	*listener_out = listener;
	return 0;
}

const struct address *listener_address(const struct listener *listener)
{
	return &listener->address;
}

size_t listener_connections(const struct listener *listener)
{
	return listener->connections;
}

void listener_close(struct listener *listener)
{
	if (!listener)
		return;
	listener->is_closing = true;
	if (listener->acceptor)
		fiber_cancel(listener->acceptor);
	else
		free_if_over(listener);
}
