/* The delay notice that a message's sender would get now, as its reader sees it. */
#include "base/alloc.h"
#include "mail/mime.h"
#include "report/report.h"
#include "serve/api.h"
#include "serve/errand.h"

#define TEXT_BYTES_MAX (64 << 10)

struct preview {
	uint64_t id;
	struct arena *arena;
	struct notice notice;
	bool is_waiting; /* somebody of it waits */
};

static void take_notice(void *arg, struct queue *queue, struct actions *actions)
{
	struct preview *preview = arg;

	(void)actions;
	preview->is_waiting = queue_preview_notice(queue, preview->id, clock_now_us(),
	                                           preview->arena, &preview->notice);
}

static json_t *text_json(const struct message *notice, struct arena *arena)
{
	struct buffer text = { 0 };
	json_t *value = json_null();
	struct mime mime;

	mime_parse(notice->body.data, arena, &mime);
	for (int i = 0; i < mime.count; i++) {
		if (mime.parts[i].is_multipart || !mime_is(&mime.parts[i], "text/plain") ||
		    mime.parts[i].is_preamble)
			continue;
		mime_text(&mime.parts[i], TEXT_BYTES_MAX, &text);
		value = api_bytes(buffer_bytes(&text));
		break;
	}
	buffer_deinit(&text);
	return value;
}

static json_t *notice_json(const struct report_request *request, struct arena *arena)
{
	struct message *notice = NULL;
	json_t *object = json_object();
	bool is_made = report_make(request, &notice) == REPORT_MADE;

	json_object_set_new(object, "wanted", json_boolean(is_made));
	if (is_made) {
		json_object_set_new(object, "to", api_bytes(notice->recipients[0].address));
		json_object_set_new(object, "subject", api_subject(notice));
		json_object_set_new(object, "text", text_json(notice, arena));
	}
	message_release(notice);
	return object;
}

/* The original's history and header section are on disk. */
static struct admin_response make_notice(struct server *server, const struct preview *preview)
{
	const struct config *config = api_config_acquire(server);
	struct spool_read read = { .id = preview->id };
	struct report_request request = { .config = config,
		                          .notice = &preview->notice,
		                          .now_us = clock_now_us(),
		                          .id = preview->id };
	struct admin_response response = { .status = 200 };
	struct history history = { 0 };

	errand_read(server->spool, keeper_mailbox(server->keeper), &read);
	if (read.result == 0) {
		history_decode(buffer_bytes(&read.history), &history, NULL);
		request.message = read.message;
		request.history = &history;
		response.body = notice_json(&request, preview->arena);
	} else {
		response = admin_problem(404, "the message is gone meanwhile");
	}
	history_deinit(&history);
	message_release(read.message);
	buffer_deinit(&read.state);
	buffer_deinit(&read.history);
	config_release(config);
	return response;
}

struct admin_response api_show_notice(struct server *server, const struct admin_request *request,
                                      const char *name)
{
	struct preview preview = { .arena = arena_create(0) };
	struct admin_response response;

	(void)request;
	if (!id_parse(bytes_of(name), &preview.id)) {
		response = admin_problem(400, "\"%s\" is no message id: 13 letters and digits",
		                         name);
	} else {
		keeper_ask(server->keeper, take_notice, &preview);
		response = preview.is_waiting
		                   ? make_notice(server, &preview)
		                   : admin_problem(404, "nobody waits for message %s", name);
	}
	arena_destroy(preview.arena);
	return response;
}
