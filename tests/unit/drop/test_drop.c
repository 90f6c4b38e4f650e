/* A file of the drop folder, which any user of the machine may have written. */
#include "drop/drop.h"
#include "support/check.h"

#define NOW_US  1700000000000000
#define CONTENT "Subject: a\r\n\r\nhello\r\n"

static const struct config_receive limits = {
	.message_size_bytes = 1000, .recipients_per_message = 2, .header_bytes = 100, .hops = 2
};

static struct message *make(const char *sender, const char *recipient, struct bytes content)
{
	struct message *message = message_create();

	message->sender = bytes_of(sender);
	message->recipients = arena_alloc(message->arena, 3 * sizeof *message->recipients);
	for (int i = 0; i < 3; i++)
		message->recipients[i].address = bytes_of(recipient);
	message->recipient_count = 1;
	message->arrived_us = NOW_US - 5;
	message->body.data = content;
	return message;
}

static int read_back(const struct message *message, struct message **message_out)
{
	struct buffer file = { 0 };
	int result;

	drop_encode(message, &file);
	result = drop_decode(buffer_bytes(&file), &limits, NOW_US, message_out, NULL);
	buffer_deinit(&file);
	return result;
}

static void test_read_back(void)
{
	struct message *message = make("a@x.test", "b@x.test", bytes_of(CONTENT)), *read;

	message->recipients[0].notify = NOTIFY_SUCCESS | NOTIFY_FAILURE;
	message->dsn_return = RETURN_HEADERS;
	message->envelope_id = bytes_of("id7");
	CHECK_INT("read", read_back(message, &read), 0);
	CHECK_BYTES("sender", read->sender, bytes_of("a@x.test"));
	CHECK_BYTES("recipient", read->recipients[0].address, bytes_of("b@x.test"));
	CHECK_INT("notify", read->recipients[0].notify, NOTIFY_SUCCESS | NOTIFY_FAILURE);
	CHECK_BYTES("envelope id", read->envelope_id, bytes_of("id7"));
	CHECK_BYTES("content", read->body.data, bytes_of(CONTENT));
	CHECK_INT("arrived", read->arrived_us, NOW_US - 5);
	message_release(read);
	message_release(message);
}

/* What only the relay may say counts for nothing. */
static void test_is_not_believed(void)
{
	struct message *message = make("", "b@x.test", bytes_of(CONTENT)), *read;

	message->flags = MESSAGE_IS_NOTICE | MESSAGE_IS_AUTOMATIC | MESSAGE_SMTPUTF8;
	message->client = bytes_of("trusted [192.0.2.1]");
	message->arrived_us = NOW_US + 1;
	message->deliver_by_us = 1;
	message->release_us = NOW_US * 2;
	message->priority = 9;
	CHECK_INT("read", read_back(message, &read), 0);
	CHECK_INT("flags", read->flags, MESSAGE_SMTPUTF8);
	CHECK_INT("client", read->client.len, 0);
	CHECK_INT("arrived", read->arrived_us, NOW_US);
	CHECK_TRUE("times", read->deliver_by_us == 0 && read->release_us == 0);
	CHECK_INT("priority", read->priority, 0);
	message_release(read);
	message_release(message);
}

static const struct {
	const char *name, *sender, *recipient, *content;
	uint32_t recipient_count;
	int result;
} rows[] = {
	{ "good", "a@x.test", "b@x.test", CONTENT, 1, 0 },
	{ "the null sender", "", "b@x.test", CONTENT, 1, 0 },
	{ "no recipients", "a@x.test", "b@x.test", CONTENT, 0, ERR_INVALID },
	{ "too many recipients", "a@x.test", "b@x.test", CONTENT, 3, ERR_TOO_LONG },
	{ "sender without domain", "a", "b@x.test", CONTENT, 1, ERR_INVALID },
	{ "recipient without domain", "a@x.test", "postmaster", CONTENT, 1, ERR_INVALID },
	{ "a command in an address", "a@x.test", "b@x.test>\r\nDATA", CONTENT, 1, ERR_INVALID },
	{ "a domain in capitals", "a@x.test", "b@X.test", CONTENT, 1, ERR_INVALID },
	{ "a bare LF", "a@x.test", "b@x.test", "Subject: a\r\n\r\nb\n.\nc\r\n", 1, ERR_INVALID },
	{ "a bare CR", "a@x.test", "b@x.test", "Subject: a\r\n\r\nb\rc\r\n", 1, ERR_INVALID },
	{ "a loop", "a@x.test", "b@x.test", "Received: 1\r\nReceived: 2\r\nReceived: 3\r\n\r\n", 1,
	  ERR_INVALID },
	{ "many fields", "a@x.test", "b@x.test",
	  "Subject: "
	  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	  "aaaaaaaaaaaaaaaaa\r\n\r\n",
	  1, ERR_TOO_LONG },
};

static void test_refused(void)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct message *message = make(rows[i].sender, rows[i].recipient,
		                               bytes_of(rows[i].content));
		struct message *read = NULL;

		message->recipient_count = rows[i].recipient_count;
		CHECK_INT(rows[i].name, read_back(message, &read), rows[i].result);
		message_release(read);
		message_release(message);
	}
}

/* However it is cut off, and whatever bit of it turns, it is not taken. */
static void test_damaged(void)
{
	struct message *message = make("a@x.test", "b@x.test", bytes_of(CONTENT)), *read;
	struct buffer file = { 0 };

	drop_encode(message, &file);
	for (size_t length = 0; length < file.len; length++)
		CHECK_TRUE("cut off", drop_decode(bytes_first(buffer_bytes(&file), length), &limits,
		                                  NOW_US, &read, NULL) < 0);
	for (size_t at = file.len - strlen(CONTENT); at < file.len; at++) {
		file.at[at] ^= 4;
		CHECK_TRUE("turned", drop_decode(buffer_bytes(&file), &limits, NOW_US, &read,
		                                 NULL) == ERR_INVALID);
		file.at[at] ^= 4;
	}
	buffer_deinit(&file);
	message_release(message);
}

static void test_seal(void)
{
	struct message *message = make(
		"", "b@x.test", bytes_of("Auto-Submitted: auto-replied\r\n\r\n\303\244\r\n"));

	drop_seal(message, BYTES_LITERAL("Received: here\r\n"));
	CHECK_INT("flags", message->flags, MESSAGE_HAS_8BIT | MESSAGE_IS_AUTOMATIC);
	CHECK_INT("header", message->header_bytes, 48);
	CHECK_INT("size", message->body.size_bytes, message->body.data.len);
	CHECK_TRUE("ours is first",
	           bytes_starts_with(message->body.data, BYTES_LITERAL("Received: here\r\nAuto")));
	message_release(message);
}

TEST_MAIN(test_read_back, test_is_not_believed, test_refused, test_damaged, test_seal)
