/* simulate/outlast.h - the real queue as a policy: the code that the relay runs, with a
 * configuration (`const struct config *`) as its settings. */
#pragma once
#include "simulate/run.h"

extern const struct policy outlast_policy;
