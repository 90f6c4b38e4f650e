/* The blocks "domain" and "traffic" of a world file. */
#include "base/units.h"
#include "simulate/scene_read.h"
#include <stdio.h>
#include <string.h>

struct domain_draft {
	struct scene_domain *domain;
	enum scene_dns dns;
	uint32_t hosts[ROUTE_HOSTS_MAX];
	int host_count;
	int64_t copies;
};

static bool set_dns(const struct setting *setting)
{
	struct domain_draft *draft = setting->block;

	draft->dns = (enum scene_dns)setting->what;
	return true;
}

static bool set_mx(const struct setting *setting)
{
	const struct scene *scene = setting->reading->scene;
	struct domain_draft *draft = setting->block;

	draft->dns = SCENE_FOUND;
	draft->host_count = setting->entry->value_count;
	for (int i = 0; i < draft->host_count; i++) {
		struct scene_host *host = scene_find_host(scene,
		                                          bytes_of(setting->entry->values[i]));

		if (!host)
			return false;
		draft->hosts[i] = (uint32_t)(host - scene->hosts);
	}
	return true;
}

static bool set_ttl(const struct setting *setting)
{
	struct domain_draft *draft = setting->block;

	return scene_duration(setting, 0, &draft->domain->ttl_us);
}

static bool set_mailboxes(const struct setting *setting)
{
	struct domain_draft *draft = setting->block;
	int64_t value;

	if (!scene_number(setting, 0, 100000000, &value) || value < 1)
		return false;
	draft->domain->mailboxes = (uint32_t)value;
	return true;
}

static bool set_copies(const struct setting *setting)
{
	struct domain_draft *draft = setting->block;

	return scene_number(setting, 0, SCENE_DOMAINS_MAX, &draft->copies) && draft->copies >= 1;
}

static const struct keyword domain_keywords[] = {
	{ "mx", "wants the names of up to 32 host blocks", 1, ROUTE_HOSTS_MAX, set_mx, 0 },
	{ "nxdomain", "takes nothing", 0, 0, set_dns, SCENE_NXDOMAIN },
	{ "servfail", "takes nothing", 0, 0, set_dns, SCENE_SERVFAIL },
	{ "timeout", "takes nothing", 0, 0, set_dns, SCENE_NO_ANSWER },
	{ "answer", "takes nothing", 0, 0, set_dns, SCENE_FOUND },
	{ "ttl", "wants a duration", 1, 1, set_ttl, 0 },
	{ "mailboxes", "wants a number from 1", 1, 1, set_mailboxes, 0 },
	{ "copies", "wants a number from 1 to 100000", 1, 1, set_copies, 0 },
	{ NULL, NULL, 0, 0, NULL, 0 },
};

static const struct route *make_route(const struct scene *scene, const struct domain_draft *draft)
{
	struct route_host *hosts = arena_alloc(scene->arena,
	                                       (size_t)draft->host_count * sizeof *hosts);

	for (int i = 0; i < draft->host_count; i++) {
		snprintf(hosts[i].name, sizeof hosts[i].name, "%s",
		         scene->hosts[draft->hosts[i]].name);
		hosts[i].preference = (uint16_t)(10 * (i + 1));
	}
	return route_create(hosts, (size_t)draft->host_count, 25, false);
}

static void add_records(struct reading *reading, const struct domain_draft *draft, int64_t from_us)
{
	struct scene_records *records = &draft->domain->records[draft->domain->record_count++];
	size_t size_bytes = (size_t)draft->host_count * sizeof *records->hosts;

	*records = (struct scene_records){ .from_us = from_us, .dns = draft->dns };
	if (draft->host_count == 0)
		return;
	records->route = make_route(reading->scene, draft);
	records->hosts = arena_alloc(reading->scene->arena, size_bytes);
	memcpy(records->hosts, draft->hosts, size_bytes);
	records->host_count = draft->host_count;
}

/* Copies are called NAME, 2.NAME, 3.NAME ... and have all else in common. */
void scene_read_domain(struct reading *reading, const struct syntax_entry *block,
                       struct scene_domain *domain)
{
	struct domain_draft draft = { .domain = domain, .copies = 1 };
	int count;
	struct change *changes = scene_list_changes(reading, block, &count);

	domain->ttl_us = US_PER_HOUR;
	domain->mailboxes = 1000;
	domain->records = arena_alloc(reading->scene->arena,
	                              (size_t)(count + 1) * sizeof *domain->records);
	scene_apply_all(reading, block, domain_keywords, &draft);
	if (draft.dns == SCENE_FOUND && draft.host_count == 0)
		scene_complain(reading, block, "has no mx");
	add_records(reading, &draft, 0);
	for (int i = 0; i < count; i++) {
		scene_apply_all(reading, changes[i].block, domain_keywords, &draft);
		if (draft.dns == SCENE_FOUND && draft.host_count == 0)
			scene_complain(reading, changes[i].block, "has no mx");
		add_records(reading, &draft, changes[i].at_us);
	}
}

/* Traffic. */

struct traffic_draft {
	struct scene_traffic *traffic;
	const struct syntax_entry *block;
};

enum traffic_number { TRAFFIC_MESSAGES, TRAFFIC_SENDERS, TRAFFIC_PRIORITY };

static bool set_traffic_number(const struct setting *setting)
{
	struct traffic_draft *draft = setting->block;
	int64_t value;

	if (!scene_number(setting, 0, setting->what == TRAFFIC_PRIORITY ? 9 : SCENE_MAILS_MAX,
	                  &value))
		return false;
	if (setting->what == TRAFFIC_MESSAGES)
		draft->traffic->messages = (uint64_t)value;
	else if (setting->what == TRAFFIC_PRIORITY)
		draft->traffic->priority = (int8_t)value;
	else
		draft->traffic->senders = (uint32_t)MAX(1, value);
	return true;
}

static bool set_from(const struct setting *setting)
{
	struct traffic_draft *draft = setting->block;

	return scene_duration(setting, 0, &draft->traffic->during.from_us);
}

static bool set_until(const struct setting *setting)
{
	struct traffic_draft *draft = setting->block;

	return scene_duration(setting, 0, &draft->traffic->during.to_us);
}

static bool set_size(const struct setting *setting)
{
	struct traffic_draft *draft = setting->block;
	int64_t value;

	if (!size_parse(bytes_of(setting->entry->values[0]), &value) || value < 0 ||
	    value > INT32_MAX)
		return false;
	draft->traffic->size_bytes = (uint32_t)value;
	return true;
}

static uint32_t copies_of(const struct scene *scene, const struct scene_domain *domain)
{
	uint32_t first = (uint32_t)(domain - scene->domains), next = first + 1;

	while (next < scene->domain_count && scene->domains[next].records == domain->records)
		next++;
	return next - first;
}

/* "to a.test 3 b.test;": a domain without a weight has the weight 1. */
static bool set_to(const struct setting *setting)
{
	const struct scene *scene = setting->reading->scene;
	struct scene_traffic *traffic = ((struct traffic_draft *)setting->block)->traffic;
	int count = setting->entry->value_count;

	traffic->target_count = 0;
	traffic->targets = arena_alloc(scene->arena, (size_t)count * sizeof *traffic->targets);
	for (int i = 0; i < count; i++) {
		const char *text = setting->entry->values[i];
		struct scene_domain *domain = scene_find_domain(scene, bytes_of(text));
		int64_t weight = 1;

		if (!domain)
			return false;
		if (i + 1 < count && scene_number(setting, i + 1, 1000000, &weight))
			i++;
		if (weight < 1)
			return false;
		traffic->targets[traffic->target_count++] = (struct scene_target){
			.domain = (uint32_t)(domain - scene->domains),
			.copies = copies_of(scene, domain),
			.weight = (uint64_t)weight,
		};
	}
	return true;
}

static const struct keyword traffic_keywords[] = {
	{ "messages", "wants a number", 1, 1, set_traffic_number, TRAFFIC_MESSAGES },
	{ "senders", "wants a number", 1, 1, set_traffic_number, TRAFFIC_SENDERS },
	{ "priority", "wants a number from 0 to 9", 1, 1, set_traffic_number, TRAFFIC_PRIORITY },
	{ "from", "wants a duration", 1, 1, set_from, 0 },
	{ "until", "wants a duration", 1, 1, set_until, 0 },
	{ "size", "wants a size", 1, 1, set_size, 0 },
	{ "to", "wants names of domain blocks, each perhaps with its weight", 1, 1000, set_to, 0 },
	{ NULL, NULL, 0, 0, NULL, 0 },
};

void scene_read_traffic(struct reading *reading, const struct syntax_entry *block,
                        struct scene_traffic *traffic)
{
	struct traffic_draft draft = { .traffic = traffic, .block = block };

	*traffic = (struct scene_traffic){
		.messages = 1000, .during = { 0, US_PER_DAY }, .senders = 100, .size_bytes = 20000
	};
	scene_apply_all(reading, block, traffic_keywords, &draft);
	if (traffic->target_count == 0 && !reading->is_bad)
		scene_complain(reading, block, "does not say where to");
	if (traffic->during.to_us < traffic->during.from_us)
		scene_complain(reading, block, "ends before it begins");
}
