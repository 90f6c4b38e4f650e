#include "base/units.h"
#include "support/check.h"

static void test_duration_parse(void)
{
	static const struct {
		const char *in;
		int64_t us; /* -1: refused */
	} rows[] = {
		{ "90", 90 * US_PER_SECOND },
		{ "90s", 90 * US_PER_SECOND },
		{ "250ms", 250 * US_PER_MS },
		{ "30m", 30 * US_PER_MINUTE },
		{ "1h30m", 90 * US_PER_MINUTE },
		{ "5d", 5 * US_PER_DAY },
		{ "2w", 14 * US_PER_DAY },
		{ "1w1d1h1m1s1ms", 8 * US_PER_DAY + 3661001000LL },
		{ "0", 0 },
		{ "", -1 },
		{ "s", -1 },
		{ "1x", -1 },
		{ "-1s", -1 },
		{ "1.5h", -1 },
		{ "1h30", -1 },
		{ "30m1h", -1 },
		{ "1h1h", -1 },
		{ "1 h", -1 },
		{ "5D", -1 },
		{ "9223372036854775807s", -1 },
		{ "99999999999999999999", -1 },
		{ "15250284w4d", -1 },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		int64_t us = -1;
		bool ok = duration_parse(bytes_of(rows[i].in), &us);

		CHECK_INT(rows[i].in, ok, rows[i].us >= 0);
		if (ok)
			CHECK_INT(rows[i].in, us, rows[i].us);
	}
}

static void test_rate_parse(void)
{
	static const struct {
		const char *in;
		int64_t count, period_us; /* 0: refused */
	} rows[] = {
		{ "500/h", 500, US_PER_HOUR },
		{ "10/s", 10, US_PER_SECOND },
		{ "20000/d", 20000, US_PER_DAY },
		{ "100/5m", 100, 5 * US_PER_MINUTE },
		{ "1/1h30m", 1, 90 * US_PER_MINUTE },
		{ "0/h", 0, 0 },
		{ "5", 0, 0 },
		{ "5/", 0, 0 },
		{ "/h", 0, 0 },
		{ "5/0s", 0, 0 },
		{ "5/367d", 0, 0 },
		{ "1000000001/s", 0, 0 },
		{ "5/x", 0, 0 },
		{ "5/99999999999999999999s", 0, 0 },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		int64_t count = 0, period_us = 0;
		bool ok = rate_parse(bytes_of(rows[i].in), &count, &period_us);

		CHECK_INT(rows[i].in, ok, rows[i].count > 0);
		if (ok)
			CHECK_TRUE(rows[i].in,
			           count == rows[i].count && period_us == rows[i].period_us);
	}
}

static void test_duration_format(void)
{
	static const struct {
		int64_t us;
		const char *text;
	} rows[] = {
		{ 0, "0s" },
		{ 999, "0s" },
		{ 250 * US_PER_MS, "250ms" },
		{ 12 * US_PER_SECOND, "12s" },
		{ 12 * US_PER_SECOND + 250 * US_PER_MS, "12s" },
		{ 41 * US_PER_MINUTE + 7 * US_PER_SECOND, "41m 7s" },
		{ US_PER_HOUR, "1h" },
		{ US_PER_HOUR + 5 * US_PER_SECOND, "1h" },
		{ 5 * US_PER_DAY + 3 * US_PER_HOUR + US_PER_MINUTE, "5d 3h" },
		{ 14 * US_PER_DAY, "14d" },
		{ -90 * US_PER_SECOND, "-1m 30s" },
		{ INT64_MIN, "-106751991d 4h" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buffer out = { 0 };

		duration_format(&out, rows[i].us);
		CHECK_BYTES(rows[i].text, buffer_bytes(&out), bytes_of(rows[i].text));
		buffer_deinit(&out);
	}
}

static void test_size_parse(void)
{
	static const struct {
		const char *in;
		int64_t bytes; /* -1: refused */
	} rows[] = {
		{ "100", 100 },      { "64K", 65536 },      { "64KB", 65536 },
		{ "64kib", 65536 },  { "10MiB", 10485760 }, { "2G", 2147483648LL },
		{ "1T", 1LL << 40 }, { "5B", 5 },           { "0", 0 },
		{ "", -1 },          { "K", -1 },           { "5X", -1 },
		{ "5iB", -1 },       { "5KBB", -1 },        { "-1", -1 },
		{ "5 M", -1 },       { "8388608T", -1 },    { "1.5M", -1 },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		int64_t bytes = -1;
		bool ok = size_parse(bytes_of(rows[i].in), &bytes);

		CHECK_INT(rows[i].in, ok, rows[i].bytes >= 0);
		if (ok)
			CHECK_INT(rows[i].in, bytes, rows[i].bytes);
	}
}

static void test_size_format(void)
{
	static const struct {
		int64_t bytes;
		const char *text;
	} rows[] = {
		{ 0, "0 B" },          { 1023, "1023 B" },       { 4096, "4.0 KB" },
		{ 1048575, "1.0 MB" }, { 1610612736, "1.5 GB" }, { INT64_MAX, "8.0 EB" },
		{ -4096, "-4.0 KB" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buffer out = { 0 };

		size_format(&out, rows[i].bytes);
		CHECK_BYTES(rows[i].text, buffer_bytes(&out), bytes_of(rows[i].text));
		buffer_deinit(&out);
	}
}

static void test_dates(void)
{
	static const struct {
		int64_t us;
		const char *mail, *iso;
	} rows[] = {
		{ 0, "Thu, 1 Jan 1970 00:00:00 +0000", "1970-01-01T00:00:00.000Z" },
		{ 1795465452345678, "Mon, 23 Nov 2026 20:24:12 +0000", "2026-11-23T20:24:12.345Z" },
		{ 951782400000000, "Tue, 29 Feb 2000 00:00:00 +0000", "2000-02-29T00:00:00.000Z" },
		{ -1, "Wed, 31 Dec 1969 23:59:59 +0000", "1969-12-31T23:59:59.999Z" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buffer out = { 0 };

		date_format_mail(&out, rows[i].us);
		CHECK_BYTES("mail", buffer_bytes(&out), bytes_of(rows[i].mail));
		buffer_clear(&out);
		date_format_iso(&out, rows[i].us);
		CHECK_BYTES("iso", buffer_bytes(&out), bytes_of(rows[i].iso));
		buffer_deinit(&out);
	}
}

static const struct {
	const char *text;
	bool is_day;
	int64_t us;
} days[] = {
	{ "1970-01-01", true, 0 },
	{ "2026-11-23", true, 1795392000 * US_PER_SECOND },
	{ "2024-02-29", true, 1709164800 * US_PER_SECOND },
	{ "2023-02-29", false, 0 },
	{ "2026-13-01", false, 0 },
	{ "2026-00-01", false, 0 },
	{ "2026-01-00", false, 0 },
	{ "2026-1-1", false, 0 },
	{ "2026-01-01 ", false, 0 },
	{ "2026/01/01", false, 0 },
	{ "", false, 0 },
};

static void test_date_parse_day(void)
{
	for (size_t i = 0; i < COUNT(days); i++) {
		int64_t us = 0;

		CHECK_INT(days[i].text, date_parse_day(bytes_of(days[i].text), &us),
		          days[i].is_day);
		CHECK_INT(days[i].text, us, days[i].us);
	}
}

TEST_MAIN(test_date_parse_day, test_duration_parse, test_rate_parse, test_duration_format,
          test_size_parse, test_size_format, test_dates)
