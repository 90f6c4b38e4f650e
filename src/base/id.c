#include "base/id.h"
#include "base/assert.h"

#define EPOCH_US   1577836800000000LL /* 2020-01-01 */
#define TIME_SHIFT 13
#define NODE_SHIFT 5
#define TIME_MAX   ((1ULL << 51) - 1)
#define LETTERS    "0123456789abcdefghjkmnpqrstvwxyz"

uint64_t id_make(struct id_maker *maker, int64_t now_us)
{
	uint64_t us = now_us > EPOCH_US ? (uint64_t)(now_us - EPOCH_US) : 0;

	ASSERT(maker->maker < ID_MAKERS_MAX);
	if (us <= maker->last_us)
		us = maker->last_us + 1;
	ASSERT(us <= TIME_MAX);
	maker->last_us = us;
	return us << TIME_SHIFT | (uint64_t)maker->node << NODE_SHIFT | maker->maker;
}

void id_raise(struct id_maker *maker, uint64_t id)
{
	if (id >> TIME_SHIFT > maker->last_us)
		maker->last_us = id >> TIME_SHIFT;
}

int64_t id_time_us(uint64_t id)
{
	return (int64_t)(id >> TIME_SHIFT) + EPOCH_US;
}

void id_format(uint64_t id, char text_out[ID_TEXT_LENGTH + 1])
{
	for (int i = ID_TEXT_LENGTH - 1; i >= 0; i--) {
		text_out[i] = LETTERS[id & 31];
		id >>= 5;
	}
	text_out[ID_TEXT_LENGTH] = '\0';
}

static int letter_value(char c)
{
	ptrdiff_t value;

	c = char_lower(c);
	if (c == 'o')
		c = '0';
	else if (c == 'i' || c == 'l')
		c = '1';
	value = bytes_find_char(BYTES_LITERAL(LETTERS), c);
	return (int)value;
}

bool id_parse(struct bytes text, uint64_t *id_out)
{
	uint64_t id = 0;

	/* 13 letters hold 65 bits: the first one has to stay below 16. */
	if (text.len != ID_TEXT_LENGTH || letter_value(text.at[0]) > 15)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		int value = letter_value(text.at[i]);

		if (value < 0)
			return false;
		id = id << 5 | (uint64_t)value;
	}
	*id_out = id;
	return true;
}
