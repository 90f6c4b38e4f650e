/* base/random.h - two kinds of chance: a seeded generator for decisions that must replay
 * (xoshiro256**), and the system's entropy for secrets and hash seeds. */
#pragma once
#include <stdint.h>

struct random {
	uint64_t state[4];
};

void random_seed(struct random *random, uint64_t seed);
uint64_t random_next(struct random *random);
uint64_t random_below(struct random *random, uint64_t limit); /* 0..limit-1, unbiased; limit > 0 */

/* random_jitter - `value` times a factor drawn evenly from 1 - percent/100 .. 1 + percent/100. */
int64_t random_jitter(struct random *random, int64_t value, int percent);

/* random_entropy - 64 bits from the kernel; aborts if there are none. */
uint64_t random_entropy(void);
