#include "mail/dkim_form.h"
#include "base/alloc.h"
#include "mail/header.h"
#include <openssl/evp.h>
#include <string.h>

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

void dkim_split(struct bytes content, struct bytes *headers_out, struct bytes *body_out)
{
	ptrdiff_t end = bytes_find(content, BYTES_LITERAL("\r\n\r\n"));

	*headers_out = content;
	*body_out = (struct bytes){ 0 };
	if (bytes_starts_with(content, BYTES_LITERAL("\r\n"))) {
		headers_out->len = 0;
		*body_out = bytes_from(content, 2);
	} else if (end >= 0) {
		headers_out->len = (size_t)end + 2;
		*body_out = bytes_from(content, (size_t)end + 4);
	}
}

/* The body. */

struct digest {
	EVP_MD_CTX *md;
	uint64_t left; /* bytes that still count */
	size_t used;
	char pending[4096];
};

static void digest_flush(struct digest *digest)
{
	size_t count = (size_t)MIN(digest->left, (uint64_t)digest->used);

	EVP_DigestUpdate(digest->md, digest->pending, count);
	digest->left -= count;
	digest->used = 0;
}

static void digest_put(struct digest *digest, struct bytes text)
{
	while (text.len > 0) {
		size_t count = MIN(text.len, sizeof digest->pending - digest->used);

		memcpy(digest->pending + digest->used, text.at, count);
		digest->used += count;
		text = bytes_from(text, count);
		if (digest->used == sizeof digest->pending)
			digest_flush(digest);
	}
}

/* One line without its end: blanks at the end go, others become one. */
static void put_relaxed(struct digest *digest, struct bytes line)
{
	while (line.len > 0) {
		size_t word = 0, gap = 0;

		while (word < line.len && !is_blank(line.at[word]))
			word++;
		digest_put(digest, bytes_first(line, word));
		line = bytes_from(line, word);
		while (gap < line.len && is_blank(line.at[gap]))
			gap++;
		line = bytes_from(line, gap);
		if (line.len > 0)
			digest_put(digest, BYTES_LITERAL(" "));
	}
}

static bool is_empty(struct bytes line, enum dkim_form form)
{
	if (form == DKIM_SIMPLE)
		return line.len == 0;
	for (size_t i = 0; i < line.len; i++)
		if (!is_blank(line.at[i]))
			return false;
	return true;
}

static struct bytes take_line(struct bytes *rest)
{
	ptrdiff_t end = bytes_find(*rest, BYTES_LITERAL("\r\n"));
	struct bytes line = end < 0 ? *rest : bytes_first(*rest, (size_t)end);

	*rest = end < 0 ? (struct bytes){ 0 } : bytes_from(*rest, (size_t)end + 2);
	return line;
}

/* Empty lines count only when another follows. */
static void put_body(struct digest *digest, struct bytes body, enum dkim_form form)
{
	uint64_t empty_lines = 0;
	bool has_lines = false;

	while (body.len > 0) {
		struct bytes line = take_line(&body);

		if (is_empty(line, form)) {
			empty_lines++;
			continue;
		}
		for (; empty_lines > 0; empty_lines--)
			digest_put(digest, BYTES_LITERAL("\r\n"));
		if (form == DKIM_RELAXED)
			put_relaxed(digest, line);
		else
			digest_put(digest, line);
		digest_put(digest, BYTES_LITERAL("\r\n"));
		has_lines = true;
	}
	if (!has_lines && form == DKIM_SIMPLE)
		digest_put(digest, BYTES_LITERAL("\r\n"));
}

bool dkim_digest_body(struct bytes body, enum dkim_form form, uint64_t limit,
                      uint8_t digest_out[DKIM_DIGEST_BYTES])
{
	struct digest digest = { .md = EVP_MD_CTX_new(), .left = limit };

	EVP_DigestInit_ex(digest.md, EVP_sha256(), NULL);
	put_body(&digest, body, form);
	digest_flush(&digest);
	EVP_DigestFinal_ex(digest.md, digest_out, NULL);
	EVP_MD_CTX_free(digest.md);
	return limit == UINT64_MAX || digest.left == 0;
}

/* Fields. */

/* Folds are undone, blanks become one, none stand at either end. */
static void append_relaxed_value(struct bytes value, struct buffer *out)
{
	size_t start = out->len;
	bool is_gap = false;

	for (size_t i = 0; i < value.len; i++) {
		if (is_blank(value.at[i]) || strchr("\r\n", value.at[i])) {
			is_gap = is_gap || is_blank(value.at[i]);
			continue;
		}
		if (is_gap && out->len > start)
			buffer_append_char(out, ' ');
		is_gap = false;
		buffer_append_char(out, value.at[i]);
	}
}

void dkim_append_field(struct bytes whole, enum dkim_form form, struct buffer *out)
{
	struct bytes value = whole, name = bytes_trim(bytes_split(&value, ':'));

	if (form == DKIM_SIMPLE) {
		buffer_append(out, whole);
		return;
	}
	for (size_t i = 0; i < name.len; i++)
		buffer_append_char(out, char_lower(name.at[i]));
	buffer_append_char(out, ':');
	append_relaxed_value(value, out);
	buffer_append(out, BYTES_LITERAL("\r\n"));
}

struct fields {
	struct header_field *items;
	size_t count;
};

static struct fields read_fields(struct bytes headers)
{
	struct fields fields = { 0 };
	struct header_field field;
	size_t capacity = 0;

	while (header_next(&headers, &field)) {
		if (fields.count == capacity) {
			capacity = capacity ? capacity * 2 : 64;
			fields.items = alloc_resize(fields.items, capacity, sizeof field);
		}
		fields.items[fields.count++] = field;
	}
	return fields;
}

static void append_fields(struct bytes headers, struct bytes names, enum dkim_form form,
                          struct buffer *out)
{
	struct fields fields = read_fields(headers);

	for (int n = 0; names.at && n < DKIM_NAMES_MAX; n++) {
		struct bytes name = bytes_trim(bytes_split(&names, ':'));

		for (size_t i = fields.count; i-- > 0;) {
			struct header_field *field = &fields.items[i];

			if (field->name.len == 0 || !bytes_equal_nocase(field->name, name))
				continue;
			dkim_append_field(field->whole, form, out);
			field->name.len = 0; /* taken */
			break;
		}
	}
	alloc_free(fields.items);
}

void dkim_digest_fields(struct bytes headers, struct bytes names, enum dkim_form form,
                        struct bytes own_field, uint8_t digest_out[DKIM_DIGEST_BYTES])
{
	struct buffer canonical = { 0 };

	append_fields(headers, names, form, &canonical);
	dkim_append_field(own_field, form, &canonical);
	if (bytes_ends_with_nocase(buffer_bytes(&canonical), BYTES_LITERAL("\r\n")))
		canonical.len -= 2;
	EVP_Digest(canonical.at, canonical.len, digest_out, NULL, EVP_sha256(), NULL);
	buffer_deinit(&canonical);
}
