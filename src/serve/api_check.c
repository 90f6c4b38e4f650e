/* What `outlast check` and `outlast reputation` find out, from here: with this relay's names,
 * addresses and resolver. They run on the request's own thread. */
#include "base/alloc.h"
#include "base/arena.h"
#include "base/units.h"
#include "check/inspection_json.h"
#include "check/reputation_json.h"
#include "serve/api.h"
#include <stdatomic.h>

#define TIME_US      (30 * US_PER_SECOND)
#define SERVER_SHARE 3 /* of the time in all, for one server */
#define AT_ONCE_MAX  4

static atomic_int under_way;

/* One of a few: each may open dozens of connections. */
static struct admin_response limited(struct admin_response (*find)(const struct config *config,
                                                                   const char *target),
                                     struct server *server, const struct admin_request *request)
{
	const char *target = json_string_value(json_object_get(request->body, "target"));
	struct admin_response response;
	const struct config *config;

	if (!target)
		return admin_problem(400, "target: a domain is needed");
	if (atomic_fetch_add(&under_way, 1) >= AT_ONCE_MAX) {
		response = admin_problem(429, "%d checks are under way; try again soon",
		                         AT_ONCE_MAX);
	} else {
		config = api_config_acquire(server);
		response = find(config, target);
		config_release(config);
	}
	atomic_fetch_sub(&under_way, 1);
	return response;
}

static void add_sources(const struct config *config, struct inspection_subject *subject)
{
	const struct config_strings *sources = &config->deliver.source_addresses;

	for (int i = 0; i < sources->count && subject->source_count < INSPECTION_SOURCES_MAX; i++)
		if (address_parse(bytes_of(sources->items[i]), 0,
		                  &subject->sources[subject->source_count]))
			subject->source_count++;
}

static struct admin_response run_inspection(struct inspection_subject *subject)
{
	struct arena *arena = arena_create(0);
	struct inspection_judgement *judgement = arena_alloc(arena, sizeof *judgement);
	struct admin_response response = { .status = 200 };
	struct inspection *facts;
	struct err err = { 0 };

	if (inspect(subject, arena, &facts, &err) < 0) {
		response = admin_problem(500, "%s", err.text);
	} else {
		inspection_judge(arena, facts, judgement, clock_now_us());
		response.body = inspection_json(facts, judgement);
	}
	arena_destroy(arena);
	return response;
}

static struct admin_response find_inspection(const struct config *config, const char *target)
{
	struct inspection_subject subject = { .config = config,
		                              .port = (uint16_t)config->deliver.port,
		                              .wants_ipv6 = config->deliver.ipv6,
		                              .deadline_us = clock_now_us() + TIME_US,
		                              .server_timeout_us = TIME_US / SERVER_SHARE };
	struct buffer domain = { 0 }, recipient = { 0 };
	struct admin_response response;

	if (inspection_target(bytes_of(target), &domain, &recipient)) {
		subject.domain = buffer_bytes(&domain);
		subject.recipient = buffer_bytes(&recipient);
		add_sources(config, &subject);
		response = run_inspection(&subject);
	} else {
		response = admin_problem(
			400, "target: \"%.100s\" is neither a domain nor an address", target);
	}
	buffer_deinit(&domain);
	buffer_deinit(&recipient);
	return response;
}

static struct admin_response run_reputation(const struct config *config,
                                            struct reputation_subject *subject)
{
	struct arena *arena = arena_create(0);
	struct judgement *judgement = arena_alloc(arena, sizeof *judgement);
	struct admin_response response = { .status = 200 };
	struct reputation *facts;
	struct err err = { 0 };

	if (reputation_find(config, subject, arena, &facts, &err) < 0) {
		response = admin_problem(500, "%s", err.text);
	} else {
		judge(arena, facts, judgement);
		response.body = reputation_json(facts, judgement);
	}
	arena_destroy(arena);
	return response;
}

static struct admin_response find_reputation(const struct config *config, const char *target)
{
	const struct config_strings *sources = &config->deliver.source_addresses;
	struct reputation_subject *subject = alloc_zeroed(sizeof *subject);
	struct buffer domain = { 0 };
	struct admin_response response;
	struct err err = { 0 };

	if (!reputation_domain(bytes_of(target), &domain)) {
		response = admin_problem(400, "target: \"%.100s\" is not a domain", target);
	} else {
		subject->domain = buffer_bytes(&domain);
		subject->helo = bytes_of(config->deliver.helo);
		subject->trust = config->deliver.tls_trust;
		subject->now_s = clock_now_us() / US_PER_SECOND;
		subject->deadline_us = clock_now_us() + TIME_US;
		for (int i = 0; i < sources->count && i < REPUTATION_ADDRESSES_MAX; i++)
			if (address_parse(bytes_of(sources->items[i]), 0,
			                  &subject->addresses[subject->address_count]))
				subject->address_count++;
		reputation_add_keys(config, subject,
		                    &err); /* without keys: selectors are guessed */
		response = run_reputation(config, subject);
	}
	reputation_drop_keys(subject);
	alloc_free(subject);
	buffer_deinit(&domain);
	return response;
}

struct admin_response api_check(struct server *server, const struct admin_request *request,
                                const char *name)
{
	(void)name;
	return limited(find_inspection, server, request);
}

struct admin_response api_reputation(struct server *server, const struct admin_request *request,
                                     const char *name)
{
	(void)name;
	return limited(find_reputation, server, request);
}
