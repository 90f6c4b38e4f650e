#include "smtp/xtext.h"

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool xtext_decode(struct bytes text, struct buffer *out)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.at[i];

		if (c < 33 || c > 126 || c == '=')
			return false;
		if (c == '+') {
			if (text.len - i < 3 || hex_value(text.at[i + 1]) < 0 ||
			    hex_value(text.at[i + 2]) < 0)
				return false;
			c = (char)(hex_value(text.at[i + 1]) << 4 | hex_value(text.at[i + 2]));
			i += 2;
		}
		buffer_append_char(out, c);
	}
	return true;
}

bool xtext_is_valid(struct bytes text)
{
	struct buffer decoded = { 0 };
	bool is_valid = xtext_decode(text, &decoded);

	buffer_deinit(&decoded);
	return is_valid;
}

void xtext_encode(struct bytes text, struct buffer *out)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.at[i];

		if (c < 33 || c > 126 || c == '+' || c == '=')
			buffer_printf(out, "+%02X", c);
		else
			buffer_append_char(out, (char)c);
	}
}
