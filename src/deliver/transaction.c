#include "deliver/transaction.h"
#include "deliver/verdict.h"
#include "runtime/clock.h"

/* What RCPT brought. */
enum standing { STANDING_OPEN, STANDING_ACCEPTED, STANDING_REFUSED, STANDING_LATER };

struct run {
	struct client *client;
	struct transaction *transaction;
	uint8_t standings[TRANSACTION_RECIPIENTS_MAX];
	uint32_t accepted_count;
	bool is_pipelined, is_chunked;
};

static bool offers(const struct run *run, uint32_t extension)
{
	return (run->client->extensions.offered & extension) != 0;
}

bool transaction_is_utf8(const struct message *message, struct bytes content)
{
	if (!bytes_is_ascii(message->sender))
		return true;
	for (uint32_t i = 0; i < message->recipient_count; i++)
		if (!bytes_is_ascii(message->recipients[i].address))
			return true;
	return (message->flags & MESSAGE_SMTPUTF8) &&
	       !bytes_is_ascii(bytes_first(content, message->header_bytes));
}

/* RFC 2852 4: the time that is left, in whole seconds. */
static void say_deliver_by(const struct message *message, struct buffer *out)
{
	int64_t left_s = (message->deliver_by_us - clock_now_us()) / 1000000;
	bool is_notify = message->flags & MESSAGE_BY_NOTIFY;

	left_s = MAX(MIN(left_s, 999999999), -999999999);
	buffer_printf(out, " BY=%lld;%s%s", (long long)left_s, is_notify ? "N" : "R",
	              message->flags & MESSAGE_BY_TRACE ? "T" : "");
}

static void say_mail(const struct run *run)
{
	const struct message *message = run->transaction->message;
	const struct content *content = run->transaction->content;
	struct buffer *out = &run->client->out;
	size_t start = out->len;

	buffer_printf(out, "MAIL FROM:<%.*s>", BYTES_FORMAT(message->sender));
	if (offers(run, EXTENSION_SIZE))
		buffer_printf(out, " SIZE=%zu", content_size(content));
	if (message->body_type == BODY_BINARYMIME && offers(run, EXTENSION_BINARYMIME))
		buffer_append_text(out, " BODY=BINARYMIME");
	else if (content->has_8bit && offers(run, EXTENSION_8BITMIME))
		buffer_append_text(out, " BODY=8BITMIME");
	if (run->transaction->is_utf8)
		buffer_append_text(out, " SMTPUTF8");
	if (offers(run, EXTENSION_DSN) && message->dsn_return != RETURN_UNSET)
		buffer_append_text(out,
		                   message->dsn_return == RETURN_FULL ? " RET=FULL" : " RET=HDRS");
	if (offers(run, EXTENSION_DSN) && message->envelope_id.len > 0)
		buffer_printf(out, " ENVID=%.*s", BYTES_FORMAT(message->envelope_id));
	if (offers(run, EXTENSION_DELIVERBY) && message->deliver_by_us != 0)
		say_deliver_by(message, out);
	client_end(run->client, start);
}

static void say_notify(unsigned notify, struct buffer *out)
{
	static const struct {
		unsigned flag;
		const char *word;
	} words[] = { { NOTIFY_NEVER, "NEVER" },
		      { NOTIFY_SUCCESS, "SUCCESS" },
		      { NOTIFY_FAILURE, "FAILURE" },
		      { NOTIFY_DELAY, "DELAY" } };
	const char *lead = " NOTIFY=";

	for (size_t i = 0; i < COUNT(words); i++) {
		if (!(notify & words[i].flag))
			continue;
		buffer_append_text(out, lead);
		buffer_append_text(out, words[i].word);
		lead = ",";
	}
}

static const struct recipient_address *recipient_at(const struct run *run, uint32_t i)
{
	const struct transaction *transaction = run->transaction;

	return &transaction->message->recipients[transaction->recipients[transaction->places[i]]];
}

static struct outcome *outcome_at(const struct run *run, uint32_t i)
{
	return &run->transaction->outcomes[run->transaction->places[i]];
}

static void say_recipient(const struct run *run, uint32_t i)
{
	const struct recipient_address *recipient = recipient_at(run, i);
	struct buffer *out = &run->client->out;
	size_t start = out->len;

	buffer_append_text(out, "RCPT TO:<");
	buffer_append(out, recipient->address);
	buffer_append_char(out, '>');
	if (offers(run, EXTENSION_DSN)) {
		say_notify(recipient->notify, out);
		if (recipient->original.len > 0)
			buffer_printf(out, " ORCPT=%.*s", BYTES_FORMAT(recipient->original));
	}
	client_end(run->client, start);
}

static void set_outcome(const struct run *run, uint32_t i, const struct reply *reply,
                        enum phase phase)
{
	struct outcome *outcome = outcome_at(run, i);

	verdict_of_reply(reply, phase, outcome);
	client_fill_peer(run->client, outcome);
}

/* For all that are neither decided nor refused one by one. */
static void set_outcomes(struct run *run, const struct reply *reply, enum phase phase)
{
	for (uint32_t i = 0; i < run->transaction->count; i++)
		if (run->standings[i] == STANDING_OPEN || run->standings[i] == STANDING_ACCEPTED)
			set_outcome(run, i, reply, phase);
}

/* Says a command by itself when it was not said with the group. */
static bool say_alone(const struct run *run, enum phase phase)
{
	return run->is_pipelined || client_send(run->client, phase);
}

static bool refuse_nonsense(const struct run *run, const struct reply *reply, enum phase phase)
{
	bool is_nonsense = reply->code / 100 == 3;

	if (is_nonsense)
		client_refuse(run->client, phase, reply);
	return is_nonsense;
}

/* Returns false when the client is dead or nothing is left to be done. */
static bool run_mail(struct run *run)
{
	struct reply reply;

	if (!run->is_pipelined)
		say_mail(run);
	if (!say_alone(run, PHASE_MAIL) || !client_hear(run->client, PHASE_MAIL, &reply) ||
	    refuse_nonsense(run, &reply, PHASE_MAIL))
		return false;
	if (reply.code / 100 == 2) {
		run->client->needs_reset = true;
		return true;
	}
	set_outcomes(run, &reply, PHASE_MAIL);
	for (uint32_t i = 0; i < run->transaction->count; i++)
		run->standings[i] = STANDING_REFUSED;
	return run->is_pipelined; /* the other replies are still to be heard */
}

/* RFC 5321 4.5.3.1.10: the server takes no more recipients in this transaction. */
static bool is_too_many(const struct run *run, const struct reply *reply)
{
	if (run->accepted_count == 0 || (reply->code != 452 && reply->code != 552))
		return false;
	return reply->class == 0 || (reply->subject == 5 && reply->detail == 3);
}

static void stand(struct run *run, uint32_t i, const struct reply *reply)
{
	if (reply->code / 100 == 2) {
		run->standings[i] = STANDING_ACCEPTED;
		run->accepted_count++;
		return;
	}
	set_outcome(run, i, reply, PHASE_RCPT);
	run->standings[i] = STANDING_REFUSED;
	if (!is_too_many(run, reply))
		return;
	run->standings[i] = STANDING_LATER;
	outcome_at(run, i)->result = RESULT_DEFERRED;
	outcome_at(run, i)->cause = CAUSE_SOFT_OTHER;
}

static bool run_recipient(struct run *run, uint32_t i)
{
	struct reply reply;

	if (!run->is_pipelined)
		say_recipient(run, i);
	if (!say_alone(run, PHASE_RCPT) || !client_hear(run->client, PHASE_RCPT, &reply))
		return false;
	if (run->standings[i] == STANDING_REFUSED)
		return true; /* MAIL was refused, and this with it */
	if (refuse_nonsense(run, &reply, PHASE_RCPT))
		return false;
	stand(run, i, &reply);
	return true;
}

/* DATA that was pipelined got its go-ahead though nobody is there to get the mail: nothing but the
 * final dot is sent (RFC 2920 3.1). */
static void end_empty_data(struct run *run)
{
	struct reply reply;

	client_put(run->client, BYTES_LITERAL(".\r\n"));
	if (client_send(run->client, PHASE_DOT) && client_hear(run->client, PHASE_DOT, &reply))
		run->client->needs_reset = reply.code / 100 != 2;
}

/* Returns true when the content may be sent. */
static bool run_data(struct run *run)
{
	struct reply reply;

	if (run->is_chunked)
		return run->accepted_count > 0;
	if (!run->is_pipelined && run->accepted_count == 0)
		return false;
	if (!run->is_pipelined)
		client_say(run->client, "DATA");
	if (!say_alone(run, PHASE_DATA) || !client_hear(run->client, PHASE_DATA, &reply))
		return false;
	if (reply.code / 100 == 2) {
		client_refuse(run->client, PHASE_DATA, &reply);
		return false;
	}
	if (reply.code / 100 == 3 && run->accepted_count == 0)
		end_empty_data(run);
	else if (reply.code / 100 != 3)
		set_outcomes(run, &reply, PHASE_DATA);
	return reply.code / 100 == 3 && run->accepted_count > 0;
}

/* The content was taken (or refused): those whom the server wanted later come in the next one. */
static void settle(struct run *run, const struct reply *reply)
{
	set_outcomes(run, reply, PHASE_DOT);
	run->client->needs_reset = run->is_chunked && reply->code / 100 != 2;
	if (reply->code / 100 != 2)
		return;
	for (uint32_t i = 0; i < run->transaction->count; i++)
		if (run->standings[i] == STANDING_LATER)
			*outcome_at(run, i) = (struct outcome){ 0 };
}

static void run_content(struct run *run)
{
	const struct content *content = run->transaction->content;
	enum phase phase = PHASE_DOT;
	struct reply reply;
	bool is_sent;

	if (!client_is_silent(run->client, PHASE_DATA))
		return;
	if (run->is_chunked) {
		client_say(run->client, "BDAT %zu LAST", content_size(content));
		is_sent = content_send_raw(run->client, content);
	} else {
		is_sent = content_send_dotted(run->client, content);
	}
	if (!is_sent)
		phase = PHASE_BODY; /* no duplicate: the end was not sent */
	else if (!client_send(run->client, PHASE_DOT))
		return;
	if (!client_hear(run->client, phase, &reply) || refuse_nonsense(run, &reply, phase))
		return;
	if (!is_sent && reply.code / 100 == 2) {
		client_refuse(run->client, phase, &reply);
		return;
	}
	settle(run, &reply);
}

static bool run_envelope(struct run *run)
{
	uint32_t count = run->transaction->count;

	if (run->is_pipelined) {
		say_mail(run);
		for (uint32_t i = 0; i < count; i++)
			say_recipient(run, i);
		if (!run->is_chunked)
			client_say(run->client, "DATA");
		if (!client_send(run->client, PHASE_MAIL))
			return false;
	}
	if (!run_mail(run))
		return false;
	for (uint32_t i = 0; i < count; i++)
		if (!run_recipient(run, i))
			return false;
	return run_data(run);
}

PARKS void transaction_run(struct client *client, struct transaction *transaction)
{
	struct run run = {
		.client = client,
		.transaction = transaction,
		.is_pipelined = client->extensions.offered & EXTENSION_PIPELINING,
		.is_chunked = client->extensions.offered & EXTENSION_CHUNKING,
	};

	if (!client_reset(client) || !client_is_silent(client, PHASE_MAIL))
		return;
	client->transactions++;
	if (run_envelope(&run))
		run_content(&run);
}
