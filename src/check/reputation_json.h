/* check/reputation_json.h - what is known of a sender and what it is worth, for programs. */
#pragma once
#include "check/judgement.h"
#include <jansson.h>

/* reputation_json - the verdict, the score by area, the findings and the facts. The caller owns it.
 */
json_t *reputation_json(const struct reputation *facts, const struct judgement *judgement);
