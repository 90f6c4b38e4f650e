#include "base/random.h"
#include "base/assert.h"
#include <sys/random.h>

/* SplitMix64 (Steele, Lea, Flood 2014): spreads one word over the state; never all zero. */
static uint64_t spread(uint64_t *seed)
{
	uint64_t z = *seed += 0x9E3779B97F4A7C15U;

	z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
	z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
	return z ^ (z >> 31);
}

void random_seed(struct random *random, uint64_t seed)
{
	for (int i = 0; i < 4; i++)
		random->state[i] = spread(&seed);
}

static uint64_t rotate_left(uint64_t value, int bits)
{
	return value << bits | value >> (64 - bits);
}

/* xoshiro256** (Blackman, Vigna 2018). */
uint64_t random_next(struct random *random)
{
	uint64_t *s = random->state;
	uint64_t result = rotate_left(s[1] * 5, 7) * 9;
	uint64_t shifted = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= shifted;
	s[3] = rotate_left(s[3], 45);
	return result;
}

uint64_t random_below(struct random *random, uint64_t limit)
{
	uint64_t value, uneven;

	ASSERT(limit > 0);
	uneven = (UINT64_MAX % limit + 1) % limit; /* 2^64 modulo limit: values to draw again */
	do
		value = random_next(random);
	while (value < uneven);
	return value % limit;
}

int64_t random_jitter(struct random *random, int64_t value, int percent)
{
	int64_t span;

	if (value <= 0 || percent <= 0)
		return value;
	ASSERT(percent <= 100);
	span = value / 100 * percent + value % 100 * percent / 100;
	return value - span + (int64_t)random_below(random, 2 * (uint64_t)span + 1);
}

uint64_t random_entropy(void)
{
	uint64_t value;

	if (getrandom(&value, sizeof value, 0) != (ssize_t)sizeof value)
		BUG("the kernel gives no entropy");
	return value;
}
