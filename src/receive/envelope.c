/* MAIL and RCPT: addresses and the parameters of SIZE, 8BITMIME, SMTPUTF8, DSN, DELIVERBY,
 * FUTURERELEASE and MT-PRIORITY. */
#include "base/units.h"
#include "receive/receiver_own.h"
#include "receive/session.h"
#include "smtp/address.h"
#include "smtp/xtext.h"
#include <stdio.h>
#include <string.h>

#define ENVID_BYTES_MAX 100
#define ORCPT_BYTES_MAX 500

/* A parameter's reader stores its value; it returns false when the value is malformed. */
typedef bool read_parameter(struct session *session, struct message *message, struct bytes value);

static bool read_size(struct session *session, struct message *message, struct bytes value)
{
	uint64_t size;

	(void)session;
	if (value.len > 20)
		return false;
	/* 20 digits may be more than 64 bits hold: then it is certainly too large. */
	if (!bytes_parse_u64(value, &size)) {
		for (size_t i = 0; i < value.len; i++)
			if (value.at[i] < '0' || value.at[i] > '9')
				return false;
		size = value.len > 0 ? INT64_MAX : 0;
	}
	message->body.size_bytes = (int64_t)MIN(size, (uint64_t)INT64_MAX);
	return value.len > 0;
}

static bool read_body(struct session *session, struct message *message, struct bytes value)
{
	(void)session;
	if (bytes_equal_nocase(value, bytes_of("8BITMIME")))
		message->body_type = BODY_8BITMIME;
	else if (!bytes_equal_nocase(value, bytes_of("7BIT")))
		return false;
	return true;
}

static bool read_smtputf8(struct session *session, struct message *message, struct bytes value)
{
	(void)session;
	message->flags |= MESSAGE_SMTPUTF8;
	return value.at == NULL;
}

static bool read_ret(struct session *session, struct message *message, struct bytes value)
{
	(void)session;
	if (bytes_equal_nocase(value, bytes_of("FULL")))
		message->dsn_return = RETURN_FULL;
	else if (bytes_equal_nocase(value, bytes_of("HDRS")))
		message->dsn_return = RETURN_HEADERS;
	return message->dsn_return != RETURN_UNSET;
}

static bool read_envid(struct session *session, struct message *message, struct bytes value)
{
	(void)session;
	if (value.len == 0 || value.len > ENVID_BYTES_MAX || !xtext_is_valid(value))
		return false;
	message->envelope_id = arena_copy(message->arena, value);
	return true;
}

/* BY=[+-]1*9DIGIT;R|N[T] (RFC 2852 4). */
static bool read_by(struct session *session, struct message *message, struct bytes value)
{
	struct bytes mode = value, time = bytes_split(&mode, ';');
	bool is_negative = time.len > 0 && time.at[0] == '-';
	uint64_t seconds;

	(void)session;
	if (time.len > 0 && strchr("+-", time.at[0]))
		time = bytes_from(time, 1);
	if (time.len > 9 || !bytes_parse_u64(time, &seconds) || mode.len < 1 || mode.len > 2 ||
	    (mode.len == 2 && char_lower(mode.at[1]) != 't'))
		return false;
	if (mode.len == 2)
		message->flags |= MESSAGE_BY_TRACE;
	if (char_lower(mode.at[0]) == 'n')
		message->flags |= MESSAGE_BY_NOTIFY;
	else if (char_lower(mode.at[0]) != 'r' || is_negative || seconds == 0)
		return false;
	message->deliver_by_us = clock_now_us() +
	                         (is_negative ? -1 : 1) * (int64_t)seconds * US_PER_SECOND;
	return true;
}

/* The deadline of DELIVERBY and the lifetime count from the release (RFC 4865 4, standards 13.3).
 */
static bool set_release(struct session *session, struct message *message, int64_t release_us)
{
	int64_t now_us = clock_now_us();

	if (message->release_us || !session->is_submission ||
	    release_us > now_us + session->config->receive.future_release_us)
		return false;
	message->release_us = MAX(release_us, now_us);
	return true;
}

/* HOLDFOR=1*9DIGIT */
static bool read_hold_for(struct session *session, struct message *message, struct bytes value)
{
	uint64_t seconds;

	return value.len <= 9 && bytes_parse_u64(value, &seconds) &&
	       set_release(session, message, clock_now_us() + (int64_t)seconds * US_PER_SECOND);
}

static bool read_hold_until(struct session *session, struct message *message, struct bytes value)
{
	int64_t release_us;

	return date_parse_iso(value, &release_us) && set_release(session, message, release_us);
}

/* MT-PRIORITY=[-]DIGIT (RFC 6710 4.1): the order of the queue, never the lifetime. */
static bool read_priority(struct session *session, struct message *message, struct bytes value)
{
	bool is_negative = value.len == 2 && value.at[0] == '-';
	struct bytes digit = bytes_from(value, is_negative);

	(void)session;
	if (digit.len != 1 || digit.at[0] < '0' || digit.at[0] > '9')
		return false;
	message->priority = (int8_t)((is_negative ? -1 : 1) * (digit.at[0] - '0'));
	return true;
}

static const struct {
	const char *name;
	read_parameter *read;
} mail_parameters[] = {
	{ "SIZE", read_size },
	{ "BODY", read_body },
	{ "SMTPUTF8", read_smtputf8 },
	{ "RET", read_ret },
	{ "ENVID", read_envid },
	{ "BY", read_by },
	{ "HOLDFOR", read_hold_for },
	{ "HOLDUNTIL", read_hold_until },
	{ "MT-PRIORITY", read_priority },
};

static bool is_repeated(const struct command *command, int n)
{
	for (int i = 0; i < n; i++)
		if (bytes_equal_nocase(command->parameters[i].name, command->parameters[n].name))
			return true;
	return false;
}

/* Says what is wrong and returns false, or returns true. HELO offers no parameters. */
static bool read_mail_parameters(struct session *session, const struct command *command,
                                 struct message *message)
{
	for (int n = 0; n < command->parameter_count; n++) {
		const struct parameter *parameter = &command->parameters[n];
		read_parameter *read = NULL;

		for (size_t i = 0; i < COUNT(mail_parameters) && session->is_esmtp; i++)
			if (bytes_equal_nocase(parameter->name, bytes_of(mail_parameters[i].name)))
				read = mail_parameters[i].read;
		if (!read) {
			session_reply(session, "555 5.5.4 parameter %.*s is not offered",
			              BYTES_FORMAT(parameter->name));
			return false;
		}
		if (is_repeated(command, n) || !read(session, message, parameter->value)) {
			session_reply(session,
			              "501 5.5.4 parameter %.*s: repeated, or a wrong value",
			              BYTES_FORMAT(parameter->name));
			return false;
		}
	}
	return true;
}

static const char *mailbox_problem(enum mailbox_fault fault, bool is_sender)
{
	switch (fault) {
	case MAILBOX_OK:
		return NULL;
	case MAILBOX_NOT_ASCII:
		return "553 5.6.7 an address beyond ASCII needs SMTPUTF8";
	case MAILBOX_BAD_UTF8:
		return "553 5.6.7 the address is no UTF-8";
	case MAILBOX_LOCAL_TOO_LONG:
		return is_sender ? "501 5.1.7 the local part is longer than 64 bytes"
		                 : "501 5.1.3 the local part is longer than 64 bytes";
	case MAILBOX_DOMAIN_TOO_LONG:
	case MAILBOX_TOO_LONG:
		return is_sender ? "501 5.1.7 the address is too long"
		                 : "501 5.1.3 the address is too long";
	case MAILBOX_SYNTAX:
		break;
	}
	return is_sender ? "501 5.1.7 not an address" : "501 5.1.3 not an address";
}

/* "local@domain", the domain as A-labels in lower case (unless SMTPUTF8 asks for the address as it
 * is). */
static bool copy_address(struct message *message, const struct mailbox_parts *parts,
                         struct bytes *address_out)
{
	struct buffer text = { 0 };
	bool is_good = true;

	buffer_append(&text, parts->local);
	buffer_append_char(&text, '@');
	if (parts->is_literal)
		buffer_append(&text, parts->domain);
	else
		is_good = domain_to_ascii(parts->domain, &text);
	if (is_good)
		*address_out = arena_copy(message->arena, buffer_bytes(&text));
	buffer_deinit(&text);
	return is_good;
}

static bool read_sender(struct session *session, const struct command *command,
                        struct message *message)
{
	bool allow_utf8 = (message->flags & MESSAGE_SMTPUTF8) != 0;
	struct mailbox_parts parts;
	const char *problem;

	if (command->path.len == 0)
		return true; /* the null sender */
	problem = mailbox_problem(mailbox_parse(command->path, allow_utf8, &parts), true);
	if (!problem && (parts.domain.len == 0 || !copy_address(message, &parts, &message->sender)))
		problem = "501 5.1.7 the sender's domain is missing or malformed";
	if (problem)
		session_reply(session, "%s", problem);
	return !problem;
}

void envelope_mail(struct session *session, const struct command *command)
{
	struct message *message = message_create();
	char client[400];

	if (!read_mail_parameters(session, command, message) ||
	    !read_sender(session, command, message)) {
		message_release(message);
		return;
	}
	if (message->release_us && message->deliver_by_us)
		message->deliver_by_us += message->release_us - clock_now_us();
	if (message->body.size_bytes > session->config->receive.message_size_bytes) {
		session_reply(session, "552 5.3.4 at most %lld bytes are taken",
		              (long long)session->config->receive.message_size_bytes);
		message_release(message);
		return;
	}
	snprintf(client, sizeof client, "%s [%s]", session->helo, session->peer);
	message->client = arena_copy(message->arena, bytes_of(client));
	session->message = message;
	session->recipient_capacity = 0;
	session_reply(session, "250 2.1.0 ok");
}

/* NOTIFY=NEVER, or any of SUCCESS, FAILURE, DELAY, each once (RFC 3461 4.1). */
static bool read_notify(struct bytes value, uint8_t *notify_out)
{
	static const struct {
		const char *name;
		uint8_t flag;
	} names[] = { { "NEVER", NOTIFY_NEVER },
		      { "SUCCESS", NOTIFY_SUCCESS },
		      { "FAILURE", NOTIFY_FAILURE },
		      { "DELAY", NOTIFY_DELAY } };
	uint8_t notify = 0;

	for (struct bytes rest = value; rest.at;) {
		struct bytes word = bytes_split(&rest, ',');
		uint8_t flag = 0;

		for (size_t i = 0; i < COUNT(names); i++)
			if (bytes_equal_nocase(word, bytes_of(names[i].name)))
				flag = names[i].flag;
		if (flag == 0 || (notify & flag))
			return false;
		notify |= flag;
	}
	*notify_out = notify;
	return notify == NOTIFY_NEVER || (notify != 0 && !(notify & NOTIFY_NEVER));
}

/* ORCPT=atom;xtext (RFC 3461 4.2). */
static bool is_original(struct bytes value)
{
	struct bytes rest = value, type = bytes_split(&rest, ';');

	return value.len <= ORCPT_BYTES_MAX && type.len > 0 && rest.len > 0 &&
	       xtext_is_valid(rest) && xtext_is_valid(type);
}

static bool read_rcpt_parameters(struct session *session, const struct command *command,
                                 struct recipient_address *recipient)
{
	for (int n = 0; n < command->parameter_count; n++) {
		const struct parameter *parameter = &command->parameters[n];
		bool is_notify = bytes_equal_nocase(parameter->name, bytes_of("NOTIFY"));
		bool is_good;

		if (!session->is_esmtp ||
		    (!is_notify && !bytes_equal_nocase(parameter->name, bytes_of("ORCPT")))) {
			session_reply(session, "555 5.5.4 parameter %.*s is not offered",
			              BYTES_FORMAT(parameter->name));
			return false;
		}
		is_good = is_notify ? read_notify(parameter->value, &recipient->notify)
		                    : is_original(parameter->value);
		if (!is_good || is_repeated(command, n)) {
			session_reply(session,
			              "501 5.5.4 parameter %.*s: repeated, or a wrong value",
			              BYTES_FORMAT(parameter->name));
			return false;
		}
		if (!is_notify)
			recipient->original = arena_copy(session->message->arena, parameter->value);
	}
	return true;
}

/* "Postmaster" alone: who looks after this relay (RFC 5321 4.5.1). */
static struct bytes own_postmaster(struct session *session)
{
	const char *configured = session->config->report.postmaster;

	if (configured && *configured)
		return bytes_of(configured);
	return bytes_of(
		arena_printf(session->message->arena, "postmaster@%s", session->config->hostname));
}

static void add_recipient(struct session *session, const struct recipient_address *recipient)
{
	struct message *message = session->message;

	if (message->recipient_count == session->recipient_capacity) {
		uint32_t capacity = session->recipient_capacity * 2 + 4;
		struct recipient_address *larger = arena_alloc(message->arena,
		                                               capacity * sizeof *larger);

		if (message->recipient_count > 0)
			memcpy(larger, message->recipients,
			       message->recipient_count * sizeof *larger);
		message->recipients = larger;
		session->recipient_capacity = capacity;
	}
	message->recipients[message->recipient_count++] = *recipient;
	session->receiver->stats.recipients++;
}

static bool read_recipient(struct session *session, const struct command *command,
                           struct recipient_address *recipient)
{
	bool allow_utf8 = (session->message->flags & MESSAGE_SMTPUTF8) != 0;
	struct mailbox_parts parts;
	const char *problem = mailbox_problem(mailbox_parse(command->path, allow_utf8, &parts),
	                                      false);

	if (!problem && parts.domain.len == 0)
		recipient->address = own_postmaster(session);
	else if (!problem && !copy_address(session->message, &parts, &recipient->address))
		problem = "501 5.1.3 the recipient's domain is malformed";
	else if (!problem && !session->may_relay)
		problem = "550 5.7.1 relaying is not allowed from your address";
	if (problem)
		session_reply(session, "%s", problem);
	return !problem;
}

void envelope_rcpt(struct session *session, const struct command *command)
{
	struct recipient_address recipient = { 0 };

	if ((int)session->message->recipient_count >=
	    session->config->receive.recipients_per_message) {
		session_reply(session, "452 4.5.3 too many recipients");
		return;
	}
	if (!read_rcpt_parameters(session, command, &recipient) ||
	    !read_recipient(session, command, &recipient))
		return;
	add_recipient(session, &recipient);
	session_reply(session, "250 2.1.5 ok");
}
