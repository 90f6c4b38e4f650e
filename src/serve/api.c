#include "serve/api.h"
#include "base/alloc.h"
#include "base/units.h"
#include "serve/console.h"
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *method, *path; /* {} stands for one segment */
	api_handler *handle;
} routes[] = {
	{ "GET", "/v1/status", api_status },
	{ "GET", "/v1/messages", api_list_messages },
	{ "POST", "/v1/messages/actions", api_act },
	{ "POST", "/v1/messages/deadlines", api_deadlines },
	{ "GET", "/v1/messages/{}", api_explain_message },
	{ "GET", "/v1/messages/{}/notice", api_show_notice },
	{ "GET", "/v1/vault", api_list_vault },
	{ "POST", "/v1/vault/resend", api_resend },
	{ "POST", "/v1/vault/drop", api_drop },
	{ "GET", "/v1/operations", api_operations },
	{ "POST", "/v1/operations/undo", api_undo },
	{ "GET", "/v1/destinations", api_list_destinations },
	{ "GET", "/v1/destinations/{}", api_show_destination },
	{ "POST", "/v1/destinations/{}/suspend", api_suspend },
	{ "POST", "/v1/destinations/{}/resume", api_resume },
	{ "GET", "/v1/forecast", api_forecast },
	{ "GET", "/v1/incidents", api_incidents },
	{ "GET", "/v1/alarms", api_alarms },
	{ "GET", "/v1/trend", api_trend },
	{ "POST", "/v1/check", api_check },
	{ "POST", "/v1/reputation", api_reputation },
	{ "GET", "/v1/codes", api_list_codes },
	{ "GET", "/v1/codes/{}", api_show_code },
	{ "GET", "/v1/schedules", api_schedules },
	{ "GET", "/v1/config", api_show_config },
	{ "POST", "/v1/config/compare", api_compare_config },
	{ "POST", "/v1/config/reload", api_reload },
};

/* Matches `path` against a pattern; what {} stands for is copied to `name`. */
static bool path_matches(const char *pattern, const char *path, char name[300])
{
	const char *hole = strstr(pattern, "{}");
	size_t length;

	if (!hole)
		return strcmp(pattern, path) == 0;
	if (strncmp(pattern, path, (size_t)(hole - pattern)) != 0)
		return false;
	path += hole - pattern;
	length = strcspn(path, "/");
	if (length == 0 || length >= 300 || strcmp(hole + 2, path + length) != 0)
		return false;
	memcpy(name, path, length);
	name[length] = '\0';
	return true;
}

struct admin_response server_handle(void *arg, const struct admin_request *request)
{
	const struct admin_page *page = console_find(request->path);
	bool is_known_path = false;
	char name[300] = "";

	if (page && strcmp(request->method, "GET") == 0)
		return (struct admin_response){ .status = 200, .page = page };
	for (size_t i = 0; i < COUNT(routes); i++) {
		if (!path_matches(routes[i].path, request->path, name))
			continue;
		if (strcmp(routes[i].method, request->method) == 0)
			return routes[i].handle(arg, request, name);
		is_known_path = true;
	}
	if (is_known_path)
		return admin_problem(405, "%s is not possible on %s", request->method,
		                     request->path);
	return admin_problem(404, "there is no %s", request->path);
}

static const char *filter_text(const struct admin_request *request, json_t *object,
                               const char *name)
{
	return object ? json_string_value(json_object_get(object, name))
	              : admin_query(request, name);
}

void api_filter_read(const struct admin_request *request, json_t *object, struct api_filter *out)
{
	struct filter *filter = &out->filter;
	const char *cause = filter_text(request, object, "cause");
	const char *state = filter_text(request, object, "state");
	const char *older = filter_text(request, object, "older");

	*out = (struct api_filter){ 0 };
	filter->from = bytes_of(filter_text(request, object, "from"));
	filter->to = bytes_of(filter_text(request, object, "to"));
	filter->destination = bytes_of(filter_text(request, object, "destination"));
	filter->site = bytes_of(filter_text(request, object, "site"));
	filter->has_cause = cause != NULL;
	filter->has_state = state != NULL;
	if (cause && !cause_parse(bytes_of(cause), &filter->cause))
		snprintf(out->problem, sizeof out->problem, "cause: \"%.100s\" is none", cause);
	if (state && !recipient_state_parse(bytes_of(state), &filter->state))
		snprintf(out->problem, sizeof out->problem, "state: \"%.100s\" is none", state);
	if (older && !duration_parse(bytes_of(older), &filter->older_us))
		snprintf(out->problem, sizeof out->problem, "older: \"%.100s\" is no duration",
		         older);
}

bool api_filter_has_addresses(const struct filter *filter)
{
	return filter->from.len > 0 || filter->to.len > 0;
}

bool api_message_matches(const struct filter *filter, const struct message *message)
{
	if (filter->from.len > 0 && bytes_find_nocase(message->sender, filter->from) < 0)
		return false;
	if (filter->to.len == 0)
		return true;
	for (uint32_t i = 0; i < message->recipient_count; i++)
		if (bytes_find_nocase(message->recipients[i].address, filter->to) >= 0)
			return true;
	return false;
}

json_t *api_time(int64_t unix_us)
{
	struct buffer text = { 0 };
	json_t *value;

	if (unix_us == 0)
		return json_null();
	date_format_iso(&text, unix_us);
	value = json_stringn(text.at, text.len);
	buffer_deinit(&text);
	return value;
}

json_t *api_bytes(struct bytes text)
{
	json_t *value = json_stringn(text.at ? text.at : "", text.len);
	struct buffer safe = { 0 };

	if (value)
		return value;
	for (size_t i = 0; i < text.len; i++)
		buffer_append_char(&safe, (unsigned char)text.at[i] < 128 ? text.at[i] : '?');
	value = json_stringn(safe.at, safe.len);
	buffer_deinit(&safe);
	return value;
}

json_t *api_ledger(const struct ledger *ledger)
{
	json_t *object = json_object();

	for (int i = 0; i < CAUSE_COUNT; i++)
		if (ledger->seconds[i] > 0)
			json_object_set_new(object, cause_name((enum cause)i),
			                    json_integer(ledger->seconds[i]));
	return object;
}

json_t *api_outcome(const struct outcome *outcome)
{
	json_t *object;
	char status[16];

	if (!outcome)
		return json_null();
	outcome_status(outcome, status);
	object = json_pack("{s:s, s:s, s:s, s:i, s:s, s:i, s:b}", "result",
	                   result_name(outcome->result), "cause", cause_name(outcome->cause),
	                   "phase", phase_name(outcome->phase), "code", outcome->code, "status",
	                   status, "duration_ms", (int)outcome->duration_ms, "duplicate_possible",
	                   (int)outcome->is_duplicate_possible);
	json_object_set_new(object, "host", api_bytes(bytes_of(outcome->host)));
	json_object_set_new(object, "address", api_bytes(bytes_of(outcome->address)));
	json_object_set_new(object, "tls", api_bytes(bytes_of(outcome->tls)));
	json_object_set_new(object, "verified", json_boolean(outcome->is_verified));
	json_object_set_new(object, "text", api_bytes(bytes_of(outcome->text)));
	return object;
}

void api_audit(struct server *server, const struct admin_request *request, int64_t count)
{
	char *body = request->body ? json_dumps(request->body, JSON_COMPACT) : NULL;
	struct operation_entry entry = { request->path, body, request->uid, count };

	keeper_log_operation(server->keeper, &entry);
	free(body);
}
