#include "mail/header.h"
#include <string.h>

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* The line at the front, with its end. */
static struct bytes first_line(struct bytes text)
{
	ptrdiff_t lf = bytes_find_char(text, '\n');

	return lf < 0 ? text : bytes_first(text, (size_t)lf + 1);
}

static bool is_empty_line(struct bytes line)
{
	return bytes_equal(line, BYTES_LITERAL("\r\n")) || bytes_equal(line, BYTES_LITERAL("\n"));
}

/* The length of the name in front of the colon; 0 if the line begins no field. Blanks before the
 * colon are tolerated. */
static size_t name_length(struct bytes line)
{
	ptrdiff_t colon = bytes_find_char(line, ':');
	size_t length = colon < 0 ? 0 : (size_t)colon;

	while (length > 0 && is_blank(line.at[length - 1]))
		length--;
	for (size_t i = 0; i < length; i++)
		if ((unsigned char)line.at[i] <= 32 || (unsigned char)line.at[i] >= 127)
			return 0;
	return length;
}

size_t header_length(struct bytes content)
{
	size_t length = 0;

	while (length < content.len) {
		struct bytes line = first_line(bytes_from(content, length));

		if (is_empty_line(line))
			return length + line.len;
		if (!(length > 0 && is_blank(line.at[0])) && name_length(line) == 0)
			return length;
		length += line.len;
	}
	return length;
}

/* The lines of the field at the front: the first, and those that go on with a blank. */
static struct bytes take_field(struct bytes *rest)
{
	size_t length = first_line(*rest).len;
	struct bytes field;

	while (length < rest->len && is_blank(rest->at[length]))
		length += first_line(bytes_from(*rest, length)).len;
	field = bytes_first(*rest, length);
	*rest = bytes_from(*rest, length);
	return field;
}

bool header_next(struct bytes *rest, struct header_field *field_out)
{
	while (rest->len > 0 && !is_empty_line(first_line(*rest))) {
		struct bytes whole = take_field(rest);
		size_t length = name_length(whole);

		if (length == 0)
			continue;
		field_out->whole = whole;
		field_out->name = bytes_first(whole, length);
		field_out->value = bytes_from(whole, (size_t)bytes_find_char(whole, ':') + 1);
		while (field_out->value.len > 0 && is_blank(field_out->value.at[0]))
			field_out->value = bytes_from(field_out->value, 1);
		while (field_out->value.len > 0 &&
		       strchr("\r\n", field_out->value.at[field_out->value.len - 1]))
			field_out->value.len--;
		return true;
	}
	return false;
}

bool header_find(struct bytes headers, struct bytes name, struct header_field *field_out)
{
	while (header_next(&headers, field_out))
		if (bytes_equal_nocase(field_out->name, name))
			return true;
	return false;
}

int header_count(struct bytes headers, struct bytes name)
{
	struct header_field field;
	int count = 0;

	while (header_next(&headers, &field))
		count += bytes_equal_nocase(field.name, name);
	return count;
}

void header_unfold(struct bytes value, struct buffer *out)
{
	for (size_t i = 0; i < value.len; i++) {
		if (value.at[i] != '\r' && value.at[i] != '\n') {
			buffer_append_char(out, value.at[i]);
			continue;
		}
		while (i + 1 < value.len && strchr("\r\n \t", value.at[i + 1]))
			i++;
		buffer_append_char(out, ' ');
	}
}

static bool is_automatic_field(const struct header_field *field)
{
	struct bytes value = bytes_trim(field->value);

	if (bytes_equal_nocase(field->name, bytes_of("Auto-Submitted")))
		return !bytes_equal_nocase(value, bytes_of("no"));
	if (bytes_equal_nocase(field->name, bytes_of("Precedence")))
		return bytes_equal_nocase(value, bytes_of("bulk")) ||
		       bytes_equal_nocase(value, bytes_of("list")) ||
		       bytes_equal_nocase(value, bytes_of("junk"));
	return bytes_starts_with_nocase(field->name, bytes_of("List-"));
}

bool header_is_automatic(struct bytes headers)
{
	struct header_field field;

	while (header_next(&headers, &field))
		if (is_automatic_field(&field))
			return true;
	return false;
}
