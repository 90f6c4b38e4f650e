#include "mail/downgrade.h"
#include "mail/header.h"
#include <string.h>

#define LINE_BYTES_MAX    998
#define ENCODED_BYTES_MAX 76 /* RFC 2045 6.7, 6.8: of an encoded line */

enum encoding { ENCODING_PLAIN, ENCODING_QUOTED, ENCODING_BASE64, ENCODING_OTHER };

struct entity {
	struct bytes headers, body;
	struct bytes type;     /* "text/plain", as written */
	struct bytes boundary; /* of a multipart */
	enum encoding encoding;
	bool is_mime;    /* has a Content-Type */
	bool is_message; /* whole, not a part of one */
};

/* Content-Type: a token or a quoted string up to the next separator; comments do not occur here. */
static struct bytes take_value(struct bytes *rest)
{
	struct bytes value;
	size_t len = 0;

	*rest = bytes_trim(*rest);
	if (rest->len > 0 && rest->at[0] == '"') {
		*rest = bytes_from(*rest, 1);
		return bytes_split(rest, '"');
	}
	while (len < rest->len && !strchr("; \t\r\n", rest->at[len]))
		len++;
	value = bytes_first(*rest, len);
	*rest = bytes_from(*rest, len);
	return value;
}

static struct bytes find_boundary(struct bytes parameters)
{
	while (parameters.len > 0) {
		struct bytes name = bytes_trim(bytes_split(&parameters, '='));
		struct bytes value = take_value(&parameters);

		if (bytes_equal_nocase(name, BYTES_LITERAL("boundary")))
			return value;
		bytes_split(&parameters, ';');
	}
	return (struct bytes){ 0 };
}

static enum encoding read_encoding(struct bytes headers)
{
	struct header_field field;
	struct bytes name;

	if (!header_find(headers, BYTES_LITERAL("Content-Transfer-Encoding"), &field))
		return ENCODING_PLAIN;
	name = bytes_trim(field.value);
	if (bytes_equal_nocase(name, BYTES_LITERAL("quoted-printable")))
		return ENCODING_QUOTED;
	if (bytes_equal_nocase(name, BYTES_LITERAL("base64")))
		return ENCODING_BASE64;
	if (bytes_equal_nocase(name, BYTES_LITERAL("7bit")) ||
	    bytes_equal_nocase(name, BYTES_LITERAL("8bit")) ||
	    bytes_equal_nocase(name, BYTES_LITERAL("binary")))
		return ENCODING_PLAIN;
	return ENCODING_OTHER;
}

static void read_entity(struct bytes whole, struct entity *entity_out)
{
	size_t len = header_length(whole);
	struct header_field field;
	struct bytes rest;

	*entity_out = (struct entity){ .headers = bytes_first(whole, len),
		                       .body = bytes_from(whole, len) };
	entity_out->encoding = read_encoding(entity_out->headers);
	if (!header_find(entity_out->headers, BYTES_LITERAL("Content-Type"), &field))
		return;
	entity_out->is_mime = true;
	rest = field.value;
	entity_out->type = bytes_trim(bytes_split(&rest, ';'));
	if (bytes_starts_with_nocase(entity_out->type, BYTES_LITERAL("multipart/")))
		entity_out->boundary = find_boundary(rest);
}

static bool has_long_line(struct bytes data)
{
	while (data.len > LINE_BYTES_MAX) {
		struct bytes line = bytes_split(&data, '\n');

		if (line.len > LINE_BYTES_MAX + 1)
			return true;
	}
	return false;
}

static bool is_fit(struct bytes body)
{
	return bytes_is_ascii(body) && !has_long_line(body);
}

/* Quoted-printable (RFC 2045 6.7). Lines are cut softly; blanks at a line's end are encoded. */
static void encode_quoted(struct bytes in, bool is_encoded_already, struct buffer *out)
{
	size_t column = 0;

	for (size_t i = 0; i < in.len; i++) {
		unsigned char c = (unsigned char)in.at[i];
		bool is_end = i + 1 == in.len || in.at[i + 1] == '\r';
		bool is_plain = (c > ' ' && c <= '~' && (c != '=' || is_encoded_already)) ||
		                ((c == ' ' || c == '\t') && (!is_end || is_encoded_already));

		if (c == '\r' && i + 1 < in.len && in.at[i + 1] == '\n') {
			buffer_append(out, BYTES_LITERAL("\r\n"));
			column = 0;
			i++;
			continue;
		}
		if (column + (is_plain ? 1 : 3) > ENCODED_BYTES_MAX - 1 && !is_encoded_already) {
			buffer_append(out, BYTES_LITERAL("=\r\n"));
			column = 0;
		}
		if (is_plain)
			buffer_append_char(out, (char)c);
		else
			buffer_printf(out, "=%02X", c);
		column += is_plain ? 1 : 3;
	}
}

static void encode_base64(struct bytes in, struct buffer *out)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char *at = (const unsigned char *)in.at;
	size_t column = 0;

	for (size_t i = 0; i < in.len; i += 3) {
		size_t left = in.len - i;
		unsigned group = (unsigned)at[i] << 16 | (left > 1 ? (unsigned)at[i + 1] << 8 : 0) |
		                 (left > 2 ? at[i + 2] : 0u);

		buffer_append_char(out, letters[group >> 18]);
		buffer_append_char(out, letters[group >> 12 & 63]);
		buffer_append_char(out, left > 1 ? letters[group >> 6 & 63] : '=');
		buffer_append_char(out, left > 2 ? letters[group & 63] : '=');
		column += 4;
		if (column < ENCODED_BYTES_MAX && left > 3)
			continue;
		buffer_append(out, BYTES_LITERAL("\r\n"));
		column = 0;
	}
}

/* RFC 2045 4, RFC 1428: a message from before MIME is declared for what it is. */
static void declare(const struct entity *entity, struct buffer *out)
{
	struct header_field field;

	if (!header_find(entity->headers, BYTES_LITERAL("MIME-Version"), &field))
		buffer_append_text(out, "MIME-Version: 1.0\r\n");
	if (!entity->is_mime)
		buffer_append_text(out, "Content-Type: text/plain; charset=unknown-8bit\r\n");
}

/* The header section with another encoding in place of the one it named. */
static void put_headers(const struct entity *entity, const char *encoding, struct buffer *out)
{
	static const char name[] = "Content-Transfer-Encoding";
	struct bytes rest = entity->headers, lines = entity->headers;
	bool has_end = bytes_equal(lines, BYTES_LITERAL("\r\n")) ||
	               (lines.len >= 4 &&
	                bytes_equal(bytes_from(lines, lines.len - 4), BYTES_LITERAL("\r\n\r\n")));
	struct header_field field;

	if (has_end)
		lines.len -= 2;
	while (header_next(&rest, &field)) {
		size_t before = (size_t)(field.whole.at - lines.at);

		if (!bytes_equal_nocase(field.name, bytes_of(name)))
			continue;
		buffer_append(out, bytes_first(lines, before));
		lines = bytes_from(lines, before + field.whole.len);
	}
	buffer_append(out, lines);
	if (lines.len > 0 && lines.at[lines.len - 1] != '\n')
		buffer_append_text(out, "\r\n");
	if (entity->is_message)
		declare(entity, out);
	buffer_printf(out, "%s: %s\r\n\r\n", name, encoding);
}

/* What a reader shows to nobody: the text around the parts. */
static void put_around(struct bytes text, struct buffer *out)
{
	char *at = text.len > 0 ? buffer_reserve(out, text.len) : NULL;

	if (!at)
		return;
	for (size_t i = 0; i < text.len; i++)
		at[i] = (unsigned char)text.at[i] < 0x80 ? text.at[i] : '?';
	out->len += text.len;
}

static bool put_leaf(const struct entity *entity, struct buffer *out)
{
	bool is_text = !entity->is_mime ||
	               bytes_starts_with_nocase(entity->type, BYTES_LITERAL("text/"));

	if (entity->encoding == ENCODING_OTHER)
		return false;
	if (entity->encoding == ENCODING_QUOTED || entity->encoding == ENCODING_BASE64) {
		/* Bytes that have no place in an encoded body. */
		buffer_append(out, entity->headers);
		if (entity->encoding == ENCODING_QUOTED)
			encode_quoted(entity->body, true, out);
		else
			put_around(entity->body, out);
		return true;
	}
	put_headers(entity, is_text ? "quoted-printable" : "base64", out);
	if (is_text)
		encode_quoted(entity->body, false, out);
	else
		encode_base64(entity->body, out);
	return true;
}

/* The next delimiter line "--boundary" or "--boundary--" from `from` on: where it starts and ends.
 * (RFC 2046 5.1.1: the line end before it belongs to it.) */
struct delimiter {
	size_t start, end;
	bool is_last;
};

static bool find_delimiter(struct bytes body, struct bytes boundary, size_t from,
                           struct delimiter *found_out)
{
	while (from < body.len) {
		struct bytes rest = bytes_from(body, from);
		struct bytes line = bytes_split(&rest, '\n');
		size_t next = rest.at ? (size_t)(rest.at - body.at) : body.len;
		struct bytes tail = bytes_from(line, 2);

		if (bytes_starts_with(line, BYTES_LITERAL("--")) &&
		    bytes_starts_with(tail, boundary)) {
			tail = bytes_trim(bytes_from(tail, boundary.len));
			*found_out = (struct delimiter){ from, next,
				                         bytes_equal(tail, BYTES_LITERAL("--")) };
			if (tail.len == 0 || found_out->is_last)
				return true;
		}
		from = next;
	}
	return false;
}

static bool put_entity(struct bytes whole, int depth, bool is_message, struct buffer *out);

static bool put_multipart(const struct entity *entity, int depth, struct buffer *out)
{
	struct bytes body = entity->body;
	struct delimiter delimiter = { 0 }, next = { 0 };
	bool is_more = find_delimiter(body, entity->boundary, 0, &delimiter);

	put_headers(entity, "7bit", out);
	put_around(bytes_first(body, is_more ? delimiter.start : body.len), out);
	while (is_more && !delimiter.is_last) {
		struct bytes part = bytes_from(body, delimiter.end);

		put_around(bytes_first(bytes_from(body, delimiter.start),
		                       delimiter.end - delimiter.start),
		           out);
		is_more = find_delimiter(body, entity->boundary, delimiter.end, &next);
		if (is_more)
			part = bytes_first(part, next.start - delimiter.end);
		/* The line end before the delimiter is the delimiter's. */
		if (is_more && part.len >= 2)
			part.len -= 2;
		if (!put_entity(part, depth + 1, false, out))
			return false;
		if (is_more && next.start - delimiter.end >= 2)
			buffer_append(out, BYTES_LITERAL("\r\n"));
		delimiter = next;
	}
	if (is_more)
		put_around(bytes_from(body, delimiter.start), out);
	return true;
}

static bool put_entity(struct bytes whole, int depth, bool is_message, struct buffer *out)
{
	struct entity entity;

	if (is_fit(whole)) {
		buffer_append(out, whole);
		return true;
	}
	if (depth > DOWNGRADE_DEPTH_MAX)
		return false;
	read_entity(whole, &entity);
	entity.is_message = is_message;
	if (is_fit(entity.body)) {
		buffer_append(out, whole);
		return true;
	}
	if (entity.boundary.len > 0)
		return put_multipart(&entity, depth, out);
	if (bytes_equal_nocase(entity.type, BYTES_LITERAL("message/rfc822"))) {
		put_headers(&entity, "7bit", out);
		return put_entity(entity.body, depth + 1, true, out);
	}
	/* RFC 2046 5.2: of the others of this kind the encoding is restricted. */
	if (bytes_starts_with_nocase(entity.type, BYTES_LITERAL("message/")) ||
	    bytes_starts_with_nocase(entity.type, BYTES_LITERAL("multipart/")))
		return false;
	return put_leaf(&entity, out);
}

bool downgrade(struct bytes content, struct buffer *out)
{
	return put_entity(content, 0, true, out) && !out->is_over;
}
