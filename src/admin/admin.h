/* admin/admin.h - the HTTP server of the API: libmicrohttpd on a Unix socket, one thread per
 * connection, a bounded number of them. What the endpoints do is the caller's (serve/): handlers
 * may block. */
#pragma once
#include "base/bytes.h"
#include "base/err.h"
#include <jansson.h>

#define ADMIN_BODY_BYTES_MAX  (1 << 20)
#define ADMIN_CONNECTIONS_MAX 64

struct admin;
struct MHD_Connection;

struct admin_request {
	const char *method; /* "GET", "POST" */
	const char *path;   /* "/v1/messages/0abc..." */
	json_t *body;       /* the parsed JSON object of a POST; NULL: none came */
	int64_t uid;        /* of the process at the other end; -1: unknown */
	struct MHD_Connection *connection;
};

/* A file that is served as it is. Constant. */
struct admin_page {
	const char *path, *type; /* "/console.js", "text/javascript" */
	struct bytes content;
};

struct admin_response {
	int status;                    /* 200 .. 599 */
	json_t *body;                  /* handed over; NULL: `page` is the answer */
	const struct admin_page *page; /* borrowed for good */
};

/* admin_query - the value of a query parameter; NULL if it is not there. Borrowed for the request.
 */
const char *admin_query(const struct admin_request *request, const char *name);

/* admin_problem - an error as RFC 9457 says: {"status":..,"title":..,"detail":..}. */
struct admin_response admin_problem(int status, const char *detail, ...) PRINTF_LIKE(2, 3);

/* admin_start - listens on `socket_path`, which is replaced if nobody answers there; mode 0660.
 * Only the owner of the process, its group and root can connect. Errors name the path. */
int admin_start(const char *socket_path,
                struct admin_response (*handle)(void *arg, const struct admin_request *request),
                void *arg, struct admin **admin_out, struct err *err);
void admin_stop(
	struct admin *admin); /* requests under way end first; removes the socket. Takes NULL */
