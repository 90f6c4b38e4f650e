#include "smtp/address.h"
#include <arpa/inet.h>
#include <idn2.h>
#include <string.h>

#define LOCAL_BYTES_MAX  64
#define DOMAIN_BYTES_MAX 255
#define LABEL_BYTES_MAX  63
#define PATH_BYTES_MAX   (256 - 2) /* the limit counts the angle brackets (RFC 5321 4.5.3.1.3) */

static bool is_letter_or_digit(char c)
{
	c = char_lower(c);
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_atom_char(char c)
{
	return is_letter_or_digit(c) || (unsigned char)c > 127 ||
	       (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c));
}

static bool is_dot_string(struct bytes local)
{
	bool was_dot = true;

	for (size_t i = 0; i < local.len; i++) {
		bool is_dot = local.at[i] == '.';

		if (is_dot ? was_dot : !is_atom_char(local.at[i]))
			return false;
		was_dot = is_dot;
	}
	return !was_dot;
}

static bool is_quoted_string(struct bytes local)
{
	if (local.len < 2 || local.at[0] != '"' || local.at[local.len - 1] != '"')
		return false;
	for (size_t i = 1; i < local.len - 1; i++) {
		bool is_escaped = local.at[i] == '\\';
		unsigned char c;

		if (is_escaped && ++i == local.len - 1)
			return false;
		c = (unsigned char)local.at[i];
		if ((c == '"' && !is_escaped) || c < 32 || c == 127)
			return false;
	}
	return true;
}

static bool is_domain_name(struct bytes domain)
{
	struct bytes rest = domain;

	while (rest.at) {
		struct bytes label = bytes_split(&rest, '.');

		if (label.len == 0 || label.len > LABEL_BYTES_MAX || label.at[0] == '-' ||
		    label.at[label.len - 1] == '-')
			return false;
		for (size_t i = 0; i < label.len; i++)
			if (!is_letter_or_digit(label.at[i]) && label.at[i] != '-' &&
			    label.at[i] != '_' && (unsigned char)label.at[i] < 128)
				return false;
	}
	return domain.len > 0;
}

/* "[192.0.2.1]" or "[IPv6:2001:db8::1]" (RFC 5321 4.1.3). */
static bool is_literal(struct bytes domain)
{
	char text[64];
	struct bytes inside;
	unsigned char address[16];
	int family = AF_INET;

	if (domain.len < 3 || domain.at[0] != '[' || domain.at[domain.len - 1] != ']')
		return false;
	inside = (struct bytes){ domain.at + 1, domain.len - 2 };
	if (bytes_starts_with_nocase(inside, bytes_of("IPv6:"))) {
		inside = bytes_from(inside, 5);
		family = AF_INET6;
	}
	if (inside.len >= sizeof text)
		return false;
	memcpy(text, inside.at, inside.len);
	text[inside.len] = '\0';
	return strlen(text) == inside.len && inet_pton(family, text, address) == 1;
}

bool mailbox_domain_parse(struct bytes text, bool allow_utf8, bool *is_literal_out)
{
	*is_literal_out = is_literal(text);
	if (*is_literal_out)
		return true;
	if (text.len > DOMAIN_BYTES_MAX || (!allow_utf8 && !bytes_is_ascii(text)))
		return false;
	return is_domain_name(text);
}

static enum mailbox_fault check_parts(struct bytes text, bool allow_utf8,
                                      const struct mailbox_parts *parts)
{
	bool literal;

	if (!bytes_is_ascii(text)) {
		if (!allow_utf8)
			return MAILBOX_NOT_ASCII;
		if (!bytes_is_utf8(text))
			return MAILBOX_BAD_UTF8;
	}
	if (parts->local.len > LOCAL_BYTES_MAX)
		return MAILBOX_LOCAL_TOO_LONG;
	if (parts->domain.len > DOMAIN_BYTES_MAX)
		return MAILBOX_DOMAIN_TOO_LONG;
	if (text.len > PATH_BYTES_MAX)
		return MAILBOX_TOO_LONG;
	if (!is_dot_string(parts->local) && !is_quoted_string(parts->local))
		return MAILBOX_SYNTAX;
	return mailbox_domain_parse(parts->domain, allow_utf8, &literal) ? MAILBOX_OK
	                                                                 : MAILBOX_SYNTAX;
}

enum mailbox_fault mailbox_parse(struct bytes text, bool allow_utf8,
                                 struct mailbox_parts *parts_out)
{
	ptrdiff_t at = bytes_find_last_char(text, '@'); /* a quoted local part may hold one too */

	*parts_out = (struct mailbox_parts){ 0 };
	if (at < 0) {
		parts_out->local = text;
		return bytes_equal_nocase(text, bytes_of("postmaster")) ? MAILBOX_OK
		                                                        : MAILBOX_SYNTAX;
	}
	parts_out->local = bytes_first(text, (size_t)at);
	parts_out->domain = bytes_from(text, (size_t)at + 1);
	parts_out->is_literal = is_literal(parts_out->domain);
	return check_parts(text, allow_utf8, parts_out);
}

bool domain_to_ascii(struct bytes domain, struct buffer *out)
{
	char text[DOMAIN_BYTES_MAX + 1], *ascii = NULL;

	if (domain.len > 0 && domain.at[domain.len - 1] == '.')
		domain.len--;
	if (domain.len == 0 || domain.len > DOMAIN_BYTES_MAX || memchr(domain.at, '\0', domain.len))
		return false;
	if (bytes_is_ascii(domain)) {
		for (size_t i = 0; i < domain.len; i++)
			buffer_append_char(out, char_lower(domain.at[i]));
		return true;
	}
	memcpy(text, domain.at, domain.len);
	text[domain.len] = '\0';
	if (idn2_to_ascii_8z(text, &ascii, IDN2_NONTRANSITIONAL) != IDN2_OK)
		return false;
	buffer_append_text(out, ascii);
	idn2_free(ascii);
	return true;
}
