#include "model/message.h"
#include "support/check.h"
#include <string.h>

static struct message *make_message(void)
{
	struct message *message = message_create();

	message->arrived_us = 1795000000000000;
	message->sender = bytes_of("a@out.test");
	message->envelope_id = bytes_of("QQ+2B314159");
	message->client = bytes_of("out.test [127.0.0.1]");
	message->flags = MESSAGE_SMTPUTF8 | MESSAGE_HAS_8BIT;
	message->body_type = BODY_8BITMIME;
	message->dsn_return = RETURN_HEADERS;
	message->priority = -3;
	message->deliver_by_us = 77;
	message->header_bytes = 40;
	message->body.size_bytes = 4096;
	message->recipient_count = 2;
	message->recipients = arena_alloc(message->arena, 2 * sizeof *message->recipients);
	message->recipients[0].address = bytes_of("b@mx.test");
	message->recipients[0].notify = NOTIFY_FAILURE | NOTIFY_DELAY;
	message->recipients[1].address = bytes_of("\"c d\"@mx.test");
	message->recipients[1].original = bytes_of("rfc822;c+20d@mx.test");
	return message;
}

static void test_envelope_reads_back(void)
{
	struct message *message = make_message(), *copy = NULL;
	struct buffer encoded = { 0 };

	message_encode_envelope(message, &encoded);
	CHECK_INT("decode", message_decode_envelope(buffer_bytes(&encoded), &copy, NULL), 0);
	CHECK_BYTES("sender", copy->sender, message->sender);
	CHECK_BYTES("envelope id", copy->envelope_id, message->envelope_id);
	CHECK_BYTES("client", copy->client, message->client);
	CHECK_INT("arrived", copy->arrived_us, message->arrived_us);
	CHECK_INT("flags", copy->flags, message->flags);
	CHECK_INT("priority", copy->priority, -3);
	CHECK_INT("deliver by", copy->deliver_by_us, 77);
	CHECK_INT("size", copy->body.size_bytes, 4096);
	CHECK_TRUE("no file", copy->body.path == NULL);
	CHECK_INT("recipients", copy->recipient_count, 2);
	CHECK_BYTES("second", copy->recipients[1].address, message->recipients[1].address);
	CHECK_BYTES("original", copy->recipients[1].original, message->recipients[1].original);
	CHECK_INT("notify", copy->recipients[0].notify, NOTIFY_FAILURE | NOTIFY_DELAY);
	message_release(copy);
	message_release(message);
	buffer_deinit(&encoded);
}

static void test_damage_is_found(void)
{
	struct message *message = make_message(), *copy = NULL;
	struct buffer encoded = { 0 };
	struct err err;

	message->body.path = (char *)(uintptr_t) "/spool/bodies/1";
	message_encode_envelope(message, &encoded);
	for (size_t length = 0; length < encoded.len; length++)
		CHECK_INT(
			"cut short",
			message_decode_envelope((struct bytes){ encoded.at, length }, &copy, &err),
			ERR_CORRUPT);
	encoded.at[0] = 99;
	CHECK_INT("version", message_decode_envelope(buffer_bytes(&encoded), &copy, &err),
	          ERR_CORRUPT);
	message_release(message);
	buffer_deinit(&encoded);
}

static void test_references(void)
{
	struct message *message = make_message();

	CHECK_TRUE("same", message_acquire(message) == message);
	message_release(message);
	CHECK_BYTES("still there", message->sender, bytes_of("a@out.test"));
	message_release(message);
	message_release(NULL);
}

static void test_domain(void)
{
	CHECK_BYTES("plain", message_domain(bytes_of("a@b.test")), bytes_of("b.test"));
	CHECK_BYTES("quoted", message_domain(bytes_of("\"a@x\"@b.test")), bytes_of("b.test"));
	CHECK_BYTES("none", message_domain(bytes_of("postmaster")), bytes_of(""));
}

TEST_MAIN(test_envelope_reads_back, test_damage_is_found, test_references, test_domain)
