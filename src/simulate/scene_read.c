/* Reads a world file: the block language of the configuration, with words of its own. */
#include "base/alloc.h"
#include "base/macros.h"
#include "base/units.h"
#include "config/syntax.h"
#include "simulate/scene.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct reading {
	struct scene *scene;
	struct problems *problems;
	bool is_bad;
	size_t periods; /* of all hosts, so far */
};

/* What a keyword's function gets to work with; `block` is what the statement stands in. */
struct setting {
	struct reading *reading;
	const struct syntax_entry *entry;
	void *block;
	int what; /* the keyword's own constant */
};

struct keyword {
	const char *name;
	const char *wants;
	int least, most; /* values */
	bool (*set)(const struct setting *setting);
	int what;
};

static void complain(struct reading *reading, const struct syntax_entry *entry, const char *text)
{
	reading->is_bad = true;
	problems_add(reading->problems, entry->place, entry->name, "%s", text);
}

static bool number(const struct setting *setting, int nth, int64_t most, int64_t *value_out)
{
	uint64_t value;

	if (!bytes_parse_u64(bytes_of(setting->entry->values[nth]), &value) ||
	    value > (uint64_t)most)
		return false;
	*value_out = (int64_t)value;
	return true;
}

static bool duration(const struct setting *setting, int nth, int64_t *us_out)
{
	return duration_parse(bytes_of(setting->entry->values[nth]), us_out) && *us_out >= 0 &&
	       *us_out <= SCENE_TIME_MAX_US;
}

static void apply(struct reading *reading, const struct syntax_entry *entry,
                  const struct keyword *keywords, void *block)
{
	struct setting setting = { .reading = reading, .entry = entry, .block = block };

	for (; keywords->name; keywords++) {
		if (strcmp(keywords->name, entry->name) != 0)
			continue;
		setting.what = keywords->what;
		if (entry->is_block || entry->value_count < keywords->least ||
		    entry->value_count > keywords->most || !keywords->set(&setting))
			complain(reading, entry, keywords->wants);
		return;
	}
	complain(reading, entry, "this is not known here");
}

/* The blocks "at 3h { ... }" of a host or domain, in order of time. */
struct change {
	int64_t at_us;
	int order; /* in the file: stays so where the times are equal */
	const struct syntax_entry *block;
};

static int compare_changes(const void *a, const void *b)
{
	const struct change *first = a, *second = b;

	if (first->at_us != second->at_us)
		return first->at_us < second->at_us ? -1 : 1;
	return first->order - second->order;
}

static bool is_change(const struct syntax_entry *entry)
{
	return entry->is_block && strcmp(entry->name, "at") == 0;
}

static int count_changes(const struct syntax_entry *block)
{
	int count = 0;

	for (const struct syntax_entry *entry = block->children; entry; entry = entry->next)
		count += is_change(entry);
	return count;
}

static struct change *list_changes(struct reading *reading, const struct syntax_entry *block,
                                   int *count_out)
{
	struct change *changes = arena_alloc(reading->scene->arena,
	                                     (size_t)(count_changes(block) + 1) * sizeof *changes);
	int count = 0;

	for (const struct syntax_entry *entry = block->children; entry; entry = entry->next) {
		struct setting setting = { .entry = entry };
		struct change *change = &changes[count];

		if (!is_change(entry))
			continue;
		*change = (struct change){ .order = count, .block = entry };
		if (entry->value_count == 1 && duration(&setting, 0, &change->at_us))
			count++;
		else
			complain(reading, entry, "wants a duration: at 3h { ... }");
	}
	qsort(changes, (size_t)count, sizeof *changes, compare_changes);
	*count_out = count;
	return changes;
}

/* Hosts. */

struct host_draft {
	struct scene_manners manners;
	int64_t flap_down_us, flap_up_us, flap_until_us; /* until 0: does not */
};

static bool set_listen(const struct setting *setting)
{
	struct host_draft *draft = setting->block;

	draft->manners.listen = (enum scene_listen)setting->what;
	draft->flap_until_us = 0;
	if (setting->entry->value_count > 0)
		draft->manners.busy = scene_outcome(setting->reading->scene->arena,
		                                    setting->entry->values[0], PHASE_GREETING);
	return draft->manners.busy && draft->manners.busy->result == RESULT_DEFERRED;
}

static bool set_reply(const struct setting *setting, int nth, const struct outcome **outcome)
{
	if (setting->entry->value_count > nth)
		*outcome = scene_outcome(setting->reading->scene->arena,
		                         setting->entry->values[nth], PHASE_RCPT);
	return *outcome != NULL;
}

static bool set_rate(const struct setting *setting)
{
	struct host_draft *draft = setting->block;
	struct bytes rest = bytes_of(setting->entry->values[0]);
	uint64_t count;

	if (!bytes_parse_u64(bytes_split(&rest, '/'), &count) || count > INT32_MAX)
		return false;
	draft->manners.rate_count = (int64_t)count;
	if (count > 0 &&
	    (!duration_parse(rest, &draft->manners.rate_us) || draft->manners.rate_us <= 0 ||
	     draft->manners.rate_us > SCENE_TIME_MAX_US))
		return false;
	return set_reply(setting, 1, &draft->manners.limited);
}

static bool set_greylist(const struct setting *setting)
{
	struct host_draft *draft = setting->block;

	return duration(setting, 0, &draft->manners.greylist_us) &&
	       set_reply(setting, 1, &draft->manners.greylisted);
}

static bool set_slow(const struct setting *setting)
{
	struct host_draft *draft = setting->block;

	return duration(setting, 0, &draft->manners.slow_us);
}

static bool set_connections(const struct setting *setting)
{
	struct host_draft *draft = setting->block;
	int64_t value;

	if (!number(setting, 0, 1000000, &value) || value < 1)
		return false;
	draft->manners.connections = (int)value;
	return true;
}

enum share { SHARE_FULL, SHARE_UNKNOWN };

static bool set_share(const struct setting *setting)
{
	struct host_draft *draft = setting->block;
	bool is_full = setting->what == SHARE_FULL;
	int64_t value;

	if (!number(setting, 0, 100, &value))
		return false;
	*(is_full ? &draft->manners.full_percent : &draft->manners.unknown_percent) = (int)value;
	return set_reply(setting, 1, is_full ? &draft->manners.full : &draft->manners.unknown);
}

static bool set_flap(const struct setting *setting)
{
	struct host_draft *draft = setting->block;

	return duration(setting, 0, &draft->flap_down_us) &&
	       duration(setting, 1, &draft->flap_up_us) &&
	       duration(setting, 2, &draft->flap_until_us) && draft->flap_down_us > 0 &&
	       draft->flap_up_us > 0;
}

static const struct keyword host_keywords[] = {
	{ "accept", "takes nothing", 0, 0, set_listen, SCENE_ACCEPTS },
	{ "refuse", "takes nothing", 0, 0, set_listen, SCENE_REFUSES },
	{ "blackhole", "takes nothing", 0, 0, set_listen, SCENE_BLACKHOLE },
	{ "busy", "takes a reply of class 4", 0, 1, set_listen, SCENE_BUSY },
	{ "rate", "wants NUMBER/DURATION, and perhaps a reply", 1, 2, set_rate, 0 },
	{ "greylist", "wants a duration, and perhaps a reply", 1, 2, set_greylist, 0 },
	{ "slow", "wants a duration", 1, 1, set_slow, 0 },
	{ "connections", "wants a number from 1", 1, 1, set_connections, 0 },
	{ "full", "wants a percentage, and perhaps a reply", 1, 2, set_share, SHARE_FULL },
	{ "unknown", "wants a percentage, and perhaps a reply", 1, 2, set_share, SHARE_UNKNOWN },
	{ "flap", "wants three durations: down, up, until", 3, 3, set_flap, 0 },
	{ NULL, NULL, 0, 0, NULL, 0 },
};

static struct host_draft usual_host(struct arena *arena)
{
	return (struct host_draft){ .manners = {
					    .connections = 100,
					    .slow_us = 100 * US_PER_MS,
					    .busy = scene_outcome(arena,
		                                                  "421 4.3.2 Service not available",
		                                                  PHASE_GREETING),
					    .limited = scene_outcome(arena,
		                                                     "450 4.7.1 Rate limit "
		                                                     "exceeded, try again later",
		                                                     PHASE_RCPT),
					    .greylisted = scene_outcome(
						    arena,
						    "451 4.7.1 Greylisted, please try again later",
						    PHASE_RCPT),
					    .full = scene_outcome(arena, "452 4.2.2 Mailbox full",
		                                                  PHASE_RCPT),
					    .unknown = scene_outcome(
						    arena, "550 5.1.1 No such user", PHASE_RCPT),
				    } };
}

static void add_period(struct buffer *periods, int64_t from_us, const struct scene_manners *manners)
{
	struct scene_period period = { .from_us = from_us, .manners = *manners };

	buffer_append(periods, (struct bytes){ (const char *)&period, sizeof period });
}

/* Down, up, down, up ... until the draft's end, or until something else is said. */
static void add_periods(struct buffer *periods, struct host_draft *draft, struct span span)
{
	int64_t until_us = MIN(draft->flap_until_us, span.to_us);
	struct scene_manners down = draft->manners;

	if (draft->flap_until_us == 0 || until_us <= span.from_us) {
		add_period(periods, span.from_us, &draft->manners);
		return;
	}
	if (down.listen == SCENE_ACCEPTS)
		down.listen = SCENE_REFUSES;
	draft->manners.listen = SCENE_ACCEPTS;
	for (int64_t at_us = span.from_us; at_us < until_us && !periods->is_over;
	     at_us += draft->flap_down_us + draft->flap_up_us) {
		add_period(periods, at_us, &down);
		add_period(periods, MIN(at_us + draft->flap_down_us, span.to_us), &draft->manners);
	}
}

static void read_statements(struct reading *reading, const struct syntax_entry *block,
                            const struct keyword *keywords, void *draft)
{
	for (const struct syntax_entry *entry = block->children; entry; entry = entry->next) {
		if (!is_change(entry) || strcmp(block->name, "at") == 0)
			apply(reading, entry, keywords, draft);
	}
}

static void read_host(struct reading *reading, const struct syntax_entry *block,
                      struct scene_host *host)
{
	size_t each = sizeof(struct scene_period);
	struct buffer periods = { .limit = (SCENE_PERIODS_MAX - reading->periods) * each + 1 };
	struct host_draft draft = usual_host(reading->scene->arena);
	int count;
	struct change *changes = list_changes(reading, block, &count);

	read_statements(reading, block, host_keywords, &draft);
	for (int i = 0; i <= count; i++) {
		struct span span = { i == 0 ? 0 : changes[i - 1].at_us,
			             i == count ? INT64_MAX : changes[i].at_us };

		if (i > 0)
			read_statements(reading, changes[i - 1].block, host_keywords, &draft);
		add_periods(&periods, &draft, span);
	}
	if (periods.is_over || periods.len == 0)
		complain(reading, block, "changes too often");
	reading->periods += periods.len / each;
	host->period_count = (int)(periods.len / each);
	host->periods = arena_alloc(reading->scene->arena, periods.len + each);
	if (periods.len > 0)
		memcpy(host->periods, periods.at, periods.len);
	buffer_deinit(&periods);
}

/* Domains. */

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

	return duration(setting, 0, &draft->domain->ttl_us);
}

static bool set_mailboxes(const struct setting *setting)
{
	struct domain_draft *draft = setting->block;
	int64_t value;

	if (!number(setting, 0, 100000000, &value) || value < 1)
		return false;
	draft->domain->mailboxes = (uint32_t)value;
	return true;
}

static bool set_copies(const struct setting *setting)
{
	struct domain_draft *draft = setting->block;

	return number(setting, 0, SCENE_DOMAINS_MAX, &draft->copies) && draft->copies >= 1;
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
static void read_domain(struct reading *reading, const struct syntax_entry *block,
                        struct scene_domain *domain)
{
	struct domain_draft draft = { .domain = domain, .copies = 1 };
	int count;
	struct change *changes = list_changes(reading, block, &count);

	domain->ttl_us = US_PER_HOUR;
	domain->mailboxes = 1000;
	domain->records = arena_alloc(reading->scene->arena,
	                              (size_t)(count + 1) * sizeof *domain->records);
	read_statements(reading, block, domain_keywords, &draft);
	if (draft.dns == SCENE_FOUND && draft.host_count == 0)
		complain(reading, block, "has no mx");
	add_records(reading, &draft, 0);
	for (int i = 0; i < count; i++) {
		read_statements(reading, changes[i].block, domain_keywords, &draft);
		if (draft.dns == SCENE_FOUND && draft.host_count == 0)
			complain(reading, changes[i].block, "has no mx");
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

	if (!number(setting, 0, setting->what == TRAFFIC_PRIORITY ? 9 : SCENE_MAILS_MAX, &value))
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

	return duration(setting, 0, &draft->traffic->during.from_us);
}

static bool set_until(const struct setting *setting)
{
	struct traffic_draft *draft = setting->block;

	return duration(setting, 0, &draft->traffic->during.to_us);
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
		if (i + 1 < count && number(setting, i + 1, 1000000, &weight))
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

static void read_traffic(struct reading *reading, const struct syntax_entry *block,
                         struct scene_traffic *traffic)
{
	struct traffic_draft draft = { .traffic = traffic, .block = block };

	*traffic = (struct scene_traffic){
		.messages = 1000, .during = { 0, US_PER_DAY }, .senders = 100, .size_bytes = 20000
	};
	read_statements(reading, block, traffic_keywords, &draft);
	if (traffic->target_count == 0 && !reading->is_bad)
		complain(reading, block, "does not say where to");
	if (traffic->during.to_us < traffic->during.from_us)
		complain(reading, block, "ends before it begins");
}

/* The whole. */

static bool set_seed(const struct setting *setting)
{
	struct scene *scene = setting->block;

	return bytes_parse_u64(bytes_of(setting->entry->values[0]), &scene->seed);
}

static bool set_duration(const struct setting *setting)
{
	struct scene *scene = setting->block;

	return duration(setting, 0, &scene->duration_us) && scene->duration_us > 0;
}

static bool set_about(const struct setting *setting)
{
	struct scene *scene = setting->block;

	scene->about = arena_copy(scene->arena, bytes_of(setting->entry->values[0])).at;
	return true;
}

static const struct keyword top_keywords[] = {
	{ "seed", "wants a number", 1, 1, set_seed, 0 },
	{ "duration", "wants a duration", 1, 1, set_duration, 0 },
	{ "about", "wants a sentence", 1, 1, set_about, 0 },
	{ NULL, NULL, 0, 0, NULL, 0 },
};

static bool is_named(const struct syntax_entry *entry, const char *kind)
{
	return entry->is_block && strcmp(entry->name, kind) == 0;
}

static uint32_t wanted_copies(const struct syntax_entry *block)
{
	uint64_t copies = 1;

	for (const struct syntax_entry *entry = block->children; entry; entry = entry->next) {
		if (strcmp(entry->name, "copies") == 0 && entry->value_count == 1 &&
		    !bytes_parse_u64(bytes_of(entry->values[0]), &copies))
			copies = 1;
	}
	return (uint32_t)MAX(1, MIN(copies, SCENE_DOMAINS_MAX));
}

/* Hosts come first, then domains, then traffic, wherever they stand: each names the ones before. */
static void make_room(struct reading *reading, const struct syntax_entry *entries)
{
	struct scene *scene = reading->scene;
	uint32_t hosts = 0, domains = 0, traffics = 0;

	for (const struct syntax_entry *entry = entries; entry; entry = entry->next) {
		uint32_t more = is_named(entry, "domain") ? wanted_copies(entry) : 0;

		hosts += is_named(entry, "host");
		traffics += is_named(entry, "traffic");
		if (hosts > SCENE_HOSTS_MAX || traffics > SCENE_TRAFFICS_MAX ||
		    domains + more > SCENE_DOMAINS_MAX) {
			complain(reading, entry, "is one too many");
			break;
		}
		domains += more;
	}
	scene->hosts = alloc_zeroed((hosts + 1) * sizeof *scene->hosts);
	scene->domains = alloc_zeroed((domains + 1) * sizeof *scene->domains);
	scene->traffics = alloc_zeroed((traffics + 1) * sizeof *scene->traffics);
}

static bool has_name(struct reading *reading, const struct syntax_entry *block)
{
	bool is_good = block->value_count == 1 && block->values[0][0] != '\0' &&
	               strlen(block->values[0]) < 200;

	if (!is_good)
		complain(reading, block, "wants one name");
	return is_good;
}

static void add_host(struct reading *reading, const struct syntax_entry *block)
{
	struct scene *scene = reading->scene;
	struct scene_host *host = &scene->hosts[scene->host_count];

	if (!has_name(reading, block))
		return;
	if (scene_find_host(scene, bytes_of(block->values[0]))) {
		complain(reading, block, "this host is there already");
		return;
	}
	host->name = arena_copy(scene->arena, bytes_of(block->values[0])).at;
	hash_insert(&scene->hosts_by_name, &host->by_name,
	            bytes_hash_nocase(bytes_of(host->name), 0));
	scene->host_count++;
	read_host(reading, block, host);
}

static void add_domain(struct reading *reading, const struct syntax_entry *block)
{
	struct scene *scene = reading->scene;
	struct scene_domain *first = &scene->domains[scene->domain_count];
	uint32_t copies = wanted_copies(block);

	if (!has_name(reading, block))
		return;
	if (scene_find_domain(scene, bytes_of(block->values[0]))) {
		complain(reading, block, "this domain is there already");
		return;
	}
	read_domain(reading, block, first);
	for (uint32_t i = 0; i < copies; i++) {
		if (i > 0)
			first[i] = first[0];
		first[i].name = i == 0 ? arena_copy(scene->arena, bytes_of(block->values[0]))
		                       : bytes_of(arena_printf(scene->arena, "%u.%s", i + 1,
		                                               block->values[0]));
		hash_insert(&scene->domains_by_name, &first[i].by_name,
		            bytes_hash_nocase(first[i].name, 0));
	}
	scene->domain_count += copies;
}

static void read_world(struct reading *reading, const struct syntax_entry *entries)
{
	struct scene *scene = reading->scene;
	uint64_t mails = 0;

	make_room(reading, entries);
	for (const struct syntax_entry *entry = entries; entry && !reading->is_bad;
	     entry = entry->next) {
		if (is_named(entry, "host"))
			add_host(reading, entry);
		else if (!is_named(entry, "domain") && !is_named(entry, "traffic"))
			apply(reading, entry, top_keywords, scene);
	}
	for (const struct syntax_entry *entry = entries; entry && !reading->is_bad;
	     entry = entry->next) {
		if (is_named(entry, "domain"))
			add_domain(reading, entry);
	}
	for (const struct syntax_entry *entry = entries; entry && !reading->is_bad;
	     entry = entry->next) {
		if (is_named(entry, "traffic"))
			read_traffic(reading, entry, &scene->traffics[scene->traffic_count++]);
	}
	for (uint32_t i = 0; i < scene->traffic_count; i++)
		mails += scene->traffics[i].messages;
	if (mails > SCENE_MAILS_MAX)
		problems_add(reading->problems, (struct place){ "world", 0 }, "messages",
		             "more than %d in all", SCENE_MAILS_MAX);
}

static int finish(struct reading *reading, const struct syntax_entry *entries,
                  struct scene **scene_out)
{
	if (reading->problems->count == 0)
		read_world(reading, entries);
	if (reading->problems->count > 0) {
		scene_destroy(reading->scene);
		return ERR_INVALID;
	}
	*scene_out = reading->scene;
	return 0;
}

int scene_parse(const char *name, struct bytes text, struct scene **scene_out,
                struct buffer *problems_out)
{
	struct problems problems = { .out = problems_out };
	struct reading reading = { .scene = scene_create(), .problems = &problems };
	struct syntax syntax = { .arena = reading.scene->arena, .problems = &problems };

	return finish(&reading, syntax_read_text(&syntax, name, text), scene_out);
}

int scene_load(const char *path, struct scene **scene_out, struct buffer *problems_out)
{
	struct problems problems = { .out = problems_out };
	struct reading reading = { .scene = scene_create(), .problems = &problems };
	struct syntax syntax = { .arena = reading.scene->arena, .problems = &problems };

	return finish(&reading, syntax_read_file(&syntax, path), scene_out);
}
