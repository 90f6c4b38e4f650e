#include "base/alloc.h"
#include "base/units.h"
#include "mail/charset.h"
#include "mail/header.h"
#include "serve/api.h"
#include "serve/errand.h"
#include <stdlib.h>
#include <string.h>

#define PAGE_DEFAULT 100
#define PAGE_MAX     1000
#define SCAN_SLICE   20000 /* messages that the keeper looks at before it turns to other work */
#define SEARCH_US    US_PER_SECOND /* addresses are on disk: what was found by then is the answer */

static json_t *recipient_json(const struct recipient_view *view)
{
	json_t *object = json_pack("{s:i, s:s, s:s, s:s, s:i, s:b}", "index", (int)view->recipient,
	                           "site", view->site, "state", recipient_state_name(view->state),
	                           "cause", cause_name(view->cause), "attempts",
	                           (int)view->attempts, "notified", (int)view->is_notified);

	json_object_set_new(object, "destination", api_bytes(view->domain));
	json_object_set_new(object, "since", api_time(view->since_us));
	json_object_set_new(object, "next", api_time(view->next_us));
	json_object_set_new(object, "deadline", api_time(view->deadline_us));
	json_object_set_new(object, "ledger", api_ledger(&view->ledger));
	return object;
}

static json_t *message_json(const struct message_view *view)
{
	json_t *recipients = json_array();
	char id[ID_TEXT_LENGTH + 1];

	id_format(view->id, id);
	for (uint32_t i = 0; i < view->recipient_count; i++)
		json_array_append_new(recipients, recipient_json(&view->recipients[i]));
	return json_pack("{s:s, s:o, s:I, s:b, s:o}", "id", id, "arrived",
	                 api_time(view->arrived_us), "size", (json_int_t)view->size_bytes, "notice",
	                 (int)view->is_notice, "recipients", recipients);
}

/* Adds what only the disk knows: who it is from, and the recipients' addresses. */
static void add_addresses(json_t *object, const struct message *message)
{
	json_t *recipients = json_object_get(object, "recipients"), *recipient;
	size_t i;

	json_object_set_new(object, "sender", api_bytes(message->sender));
	json_array_foreach(recipients, i, recipient)
	{
		json_int_t index = json_integer_value(json_object_get(recipient, "index"));

		if (index < (json_int_t)message->recipient_count)
			json_object_set_new(recipient, "address",
			                    api_bytes(message->recipients[index].address));
	}
}

/* One slice of the queue, taken on the keeper's thread. */
struct slice {
	const struct filter *filter;
	uint64_t cursor;
	size_t wanted, count;
	uint64_t ids[PAGE_MAX];
	bool wants_views;
	json_t *views;
};

static void take_slice(void *arg, struct queue *queue, struct actions *actions)
{
	struct slice *slice = arg;
	int64_t now_us = clock_now_us();
	struct arena *arena;

	(void)actions;
	slice->count = queue_list(queue, slice->filter, now_us, slice->wanted, SCAN_SLICE,
	                          &slice->cursor, slice->ids);
	if (!slice->wants_views)
		return;
	arena = arena_create(0);
	slice->views = json_array();
	for (size_t i = 0; i < slice->count; i++) {
		struct message_view view;

		if (queue_view_message(queue, slice->ids[i], now_us, arena, &view))
			json_array_append_new(slice->views, message_json(&view));
	}
	arena_destroy(arena);
}

/* Reads the envelope; false if the message is gone meanwhile. */
static bool read_envelope(struct server *server, uint64_t id, struct spool_read *read)
{
	*read = (struct spool_read){ .id = id };
	errand_read(server->spool, keeper_mailbox(server->keeper), read);
	return read->result == 0;
}

static void read_deinit(struct spool_read *read)
{
	message_release(read->message);
	buffer_deinit(&read->state);
	buffer_deinit(&read->history);
}

static void add_matching(struct server *server, struct slice *slice, json_t *messages)
{
	json_t *object;
	size_t i;

	json_array_foreach(slice->views, i, object)
	{
		struct spool_read read;
		uint64_t id;

		id_parse(bytes_of(json_string_value(json_object_get(object, "id"))), &id);
		if (read_envelope(server, id, &read) &&
		    api_message_matches(slice->filter, read.message)) {
			add_addresses(object, read.message);
			json_array_append(messages, object);
		}
		read_deinit(&read);
	}
	json_decref(slice->views);
	slice->views = NULL;
}

struct admin_response api_list_messages(struct server *server, const struct admin_request *request,
                                        const char *name)
{
	const char *limit_text = admin_query(request, "limit");
	const char *cursor_text = admin_query(request, "cursor");
	int64_t end_us = clock_now_us() + SEARCH_US;
	uint64_t limit = PAGE_DEFAULT;
	struct slice *slice;
	struct api_filter filter;
	json_t *messages, *body;

	(void)name;
	api_filter_read(request, NULL, &filter);
	if (filter.problem[0])
		return admin_problem(400, "%s", filter.problem);
	if (limit_text &&
	    (!bytes_parse_u64(bytes_of(limit_text), &limit) || limit == 0 || limit > PAGE_MAX))
		return admin_problem(400, "limit: \"%.50s\" is not 1..%d", limit_text, PAGE_MAX);
	slice = alloc_zeroed(sizeof *slice);
	slice->filter = &filter.filter;
	slice->wants_views = true;
	if (cursor_text && !bytes_parse_u64(bytes_of(cursor_text), &slice->cursor)) {
		alloc_free(slice);
		return admin_problem(400, "cursor: \"%.50s\" is none of ours", cursor_text);
	}
	messages = json_array();
	do {
		slice->wanted = limit - json_array_size(messages);
		keeper_ask(server->keeper, take_slice, slice);
		add_matching(server, slice, messages);
	} while (slice->cursor != 0 && json_array_size(messages) < limit &&
	         clock_now_us() < end_us);
	body = json_pack("{s:o}", "messages", messages);
	if (slice->cursor != 0)
		json_object_set_new(body, "cursor",
		                    json_sprintf("%llu", (unsigned long long)slice->cursor));
	alloc_free(slice);
	return (struct admin_response){ .status = 200, .body = body };
}

json_t *api_subject(const struct message *message)
{
	struct bytes header = bytes_first(message->body.data, message->header_bytes);
	struct buffer subject = { 0 };
	struct header_field field;
	json_t *value;

	if (!header_find(header, bytes_of("Subject"), &field))
		return json_null();
	charset_decode_words(bytes_trim(field.value), &subject);
	value = api_bytes(buffer_bytes(&subject));
	buffer_deinit(&subject);
	return value;
}

static void add_history(json_t *object, const struct spool_read *read)
{
	json_t *attempts = json_array();
	struct history history = { 0 };

	if (history_decode(buffer_bytes(&read->history), &history, NULL) == 0) {
		for (uint32_t i = 0; i < history.count; i++) {
			json_t *attempt = api_outcome(&history.attempts[i].outcome);

			json_object_set_new(attempt, "at", api_time(history.attempts[i].at_us));
			json_object_set_new(attempt, "index",
			                    json_integer(history.attempts[i].recipient));
			json_array_append_new(attempts, attempt);
		}
		json_object_set_new(object, "attempts_left_out", json_integer(history.dropped));
	}
	json_object_set_new(object, "attempts", attempts);
	history_deinit(&history);
}

struct one_view {
	uint64_t id;
	json_t *object; /* NULL: no such message */
};

static void take_view(void *arg, struct queue *queue, struct actions *actions)
{
	struct one_view *one = arg;
	struct arena *arena = arena_create(0);
	struct message_view view;

	(void)actions;
	if (queue_view_message(queue, one->id, clock_now_us(), arena, &view))
		one->object = message_json(&view);
	arena_destroy(arena);
}

struct admin_response api_explain_message(struct server *server,
                                          const struct admin_request *request, const char *name)
{
	struct one_view one = { 0 };
	struct spool_read read;

	(void)request;
	if (!id_parse(bytes_of(name), &one.id))
		return admin_problem(400, "\"%s\" is no message id: 13 letters and digits", name);
	keeper_ask(server->keeper, take_view, &one);
	if (!one.object)
		return admin_problem(404, "message %s is not in the queue", name);
	if (read_envelope(server, one.id, &read)) {
		add_addresses(one.object, read.message);
		json_object_set_new(one.object, "client", api_bytes(read.message->client));
		json_object_set_new(one.object, "subject", api_subject(read.message));
		add_history(one.object, &read);
	}
	read_deinit(&read);
	return (struct admin_response){ .status = 200, .body = one.object };
}

/* Actions on messages: one by id, or all that a filter matches, slice by slice. */

static const struct {
	const char *name;
	enum command_kind kind;
} commands[] = {
	{ "retry", COMMAND_RETRY },   { "hold", COMMAND_HOLD },     { "release", COMMAND_RELEASE },
	{ "cancel", COMMAND_CANCEL }, { "expire", COMMAND_EXPIRE },
};

struct act {
	struct server *server;
	enum command_kind kind;
	const struct filter *filter;
	bool is_dry_run;
	uint64_t *ids;
	size_t count;
	uint64_t matched;
};

static void run_commands(void *arg, struct queue *queue, struct actions *actions)
{
	struct act *act = arg;

	for (size_t i = 0; i < act->count; i++) {
		struct event event = { .kind = EVENT_COMMAND };

		event.command.kind = act->kind;
		event.command.id = act->ids[i];
		event.command.filter = act->filter;
		queue_step(queue, &event, clock_now_us(), actions);
	}
}

bool api_addresses_match(struct server *server, const struct filter *filter, uint64_t id)
{
	struct spool_read read;
	bool matches = read_envelope(server, id, &read) &&
	               api_message_matches(filter, read.message);

	read_deinit(&read);
	return matches;
}

static void act_on(struct act *act, const struct filter *filter, uint64_t *ids, size_t count)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++)
		if (!api_filter_has_addresses(filter) ||
		    api_addresses_match(act->server, filter, ids[i]))
			ids[kept++] = ids[i];
	act->ids = ids;
	act->filter = filter;
	act->count = kept;
	act->matched += kept;
	if (!act->is_dry_run && kept > 0)
		keeper_ask(act->server->keeper, run_commands, act);
	act->ids = NULL;
}

static void act_on_filter(struct act *act, const struct filter *filter)
{
	struct slice *slice = alloc_zeroed(sizeof *slice);

	slice->filter = filter;
	slice->wanted = PAGE_MAX;
	do {
		keeper_ask(act->server->keeper, take_slice, slice);
		act_on(act, filter, slice->ids, slice->count);
	} while (slice->cursor != 0);
	alloc_free(slice);
}

static struct admin_response act_on_id(struct act *act, const char *text)
{
	static const struct filter everything;
	struct one_view one = { 0 };

	if (!id_parse(bytes_of(text), &one.id))
		return admin_problem(400, "id: \"%.50s\" is none: 13 letters and digits", text);
	keeper_ask(act->server->keeper, take_view, &one);
	if (!one.object)
		return admin_problem(404, "message %s is not in the queue", text);
	json_decref(one.object);
	act_on(act, &everything, &one.id, 1);
	return (struct admin_response){ .status = 200 };
}

static const char *read_command(json_t *body, struct act *act)
{
	const char *name = json_string_value(json_object_get(body, "action"));

	for (size_t i = 0; i < COUNT(commands); i++) {
		if (!name || strcmp(name, commands[i].name) != 0)
			continue;
		act->kind = commands[i].kind;
		return NULL;
	}
	return "action: one of retry, hold, release, cancel, expire is needed";
}

struct admin_response api_act(struct server *server, const struct admin_request *request,
                              const char *name)
{
	struct act act = { .server = server };
	json_t *filter_object = json_object_get(request->body, "filter");
	const char *id = json_string_value(json_object_get(request->body, "id"));
	const char *problem = read_command(request->body, &act);
	struct admin_response response = { .status = 200 };
	struct api_filter filter;

	(void)name;
	if (problem)
		return admin_problem(400, "%s", problem);
	act.is_dry_run = json_is_true(json_object_get(request->body, "dry_run"));
	if (!id == !filter_object)
		return admin_problem(400, "either an id or a filter is needed");
	if (id) {
		response = act_on_id(&act, id);
	} else {
		api_filter_read(request, filter_object, &filter);
		if (filter.problem[0])
			return admin_problem(400, "%s", filter.problem);
		act_on_filter(&act, &filter.filter);
	}
	if (response.status == 200 && !act.is_dry_run)
		api_audit(server, request, (int64_t)act.matched);
	if (response.status == 200)
		response.body = json_pack("{s:I, s:b}", "matched", (json_int_t)act.matched,
		                          "dry_run", (int)act.is_dry_run);
	return response;
}
