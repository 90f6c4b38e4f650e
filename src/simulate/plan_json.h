/* simulate/plan_json.h - the plans of a configuration as JSON, for `config check` and the API. */
#pragma once
#include "config/config.h"
#include <jansson.h>

/* plan_json - a list: of each block of limits whose schedule is not an earlier one's, "of" (its
 * pattern, or "defaults"), the plans of messages and of mail with the null sender in seconds, and
 * the waits between probes. The caller owns it. */
json_t *plan_json(const struct config *config);
