#include "mail/transfer.h"

enum transfer transfer_parse(struct bytes value)
{
	value = bytes_trim(value);
	if (bytes_starts_with_nocase(value, BYTES_LITERAL("quoted-printable")))
		return TRANSFER_QUOTED;
	if (bytes_starts_with_nocase(value, BYTES_LITERAL("base64")))
		return TRANSFER_BASE64;
	return TRANSFER_PLAIN;
}

static int base64_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Padding ends a run, not the text: several encoded pieces may follow each other. */
static void decode_base64(struct bytes in, struct buffer *out)
{
	unsigned int bits = 0;
	int count = 0;

	for (size_t i = 0; i < in.len; i++) {
		int value = base64_value(in.at[i]);

		if (in.at[i] == '=')
			count = 0;
		if (value < 0)
			continue;
		bits = (bits << 6 | (unsigned int)value) & 0xffffff;
		count++;
		if (count > 1)
			buffer_append_char(out, (char)(bits >> (8 - 2 * count) & 0xff));
		if (count == 4)
			count = 0;
	}
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = char_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The bytes of a soft line break behind "=", with the blanks that gateways add; 0 if it is none. */
static size_t soft_break(struct bytes rest)
{
	size_t i = 0;

	while (i < rest.len && (rest.at[i] == ' ' || rest.at[i] == '\t'))
		i++;
	if (i < rest.len && rest.at[i] == '\r')
		i++;
	return i < rest.len && rest.at[i] == '\n' ? i + 1 : 0;
}

static void decode_quoted(struct bytes in, struct buffer *out)
{
	for (size_t i = 0; i < in.len; i++) {
		struct bytes rest = bytes_from(in, i + 1);
		size_t skip = in.at[i] == '=' ? soft_break(rest) : 0;

		if (skip > 0) {
			i += skip;
		} else if (in.at[i] == '=' && rest.len >= 2 && hex_value(rest.at[0]) >= 0 &&
		           hex_value(rest.at[1]) >= 0) {
			buffer_append_char(
				out, (char)(hex_value(rest.at[0]) * 16 + hex_value(rest.at[1])));
			i += 2;
		} else {
			buffer_append_char(out, in.at[i]);
		}
	}
}

void transfer_decode(enum transfer transfer, struct bytes in, struct buffer *out)
{
	switch (transfer) {
	case TRANSFER_BASE64:
		decode_base64(in, out);
		break;
	case TRANSFER_QUOTED:
		decode_quoted(in, out);
		break;
	case TRANSFER_PLAIN:
		buffer_append(out, in);
		break;
	}
}
