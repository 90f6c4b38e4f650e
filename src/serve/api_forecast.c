/* What will expire if nothing changes, and the times at which sites kept mail waiting. */
#include "base/units.h"
#include "queue/forecast_view.h"
#include "serve/api.h"
#include <string.h>

static const char *const horizons[FORECAST_HORIZONS] = { "1h", "6h", "24h" };

struct forecast {
	json_t *sites;
	uint64_t expiring[FORECAST_HORIZONS], expiring_bytes[FORECAST_HORIZONS], too_many;
	int64_t at_us;
};

static json_t *numbers_json(const uint64_t numbers[FORECAST_HORIZONS])
{
	json_t *object = json_object();

	for (int i = 0; i < FORECAST_HORIZONS; i++)
		json_object_set_new(object, horizons[i], json_integer((json_int_t)numbers[i]));
	return object;
}

static json_t *odds_json(const int percents[FORECAST_HORIZONS])
{
	json_t *object = json_object();

	if (percents[FORECAST_HORIZONS - 1] < 0) {
		json_decref(object);
		return json_null();
	}
	for (int i = 0; i < FORECAST_HORIZONS; i++)
		json_object_set_new(object, horizons[i], json_integer(percents[i]));
	return object;
}

static json_int_t per_hour(int64_t gap_us)
{
	return gap_us > 0 ? (US_PER_HOUR + gap_us - 1) / gap_us : 0;
}

/* The one thing that would save most of it, as a command or a change of the configuration. */
static json_t *remedy(const struct forecast_view *view)
{
	struct bytes domain = view->domain;
	const char *option = domain.len > 0 ? "destination" : "site";
	const char *name = domain.len > 0 ? domain.at : view->site;
	int name_len = domain.len > 0 ? (int)domain.len : (int)strlen(view->site);

	if (view->expiring[FORECAST_HORIZONS - 1] == 0 && view->too_many == 0)
		return json_null();
	if (view->cause == CAUSE_SUSPENDED)
		return json_string("outlast resume, for the destinations that are suspended");
	if (view->too_many > 0 && view->limit == LIMIT_RATE)
		return json_sprintf("raise the configured rate to %lld/h, if the site takes it",
		                    (long long)per_hour(view->needed_gap_us));
	return json_sprintf("outlast extend --%s \"%.*s\" --by 24h", option, name_len, name);
}

static void add_site(void *arg, const struct forecast_view *view)
{
	struct forecast *forecast = arg;
	json_t *object = json_pack(
		"{s:s, s:o, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I}", "site", view->site,
		"destination", api_bytes(view->domain), "state",
		view->state == SITE_NEVER ? "unresolved" : site_state_name(view->state), "cause",
		cause_name(view->cause), "limit", site_limit_name(view->limit), "waiting",
		(json_int_t)view->waiting, "not_counted", (json_int_t)view->stopped, "no_window",
		(json_int_t)view->too_many, "per_hour", per_hour(view->gap_us), "needed_per_hour",
		per_hour(view->needed_gap_us));

	json_object_set_new(object, "expiring", numbers_json(view->expiring));
	json_object_set_new(object, "expiring_bytes", numbers_json(view->expiring_bytes));
	json_object_set_new(object, "odds_percent", odds_json(view->odds_percent));
	json_object_set_new(object, "remedy", remedy(view));
	json_array_append_new(forecast->sites, object);
	forecast->too_many += view->too_many;
	for (int i = 0; i < FORECAST_HORIZONS; i++) {
		forecast->expiring[i] += view->expiring[i];
		forecast->expiring_bytes[i] += view->expiring_bytes[i];
	}
}

static void take_forecast(void *arg, struct queue *queue, struct actions *actions)
{
	struct forecast *forecast = arg;

	(void)actions;
	forecast->at_us = queue_forecast(queue, clock_now_us(), add_site, forecast);
}

struct admin_response api_forecast(struct server *server, const struct admin_request *request,
                                   const char *name)
{
	struct forecast forecast = { .sites = json_array() };

	(void)request;
	(void)name;
	keeper_ask(server->keeper, take_forecast, &forecast);
	return (struct admin_response){
		.status = 200,
		.body = json_pack("{s:o, s:o, s:o, s:I, s:o}", "at", api_time(forecast.at_us),
		                  "expiring", numbers_json(forecast.expiring), "expiring_bytes",
		                  numbers_json(forecast.expiring_bytes), "no_window",
		                  (json_int_t)forecast.too_many, "sites", forecast.sites)
	};
}

static void add_incident(void *arg, const char *site, struct bytes domain,
                         const struct incident *incident)
{
	int64_t end_us = incident->end_us ? incident->end_us : clock_now_us();
	json_t *object = json_pack("{s:s, s:o, s:s, s:I, s:i, s:i, s:i}", "site", site,
	                           "destination", api_bytes(domain), "cause",
	                           cause_name(incident->cause), "seconds",
	                           (json_int_t)((end_us - incident->start_us) / US_PER_SECOND),
	                           "hurt", (int)incident->hurt, "expired", (int)incident->expired,
	                           "recovered", (int)incident->recovered);

	json_object_set_new(object, "start", api_time(incident->start_us));
	json_object_set_new(object, "end", api_time(incident->end_us));
	json_array_append_new(arg, object);
}

static void take_incidents(void *arg, struct queue *queue, struct actions *actions)
{
	(void)actions;
	queue_each_incident(queue, add_incident, arg);
}

struct admin_response api_incidents(struct server *server, const struct admin_request *request,
                                    const char *name)
{
	json_t *list = json_array();

	(void)request;
	(void)name;
	keeper_ask(server->keeper, take_incidents, list);
	return (struct admin_response){ .status = 200,
		                        .body = json_pack("{s:o}", "incidents", list) };
}

struct admin_response api_alarms(struct server *server, const struct admin_request *request,
                                 const char *name)
{
	(void)request;
	(void)name;
	return (struct admin_response){
		.status = 200, .body = json_pack("{s:o}", "alarms", alarms_json(server->alarms))
	};
}
