/* base/id.h - message ids: 64 bits, sortable by time, unique without asking anybody.
 *
 *   51 bits  microseconds since 2020-01-01 (until 2091)
 *    8 bits  node (0..255)
 *    5 bits  maker within the node (0..31): a worker, or the notice writer
 *
 * Written as 13 letters and digits (Crockford's base 32, lower case), which sort as the numbers do.
 */
#pragma once
#include "base/bytes.h"

#define ID_TEXT_LENGTH 13
#define ID_MAKERS_MAX  32

struct id_maker {
	uint64_t last_us;
	uint8_t node, maker;
};

/* id_make - the next id: never the same twice, never below an earlier one of this maker, even when
 * the clock steps back. `now_us` counts from 1970. */
uint64_t id_make(struct id_maker *maker, int64_t now_us);

/* id_raise - makes sure that later ids are above `id` (called with every id found in the spool). */
void id_raise(struct id_maker *maker, uint64_t id);

int64_t id_time_us(uint64_t id); /* microseconds since 1970 */
void id_format(uint64_t id, char text_out[ID_TEXT_LENGTH + 1]);

/* id_parse - reads 13 letters or digits in either case (o is 0, i and l are 1). False on anything
 * else. */
bool id_parse(struct bytes text, uint64_t *id_out);
