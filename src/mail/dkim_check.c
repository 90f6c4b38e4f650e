/* Checking a signature, and finding who a message says it is from. */
#include "mail/dkim.h"
#include "mail/dkim_form.h"
#include "mail/dkim_tags.h"
#include "mail/header.h"
#include "mail/transfer.h"
#include <openssl/evp.h>
#include <string.h>

/* Bytes of a quoted string, or of a comment with those inside it (RFC 5322 3.2.2, 3.2.4). */
static size_t skip_quoted(struct bytes text)
{
	bool is_comment = text.at[0] == '(';
	int depth = 1;
	size_t i = 1;

	for (; i < text.len && depth > 0; i++) {
		char c = text.at[i];

		if (c == '\\')
			i++;
		else if (is_comment && c == '(')
			depth++;
		else if (c == (is_comment ? ')' : '"'))
			depth--;
	}
	return MIN(i, text.len);
}

static bool ends_domain(char c)
{
	return c == '>' || c == ',' || c == ';' || c == '(' || c == ')' ||
	       (unsigned char)c <= ' ' || c == '"';
}

struct bytes dkim_author_domain(struct bytes headers)
{
	struct header_field field;
	struct bytes value, domain = { 0 };
	bool is_angled = false;

	if (!header_find(headers, BYTES_LITERAL("From"), &field))
		return domain;
	value = field.value;
	while (value.len > 0 && !(is_angled && value.at[0] == '>') && value.at[0] != ',') {
		size_t skip = 1;

		if (value.at[0] == '"' || value.at[0] == '(')
			skip = skip_quoted(value);
		else if (value.at[0] == '<')
			is_angled = true;
		else if (value.at[0] == '@') {
			domain = bytes_from(value, 1);
			domain.len = 0;
			while (skip < value.len && !ends_domain(value.at[skip]))
				skip++;
			domain = bytes_first(bytes_from(value, 1), skip - 1);
		}
		value = bytes_from(value, skip);
	}
	return domain;
}

/* Reading a signature. */

static bool is_known_form(struct bytes word)
{
	return bytes_equal_nocase(word, BYTES_LITERAL("simple")) ||
	       bytes_equal_nocase(word, BYTES_LITERAL("relaxed"));
}

/* c=HEADER/BODY (RFC 6376 3.5). */
static bool read_forms(struct bytes tags, enum dkim_form *header_out, enum dkim_form *body_out)
{
	struct bytes body = BYTES_LITERAL("simple"), header;

	dkim_tag_find(tags, "c", &body);
	header = bytes_split(&body, '/');
	if (!body.at)
		body = BYTES_LITERAL("simple");
	if (!is_known_form(header) || !is_known_form(body))
		return false;
	*header_out = bytes_equal_nocase(header, BYTES_LITERAL("relaxed")) ? DKIM_RELAXED
	                                                                   : DKIM_SIMPLE;
	*body_out = bytes_equal_nocase(body, BYTES_LITERAL("relaxed")) ? DKIM_RELAXED : DKIM_SIMPLE;
	return true;
}

static bool covers_from(struct bytes names)
{
	while (names.at)
		if (bytes_equal_nocase(bytes_trim(bytes_split(&names, ':')), BYTES_LITERAL("from")))
			return true;
	return false;
}

/* "@news.example.com" must be the domain, or below it. */
static bool is_identity_below(struct bytes identity, struct bytes domain)
{
	ptrdiff_t at = bytes_find_last_char(identity, '@');
	struct bytes host = bytes_from(identity, (size_t)at + 1);

	if (at < 0 || !bytes_ends_with_nocase(host, domain))
		return false;
	return host.len == domain.len || host.at[host.len - domain.len - 1] == '.';
}

static const char *find_problem(struct dkim_signature *signature)
{
	struct bytes version, algorithm, names, value, tags = signature->tags;
	enum dkim_form header, body;

	if (!dkim_tag_find(tags, "v", &version) || !bytes_equal(version, BYTES_LITERAL("1")))
		return "it is not of version 1";
	if (signature->domain.len == 0 || signature->selector.len == 0)
		return "it has no d= or no s=";
	if (!dkim_tag_find(tags, "a", &algorithm) ||
	    !dkim_algorithm_parse(algorithm, &signature->algorithm))
		return "its a= is neither rsa-sha256 nor ed25519-sha256";
	if (!read_forms(tags, &header, &body))
		return "its c= is unknown";
	if (!dkim_tag_find(tags, "h", &names) || !covers_from(names))
		return "it does not cover From";
	if (dkim_tag_find(tags, "i", &value) && !is_identity_below(value, signature->domain))
		return "its i= is not below its d=";
	if (!dkim_tag_find(tags, "b", &value) || !dkim_tag_find(tags, "bh", &value))
		return "it has no b= or no bh=";
	return NULL;
}

bool dkim_signature_next(struct bytes *headers, struct dkim_signature *signature_out)
{
	struct header_field field;

	while (header_next(headers, &field)) {
		if (!bytes_equal_nocase(field.name, BYTES_LITERAL("DKIM-Signature")))
			continue;
		*signature_out = (struct dkim_signature){ .whole = field.whole,
			                                  .tags = field.value };
		dkim_tag_find(field.value, "d", &signature_out->domain);
		dkim_tag_find(field.value, "s", &signature_out->selector);
		signature_out->problem = find_problem(signature_out);
		return true;
	}
	return false;
}

/* Checking it. */

/* The field without what stands between "b=" and the next semicolon or the field's end. */
static void append_without_b(const struct dkim_signature *signature, struct buffer *out)
{
	const char *end = signature->whole.at + signature->whole.len, *from, *to;
	struct bytes b = { 0 };

	dkim_tag_find(signature->tags, "b", &b);
	for (from = b.at; from[-1] != '=';)
		from--;
	to = memchr(b.at, ';', (size_t)(end - b.at));
	for (to = to ? to : end; to == end && end > from && strchr("\r\n", end[-1]);)
		to = --end;
	end = signature->whole.at + signature->whole.len;
	buffer_append(out,
	              (struct bytes){ signature->whole.at, (size_t)(from - signature->whole.at) });
	buffer_append(out, (struct bytes){ to, (size_t)(end - to) });
}

static bool read_number(struct bytes tags, const char *name, uint64_t *number_out)
{
	struct bytes value;

	return dkim_tag_find(tags, name, &value) && bytes_parse_u64(value, number_out);
}

static const char *check_body(const struct dkim_signature *signature, enum dkim_form form,
                              struct bytes body)
{
	struct buffer wanted = { .limit = 1024 };
	uint8_t digest[DKIM_DIGEST_BYTES];
	uint64_t limit = UINT64_MAX;
	struct bytes value = { 0 };
	bool is_right;

	read_number(signature->tags, "l", &limit);
	if (!dkim_digest_body(body, form, limit, digest))
		return "the body is shorter than its l=";
	dkim_tag_find(signature->tags, "bh", &value);
	transfer_decode(TRANSFER_BASE64, value, &wanted);
	is_right = bytes_equal(buffer_bytes(&wanted),
	                       (struct bytes){ (const char *)digest, sizeof digest });
	buffer_deinit(&wanted);
	return is_right ? NULL : "the body was changed";
}

static const char *check_fields(const struct dkim_signature *signature, const struct dkim_key *key,
                                enum dkim_form form, struct bytes headers)
{
	struct buffer own = { 0 }, decoded = { .limit = DKIM_SIGNATURE_MAX };
	struct bytes names = { 0 }, value = { 0 };
	uint8_t digest[DKIM_DIGEST_BYTES];
	bool is_right;

	dkim_tag_find(signature->tags, "h", &names);
	dkim_tag_find(signature->tags, "b", &value);
	append_without_b(signature, &own);
	dkim_digest_fields(headers, names, form, buffer_bytes(&own), digest);
	transfer_decode(TRANSFER_BASE64, value, &decoded);
	is_right = dkim_key_verify(key, digest, buffer_bytes(&decoded));
	buffer_deinit(&own);
	buffer_deinit(&decoded);
	return is_right ? NULL : "the signature does not fit the header fields and the key";
}

const char *dkim_check(const struct dkim_signature *signature, const struct dkim_key *key,
                       struct bytes content, int64_t now_s)
{
	enum dkim_form header_form, body_form;
	struct bytes headers, body;
	const char *wrong;
	uint64_t expiry;

	if (signature->problem)
		return signature->problem;
	if (dkim_key_algorithm(key) != signature->algorithm)
		return "the key is for another algorithm";
	if (read_number(signature->tags, "x", &expiry) && now_s > (int64_t)expiry)
		return "it has expired (x=)";
	read_forms(signature->tags, &header_form, &body_form);
	dkim_split(content, &headers, &body);
	wrong = check_body(signature, body_form, body);
	return wrong ? wrong : check_fields(signature, key, header_form, headers);
}
