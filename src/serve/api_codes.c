/* The knowledge base: what replies and status codes mean. */
#include "base/alloc.h"
#include "serve/api.h"
#include "serve/code.h"

#define FOUND_MAX 50

static json_t *list_json(const char *const *lines)
{
	json_t *list = json_array();

	for (; *lines; lines++)
		json_array_append_new(list, json_string(*lines));
	return list;
}

/* What a list of codes shows. */
static json_t *head_json(const struct knowledge_entry *entry)
{
	static const char *const kinds[] = { "reply", "status", "provider" };

	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "key", entry->key, "title",
	                 entry->title, "kind", kinds[entry->kind], "bounce",
	                 knowledge_bounce_name(entry->bounce), "severity",
	                 knowledge_severity_name(entry->severity), "category", entry->category,
	                 "standard", entry->standard, "provider", entry->provider);
}

json_t *code_json(const struct knowledge_entry *entry)
{
	json_t *object = head_json(entry), *questions = json_array();

	for (const struct knowledge_section *section = knowledge_sections; section->heading;
	     section++)
		json_object_set_new(object, section->name, list_json(section->lines(entry)));
	for (const struct knowledge_question *q = entry->questions; q->question; q++)
		json_array_append_new(questions, json_pack("{s:s, s:s}", "question", q->question,
		                                           "answer", q->answer));
	json_object_set_new(object, "questions", questions);
	json_object_set_new(object, "aliases", list_json(entry->aliases));
	json_object_set_new(object, "replies", list_json(entry->replies));
	json_object_set_new(object, "related", list_json(entry->related));
	return object;
}

struct admin_response api_list_codes(struct server *server, const struct admin_request *request,
                                     const char *name)
{
	const struct knowledge_entry *found[FOUND_MAX];
	const char *words = admin_query(request, "search");
	json_t *list = json_array();
	size_t count;

	(void)server;
	(void)name;
	count = words ? knowledge_search(bytes_of(words), found, FOUND_MAX) : knowledge_count();
	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, head_json(words ? found[i] : knowledge_at(i)));
	return (struct admin_response){ .status = 200, .body = json_pack("{s:o}", "codes", list) };
}

struct admin_response api_show_code(struct server *server, const struct admin_request *request,
                                    const char *name)
{
	const struct knowledge_entry *entry = knowledge_find(bytes_of(name));
	struct admin_response response = { .status = 200 };
	struct arena *arena = arena_create(0);
	struct knowledge_entry composed;
	int status[3];

	(void)server;
	(void)request;
	if (!entry && knowledge_parse_status(bytes_of(name), status)) {
		knowledge_compose(arena, status, &composed);
		entry = &composed;
	}
	if (entry)
		response.body = code_json(entry);
	else
		response = admin_problem(404, "there is no code \"%.50s\"", name);
	arena_destroy(arena);
	return response;
}
