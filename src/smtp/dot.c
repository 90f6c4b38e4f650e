#include "smtp/dot.h"
#include <string.h>

#define LINE_BYTES_MAX 998

/* Looked at in one step: else each of many bare CRs would cost a look at all that is buffered. */
#define RUN_BYTES_MAX 1024

/* Where the decoder stands in the stream. The start of the content counts as the start of a line.
 */
enum {
	AT_LINE_START = 0,
	AT_DOT,    /* a dot at the start of a line */
	AT_DOT_CR, /* and CR behind it: LF ends the content */
	AT_TEXT,
	AT_CR,
};

static void put(struct dot_decoder *decoder, struct buffer *out, struct bytes run)
{
	buffer_append(out, run);
	decoder->line_bytes += (uint32_t)run.len;
	if (decoder->line_bytes > LINE_BYTES_MAX)
		decoder->flags |= CONTENT_LONG_LINE;
}

static void put_line_end(struct dot_decoder *decoder, struct buffer *out)
{
	buffer_append(out, BYTES_LITERAL("\r\n"));
	decoder->line_bytes = 0;
}

/* A CR that no LF follows: data, or a line end when normalising. */
static void put_bare_cr(struct dot_decoder *decoder, struct buffer *out)
{
	decoder->flags |= CONTENT_BARE_CR;
	if (decoder->is_normalising)
		put_line_end(decoder, out);
	else
		put(decoder, out, BYTES_LITERAL("\r"));
}

static void put_bare_lf(struct dot_decoder *decoder, struct buffer *out)
{
	decoder->flags |= CONTENT_BARE_LF;
	if (decoder->is_normalising)
		put_line_end(decoder, out);
	else
		put(decoder, out, BYTES_LITERAL("\n"));
}

/* The length of the run at the front of `in` that holds neither CR nor LF. */
static size_t plain_run(struct bytes in)
{
	size_t most = MIN(in.len, RUN_BYTES_MAX);
	const char *lf = memchr(in.at, '\n', most);
	size_t length = lf ? (size_t)(lf - in.at) : most;
	const char *cr = memchr(in.at, '\r', length);

	return cr ? (size_t)(cr - in.at) : length;
}

static size_t take_text(struct dot_decoder *decoder, struct bytes in, struct buffer *out)
{
	size_t length = plain_run(in);

	if (length > 0) {
		put(decoder, out, bytes_first(in, length));
		decoder->state = AT_TEXT;
		return length;
	}
	if (in.at[0] == '\r') {
		decoder->state = AT_CR;
	} else {
		put_bare_lf(decoder, out);
		/* With normalising the next line begins, but never one whose dot would end the
		 * content. */
		decoder->state = AT_TEXT;
	}
	return 1;
}

/* One step: how many bytes it used (0 for a change of state alone). */
static size_t step(struct dot_decoder *decoder, struct bytes in, struct buffer *out,
                   bool *is_end_out)
{
	switch (decoder->state) {
	case AT_LINE_START:
		if (in.at[0] != '.' || decoder->is_verbatim)
			return take_text(decoder, in, out);
		decoder->state = AT_DOT;
		return 1;
	case AT_DOT:
		if (in.at[0] == '\r') {
			decoder->state = AT_DOT_CR;
			return 1;
		}
		decoder->state = AT_TEXT; /* the dot was stuffing */
		return 0;
	case AT_DOT_CR:
		if (in.at[0] == '\n') {
			*is_end_out = true;
			return 1;
		}
		put_bare_cr(decoder, out);
		decoder->state = AT_TEXT;
		return 0;
	case AT_CR:
		if (in.at[0] == '\n') {
			put_line_end(decoder, out);
			decoder->state = AT_LINE_START;
			return 1;
		}
		put_bare_cr(decoder, out);
		decoder->state = AT_TEXT;
		return 0;
	default:
		return take_text(decoder, in, out);
	}
}

static uint32_t byte_flags(struct bytes in)
{
	uint32_t flags = 0;

	if (memchr(in.at, '\0', in.len))
		flags |= CONTENT_NUL;
	if (!bytes_is_ascii(in))
		flags |= CONTENT_8BIT;
	return flags;
}

size_t dot_decode(struct dot_decoder *decoder, struct bytes in, struct buffer *out,
                  bool *is_end_out)
{
	size_t used = 0;

	*is_end_out = false;
	while (used < in.len && !*is_end_out)
		used += step(decoder, bytes_from(in, used), out, is_end_out);
	if (used > 0)
		decoder->flags |= byte_flags(bytes_first(in, used));
	return used;
}

void dot_close(struct dot_decoder *decoder)
{
	if (decoder->state == AT_CR)
		decoder->flags |= CONTENT_BARE_CR;
}

void dot_encode(struct bytes in, bool *at_line_start, struct buffer *out)
{
	while (in.len > 0) {
		const char *lf = memchr(in.at, '\n', in.len);
		size_t length = lf ? (size_t)(lf - in.at) + 1 : in.len;

		if (*at_line_start && in.at[0] == '.')
			buffer_append_char(out, '.');
		buffer_append(out, bytes_first(in, length));
		*at_line_start = lf != NULL;
		in = bytes_from(in, length);
	}
}

void dot_finish(bool at_line_start, struct buffer *out)
{
	buffer_append_text(out, at_line_start ? ".\r\n" : "\r\n.\r\n");
}
