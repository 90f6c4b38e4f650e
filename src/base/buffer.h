/* base/buffer.h - a growing run of bytes that somebody owns. Zero is a valid empty buffer.
 * `limit` (0: none) caps what may be put in: beyond it appends do nothing and `is_over` is set, so
 * that a writer checks once at the end. */
#pragma once
#include "base/bytes.h"
#include "base/macros.h"
#include <stdarg.h>

struct buffer {
	char *at;
	size_t len, capacity, limit;
	bool is_over;
};

void buffer_deinit(struct buffer *buffer); /* frees; the buffer is empty and usable again */
void buffer_clear(struct buffer *buffer);  /* length 0; keeps the memory */
char *buffer_reserve(struct buffer *buffer,
                     size_t more); /* room for `more` bytes behind len; NULL over the limit */
void buffer_append(struct buffer *buffer, struct bytes data);
void buffer_append_text(struct buffer *buffer, const char *text);
void buffer_append_char(struct buffer *buffer, char c);
void buffer_printf(struct buffer *buffer, const char *format, ...) PRINTF_LIKE(2, 3);
void buffer_vprintf(struct buffer *buffer, const char *format, va_list args);
void buffer_consume(struct buffer *buffer, size_t count); /* drops bytes from the front */
struct bytes buffer_bytes(const struct buffer *buffer); /* borrowed; valid until the next change */

/* Fixed-width little-endian integers, for what goes to disk. */
void buffer_put_u8(struct buffer *buffer, uint8_t value);
void buffer_put_u16(struct buffer *buffer, uint16_t value);
void buffer_put_u32(struct buffer *buffer, uint32_t value);
void buffer_put_u64(struct buffer *buffer, uint64_t value);
void buffer_put_bytes(struct buffer *buffer, struct bytes data); /* u32 length, then the bytes */

/* struct reader - takes such values from the front of `in`. After running short every further value
 * is 0 or empty and `is_short` stays set: read everything, check once. */
struct reader {
	struct bytes in;
	bool is_short;
};

uint8_t reader_u8(struct reader *reader);
uint16_t reader_u16(struct reader *reader);
uint32_t reader_u32(struct reader *reader);
uint64_t reader_u64(struct reader *reader);
struct bytes reader_bytes(struct reader *reader); /* borrowed from the input */
