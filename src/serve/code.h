/* serve/code.h - an entry of the knowledge base as JSON, for the API and for `outlast code`. */
#pragma once
#include "codes/knowledge.h"
#include <jansson.h>

/* code_json - all that is known of a code. The caller owns it. */
json_t *code_json(const struct knowledge_entry *entry);
