/* migrate/postfix.h - a queue file of Postfix 2.3 to 3.x: a row of records, each with a type, a
 * length in base 128 and its data; those at the end may point back into the middle. Pure. */
#pragma once
#include "migrate/found.h"

/* postfix_parse - fills `found`, which was inited. ERR_INVALID with what is wrong. */
int postfix_parse(struct bytes file, struct found *found, struct err *err);
