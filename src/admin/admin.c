#include "admin/admin.h"
#include "admin/origin.h"
#include "base/alloc.h"
#include "base/buffer.h"
#include "base/log.h"
#include "base/macros.h"
#include <errno.h>
#include <microhttpd.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

struct admin {
	struct MHD_Daemon *daemon;
	struct admin_response (*handle)(void *arg, const struct admin_request *request);
	void *arg;
	char path[sizeof((struct sockaddr_un *)0)->sun_path];
};

/* What one connection's request has brought so far. */
struct incoming {
	struct buffer body;
};

const char *admin_query(const struct admin_request *request, const char *name)
{
	return MHD_lookup_connection_value(request->connection, MHD_GET_ARGUMENT_KIND, name);
}

static const char *title_of(int status)
{
	switch (status) {
	case 400:
		return "Bad request";
	case 403:
		return "Forbidden";
	case 404:
		return "Not found";
	case 405:
		return "Method not allowed";
	case 409:
		return "Conflict";
	case 413:
		return "Too large";
	case 429:
		return "Too many requests";
	default:
		return "Internal error";
	}
}

struct admin_response admin_problem(int status, const char *detail, ...)
{
	struct admin_response response = { .status = status, .body = json_object() };
	char text[1000];
	va_list args;

	va_start(args, detail);
	vsnprintf(text, sizeof text, detail, args);
	va_end(args);
	json_object_set_new(response.body, "status", json_integer(status));
	json_object_set_new(response.body, "title", json_string(title_of(status)));
	json_object_set_new(response.body, "detail", json_string(text));
	return response;
}

/* The console may load what the relay itself serves, and nothing else; nobody may frame it. */
static const char *const security_headers[][2] = {
	{ "Content-Security-Policy",
	  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
	  "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'" },
	{ "X-Content-Type-Options", "nosniff" },
	{ "Referrer-Policy", "no-referrer" },
	{ "Cache-Control", "no-store" },
};

static struct MHD_Response *create_page(const struct admin_page *page)
{
	struct MHD_Response *http = MHD_create_response_from_buffer(
		page->content.len, (void *)page->content.at, MHD_RESPMEM_PERSISTENT);

	MHD_add_response_header(http, "Content-Type", page->type);
	return http;
}

static struct MHD_Response *create_json(const struct admin_response *response)
{
	char *text = json_dumps(response->body, JSON_COMPACT);
	struct MHD_Response *http;

	if (!text)
		text = strdup("{\"status\":500,\"title\":\"Internal error\"}");
	http = MHD_create_response_from_buffer(strlen(text), text, MHD_RESPMEM_MUST_FREE);
	MHD_add_response_header(http, "Content-Type",
	                        response->status >= 400 ? "application/problem+json"
	                                                : "application/json");
	return http;
}

static enum MHD_Result send_response(struct MHD_Connection *connection,
                                     struct admin_response *response)
{
	struct MHD_Response *http = response->body ? create_json(response)
	                                           : create_page(response->page);
	enum MHD_Result result;

	for (size_t i = 0; i < COUNT(security_headers); i++)
		MHD_add_response_header(http, security_headers[i][0], security_headers[i][1]);
	result = MHD_queue_response(connection, (unsigned)response->status, http);
	MHD_destroy_response(http);
	json_decref(response->body);
	return result;
}

static int64_t peer_uid(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
		connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct ucred peer;
	socklen_t size = sizeof peer;

	if (!info || getsockopt(info->connect_fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
		return -1;
	return peer.uid;
}

static const char *header_of(struct MHD_Connection *connection, const char *name)
{
	return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

static enum MHD_Result answer(struct admin *admin, struct admin_request *request,
                              const struct incoming *incoming)
{
	const char *host = header_of(request->connection, MHD_HTTP_HEADER_HOST);
	struct admin_response response;
	json_error_t error;

	if (!origin_is_ours(host, header_of(request->connection, "Origin"))) {
		response = admin_problem(403, "a page of another origin sent this, or it was asked "
		                              "for by a name that is not this machine's");
		return send_response(request->connection, &response);
	}
	if (incoming->body.is_over) {
		response = admin_problem(413, "the body is larger than %d bytes",
		                         ADMIN_BODY_BYTES_MAX);
		return send_response(request->connection, &response);
	}
	if (incoming->body.len > 0) {
		request->body = json_loadb(incoming->body.at, incoming->body.len, 0, &error);
		if (!json_is_object(request->body)) {
			response = admin_problem(400, "the body is no JSON object: %s",
			                         request->body ? "it is another type" : error.text);
			json_decref(request->body);
			return send_response(request->connection, &response);
		}
	}
	request->uid = peer_uid(request->connection);
	response = admin->handle(admin->arg, request);
	json_decref(request->body);
	return send_response(request->connection, &response);
}

/* libmicrohttpd calls this once when the headers are there, then for each part of the body, then
 * once with nothing. */
static enum MHD_Result on_request(void *arg, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *data,
                                  size_t *data_size, void **state)
{
	struct incoming *incoming = *state;
	struct admin_request request = { .method = method, .path = url, .connection = connection };

	(void)version;
	if (!incoming) {
		incoming = alloc_zeroed(sizeof *incoming);
		incoming->body.limit = ADMIN_BODY_BYTES_MAX;
		*state = incoming;
		return MHD_YES;
	}
	if (*data_size > 0) {
		buffer_append(&incoming->body, (struct bytes){ data, *data_size });
		*data_size = 0;
		return MHD_YES;
	}
	return answer(arg, &request, incoming);
}

static void on_end(void *arg, struct MHD_Connection *connection, void **state,
                   enum MHD_RequestTerminationCode code)
{
	struct incoming *incoming = *state;

	(void)arg;
	(void)connection;
	(void)code;
	if (!incoming)
		return;
	buffer_deinit(&incoming->body);
	alloc_free(incoming);
	*state = NULL;
}

/* A socket file that nobody answers on was left by a process that died. */
static bool is_abandoned(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool is_refused;

	if (fd < 0)
		return false;
	is_refused = connect(fd, (const struct sockaddr *)address, sizeof *address) < 0 &&
	             errno == ECONNREFUSED;
	close(fd);
	return is_refused;
}

static int listen_on(const char *path, struct err *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd;

	if (strlen(path) >= sizeof address.sun_path)
		return err_set(err, ERR_INVALID, "control socket %s: the path is too long", path);
	strcpy(address.sun_path, path);
	if (is_abandoned(&address))
		unlink(path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_system(err, "control socket %s", path);
	if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || chmod(path, 0660) < 0 ||
	    listen(fd, ADMIN_CONNECTIONS_MAX) < 0) {
		err_system(err, "control socket %s", path);
		close(fd);
		return ERR_SYSTEM;
	}
	return fd;
}

int admin_start(const char *socket_path,
                struct admin_response (*handle)(void *arg, const struct admin_request *request),
                void *arg, struct admin **admin_out, struct err *err)
{
	struct admin *admin;
	int fd = listen_on(socket_path, err);

	if (fd < 0)
		return fd;
	admin = alloc_zeroed(sizeof *admin);
	strcpy(admin->path, socket_path);
	admin->handle = handle;
	admin->arg = arg;
	admin->daemon = MHD_start_daemon(
		MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD, 0, NULL, NULL,
		on_request, admin, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT,
		ADMIN_CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT, 120,
		MHD_OPTION_NOTIFY_COMPLETED, on_end, NULL, MHD_OPTION_END);
	if (!admin->daemon) {
		close(fd);
		unlink(socket_path);
		alloc_free(admin);
		return err_set(err, ERR_SYSTEM, "control socket %s: the HTTP server did not start",
		               socket_path);
	}
	*admin_out = admin;
	return 0;
}

void admin_stop(struct admin *admin)
{
	if (!admin)
		return;
	MHD_stop_daemon(admin->daemon);
	unlink(admin->path);
	alloc_free(admin);
}
