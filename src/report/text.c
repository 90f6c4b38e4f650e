#include "report/text.h"
#include "base/units.h"
#include "mail/header.h"
#include "report/dsn.h"
#include <string.h>

#define LINE_MAX   72
#define BAR_LENGTH 16
#define REPLY_MAX  10 /* recipients told of one by one; the rest are counted */

/* What the sender can do, by the cause that is left. */
static const char *advice_of(enum cause cause)
{
	switch (cause) {
	case CAUSE_HOST_DOWN:
	case CAUSE_NETWORK:
	case CAUSE_HOST_BUSY:
	case CAUSE_PROTOCOL:
		return "The recipient's mail server is out of order. Reach the recipient in "
		       "another way, "
		       "and send the message again when their mail works.";
	case CAUSE_GREYLISTED:
		return "The recipient's server asks unknown senders to come back later, and did "
		       "not let us "
		       "in each time that we came. Their postmaster can put our server on its "
		       "list.";
	case CAUSE_MAILBOX_FULL:
		return "The recipient has to make room in the mailbox. Tell them in another way.";
	case CAUSE_MAILBOX_BUSY:
		return "The mailbox could not be opened on their side. Try again later, or tell "
		       "the "
		       "recipient in another way.";
	case CAUSE_RATE_LIMITED:
	case CAUSE_REPUTATION:
	case CAUSE_POLICY:
		return "The recipient's server is holding back mail from our address. Our "
		       "postmaster can "
		       "take it up with theirs; show them the reply above.";
	case CAUSE_DNS_FAILURE:
	case CAUSE_DNS_CHANGED:
		return "The domain of the address cannot be looked up. Check its spelling; if it "
		       "is right, "
		       "whoever runs that domain has to mend its DNS.";
	case CAUSE_TLS:
		return "No connection as secure as required could be made. The recipient's "
		       "postmaster has "
		       "to look at their certificate or their TLS policy.";
	case CAUSE_SOFT_OTHER:
		return "Only the recipient's postmaster can say why; show them the reply above.";
	case CAUSE_NONE:
	case CAUSE_OWN_LIMIT:
	case CAUSE_SUSPENDED:
	case CAUSE_HELD:
	case CAUSE_OWN_FAULT:
	case CAUSE_COUNT:
		break;
	}
	return "This is on our side: ask our postmaster.";
}

/* Appends `text`, broken at blanks into lines of LINE_MAX columns, behind the `column` that the
 * line is at; further lines begin with as many blanks. */
static void append_wrapped(size_t column, struct bytes text, bool is_utf8, struct buffer *out)
{
	size_t at = column;
	struct bytes rest = text;

	while (rest.at) {
		struct bytes word = bytes_split(&rest, ' ');

		if (word.len == 0)
			continue;
		if (at > column && at + 1 + word.len > LINE_MAX) {
			buffer_printf(out, "\r\n%*s", (int)column, "");
			at = column;
		} else if (at > column) {
			buffer_append_char(out, ' ');
			at++;
		}
		dsn_append_safe(bytes_first(word, 900), is_utf8, out);
		at += word.len;
	}
	buffer_append_text(out, "\r\n");
}

static void append_indented(const char *indent, struct bytes text, bool is_utf8, struct buffer *out)
{
	buffer_append_text(out, indent);
	append_wrapped(strlen(indent), text, is_utf8, out);
}

void text_ledger(const struct notice_recipient *recipient, struct buffer *out)
{
	uint64_t all = 0;

	for (int i = 0; i < CAUSE_COUNT; i++)
		all += recipient->ledger.seconds[i];
	if (all == 0)
		return;
	buffer_append_text(out, "\r\n  Where the time went:\r\n");
	for (int i = 0; i < CAUSE_COUNT; i++) {
		uint64_t seconds = recipient->ledger.seconds[i];
		struct buffer span = { 0 };
		int bar = (int)(seconds * BAR_LENGTH / all);

		if (seconds == 0)
			continue;
		duration_format(&span, (int64_t)seconds * US_PER_SECOND);
		buffer_printf(out, "    %8.*s  %-*.*s  ", BYTES_FORMAT(buffer_bytes(&span)),
		              BAR_LENGTH, bar, "################");
		append_wrapped(4 + 8 + 2 + BAR_LENGTH + 2,
		               bytes_of(i == CAUSE_NONE ? "being delivered"
		                                        : cause_sentence((enum cause)i)),
		               false, out);
		buffer_deinit(&span);
	}
}

void text_advice(const struct notice_recipient *recipient, struct buffer *out)
{
	buffer_append_text(out, "\r\n  What you can do:\r\n");
	append_indented("    ", bytes_of(advice_of(recipient->cause)), false, out);
}

static void append_last_error(const struct report_request *request,
                              const struct notice_recipient *recipient, bool is_utf8,
                              struct buffer *out)
{
	struct last_error last = dsn_last_error(request, recipient);

	if (last.outcome && last.outcome->code > 0) {
		buffer_append_text(out, "\r\n  The last thing that ");
		dsn_append_safe(bytes_of(last.outcome->host), false, out);
		buffer_append_text(out, " said:\r\n");
		append_indented("    ", bytes_of(last.outcome->text), is_utf8, out);
	} else if (last.outcome || recipient->text) {
		buffer_append_text(out, "\r\n  What went wrong at last:\r\n");
		append_indented("    ",
		                bytes_of(last.outcome ? last.outcome->text : recipient->text),
		                is_utf8, out);
	} else {
		buffer_append_text(out, "\r\n  No delivery attempt was completed.\r\n");
	}
	if (last.outcome && last.outcome->is_duplicate_possible)
		append_indented(
			"  ",
			bytes_of("The whole message had been sent when the connection was lost: it "
		                 "may have arrived all the same."),
			is_utf8, out);
}

static void append_next(const struct report_request *request,
                        const struct notice_recipient *recipient, struct buffer *out)
{
	if (request->notice->kind != NOTICE_DELAY)
		return;
	buffer_append_text(out, "\r\n  What happens next: ");
	if (recipient->next_us > request->now_us) {
		buffer_append_text(out, "we try again in ");
		duration_format(out, recipient->next_us - request->now_us);
	} else {
		buffer_append_text(out, "we try again as soon as their server is back");
	}
	buffer_append_text(out, ",\r\n  and go on until ");
	date_format_mail(out, recipient->deadline_us);
	buffer_append_text(out, ".\r\n");
}

static void append_recipient(const struct report_request *request,
                             const struct notice_recipient *recipient, bool is_utf8,
                             struct buffer *out)
{
	const struct recipient_address *address = &request->message
	                                                   ->recipients[recipient->recipient];

	buffer_append_text(out, "\r\n<");
	dsn_append_safe(address->address, is_utf8, out);
	buffer_append_text(out, ">\r\n");
	if (request->notice->kind == NOTICE_RELAYED) {
		append_indented(
			"  ",
			bytes_of("was handed to the next server, which sends no delivery notices."),
			is_utf8, out);
		return;
	}
	if (request->notice->kind == NOTICE_DELIVERED) {
		text_ledger(recipient, out);
		return;
	}
	if (recipient->is_by_operator)
		buffer_append_text(out, "  Expired by administrator.\r\n");
	append_last_error(request, recipient, is_utf8, out);
	text_ledger(recipient, out);
	append_next(request, recipient, out);
	if (recipient->state != RECIPIENT_FAILED)
		text_advice(recipient, out);
}

static void append_opening(const struct report_request *request, bool is_expired,
                           struct buffer *out)
{
	struct bytes headers = bytes_first(request->message->body.data,
	                                   request->message->header_bytes);
	struct header_field subject;

	if (headers.at && header_find(headers, bytes_of("Subject"), &subject)) {
		buffer_append_text(out, "About your message: ");
		dsn_append_safe(bytes_first(bytes_trim(subject.value), 200), false, out);
		buffer_append_text(out, "\r\n\r\n");
	}
	switch (request->notice->kind) {
	case NOTICE_DELAY:
		buffer_append_text(out,
		                   "THIS IS ONLY A WARNING. You do not need to send your message "
		                   "again.\r\n\r\nYour message has been waiting for ");
		duration_format(out, request->now_us - request->message->arrived_us);
		buffer_append_text(out, " and could not yet be\r\ndelivered to:\r\n");
		break;
	case NOTICE_FAILURE:
		if (is_expired) {
			buffer_append_text(out, "We tried for ");
			duration_format(out, request->now_us - request->message->arrived_us);
			buffer_append_text(
				out, " to deliver your message. The time is up, and we have\r\n"
				     "given up on:\r\n");
		} else {
			buffer_append_text(out, "Your message could not be delivered to:\r\n");
		}
		break;
	case NOTICE_RELAYED:
		buffer_append_text(out, "Your message is on its way to:\r\n");
		break;
	case NOTICE_DELIVERED:
		buffer_append_text(out, "We told you that your message is late. After ");
		duration_format(out, request->now_us - request->message->arrived_us);
		buffer_append_text(out, " it has\r\nbeen taken by the mail server of:\r\n");
		break;
	}
}

static bool is_any_expired(const struct notice_recipient *const *recipients, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (recipients[i]->state == RECIPIENT_EXPIRED)
			return true;
	return false;
}

void text_subject(const struct report_request *request, struct buffer *out)
{
	static const char *const subjects[] = {
		[NOTICE_DELAY] = "Delayed: your message is still waiting",
		[NOTICE_FAILURE] = "Undelivered: your message was returned",
		[NOTICE_RELAYED] = "Relayed: your message is on its way",
		[NOTICE_DELIVERED] = "Delivered after all: your message arrived late"
	};

	buffer_append_text(out, subjects[request->notice->kind]);
}

void text_write(const struct report_request *request,
                const struct notice_recipient *const *recipients, size_t count, bool is_utf8,
                struct buffer *out)
{
	char id[ID_TEXT_LENGTH + 1];

	id_format(request->message->id, id);
	buffer_printf(out, "This is the mail system at %s.\r\n\r\n", request->config->hostname);
	append_opening(request, is_any_expired(recipients, count), out);
	for (size_t i = 0; i < MIN(count, REPLY_MAX); i++)
		append_recipient(request, recipients[i], is_utf8, out);
	if (count > REPLY_MAX)
		buffer_printf(
			out,
			"\r\n... and %zu more recipients; the attached report names them all.\r\n",
			count - REPLY_MAX);
	if (request->notice->kind == NOTICE_FAILURE && is_any_expired(recipients, count)) {
		buffer_append_text(out, "\r\n");
		append_indented(
			"",
			bytes_of("The address may well be right: nobody said that it is not. "
		                 "Sending again makes sense once the cause is gone."),
			is_utf8, out);
	}
	buffer_printf(out, "\r\nIf you ask our postmaster, name this message: %s\r\n", id);
}
