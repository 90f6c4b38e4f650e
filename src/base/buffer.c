#include "base/buffer.h"
#include "base/alloc.h"
#include <endian.h>
#include <stdio.h>
#include <string.h>

void buffer_deinit(struct buffer *buffer)
{
	alloc_free(buffer->at);
	*buffer = (struct buffer){ .limit = buffer->limit };
}

void buffer_clear(struct buffer *buffer)
{
	buffer->len = 0;
	buffer->is_over = false;
}

static void grow(struct buffer *buffer, size_t need)
{
	size_t capacity = buffer->capacity ? buffer->capacity * 2 : 64;

	if (capacity < need)
		capacity = need;
	buffer->at = alloc_resize(buffer->at, capacity, 1);
	buffer->capacity = capacity;
}

char *buffer_reserve(struct buffer *buffer, size_t more)
{
	size_t need;

	if (__builtin_add_overflow(buffer->len, more, &need) ||
	    (buffer->limit > 0 && need > buffer->limit)) {
		buffer->is_over = true;
		return NULL;
	}
	if (need > buffer->capacity || !buffer->at)
		grow(buffer, need);
	return buffer->at + buffer->len;
}

void buffer_append(struct buffer *buffer, struct bytes data)
{
	char *place;

	if (data.len == 0)
		return;
	place = buffer_reserve(buffer, data.len);
	if (!place)
		return;
	memcpy(place, data.at, data.len);
	buffer->len += data.len;
}

void buffer_append_text(struct buffer *buffer, const char *text)
{
	buffer_append(buffer, bytes_of(text));
}

void buffer_append_char(struct buffer *buffer, char c)
{
	buffer_append(buffer, (struct bytes){ &c, 1 });
}

void buffer_printf(struct buffer *buffer, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	buffer_vprintf(buffer, format, args);
	va_end(args);
}

/* vsnprintf also writes a NUL, which may lie beyond the limit: so it prints where there is room for
 * one more byte, and the text counts only if the limit allows it. */
void buffer_vprintf(struct buffer *buffer, const char *format, va_list args)
{
	va_list again;
	size_t room;
	int len;

	va_copy(again, args);
	room = buffer->capacity - buffer->len;
	len = vsnprintf(room ? buffer->at + buffer->len : NULL, room, format, again);
	va_end(again);
	if (len < 0 || !buffer_reserve(buffer, (size_t)len))
		return;
	if ((size_t)len >= room) {
		if (buffer->capacity - buffer->len <= (size_t)len)
			grow(buffer, buffer->len + (size_t)len + 1);
		vsnprintf(buffer->at + buffer->len, (size_t)len + 1, format, args);
	}
	buffer->len += (size_t)len;
}

void buffer_consume(struct buffer *buffer, size_t count)
{
	if (count >= buffer->len) {
		buffer->len = 0;
		return;
	}
	buffer->len -= count;
	memmove(buffer->at, buffer->at + count, buffer->len);
}

struct bytes buffer_bytes(const struct buffer *buffer)
{
	return (struct bytes){ buffer->at, buffer->len };
}

static void put_little_endian(struct buffer *buffer, uint64_t value, size_t width)
{
	char *place = buffer_reserve(buffer, width);

	if (!place)
		return;
	value = htole64(value); /* the low bytes come first */
	memcpy(place, &value, width);
	buffer->len += width;
}

void buffer_put_u8(struct buffer *buffer, uint8_t value)
{
	put_little_endian(buffer, value, 1);
}

void buffer_put_u16(struct buffer *buffer, uint16_t value)
{
	put_little_endian(buffer, value, 2);
}

void buffer_put_u32(struct buffer *buffer, uint32_t value)
{
	put_little_endian(buffer, value, 4);
}

void buffer_put_u64(struct buffer *buffer, uint64_t value)
{
	put_little_endian(buffer, value, 8);
}

void buffer_put_bytes(struct buffer *buffer, struct bytes data)
{
	if (data.len > UINT32_MAX || !buffer_reserve(buffer, 4 + data.len)) {
		buffer->is_over = true;
		return;
	}
	buffer_put_u32(buffer, (uint32_t)data.len);
	buffer_append(buffer, data);
}

static struct bytes take(struct reader *reader, size_t count)
{
	struct bytes taken = bytes_first(reader->in, count);

	if (reader->is_short || count > reader->in.len) {
		reader->is_short = true;
		return (struct bytes){ NULL, 0 };
	}
	reader->in = bytes_from(reader->in, count);
	return taken;
}

static uint64_t take_little_endian(struct reader *reader, size_t width)
{
	struct bytes taken = take(reader, width);
	uint64_t value = 0;

	for (size_t i = taken.len; i > 0; i--)
		value = value << 8 | (unsigned char)taken.at[i - 1];
	return value;
}

uint8_t reader_u8(struct reader *reader)
{
	return (uint8_t)take_little_endian(reader, 1);
}

uint16_t reader_u16(struct reader *reader)
{
	return (uint16_t)take_little_endian(reader, 2);
}

uint32_t reader_u32(struct reader *reader)
{
	return (uint32_t)take_little_endian(reader, 4);
}

uint64_t reader_u64(struct reader *reader)
{
	return take_little_endian(reader, 8);
}

struct bytes reader_bytes(struct reader *reader)
{
	return take(reader, reader_u32(reader));
}
