/* check/crew.h - things to find out side by side, each in a fiber of its own. */
#pragma once
#include "base/arena.h"
#include "base/macros.h"

struct fiber;

struct crew {
	struct arena *arena;
	struct fiber *waiting; /* in crew_await; NULL: not yet */
	int running;
};

/* crew_start - runs `run(arg, index)`; where no fiber can be had, here and now. PARKS */
PARKS void crew_start(struct crew *crew, void (*run)(void *arg, int index), void *arg, int index);

/* crew_await - until all that was started has ended. PARKS */
PARKS void crew_await(struct crew *crew);
