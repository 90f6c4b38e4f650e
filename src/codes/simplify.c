#include "codes/simplify.h"
#include <string.h>

/* U+00C0..U+00FF without their accents; '?' has no letter to fall back to. */
static const char latin[] = "aaaaaaaceeeeiiiidnooooo ouuuuytsaaaaaaaceeeeiiiidnooooo ouuuuyty";

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_word(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c & 0x80);
}

static bool is_domain(char c)
{
	return is_word(c) || c == '-' || c == '.';
}

static bool is_local(char c)
{
	return is_domain(c) || (c && strchr("+_/=!#$%&*~^", c));
}

static size_t count_digits(struct bytes in)
{
	size_t count = 0;

	while (count < in.len && is_digit(in.at[count]))
		count++;
	return count;
}

static int number_of(const char *digits, size_t count)
{
	int value = 0;

	for (size_t i = 0; i < count; i++)
		value = value * 10 + digits[i] - '0';
	return value;
}

/* "5.7.25" at the front: its length, else 0. */
static size_t read_status(struct bytes in, int status_out[3])
{
	size_t used = 0;

	for (int part = 0; part < 3; part++) {
		size_t digits = count_digits(bytes_from(in, used));

		if (digits == 0 || digits > 3)
			return 0;
		status_out[part] = number_of(in.at + used, digits);
		used += digits;
		if (part < 2 && (used >= in.len || in.at[used++] != '.'))
			return 0;
	}
	if (in.at[0] != '2' && in.at[0] != '4' && in.at[0] != '5')
		return 0;
	if (in.at[1] != '.' || (used < in.len && (is_word(in.at[used]))))
		return 0;
	/* A full stop may end a sentence; with a digit behind it this is an address. */
	if (used + 1 < in.len && in.at[used] == '.' && is_word(in.at[used + 1]))
		return 0;
	return used;
}

bool simplify_find_status(struct bytes text, int status_out[3])
{
	for (size_t i = 0; i + 5 <= text.len; i++) {
		bool may_begin = i == 0 || (!is_domain(text.at[i - 1]) ||
		                            (text.at[i - 1] == '-' && i > 3 &&
		                             count_digits(bytes_from(text, i - 4)) == 3));

		if (text.at[i + 1] == '.' && may_begin &&
		    read_status(bytes_from(text, i), status_out) > 0)
			return true;
	}
	return false;
}

/* The code and enhanced code that begin a line, "550-5.7.1 ": their length, else 0. */
static size_t skip_mark(struct bytes in, int code)
{
	size_t used = count_digits(in);
	int status[3];

	if (used != 3 || code == 0 || number_of(in.at, 3) != code)
		return 0;
	if (used < in.len && in.at[used] != ' ' && in.at[used] != '-')
		return 0;
	used += used < in.len;
	return used + read_status(bytes_from(in, used), status);
}

/* One letter beyond ASCII: writes what stands for it, returns the bytes it took. */
static size_t fold_letter(struct bytes in, char *text_out, size_t *written)
{
	unsigned char first = (unsigned char)in.at[0];
	unsigned char second = in.len > 1 ? (unsigned char)in.at[1] : 0;
	bool is_pair = first >= 0xc2 && first < 0xe0 && (second & 0xc0) == 0x80;

	if (is_pair && first == 0xc3) {
		text_out[(*written)++] = latin[second & 0x3f];
		return 2;
	}
	if (is_pair && first == 0xc2) {
		text_out[(*written)++] = ' ';
		return 2;
	}
	if (is_pair && first == 0xd0 && second >= 0x90 && second < 0xb0) {
		text_out[(*written)++] = (char)(second < 0xa0 ? 0xd0 : 0xd1);
		text_out[(*written)++] = (char)(second < 0xa0 ? second + 0x20 : second - 0x20);
		return 2;
	}
	if (in.len > 2 && first == 0xe2 && second == 0x80 &&
	    ((unsigned char)in.at[2] & 0xfc) == 0x98) {
		text_out[(*written)++] = '\'';
		return 3;
	}
	/* A byte of Latin-1 by itself; what comes in threes stays as it is. */
	if (first >= 0xc0 && (second & 0xc0) != 0x80)
		text_out[(*written)++] = latin[first & 0x3f];
	else
		text_out[(*written)++] = in.at[0];
	return 1;
}

/* At an '@': takes the local part back from what was written, skips the domain. */
static size_t fold_address(struct bytes in, char *text_out, size_t *written)
{
	size_t start = *written, used = 1;

	while (start > 0 && is_local(text_out[start - 1]))
		start--;
	while (used < in.len && is_domain(in.at[used]))
		used++;
	if (start < *written && used > 1)
		*written = start;
	text_out[(*written)++] = '@';
	return used;
}

size_t simplify_reply(struct bytes text, int code, char *text_out)
{
	size_t written = 0;

	text_out[written++] = ' ';
	while (text.len > 0 && written + 3 <= SIMPLIFIED_MAX) {
		char c = text.at[0];
		bool is_start = text_out[written - 1] == ' ';
		size_t used = is_start && is_digit(c) ? skip_mark(text, code) : 0;

		if (used == 0 && c == '@') {
			used = fold_address(text, text_out, &written);
		} else if (used == 0 && (c & 0x80)) {
			used = fold_letter(text, text_out, &written);
		} else if (used == 0) {
			used = 1;
			if ((c > ' ' && c != 0x7f) || !is_start)
				text_out[written++] = c > ' ' && c != 0x7f ? char_lower(c) : ' ';
		}
		text = bytes_from(text, used);
	}
	if (text_out[written - 1] != ' ')
		text_out[written++] = ' ';
	/* Not before: a local part may hold one. */
	for (char *c = text_out; (c = memchr(c, '_', (size_t)(text_out + written - c)));)
		*c = ' ';
	return written;
}
