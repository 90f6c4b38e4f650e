#include "migrate/postfix.h"
#include "base/units.h"
#include <string.h>

#define JUMPS_MAX        10000
#define LENGTH_BYTES_MAX 5

enum segment { ENVELOPE, CONTENT, EXTRACTED };

struct state {
	struct found *found;
	struct bytes file;
	size_t at;
	enum segment segment;
	struct bytes original; /* of the recipient to come */
	uint8_t notify;
	int jumps;
	bool is_ended, is_in_line;
};

/* False at the end of the file, or where there is no record. */
static bool next_record(struct state *state, char *type_out, struct bytes *data_out)
{
	struct bytes rest = bytes_from(state->file, state->at);
	size_t length = 0, used = 1;

	if (rest.len < 2)
		return false;
	for (int i = 0; i < LENGTH_BYTES_MAX; i++) {
		unsigned char byte = used < rest.len ? (unsigned char)rest.at[used++] : 0;

		length |= (size_t)(byte & 0x7f) << (7 * i);
		if (!(byte & 0x80))
			break;
	}
	if (length > rest.len - used)
		return false;
	*type_out = rest.at[0];
	*data_out = bytes_first(bytes_from(rest, used), length);
	state->at += used + length;
	return true;
}

static bool is_name(struct bytes *data, const char *name)
{
	size_t length = strlen(name);

	if (data->len <= length || !bytes_starts_with(*data, bytes_of(name)) ||
	    data->at[length] != '=')
		return false;
	*data = bytes_from(*data, length + 1);
	return true;
}

static void take_attribute(struct state *state, struct bytes data)
{
	struct message *message = state->found->message;
	uint64_t number;

	if (is_name(&data, "dsn_orig_rcpt"))
		state->original = data;
	else if (is_name(&data, "notify_flags") && bytes_parse_u64(data, &number))
		/* never 1, success 2, failure 4, delay 8: as ours */
		state->notify = number < 16 ? (uint8_t)number : 0;
	else if (is_name(&data, "ret_flags") && bytes_parse_u64(data, &number) && number <= 2)
		message->dsn_return = (enum dsn_return)number;
	else if (is_name(&data, "envelope_id"))
		message->envelope_id = arena_copy(message->arena, data);
}

static int take_recipient(struct state *state, struct bytes address, struct err *err)
{
	struct recipient_address *recipient = found_add_recipient(state->found, address);

	if (!recipient)
		return err_set(err, ERR_INVALID, "\"%.*s\" is no recipient",
		               (int)MIN(address.len, (size_t)100), address.at);
	recipient->notify = state->notify;
	recipient->original = arena_copy(state->found->message->arena, state->original);
	state->notify = 0;
	state->original = bytes_of(NULL);
	return 0;
}

/* An arrival of "1795495266 608879". */
static void take_time(struct state *state, struct bytes data)
{
	uint64_t seconds;

	if (bytes_parse_u64(bytes_split(&data, ' '), &seconds) &&
	    seconds < INT64_MAX / US_PER_SECOND)
		state->found->message->arrived_us = (int64_t)seconds * US_PER_SECOND;
}

/* 0 points nowhere: there was room left for a change that did not come. */
static int follow(struct state *state, struct bytes data, struct err *err)
{
	uint64_t at;

	if (!bytes_parse_u64(bytes_trim(data), &at) || at > state->file.len ||
	    ++state->jumps > JUMPS_MAX)
		return err_set(err, ERR_INVALID, "a pointer in it leads nowhere");
	if (at > 0)
		state->at = at;
	return 0;
}

static int take_envelope(struct state *state, char type, struct bytes data, struct err *err)
{
	switch (type) {
	case 'T':
		take_time(state, data);
		return 0;
	case 'S':
		if (!found_set_sender(state->found, data))
			return err_set(err, ERR_INVALID, "its sender is no address");
		return 0;
	case 'A':
		take_attribute(state, data);
		return 0;
	case 'R':
		return take_recipient(state, data, err);
	case 'D': /* done, or dropped: what was said of it is not for the next one */
	case '/':
		state->notify = 0;
		state->original = bytes_of(NULL);
		return 0;
	case 'M':
		state->segment = CONTENT;
		return 0;
	default:
		return 0;
	}
}

static int take(struct state *state, char type, struct bytes data, struct err *err)
{
	if (type == 'p')
		return follow(state, data, err);
	if (type == 'E')
		state->is_ended = true;
	if (state->segment != CONTENT)
		return take_envelope(state, type, data, err);
	if (type == 'X') {
		state->segment = EXTRACTED;
	} else if (type == 'N') {
		found_add_line(state->found, data);
		state->is_in_line = false;
	} else if (type == 'L') {
		buffer_append(&state->found->content, data);
		state->is_in_line = true;
	}
	return 0;
}

int postfix_parse(struct bytes file, struct found *found, struct err *err)
{
	struct state state = { .found = found, .file = file };
	struct bytes data;
	char type;

	while (!state.is_ended && !found->content.is_over && next_record(&state, &type, &data)) {
		int result = take(&state, type, data, err);

		if (result < 0)
			return result;
	}
	if (!state.is_ended && !found->content.is_over)
		return err_set(err, ERR_INVALID, "it is cut off, or no queue file");
	if (state.is_in_line)
		found_add_line(found, bytes_of(NULL));
	return found_finish(found, err);
}
