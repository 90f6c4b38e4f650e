#include "mail/mime.h"
#include "mail/charset.h"
#include "mail/header.h"
#include "mail/html.h"
#include <string.h>

struct list {
	struct mime *mime;
	struct arena *arena;
};

static struct bytes take_line(struct bytes *rest)
{
	ptrdiff_t lf = bytes_find_char(*rest, '\n');
	struct bytes line = lf < 0 ? *rest : bytes_first(*rest, (size_t)lf + 1);

	*rest = bytes_from(*rest, line.len);
	return line;
}

/* Up to the first empty line. A line that is no field does not end the section, as some mailers
 * put broken ones there; but text without any header is all body. */
static size_t section_length(struct bytes content)
{
	struct bytes rest = bytes_first(content, MIME_HEADER_BYTES_MAX), line;
	bool is_first = true;

	while (rest.len > 0) {
		line = take_line(&rest);
		if (bytes_trim(line).len == 0 && line.at[0] != ' ' && line.at[0] != '\t')
			return (size_t)(line.at - content.at) + line.len;
		if (is_first && header_length(line) == 0)
			return 0;
		is_first = false;
	}
	return header_length(bytes_first(content, MIME_HEADER_BYTES_MAX));
}

static struct bytes take_value(struct bytes *rest)
{
	struct bytes value;
	size_t len = 0;

	*rest = bytes_trim(*rest);
	if (rest->len > 0 && rest->at[0] == '"') {
		*rest = bytes_from(*rest, 1);
		return bytes_split(rest, '"');
	}
	while (len < rest->len && !memchr("; \t\r\n", rest->at[len], 5))
		len++;
	value = bytes_first(*rest, len);
	*rest = bytes_from(*rest, len);
	return value;
}

static struct bytes find_parameter(struct bytes parameters, const char *wanted)
{
	while (parameters.len > 0) {
		struct bytes name = bytes_trim(bytes_split(&parameters, '='));
		struct bytes value = take_value(&parameters);

		if (bytes_equal_nocase(name, bytes_of(wanted)))
			return value;
		bytes_split(&parameters, ';');
	}
	return (struct bytes){ 0 };
}

/* Returns the declared boundary. */
static struct bytes read_part(struct bytes whole, struct mime_part *part_out)
{
	size_t len = section_length(whole);
	struct header_field field;
	struct bytes parameters;

	part_out->headers = bytes_first(whole, len);
	part_out->body = bytes_from(whole, len);
	part_out->type = BYTES_LITERAL("text/plain");
	if (header_find(part_out->headers, BYTES_LITERAL("Content-Transfer-Encoding"), &field))
		part_out->transfer = transfer_parse(field.value);
	if (!header_find(part_out->headers, BYTES_LITERAL("Content-Type"), &field))
		return (struct bytes){ 0 };
	parameters = field.value;
	part_out->type = bytes_trim(bytes_split(&parameters, ';'));
	part_out->charset = find_parameter(parameters, "charset");
	part_out->report_type = find_parameter(parameters, "report-type");
	part_out->is_multipart = bytes_starts_with_nocase(part_out->type,
	                                                  BYTES_LITERAL("multipart/"));
	return find_parameter(parameters, "boundary");
}

/* A line between two parts: "--boundary", or "--boundary--" for the last. */
struct delimiter {
	size_t start, end;
	bool is_last;
};

static bool find_delimiter(struct bytes body, struct bytes boundary, size_t from,
                           struct delimiter *delimiter_out)
{
	struct bytes rest = bytes_from(body, from);

	while (rest.len > 0) {
		struct bytes line = take_line(&rest), tail;

		if (!bytes_starts_with(line, BYTES_LITERAL("--")) ||
		    !bytes_starts_with(bytes_from(line, 2), boundary))
			continue;
		tail = bytes_trim(bytes_from(line, 2 + boundary.len));
		if (tail.len > 0 && !bytes_equal(tail, BYTES_LITERAL("--")))
			continue;
		delimiter_out->start = (size_t)(line.at - body.at);
		delimiter_out->end = delimiter_out->start + line.len;
		delimiter_out->is_last = tail.len > 0;
		return true;
	}
	return false;
}

/* Where the declared boundary does not occur: a line "--something" with a Content- field below it
 * is taken for one. */
static struct bytes guess_boundary(struct bytes body)
{
	struct bytes rest = body;

	while (rest.len > 0) {
		struct bytes line = take_line(&rest);

		if (bytes_starts_with(line, BYTES_LITERAL("--")) &&
		    bytes_starts_with_nocase(rest, BYTES_LITERAL("Content-")))
			return bytes_trim(bytes_from(line, 2));
	}
	return (struct bytes){ 0 };
}

static struct mime_part *add_part(struct list *list, int depth)
{
	struct mime_part *part;

	if (list->mime->count == MIME_PARTS_MAX) {
		list->mime->is_cut = true;
		return NULL;
	}
	part = &list->mime->parts[list->mime->count++];
	part->depth = depth;
	return part;
}

static void add_whole(struct list *list, struct bytes whole, int depth);

static void add_children(struct list *list, struct bytes body, struct bytes boundary, int depth)
{
	struct delimiter delimiter, next;
	struct mime_part *preamble;
	bool is_more = find_delimiter(body, boundary, 0, &delimiter);

	if (is_more && bytes_trim(bytes_first(body, delimiter.start)).len > 0) {
		preamble = add_part(list, depth);
		if (!preamble)
			return;
		preamble->type = BYTES_LITERAL("text/plain");
		preamble->body = bytes_first(body, delimiter.start);
		preamble->is_preamble = true;
	}
	while (is_more && !delimiter.is_last && !list->mime->is_cut) {
		is_more = find_delimiter(body, boundary, delimiter.end, &next);
		add_whole(list,
		          bytes_first(bytes_from(body, delimiter.end),
		                      (is_more ? next.start : body.len) - delimiter.end),
		          depth);
		delimiter = next;
	}
}

static void add_whole(struct list *list, struct bytes whole, int depth)
{
	struct mime_part *part = add_part(list, depth);
	struct bytes boundary;
	struct delimiter delimiter;

	if (!part)
		return;
	boundary = read_part(whole, part);
	if (!part->is_multipart)
		return;
	if (boundary.len == 0 || !find_delimiter(part->body, boundary, 0, &delimiter))
		boundary = guess_boundary(part->body);
	if (depth == MIME_DEPTH_MAX)
		list->mime->is_cut = true;
	if (boundary.len == 0 || depth == MIME_DEPTH_MAX) {
		part->is_multipart = false;
		part->type = BYTES_LITERAL("text/plain");
		return;
	}
	add_children(list, part->body, boundary, depth + 1);
}

void mime_parse(struct bytes content, struct arena *arena, struct mime *mime_out)
{
	struct list list = { mime_out, arena };

	*mime_out = (struct mime){
		.parts = arena_alloc(arena, MIME_PARTS_MAX * sizeof *mime_out->parts),
	};
	add_whole(&list, content, 0);
}

bool mime_is(const struct mime_part *part, const char *type)
{
	struct bytes wanted = bytes_of(type);

	if (wanted.len > 0 && wanted.at[wanted.len - 1] == '/')
		return bytes_starts_with_nocase(part->type, wanted);
	return bytes_equal_nocase(part->type, wanted);
}

void mime_decode(const struct mime_part *part, size_t bytes_max, struct buffer *out)
{
	transfer_decode(part->transfer, bytes_first(part->body, bytes_max), out);
}

/* CRLF and bare CR become LF. */
static void append_lines(struct bytes text, struct buffer *out)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.at[i] != '\r')
			buffer_append_char(out, text.at[i]);
		else if (i + 1 == text.len || text.at[i + 1] != '\n')
			buffer_append_char(out, '\n');
	}
}

void mime_text(const struct mime_part *part, size_t bytes_max, struct buffer *out)
{
	struct buffer raw = { 0 }, text = { 0 };

	mime_decode(part, bytes_max, &raw);
	charset_decode(part->charset, buffer_bytes(&raw), &text);
	if (mime_is(part, "text/html")) {
		buffer_clear(&raw);
		html_text(buffer_bytes(&text), &raw);
		append_lines(buffer_bytes(&raw), out);
	} else {
		append_lines(buffer_bytes(&text), out);
	}
	buffer_deinit(&raw);
	buffer_deinit(&text);
}
