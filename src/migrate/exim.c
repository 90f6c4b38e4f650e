#include "migrate/exim.h"
#include "base/hash.h"
#include "base/units.h"
#include <string.h>

#define RECIPIENTS_MAX 100000 /* lines to look at */

/* struct done - addresses that have their mail already. */
struct done {
	struct hash_node by_address;
	struct bytes address;
};

struct state {
	struct found *found;
	struct bytes rest;
	struct hash done;
};

static bool next_line(struct state *state, struct bytes *line_out)
{
	if (state->rest.len == 0)
		return false;
	*line_out = bytes_split(&state->rest, '\n');
	return true;
}

/* The address at the front: up to a blank outside quotes. */
static struct bytes address_of(struct bytes line)
{
	bool is_quoted = false;

	for (size_t i = 0; i < line.len; i++) {
		if (line.at[i] == '\\')
			i++;
		else if (line.at[i] == '"')
			is_quoted = !is_quoted;
		else if (line.at[i] == ' ' && !is_quoted)
			return bytes_first(line, i);
	}
	return line;
}

static void add_done(struct state *state, struct bytes address)
{
	struct done *done = arena_alloc(state->found->message->arena, sizeof *done);

	done->address = address;
	hash_insert(&state->done, &done->by_address, bytes_hash_nocase(address, 0));
}

static bool is_done(const struct state *state, struct bytes address)
{
	uint64_t hash = bytes_hash_nocase(address, 0);

	for (struct hash_node *node = hash_first(&state->done, hash); node; node = hash_next(node))
		if (bytes_equal_nocase(CONTAINER_OF(node, struct done, by_address)->address,
		                       address))
			return true;
	return false;
}

/* "YN a@x": an address, whether its node has a left and a right child, which follow; "XX": none. */
static bool take_done(struct state *state, struct bytes line)
{
	int64_t open = 1;

	if (bytes_equal(line, BYTES_LITERAL("XX")))
		return true;
	for (;;) {
		if (line.len < 4 || !strchr("YN", line.at[0]) || !strchr("YN", line.at[1]) ||
		    line.at[2] != ' ')
			return false;
		add_done(state, bytes_from(line, 3));
		open += (line.at[0] == 'Y') + (line.at[1] == 'Y') - 1;
		if (open == 0)
			return true;
		if (!next_line(state, &line))
			return false;
	}
}

/* Name, user, <sender>, "time warnings". */
static int take_envelope(struct state *state, struct err *err)
{
	struct bytes name, user, sender, times;
	uint64_t seconds;

	if (!next_line(state, &name) || name.len < 3 ||
	    !bytes_equal(bytes_from(name, name.len - 2), BYTES_LITERAL("-H")))
		return err_set(err, ERR_INVALID, "it is no header file of Exim");
	if (!next_line(state, &user) || !next_line(state, &sender) || !next_line(state, &times))
		return err_set(err, ERR_INVALID, "it is cut off");
	if (sender.len < 2 || sender.at[0] != '<' || sender.at[sender.len - 1] != '>' ||
	    !found_set_sender(state->found, bytes_first(bytes_from(sender, 1), sender.len - 2)))
		return err_set(err, ERR_INVALID, "its sender is no address");
	if (!bytes_parse_u64(bytes_split(&times, ' '), &seconds) ||
	    seconds >= INT64_MAX / US_PER_SECOND)
		return err_set(err, ERR_INVALID, "its time of arrival is malformed");
	state->found->message->arrived_us = (int64_t)seconds * US_PER_SECOND;
	return 0;
}

/* The lines that begin with "-", up to those who are done. */
static int take_variables(struct state *state, struct err *err)
{
	struct bytes line;

	while (next_line(state, &line)) {
		if (bytes_equal(line, BYTES_LITERAL("-spool_file_wireformat")))
			return err_set(err, ERR_INVALID, "spool_wireformat is not understood");
		if (bytes_equal(line, BYTES_LITERAL("-frozen")) ||
		    bytes_starts_with(line, BYTES_LITERAL("-frozen ")))
			return err_set(err, ERR_INVALID, "it is frozen");
		if (line.len > 0 && line.at[0] == '-')
			continue;
		if (line.len >= 2 && strchr("XYN", line.at[0]) && strchr("XYN", line.at[1]))
			return take_done(state, line)
			               ? 0
			               : err_set(err, ERR_INVALID,
			                         "its list of deliveries is malformed");
		/* further lines of a variable with a value of several */
	}
	return err_set(err, ERR_INVALID, "it is cut off");
}

static int take_recipients(struct state *state, struct err *err)
{
	struct bytes line;
	uint64_t count;

	if (!next_line(state, &line) || !bytes_parse_u64(line, &count) || count > RECIPIENTS_MAX)
		return err_set(err, ERR_INVALID, "its number of recipients is malformed");
	for (; count > 0; count--) {
		struct bytes address;

		if (!next_line(state, &line))
			return err_set(err, ERR_INVALID, "it is cut off");
		address = address_of(line);
		if (!is_done(state, address) && !found_add_recipient(state->found, address))
			return err_set(err, ERR_INVALID, "\"%.*s\" is no recipient",
			               (int)MIN(address.len, (size_t)100), address.at);
	}
	return 0;
}

/* "016T To: b@far.test": length, kind, the field. Kind * was rewritten or removed. */
static int take_fields(struct state *state, struct err *err)
{
	struct bytes line;

	if (!next_line(state, &line) || line.len > 0)
		return err_set(err, ERR_INVALID, "it has no empty line behind its recipients");
	while (state->rest.len > 0) {
		size_t digits = 0, length = 0;
		char kind;

		while (digits < state->rest.len && digits < 8 && state->rest.at[digits] >= '0' &&
		       state->rest.at[digits] <= '9')
			length = 10 * length + (size_t)(state->rest.at[digits++] - '0');
		if (digits < 3 || length > state->rest.len ||
		    digits + 2 + length > state->rest.len || state->rest.at[digits + 1] != ' ')
			return err_set(err, ERR_INVALID, "a header field is malformed");
		kind = state->rest.at[digits];
		state->rest = bytes_from(state->rest, digits + 2);
		if (kind != '*')
			found_add_lines(state->found, bytes_first(state->rest, length));
		state->rest = bytes_from(state->rest, length);
	}
	found_add_line(state->found, bytes_of(NULL));
	return 0;
}

int exim_parse(struct bytes head, struct bytes body, struct found *found, struct err *err)
{
	struct state state = { .found = found, .rest = head };
	int result = take_envelope(&state, err);

	if (result == 0)
		result = take_variables(&state, err);
	if (result == 0)
		result = take_recipients(&state, err);
	if (result == 0)
		result = take_fields(&state, err);
	hash_deinit(&state.done);
	if (result < 0)
		return result;
	bytes_split(&body, '\n'); /* the file's name */
	found_add_lines(found, body);
	return found_finish(found, err);
}
