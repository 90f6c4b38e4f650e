/* check/inspection_json.h - what was seen of a destination, for programs. */
#pragma once
#include "check/inspection_verdict.h"
#include <jansson.h>

/* inspection_json - the verdict, the findings, hosts and their servers. The caller owns it. */
json_t *inspection_json(const struct inspection *facts,
                        const struct inspection_judgement *judgement);
