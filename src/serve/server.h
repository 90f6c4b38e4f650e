/* serve/server.h - the parts of the running daemon, for the files of this room. */
#pragma once
#include "admin/admin.h"
#include "serve/alarms.h"
#include "serve/keeper.h"

#define WORKERS_MAX 30 /* ids have room for 32 makers */

struct server {
	const char *config_path;
	const struct config *config; /* main thread only */
	const struct config
		*first_config; /* what spool and resolver were built from, and still point to */
	struct budget *budget;
	struct spool *spool;
	struct resolver *resolver;
	struct keeper *keeper;
	struct worker *workers[WORKERS_MAX];
	int worker_count;
	struct alarms *alarms;
	struct pickup *pickup;
	struct admin *admin;
	struct loop *loop; /* main's */
	int64_t started_us;
	/* Changes of deadlines (operation.c); the keeper's thread only. */
	uint64_t operation_number; /* the last one given */
	bool is_operating;
};

/* server_reload - reads the configuration again and hands it to every room; on failure the running
 * one stays in force and `problems` says why. Main thread. */
int server_reload(struct server *server, struct buffer *problems);

/* server_handle - one request of the API (api.c). Any thread without a loop. */
struct admin_response server_handle(void *arg, const struct admin_request *request);
