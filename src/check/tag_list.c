#include "check/tag_list.h"
#include <stdarg.h>
#include <stdio.h>

#define SHOWN_MAX 40

static bool is_name(struct bytes name)
{
	for (size_t i = 0; i < name.len; i++) {
		char c = char_lower(name.at[i]);

		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '_')
			return false;
	}
	return name.len > 0;
}

/* A value may be folded or hold blanks, but nothing that steers a terminal. */
static bool is_value(struct bytes value)
{
	for (size_t i = 0; i < value.len; i++)
		if ((value.at[i] < ' ' && value.at[i] != '\t') || value.at[i] > '~')
			return false;
	return true;
}

bool tag_list_say(char problem_out[200], const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(problem_out, 200, format, args);
	va_end(args);
	for (char *c = problem_out; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
	return false;
}

static bool add(struct tag_list *list, struct bytes text, char problem_out[200])
{
	struct tag *tag = &list->tags[list->count];
	struct bytes rest = text;

	tag->name = bytes_trim(bytes_split(&rest, '='));
	tag->value = bytes_trim(rest);
	if (!is_value(text))
		return tag_list_say(problem_out, "it holds a byte that is not printable ASCII");
	if (!is_name(tag->name) || !rest.at)
		return tag_list_say(problem_out, "\"%.*s\" is not NAME=VALUE",
		                    (int)MIN(text.len, SHOWN_MAX), text.at);
	for (int i = 0; i < list->count; i++)
		if (bytes_equal(list->tags[i].name, tag->name))
			return tag_list_say(problem_out, "%.*s= is given twice",
			                    (int)MIN(tag->name.len, SHOWN_MAX), tag->name.at);
	if (list->count == TAG_LIST_MAX - 1)
		return tag_list_say(problem_out, "it has more than %d tags", TAG_LIST_MAX - 1);
	list->count++;
	return true;
}

bool tag_list_parse(struct bytes record, struct tag_list *list_out, char problem_out[200])
{
	struct bytes rest = record;

	list_out->count = 0;
	problem_out[0] = '\0';
	while (rest.at) {
		struct bytes text = bytes_trim(bytes_split(&rest, ';'));

		if (text.len > 0 && !add(list_out, text, problem_out))
			return false;
	}
	return true;
}

struct bytes tag_list_find(const struct tag_list *list, const char *name)
{
	for (int i = 0; i < list->count; i++)
		if (bytes_equal(list->tags[i].name, bytes_of(name)))
			return list->tags[i].value;
	return (struct bytes){ 0 };
}

bool tag_list_has_version(struct bytes record, const char *version)
{
	struct bytes rest = record;
	struct bytes first = bytes_trim(bytes_split(&rest, ';'));
	struct bytes name = bytes_trim(bytes_split(&first, '='));

	return bytes_equal(name, BYTES_LITERAL("v")) &&
	       bytes_equal(bytes_trim(first), bytes_of(version));
}
