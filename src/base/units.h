/* base/units.h - durations, sizes and dates as people write them. */
#pragma once
#include "base/buffer.h"
#include "base/bytes.h"

#define US_PER_MS     1000LL
#define US_PER_SECOND 1000000LL
#define US_PER_MINUTE (60 * US_PER_SECOND)
#define US_PER_HOUR   (60 * US_PER_MINUTE)
#define US_PER_DAY    (24 * US_PER_HOUR)

/* duration_parse - "90", "90s", "250ms", "30m", "1h30m", "5d", "2w" (a bare number is seconds). */
bool duration_parse(struct bytes text, int64_t *us_out);

/* rate_parse - "500/h", "10/s", "20000/d", "100/5m": so many (at most 10^9) in so long (at most
 * 366 days). */
bool rate_parse(struct bytes text, int64_t *count_out, int64_t *period_us_out);

/* duration_format - the two largest units that matter: "5d 3h", "41m 7s", "12s", "250ms", "0s". */
void duration_format(struct buffer *out, int64_t us);

/* size_parse - "100", "64K", "64KB", "10MiB", "2G": powers of 1024; a bare number is bytes. */
bool size_parse(struct bytes text, int64_t *bytes_out);
void size_format(struct buffer *out, int64_t size_bytes); /* "512 B", "4.0 KB", "1.5 GB" */

/* date_format_mail - "Mon, 23 Nov 2026 20:24:12 +0000" (RFC 5322 3.3), always UTC. */
void date_format_mail(struct buffer *out, int64_t unix_us);

/* date_parse_iso - "2026-11-23T20:24:12Z" (RFC 3339), UTC only; fractions are dropped. */
bool date_parse_iso(struct bytes text, int64_t *unix_us_out);

/* date_parse_day - "2026-11-23": that day's beginning, UTC. False on anything else. */
bool date_parse_day(struct bytes text, int64_t *unix_us_out);

/* date_format_iso - "2026-11-23T20:24:12.345Z" (RFC 3339). */
void date_format_iso(struct buffer *out, int64_t unix_us);
