#include "check/spf_macro.h"
#include <netinet/in.h>
#include <string.h>

#define PARTS_MAX         128 /* a name has at most 127 labels; further parts stay together */
#define KEEP_MAX          1000000
#define EXPANSION_LEN_MAX 4096
#define DELIMITER_CHARS   ".-+,/_="
#define UNKNOWN           BYTES_LITERAL("unknown")

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_alpha(char c)
{
	return char_lower(c) >= 'a' && char_lower(c) <= 'z';
}

static bool is_one_of(char c, const char *set)
{
	return c != '\0' && strchr(set, c);
}

/* What stands between "%{" and "}". */
static bool read_expand(struct bytes inside, bool is_explanation, struct spf_macro *macro)
{
	size_t at = 1;

	if (inside.len == 0)
		return false;
	*macro = (struct spf_macro){ .letter = char_lower(inside.at[0]),
		                     .is_escaped = inside.at[0] >= 'A' && inside.at[0] <= 'Z' };
	if (!is_one_of(macro->letter, is_explanation ? "slodiphcrtv" : "slodiphv"))
		return false;
	for (; at < inside.len && is_digit(inside.at[at]); at++)
		macro->keep = MIN(macro->keep * 10 + (inside.at[at] - '0'), KEEP_MAX);
	if (at > 1 && macro->keep == 0)
		return false; /* 7.1: the number must not be zero */
	if (at < inside.len && char_lower(inside.at[at]) == 'r') {
		macro->is_reversed = true;
		at++;
	}
	macro->delimiters = bytes_from(inside, at);
	for (; at < inside.len; at++)
		if (!is_one_of(inside.at[at], DELIMITER_CHARS))
			return false;
	return true;
}

static enum spf_macro_kind next_after_percent(struct bytes *rest, bool is_explanation,
                                              struct spf_macro *macro)
{
	char c = rest->len > 1 ? rest->at[1] : '\0';
	ptrdiff_t end = bytes_find_char(*rest, '}');

	if (c == '{') {
		if (end < 0 || !read_expand(bytes_from(bytes_first(*rest, (size_t)end), 2),
		                            is_explanation, macro))
			return SPF_MACRO_ERROR;
		*rest = bytes_from(*rest, (size_t)end + 1);
		return SPF_MACRO_EXPAND;
	}
	*macro = (struct spf_macro){ 0 };
	if (c == '%')
		macro->text = BYTES_LITERAL("%");
	else if (c == '_')
		macro->text = BYTES_LITERAL(" ");
	else if (c == '-')
		macro->text = BYTES_LITERAL("%20");
	else
		return SPF_MACRO_ERROR;
	*rest = bytes_from(*rest, 2);
	return SPF_MACRO_TEXT;
}

enum spf_macro_kind spf_macro_next(struct bytes *rest, bool is_explanation,
                                   struct spf_macro *macro_out)
{
	char first = is_explanation ? ' ' : '!';
	size_t len = 0;

	if (rest->len == 0)
		return SPF_MACRO_END;
	if (rest->at[0] == '%')
		return next_after_percent(rest, is_explanation, macro_out);
	while (len < rest->len && rest->at[len] >= first && rest->at[len] <= '~' &&
	       rest->at[len] != '%')
		len++;
	if (len == 0)
		return SPF_MACRO_ERROR;
	*macro_out = (struct spf_macro){ .text = bytes_first(*rest, len) };
	*rest = bytes_from(*rest, len);
	return SPF_MACRO_TEXT;
}

const char *spf_macro_check(struct bytes text, bool is_explanation, size_t *at_out)
{
	struct bytes rest = text;
	struct spf_macro macro;
	enum spf_macro_kind kind;

	while ((kind = spf_macro_next(&rest, is_explanation, &macro)) != SPF_MACRO_END) {
		if (kind != SPF_MACRO_ERROR)
			continue;
		*at_out = text.len - rest.len;
		return rest.at[0] == '%' ? "not a macro" : "a character that may not stand here";
	}
	return NULL;
}

/* 7.1: letters, digits and hyphens, not all digits, no hyphen at either end. */
static bool is_top_label(struct bytes label)
{
	bool has_other = false;

	for (size_t i = 0; i < label.len; i++) {
		if (!is_alpha(label.at[i]) && !is_digit(label.at[i]) && label.at[i] != '-')
			return false;
		has_other |= !is_digit(label.at[i]);
	}
	return has_other && label.at[0] != '-' && label.at[label.len - 1] != '-';
}

const char *spf_macro_check_domain(struct bytes text, size_t *at_out)
{
	const char *problem = spf_macro_check(text, false, at_out);
	struct bytes rest = text, last = { 0 };
	struct spf_macro macro;
	enum spf_macro_kind kind, last_kind = SPF_MACRO_END;
	ptrdiff_t dot;

	if (problem)
		return problem;
	while ((kind = spf_macro_next(&rest, false, &macro)) != SPF_MACRO_END) {
		last_kind = kind;
		last = macro.text;
	}
	*at_out = 0;
	if (text.len == 0)
		return "a domain is missing";
	if (last_kind == SPF_MACRO_EXPAND)
		return NULL;
	if (last.at[last.len - 1] == '.')
		last.len--;
	dot = bytes_find_last_char(last, '.');
	if (dot < 0)
		return "not a domain with a dot";
	return is_top_label(bytes_from(last, (size_t)dot + 1))
	               ? NULL
	               : "its last label cannot be that of a domain";
}

bool spf_macro_uses(struct bytes text, char letter)
{
	struct bytes rest = text;
	struct spf_macro macro;
	enum spf_macro_kind kind;

	while ((kind = spf_macro_next(&rest, true, &macro)) != SPF_MACRO_END) {
		if (kind == SPF_MACRO_ERROR)
			return false;
		if (kind == SPF_MACRO_EXPAND && macro.letter == letter)
			return true;
	}
	return false;
}

static const uint8_t *ip_bytes(const struct address *ip)
{
	if (address_is_ipv6(ip))
		return ((const struct sockaddr_in6 *)(const void *)&ip->storage)->sin6_addr.s6_addr;
	return (const uint8_t *)&((const struct sockaddr_in *)(const void *)&ip->storage)->sin_addr;
}

/* "192.0.2.3"; for IPv6 one label for each half byte (7.2). */
static void put_ip_labels(const struct address *ip, struct buffer *out)
{
	const uint8_t *bytes = ip_bytes(ip);

	if (!address_is_ipv6(ip)) {
		buffer_printf(out, "%d.%d.%d.%d", bytes[0], bytes[1], bytes[2], bytes[3]);
		return;
	}
	for (int i = 0; i < 16; i++)
		buffer_printf(out, "%s%x.%x", i > 0 ? "." : "", bytes[i] >> 4, bytes[i] & 15);
}

static void put_bytes_or(struct bytes value, struct bytes otherwise, struct buffer *out)
{
	buffer_append(out, value.len > 0 ? value : otherwise);
}

static void put_value(char letter, const struct spf_values *values, struct buffer *out)
{
	char text[ADDRESS_TEXT_MAX];

	switch (letter) {
	case 's':
		buffer_append(out, values->local);
		buffer_append_char(out, '@');
		buffer_append(out, values->sender_domain);
		break;
	case 'l':
		buffer_append(out, values->local);
		break;
	case 'o':
		buffer_append(out, values->sender_domain);
		break;
	case 'd':
		buffer_append(out, values->domain);
		break;
	case 'i':
		put_ip_labels(&values->ip, out);
		break;
	case 'p':
		put_bytes_or(values->validated, UNKNOWN, out);
		break;
	case 'v':
		buffer_append_text(out, address_is_ipv6(&values->ip) ? "ip6" : "in-addr");
		break;
	case 'h':
		buffer_append(out, values->helo);
		break;
	case 'c':
		address_format(&values->ip, text);
		buffer_append_text(out, text);
		break;
	case 'r':
		put_bytes_or(values->receiver, UNKNOWN, out);
		break;
	case 't':
		buffer_printf(out, "%lld", (long long)values->now_s);
		break;
	default:
		break;
	}
}

static int split_parts(struct bytes value, struct bytes delimiters, struct bytes parts[PARTS_MAX])
{
	int count = 0;
	size_t start = 0;

	for (size_t i = 0; i < value.len && count < PARTS_MAX - 1; i++) {
		if (bytes_find_char(delimiters, value.at[i]) < 0)
			continue;
		parts[count++] = bytes_first(bytes_from(value, start), i - start);
		start = i + 1;
	}
	parts[count++] = bytes_from(value, start);
	return count;
}

static void put_escaped(struct bytes value, struct buffer *out)
{
	for (size_t i = 0; i < value.len; i++) {
		char c = value.at[i];

		if (is_alpha(c) || is_digit(c) || is_one_of(c, "-._~"))
			buffer_append_char(out, c);
		else
			buffer_printf(out, "%%%02X", (unsigned char)c);
	}
}

static void put_part(struct bytes part, bool is_escaped, struct buffer *out)
{
	if (is_escaped)
		put_escaped(part, out);
	else
		buffer_append(out, part);
}

/* 7.3: split, reverse, keep the right-hand parts, join by dots. */
static void put_macro(const struct spf_macro *macro, const struct spf_values *values,
                      struct buffer *out)
{
	struct bytes delimiters = macro->delimiters.len > 0 ? macro->delimiters
	                                                    : BYTES_LITERAL(".");
	struct buffer value = { .limit = EXPANSION_LEN_MAX };
	struct bytes parts[PARTS_MAX];
	int count, first;

	put_value(macro->letter, values, &value);
	count = split_parts(buffer_bytes(&value), delimiters, parts);
	first = macro->keep > 0 && macro->keep < count ? count - macro->keep : 0;
	for (int i = first; i < count; i++) {
		if (i > first)
			buffer_append_char(out, '.');
		put_part(parts[macro->is_reversed ? count - 1 - i : i], macro->is_escaped, out);
	}
	buffer_deinit(&value);
}

void spf_macro_expand(struct bytes text, const struct spf_values *values, struct buffer *out)
{
	struct bytes rest = text;
	struct spf_macro macro;
	enum spf_macro_kind kind;

	while ((kind = spf_macro_next(&rest, true, &macro)) != SPF_MACRO_END) {
		if (kind == SPF_MACRO_ERROR)
			return;
		if (kind == SPF_MACRO_EXPAND)
			put_macro(&macro, values, out);
		else
			buffer_append(out, macro.text);
	}
}

void spf_macro_expand_name(struct bytes text, const struct spf_values *values, struct buffer *out)
{
	struct buffer whole = { .limit = EXPANSION_LEN_MAX };
	struct bytes name;

	spf_macro_expand(text, values, &whole);
	name = buffer_bytes(&whole);
	if (name.len > 0 && name.at[name.len - 1] == '.')
		name.len--;
	while (name.len > SPF_NAME_LEN_MAX) {
		ptrdiff_t dot = bytes_find_char(name, '.');

		name = dot < 0 ? bytes_from(name, name.len - SPF_NAME_LEN_MAX)
		               : bytes_from(name, (size_t)dot + 1);
	}
	buffer_append(out, name);
	buffer_deinit(&whole);
}
