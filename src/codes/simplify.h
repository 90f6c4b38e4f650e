/* codes/simplify.h - a reply reduced to what the rules' patterns look at. Pure: no allocation, any
 * bytes. */
#pragma once
#include "base/bytes.h"

#define SIMPLIFIED_MAX 2048 /* of a longer reply the beginning is looked at */

/* simplify_reply - writes `text` in lower case, one blank between words, without the codes that
 * begin its lines ("550-5.7.1 "), with "@" for every address (people's names are no words of the
 * server) and Latin and Cyrillic letters without accents and in lower case; a blank stands before
 * and behind it. `code` is the basic code, 0 if none was given. Returns the count of bytes written,
 * at most SIMPLIFIED_MAX. */
size_t simplify_reply(struct bytes text, int code, char *text_out);

/* simplify_find_status - the first enhanced code in `text` ("(#5.1.1)"), which is no part of an IP
 * address or a longer number. False if there is none. */
bool simplify_find_status(struct bytes text, int status_out[3]);
