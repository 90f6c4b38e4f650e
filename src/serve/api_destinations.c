#include "base/units.h"
#include "serve/api.h"
#include <string.h>

static json_int_t per_hour(int64_t gap_us)
{
	return gap_us > 0 ? US_PER_HOUR / gap_us : 0;
}

static json_t *site_json(const struct site_view *site)
{
	json_t *object = json_pack(
		"{s:s, s:s, s:s, s:s, s:i, s:i, s:i, s:i, s:I}", "name", site->name, "route",
		site->text, "state", site_state_name(site->state), "cause", cause_name(site->cause),
		"probes", (int)site->probes, "busy", site->busy, "window", site->window,
		"connections", site->connections, "waiting", (json_int_t)site->waiting);

	json_object_set_new(object, "limit", json_string(site_limit_name(site->limit)));
	json_object_set_new(object, "rate_of", json_string(site->rate_of));
	json_object_set_new(object, "connections_of", json_string(site->connections_of));
	json_object_set_new(object, "per_hour", json_integer(per_hour(site->gap_us)));
	json_object_set_new(object, "learned_per_hour",
	                    json_integer(per_hour(site->learned_gap_us)));
	json_object_set_new(object, "learned_connections", json_integer(site->learned_connections));
	json_object_set_new(object, "greylisting_seconds",
	                    json_integer(site->greylisting_us / US_PER_SECOND));
	json_object_set_new(object, "since", api_time(site->since_us));
	json_object_set_new(object, "next_probe", api_time(site->next_probe_us));
	json_object_set_new(object, "next_message", api_time(site->next_message_us));
	json_object_set_new(object, "last_success", api_time(site->last_success_us));
	json_object_set_new(object, "last_failure_at", api_time(site->last_failure_us));
	json_object_set_new(object, "last_failure", api_outcome(site->last_failure));
	return object;
}

static json_t *counts_json(const uint64_t counts[RECIPIENT_STATES])
{
	json_t *object = json_object();

	for (int i = 0; i < RECIPIENT_STATES; i++)
		if (counts[i] > 0)
			json_object_set_new(object, recipient_state_name((enum recipient_state)i),
			                    json_integer((json_int_t)counts[i]));
	return object;
}

static json_t *causes_json(const uint64_t by_cause[CAUSE_COUNT])
{
	json_t *object = json_object();

	for (int i = 0; i < CAUSE_COUNT; i++)
		if (by_cause[i] > 0)
			json_object_set_new(object, cause_name((enum cause)i),
			                    json_integer((json_int_t)by_cause[i]));
	return object;
}

static json_t *destination_json(const struct destination_view *view)
{
	json_t *object = json_pack(
		"{s:o, s:o, s:o, s:I, s:I, s:I, s:b}", "destination", api_bytes(view->domain),
		"recipients", counts_json(view->counts), "causes", causes_json(view->by_cause),
		"delivered", (json_int_t)view->delivered, "failed", (json_int_t)view->failed,
		"expired", (json_int_t)view->expired, "suspended", (int)view->is_suspended);

	json_object_set_new(object, "oldest", api_time(view->oldest_us));
	json_object_set_new(object, "next_deadline", api_time(view->next_deadline_us));
	json_object_set_new(object, "site", view->route ? site_json(&view->site) : json_null());
	json_object_set_new(object, "dns",
	                    api_bytes(bytes_of(view->route_text ? view->route_text : "")));
	json_object_set_new(object, "next_look_up", api_time(view->next_look_up_us));
	if (view->moved_us)
		json_object_set_new(object, "moved",
		                    json_pack("{s:o, s:s, s:i}", "at", api_time(view->moved_us),
		                              "from", view->moved_from, "waiting",
		                              (int)view->moved_waiting));
	if (view->is_suspended)
		json_object_set_new(object, "suspend_reason",
		                    api_bytes(bytes_of(view->suspend_reason)));
	return object;
}

static void add_destination(void *arg, const struct destination_view *view)
{
	json_array_append_new(arg, destination_json(view));
}

static void take_destinations(void *arg, struct queue *queue, struct actions *actions)
{
	(void)actions;
	queue_each_destination(queue, clock_now_us(), add_destination, arg);
}

struct admin_response api_list_destinations(struct server *server,
                                            const struct admin_request *request, const char *name)
{
	json_t *list = json_array();

	(void)request;
	(void)name;
	keeper_ask(server->keeper, take_destinations, list);
	return (struct admin_response){ .status = 200,
		                        .body = json_pack("{s:o}", "destinations", list) };
}

struct one_destination {
	const char *domain;
	json_t *object; /* NULL: the queue knows nothing of it */
};

static void take_destination(void *arg, struct queue *queue, struct actions *actions)
{
	struct one_destination *one = arg;
	struct destination_view view;

	(void)actions;
	if (queue_view_destination(queue, bytes_of(one->domain), clock_now_us(), &view))
		one->object = destination_json(&view);
}

/* Which line of which file sets the limit that binds now; null for limits that nobody set. */
static json_t *limit_origin(struct server *server, json_t *site)
{
	const char *limit = json_string_value(json_object_get(site, "limit"));

	if (limit && strcmp(limit, "rate") == 0)
		return api_origin(server, json_string_value(json_object_get(site, "rate_of")),
		                  limit);
	if (limit && strcmp(limit, "connections") == 0)
		return api_origin(
			server, json_string_value(json_object_get(site, "connections_of")), limit);
	if (limit && strcmp(limit, "all_connections") == 0)
		return json_string("deliver.connections");
	return json_null();
}

struct admin_response api_show_destination(struct server *server,
                                           const struct admin_request *request, const char *name)
{
	struct one_destination one = { .domain = name };
	json_t *site;

	(void)request;
	keeper_ask(server->keeper, take_destination, &one);
	if (!one.object)
		return admin_problem(404, "nothing is known of destination %s", name);
	site = json_object_get(one.object, "site");
	if (json_is_object(site))
		json_object_set_new(site, "limit_set_by", limit_origin(server, site));
	return (struct admin_response){ .status = 200, .body = one.object };
}

static void run_command(void *arg, struct queue *queue, struct actions *actions)
{
	struct event event = { .kind = EVENT_COMMAND, .command = *(struct event_command *)arg };

	queue_step(queue, &event, clock_now_us(), actions);
}

struct admin_response api_suspend(struct server *server, const struct admin_request *request,
                                  const char *name)
{
	const char *reason = json_string_value(json_object_get(request->body, "reason"));
	struct event_command command = { .kind = COMMAND_SUSPEND,
		                         .domain = bytes_of(name),
		                         .reason = reason ? reason : "" };

	keeper_ask(server->keeper, run_command, &command);
	api_audit(server, request, 1);
	return (struct admin_response){
		.status = 200, .body = json_pack("{s:s, s:b}", "destination", name, "suspended", 1)
	};
}

struct admin_response api_resume(struct server *server, const struct admin_request *request,
                                 const char *name)
{
	struct event_command command = { .kind = COMMAND_RESUME, .domain = bytes_of(name) };

	keeper_ask(server->keeper, run_command, &command);
	api_audit(server, request, 1);
	return (struct admin_response){
		.status = 200, .body = json_pack("{s:s, s:b}", "destination", name, "suspended", 0)
	};
}

/* Status of the whole. */

static void take_totals(void *arg, struct queue *queue, struct actions *actions)
{
	(void)actions;
	queue_totals(queue, arg);
}

static json_t *totals_json(const struct queue_totals *totals)
{
	return json_pack("{s:I, s:o, s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "messages",
	                 (json_int_t)totals->messages, "recipients", counts_json(totals->counts),
	                 "causes", causes_json(totals->by_cause), "accepted",
	                 (json_int_t)totals->accepted, "delivered", (json_int_t)totals->delivered,
	                 "failed", (json_int_t)totals->failed, "expired",
	                 (json_int_t)totals->expired, "notices", (json_int_t)totals->notices,
	                 "destinations", (json_int_t)totals->destinations, "sites",
	                 (json_int_t)totals->sites, "sites_closed",
	                 (json_int_t)totals->sites_closed, "jobs", (json_int_t)totals->jobs);
}

static json_t *spool_json(const struct spool_status *status)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:b, s:b}", "messages",
	                 (json_int_t)status->live_count, "bytes", (json_int_t)status->live_bytes,
	                 "segments", (json_int_t)status->segment_count, "disk_bytes",
	                 (json_int_t)status->disk_bytes, "batches", (json_int_t)status->batch_count,
	                 "sync_us_last", (json_int_t)status->sync_us_last, "sync_us_max",
	                 (json_int_t)status->sync_us_max, "poisoned",
	                 (json_int_t)status->poisoned_count, "quarantined",
	                 (json_int_t)status->quarantined_count, "full", (int)status->is_full,
	                 "failed", (int)status->is_failed);
}

static json_t *worker_json(struct worker *worker)
{
	struct worker_stats stats = { 0 };

	worker_stats(worker, &stats);
	return json_pack("{s:i, s:I, s:I, s:I, s:I, s:i, s:i, s:i}", "sessions",
	                 (int)stats.receiver.sessions, "received",
	                 (json_int_t)stats.receiver.messages, "rejected",
	                 (json_int_t)stats.receiver.rejected, "connects",
	                 (json_int_t)stats.deliverer.connects, "transactions",
	                 (json_int_t)stats.deliverer.transactions, "connections",
	                 (int)stats.deliverer.connections, "idle", (int)stats.deliverer.idle,
	                 "fibers", (int)stats.fibers);
}

struct admin_response api_status(struct server *server, const struct admin_request *request,
                                 const char *name)
{
	struct queue_totals totals = { 0 };
	struct spool_status spool = { 0 };
	json_t *workers = json_array();

	(void)request;
	(void)name;
	keeper_ask(server->keeper, take_totals, &totals);
	spool_status(server->spool, &spool);
	for (int i = 0; i < server->worker_count; i++)
		json_array_append_new(workers, worker_json(server->workers[i]));
	return (struct admin_response){ .status = 200,
		                        .body = json_pack("{s:s, s:o, s:o, s:o, s:o}", "version",
		                                          OUTLAST_VERSION, "started",
		                                          api_time(server->started_us), "queue",
		                                          totals_json(&totals), "spool",
		                                          spool_json(&spool), "workers", workers) };
}
