/* spool/scan.h - reads a segment's records in order, and tells damage from a torn tail. Pure. */
#pragma once
#include "spool/record.h"

struct scan_visitor {
	void (*record)(void *arg, const struct record *record, int64_t offset, int64_t size_bytes);

	/* damage - bytes that were on disk once and do not verify now. */
	void (*damage)(void *arg, int64_t offset, struct bytes data);
	void *arg;
};

/* scan_segment - `data` is the whole file of segment number `segment`; `end` is where the next
 * segment says that it ended, or -1 if nobody says. Returns where the good records end. */
int64_t scan_segment(struct bytes data, uint64_t segment, int64_t end,
                     const struct scan_visitor *visitor);
