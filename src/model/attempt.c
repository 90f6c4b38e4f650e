#include "model/attempt.h"
#include "base/alloc.h"
#include "model/message.h"
#include <stdio.h>
#include <string.h>

#define HISTORY_VERSION    2
#define HISTORY_BEFORE_TLS 1
#define HISTORY_MAX        (HISTORY_FIRST + HISTORY_LAST)

void history_deinit(struct history *history)
{
	alloc_free(history->attempts);
	*history = (struct history){ 0 };
}

/* The index of the recipient's newest attempt among the first `count`; -1: none. */
static int64_t find_last(const struct history *history, uint32_t recipient)
{
	for (int64_t i = (int64_t)history->count - 1; i >= 0; i--)
		if (history->attempts[i].recipient == recipient)
			return i;
	return -1;
}

/* Drops the oldest attempt of the middle that a later one of the same recipient has replaced. */
static void drop_one(struct history *history)
{
	for (uint32_t i = HISTORY_FIRST; i < history->count; i++) {
		struct attempt *attempt = &history->attempts[i];

		if (!attempt->is_replaced)
			continue;
		memmove(attempt, attempt + 1, (history->count - i - 1) * sizeof *attempt);
		history->count--;
		history->dropped++;
		return;
	}
}

void history_add(struct history *history, const struct attempt *attempt)
{
	int64_t before = find_last(history, attempt->recipient);

	if (before >= 0)
		history->attempts[before].is_replaced = true;
	if (history->count >= HISTORY_MAX)
		drop_one(history);
	history->attempts = alloc_resize(history->attempts, history->count + 1, sizeof *attempt);
	history->attempts[history->count] = *attempt;
	history->attempts[history->count++].is_replaced = false;
}

const struct attempt *history_last(const struct history *history, uint32_t recipient)
{
	int64_t last = find_last(history, recipient);

	return last < 0 ? NULL : &history->attempts[last];
}

static void encode_attempt(const struct attempt *attempt, struct buffer *out)
{
	const struct outcome *outcome = &attempt->outcome;

	buffer_put_u64(out, (uint64_t)attempt->at_us);
	buffer_put_u32(out, attempt->recipient);
	buffer_put_u8(out, (uint8_t)outcome->result);
	buffer_put_u8(out, (uint8_t)outcome->cause);
	buffer_put_u8(out, (uint8_t)outcome->scope);
	buffer_put_u8(out, (uint8_t)outcome->phase);
	buffer_put_u16(out, (uint16_t)outcome->code);
	buffer_put_u16(out, (uint16_t)outcome->class);
	buffer_put_u16(out, (uint16_t)outcome->subject);
	buffer_put_u16(out, (uint16_t)outcome->detail);
	buffer_put_u32(out, (uint32_t)outcome->hint_s);
	buffer_put_u8(out, outcome->is_duplicate_possible);
	buffer_put_u32(out, (uint32_t)outcome->duration_ms);
	buffer_put_bytes(out, bytes_of(outcome->host));
	buffer_put_bytes(out, bytes_of(outcome->address));
	buffer_put_bytes(out, bytes_of(outcome->text));
	buffer_put_bytes(out, bytes_of(outcome->tls));
	buffer_put_u8(out, outcome->is_verified);
}

void history_encode(const struct history *history, struct buffer *out)
{
	buffer_put_u8(out, HISTORY_VERSION);
	buffer_put_u32(out, history->dropped);
	buffer_put_u32(out, history->count);
	for (uint32_t i = 0; i < history->count; i++)
		encode_attempt(&history->attempts[i], out);
}

static void copy_text(struct bytes from, char *to, size_t size)
{
	snprintf(to, size, "%.*s", BYTES_FORMAT(from));
}

/* False if a value is none that encode_attempt could have written. */
static bool decode_attempt(struct reader *reader, uint8_t version, struct attempt *attempt)
{
	struct outcome *outcome = &attempt->outcome;

	attempt->at_us = (int64_t)reader_u64(reader);
	attempt->recipient = reader_u32(reader);
	outcome->result = reader_u8(reader);
	outcome->cause = reader_u8(reader);
	outcome->scope = reader_u8(reader);
	outcome->phase = reader_u8(reader);
	outcome->code = reader_u16(reader);
	outcome->class = reader_u16(reader);
	outcome->subject = reader_u16(reader);
	outcome->detail = reader_u16(reader);
	outcome->hint_s = (int)reader_u32(reader);
	outcome->is_duplicate_possible = reader_u8(reader) != 0;
	outcome->duration_ms = (int32_t)reader_u32(reader);
	copy_text(reader_bytes(reader), outcome->host, sizeof outcome->host);
	copy_text(reader_bytes(reader), outcome->address, sizeof outcome->address);
	copy_text(reader_bytes(reader), outcome->text, sizeof outcome->text);
	if (version > HISTORY_BEFORE_TLS) {
		copy_text(reader_bytes(reader), outcome->tls, sizeof outcome->tls);
		outcome->is_verified = reader_u8(reader) != 0;
	}
	return !reader->is_short && outcome->result <= RESULT_FAILED &&
	       outcome->cause < CAUSE_COUNT && outcome->scope <= SCOPE_SITE &&
	       outcome->phase < PHASE_COUNT && outcome->hint_s >= 0;
}

int history_decode(struct bytes in, struct history *history_out, struct err *err)
{
	struct reader reader = { .in = in };
	struct history history = { 0 };
	uint8_t version;
	uint32_t count;

	*history_out = history;
	if (in.len == 0)
		return 0;
	version = reader_u8(&reader);
	if (version != HISTORY_VERSION && version != HISTORY_BEFORE_TLS)
		return err_set(err, ERR_CORRUPT, "history has an unknown version");
	history.dropped = reader_u32(&reader);
	count = reader_u32(&reader);
	if (reader.is_short || count > HISTORY_MAX + MESSAGE_RECIPIENTS_MAX)
		return err_set(err, ERR_CORRUPT, "history is cut short, or has too many attempts");
	for (uint32_t i = 0; i < count; i++) {
		struct attempt attempt = { 0 };

		if (!decode_attempt(&reader, version, &attempt)) {
			history_deinit(&history);
			return err_set(err, ERR_CORRUPT, "attempt %u of the history is damaged", i);
		}
		history_add(&history, &attempt);
	}
	*history_out = history;
	return 0;
}
