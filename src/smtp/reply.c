#include "smtp/reply.h"
#include "base/err.h"
#include <string.h>

struct enhanced {
	int class, subject, detail;
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Checks "ddd" and separator as far as they are there. Returns the code, 0 if more bytes are needed
 * to know it, or ERR_PROTOCOL. */
static int line_code(struct bytes line)
{
	for (size_t i = 0; i < line.len && i < 3; i++)
		if (!is_digit(line.at[i]))
			return ERR_PROTOCOL;
	if (line.len > 0 && (line.at[0] < '2' || line.at[0] > '5'))
		return ERR_PROTOCOL;
	if (line.len < 4)
		return 0;
	if (!memchr(" -\r\n", line.at[3], 4))
		return ERR_PROTOCOL;
	return (line.at[0] - '0') * 100 + (line.at[1] - '0') * 10 + (line.at[2] - '0');
}

/* One to three digits at the front of `*in`, which moves behind them. */
static bool take_number(struct bytes *in, int *number_out)
{
	size_t count = 0;
	int number = 0;

	while (count < in->len && count < 4 && is_digit(in->at[count]))
		number = number * 10 + (in->at[count++] - '0');
	*in = bytes_from(*in, count);
	*number_out = number;
	return count >= 1 && count <= 3;
}

static bool take_dot(struct bytes *in)
{
	if (in->len == 0 || in->at[0] != '.')
		return false;
	*in = bytes_from(*in, 1);
	return true;
}

/* The enhanced code in front of a line's text. Returns its length, 0 if there is none. */
static size_t find_enhanced(struct bytes text, struct enhanced *found_out)
{
	struct bytes rest = text;
	struct enhanced found;

	if (!take_number(&rest, &found.class) || !take_dot(&rest) ||
	    !take_number(&rest, &found.subject) || !take_dot(&rest) ||
	    !take_number(&rest, &found.detail))
		return 0;
	if (found.class != 2 && found.class != 4 && found.class != 5)
		return 0;
	if (rest.len > 0 && rest.at[0] != ' ' && rest.at[0] != '\t')
		return 0;
	*found_out = found;
	return text.len - rest.len;
}

static void read_enhanced(struct reply *reply)
{
	struct bytes rest = reply->text, line;
	struct enhanced found;

	while (reply_line(&rest, &line)) {
		if (find_enhanced(line, &found) == 0)
			continue;
		reply->class = found.class;
		reply->subject = found.subject;
		reply->detail = found.detail;
		return;
	}
}

/* The next line of `in` from `start`. Returns where it ends, 0 if more bytes are needed, or an
 * error. */
static int check_line(struct bytes in, size_t start, int code, bool *is_last_out)
{
	struct bytes line = bytes_from(in, start);
	ptrdiff_t end = bytes_find_char(line, '\n');
	int found;

	if (end >= 0)
		line = bytes_first(line, (size_t)end + 1);
	found = line_code(line);
	if (found < 0 || (found > 0 && code > 0 && found != code))
		return ERR_PROTOCOL;
	if (end < 0)
		return 0;
	if (line.at[3] == '\r' && line.len != 5)
		return ERR_PROTOCOL;
	*is_last_out = line.at[3] != '-';
	return (int)(start + line.len);
}

int reply_parse(struct bytes in, struct reply *reply_out)
{
	struct bytes seen = bytes_first(in, REPLY_BYTES_MAX);
	size_t used = 0;
	int code = 0;

	for (int lines = 0; lines < REPLY_LINES_MAX; lines++) {
		bool is_last = false;
		int end = check_line(seen, used, code, &is_last);

		if (end == 0 && seen.len == REPLY_BYTES_MAX)
			return ERR_TOO_LONG;
		if (end <= 0)
			return end;
		code = line_code(bytes_from(seen, used));
		used = (size_t)end;
		if (!is_last)
			continue;
		*reply_out = (struct reply){ .code = code, .text = bytes_first(seen, used) };
		read_enhanced(reply_out);
		return end;
	}
	return ERR_TOO_LONG;
}

bool reply_line(struct bytes *rest, struct bytes *line_out)
{
	struct bytes line;

	if (rest->len == 0)
		return false;
	line = bytes_split(rest, '\n');
	if (line.len > 0 && line.at[line.len - 1] == '\r')
		line.len--;
	*line_out = bytes_from(line, 4);
	return true;
}

/* Length of the UTF-8 character at the front; 0 if there is none that may be printed. */
static size_t printable_length(struct bytes in)
{
	unsigned char first = (unsigned char)in.at[0];
	size_t len = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;

	if (first < 0x20 || first == 0x7f || len > in.len)
		return 0;
	if (first == 0xc2 && (unsigned char)in.at[1] < 0xa0)
		return 0; /* the C1 controls */
	return bytes_is_utf8(bytes_first(in, len)) ? len : 0;
}

struct writer {
	char *at;
	size_t room;
};

/* Puts as many whole characters as fit; after a cut nothing more. */
static void put_text(struct writer *writer, struct bytes text)
{
	while (text.len > 0) {
		size_t len = printable_length(text);
		size_t taken = len > 0 ? len : 1;

		if (taken > writer->room) {
			writer->room = 0;
			return;
		}
		memcpy(writer->at, len > 0 ? text.at : "?", taken);
		writer->at += taken;
		writer->room -= taken;
		text = bytes_from(text, taken);
	}
}

void reply_join(const struct reply *reply, char *text_out, size_t size)
{
	struct writer writer = { text_out, size - 1 };
	struct bytes rest = reply->text, line, shown = { 0 };
	struct enhanced found;

	put_text(&writer, bytes_first(reply->text, 3));
	while (reply_line(&rest, &line)) {
		size_t len = find_enhanced(line, &found);
		struct bytes code = bytes_first(line, len);

		if (len > 0 && shown.len == 0)
			shown = code;
		else if (len > 0 && bytes_equal(code, shown))
			line = bytes_from(line, len);
		line = bytes_trim(line);
		if (line.len == 0)
			continue;
		put_text(&writer, BYTES_LITERAL(" "));
		put_text(&writer, line);
	}
	*writer.at = '\0';
}
