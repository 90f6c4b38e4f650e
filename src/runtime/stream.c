#include "runtime/stream.h"
#include "base/alloc.h"
#include "base/assert.h"
#include "base/log.h"
#include "runtime/fiber.h"
#include "runtime/loop_own.h"
#include "runtime/tls_own.h"
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#define READ_BYTES_FIRST 4096
#define WRITE_BYTES_MAX  65536
#define DIRECT_BYTES     16384 /* runs this large are sent without copying */
#define OPERATIONS_MAX   64    /* without a park; then the others get a turn */

struct stream {
	int fd;
	struct poll *poll;
	struct address peer, local;
	char *in; /* buffered input: in[in_start .. in_end) */
	uint32_t in_start, in_end, in_capacity;
	int operations;
	struct buffer out;
	struct tls *tls; /* NULL: plaintext */
};

static void name_peer(const struct stream *stream, char text_out[ADDRESS_TEXT_MAX])
{
	address_format_port(&stream->peer, text_out);
}

struct stream *stream_of(int fd, const struct address *peer)
{
	struct stream *stream = alloc_zeroed(sizeof *stream);
	int yes = 1;

	stream->fd = fd;
	if (peer)
		stream->peer = *peer;
	if (stream->peer.storage.ss_family != AF_UNIX)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
	stream->local.len = sizeof stream->local.storage;
	if (getsockname(fd, (struct sockaddr *)&stream->local.storage, &stream->local.len) < 0)
		stream->local.len = 0;
	stream->poll = poll_open(fd);
	return stream;
}

void stream_close(struct stream *stream)
{
	if (!stream)
		return;
	tls_close(stream->tls);
	poll_close(stream->poll);
	close(stream->fd);
	buffer_deinit(&stream->out);
	alloc_free(stream->in);
	alloc_free(stream);
}

const struct tls *stream_tls(const struct stream *stream)
{
	return stream->tls;
}

const struct address *stream_peer(const struct stream *stream)
{
	return &stream->peer;
}

const struct address *stream_local(const struct stream *stream)
{
	return &stream->local;
}

/* Memory is for streams that have something in it: ten thousand idle sessions should cost little.
 */
static void free_empty_buffers(struct stream *stream)
{
	if (stream->in_start == stream->in_end) {
		alloc_free(stream->in);
		stream->in = NULL;
		stream->in_start = stream->in_end = stream->in_capacity = 0;
	}
	if (stream->out.len == 0)
		buffer_deinit(&stream->out);
}

/* Waits for the peer; what went wrong gets its name. */
static int wait_for_peer(struct stream *stream, int events, int64_t deadline_us, struct err *err)
{
	char peer[ADDRESS_TEXT_MAX];
	int result;

	stream->operations = 0;
	result = poll_wait(stream->poll, events, deadline_us);
	if (result == 0)
		return 0;
	name_peer(stream, peer);
	return err_set(err, (enum err_code)result, "%s: %s", peer,
	               result == ERR_TIMEOUT ? "timed out" : "cancelled");
}

static void be_fair(struct stream *stream)
{
	if (++stream->operations < OPERATIONS_MAX)
		return;
	stream->operations = 0;
	fiber_yield();
}

static int fail_system(const struct stream *stream, const char *what, struct err *err)
{
	char peer[ADDRESS_TEXT_MAX];

	name_peer(stream, peer);
	return err_system(err, "%s %s", what, peer);
}

static void make_room(struct stream *stream)
{
	if (stream->in_start > 0) {
		memmove(stream->in, stream->in + stream->in_start,
		        stream->in_end - stream->in_start);
		stream->in_end -= stream->in_start;
		stream->in_start = 0;
	}
	if (stream->in_end < stream->in_capacity)
		return;
	stream->in_capacity = stream->in_capacity
	                              ? MIN(stream->in_capacity * 4, STREAM_READ_BYTES_MAX)
	                              : READ_BYTES_FIRST;
	stream->in = alloc_resize(stream->in, stream->in_capacity, 1);
}

/* Returns > 0: bytes received; 0: `*wait_for_out` comes first; else an error. */
static int receive(struct stream *stream, int *wait_for_out, struct err *err)
{
	char *at = stream->in + stream->in_end;
	size_t room = stream->in_capacity - stream->in_end;
	char peer[ADDRESS_TEXT_MAX];
	ssize_t count;

	if (stream->tls)
		return tls_read(stream->tls, at, room, wait_for_out, err);
	do
		count = recv(stream->fd, at, room, MSG_DONTWAIT);
	while (count < 0 && errno == EINTR);
	if (count > 0)
		return (int)count;
	if (count == 0) {
		name_peer(stream, peer);
		return err_set(err, ERR_CLOSED, "%s closed the connection", peer);
	}
	*wait_for_out = WATCH_READ;
	if (errno == EAGAIN || errno == EWOULDBLOCK)
		return 0;
	return fail_system(stream, "read from", err);
}

/* Reads once into the buffer, waiting if there is nothing yet. */
static int fill(struct stream *stream, int64_t deadline_us, struct err *err)
{
	be_fair(stream);
	for (;;) {
		int result, wait_for;

		make_room(stream);
		result = receive(stream, &wait_for, err);
		if (result > 0)
			stream->in_end += (uint32_t)result;
		if (result != 0)
			return MIN(result, 0);
		free_empty_buffers(stream);
		result = wait_for_peer(stream, wait_for, deadline_us, err);
		if (result < 0)
			return result;
	}
}

struct bytes stream_buffered(const struct stream *stream)
{
	return (struct bytes){ stream->in + stream->in_start, stream->in_end - stream->in_start };
}

void stream_discard(struct stream *stream)
{
	stream->in_start = stream->in_end = 0;
}

int stream_peek(struct stream *stream, size_t at_least, int64_t deadline_us,
                struct bytes *bytes_out, struct err *err)
{
	ASSERT(at_least <= STREAM_READ_BYTES_MAX);
	while (stream->in_end - stream->in_start < at_least) {
		int result = fill(stream, deadline_us, err);

		if (result < 0)
			return result;
	}
	*bytes_out = stream_buffered(stream);
	return 0;
}

void stream_consume(struct stream *stream, size_t count)
{
	ASSERT(count <= stream->in_end - stream->in_start);
	stream->in_start += (uint32_t)count;
}

int stream_read_line(struct stream *stream, size_t limit, int64_t deadline_us,
                     struct bytes *line_out, struct err *err)
{
	size_t searched = 0;

	ASSERT(limit <= STREAM_READ_BYTES_MAX);
	for (;;) {
		struct bytes all = stream_buffered(stream);
		ptrdiff_t end = bytes_find_char(bytes_from(bytes_first(all, limit), searched),
		                                '\n');
		int result;

		if (end >= 0) {
			*line_out = bytes_first(all, searched + (size_t)end + 1);
			stream_consume(stream, line_out->len);
			return (int)line_out->len;
		}
		if (all.len >= limit)
			return err_set(err, ERR_TOO_LONG, "line longer than %zu bytes", limit);
		searched = all.len;
		result = fill(stream, deadline_us, err);
		if (result < 0)
			return result;
	}
}

int stream_skip_line(struct stream *stream, size_t limit, int64_t deadline_us, struct err *err)
{
	for (size_t skipped = 0;;) {
		struct bytes all = stream_buffered(stream);
		ptrdiff_t end = bytes_find_char(all, '\n');
		int result;

		if (end >= 0) {
			stream_consume(stream, (size_t)end + 1);
			return 0;
		}
		skipped += all.len;
		stream_discard(stream);
		if (skipped > limit)
			return err_set(err, ERR_TOO_LONG, "line longer than %zu bytes", limit);
		result = fill(stream, deadline_us, err);
		if (result < 0)
			return result;
	}
}

/* As receive, of `first` and then `second`. */
static int transmit(struct stream *stream, struct bytes first, struct bytes second,
                    int *wait_for_out, struct err *err)
{
	struct iovec parts[2] = {
		{ (char *)(uintptr_t)first.at, first.len },
		{ (char *)(uintptr_t)second.at, second.len },
	};
	struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2 };
	ssize_t count;

	if (stream->tls)
		return tls_write(stream->tls, first.len > 0 ? first : second, wait_for_out, err);
	do
		count = sendmsg(stream->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (count < 0 && errno == EINTR);
	if (count >= 0)
		return (int)MIN(count, INT_MAX);
	*wait_for_out = WATCH_WRITE;
	if (errno == EAGAIN || errno == EWOULDBLOCK)
		return 0;
	return fail_system(stream, "write to", err);
}

/* Sends what is buffered and then `more`, all of it. */
static int send_all(struct stream *stream, struct bytes more, int64_t deadline_us, struct err *err)
{
	size_t sent = 0, all = stream->out.len + more.len;

	be_fair(stream);
	while (sent < all) {
		struct bytes out = bytes_from(buffer_bytes(&stream->out), sent);
		size_t more_sent = sent > stream->out.len ? sent - stream->out.len : 0;
		int wait_for, result;

		result = transmit(stream, out, bytes_from(more, more_sent), &wait_for, err);
		if (result > 0)
			sent += (size_t)result;
		else if (result == 0)
			result = wait_for_peer(stream, wait_for, deadline_us, err);
		if (result < 0)
			return result;
	}
	buffer_clear(&stream->out);
	return 0;
}

int stream_write(struct stream *stream, struct bytes data, int64_t deadline_us, struct err *err)
{
	if (data.len >= DIRECT_BYTES || stream->out.len + data.len > WRITE_BYTES_MAX)
		return send_all(stream, data, deadline_us, err);
	buffer_append(&stream->out, data);
	return 0;
}

int stream_flush(struct stream *stream, int64_t deadline_us, struct err *err)
{
	if (stream->out.len == 0)
		return 0;
	return send_all(stream, (struct bytes){ 0 }, deadline_us, err);
}

int stream_start_tls(struct stream *stream, const struct tls_start *start, int64_t deadline_us,
                     struct err *err)
{
	int result, wait_for;

	ASSERT(!stream->tls && stream->out.len == 0);
	stream_discard(stream);
	result = tls_open(start, stream->fd, &stream->peer, &stream->tls, err);
	if (result < 0)
		return result;
	while ((result = tls_shake_hands(stream->tls, &wait_for, err)) == 0) {
		result = wait_for_peer(stream, wait_for, deadline_us, err);
		if (result < 0)
			break;
	}
	return MIN(result, 0);
}

/* The connect is under way: waits for its end and takes its result. */
static int finish_connect(struct stream *stream, int64_t deadline_us, struct err *err)
{
	int result = wait_for_peer(stream, WATCH_WRITE, deadline_us, err);
	socklen_t size = sizeof errno;
	int code = 0;

	if (result < 0)
		return result;
	getsockopt(stream->fd, SOL_SOCKET, SO_ERROR, &code, &size);
	if (code == 0)
		return 0;
	errno = code;
	return fail_system(stream, "connect to", err);
}

static int open_socket(const struct address *to, const struct address *source, struct err *err)
{
	int fd = socket(to->storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	char text[ADDRESS_TEXT_MAX];

	if (fd < 0)
		return err_system(err, "create socket");
	if (source && source->len > 0 &&
	    bind(fd, (const struct sockaddr *)&source->storage, source->len) < 0) {
		address_format(source, text);
		err_system(err, "bind to source address %s", text);
		close(fd);
		return ERR_SYSTEM;
	}
	return fd;
}

int stream_connect(const struct address *to, const struct address *source, int64_t deadline_us,
                   struct stream **stream_out, struct err *err)
{
	int fd = open_socket(to, source, err), result = 0;
	char text[ADDRESS_TEXT_MAX];
	struct stream *stream;

	if (fd < 0)
		return fd;
	if (connect(fd, (const struct sockaddr *)&to->storage, to->len) < 0) {
		if (errno != EINPROGRESS && errno != EAGAIN) {
			address_format_port(to, text);
			err_system(err, "connect to %s", text);
			close(fd);
			return ERR_SYSTEM;
		}
		result = 1;
	}
	stream = stream_of(fd, to);
	if (result == 1)
		result = finish_connect(stream, deadline_us, err);
	if (result < 0) {
		stream_close(stream);
		return result;
	}
	stream->local.len = sizeof stream->local.storage;
	getsockname(fd, (struct sockaddr *)&stream->local.storage, &stream->local.len);
	*stream_out = stream;
	return 0;
}
