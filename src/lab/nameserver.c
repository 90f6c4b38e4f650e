#include "lab/nameserver.h"
#include "base/alloc.h"
#include "base/units.h"
#include "lab/zone.h"
#include "runtime/loop.h"
#include "runtime/stream.h"
#include <errno.h>
#include <unistd.h>

#define QUERY_BYTES_MAX  4096
#define QUERIES_PER_TURN 64
#define PORT_TRIES       20
#define TCP_IDLE_US      (30 * US_PER_SECOND)
#define RECEIVE_BYTES    (4 << 20) /* a burst of questions waits here */

struct nameserver {
	const struct world *world;
	struct address address;
	int fd;
	struct watch *watch;
	struct listener *listener;
	struct buffer answer;
	uint64_t queries;
};

static void take_queries(void *arg, int events)
{
	struct nameserver *nameserver = arg;
	char query[QUERY_BYTES_MAX];

	(void)events;
	for (int i = 0; i < QUERIES_PER_TURN; i++) {
		struct address peer = { .len = sizeof peer.storage };
		ssize_t len = recvfrom(nameserver->fd, query, sizeof query, 0,
		                       (struct sockaddr *)&peer.storage, &peer.len);

		if (len < 0)
			return;
		nameserver->queries++;
		buffer_clear(&nameserver->answer);
		if (zone_answer(nameserver->world, (struct bytes){ query, (size_t)len }, ZONE_UDP,
		                &nameserver->answer))
			(void)sendto(nameserver->fd, nameserver->answer.at, nameserver->answer.len,
			             MSG_NOSIGNAL, (struct sockaddr *)&peer.storage, peer.len);
	}
}

/* One query over TCP (RFC 1035 4.2.2): two bytes of length, then the query. */
PARKS static int serve_one(struct nameserver *nameserver, struct stream *stream,
                           struct buffer *answer)
{
	int64_t deadline_us = clock_now_us() + TCP_IDLE_US;
	struct bytes in;
	struct err err;
	size_t len;

	if (stream_peek(stream, 2, deadline_us, &in, &err) < 0)
		return err.code;
	len = (size_t)((uint8_t)in.at[0] << 8 | (uint8_t)in.at[1]);
	if (len > QUERY_BYTES_MAX || stream_peek(stream, 2 + len, deadline_us, &in, &err) < 0)
		return ERR_CLOSED;
	nameserver->queries++;
	buffer_clear(answer);
	buffer_append(answer, BYTES_LITERAL("\0\0"));
	if (!zone_answer(nameserver->world, (struct bytes){ in.at + 2, len }, ZONE_TCP, answer)) {
		stream_consume(stream, 2 + len);
		return 0;
	}
	stream_consume(stream, 2 + len);
	answer->at[0] = (char)((answer->len - 2) >> 8);
	answer->at[1] = (char)(answer->len - 2);
	if (stream_write(stream, buffer_bytes(answer), deadline_us, &err) < 0 ||
	    stream_flush(stream, deadline_us, &err) < 0)
		return ERR_CLOSED;
	return 0;
}

static void serve_tcp(void *arg, struct stream *stream)
{
	struct buffer answer = { 0 };

	while (serve_one(arg, stream, &answer) == 0)
		continue;
	buffer_deinit(&answer);
	stream_close(stream);
}

static int open_udp(struct nameserver *nameserver, struct err *err)
{
	struct sockaddr *name = (struct sockaddr *)&nameserver->address.storage;
	char text[ADDRESS_TEXT_MAX];
	int size = RECEIVE_BYTES;

	nameserver->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	address_format_port(&nameserver->address, text);
	if (nameserver->fd < 0 || bind(nameserver->fd, name, nameserver->address.len) < 0 ||
	    getsockname(nameserver->fd, name, &nameserver->address.len) < 0)
		return err_system(err, "DNS on %s", text);
	setsockopt(nameserver->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
	return 0;
}

static int open_both(struct nameserver *nameserver, uint16_t port, struct err *err)
{
	struct listener_options options = { .on_accept = serve_tcp,
		                            .arg = nameserver,
		                            .connections_max = 1000,
		                            .name = "lab DNS" };

	address_parse(BYTES_LITERAL("127.0.0.1"), port, &nameserver->address);
	if (open_udp(nameserver, err) < 0)
		return err->code;
	options.address = nameserver->address;
	return listener_open(&options, &nameserver->listener, err);
}

int nameserver_open(const struct world *world, uint16_t port, struct nameserver **nameserver_out,
                    struct err *err)
{
	struct nameserver *nameserver = alloc_zeroed(sizeof *nameserver);
	int tries = port == 0 ? PORT_TRIES : 1; /* the UDP port may be taken for TCP */

	nameserver->world = world;
	nameserver->fd = -1;
	for (int i = 0; i < tries; i++) {
		if (open_both(nameserver, port, err) == 0) {
			nameserver->watch = watch_start(nameserver->fd, WATCH_READ, take_queries,
			                                nameserver);
			*nameserver_out = nameserver;
			return 0;
		}
		nameserver_shut(nameserver);
	}
	nameserver_destroy(nameserver);
	return err->code;
}

void nameserver_shut(struct nameserver *nameserver)
{
	if (!nameserver)
		return;
	watch_stop(nameserver->watch);
	nameserver->watch = NULL;
	listener_close(nameserver->listener);
	nameserver->listener = NULL;
	if (nameserver->fd >= 0)
		close(nameserver->fd);
	nameserver->fd = -1;
}

void nameserver_destroy(struct nameserver *nameserver)
{
	if (!nameserver)
		return;
	buffer_deinit(&nameserver->answer);
	alloc_free(nameserver);
}

uint16_t nameserver_port(const struct nameserver *nameserver)
{
	return address_port(&nameserver->address);
}

uint64_t nameserver_queries(const struct nameserver *nameserver)
{
	return nameserver->queries;
}
