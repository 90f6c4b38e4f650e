#include "mail/html.h"

/* Tags that begin a line. */
static const char *const blocks[] = { "br", "p",  "div", "tr", "td", "li",  "h1",    "h2",
	                              "h3", "h4", "hr",  "ul", "ol", "pre", "table", "blockquote" };

static const struct {
	const char *name, *text;
} entities[] = {
	{ "lt", "<" },   { "gt", ">" },   { "amp", "&" }, { "quot", "\"" },
	{ "nbsp", " " }, { "apos", "'" }, { "#39", "'" }, { "#64", "@" },
};

static bool is_block(struct bytes name)
{
	for (size_t i = 0; i < COUNT(blocks); i++)
		if (bytes_equal_nocase(name, bytes_of(blocks[i])))
			return true;
	return false;
}

static struct bytes tag_name(struct bytes tag)
{
	size_t len = 0;

	if (tag.len > 0 && tag.at[0] == '/')
		tag = bytes_from(tag, 1);
	while (len < tag.len &&
	       ((char_lower(tag.at[len]) >= 'a' && char_lower(tag.at[len]) <= 'z') ||
	        (tag.at[len] >= '0' && tag.at[len] <= '9')))
		len++;
	return bytes_first(tag, len);
}

#define TAG_BYTES_MAX 4096 /* "<" without a ">" that near is text; so the search stays linear */

/* Past what nobody sees: "<style ...> ... </style>". Without an end nothing is seen any more. */
static struct bytes skip_hidden(struct bytes rest, const char *end)
{
	ptrdiff_t at = bytes_find_nocase(rest, bytes_of(end));

	return bytes_from(rest, at < 0 ? rest.len : (size_t)at);
}

/* At "<": skips the tag. What looks like "<user@host>" is text that somebody forgot to quote. */
static struct bytes skip_tag(struct bytes in, struct buffer *out)
{
	ptrdiff_t end = bytes_find_char(bytes_first(in, TAG_BYTES_MAX), '>');
	struct bytes tag = bytes_from(bytes_first(in, end < 0 ? 1 : (size_t)end), 1), name;

	if (bytes_starts_with(in, BYTES_LITERAL("<!--")))
		return bytes_from(skip_hidden(in, "-->"), 3);
	name = tag_name(tag);
	if (end < 0 || (name.len == 0 && tag.len > 0 && tag.at[0] != '!' && tag.at[0] != '?') ||
	    (bytes_find_char(tag, '@') >= 0 && bytes_find_char(tag, ' ') < 0)) {
		buffer_append_char(out, '<');
		return bytes_from(in, 1);
	}
	if (is_block(name))
		buffer_append_char(out, '\n');
	in = bytes_from(in, (size_t)end + 1);
	if (tag.at[0] == '/')
		return in;
	if (bytes_equal_nocase(name, BYTES_LITERAL("style")))
		return skip_hidden(in, "</style");
	if (bytes_equal_nocase(name, BYTES_LITERAL("script")))
		return skip_hidden(in, "</script");
	if (bytes_equal_nocase(name, BYTES_LITERAL("title")))
		return skip_hidden(in, "</title");
	return in;
}

static struct bytes skip_entity(struct bytes in, struct buffer *out)
{
	ptrdiff_t end = bytes_find_char(bytes_first(in, 10), ';');
	struct bytes name = bytes_from(bytes_first(in, end < 0 ? 0 : (size_t)end), 1);

	for (size_t i = 0; i < COUNT(entities); i++) {
		if (!bytes_equal_nocase(name, bytes_of(entities[i].name)))
			continue;
		buffer_append_text(out, entities[i].text);
		return bytes_from(in, (size_t)end + 1);
	}
	buffer_append_char(out, '&');
	return bytes_from(in, 1);
}

void html_text(struct bytes in, struct buffer *out)
{
	while (in.len > 0) {
		if (in.at[0] == '<') {
			in = skip_tag(in, out);
		} else if (in.at[0] == '&') {
			in = skip_entity(in, out);
		} else {
			/* A line end is a blank in HTML; whoever reads lines is better off with it.
			 */
			buffer_append_char(out, in.at[0]);
			in = bytes_from(in, 1);
		}
	}
}
