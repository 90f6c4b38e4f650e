#include "runtime/tls.h"
#include "base/alloc.h"
#include "base/assert.h"
#include "runtime/loop.h"
#include "runtime/tls_own.h"
#include <errno.h>
#include <limits.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>

/* A server of mail may choose (RFC 9325 4.2). A client may not: often the alternative to a poor
 * cipher is none at all (RFC 7435), so it also takes what has no forward secrecy. */
#define SERVER_CIPHERS "ECDHE+AESGCM:ECDHE+CHACHA20:!aNULL"
#define CLIENT_CIPHERS                                                              \
	"ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM:ECDHE+AES:DHE+AES:kRSA+AES:!aNULL:" \
	"@SECLEVEL=1"

struct tls_context {
	SSL_CTX *ssl;
};

/* The descriptor as OpenSSL sees it: its own socket BIO would raise SIGPIPE. */

static BIO_METHOD *method;
static pthread_once_t method_once = PTHREAD_ONCE_INIT;

/* Nothing to read, or no room to write: says so, and keeps any other errno. */
static bool is_would_block(struct tls *tls)
{
	if (errno == EAGAIN || errno == EWOULDBLOCK)
		return true;
	tls->system_errno = errno;
	return false;
}

static int bio_read(BIO *bio, char *at, int size)
{
	struct tls *tls = BIO_get_data(bio);
	ssize_t count;

	BIO_clear_retry_flags(bio);
	do
		count = recv(tls->fd, at, (size_t)size, MSG_DONTWAIT);
	while (count < 0 && errno == EINTR);
	if (count == 0)
		tls->is_at_end = true;
	if (count < 0 && is_would_block(tls))
		BIO_set_retry_read(bio);
	return (int)count;
}

static int bio_write(BIO *bio, const char *at, int size)
{
	struct tls *tls = BIO_get_data(bio);
	ssize_t count;

	BIO_clear_retry_flags(bio);
	do
		count = send(tls->fd, at, (size_t)size, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (count < 0 && errno == EINTR);
	if (count < 0 && is_would_block(tls))
		BIO_set_retry_write(bio);
	return (int)count;
}

static long bio_control(BIO *bio, int command, long number, void *pointer)
{
	const struct tls *tls = BIO_get_data(bio);

	(void)number;
	(void)pointer;
	if (command == BIO_CTRL_EOF)
		return tls->is_at_end;
	return command == BIO_CTRL_FLUSH;
}

static void make_method(void)
{
	method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "stream");
	BIO_meth_set_read(method, bio_read);
	BIO_meth_set_write(method, bio_write);
	BIO_meth_set_ctrl(method, bio_control);
}

/* Contexts. */

/* What OpenSSL complained about first: the rest only follows from it. */
static const char *reason(void)
{
	unsigned long code = ERR_peek_error();
	const char *text = ERR_reason_error_string(code);

	if (ERR_SYSTEM_ERROR(code))
		return strerror(ERR_GET_REASON(code));
	return text ? text : "no reason given";
}

/* Asking at the terminal would stop a daemon for good. */
static int no_passphrase(char *buffer, int size, int is_writing, void *arg)
{
	(void)buffer;
	(void)size;
	(void)is_writing;
	(void)arg;
	return -1;
}

static struct tls_context *create(const SSL_METHOD *side, const char *ciphers)
{
	struct tls_context *context = alloc_zeroed(sizeof *context);
	SSL_CTX *ssl = SSL_CTX_new(side);

	if (!ssl || !SSL_CTX_set_cipher_list(ssl, ciphers))
		BUG("OpenSSL cannot be used: %s", reason());
	context->ssl = ssl;
	SSL_CTX_set_min_proto_version(ssl, TLS1_2_VERSION);
	/* Mail ends with QUIT, and its content with a dot: a missing close_notify cuts nothing. */
	SSL_CTX_set_options(ssl, SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF |
	                                 SSL_OP_CIPHER_SERVER_PREFERENCE |
	                                 SSL_OP_PRIORITIZE_CHACHA | SSL_OP_NO_TICKET);
	SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_num_tickets(ssl, 0);
	SSL_CTX_set_mode(ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
	                              SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_read_ahead(ssl, 1);
	SSL_CTX_set_default_passwd_cb(ssl, no_passphrase);
	SSL_CTX_set_verify(ssl, SSL_VERIFY_NONE, NULL);
	return context;
}

void tls_context_destroy(struct tls_context *context)
{
	if (!context)
		return;
	SSL_CTX_free(context->ssl);
	alloc_free(context);
}

/* Creation failed because of `path`. */
static int refuse(struct tls_context *context, const char *what, const char *path, struct err *err)
{
	err_set(err, ERR_INVALID, "%s %s: %s", what, path, reason());
	ERR_clear_error();
	tls_context_destroy(context);
	return ERR_INVALID;
}

int tls_server_create(const char *certificate_path, const char *key_path,
                      struct tls_context **context_out, struct err *err)
{
	struct tls_context *context = create(TLS_server_method(), SERVER_CIPHERS);

	ERR_clear_error();
	if (SSL_CTX_use_certificate_chain_file(context->ssl, certificate_path) != 1)
		return refuse(context, "certificate", certificate_path, err);
	if (SSL_CTX_use_PrivateKey_file(context->ssl, key_path, SSL_FILETYPE_PEM) != 1 ||
	    SSL_CTX_check_private_key(context->ssl) != 1)
		return refuse(context, "key", key_path, err);
	*context_out = context;
	return 0;
}

int tls_client_create(const char *trust_path, struct tls_context **context_out, struct err *err)
{
	struct tls_context *context = create(TLS_client_method(), CLIENT_CIPHERS);

	ERR_clear_error();
	SSL_CTX_dane_enable(context->ssl);
	if (trust_path && SSL_CTX_load_verify_file(context->ssl, trust_path) != 1)
		return refuse(context, "authorities", trust_path, err);
	*context_out = context;
	return 0;
}

/* One connection. */

static bool is_usable(const struct tls_tlsa *tlsa)
{
	return tlsa->usage == 2 || tlsa->usage == 3;
}

/* Records that OpenSSL cannot use (an unknown digest) are left out, as RFC 7671 10.1 wants. */
static int add_tlsa(struct tls *tls, const struct tls_start *start, struct err *err)
{
	for (int i = 0; i < start->tlsa_count; i++) {
		const struct tls_tlsa *tlsa = &start->tlsa[i];

		if (!is_usable(tlsa))
			continue;
		if (!tls->has_tlsa && SSL_dane_enable(tls->ssl, start->server_name) != 1)
			return err_set(err, ERR_INVALID, "TLS with %s: \"%s\" cannot be a name",
			               tls->peer, start->server_name);
		if (SSL_dane_tlsa_add(tls->ssl, tlsa->usage, tlsa->selector, tlsa->matching,
		                      (unsigned char *)(uintptr_t)tlsa->data.at,
		                      tlsa->data.len) > 0)
			tls->has_tlsa = true;
		ERR_clear_error();
	}
	/* Usage 3 binds a key to a host by the DNS: names and dates say no more (RFC 7672 3.1.1).
	 */
	SSL_dane_set_flags(tls->ssl, DANE_FLAG_NO_DANE_EE_NAMECHECKS);
	return 0;
}

static int set_up_client(struct tls *tls, const struct tls_start *start, struct err *err)
{
	struct address literal;

	SSL_set_connect_state(tls->ssl);
	SSL_set_hostflags(tls->ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	for (int i = 0; i < start->name_count; i++)
		if (SSL_add1_host(tls->ssl, start->names[i]) != 1)
			return err_set(err, ERR_INVALID, "TLS with %s: \"%s\" cannot be a name",
			               tls->peer, start->names[i]);
	if (!start->server_name || !*start->server_name ||
	    address_parse(bytes_of(start->server_name), 0, &literal))
		return 0;
	SSL_set_tlsext_host_name(tls->ssl, start->server_name);
	return add_tlsa(tls, start, err);
}

int tls_open(const struct tls_start *start, int fd, const struct address *peer,
             struct tls **tls_out, struct err *err)
{
	struct tls *tls = alloc_zeroed(sizeof *tls);
	BIO *bio;
	int result = 0;

	pthread_once(&method_once, make_method);
	ERR_clear_error();
	tls->fd = fd;
	address_format_port(peer, tls->peer);
	tls->ssl = SSL_new(start->context->ssl);
	bio = BIO_new(method);
	if (!tls->ssl || !bio)
		BUG("OpenSSL cannot be used: %s", reason());
	BIO_set_data(bio, tls);
	BIO_set_init(bio, 1);
	SSL_set_bio(tls->ssl, bio, bio);
	tls->is_client = !SSL_is_server(tls->ssl);
	if (tls->is_client)
		result = set_up_client(tls, start, err);
	else
		SSL_set_accept_state(tls->ssl);
	if (result < 0) {
		tls_close(tls);
		return result;
	}
	*tls_out = tls;
	return 0;
}

void tls_close(struct tls *tls)
{
	if (!tls)
		return;
	if (!tls->is_broken && SSL_is_init_finished(tls->ssl))
		SSL_shutdown(tls->ssl);
	SSL_free(tls->ssl);
	ERR_clear_error();
	alloc_free(tls);
}

/* OpenSSL could not go on: because it must wait, or for good. */
static int settle(struct tls *tls, int result, const char *what, int *wait_for_out, struct err *err)
{
	int code = SSL_get_error(tls->ssl, result);

	if (code == SSL_ERROR_WANT_READ || code == SSL_ERROR_WANT_WRITE) {
		*wait_for_out = code == SSL_ERROR_WANT_READ ? WATCH_READ : WATCH_WRITE;
		return 0;
	}
	if (code == SSL_ERROR_ZERO_RETURN)
		return err_set(err, ERR_CLOSED, "%s closed the connection", tls->peer);
	tls->is_broken = true;
	if (code == SSL_ERROR_SSL) {
		result = err_set(err, ERR_PROTOCOL, "%s %s: %s", what, tls->peer, reason());
		ERR_clear_error();
		return result;
	}
	if (tls->system_errno == 0)
		return err_set(err, ERR_CLOSED, "%s closed the connection", tls->peer);
	errno = tls->system_errno;
	return err_system(err, "%s %s", what, tls->peer);
}

int tls_shake_hands(struct tls *tls, int *wait_for_out, struct err *err)
{
	int result;

	ERR_clear_error();
	result = SSL_do_handshake(tls->ssl);
	return result == 1 ? 1 : settle(tls, result, "TLS with", wait_for_out, err);
}

int tls_read(struct tls *tls, char *at, size_t size, int *wait_for_out, struct err *err)
{
	int result;

	ERR_clear_error();
	result = SSL_read(tls->ssl, at, (int)MIN(size, INT_MAX));
	return result > 0 ? result : settle(tls, result, "TLS: read from", wait_for_out, err);
}

int tls_write(struct tls *tls, struct bytes data, int *wait_for_out, struct err *err)
{
	int result;

	ERR_clear_error();
	result = SSL_write(tls->ssl, data.at, (int)MIN(data.len, INT_MAX));
	return result > 0 ? result : settle(tls, result, "TLS: write to", wait_for_out, err);
}
