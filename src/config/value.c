#include "config/value.h"
#include "base/macros.h"
#include "base/units.h"
#include <string.h>

static void *place_of(const struct schema_key *key, void *block)
{
	return (char *)block + key->offset;
}

static const void *const_place_of(const struct schema_key *key, const void *block)
{
	return (const char *)block + key->offset;
}

static void format_duration(int64_t us, struct buffer *out)
{
	static const struct {
		const char *name;
		int64_t us;
	} units[] = {
		{ "d", US_PER_DAY },    { "h", US_PER_HOUR }, { "m", US_PER_MINUTE },
		{ "s", US_PER_SECOND }, { "ms", US_PER_MS },
	};

	if (us == 0)
		buffer_append_char(out, '0');
	for (size_t i = 0; i < COUNT(units); i++) {
		if (us >= units[i].us)
			buffer_printf(out, "%lld%s", (long long)(us / units[i].us), units[i].name);
		us %= units[i].us;
	}
}

static void format_size(int64_t size_bytes, struct buffer *out)
{
	static const char letters[] = "KMGT";
	size_t power = 0;

	while (power < strlen(letters) && size_bytes > 0 && size_bytes % 1024 == 0) {
		size_bytes /= 1024;
		power++;
	}
	buffer_printf(out, "%lld", (long long)size_bytes);
	if (power > 0)
		buffer_append_char(out, letters[power - 1]);
}

void value_format_exact(enum schema_type type, int64_t value, struct buffer *out)
{
	if (type == SCHEMA_DURATION || type == SCHEMA_DURATIONS)
		format_duration(value, out);
	else if (type == SCHEMA_SIZE)
		format_size(value, out);
	else
		buffer_printf(out, "%lld", (long long)value);
}

static const char *const type_wants[] = {
	[SCHEMA_STRING] = "a text",
	[SCHEMA_CHOICE] = "a choice",
	[SCHEMA_SWITCH] = "yes or no",
	[SCHEMA_NUMBER] = "a number",
	[SCHEMA_SIZE] = "a size such as 4096, 64K, 50M or 2G",
	[SCHEMA_DURATION] = "a duration such as 250ms, 90s, 1h30m or 5d",
	[SCHEMA_STRINGS] = "a text",
	[SCHEMA_DURATIONS] = "a duration such as 250ms, 90s, 1h30m or 5d",
};

static bool parse_integer(enum schema_type type, struct bytes text, int64_t *value_out)
{
	uint64_t number;

	if (type == SCHEMA_SIZE)
		return size_parse(text, value_out);
	if (type == SCHEMA_DURATION || type == SCHEMA_DURATIONS)
		return duration_parse(text, value_out);
	if (!bytes_parse_u64(text, &number) || number > INT64_MAX)
		return false;
	*value_out = (int64_t)number;
	return true;
}

/* Reads a NUMBER, SIZE or DURATION within its range. */
static bool read_integer(const struct schema_key *key, const char *text, int64_t *value_out,
                         struct buffer *wrong)
{
	if (!parse_integer(key->type, bytes_of(text), value_out)) {
		buffer_printf(wrong, "'%s' is not %s", text, type_wants[key->type]);
		return false;
	}
	if (*value_out >= key->min && *value_out <= key->max)
		return true;
	buffer_printf(wrong, "%s is out of range (", text);
	value_format_exact(key->type, key->min, wrong);
	buffer_append_text(wrong, " to ");
	value_format_exact(key->type, key->max, wrong);
	buffer_append_char(wrong, ')');
	return false;
}

static bool is_choice(const char *choices, const char *text)
{
	struct bytes rest = bytes_of(choices);

	while (rest.at) {
		if (bytes_equal(bytes_split(&rest, ' '), bytes_of(text)))
			return true;
	}
	return false;
}

static bool text_is_right(const struct schema_key *key, const char *text, struct buffer *wrong)
{
	const char *wanted = key->check ? key->check(bytes_of(text)) : NULL;

	if (key->type == SCHEMA_CHOICE && !is_choice(key->choices, text)) {
		buffer_printf(wrong, "'%s' is none of: %s", text, key->choices);
		return false;
	}
	if (wanted)
		buffer_printf(wrong, "'%s' is not %s", text, wanted);
	return !wanted;
}

static bool parse_durations(const struct schema_key *key, struct value_texts texts,
                            struct arena *arena, void *block, struct buffer *wrong)
{
	int64_t *all = arena_alloc(arena, (size_t)texts.count * sizeof *all);

	for (int i = 0; i < texts.count; i++) {
		if (!read_integer(key, texts.items[i], &all[i], wrong))
			return false;
	}
	memcpy(place_of(key, block), &all, sizeof all);
	memcpy((char *)block + key->count_offset, &texts.count, sizeof texts.count);
	return true;
}

static bool parse_strings(const struct schema_key *key, struct value_texts texts, void *block,
                          struct buffer *wrong)
{
	struct config_strings *strings = place_of(key, block);

	for (int i = 0; i < texts.count; i++) {
		if (!text_is_right(key, texts.items[i], wrong))
			return false;
	}
	*strings = (struct config_strings){ (char **)texts.items, texts.count };
	return true;
}

static bool parse_switch(const struct schema_key *key, const char *text, void *block,
                         struct buffer *wrong)
{
	bool is_yes = strcmp(text, "yes") == 0;

	if (!is_yes && strcmp(text, "no") != 0) {
		buffer_printf(wrong, "'%s' is not %s", text, type_wants[key->type]);
		return false;
	}
	*(bool *)place_of(key, block) = is_yes;
	return true;
}

static bool parse_one(const struct schema_key *key, char *text, void *block, struct buffer *wrong)
{
	int64_t value;

	switch (key->type) {
	case SCHEMA_STRING:
	case SCHEMA_CHOICE:
		if (!text_is_right(key, text, wrong))
			return false;
		*(char **)place_of(key, block) = text;
		return true;
	case SCHEMA_SWITCH:
		return parse_switch(key, text, block, wrong);
	case SCHEMA_NUMBER:
		if (!read_integer(key, text, &value, wrong))
			return false;
		*(int *)place_of(key, block) = (int)value;
		return true;
	case SCHEMA_SIZE:
	case SCHEMA_DURATION:
		if (!read_integer(key, text, &value, wrong))
			return false;
		*(int64_t *)place_of(key, block) = value;
		return true;
	case SCHEMA_STRINGS:
	case SCHEMA_DURATIONS:
		break;
	}
	return false;
}

bool value_parse(const struct schema_key *key, struct value_texts texts, struct arena *arena,
                 void *block, struct buffer *wrong)
{
	if (key->type == SCHEMA_STRINGS)
		return parse_strings(key, texts, block, wrong);
	if (texts.count == 0) {
		buffer_printf(wrong, "the value is missing: %s is expected", type_wants[key->type]);
		return false;
	}
	if (key->type == SCHEMA_DURATIONS)
		return parse_durations(key, texts, arena, block, wrong);
	if (texts.count > 1) {
		buffer_printf(wrong, "takes one value, but '%s' follows: is a ';' missing?",
		              texts.items[1]);
		return false;
	}
	return parse_one(key, texts.items[0], block, wrong);
}

static void format_text(const char *text, struct buffer *out)
{
	buffer_append_char(out, '"');
	for (const char *c = text ? text : ""; *c; c++) {
		if (*c == '\n' || *c == '\t') {
			buffer_append_text(out, *c == '\n' ? "\\n" : "\\t");
			continue;
		}
		if (*c == '"' || *c == '\\')
			buffer_append_char(out, '\\');
		buffer_append_char(out, *c);
	}
	buffer_append_char(out, '"');
}

static void format_strings(const struct config_strings *strings, struct buffer *out)
{
	for (int i = 0; i < strings->count; i++) {
		if (i > 0)
			buffer_append_char(out, ' ');
		format_text(strings->items[i], out);
	}
}

static void format_durations(const struct schema_key *key, const void *block, struct buffer *out)
{
	const int64_t *all = *(int64_t *const *)const_place_of(key, block);
	int count = *(const int *)((const char *)block + key->count_offset);

	for (int i = 0; i < count; i++) {
		if (i > 0)
			buffer_append_char(out, ' ');
		format_duration(all[i], out);
	}
}

void value_format(const struct schema_key *key, const void *block, struct buffer *out)
{
	const void *place = const_place_of(key, block);

	switch (key->type) {
	case SCHEMA_STRING:
		format_text(*(char *const *)place, out);
		break;
	case SCHEMA_CHOICE:
		buffer_append_text(out, *(char *const *)place);
		break;
	case SCHEMA_SWITCH:
		buffer_append_text(out, *(const bool *)place ? "yes" : "no");
		break;
	case SCHEMA_NUMBER:
		value_format_exact(key->type, *(const int *)place, out);
		break;
	case SCHEMA_SIZE:
	case SCHEMA_DURATION:
		value_format_exact(key->type, *(const int64_t *)place, out);
		break;
	case SCHEMA_STRINGS:
		format_strings(place, out);
		break;
	case SCHEMA_DURATIONS:
		format_durations(key, block, out);
		break;
	}
}

void value_copy(const struct schema_key *key, void *to, const void *from)
{
	static const size_t sizes[] = {
		[SCHEMA_STRING] = sizeof(char *),
		[SCHEMA_CHOICE] = sizeof(char *),
		[SCHEMA_SWITCH] = sizeof(bool),
		[SCHEMA_NUMBER] = sizeof(int),
		[SCHEMA_SIZE] = sizeof(int64_t),
		[SCHEMA_DURATION] = sizeof(int64_t),
		[SCHEMA_STRINGS] = sizeof(struct config_strings),
		[SCHEMA_DURATIONS] = sizeof(int64_t *),
	};

	memcpy(place_of(key, to), const_place_of(key, from), sizes[key->type]);
	if (key->type == SCHEMA_DURATIONS)
		memcpy((char *)to + key->count_offset, (const char *)from + key->count_offset,
		       sizeof(int));
}
