#include "base/assert.h"
#include "base/macros.h"
#include "config/instance.h"
#include "config/value.h"
#include <string.h>
#include <unistd.h>

#define FEW_MAX 1000 /* listeners, presets */

struct build {
	struct whole *whole;
	struct problems *problems;
	const struct syntax_entry *entries;
	struct instance *builtin; /* presets */
	int builtin_count;
};

char *instance_path(struct arena *arena, const struct instance *instance, const char *key)
{
	if (instance->argument)
		return arena_printf(arena, "%s \"%s\".%s", instance->block->name,
		                    instance->argument, key);
	if (instance->block->name[0] == '\0')
		return arena_printf(arena, "%s", key);
	return arena_printf(arena, "%s.%s", instance->block->name, key);
}

static void set_initial(struct arena *arena, const struct schema_key *key, void *values)
{
	struct buffer pointers = { 0 }, wrong = { 0 };
	struct bytes rest = bytes_of(key->initial ? key->initial : "");
	struct value_texts texts;
	char **items;

	while (rest.at && rest.len > 0) {
		const char *text = arena_copy(arena, bytes_split(&rest, ' ')).at;

		buffer_append(&pointers, (struct bytes){ (const char *)&text, sizeof text });
	}
	items = arena_alloc(arena, pointers.len);
	if (pointers.len > 0)
		memcpy(items, pointers.at, pointers.len);
	texts = (struct value_texts){ items, (int)(pointers.len / sizeof *items) };
	if (texts.count > 0 && !value_parse(key, texts, arena, values, &wrong))
		BUG("default of %s: %.*s", key->name, BYTES_FORMAT(buffer_bytes(&wrong)));
	if (texts.count == 0 && key->type == SCHEMA_STRING)
		*(char **)(void *)((char *)values +
		                   key->offset) = (char *)arena_copy(arena, bytes_of("")).at;
	buffer_deinit(&pointers);
	buffer_deinit(&wrong);
}

static void init_instance(struct build *build, struct instance *instance, enum schema_block_id id,
                          void *values)
{
	struct arena *arena = build->whole->arena;

	instance->block = schema_block(id);
	instance->values = values;
	instance->origins = arena_alloc(arena, (size_t)instance->block->key_count *
	                                               sizeof *instance->origins);
	instance->places = arena_alloc(arena, (size_t)instance->block->key_count *
	                                              sizeof *instance->places);
	for (int i = 0; i < instance->block->key_count; i++)
		set_initial(arena, &instance->block->keys[i], values);
}

static struct instance *add_instance(struct build *build, enum schema_block_id id, void *values)
{
	struct instance *instance = &build->whole->instances[build->whole->instance_count++];

	init_instance(build, instance, id, values);
	return instance;
}

/* Values that are given in this very block stay. */
static void take_values(struct instance *to, const struct instance *from, bool also_defaults)
{
	for (int i = 0; i < to->block->key_count; i++) {
		if (to->places[i].file || (!from->origins[i] && !also_defaults))
			continue;
		value_copy(&to->block->keys[i], to->values, from->values);
		to->origins[i] = from->origins[i];
	}
}

static void refuse_unknown(struct build *build, const struct instance *instance,
                           const struct syntax_entry *entry)
{
	const char *nearest = schema_nearest(instance->block, entry->name);
	const char *path = instance_path(build->whole->arena, instance, entry->name);
	const char *kind = entry->is_block ? "block" : "key";

	if (schema_find_key(instance->block, entry->name) >= 0)
		problems_add(build->problems, entry->place, path,
		             "this is a key, not a block: a value and ';' are expected");
	else if (schema_find_block(entry->name) < 0 && nearest)
		problems_add(build->problems, entry->place, path, "unknown %s; did you mean '%s'?",
		             kind, nearest);
	else if (schema_find_block(entry->name) < 0)
		problems_add(build->problems, entry->place, path, "unknown %s", kind);
	else if (entry->is_block)
		problems_add(build->problems, entry->place, path,
		             "a block cannot stand here: is a '}' missing above?");
	else
		problems_add(build->problems, entry->place, path,
		             "this is a block, not a key: '{' is expected");
}

static void set_key(struct build *build, struct instance *instance,
                    const struct syntax_entry *entry)
{
	int i = schema_find_key(instance->block, entry->name);
	struct value_texts texts = { entry->values, entry->value_count };
	struct arena *arena = build->whole->arena;
	const char *path = instance_path(arena, instance, entry->name);
	struct buffer wrong = { 0 };

	if (i < 0 || entry->is_block) {
		refuse_unknown(build, instance, entry);
		return;
	}
	if (instance->places[i].file) {
		problems_add(build->problems, entry->place, path, "already set at %s:%d",
		             instance->places[i].file, instance->places[i].line);
		return;
	}
	if (!value_parse(&instance->block->keys[i], texts, arena, instance->values, &wrong))
		problems_add(build->problems, entry->place, path, "%.*s",
		             BYTES_FORMAT(buffer_bytes(&wrong)));
	buffer_deinit(&wrong);
	instance->places[i] = entry->place;
	instance->origins[i] = arena_printf(arena, "%s:%d", entry->place.file, entry->place.line);
}

static const struct instance *find_preset(const struct build *build, const char *name)
{
	for (int i = 0; i < build->whole->instance_count; i++) {
		const struct instance *instance = &build->whole->instances[i];

		if (instance->block == schema_block(BLOCK_PRESET) &&
		    strcmp(instance->argument, name) == 0)
			return instance;
	}
	for (int i = 0; i < build->builtin_count; i++) {
		if (strcmp(build->builtin[i].argument, name) == 0)
			return &build->builtin[i];
	}
	return NULL;
}

static void take_preset(struct build *build, struct instance *instance,
                        const struct syntax_entry *entry)
{
	const char *path = instance_path(build->whole->arena, instance, "preset");
	const struct instance *preset;

	if (instance->block == schema_block(BLOCK_PRESET)) {
		problems_add(build->problems, entry->place, path,
		             "a preset cannot take another preset");
		return;
	}
	if (entry->values[0][0] == '\0') /* none, though the defaults may have one */
		return;
	preset = find_preset(build, entry->values[0]);
	if (preset)
		take_values(instance, preset, false);
	else
		problems_add(build->problems, entry->place, path, "there is no preset '%s'",
		             entry->values[0]);
}

static void set_keys(struct build *build, struct instance *instance,
                     const struct syntax_entry *block)
{
	for (const struct syntax_entry *entry = block->children; entry; entry = entry->next) {
		set_key(build, instance, entry);
		if (strcmp(entry->name, "preset") == 0 && entry->value_count == 1 &&
		    schema_find_key(instance->block, "preset") >= 0)
			take_preset(build, instance, entry);
	}
}

static bool is_block_of(const struct syntax_entry *entry, enum schema_block_id id)
{
	return entry->is_block && strcmp(entry->name, schema_block(id)->name) == 0;
}

static int count_blocks(const struct syntax_entry *entry, enum schema_block_id id)
{
	int count = 0;

	for (; entry; entry = entry->next)
		count += is_block_of(entry, id);
	return count;
}

/* A block that may be given several times, each with another argument. */
static void set_argument(struct build *build, struct instance *instance,
                         const struct syntax_entry *entry)
{
	const struct schema_block *block = instance->block;
	const char *wanted;

	instance->argument = entry->value_count > 0 ? entry->values[0] : "";
	*(const char **)(void *)((char *)instance->values +
	                         block->argument_offset) = instance->argument;
	if (entry->value_count != 1) {
		problems_add(build->problems, entry->place, block->name,
		             "takes one argument: %s \"%s\" { ... }", block->name, block->argument);
		return;
	}
	wanted = block->check(bytes_of(instance->argument));
	if (wanted)
		problems_add(build->problems, entry->place, block->name, "'%s' is not %s",
		             instance->argument, wanted);
}

static void refuse_repeated(struct build *build, const struct instance *instance,
                            const struct syntax_entry *entry)
{
	problems_add(build->problems, entry->place, instance->block->name,
	             "there is already a block \"%s\"", instance->argument);
}

static bool is_repeated(const struct build *build, const struct instance *instance)
{
	for (const struct instance *other = build->whole->instances; other < instance; other++) {
		if (other->block == instance->block &&
		    strcmp(other->argument, instance->argument) == 0)
			return true;
	}
	return false;
}

/* Listeners, alarms and presets. `values` has room for all of them. */
static void build_few(struct build *build, enum schema_block_id id, char *values)
{
	int count = 0;

	for (const struct syntax_entry *entry = build->entries; entry; entry = entry->next) {
		struct instance *instance;

		if (!is_block_of(entry, id))
			continue;
		if (++count > FEW_MAX) {
			problems_add(build->problems, entry->place, entry->name,
			             "more than %d blocks", FEW_MAX);
			return;
		}
		instance = add_instance(build, id, values);
		set_argument(build, instance, entry);
		if (is_repeated(build, instance))
			refuse_repeated(build, instance, entry);
		set_keys(build, instance, entry);
		values += instance->block->size_bytes;
	}
}

static void build_listeners(struct build *build)
{
	struct config_receive *receive = &build->whole->config.receive;
	int count = count_blocks(build->entries, BLOCK_LISTENER);
	struct instance *only;

	receive->listeners = arena_alloc(build->whole->arena,
	                                 (size_t)MAX(count, 1) * sizeof *receive->listeners);
	receive->listener_count = MAX(count, 1);
	if (count > 0) {
		build_few(build, BLOCK_LISTENER, (char *)receive->listeners);
		return;
	}
	only = add_instance(build, BLOCK_LISTENER, receive->listeners);
	receive->listeners->address =
		(char *)arena_copy(build->whole->arena, BYTES_LITERAL("127.0.0.1:25")).at;
	only->argument = receive->listeners->address;
}

/* A block without an argument; if it is given several times, all of them count together. */
static struct instance *build_single(struct build *build, enum schema_block_id id)
{
	char *values = (char *)&build->whole->config + schema_block(id)->offset;
	struct instance *instance = add_instance(build, id, values);

	for (const struct syntax_entry *entry = build->entries; entry; entry = entry->next) {
		if (!is_block_of(entry, id))
			continue;
		if (entry->value_count > 0)
			problems_add(build->problems, entry->place, entry->name,
			             "takes no argument");
		set_keys(build, instance, entry);
	}
	return instance;
}

static uint64_t pattern_hash(struct bytes pattern)
{
	return bytes_hash_nocase(pattern, 0);
}

const struct config_destination *whole_find(const struct whole *whole, struct bytes pattern)
{
	HASH_EACH_MATCH (node, &whole->destinations, pattern_hash(pattern)) {
		const struct config_destination *destination =
			CONTAINER_OF(node, struct destination_node, node)->destination;

		if (bytes_equal_nocase(pattern, bytes_of(destination->pattern)))
			return destination;
	}
	return NULL;
}

static void build_destination(struct build *build, const struct syntax_entry *entry,
                              struct config_destination *values, const struct instance *defaults)
{
	struct instance *instance = add_instance(build, BLOCK_DESTINATION, values);
	struct destination_node *node = arena_alloc(build->whole->arena, sizeof *node);

	set_argument(build, instance, entry);
	if (whole_find(build->whole, bytes_of(values->pattern)))
		refuse_repeated(build, instance, entry);
	node->destination = values;
	hash_insert(&build->whole->destinations, &node->node,
	            pattern_hash(bytes_of(values->pattern)));
	take_values(instance, defaults, true);
	set_keys(build, instance, entry);
}

static void build_destinations(struct build *build, const struct instance *defaults)
{
	struct config *config = &build->whole->config;
	int count = count_blocks(build->entries, BLOCK_DESTINATION);

	config->destinations = arena_alloc(build->whole->arena,
	                                   (size_t)count * sizeof *config->destinations);
	for (const struct syntax_entry *entry = build->entries; entry; entry = entry->next) {
		if (is_block_of(entry, BLOCK_DESTINATION))
			build_destination(build, entry,
			                  &config->destinations[config->destination_count++],
			                  defaults);
	}
}

static void build_top(struct build *build)
{
	struct instance *top = add_instance(build, BLOCK_TOP, &build->whole->config);

	for (const struct syntax_entry *entry = build->entries; entry; entry = entry->next) {
		if (!entry->is_block || schema_find_block(entry->name) < 0)
			set_key(build, top, entry);
	}
}

static void build_presets(struct build *build, const struct syntax_entry *entries)
{
	struct arena *arena = build->whole->arena;
	int count = count_blocks(build->entries, BLOCK_PRESET), i = 0;

	build->builtin_count = count_blocks(entries, BLOCK_PRESET);
	build->builtin = arena_alloc(arena, (size_t)build->builtin_count * sizeof *build->builtin);
	for (; entries; entries = entries->next, i++) {
		struct instance *preset = &build->builtin[i];

		init_instance(build, preset, BLOCK_PRESET,
		              arena_alloc(arena, sizeof(struct config_destination)));
		set_argument(build, preset, entries);
		set_keys(build, preset, entries);
		for (int key = 0; key < preset->block->key_count; key++) {
			if (preset->origins[key])
				preset->origins[key] = arena_printf(arena, "preset \"%s\"",
				                                    preset->argument);
		}
	}
	build_few(build, BLOCK_PRESET,
	          arena_alloc(arena, (size_t)count * sizeof(struct config_destination)));
}

static char *machine_name(struct arena *arena)
{
	char name[256] = "";

	if (gethostname(name, sizeof name - 1) < 0 || name[0] == '\0')
		return arena_printf(arena, "localhost");
	return arena_printf(arena, "%s", name);
}

/* Defaults that depend on other values. */
static void set_names(struct whole *whole)
{
	struct config *config = &whole->config;

	if (config->hostname[0] == '\0')
		config->hostname = machine_name(whole->arena);
	if (config->deliver.helo[0] == '\0')
		config->deliver.helo = config->hostname;
	if (config->drop.domain[0] == '\0')
		config->drop.domain = config->hostname;
	if (config->report.from[0] == '\0')
		config->report.from = arena_printf(whole->arena, "postmaster@%s",
		                                   config->deliver.helo);
}

static void check_listener(struct build *build, const struct instance *instance)
{
	const struct config_listener *values = instance->values;
	const struct place *place = &instance->places[schema_find_key(instance->block, "tls")];

	if (strcmp(values->tls, "none") != 0 && values->certificate[0] == '\0')
		problems_add(build->problems, *place,
		             instance_path(build->whole->arena, instance, "tls"),
		             "needs a certificate");
}

static void build_dkim(struct build *build)
{
	struct config *config = &build->whole->config;
	int i = 0;

	config->dkim_count = count_blocks(build->entries, BLOCK_DKIM);
	config->dkim = arena_alloc(build->whole->arena,
	                           (size_t)MAX(config->dkim_count, 1) * sizeof *config->dkim);
	build_few(build, BLOCK_DKIM, (char *)config->dkim);
	for (const struct syntax_entry *entry = build->entries; entry; entry = entry->next)
		if (is_block_of(entry, BLOCK_DKIM) && i < FEW_MAX && *config->dkim[i++].key == '\0')
			problems_add(build->problems, entry->place, entry->name,
			             "its `key` is missing");
}

static void check_alarm(struct build *build, const struct config_alarm *alarm,
                        const struct syntax_entry *entry)
{
	int conditions = (alarm->expiring > 0) + (alarm->site_down_us > 0) +
	                 (alarm->queue_age_us > 0) + (alarm->disk_free_bytes > 0);

	if (conditions != 1)
		problems_add(build->problems, entry->place, entry->name,
		             "needs one of expiring, site_down, queue_age and disk_free");
	if (!*alarm->exec && !*alarm->webhook && !*alarm->file)
		problems_add(build->problems, entry->place, entry->name,
		             "needs exec, webhook or file");
}

static void build_alarms(struct build *build)
{
	struct config *config = &build->whole->config;
	int i = 0;

	config->alarm_count = count_blocks(build->entries, BLOCK_ALARM);
	config->alarms = arena_alloc(build->whole->arena,
	                             (size_t)MAX(config->alarm_count, 1) * sizeof *config->alarms);
	build_few(build, BLOCK_ALARM, (char *)config->alarms);
	for (const struct syntax_entry *entry = build->entries; entry; entry = entry->next)
		if (is_block_of(entry, BLOCK_ALARM) && i < FEW_MAX)
			check_alarm(build, &config->alarms[i++], entry);
}

static void check_together(struct build *build, const struct instance *dns)
{
	const struct config_dns *values = &build->whole->config.dns;
	const struct place *min = &dns->places[schema_find_key(dns->block, "ttl_min")];
	const struct place *max = &dns->places[schema_find_key(dns->block, "ttl_max")];

	if (values->ttl_min_us > values->ttl_max_us)
		problems_add(build->problems, min->file ? *min : *max, "dns.ttl_min",
		             "more than dns.ttl_max");
}

void whole_build(struct whole *whole, const struct syntax_entry *entries,
                 const struct syntax_entry *presets, struct problems *problems)
{
	struct build build = { .whole = whole, .problems = problems, .entries = entries };
	int count = BLOCK_COUNT + 1;

	for (const struct syntax_entry *entry = entries; entry; entry = entry->next)
		count += entry->is_block;
	whole->instances = arena_alloc(whole->arena, (size_t)count * sizeof *whole->instances);
	build_top(&build);
	build_listeners(&build);
	for (int i = 1; i < whole->instance_count; i++)
		check_listener(&build, &whole->instances[i]);
	build_dkim(&build);
	build_alarms(&build);
	for (int id = BLOCK_RECEIVE; id < BLOCK_PRESET; id++) {
		struct instance *instance = build_single(&build, (enum schema_block_id)id);

		if (id == BLOCK_DNS)
			check_together(&build, instance);
	}
	build_presets(&build, presets);
	build_destinations(&build, build_single(&build, BLOCK_DEFAULTS));
	set_names(whole);
}
