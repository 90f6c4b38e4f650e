#include "migrate/opensmtpd.h"
#include "base/units.h"
#include <string.h>

#define GZIP_MAGIC "\x1f\x8b"

static bool find(struct bytes text, const char *key, struct bytes *value_out)
{
	while (text.len > 0) {
		struct bytes value = bytes_split(&text, '\n'), name = bytes_split(&value, ':');

		if (value.at && bytes_equal(name, bytes_of(key))) {
			*value_out = bytes_trim(value);
			return true;
		}
	}
	return false;
}

static uint64_t number_of(struct bytes text, const char *key, uint64_t limit)
{
	struct bytes value;
	uint64_t number;

	return find(text, key, &value) && bytes_parse_u64(value, &number) && number < limit ? number
	                                                                                    : 0;
}

/* What is the same in every file of a message. */
static int take_common(struct bytes envelope, struct found *found, struct err *err)
{
	struct message *message = found->message;
	struct bytes sender, value;

	if (!find(envelope, "sender", &sender) || !found_set_sender(found, sender))
		return err_set(err, ERR_INVALID, "its sender is no address");
	message->arrived_us = (int64_t)number_of(envelope, "ctime", INT64_MAX / US_PER_SECOND) *
	                      US_PER_SECOND;
	found->attempts = 0;
	if (find(envelope, "dsn-envid", &value))
		message->envelope_id = arena_copy(message->arena, value);
	if (find(envelope, "dsn-ret", &value))
		message->dsn_return = bytes_equal(value, BYTES_LITERAL("FULL")) ? RETURN_FULL
		                                                                : RETURN_HEADERS;
	return 0;
}

int opensmtpd_add(struct bytes envelope, struct found *found, struct err *err)
{
	struct recipient_address *recipient;
	struct bytes type, address;
	int attempts = (int)number_of(envelope, "retry", 100000);

	if (!find(envelope, "version", &type))
		return err_set(err, ERR_INVALID, "it is no envelope of OpenSMTPD");
	if (find(envelope, "type", &type) && !bytes_equal(type, BYTES_LITERAL("mta")))
		return err_set(err, ERR_INVALID, "its delivery is of type %.*s, not to be relayed",
		               (int)MIN(type.len, (size_t)20), type.at);
	if (found->message->recipient_count == 0 && take_common(envelope, found, err) < 0)
		return ERR_INVALID;
	if (!find(envelope, "dest", &address) || !(recipient = found_add_recipient(found, address)))
		return err_set(err, ERR_INVALID, "its recipient is no address");
	/* success 1, failure 2, delay 4, never 8 */
	switch (number_of(envelope, "dsn-notify", 16)) {
	case 8:
		recipient->notify = NOTIFY_NEVER;
		break;
	default:
		recipient->notify = (uint8_t)(number_of(envelope, "dsn-notify", 8) << 1);
	}
	found->attempts = MAX(found->attempts, attempts);
	return 0;
}

int opensmtpd_finish(struct bytes content, struct found *found, struct err *err)
{
	if (bytes_starts_with(content, BYTES_LITERAL(GZIP_MAGIC)))
		return err_set(err, ERR_INVALID, "its content is compressed");
	found_add_lines(found, content);
	return found_finish(found, err);
}
