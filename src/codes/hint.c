#include "codes/hint.h"
#include "base/macros.h"

/* What says that a span is a wait. The first `STRONG` of them need nothing else, and also carry a
 * number without a unit; the others count only in a text that speaks of trying again. */
static const char *const leads[] = {
	"again in ",
	"again after ",
	"retry in ",
	"retry after ",
	"retry-after: ",
	"retry-after ",
	"wait ",
	"come back in ",
	"back after ",
	"reconnect in ",
	"reconnect after ",
	"for ",
	"in ",
	"after ",
	"dans ",
	"nach ",
	"en ",
	"tra ",
	"(",
	"retry ",
	"=",
	"within ",
	"delay ",
	"delayed ",
};
#define STRONG 11

static const char *const contexts[] = { "again", "retry",  "later",  "wait",    "gr",
	                                "back",  "defer",  "delay",  "limit",   "slow",
	                                "block", "erneut", "essaye", "intente", "riprova" };

static const char *const fillers[] = { "about ", "at least ", "approximately ", "another ", "~",
	                               "ca. ",   "of " };

static const struct {
	const char *unit;
	int seconds;
} units[] = { { "st", 3600 }, { "ms", 0 }, { "s", 1 }, { "m", 60 }, { "h", 3600 }, { "o", 3600 } };

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c & 0x80);
}

/* Digits at the front; takes them off. False if there are none, or too many. */
static bool take_number(struct bytes *in, uint64_t *value_out)
{
	size_t digits = 0;

	while (digits < in->len && in->at[digits] >= '0' && in->at[digits] <= '9')
		digits++;
	if (!bytes_parse_u64(bytes_first(*in, digits), value_out) || *value_out > HINT_MAX_S)
		return false;
	*in = bytes_from(*in, digits);
	return true;
}

/* A unit at the front, with its whole word; 0 if there is none. */
static uint64_t take_unit(struct bytes *in)
{
	struct bytes rest = bytes_trim(*in);
	uint64_t seconds = 0;
	size_t letters = 0;

	for (size_t i = 0; i < COUNT(units) && seconds == 0; i++) {
		if (!bytes_starts_with(rest, bytes_of(units[i].unit)))
			continue;
		seconds = (uint64_t)units[i].seconds;
		break;
	}
	while (letters < rest.len && is_letter(rest.at[letters]))
		letters++;
	if (seconds > 0)
		*in = bytes_from(rest, letters);
	return seconds;
}

/* "05:00" behind "00": hours, minutes, seconds; or minutes and seconds. 0: not that. */
static uint64_t take_clock(struct bytes *in, uint64_t first)
{
	uint64_t second, third;

	if (in->len < 2 || in->at[0] != ':')
		return 0;
	*in = bytes_from(*in, 1);
	if (!take_number(in, &second) || second > 59)
		return 0;
	if (in->len < 2 || in->at[0] != ':')
		return first * 60 + second;
	*in = bytes_from(*in, 1);
	if (!take_number(in, &third) || third > 59)
		return 0;
	return first * 3600 + second * 60 + third;
}

/* Whether nothing that would change a number's meaning stands behind it. */
static bool is_end(struct bytes in)
{
	if (in.len < 2 || in.at[0] == ' ')
		return in.len < 2 || !is_letter(in.at[1]);
	return in.at[1] == ' ' && in.at[0] != '%';
}

/* "1h30m", "4 minutes and 30 seconds", "00:05:00", "300" with `is_bare_allowed`. */
static uint64_t read_span(struct bytes in, bool is_bare_allowed)
{
	uint64_t value, unit, more;

	if (bytes_starts_with(in, BYTES_LITERAL("a ")) ||
	    bytes_starts_with(in, BYTES_LITERAL("an ")) ||
	    bytes_starts_with(in, BYTES_LITERAL("one "))) {
		in = bytes_from(in, (size_t)bytes_find_char(in, ' '));
		return take_unit(&in);
	}
	if (!take_number(&in, &value))
		return 0;
	if (in.len > 0 && in.at[0] == ':')
		return take_clock(&in, value);
	unit = take_unit(&in);
	if (unit == 0)
		return is_bare_allowed && is_end(in) ? value : 0;
	in = bytes_trim(in);
	if (bytes_starts_with(in, BYTES_LITERAL("and ")))
		in = bytes_from(in, 4);
	if (take_number(&in, &more))
		return value * unit + more * take_unit(&in);
	return value * unit;
}

static bool ends_with_word(struct bytes text, const char *word)
{
	size_t start = text.len - bytes_of(word).len;

	return bytes_ends_with_nocase(text, bytes_of(word)) &&
	       (start == 0 || !is_letter(text.at[start - 1]) || !is_letter(word[0]));
}

/* What stands before a span, without "about " and the like. */
static struct bytes drop_fillers(struct bytes before)
{
	for (size_t i = 0; i < COUNT(fillers); i++)
		if (ends_with_word(before, fillers[i]))
			before.len -= bytes_of(fillers[i]).len;
	return before;
}

/* The index of the lead that `before` ends with, or COUNT(leads). */
static size_t find_lead(struct bytes before)
{
	size_t i = 0;

	before = drop_fillers(before);
	while (i < COUNT(leads) && !ends_with_word(before, leads[i]))
		i++;
	return i;
}

static bool speaks_of_waiting(struct bytes text)
{
	for (size_t i = 0; i < COUNT(contexts); i++)
		if (bytes_find(text, bytes_of(contexts[i])) >= 0)
			return true;
	return false;
}

/* A span begins at a number, or at "a", "an", "one", as a word of its own. */
static bool may_begin(struct bytes text, size_t at)
{
	char c = text.at[at], before = at > 0 ? text.at[at - 1] : ' ';

	if (is_letter(before) || (before >= '0' && before <= '9') || before == '.')
		return false;
	return (c >= '0' && c <= '9') || c == 'a' || c == 'o';
}

int hint_read(struct bytes text)
{
	for (size_t at = 0; at < text.len; at++) {
		uint64_t seconds;
		size_t lead;

		if (!may_begin(text, at))
			continue;
		seconds = read_span(bytes_from(text, at), true);
		if (seconds == 0 || seconds > HINT_MAX_S)
			continue;
		lead = find_lead(bytes_first(text, at));
		if (lead >= STRONG)
			seconds = read_span(bytes_from(text, at), false);
		if (seconds > 0 && lead < COUNT(leads) && speaks_of_waiting(text))
			return (int)seconds;
	}
	return 0;
}
