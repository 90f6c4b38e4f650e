/* migrate/exim.h - a message of Exim 4: ID-H has the envelope and the header section, ID-D the body
 * (Exim's specification, chapter "Format of spool files"). Pure. */
#pragma once
#include "migrate/found.h"

/* exim_parse - fills `found`, which was inited. ERR_INVALID with what is wrong. */
int exim_parse(struct bytes head, struct bytes body, struct found *found, struct err *err);
