/* smtp/dot.h - message content between DATA and the final dot (RFC 5321 4.1.1.4, 4.5.2). Pure,
 * incremental, fast: whole runs are found with memchr and copied at once. */
#pragma once
#include "base/buffer.h"

/* What a run of input was found to hold; or-ed over the whole content. */
enum content_flags {
	CONTENT_BARE_LF = 1,
	CONTENT_BARE_CR = 2,
	CONTENT_NUL = 4,
	CONTENT_8BIT = 8,
	CONTENT_LONG_LINE = 16, /* over 998 bytes without CRLF */
};

/* Removes dot-stuffing and finds the end: only CRLF . CRLF, never a variant with bare CR or LF
 * (standards 2.6, 2.7, 19). */
struct dot_decoder {
	int state;
	uint32_t flags; /* enum content_flags */
	uint32_t line_bytes;
	bool is_verbatim; /* BDAT: dots at the start of a line mean nothing, and there is no end */
	bool is_normalising; /* bare LF and bare CR become CRLF; else they are kept and flagged */
};

/* dot_decode - consumes from the front of `in`, appends content to `out` (which may have a limit:
 * what does not fit is dropped, and out->is_over set). Returns the bytes used; `*is_end_out` is
 * true when the final dot was among them (then nothing behind it was used). */
size_t dot_decode(struct dot_decoder *decoder, struct bytes in, struct buffer *out,
                  bool *is_end_out);

/* dot_close - the content ended here without a final dot (BDAT): a CR at its very end was bare. */
void dot_close(struct dot_decoder *decoder);

/* dot_encode - doubles leading dots of `in`, which continues at `*at_line_start`. The end ("."
 * CRLF, with a CRLF before when the content lacks it) is dot_finish's. */
void dot_encode(struct bytes in, bool *at_line_start, struct buffer *out);
void dot_finish(bool at_line_start, struct buffer *out);
