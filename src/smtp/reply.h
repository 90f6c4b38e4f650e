/* smtp/reply.h - what an SMTP server says (RFC 5321 4.2; enhanced codes RFC 2034, 3463).
 * Pure: no I/O, no clock, no allocation. A reply points into the bytes it was parsed from. */
#pragma once
#include "base/bytes.h"

#define REPLY_BYTES_MAX 65536 /* a whole reply */
#define REPLY_LINES_MAX 256

struct reply {
	int code;                   /* 200..599 */
	int class, subject, detail; /* enhanced code; all 0 if none was given */
	struct bytes text;          /* every line as received; borrowed from the input */
};

/* reply_parse - reads one whole reply, all its lines, from the front of `in`. Lines may end with a
 * bare LF. Returns the bytes used; 0 if it is not complete yet; ERR_PROTOCOL if it can never be a
 * reply (also when the lines' codes differ); ERR_TOO_LONG beyond REPLY_BYTES_MAX or
 * REPLY_LINES_MAX. `*reply_out` is set only when the result is > 0. */
int reply_parse(struct bytes in, struct reply *reply_out);

/* reply_line - the next line of the text without code, separator and line end; false at the end.
 * `*rest` starts as reply->text. */
bool reply_line(struct bytes *rest, struct bytes *line_out);

/* reply_join - all lines as one: "550 5.1.1 first second", codes once, blanks between, control
 * characters and bytes that are no UTF-8 replaced by '?'. At most `size - 1` bytes and a NUL. */
void reply_join(const struct reply *reply, char *text_out, size_t size);
