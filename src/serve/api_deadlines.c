/* Deadlines moved: a preview, then all or nothing; undone; and what another configuration would do.
 */
#include "base/alloc.h"
#include "base/units.h"
#include "queue/preview.h"
#include "serve/api.h"
#include "serve/operation.h"
#include <string.h>

#define SLICE         1000
#define SCAN_SLICE    20000
#define AMOUNT_MAX_US (200 * US_PER_DAY) /* an extension has 31 bits of 10 ms */

/* A walk over all messages that a filter matches, slice by slice. */
struct walk {
	struct server *server;
	const struct filter *filter;
	struct preview *preview;
	struct operation *operation; /* NULL: preview only */
	uint64_t cursor, matched;
	uint64_t ids[SLICE];
	size_t count;
};

static void take_ids(void *arg, struct queue *queue, struct actions *actions)
{
	struct walk *walk = arg;

	(void)actions;
	walk->count = queue_list(queue, walk->filter, clock_now_us(), SLICE, SCAN_SLICE,
	                         &walk->cursor, walk->ids);
}

static void add_to_operation(const struct walk *walk, const struct queue *queue,
                             const struct message_view *view)
{
	for (uint32_t i = 0; i < view->recipient_count; i++) {
		const struct recipient_view *recipient = &view->recipients[i];

		if (queue_matches(queue, view->id, i, walk->filter))
			operation_add(walk->operation, view->id, i, recipient->extension_us,
			              recipient->extension_us + walk->preview->amount_us);
	}
}

static void look_at_slice(void *arg, struct queue *queue, struct actions *actions)
{
	struct arena *arena = arena_create(0);
	int64_t now_us = clock_now_us();
	struct walk *walk = arg;

	(void)actions;
	for (size_t i = 0; i < walk->count; i++) {
		struct message_view view;

		if (!queue_view_message(queue, walk->ids[i], now_us, arena, &view))
			continue;
		queue_preview(queue, walk->ids[i], walk->filter, now_us, walk->preview);
		if (walk->operation)
			add_to_operation(walk, queue, &view);
	}
	arena_destroy(arena);
}

/* Drops those whose addresses, which are on disk, do not match. */
static void keep_matching(struct walk *walk)
{
	size_t kept = 0;

	for (size_t i = 0; i < walk->count; i++)
		if (api_addresses_match(walk->server, walk->filter, walk->ids[i]))
			walk->ids[kept++] = walk->ids[i];
	walk->count = kept;
}

static void walk_slice(struct walk *walk)
{
	if (api_filter_has_addresses(walk->filter))
		keep_matching(walk);
	walk->matched += walk->count;
	keeper_ask(walk->server->keeper, look_at_slice, walk);
}

static void walk_all(struct walk *walk)
{
	do {
		keeper_ask(walk->server->keeper, take_ids, walk);
		walk_slice(walk);
	} while (walk->cursor != 0);
}

static json_t *preview_json(const struct preview *preview, uint64_t messages)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:o, s:o}", "matched", (json_int_t)messages,
	                 "recipients", (json_int_t)preview->recipients, "changed",
	                 (json_int_t)preview->changed, "expiring", (json_int_t)preview->expiring,
	                 "first_deadline", api_time(preview->first_us), "last_deadline",
	                 api_time(preview->last_us));
}

/* What is asked for; `problem` is empty when it makes sense. */
struct wish {
	int64_t amount_us;
	struct api_filter filter;
	uint64_t id; /* 0: by filter */
	bool is_dry_run, is_forced;
	char problem[300];
};

static void read_wish(const struct admin_request *request, struct wish *wish)
{
	json_t *body = request->body, *filter = json_object_get(body, "filter");
	const char *action = json_string_value(json_object_get(body, "action"));
	const char *amount = json_string_value(json_object_get(body, "amount"));
	const char *id = json_string_value(json_object_get(body, "id"));

	*wish = (struct wish){ .is_dry_run = json_is_true(json_object_get(body, "dry_run")),
		               .is_forced = json_is_true(json_object_get(body, "force")) };
	if (!amount || !duration_parse(bytes_of(amount), &wish->amount_us))
		snprintf(wish->problem, sizeof wish->problem,
		         "amount: a duration such as 12h is needed");
	else if (wish->amount_us > AMOUNT_MAX_US)
		snprintf(wish->problem, sizeof wish->problem, "amount: at most 200d");
	else if (!action || (strcmp(action, "extend") != 0 && strcmp(action, "shorten") != 0))
		snprintf(wish->problem, sizeof wish->problem,
		         "action: extend or shorten is needed");
	else if (!id == !filter)
		snprintf(wish->problem, sizeof wish->problem, "either an id or a filter is needed");
	else if (id && !id_parse(bytes_of(id), &wish->id))
		snprintf(wish->problem, sizeof wish->problem,
		         "id: \"%.50s\" is none: 13 letters and digits", id);
	if (wish->problem[0])
		return;
	if (strcmp(action, "shorten") == 0)
		wish->amount_us = -wish->amount_us;
	if (filter)
		api_filter_read(request, filter, &wish->filter);
	snprintf(wish->problem, sizeof wish->problem, "%s", wish->filter.problem);
}

static void walk_wish(const struct wish *wish, struct walk *walk)
{
	if (wish->id) {
		walk->ids[0] = wish->id;
		walk->count = 1;
		walk_slice(walk);
	} else {
		walk_all(walk);
	}
}

static json_t *head_json(const struct admin_request *request, const struct preview *preview,
                         int64_t now_us)
{
	json_t *head = json_pack("{s:o, s:I, s:I, s:I}", "at", api_time(now_us), "uid",
	                         (json_int_t)request->uid, "recipients",
	                         (json_int_t)preview->recipients, "amount_seconds",
	                         (json_int_t)(preview->amount_us / US_PER_SECOND));
	json_t *filter = json_object_get(request->body, "filter");
	json_t *id = json_object_get(request->body, "id");

	json_object_set(head, "action", json_object_get(request->body, "action"));
	json_object_set(head, filter ? "filter" : "id", filter ? filter : id);
	return head;
}

static int carry_out(struct server *server, const struct admin_request *request,
                     const struct wish *wish, struct walk *first, struct err *err)
{
	json_t *head = head_json(request, first->preview, clock_now_us());
	struct preview preview = { .amount_us = wish->amount_us };
	struct operation operation;
	struct walk *walk;
	int result = operation_begin(server, head, &operation, err);

	if (result == 0) {
		walk = alloc_zeroed(sizeof *walk);
		walk->server = server;
		walk->filter = &wish->filter.filter;
		walk->preview = &preview;
		walk->operation = &operation;
		walk_wish(wish, walk);
		alloc_free(walk);
		result = operation_commit(server, &operation, err);
	}
	if (result == 0)
		api_audit(server, request, json_integer_value(json_object_get(head, "recipients")));
	json_decref(head);
	return result;
}

struct admin_response api_deadlines(struct server *server, const struct admin_request *request,
                                    const char *name)
{
	struct admin_response response = { .status = 200 };
	struct preview preview = { 0 };
	struct err err = { 0 };
	struct walk *walk;
	struct wish wish;

	(void)name;
	read_wish(request, &wish);
	if (wish.problem[0])
		return admin_problem(400, "%s", wish.problem);
	preview.amount_us = wish.amount_us;
	walk = alloc_zeroed(sizeof *walk);
	walk->server = server;
	walk->filter = &wish.filter.filter;
	walk->preview = &preview;
	walk_wish(&wish, walk);
	if (wish.id && preview.recipients == 0)
		response = admin_problem(404, "that message is not in the queue");
	else if (!wish.is_dry_run && !wish.is_forced && preview.expiring > 0)
		response = admin_problem(409,
		                         "%llu of %llu recipients would expire at once; nothing "
		                         "was changed",
		                         (unsigned long long)preview.expiring,
		                         (unsigned long long)preview.recipients);
	else if (!wish.is_dry_run && carry_out(server, request, &wish, walk, &err) < 0)
		response = admin_problem(err.code == ERR_BUSY ? 409 : 500, "%s", err.text);
	if (response.status == 200) {
		response.body = preview_json(&preview, walk->matched);
		json_object_set_new(response.body, "dry_run", json_boolean(wish.is_dry_run));
	}
	alloc_free(walk);
	return response;
}

struct admin_response api_undo(struct server *server, const struct admin_request *request,
                               const char *name)
{
	json_int_t number = json_integer_value(json_object_get(request->body, "number"));
	struct err err = { 0 };
	uint64_t count = 0;

	(void)name;
	if (number < 0)
		return admin_problem(400, "number: the number of an operation is needed");
	if (operation_undo(server, (uint64_t)number, &count, &err) < 0)
		return admin_problem(err.code == ERR_NOT_FOUND ? 404
		                     : err.code == ERR_BUSY    ? 409
		                                               : 500,
		                     "%s", err.text);
	api_audit(server, request, (int64_t)count);
	return (struct admin_response){
		.status = 200, .body = json_pack("{s:I}", "recipients", (json_int_t)count)
	};
}

struct admin_response api_operations(struct server *server, const struct admin_request *request,
                                     const char *name)
{
	(void)request;
	(void)name;
	return (struct admin_response){
		.status = 200, .body = json_pack("{s:o}", "operations", operation_list(server))
	};
}

/* Another configuration: what changes in it, and what that does to queued mail. */

struct difference {
	const struct config *other;
	json_t *keys; /* of the one in force: path -> value */
	json_t *changes;
};

static void keep_value(void *arg, const char *path, const char *value, const char *origin)
{
	(void)origin;
	json_object_set_new(arg, path, api_bytes(bytes_of(value)));
}

static void compare_value(void *arg, const char *path, const char *value, const char *origin)
{
	struct difference *difference = arg;
	json_t *now = json_object_get(difference->keys, path);
	const char *text = json_string_value(now);

	if (!text || strcmp(text, value) != 0)
		json_array_append_new(difference->changes,
		                      json_pack("{s:s, s:s?, s:o, s:s}", "key", path, "now", text,
		                                "then", api_bytes(bytes_of(value)), "origin",
		                                origin));
	json_object_del(difference->keys, path);
}

static json_t *compare(struct server *server, const struct config *other)
{
	const struct config *config = api_config_acquire(server);
	struct difference difference = { other, json_object(), json_array() };
	const char *path;
	json_t *value;

	config_walk(config, keep_value, difference.keys);
	config_walk(other, compare_value, &difference);
	json_object_foreach(difference.keys, path, value) json_array_append_new(
		difference.changes,
		json_pack("{s:s, s:O, s:n, s:n}", "key", path, "now", value, "then", "origin"));
	json_decref(difference.keys);
	config_release(config);
	return difference.changes;
}

struct admin_response api_compare_config(struct server *server, const struct admin_request *request,
                                         const char *name)
{
	static const struct filter everything;
	const char *text = json_string_value(json_object_get(request->body, "text"));
	struct buffer problems = { 0 };
	struct preview preview = { 0 };
	struct config *config = NULL;
	struct walk *walk;
	json_t *body;
	int result;

	(void)name;
	result = text ? config_parse("new", bytes_of(text), &config, &problems)
	              : config_load(server->config_path, &config, &problems);
	if (result < 0) {
		struct admin_response response = admin_problem(
			400, "%.*s", BYTES_FORMAT(bytes_trim(buffer_bytes(&problems))));

		buffer_deinit(&problems);
		return response;
	}
	preview.config = config;
	walk = alloc_zeroed(sizeof *walk);
	walk->server = server;
	walk->filter = &everything;
	walk->preview = &preview;
	walk_all(walk);
	body = preview_json(&preview, walk->matched);
	json_object_set_new(body, "keys", compare(server, config));
	alloc_free(walk);
	config_release(config);
	buffer_deinit(&problems);
	return (struct admin_response){ .status = 200, .body = body };
}
