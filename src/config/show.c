#include "config/instance.h"
#include "config/value.h"

static const char *origin_of(const struct instance *instance, int key)
{
	return instance->origins[key] ? instance->origins[key] : "default";
}

/* Of a preset only what it sets is of interest; and `hostname` and the like have a value always. */
static bool is_shown(const struct instance *instance, int key)
{
	return instance->block != schema_block(BLOCK_PRESET) || instance->origins[key];
}

/* A text that must have a form, and has none, could not be read back. */
static bool is_absent(const struct schema_key *key, struct bytes value)
{
	return key->type == SCHEMA_STRING && bytes_equal(value, BYTES_LITERAL("\"\"")) &&
	       key->check && key->check(BYTES_LITERAL(""));
}

static void show_key(const struct instance *instance, int i, struct buffer *out)
{
	const struct schema_key *key = &instance->block->keys[i];
	const char *indent = instance->block->name[0] ? "\t" : "";
	struct buffer value = { 0 };

	value_format(key, instance->values, &value);
	if (is_absent(key, buffer_bytes(&value)))
		buffer_printf(out, "%s# %s is not set\n", indent, key->name);
	else
		buffer_printf(out, "%s%s%s%.*s; # %s\n", indent, key->name, value.len ? " " : "",
		              BYTES_FORMAT(buffer_bytes(&value)), origin_of(instance, i));
	buffer_deinit(&value);
}

static void show_instance(const struct instance *instance, struct buffer *out)
{
	const struct schema_block *block = instance->block;
	bool is_top = block->name[0] == '\0';

	if (instance->argument)
		buffer_printf(out, "\n%s \"%s\" {\n", block->name, instance->argument);
	else if (!is_top)
		buffer_printf(out, "\n%s {\n", block->name);
	for (int i = 0; i < block->key_count; i++) {
		if (is_shown(instance, i))
			show_key(instance, i, out);
	}
	if (!is_top)
		buffer_append_text(out, "}\n");
}

void config_show(const struct config *config, struct buffer *out)
{
	const struct whole *whole = CONTAINER_OF((struct config *)config, struct whole, config);

	for (int i = 0; i < whole->instance_count; i++)
		show_instance(&whole->instances[i], out);
}

/* A single text stands for itself here: it needs no quotes. */
static const char *text_of(struct arena *arena, const struct instance *instance, int i)
{
	const struct schema_key *key = &instance->block->keys[i];
	struct buffer value = { 0 };
	const char *text;

	if (key->type == SCHEMA_STRING)
		return *(char *const *)(const void *)((const char *)instance->values + key->offset);
	value_format(key, instance->values, &value);
	text = arena_copy(arena, buffer_bytes(&value)).at;
	buffer_deinit(&value);
	return text;
}

void config_walk(const struct config *config,
                 void (*visit)(void *arg, const char *path, const char *value, const char *origin),
                 void *arg)
{
	const struct whole *whole = CONTAINER_OF((struct config *)config, struct whole, config);
	struct arena *arena = arena_create(0);

	for (int i = 0; i < whole->instance_count; i++) {
		const struct instance *instance = &whole->instances[i];

		for (int key = 0; key < instance->block->key_count; key++) {
			if (!is_shown(instance, key))
				continue;
			visit(arg, instance_path(arena, instance, instance->block->keys[key].name),
			      text_of(arena, instance, key), origin_of(instance, key));
			arena_reset(arena);
		}
	}
	arena_destroy(arena);
}
