#include "mail/mailboxes.h"
#include <string.h>

/* The length of what begins at the front with `open`: a quoted string, a comment (they nest) or a
 * literal. All of `in` if it has no end. */
static size_t enclosed(struct bytes in, char open, char close)
{
	int depth = 0;

	for (size_t i = 0; i < in.len; i++) {
		if (in.at[i] == '\\')
			i++;
		else if (in.at[i] == close && (open != close || depth > 0) && --depth == 0)
			return i + 1;
		else if (in.at[i] == open)
			depth++;
	}
	return in.len;
}

/* A run that belongs together: something enclosed, or one byte. */
static size_t piece(struct bytes in)
{
	switch (in.at[0]) {
	case '"':
		return enclosed(in, '"', '"');
	case '(':
		return enclosed(in, '(', ')');
	case '[':
		return enclosed(in, '[', ']');
	case '\\':
		return in.len > 1 ? 2 : 1;
	default:
		return 1;
	}
}

static bool is_white(char c)
{
	return strchr(" \t\r\n", c) && c;
}

/* One entry of the list, from its name to the comma behind it. A name in front of < is dropped; so
 * is a route (@a,@b:) within. */
struct entry {
	struct buffer *out;
	bool is_in_angle;
	bool is_closed; /* behind >: nothing more counts */
};

/* True at the end of the entry. */
static bool take(struct entry *entry, struct bytes part)
{
	char c = part.at[0];

	if (c == '(' || (part.len == 1 && is_white(c)))
		return false;
	if (c == ';' || (c == ',' && !entry->is_in_angle))
		return true;
	if (c == '<') {
		buffer_clear(entry->out);
		entry->is_in_angle = true;
	} else if (c == '>') {
		entry->is_in_angle = false;
		entry->is_closed = true;
	} else if (c == ':') {
		buffer_clear(entry->out); /* a group's name, or a route */
	} else if (!entry->is_closed) {
		buffer_append(entry->out, part);
	}
	return false;
}

bool mailboxes_next(struct bytes *rest, struct buffer *out)
{
	struct entry entry = { .out = out };

	buffer_clear(out);
	while (rest->len > 0) {
		struct bytes part = bytes_first(*rest, piece(*rest));
		bool is_end = take(&entry, part);

		*rest = bytes_from(*rest, part.len);
		if (is_end && out->len > 0)
			return true;
		if (is_end)
			entry = (struct entry){ .out = out };
	}
	return out->len > 0;
}
