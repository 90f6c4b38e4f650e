/* cli/top.h - `outlast top`: what it knows of the relay, and how that becomes lines of text. */
#pragma once
#include "base/buffer.h"
#include <jansson.h>

enum top_order { TOP_BY_WAITING, TOP_BY_NAME, TOP_BY_DEADLINE, TOP_BY_EXPIRED, TOP_ORDERS };

/* What the API said last; all owned. */
struct top_news {
	json_t *status, *trend, *forecast, *incidents, *destinations;
};

struct top_view {
	const struct top_news *news;
	enum top_order order;
	int selected;       /* row of the table; -1: none */
	int width, height;  /* height 0: as many lines as it takes */
	bool is_plain;      /* no escape sequences */
	const char *footer; /* the last line; "" for the keys */
	int64_t now_us;
};

/* top_sorted - the destinations in that order; borrowed, the array is the caller's to alloc_free.
 */
json_t **top_sorted(const struct top_news *news, enum top_order order, size_t *count_out);

/* top_frame - appends the whole picture. What strangers wrote (domains) cannot steer a terminal. */
void top_frame(const struct top_view *view, struct buffer *out);
