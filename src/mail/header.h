/* mail/header.h - the header section of a message (RFC 5322 2.2): finding fields, nothing else.
 * Pure, tolerant: what is not a field is skipped. */
#pragma once
#include "base/buffer.h"
#include "base/bytes.h"

/* header_length - bytes of the header section with its empty line; all of `content` when there is
 * no empty line. Stops early at a line that can be no field (then the section ends before it). */
size_t header_length(struct bytes content);

struct header_field {
	struct bytes name;  /* without colon and blanks */
	struct bytes value; /* with folds, without the last line end; trimmed in front */
	struct bytes whole; /* the field's lines */
};

/* header_next - the next field of `*rest`; false at the end of the section. */
bool header_next(struct bytes *rest, struct header_field *field_out);

/* header_find - the first field of that name (any case); false if there is none. */
bool header_find(struct bytes headers, struct bytes name, struct header_field *field_out);
int header_count(struct bytes headers, struct bytes name);

/* header_unfold - the value as one line: folds become one blank. */
void header_unfold(struct bytes value, struct buffer *out);

/* header_is_automatic - mail that no person waits for an answer to (RFC 3834 2, Precedence,
 * List-*): delay notices are not wanted. */
bool header_is_automatic(struct bytes headers);
