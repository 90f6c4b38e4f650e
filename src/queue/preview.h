/* queue/preview.h - what a change of deadlines would come to, before it is made. */
#pragma once
#include "queue/queue.h"

struct preview {
	const struct config *config; /* as if this one were in force; NULL: the present one */
	int64_t amount_us;           /* and every deadline moved by this */
	uint64_t recipients;         /* looked at */
	uint64_t changed;            /* whose deadline would be another */
	uint64_t expiring;           /* that would expire at once */
	int64_t first_us, last_us;   /* the earliest and the latest deadline then; 0: none */
};

/* queue_matches - whether the filter, but for its addresses, means this recipient. */
bool queue_matches(const struct queue *queue, uint64_t id, uint32_t recipient,
                   const struct filter *filter);

/* queue_preview - adds what matches of one message. */
void queue_preview(const struct queue *queue, uint64_t id, const struct filter *filter,
                   int64_t now_us, struct preview *preview);
