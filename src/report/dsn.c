#include "report/dsn.h"
#include "base/units.h"
#include "smtp/xtext.h"
#include <stdio.h>
#include <string.h>

#define FOLD_AT 76

struct last_error dsn_last_error(const struct report_request *request,
                                 const struct notice_recipient *recipient)
{
	const struct attempt *attempt = history_last(request->history, recipient->recipient);
	struct last_error last = { 0 };

	if (attempt)
		last = (struct last_error){ &attempt->outcome, attempt->at_us };
	if (recipient->site_outcome && recipient->site_outcome_us > last.at_us)
		last = (struct last_error){ recipient->site_outcome, recipient->site_outcome_us };
	return last;
}

static void cause_status_of(const struct report_request *request,
                            const struct notice_recipient *recipient, char text_out[16])
{
	struct last_error last = dsn_last_error(request, recipient);

	if (last.outcome)
		outcome_status(last.outcome, text_out);
	else
		snprintf(text_out, 16, "%s", cause_status(recipient->cause));
}

static bool is_good_news(const struct report_request *request)
{
	return request->notice->kind == NOTICE_RELAYED || request->notice->kind == NOTICE_DELIVERED;
}

void dsn_status(const struct report_request *request, const struct notice_recipient *recipient,
                char text_out[16])
{
	const struct config_report *config = &request->config->report;
	const char *style = config->expired_status;

	if (is_good_news(request)) {
		snprintf(text_out, 16, "2.0.0");
		return;
	}
	if (request->notice->kind == NOTICE_DELAY)
		style = config->delayed_status;
	else if (recipient->state != RECIPIENT_EXPIRED)
		style = recipient->status ? recipient->status : "cause";
	if (strcmp(style, "cause") == 0)
		cause_status_of(request, recipient, text_out);
	else
		snprintf(text_out, 16, "%s", style);
}

void dsn_append_safe(struct bytes text, bool is_utf8, struct buffer *out)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.at[i];

		if (c < 32 || c == 127)
			buffer_append_char(out, ' ');
		else
			buffer_append_char(out, c > 127 && !is_utf8 ? '?' : (char)c);
	}
}

/* Writes "Name: value" CRLF, folded at blanks. */
static void write_field(const char *name, struct bytes value, bool is_utf8, struct buffer *out)
{
	size_t column = strlen(name) + 2;
	struct bytes rest = value;

	buffer_printf(out, "%s:", name);
	while (rest.at) {
		struct bytes word = bytes_split(&rest, ' ');

		if (word.len == 0)
			continue;
		if (column + word.len > FOLD_AT && column > strlen(name) + 2) {
			buffer_append_text(out, "\r\n");
			column = 0;
		}
		buffer_append_char(out, ' ');
		dsn_append_safe(word, is_utf8, out);
		column += word.len + 1;
	}
	buffer_append_text(out, "\r\n");
}

static void write_date(const char *name, int64_t at_us, struct buffer *out)
{
	buffer_printf(out, "%s: ", name);
	date_format_mail(out, at_us);
	buffer_append_text(out, "\r\n");
}

static void write_message_fields(const struct report_request *request, bool is_utf8,
                                 struct buffer *out)
{
	const struct message *message = request->message;
	struct bytes client = message->client;
	struct buffer decoded = { 0 };

	buffer_printf(out, "Reporting-MTA: dns; %s\r\n", request->config->hostname);
	if (message->envelope_id.len > 0 && xtext_decode(message->envelope_id, &decoded))
		write_field("Original-Envelope-Id", buffer_bytes(&decoded), is_utf8, out);
	buffer_deinit(&decoded);
	client = bytes_split(&client, ' ');
	if (client.len > 0) {
		buffer_append_text(out, "Received-From-MTA: dns; ");
		dsn_append_safe(client, false, out);
		buffer_append_text(out, "\r\n");
	}
	write_date("Arrival-Date", message->arrived_us, out);
	if (message->deliver_by_us > 0)
		write_date("Deliver-By-Date", message->deliver_by_us, out);
}

/* ORCPT is "type;xtext": the field wants the address itself (standards 1.4). */
static void write_original_recipient(struct bytes original, bool is_utf8, struct buffer *out)
{
	struct buffer decoded = { 0 };
	struct bytes rest = original, type = bytes_split(&rest, ';');

	if (rest.at && xtext_decode(rest, &decoded)) {
		buffer_append_text(out, "Original-Recipient: ");
		dsn_append_safe(type, false, out);
		buffer_append_text(out, "; ");
		dsn_append_safe(buffer_bytes(&decoded), is_utf8, out);
		buffer_append_text(out, "\r\n");
	}
	buffer_deinit(&decoded);
}

/* The diagnostic of an outcome: what an SMTP server said, or our own words, which are not `smtp`.
 */
static void append_diagnostic(const struct outcome *outcome, struct buffer *out)
{
	buffer_printf(out, "%s; %s", outcome->code > 0 ? "smtp" : "X-Outlast", outcome->text);
}

static void write_own_diagnostic(const struct report_request *request,
                                 const struct notice_recipient *recipient, bool is_utf8,
                                 struct buffer *out)
{
	struct last_error last = dsn_last_error(request, recipient);
	struct buffer text = { 0 };

	buffer_append_text(&text, "smtp; 550 5.4.7 Delivery time expired (");
	duration_format(&text, request->now_us - request->message->arrived_us);
	buffer_printf(&text, " in queue, %u attempt%s); ", recipient->attempts,
	              recipient->attempts == 1 ? "" : "s");
	if (recipient->is_by_operator)
		buffer_append_text(&text, "expired by administrator; ");
	if (last.outcome)
		buffer_printf(&text, "last error: %s", last.outcome->text);
	else if (recipient->text)
		buffer_printf(&text, "last error: %s", recipient->text);
	else
		buffer_append_text(&text, "no delivery attempt was completed");
	write_field("Diagnostic-Code", buffer_bytes(&text), is_utf8, out);
	buffer_deinit(&text);
}

static void write_diagnostic(const struct report_request *request,
                             const struct notice_recipient *recipient, bool is_utf8,
                             struct buffer *out)
{
	struct last_error last = dsn_last_error(request, recipient);
	const char *style = request->config->report.expired_status;
	struct buffer text = { 0 };

	if (recipient->state == RECIPIENT_EXPIRED && strcmp(style, "5.4.7") == 0) {
		write_own_diagnostic(request, recipient, is_utf8, out);
		return;
	}
	if (recipient->state == RECIPIENT_EXPIRED && strcmp(style, "4.4.7") == 0)
		buffer_append_text(&text, "smtp; 550 4.4.7 QUEUE.Expired; message expired");
	else if (recipient->text)
		buffer_printf(&text, "X-Outlast; %s", recipient->text);
	else if (last.outcome)
		append_diagnostic(last.outcome, &text);
	if (text.len > 0)
		write_field("Diagnostic-Code", buffer_bytes(&text), is_utf8, out);
	buffer_deinit(&text);
}

static void write_extensions(const struct report_request *request,
                             const struct notice_recipient *recipient, bool is_utf8,
                             struct buffer *out)
{
	struct last_error last = dsn_last_error(request, recipient);
	struct buffer text = { 0 };
	char status[16];

	cause_status_of(request, recipient, status);
	buffer_printf(out, "X-Outlast-Attempts: %u\r\n", recipient->attempts);
	buffer_printf(out, "X-Outlast-Cause: %s %s\r\n", status, cause_name(recipient->cause));
	if (recipient->state == RECIPIENT_EXPIRED && last.outcome) {
		buffer_printf(out, "X-Outlast-Last-Status: %s\r\n", status);
		append_diagnostic(last.outcome, &text);
		write_field("X-Outlast-Last-Diagnostic", buffer_bytes(&text), is_utf8, out);
		buffer_clear(&text);
	}
	for (int i = 0; i < CAUSE_COUNT; i++)
		if (recipient->ledger.seconds[i] > 0)
			buffer_printf(&text, "%s%s=%us", text.len ? ", " : "",
			              i == CAUSE_NONE ? "in_progress" : cause_name((enum cause)i),
			              recipient->ledger.seconds[i]);
	if (text.len > 0)
		write_field("X-Outlast-Causes", buffer_bytes(&text), false, out);
	buffer_deinit(&text);
}

static void write_recipient(const struct report_request *request,
                            const struct notice_recipient *recipient, bool is_utf8,
                            struct buffer *out)
{
	static const char *const actions[] = { [NOTICE_DELAY] = "delayed",
		                               [NOTICE_FAILURE] = "failed",
		                               [NOTICE_RELAYED] = "relayed",
		                               [NOTICE_DELIVERED] = "relayed" };
	const struct recipient_address *address = &request->message
	                                                   ->recipients[recipient->recipient];
	struct last_error last = dsn_last_error(request, recipient);
	enum notice_kind kind = request->notice->kind;
	char status[16], id[ID_TEXT_LENGTH + 1];

	if (address->original.len > 0)
		write_original_recipient(address->original, is_utf8, out);
	buffer_printf(out, "Final-Recipient: %s; ",
	              bytes_is_ascii(address->address) ? "rfc822" : "utf-8");
	dsn_append_safe(address->address, is_utf8, out);
	buffer_printf(out, "\r\nAction: %s\r\n", actions[kind]);
	dsn_status(request, recipient, status);
	buffer_printf(out, "Status: %s\r\n", status);
	if (last.outcome && last.outcome->host[0] && last.outcome->phase > PHASE_CONNECT) {
		buffer_append_text(out, "Remote-MTA: dns; ");
		dsn_append_safe(bytes_of(last.outcome->host), false, out);
		buffer_append_text(out, "\r\n");
	}
	write_diagnostic(request, recipient, is_utf8, out);
	if (last.outcome)
		write_date("Last-Attempt-Date", last.at_us, out);
	id_format(request->message->id, id);
	buffer_printf(out, "Final-Log-ID: %s\r\n", id);
	if (kind == NOTICE_DELAY)
		write_date("Will-Retry-Until", recipient->deadline_us, out);
	if (!is_good_news(request))
		write_extensions(request, recipient, is_utf8, out);
}

void dsn_write(const struct report_request *request,
               const struct notice_recipient *const *recipients, size_t count, bool is_utf8,
               struct buffer *out)
{
	write_message_fields(request, is_utf8, out);
	for (size_t i = 0; i < count; i++) {
		buffer_append_text(out, "\r\n");
		write_recipient(request, recipients[i], is_utf8, out);
	}
}
