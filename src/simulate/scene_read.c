/* Reads a world file: the block language of the configuration, with words of its own. */
#include "simulate/scene_read.h"
#include "base/alloc.h"
#include "base/macros.h"
#include "base/units.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void scene_complain(struct reading *reading, const struct syntax_entry *entry, const char *text)
{
	reading->is_bad = true;
	problems_add(reading->problems, entry->place, entry->name, "%s", text);
}

bool scene_number(const struct setting *setting, int nth, int64_t most, int64_t *value_out)
{
	uint64_t value;

	if (!bytes_parse_u64(bytes_of(setting->entry->values[nth]), &value) ||
	    value > (uint64_t)most)
		return false;
	*value_out = (int64_t)value;
	return true;
}

bool scene_duration(const struct setting *setting, int nth, int64_t *us_out)
{
	return duration_parse(bytes_of(setting->entry->values[nth]), us_out) && *us_out >= 0 &&
	       *us_out <= SCENE_TIME_MAX_US;
}

void scene_apply(struct reading *reading, const struct syntax_entry *entry,
                 const struct keyword *keywords, void *block)
{
	struct setting setting = { .reading = reading, .entry = entry, .block = block };

	for (; keywords->name; keywords++) {
		if (strcmp(keywords->name, entry->name) != 0)
			continue;
		setting.what = keywords->what;
		if (entry->is_block || entry->value_count < keywords->least ||
		    entry->value_count > keywords->most || !keywords->set(&setting))
			scene_complain(reading, entry, keywords->wants);
		return;
	}
	scene_complain(reading, entry, "this is not known here");
}

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

struct change *scene_list_changes(struct reading *reading, const struct syntax_entry *block,
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
		if (entry->value_count == 1 && scene_duration(&setting, 0, &change->at_us))
			count++;
		else
			scene_complain(reading, entry, "wants a duration: at 3h { ... }");
	}
	qsort(changes, (size_t)count, sizeof *changes, compare_changes);
	*count_out = count;
	return changes;
}

void scene_apply_all(struct reading *reading, const struct syntax_entry *block,
                     const struct keyword *keywords, void *draft)
{
	for (const struct syntax_entry *entry = block->children; entry; entry = entry->next) {
		if (!is_change(entry) || strcmp(block->name, "at") == 0)
			scene_apply(reading, entry, keywords, draft);
	}
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

	return scene_duration(setting, 0, &scene->duration_us) && scene->duration_us > 0;
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
			scene_complain(reading, entry, "is one too many");
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
	bool is_good = block->value_count == 1 && scene_is_name(block->values[0]);

	if (!is_good)
		scene_complain(reading, block, "wants one name");
	return is_good;
}

static void add_host(struct reading *reading, const struct syntax_entry *block)
{
	struct scene *scene = reading->scene;
	struct scene_host *host = &scene->hosts[scene->host_count];

	if (!has_name(reading, block))
		return;
	if (scene_find_host(scene, bytes_of(block->values[0]))) {
		scene_complain(reading, block, "this host is there already");
		return;
	}
	host->name = arena_copy(scene->arena, bytes_of(block->values[0])).at;
	hash_insert(&scene->hosts_by_name, &host->by_name,
	            bytes_hash_nocase(bytes_of(host->name), 0));
	scene->host_count++;
	scene_read_host(reading, block, host);
}

static void add_domain(struct reading *reading, const struct syntax_entry *block)
{
	struct scene *scene = reading->scene;
	struct scene_domain *first = &scene->domains[scene->domain_count];
	uint32_t copies = wanted_copies(block);

	if (!has_name(reading, block))
		return;
	if (scene_find_domain(scene, bytes_of(block->values[0]))) {
		scene_complain(reading, block, "this domain is there already");
		return;
	}
	scene_read_domain(reading, block, first);
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
			scene_apply(reading, entry, top_keywords, scene);
	}
	for (const struct syntax_entry *entry = entries; entry && !reading->is_bad;
	     entry = entry->next) {
		if (is_named(entry, "domain"))
			add_domain(reading, entry);
	}
	for (const struct syntax_entry *entry = entries; entry && !reading->is_bad;
	     entry = entry->next) {
		if (is_named(entry, "traffic"))
			scene_read_traffic(reading, entry,
			                   &scene->traffics[scene->traffic_count++]);
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
