/* spool/place.h - the spool's directory: made if it is missing, and locked against a second
 * process. */
#pragma once
#include "base/err.h"

struct spool_place;

/* spool_place_open - ERR_BUSY: somebody else has it open. */
int spool_place_open(const char *directory, struct spool_place **place_out, struct err *err);
void spool_place_close(struct spool_place *place); /* takes NULL */
const char *spool_place_directory(const struct spool_place *place);
