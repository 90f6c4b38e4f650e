#include "report/event.h"
#include "base/alloc.h"
#include "base/id.h"
#include "base/log.h"
#include "base/units.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct event_log {
	char *path;
	int fd; /* -1: nothing is written */
	struct buffer pending;
};

static const char *const kind_names[] = {
	[LOGGED_ACCEPTED] = "accepted",
	[LOGGED_DEFERRED] = "deferred",
	[LOGGED_DELIVERED] = "delivered",
	[LOGGED_FAILED] = "failed",
	[LOGGED_EXPIRED] = "expired",
	[LOGGED_CANCELLED] = "cancelled",
	[LOGGED_SITE_CLOSED] = "site_closed",
	[LOGGED_SITE_OPENED] = "site_opened",
	[LOGGED_ROUTE_CHANGED] = "route_changed",
	[LOGGED_NO_WINDOW] = "no_window",
};

static int open_file(struct event_log *log, struct err *err)
{
	if (strcmp(log->path, "-") == 0) {
		log->fd = STDOUT_FILENO;
		return 0;
	}
	log->fd = open(log->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
	return log->fd < 0 ? err_system(err, "event log %s", log->path) : 0;
}

int event_log_open(const char *path, struct event_log **log_out, struct err *err)
{
	struct event_log *log = alloc_zeroed(sizeof *log);

	log->path = strdup(path ? path : "");
	log->fd = -1;
	if (*log->path && open_file(log, err) < 0) {
		event_log_close(log);
		return err->code;
	}
	*log_out = log;
	return 0;
}

int event_log_reopen(struct event_log *log, struct err *err)
{
	int before = log->fd;

	if (!*log->path)
		return 0;
	event_log_flush(log);
	if (open_file(log, err) < 0) {
		log->fd = before; /* better the old file than none */
		return err->code;
	}
	if (before > STDERR_FILENO)
		close(before);
	return 0;
}

void event_log_close(struct event_log *log)
{
	if (!log)
		return;
	event_log_flush(log);
	if (log->fd > STDERR_FILENO)
		close(log->fd);
	buffer_deinit(&log->pending);
	free(log->path);
	alloc_free(log);
}

/* JSON text: quotes, backslashes and control characters escaped; what is no UTF-8 becomes '?'. */
static void append_string(struct buffer *out, struct bytes text)
{
	bool is_utf8 = bytes_is_utf8(text);

	buffer_append_char(out, '"');
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.at[i];

		if (c == '"' || c == '\\')
			buffer_printf(out, "\\%c", c);
		else if (c < 32 || c == 127)
			buffer_printf(out, "\\u%04x", c);
		else
			buffer_append_char(out, c > 127 && !is_utf8 ? '?' : (char)c);
	}
	buffer_append_char(out, '"');
}

static void append_text(struct buffer *out, const char *name, struct bytes text)
{
	if (text.len == 0)
		return;
	buffer_printf(out, ",\"%s\":", name);
	append_string(out, text);
}

static void append_seconds(struct buffer *out, const char *name, int64_t us)
{
	buffer_printf(out, ",\"%s\":%lld.%03lld", name, (long long)(us / US_PER_SECOND),
	              (long long)(us % US_PER_SECOND / US_PER_MS));
}

static void begin_line(struct buffer *out, const char *kind, uint64_t id, int64_t now_us)
{
	char text[ID_TEXT_LENGTH + 1];

	buffer_append_text(out, "{\"time\":\"");
	date_format_iso(out, now_us);
	buffer_printf(out, "\",\"event\":\"%s\"", kind);
	if (id != 0) {
		id_format(id, text);
		buffer_printf(out, ",\"id\":\"%s\"", text);
	}
}

static void append_outcome(struct buffer *out, const struct outcome *outcome)
{
	char status[16];

	outcome_status(outcome, status);
	buffer_printf(out, ",\"status\":\"%s\",\"code\":%d,\"phase\":\"%s\",\"duration_ms\":%d",
	              status, outcome->code, phase_name(outcome->phase), outcome->duration_ms);
	append_text(out, "host", bytes_of(outcome->host));
	append_text(out, "address", bytes_of(outcome->address));
	append_text(out, "tls", bytes_of(outcome->tls));
	if (outcome->is_verified)
		buffer_append_text(out, ",\"verified\":true");
	append_text(out, "reply", bytes_of(outcome->text));
	if (outcome->is_duplicate_possible)
		buffer_append_text(out, ",\"duplicate_possible\":true");
}

static void append_ledger(struct buffer *out, const struct ledger *ledger)
{
	const char *separator = "";

	buffer_append_text(out, ",\"ledger\":{");
	for (int i = 0; i < CAUSE_COUNT; i++) {
		if (ledger->seconds[i] == 0)
			continue;
		buffer_printf(out, "%s\"%s\":%u", separator, cause_name((enum cause)i),
		              ledger->seconds[i]);
		separator = ",";
	}
	buffer_append_char(out, '}');
}

static void append_details(struct buffer *out, const struct event_details *details,
                           bool is_accepted)
{
	append_text(out, "sender", details->sender);
	append_text(out, "recipient", details->recipient);
	if (!is_accepted)
		return;
	append_text(out, "client", details->client);
	buffer_printf(out, ",\"size\":%lld", (long long)details->size_bytes);
}

static int64_t per_hour(int64_t gap_us)
{
	return gap_us > 0 ? (US_PER_HOUR + gap_us - 1) / gap_us : 0;
}

static void append_window(struct buffer *out, const struct log_entry *entry)
{
	buffer_printf(out, ",\"expiring\":%llu,\"per_hour\":%lld,\"needed_per_hour\":%lld",
	              (unsigned long long)entry->count, (long long)per_hour(entry->gap_us),
	              (long long)per_hour(entry->needed_gap_us));
}

void event_log_write(struct event_log *log, const struct log_entry *entry,
                     const struct event_details *details, int64_t now_us)
{
	struct buffer *out = &log->pending;
	bool is_final = entry->kind == LOGGED_DELIVERED || entry->kind == LOGGED_FAILED ||
	                entry->kind == LOGGED_EXPIRED;

	if (log->fd < 0)
		return;
	begin_line(out, kind_names[entry->kind], entry->id, now_us);
	append_details(out, details, entry->kind == LOGGED_ACCEPTED);
	append_text(out, "destination", entry->domain);
	append_text(out, "site", bytes_of(entry->site));
	if (entry->cause != CAUSE_NONE)
		append_text(out, "cause", bytes_of(cause_name(entry->cause)));
	if (entry->id != 0 && entry->kind != LOGGED_ACCEPTED) {
		buffer_printf(out, ",\"index\":%u,\"attempts\":%u", entry->recipient,
		              entry->attempts);
		append_seconds(out, "age", entry->age_us);
	}
	if (entry->kind == LOGGED_DEFERRED && entry->next_us > now_us)
		append_seconds(out, "next", entry->next_us - now_us);
	if (entry->outcome)
		append_outcome(out, entry->outcome);
	if (is_final)
		append_ledger(out, &entry->ledger);
	if (entry->kind == LOGGED_NO_WINDOW)
		append_window(out, entry);
	buffer_append_text(out, "}\n");
}

void event_log_notice(struct event_log *log, const struct notice *notice,
                      const struct event_details *details, int64_t now_us)
{
	static const char *const kinds[] = {
		[NOTICE_DELAY] = "delay",
		[NOTICE_FAILURE] = "failure",
		[NOTICE_RELAYED] = "relayed",
		[NOTICE_DELIVERED] = "delivered",
	};
	struct buffer *out = &log->pending;
	char text[ID_TEXT_LENGTH + 1];

	if (log->fd < 0)
		return;
	begin_line(out, "notice", notice->id, now_us);
	buffer_printf(out, ",\"kind\":\"%s\",\"recipients\":%u", kinds[notice->kind],
	              notice->count);
	append_details(out, details, false);
	if (details->notice_id != 0) {
		id_format(details->notice_id, text);
		buffer_printf(out, ",\"notice\":\"%s\"", text);
	} else {
		buffer_append_text(out, ",\"dropped\":true");
	}
	buffer_append_text(out, "}\n");
}

void event_log_operation(struct event_log *log, const struct operation_entry *entry, int64_t now_us)
{
	struct buffer *out = &log->pending;

	if (log->fd < 0)
		return;
	begin_line(out, "operation", 0, now_us);
	append_text(out, "path", bytes_of(entry->path));
	buffer_printf(out, ",\"uid\":%lld,\"count\":%lld", (long long)entry->uid,
	              (long long)entry->count);
	append_text(out, "request", bytes_of(entry->body));
	buffer_append_text(out, "}\n");
}

void event_log_alarm(struct event_log *log, const struct alarm_entry *entry, int64_t now_us)
{
	struct buffer *out = &log->pending;

	if (log->fd < 0)
		return;
	begin_line(out, "alarm", 0, now_us);
	append_text(out, "alarm", bytes_of(entry->name));
	append_text(out, "state", bytes_of(entry->state));
	append_text(out, "text", bytes_of(entry->text));
	buffer_append_text(out, "}\n");
}

void event_log_flush(struct event_log *log)
{
	size_t sent = 0;

	while (sent < log->pending.len) {
		ssize_t count = write(log->fd, log->pending.at + sent, log->pending.len - sent);

		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0) {
			log_error("report", "event log %s: %s; %zu bytes are lost", log->path,
			          strerror(errno), log->pending.len - sent);
			break;
		}
		sent += (size_t)count;
	}
	buffer_clear(&log->pending);
}
