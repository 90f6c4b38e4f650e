/* mail/mime.h - the parts of a message (RFC 2045, 2046) and their text. Lenient: missing end
 * lines, a boundary that is not the declared one and text in front of the first part are lived
 * with. Pure; parts point into the content. */
#pragma once
#include "base/arena.h"
#include "base/buffer.h"
#include "mail/transfer.h"

#define MIME_DEPTH_MAX        10     /* multiparts in each other; deeper ones count as text */
#define MIME_PARTS_MAX        200    /* what follows is not looked at */
#define MIME_HEADER_BYTES_MAX 262144 /* of one header section */

struct mime_part {
	struct bytes headers, body;
	struct bytes type;        /* "text/plain" if none is given; as written */
	struct bytes charset;     /* parameters of Content-Type; empty if not there */
	struct bytes report_type; /* RFC 6522 */
	enum transfer transfer;
	int depth;         /* 0: the message itself */
	bool is_multipart; /* its parts follow it in the list */
	bool is_preamble;  /* what stands in front of the first part; text/plain */
};

struct mime {
	struct mime_part *parts; /* in the order of the message; the message itself first */
	int count;
	bool is_cut; /* a limit was reached */
};

/* mime_parse - all parts. A message within the message (message/rfc822) is one part: it is not
 * entered. */
void mime_parse(struct bytes content, struct arena *arena, struct mime *mime_out);

/* mime_is - is the part of that type? Case does not count. "text/" is any text. */
bool mime_is(const struct mime_part *part, const char *type);

/* mime_decode - appends the body without its transfer encoding, at most `bytes_max` of it. */
void mime_decode(const struct mime_part *part, size_t bytes_max, struct buffer *out);

/* mime_text - appends the body as UTF-8 text with bare LF as line end; at most `bytes_max` of the
 * encoded body are looked at. Of HTML the text is left. */
void mime_text(const struct mime_part *part, size_t bytes_max, struct buffer *out);
