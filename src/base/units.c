#include "base/units.h"
#include "base/macros.h"
#include <stdio.h>
#include <time.h>

#define RATE_COUNT_MAX     1000000000
#define RATE_PERIOD_MAX_US (366 * US_PER_DAY)

static const struct unit {
	const char *name;
	int64_t us;
} duration_units[] = {
	{ "w", 7 * US_PER_DAY }, { "d", US_PER_DAY },    { "h", US_PER_HOUR },
	{ "m", US_PER_MINUTE },  { "s", US_PER_SECOND }, { "ms", US_PER_MS },
};

/* Takes the decimal digits in front; false if there are none, or too many. */
static bool take_number(struct bytes *text, int64_t *value_out)
{
	size_t digits = 0;
	uint64_t value;

	while (digits < text->len && text->at[digits] >= '0' && text->at[digits] <= '9')
		digits++;
	if (!bytes_parse_u64(bytes_first(*text, digits), &value) || value > INT64_MAX)
		return false;
	*value_out = (int64_t)value;
	*text = bytes_from(*text, digits);
	return true;
}

/* Takes the letters in front and looks them up among the units smaller than `*unit`. */
static bool take_unit(struct bytes *text, size_t *unit)
{
	size_t letters = 0;
	struct bytes name;

	while (letters < text->len && text->at[letters] >= 'a' && text->at[letters] <= 'z')
		letters++;
	name = bytes_first(*text, letters);
	*text = bytes_from(*text, letters);
	for (; *unit < COUNT(duration_units); ++*unit) {
		if (bytes_equal(name, bytes_of(duration_units[*unit].name)))
			return true;
	}
	return false;
}

bool duration_parse(struct bytes text, int64_t *us_out)
{
	int64_t total = 0, value;
	size_t unit = 0;

	if (!take_number(&text, &value))
		return false;
	if (text.len == 0)
		return !__builtin_mul_overflow(value, US_PER_SECOND, us_out);
	for (;; unit++) {
		if (!take_unit(&text, &unit) ||
		    __builtin_mul_overflow(value, duration_units[unit].us, &value) ||
		    __builtin_add_overflow(total, value, &total))
			return false;
		if (text.len == 0)
			break;
		if (!take_number(&text, &value))
			return false;
	}
	*us_out = total;
	return true;
}

bool rate_parse(struct bytes text, int64_t *count_out, int64_t *period_us_out)
{
	struct bytes rest = text;
	bool has_number;
	char period[16];

	if (!take_number(&rest, count_out) || rest.len < 2 || rest.at[0] != '/' ||
	    rest.len >= sizeof period)
		return false;
	has_number = rest.at[1] >= '0' && rest.at[1] <= '9';
	snprintf(period, sizeof period, "%s%.*s", has_number ? "" : "1", (int)rest.len - 1,
	         rest.at + 1);
	return *count_out > 0 && *count_out <= RATE_COUNT_MAX &&
	       duration_parse(bytes_of(period), period_us_out) && *period_us_out > 0 &&
	       *period_us_out <= RATE_PERIOD_MAX_US;
}

/* Weeks are left out: people think of lifetimes in days. */
void duration_format(struct buffer *out, int64_t us)
{
	static const struct unit units[] = {
		{ "d", US_PER_DAY },    { "h", US_PER_HOUR }, { "m", US_PER_MINUTE },
		{ "s", US_PER_SECOND }, { "ms", US_PER_MS },
	};
	size_t first = 0;
	int64_t second;

	if (us <= -US_PER_MS)
		buffer_append_char(out, '-');
	us = us == INT64_MIN ? INT64_MAX : us < 0 ? -us : us;
	while (first < COUNT(units) && us < units[first].us)
		first++;
	if (first == COUNT(units)) {
		buffer_append_text(out, "0s");
		return;
	}
	buffer_printf(out, "%lld%s", (long long)(us / units[first].us), units[first].name);
	if (first + 2 >= COUNT(units)) /* milliseconds matter only alone */
		return;
	second = us % units[first].us / units[first + 1].us;
	if (second > 0)
		buffer_printf(out, " %lld%s", (long long)second, units[first + 1].name);
}

bool size_parse(struct bytes text, int64_t *bytes_out)
{
	const struct bytes letters = BYTES_LITERAL("kmgt");
	int64_t value, factor = 1;
	struct bytes rest = text;

	if (!take_number(&rest, &value))
		return false;
	if (rest.len > 0) {
		ptrdiff_t power = bytes_find_char(letters, char_lower(rest.at[0]));

		if (power >= 0) {
			factor = (int64_t)1 << (10 * (power + 1));
			rest = bytes_from(rest, 1);
			if (bytes_equal_nocase(rest, BYTES_LITERAL("ib")))
				rest = bytes_from(rest, 2);
		}
		if (bytes_equal_nocase(rest, BYTES_LITERAL("b")))
			rest = bytes_from(rest, 1);
	}
	return rest.len == 0 && !__builtin_mul_overflow(value, factor, bytes_out);
}

void size_format(struct buffer *out, int64_t size_bytes)
{
	static const char *const units[] = { "KB", "MB", "GB", "TB", "PB", "EB" };
	double value = (double)size_bytes;
	size_t unit = 0;

	if (size_bytes > -1024 && size_bytes < 1024) {
		buffer_printf(out, "%lld B", (long long)size_bytes);
		return;
	}
	/* 1023.95 would print as 1024.0 of the smaller unit. */
	for (value /= 1024; (value >= 1023.95 || value <= -1023.95) && unit + 1 < COUNT(units);
	     unit++)
		value /= 1024;
	buffer_printf(out, "%.1f %s", value, units[unit]);
}

/* Seconds since 1970, rounded down also before 1970; the microseconds in `*us_out`. */
static struct tm broken_down(int64_t unix_us, int *us_out)
{
	int64_t us = unix_us % US_PER_SECOND;
	time_t seconds = unix_us / US_PER_SECOND;
	struct tm tm = { 0 };

	if (us < 0) {
		us += US_PER_SECOND;
		seconds--;
	}
	*us_out = (int)us;
	gmtime_r(&seconds, &tm);
	return tm;
}

/* Not strftime: its names follow the locale. */
void date_format_mail(struct buffer *out, int64_t unix_us)
{
	static const char *const days[] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
	static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
		                              "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	int us;
	struct tm tm = broken_down(unix_us, &us);

	buffer_printf(out, "%s, %d %s %d %02d:%02d:%02d +0000", days[tm.tm_wday], tm.tm_mday,
	              months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

void date_format_iso(struct buffer *out, int64_t unix_us)
{
	int us;
	struct tm tm = broken_down(unix_us, &us);

	buffer_printf(out, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", tm.tm_year + 1900, tm.tm_mon + 1,
	              tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, us / 1000);
}

static bool is_date(struct bytes text)
{
	static const char form[] = "dddd-dd-ddTdd:dd:dd";

	if (text.len < sizeof form - 1)
		return false;
	for (size_t i = 0; i < sizeof form - 1; i++) {
		bool is_digit = text.at[i] >= '0' && text.at[i] <= '9';

		if (form[i] == 'd' ? !is_digit : text.at[i] != form[i])
			return false;
	}
	return true;
}

bool date_parse_iso(struct bytes text, int64_t *unix_us_out)
{
	struct bytes rest = bytes_from(text, MIN(text.len, 19));
	struct tm tm = { 0 };
	char copy[32];
	time_t seconds;

	if (!is_date(text) || text.len >= sizeof copy)
		return false;
	snprintf(copy, sizeof copy, "%.*s", BYTES_FORMAT(text));
	if (!strptime(copy, "%Y-%m-%dT%H:%M:%S", &tm))
		return false;
	if (rest.len > 1 && rest.at[0] == '.')
		do
			rest = bytes_from(rest, 1);
		while (rest.len > 0 && rest.at[0] >= '0' && rest.at[0] <= '9');
	seconds = timegm(&tm);
	*unix_us_out = (int64_t)seconds * US_PER_SECOND;
	return seconds >= 0 && rest.len == 1 && (rest.at[0] == 'Z' || rest.at[0] == 'z');
}

static bool take_digits(struct bytes text, size_t from, size_t count, int *number_out)
{
	uint64_t number = 0;

	if (!bytes_parse_u64(bytes_first(bytes_from(text, from), count), &number))
		return false;
	*number_out = (int)number;
	return true;
}

bool date_parse_day(struct bytes text, int64_t *unix_us_out)
{
	struct tm day = { 0 }, same;
	time_t seconds;
	int year;

	if (text.len != 10 || text.at[4] != '-' || text.at[7] != '-' ||
	    !take_digits(text, 0, 4, &year) || !take_digits(text, 5, 2, &day.tm_mon) ||
	    !take_digits(text, 8, 2, &day.tm_mday))
		return false;
	day.tm_year = year - 1900;
	day.tm_mon--;
	same = day;
	seconds = timegm(&same); /* makes March 2nd of February 30th */
	if (same.tm_mon != day.tm_mon || same.tm_mday != day.tm_mday || same.tm_year != day.tm_year)
		return false;
	*unix_us_out = (int64_t)seconds * US_PER_SECOND;
	return true;
}
