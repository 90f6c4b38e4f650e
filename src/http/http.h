/* http/http.h - the HTTP client: libcurl. For commands, which may block. */
#pragma once
#include "base/buffer.h"
#include "base/err.h"

struct http_request {
	const char *socket_path; /* a Unix socket to connect to; NULL: as the URL says */
	const char *method;      /* "GET", "POST" */
	const char *url;         /* "http://outlast/v1/status" */
	struct bytes body;       /* sent as application/json; empty: none */
	int64_t timeout_us;      /* 0: none */
	const char *resolve;     /* "host:443:192.0.2.1": connect there for it; NULL: look it up */
	const char *trust;       /* PEM file of authorities for https; NULL or "": the system's */
	size_t body_bytes_max;   /* of the response; 0: HTTP_BODY_BYTES_MAX */
};

struct http_response {
	int status;
	struct buffer body; /* the caller deinits; at most HTTP_BODY_BYTES_MAX */
};

#define HTTP_BODY_BYTES_MAX (64 << 20)

/* http_send - 0 when a response came, whatever its status; ERR_SYSTEM or ERR_TIMEOUT with the
 * reason otherwise. Blocks. */
int http_send(const struct http_request *request, struct http_response *response_out,
              struct err *err);

/* http_escape - a value for a query string, appended percent-encoded. */
void http_escape(struct bytes value, struct buffer *out);
