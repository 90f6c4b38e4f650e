/* The vault: mail that expired or was cancelled; listed, sent again, dropped. */
#include "base/alloc.h"
#include "base/units.h"
#include "queue/final.h"
#include "serve/api.h"
#include "serve/errand.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LIST_MAX      1000
#define RESEND_MAX    100000 /* in one request */
#define PROBE_WAIT_US (60 * US_PER_SECOND)
#define PROBE_LOOK_US (100 * US_PER_MS)
#define DNS_WAIT_US   (5 * US_PER_SECOND)

/* Which entries are meant. */
struct wanted {
	struct bytes domain, from, to;
	bool has_cause;
	enum cause cause;
	int64_t since_us, until_us; /* when it ended; 0: whenever */
	uint64_t id;                /* 0: any */
	size_t limit;
	uint64_t *ids; /* of those that match, but for addresses */
	size_t count;
	bool is_cut;
};

static bool matches(const struct wanted *wanted, const struct vault_entry *entry)
{
	if (wanted->id && entry->by_id.hash != wanted->id)
		return false;
	if (wanted->domain.len > 0 &&
	    !filter_matches_domain(wanted->domain, bytes_of(entry->domain)))
		return false;
	if (wanted->has_cause && entry->cause != wanted->cause)
		return false;
	return entry->ended_us >= wanted->since_us &&
	       (wanted->until_us == 0 || entry->ended_us < wanted->until_us);
}

struct search {
	struct keeper *keeper;
	struct wanted *wanted;
};

static void collect(void *arg, struct queue *queue, struct actions *actions)
{
	struct search *search = arg;
	struct wanted *wanted = search->wanted;
	const struct vault *vault = keeper_vault(search->keeper);

	(void)queue;
	(void)actions;
	for (const struct vault_entry *entry = vault_first(vault); entry;
	     entry = vault_after(vault, entry)) {
		if (!matches(wanted, entry))
			continue;
		wanted->is_cut = wanted->count == wanted->limit;
		if (wanted->is_cut)
			return;
		wanted->ids[wanted->count++] = entry->by_id.hash;
	}
}

static void find_ids(struct server *server, struct wanted *wanted)
{
	struct search search = { server->keeper, wanted };

	wanted->ids = alloc((wanted->limit + 1) * sizeof *wanted->ids);
	keeper_ask(server->keeper, collect, &search);
}

static const char *text_of(const struct admin_request *request, json_t *object, const char *name)
{
	return object ? json_string_value(json_object_get(object, name))
	              : admin_query(request, name);
}

/* A duration ago, or a date. */
static bool read_time(const char *text, int64_t *us_out)
{
	int64_t ago_us;

	if (!text || date_parse_iso(bytes_of(text), us_out))
		return true;
	if (!duration_parse(bytes_of(text), &ago_us))
		return false;
	*us_out = clock_now_us() - ago_us;
	return true;
}

/* Returns what is wrong, or NULL. */
static const char *read_wanted(const struct admin_request *request, json_t *object,
                               struct wanted *wanted)
{
	const char *cause = text_of(request, object, "cause");
	const char *id = text_of(request, object, "id");

	*wanted = (struct wanted){ .domain = bytes_of(text_of(request, object, "destination")),
		                   .from = bytes_of(text_of(request, object, "from")),
		                   .to = bytes_of(text_of(request, object, "to")),
		                   .has_cause = cause != NULL,
		                   .limit = LIST_MAX };
	if (cause && !cause_parse(bytes_of(cause), &wanted->cause))
		return "cause: there is none of that name";
	if (id && !id_parse(bytes_of(id), &wanted->id))
		return "id: 13 letters and digits";
	if (!read_time(text_of(request, object, "since"), &wanted->since_us))
		return "since: a duration such as 12h, or a date such as 2026-11-23T20:00:00Z";
	if (!read_time(text_of(request, object, "until"), &wanted->until_us))
		return "until: a duration such as 12h, or a date such as 2026-11-23T20:00:00Z";
	return NULL;
}

/* A message of the vault, from the disk. */
struct kept {
	struct spool_read read;
	struct final_recipient *recipients;
};

static void kept_deinit(struct kept *kept)
{
	message_release(kept->read.message);
	buffer_deinit(&kept->read.state);
	buffer_deinit(&kept->read.history);
	alloc_free(kept->recipients);
}

static bool kept_read(struct server *server, const struct wanted *wanted, uint64_t id,
                      bool wants_body, struct kept *kept)
{
	struct filter addresses = { .from = wanted->from, .to = wanted->to };
	const struct message *message;

	*kept = (struct kept){ .read = { .id = id, .wants_body = wants_body } };
	errand_read(server->spool, keeper_mailbox(server->keeper), &kept->read);
	message = kept->read.message;
	if (kept->read.result < 0 || !api_message_matches(&addresses, message))
		return false;
	kept->recipients = alloc_zeroed(message->recipient_count * sizeof *kept->recipients);
	return state_read_final(buffer_bytes(&kept->read.state), message->recipient_count,
	                        kept->recipients);
}

static json_t *recipients_json(const struct kept *kept)
{
	const struct message *message = kept->read.message;
	json_t *list = json_array();

	for (uint32_t i = 0; i < message->recipient_count; i++) {
		const struct final_recipient *recipient = &kept->recipients[i];
		json_t *object = json_pack("{s:o, s:s, s:s}", "address",
		                           api_bytes(message->recipients[i].address), "state",
		                           recipient_state_name(recipient->state), "cause",
		                           cause_name(recipient->cause));

		json_object_set_new(object, "ended",
		                    api_time(message->arrived_us + recipient->age_us));
		json_array_append_new(list, object);
	}
	return list;
}

static json_t *kept_json(const struct kept *kept)
{
	const struct message *message = kept->read.message;
	struct history history = { 0 };
	char id[ID_TEXT_LENGTH + 1];
	json_t *object;

	id_format(kept->read.id, id);
	object = json_pack("{s:s, s:o, s:o, s:I, s:o}", "id", id, "sender",
	                   api_bytes(message->sender), "arrived", api_time(message->arrived_us),
	                   "size", (json_int_t)message->body.size_bytes, "recipients",
	                   recipients_json(kept));
	json_object_set_new(object, "subject", api_subject(message));
	if (history_decode(buffer_bytes(&kept->read.history), &history, NULL) == 0 &&
	    history.count > 0)
		json_object_set_new(object, "last_attempt",
		                    api_outcome(&history.attempts[history.count - 1].outcome));
	history_deinit(&history);
	return object;
}

static void add_totals(void *arg, struct queue *queue, struct actions *actions)
{
	struct search *search = arg;

	(void)queue;
	(void)actions;
	search->wanted->count = vault_count(keeper_vault(search->keeper));
	search->wanted->since_us = vault_bytes(keeper_vault(search->keeper));
}

struct admin_response api_list_vault(struct server *server, const struct admin_request *request,
                                     const char *name)
{
	struct wanted wanted, totals = { 0 };
	struct search search = { server->keeper, &totals };
	const char *problem = read_wanted(request, NULL, &wanted);
	const char *limit_text = admin_query(request, "limit");
	uint64_t limit = LIST_MAX;
	json_t *list;

	(void)name;
	if (problem)
		return admin_problem(400, "%s", problem);
	if (limit_text &&
	    (!bytes_parse_u64(bytes_of(limit_text), &limit) || limit == 0 || limit > LIST_MAX))
		return admin_problem(400, "limit: \"%.50s\" is not 1..%d", limit_text, LIST_MAX);
	wanted.limit = limit;
	list = json_array();
	find_ids(server, &wanted);
	for (size_t i = 0; i < wanted.count; i++) {
		struct kept kept;

		if (kept_read(server, &wanted, wanted.ids[i], false, &kept))
			json_array_append_new(list, kept_json(&kept));
		kept_deinit(&kept);
	}
	alloc_free(wanted.ids);
	keeper_ask(server->keeper, add_totals, &search);
	return (struct admin_response){ .status = 200,
		                        .body = json_pack("{s:o, s:b, s:I, s:I}", "messages", list,
		                                          "more", (int)wanted.is_cut, "count",
		                                          (json_int_t)totals.count, "bytes",
		                                          (json_int_t)totals.since_us) };
}

/* Sending again: a new message with the same content, to those who did not get it. */

struct resend {
	struct server *server;
	struct wanted wanted;
	bool takes_cancelled;
	uint64_t sent, skipped;
	struct err err;
};

static bool is_meant(const struct resend *resend, enum recipient_state state)
{
	return state == RECIPIENT_EXPIRED ||
	       (state == RECIPIENT_CANCELLED && resend->takes_cancelled);
}

/* Our field goes in front; what the message was stays as it is. */
static void write_field(const struct kept *kept, const struct final_recipient *first,
                        struct buffer *out)
{
	char id[ID_TEXT_LENGTH + 1];

	id_format(kept->read.id, id);
	buffer_printf(out, "X-Outlast-Resent: id=%s; %s=", id,
	              first->state == RECIPIENT_EXPIRED ? "expired" : "cancelled");
	date_format_iso(out, kept->read.message->arrived_us + first->age_us);
	buffer_printf(out, "; cause=%s\r\n", cause_name(first->cause));
}

static int copy_file(const char *from, int to, struct err *err)
{
	int fd = open(from, O_RDONLY | O_CLOEXEC), result = 0;
	char part[4096];
	ssize_t count;

	if (fd < 0)
		return err_system(err, "open %s", from);
	while (result == 0 && (count = read(fd, part, sizeof part)) != 0) {
		if (count < 0 && errno != EINTR)
			result = err_system(err, "read %s", from);
		else if (count > 0 && write(to, part, (size_t)count) != count)
			result = err_system(err, "write a copy of %s", from);
	}
	close(fd);
	return result;
}

static int copy_body(struct resend *resend, const struct message *old, struct bytes field,
                     struct message *message)
{
	struct err *err = &resend->err;
	struct buffer content = { 0 };
	char path[512];
	int fd;

	message->header_bytes = old->header_bytes + (uint32_t)field.len;
	message->body.size_bytes = old->body.size_bytes + (int64_t)field.len;
	if (!old->body.path) {
		buffer_append(&content, field);
		buffer_append(&content, old->body.data);
		message->body.data = arena_copy(message->arena, buffer_bytes(&content));
		buffer_deinit(&content);
		return 0;
	}
	if (spool_body_file(resend->server->spool, path, &fd, err) < 0)
		return err->code;
	if (write(fd, field.at, field.len) != (ssize_t)field.len)
		err_system(err, "write %s", path);
	else if (copy_file(old->body.path, fd, err) == 0)
		spool_body_sync(resend->server->spool, fd, err);
	close(fd);
	if (err->code)
		unlink(path);
	message->body.path = (char *)arena_copy(message->arena, bytes_of(path)).at;
	return err->code;
}

static void copy_recipients(const struct resend *resend, const struct kept *kept,
                            struct message *message)
{
	const struct message *old = kept->read.message;

	message->recipients = arena_alloc(message->arena,
	                                  old->recipient_count * sizeof *message->recipients);
	for (uint32_t i = 0; i < old->recipient_count; i++) {
		struct recipient_address *copy = &message->recipients[message->recipient_count];

		if (!is_meant(resend, kept->recipients[i].state))
			continue;
		copy->address = arena_copy(message->arena, old->recipients[i].address);
		copy->original = arena_copy(message->arena, old->recipients[i].original);
		copy->notify = old->recipients[i].notify;
		message->recipient_count++;
	}
}

static const struct final_recipient *first_meant(const struct resend *resend,
                                                 const struct kept *kept)
{
	for (uint32_t i = 0; i < kept->read.message->recipient_count; i++)
		if (is_meant(resend, kept->recipients[i].state))
			return &kept->recipients[i];
	return NULL;
}

struct number {
	struct keeper *keeper;
	uint64_t id;
};

static void drop_number(void *arg, struct queue *queue, struct actions *actions)
{
	struct number *number = arg;

	(void)queue;
	(void)actions;
	keeper_drop(number->keeper, number->id);
}

/* The envelope and content of what is kept, for those who are meant. NULL: the content could not be
 * copied. */
static struct message *make_message(struct resend *resend, const struct kept *kept,
                                    const struct final_recipient *first, uint64_t id)
{
	const struct message *old = kept->read.message;
	struct message *message = message_create();
	struct buffer field = { 0 };
	int result;

	message->id = id;
	message->arrived_us = clock_now_us();
	message->sender = arena_copy(message->arena, old->sender);
	message->flags = old->flags & ~(uint32_t)(MESSAGE_BY_NOTIFY | MESSAGE_BY_TRACE);
	message->body_type = old->body_type;
	message->dsn_return = old->dsn_return;
	message->envelope_id = arena_copy(message->arena, old->envelope_id);
	message->priority = old->priority;
	message->client = arena_copy(message->arena, old->client);
	copy_recipients(resend, kept, message);
	write_field(kept, first, &field);
	result = copy_body(resend, old, buffer_bytes(&field), message);
	buffer_deinit(&field);
	if (result == 0)
		return message;
	message_release(message);
	return NULL;
}

/* On failure nothing is left of the new message. */
static int put_message(struct resend *resend, struct message *message)
{
	struct server *server = resend->server;

	if (errand_put(server->spool, keeper_mailbox(server->keeper), message, &resend->err) == 0) {
		keeper_post_added(server->keeper, message);
		return 0;
	}
	if (message->body.path)
		unlink(message->body.path);
	message_release(message);
	return resend->err.code;
}

/* The old one goes only when the new one is on disk: a crash in between may send twice, never lose.
 */
static int send_again(struct resend *resend, uint64_t id, uint64_t *new_id_out)
{
	struct keeper *keeper = resend->server->keeper;
	struct number old_number = { keeper, id };
	const struct final_recipient *first = NULL;
	struct message *message;
	struct kept kept;

	if (kept_read(resend->server, &resend->wanted, id, true, &kept))
		first = first_meant(resend, &kept);
	if (!first) {
		resend->skipped++;
		kept_deinit(&kept);
		return 0;
	}
	message = make_message(resend, &kept, first, keeper_new_id(keeper));
	kept_deinit(&kept);
	if (!message)
		return resend->err.code;
	*new_id_out = message->id;
	if (put_message(resend, message) < 0)
		return resend->err.code;
	keeper_ask(keeper, drop_number, &old_number);
	resend->sent++;
	return 0;
}

/* Whether a destination is back is found out with one message: the first. */

struct watch {
	uint64_t id;
	const char *domain;
	int64_t began_us;
	enum { UNKNOWN, BACK, NOT_BACK } verdict;
};

static void begin_watch(void *arg, struct queue *queue, struct actions *actions)
{
	struct watch *watch = arg;
	struct event event = { .kind = EVENT_COMMAND };

	event.command.kind = COMMAND_RETRY; /* a closed site is probed now */
	event.command.id = watch->id;
	queue_step(queue, &event, clock_now_us(), actions);
}

/* What the site, or the DNS, has said since. */
static void look_at(void *arg, struct queue *queue, struct actions *actions)
{
	struct watch *watch = arg;
	struct destination_view view;
	int64_t now_us = clock_now_us();

	(void)actions;
	if (!queue_view_destination(queue, bytes_of(watch->domain), now_us, &view))
		watch->verdict = BACK; /* nothing waits: it went out */
	else if (view.route && view.site.last_success_us >= watch->began_us)
		watch->verdict = BACK;
	else if (view.route && view.site.last_failure_us >= watch->began_us)
		watch->verdict = NOT_BACK;
	else if (*view.route_text && now_us > watch->began_us + DNS_WAIT_US)
		watch->verdict = NOT_BACK;
}

/* True when the host took the message, or refused it: it is there. */
static bool is_back(struct server *server, uint64_t id, const char *domain, int64_t began_us)
{
	struct watch watch = { .id = id, .domain = domain, .began_us = began_us };

	keeper_ask(server->keeper, begin_watch, &watch);
	for (int64_t waited_us = 0; watch.verdict == UNKNOWN && waited_us < PROBE_WAIT_US;
	     waited_us += PROBE_LOOK_US) {
		keeper_ask(server->keeper, look_at, &watch);
		if (watch.verdict == UNKNOWN)
			usleep((useconds_t)PROBE_LOOK_US);
	}
	return watch.verdict == BACK;
}

struct domain_of {
	struct keeper *keeper;
	uint64_t id;
	char domain[300];
};

static void take_domain(void *arg, struct queue *queue, struct actions *actions)
{
	struct domain_of *ask = arg;
	const struct vault_entry *entry = vault_find(keeper_vault(ask->keeper), ask->id);

	(void)queue;
	(void)actions;
	snprintf(ask->domain, sizeof ask->domain, "%s", entry ? entry->domain : "");
}

/* Domain by domain: the first message is the probe, unless forced. `refused` gets the domains that
 * are not back. */
static int send_all(struct resend *resend, bool is_forced, json_t *known, json_t *refused)
{
	for (size_t i = 0; i < resend->wanted.count; i++) {
		struct domain_of ask = { resend->server->keeper, resend->wanted.ids[i], "" };
		int64_t began_us = clock_now_us();
		uint64_t new_id = 0;
		json_t *state;

		keeper_ask(ask.keeper, take_domain, &ask);
		state = json_object_get(known, ask.domain);
		if (json_is_false(state)) {
			resend->skipped++;
			continue;
		}
		if (send_again(resend, ask.id, &new_id) < 0)
			return resend->err.code;
		if (state || is_forced || !new_id)
			continue;
		json_object_set_new(
			known, ask.domain,
			json_boolean(is_back(resend->server, new_id, ask.domain, began_us)));
		if (json_is_false(json_object_get(known, ask.domain)))
			json_array_append_new(refused, json_string(ask.domain));
	}
	return 0;
}

struct admin_response api_resend(struct server *server, const struct admin_request *request,
                                 const char *name)
{
	struct resend resend = { .server = server };
	json_t *body = request->body, *known, *refused;
	const char *problem = body ? read_wanted(request, body, &resend.wanted)
	                           : "a body is needed";
	bool is_dry_run = json_is_true(json_object_get(body, "dry_run"));
	struct admin_response response = { .status = 200 };
	int result = 0;

	(void)name;
	if (problem)
		return admin_problem(400, "%s", problem);
	resend.wanted.limit = RESEND_MAX;
	resend.takes_cancelled = resend.wanted.id != 0 ||
	                         json_is_true(json_object_get(body, "cancelled"));
	known = json_object();
	refused = json_array();
	find_ids(server, &resend.wanted);
	if (resend.wanted.id && resend.wanted.count == 0)
		response = admin_problem(404, "that message is not in the vault");
	else if (!is_dry_run)
		result = send_all(&resend, json_is_true(json_object_get(body, "force")), known,
		                  refused);
	if (result < 0)
		response = admin_problem(500, "%s", resend.err.text);
	if (!is_dry_run && resend.sent > 0) {
		errand_sync(
			server->spool,
			keeper_mailbox(server->keeper)); /* what was answered is not done twice */
		api_audit(server, request, (int64_t)resend.sent);
	}
	if (response.status == 200)
		response.body = json_pack(
			"{s:I, s:I, s:I, s:O, s:b}", "matched", (json_int_t)resend.wanted.count,
			"sent", (json_int_t)resend.sent, "left", (json_int_t)resend.skipped,
			"not_back", refused, "dry_run", (int)is_dry_run);
	alloc_free(resend.wanted.ids);
	json_decref(known);
	json_decref(refused);
	return response;
}

struct admin_response api_drop(struct server *server, const struct admin_request *request,
                               const char *name)
{
	struct wanted wanted;
	const char *problem = request->body ? read_wanted(request, request->body, &wanted)
	                                    : "a body is needed";
	uint64_t dropped = 0;

	(void)name;
	if (problem)
		return admin_problem(400, "%s", problem);
	wanted.limit = RESEND_MAX;
	find_ids(server, &wanted);
	for (size_t i = 0; i < wanted.count; i++) {
		struct number number = { server->keeper, wanted.ids[i] };
		struct kept kept;

		if (kept_read(server, &wanted, number.id, false, &kept)) {
			keeper_ask(server->keeper, drop_number, &number);
			dropped++;
		}
		kept_deinit(&kept);
	}
	alloc_free(wanted.ids);
	if (dropped > 0) {
		errand_sync(server->spool, keeper_mailbox(server->keeper));
		api_audit(server, request, (int64_t)dropped);
	}
	return (struct admin_response){
		.status = 200, .body = json_pack("{s:I}", "dropped", (json_int_t)dropped)
	};
}
