/* runtime/tls_own.h - TLS on a non-blocking descriptor, for streams and nobody else. */
#pragma once
#include "runtime/tls.h"

struct tls {
	struct ssl_st *ssl;
	int fd;
	bool is_client, is_at_end, has_tlsa;
	bool is_broken; /* nothing more may be said on it */
	int system_errno;
	char peer[ADDRESS_TEXT_MAX];
};

/* tls_open - `peer` is named in errors; the descriptor stays the caller's. ERR_INVALID: a name or a
 * TLSA record that OpenSSL does not take. */
int tls_open(const struct tls_start *start, int fd, const struct address *peer,
             struct tls **tls_out, struct err *err);

/* tls_close - says goodbye (close_notify) if that can be done at once, and frees. Takes NULL. */
void tls_close(struct tls *tls);

/* Each returns > 0 when something was done (tls_read, tls_write: that many bytes); 0: not before
 * `*wait_for_out` (WATCH_READ or WATCH_WRITE) was seen; ERR_CLOSED, ERR_PROTOCOL or ERR_SYSTEM: the
 * connection is of no more use. */
int tls_shake_hands(struct tls *tls, int *wait_for_out, struct err *err);
int tls_read(struct tls *tls, char *at, size_t size, int *wait_for_out, struct err *err);
int tls_write(struct tls *tls, struct bytes data, int *wait_for_out, struct err *err);
