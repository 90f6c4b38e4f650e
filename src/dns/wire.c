#include "dns/wire.h"
#include <netinet/in.h>
#include <string.h>

#define NAME_WIRE_BYTES_MAX 255
#define NAME_TEXT_LEN_MAX   253
#define LABEL_BYTES_MAX     63

static bool is_name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '_';
}

static bool is_label(struct bytes label)
{
	if (label.len == 0 || label.len > LABEL_BYTES_MAX)
		return false;
	for (size_t i = 0; i < label.len; i++)
		if (!is_name_char(label.at[i]))
			return false;
	return true;
}

bool wire_name_decode(struct bytes data, char text_out[WIRE_NAME_TEXT_MAX])
{
	size_t len = 0;

	text_out[0] = '\0';
	if (data.len > NAME_WIRE_BYTES_MAX)
		return false;
	while (data.len > 1) {
		struct bytes label = { data.at + 1, (uint8_t)data.at[0] };

		if (label.len >= data.len || !is_label(label))
			return false;
		if (len > 0)
			text_out[len++] = '.';
		for (size_t i = 0; i < label.len; i++)
			text_out[len++] = char_lower(label.at[i]);
		text_out[len] = '\0';
		data = bytes_from(data, 1 + label.len);
	}
	return data.len == 1 && data.at[0] == 0;
}

bool wire_name_is_valid(struct bytes text)
{
	if (text.len > 0 && text.at[text.len - 1] == '.')
		text.len--;
	if (text.len == 0 || text.len > NAME_TEXT_LEN_MAX)
		return false;
	for (struct bytes rest = text; rest.at;)
		if (!is_label(bytes_split(&rest, '.')))
			return false;
	return true;
}

void wire_mx_decode(struct bytes data, struct wire_mx *mx_out)
{
	*mx_out = (struct wire_mx){ .kind = WIRE_MX_MALFORMED };
	if (data.len < 3)
		return;
	mx_out->preference = (uint16_t)((uint8_t)data.at[0] << 8 | (uint8_t)data.at[1]);
	if (!wire_name_decode(bytes_from(data, 2), mx_out->host))
		mx_out->host[0] = '\0';
	else
		mx_out->kind = mx_out->host[0] ? WIRE_MX_HOST : WIRE_MX_NULL;
}

bool wire_address_decode(struct bytes data, struct address *address_out)
{
	memset(address_out, 0, sizeof *address_out);
	if (data.len == 4) {
		struct sockaddr_in *in = (struct sockaddr_in *)&address_out->storage;

		in->sin_family = AF_INET;
		memcpy(&in->sin_addr, data.at, 4);
		address_out->len = sizeof *in;
	} else if (data.len == 16) {
		struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&address_out->storage;

		in6->sin6_family = AF_INET6;
		memcpy(&in6->sin6_addr, data.at, 16);
		address_out->len = sizeof *in6;
	}
	return address_out->len > 0;
}
