#include "queue/state.h"
#include "queue/recipient.h"

#define STATE_VERSION       2
#define STATE_WITHOUT_CAUSE 1 /* said nothing more of recipients that are over */

/* What of the flags outlives a restart. A delay notice that is being made is asked for again. */
#define KEPT_FLAGS (RECIPIENT_DELAY_DONE | RECIPIENT_OWES_NOTICE | RECIPIENT_BY_OPERATOR)

static void put_tally(struct buffer *out, const struct tally *tally)
{
	uint32_t ticks[CAUSE_COUNT];
	uint8_t count = 0;

	tally_spread(tally, ticks);
	for (int cause = 0; cause < CAUSE_COUNT; cause++)
		count = (uint8_t)(count + (ticks[cause] > 0));
	buffer_put_u8(out, count);
	for (int cause = 0; cause < CAUSE_COUNT; cause++) {
		if (ticks[cause] == 0)
			continue;
		buffer_put_u8(out, (uint8_t)cause);
		buffer_put_u32(out, ticks[cause]);
	}
}

/* An attempt under way is lost with the process; what the DNS refused is asked again. */
static enum recipient_state state_to_keep(const struct recipient *recipient)
{
	if (recipient->state == RECIPIENT_DELIVERING || (recipient->flags & RECIPIENT_BY_ROUTE))
		return RECIPIENT_QUEUED;
	return (enum recipient_state)recipient->state;
}

static void put_recipient(const struct queue *queue, const struct recipient *recipient,
                          struct buffer *out)
{
	enum recipient_state state = state_to_keep(recipient);
	uint16_t flags = recipient->flags & KEPT_FLAGS;
	bool is_over = recipient_is_final(recipient) &&
	               (state == RECIPIENT_DELIVERED || !(flags & RECIPIENT_OWES_NOTICE));
	bool has_next = !recipient_is_ready(recipient) || (recipient->flags & RECIPIENT_IS_MANUAL);
	struct tally tally;

	buffer_put_u8(out, (uint8_t)(is_over ? recipient->state : state));
	buffer_put_u8(out, is_over);
	if (is_over) {
		buffer_put_u8(out, recipient->cause);
		buffer_put_u32(out, recipient->since);
		return;
	}
	if (state == RECIPIENT_QUEUED)
		flags &= (uint16_t)~RECIPIENT_OWES_NOTICE;
	buffer_put_u8(out, recipient->cause);
	buffer_put_u16(out, flags);
	buffer_put_u16(out, recipient->attempts);
	buffer_put_u16(out, recipient->step);
	buffer_put_u32(out, (uint32_t)recipient->extension);
	buffer_put_u32(out, recipient->since);
	buffer_put_u32(out, has_next ? recipient->next : 0);
	tally = recipient_tally(queue, recipient);
	put_tally(out, &tally);
	tally_deinit(&tally);
}

void state_encode(const struct queue *queue, const struct entry *entry, struct buffer *out)
{
	buffer_put_u8(out, STATE_VERSION);
	buffer_put_u16(out, entry->recipient_count);
	for (uint32_t i = 0; i < entry->recipient_count; i++)
		put_recipient(queue, entry_recipient((struct entry *)(uintptr_t)entry, i), out);
}

static bool read_tally(struct reader *in, struct tally *tally)
{
	uint8_t count = reader_u8(in);
	uint64_t sum = 0;
	int before = -1;

	for (uint8_t i = 0; i < count && !in->is_short; i++) {
		uint8_t cause = reader_u8(in);
		uint32_t ticks = reader_u32(in);

		sum += ticks;
		if (cause >= CAUSE_COUNT || cause <= before || sum > UINT32_MAX)
			return false;
		before = cause;
		tally_add(tally, (enum cause)cause, ticks);
	}
	return !in->is_short;
}

static bool is_legal(const struct recipient *recipient, bool is_over)
{
	bool owes = (recipient->flags & RECIPIENT_OWES_NOTICE) != 0;

	if (recipient->state >= RECIPIENT_STATES || recipient->state == RECIPIENT_DELIVERING)
		return false;
	if (recipient->cause >= CAUSE_COUNT)
		return false;
	if (is_over)
		return recipient_is_final(recipient);
	if ((recipient->flags & ~KEPT_FLAGS))
		return false;
	if (owes)
		return recipient->state == RECIPIENT_FAILED ||
		       recipient->state == RECIPIENT_EXPIRED;
	return !recipient_is_final(recipient);
}

static bool read_recipient(struct reader *in, uint8_t version, struct recipient *recipient)
{
	uint8_t is_over;

	recipient->state = reader_u8(in);
	is_over = reader_u8(in);
	if (is_over && version != STATE_WITHOUT_CAUSE) {
		recipient->cause = reader_u8(in);
		recipient->since = reader_u32(in);
	}
	if (!is_over) {
		recipient->cause = reader_u8(in);
		recipient->flags = reader_u16(in);
		recipient->attempts = reader_u16(in);
		recipient->step = reader_u16(in);
		recipient->extension = (int32_t)reader_u32(in);
		recipient->since = reader_u32(in);
		recipient->next = reader_u32(in);
		if (!read_tally(in, &recipient->tally))
			return false;
	}
	return !in->is_short && is_over <= 1 && is_legal(recipient, is_over);
}

/* Reads all of it into `entry`, or, if that is NULL, only checks it. */
static bool read_all(struct bytes bytes, uint16_t recipient_count, struct entry *entry)
{
	struct reader in = { .in = bytes };
	uint8_t version = reader_u8(&in);

	if ((version != STATE_VERSION && version != STATE_WITHOUT_CAUSE) ||
	    reader_u16(&in) != recipient_count)
		return false;
	for (uint16_t i = 0; i < recipient_count; i++) {
		struct recipient scratch = { 0 };
		bool is_good = read_recipient(&in, version,
		                              entry ? entry_recipient(entry, i) : &scratch);

		tally_deinit(&scratch.tally);
		if (!is_good)
			return false;
	}
	return in.in.len == 0;
}

bool state_decode(struct bytes in, struct entry *entry)
{
	return read_all(in, entry->recipient_count, NULL) &&
	       read_all(in, entry->recipient_count, entry);
}

bool state_read_final(struct bytes bytes, uint32_t recipient_count,
                      struct final_recipient *recipients_out)
{
	struct reader in = { .in = bytes };
	uint8_t version = reader_u8(&in);

	if (version != STATE_VERSION || reader_u16(&in) != recipient_count)
		return false;
	for (uint32_t i = 0; i < recipient_count; i++) {
		struct recipient recipient = { 0 };

		if (!read_recipient(&in, version, &recipient) || !recipient_is_final(&recipient) ||
		    (recipient.flags & RECIPIENT_OWES_NOTICE)) {
			tally_deinit(&recipient.tally);
			return false;
		}
		recipients_out[i] = (struct final_recipient){ (enum recipient_state)recipient.state,
			                                      (enum cause)recipient.cause,
			                                      (int64_t)recipient.since * TICK_US };
	}
	return in.in.len == 0;
}
