/* migrate/main_cf.h - Postfix's main.cf (postconf(5)) as a configuration of ours. Pure. */
#pragma once
#include "base/buffer.h"

#define MAIN_CF_BYTES_MAX (1 << 20)

/* main_cf_convert - appends the configuration to `out`; behind it, as comments, what was set there
 * and has no equivalent. Anything is taken: a line that is no setting becomes such a comment. */
void main_cf_convert(struct bytes text, struct buffer *out);
