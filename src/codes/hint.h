/* codes/hint.h - "try again in 5 minutes": how long a server asks us to wait. Pure. */
#pragma once
#include "base/bytes.h"

#define HINT_MAX_S 86400 /* a server that asks for more than a day is not obeyed */

/* hint_read - seconds, 1..HINT_MAX_S, of the first time span in `text` (simplified:
 * codes/simplify.h) that is said to be a wait; 0 if there is none. "300 seconds", "5 min", "1h30m",
 * "00:05:00", "an hour"; a bare number only right behind "retry after" and the like. */
int hint_read(struct bytes text);
