/* runtime/stream.h - bytes in order, to and from a peer, with a deadline on every operation; from
 * stream_start_tls on they are encrypted. A stream belongs to one fiber at a time. Every function
 * marked PARKS returns 0 or more on success, or ERR_TIMEOUT, ERR_CLOSED (end of stream),
 * ERR_CANCELLED, ERR_SYSTEM (reset ...), or ERR_PROTOCOL (TLS), with the peer's name in `err`. */
#pragma once
#include "base/bytes.h"
#include "base/err.h"
#include "runtime/address.h"

#define STREAM_READ_BYTES_MAX \
	65536 /* what the read buffer holds at most; 4 KiB while little is read */

struct stream;
struct tls;

/* stream_connect - a TCP (or Unix) connection; `source` may be NULL. ERR_SYSTEM carries the errno
 * of connect (ECONNREFUSED, ENETUNREACH ...); ERR_TIMEOUT at the deadline. PARKS */
PARKS int stream_connect(const struct address *to, const struct address *source,
                         int64_t deadline_us, struct stream **stream_out, struct err *err);

/* stream_of - a stream on a connected descriptor, which it owns from now on. */
struct stream *stream_of(int fd, const struct address *peer);

/* stream_close - closes and frees at once; what was not flushed is dropped. Takes NULL. Does not
 * park. */
void stream_close(struct stream *stream);

/* stream_peek - the bytes that are buffered; when there are fewer than `at_least`, reads until
 * there are as many. The bytes stay until `stream_consume` and are valid until the next read.
 * `at_least` <= STREAM_READ_BYTES_MAX. PARKS */
PARKS int stream_peek(struct stream *stream, size_t at_least, int64_t deadline_us,
                      struct bytes *bytes_out, struct err *err);
void stream_consume(struct stream *stream, size_t count);

/* stream_buffered - what could be read without waiting for the peer's next packet (no system call).
 */
struct bytes stream_buffered(const struct stream *stream);

/* stream_discard - throws away all that is buffered for reading (before a TLS handshake: RFC
 * 3207 4.2). */
void stream_discard(struct stream *stream);

/* stream_read_line - one line up to and including LF, of at most `limit` bytes with its end.
 * Returns its length and sets `*line_out` to it (end included, valid until the next read).
 * ERR_TOO_LONG: nothing was consumed; see stream_skip_line. PARKS */
PARKS int stream_read_line(struct stream *stream, size_t limit, int64_t deadline_us,
                           struct bytes *line_out, struct err *err);

/* stream_skip_line - drops bytes up to and including the next LF, at most `limit` of them (then
 * ERR_TOO_LONG). PARKS */
PARKS int stream_skip_line(struct stream *stream, size_t limit, int64_t deadline_us,
                           struct err *err);

/* stream_write - puts bytes into the write buffer; sends when it is full (64 KiB). Large runs are
 * sent without copying. PARKS */
PARKS int stream_write(struct stream *stream, struct bytes data, int64_t deadline_us,
                       struct err *err);

/* stream_flush - sends what is in the write buffer. PARKS */
PARKS int stream_flush(struct stream *stream, int64_t deadline_us, struct err *err);

/* stream_start_tls - the handshake, as the side that the context is for; then everything is
 * encrypted. What was said in plaintext and not read yet is dropped (RFC 3207 4.2); what was
 * written must have been flushed. Succeeds whoever the peer is: see tls_verdict. After an error the
 * stream is good for nothing but stream_close. PARKS */
struct tls_start; /* tls.h */
PARKS int stream_start_tls(struct stream *stream, const struct tls_start *start,
                           int64_t deadline_us, struct err *err);

/* stream_tls - what the handshake found (tls.h); NULL: plaintext. */
const struct tls *stream_tls(const struct stream *stream);

const struct address *stream_peer(const struct stream *stream);
const struct address *stream_local(const struct stream *stream);

/* A listener calls `on_accept` in a new fiber for each connection; the function owns the stream and
 * must close it. */
struct listener;
struct listener_options {
	struct address address; /* port 0: the kernel chooses */
	void (*on_accept)(void *arg, struct stream *stream);
	void *arg;
	int backlog;      /* 0: 1024 */
	const char *name; /* the fibers' name */
	/* connections_max - further connections get `refusal` (may be NULL) in one write, and are
	 * closed. 0: no limit. */
	size_t connections_max;
	const char *refusal;
};

/* listener_open - listens with SO_REUSEPORT, so that every worker may open the same address. Errors
 * name the address. */
int listener_open(const struct listener_options *options, struct listener **listener_out,
                  struct err *err);
const struct address *listener_address(const struct listener *listener); /* with the real port */
size_t listener_connections(const struct listener *listener);            /* open now */
void listener_close(struct listener *listener); /* stops accepting; sessions go on; frees when the
                                                   last has ended. Takes NULL */
