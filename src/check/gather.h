/* check/gather.h - collects the facts of a reputation: all lookups side by side, each kind in a
 * fiber of its own. */
#pragma once
#include "check/reputation.h"

/* gather_run - fills `reputation_out` for `subject`, at the latest at its deadline: what is not
 * known by then has the status DNS_TIMEOUT. All that is borrowed is in the arena or in the subject.
 * PARKS */
PARKS void gather_run(const struct asker *asker, struct arena *arena,
                      const struct reputation_subject *subject, struct reputation *reputation_out);

/* gather_usual_selectors - what is tried where no selector is known; ended by NULL. */
extern const char *const gather_usual_selectors[];
