#include "spool/scan.h"

/* The next place after `at` where a sound record begins; the length of the data if there is none.
 */
static int64_t find_next(struct bytes data, uint64_t segment, int64_t at, struct record *record_out)
{
	for (at += RECORD_ALIGNMENT; at < (int64_t)data.len; at += RECORD_ALIGNMENT)
		if (record_decode(bytes_from(data, (size_t)at), segment, record_out) != 0)
			return at;
	return (int64_t)data.len;
}

/* What stands at `at` does not verify. Returns where to go on: behind the damage, or `at` itself
 * when it is the torn tail. A later record that knew these bytes to be synced, or the next
 * segment's word, makes it damage. */
static int64_t skip_damage(struct bytes data, uint64_t segment, int64_t at, int64_t end)
{
	struct record record = { 0 };
	int64_t next = find_next(data, segment, at, &record);

	if (end > at)
		return next < end ? next : end;
	return next < (int64_t)data.len && record.synced > at ? next : at;
}

int64_t scan_segment(struct bytes data, uint64_t segment, int64_t end,
                     const struct scan_visitor *visitor)
{
	int64_t at = 0;

	if (end >= 0)
		data = bytes_first(data, (size_t)end);
	while (at < (int64_t)data.len) {
		struct record record;
		int64_t size_bytes = record_decode(bytes_from(data, (size_t)at), segment, &record),
			next;

		if (size_bytes > 0) {
			visitor->record(visitor->arg, &record, at, size_bytes);
			at += size_bytes;
			continue;
		}
		next = skip_damage(data, segment, at, end);
		if (next == at)
			break;
		visitor->damage(visitor->arg, at,
		                bytes_first(bytes_from(data, (size_t)at), (size_t)(next - at)));
		at = next;
	}
	return at;
}
