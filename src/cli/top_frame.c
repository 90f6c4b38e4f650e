/* One picture of the relay in lines of text. */
#include "base/alloc.h"
#include "base/macros.h"
#include "base/units.h"
#include "cli/cli.h"
#include "cli/top.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_MAX_BYTES  512
#define INCIDENTS_SHOWN 3
#define RATE_OVER_S     60
#define FIXED_COLUMNS   61 /* of the table, all but the destination */
#define STYLE_END       "\033[0m"

static const char style_none[] = "", style_bold[] = "\033[1m", style_dim[] = "\033[2m",
		  style_bad[] = "\033[31m", style_warn[] = "\033[33m", style_chosen[] = "\033[7m";

struct frame {
	const struct top_view *view;
	struct buffer *out;
	int lines;
};

static bool is_full(const struct frame *frame)
{
	return frame->view->height > 0 && frame->lines >= frame->view->height - 1;
}

static void put(struct frame *frame, const char *style, const char *text)
{
	const struct top_view *view = frame->view;
	struct bytes line = bytes_first(bytes_of(text), (size_t)view->width);

	if (!view->is_plain)
		buffer_append_text(frame->out, style);
	buffer_append(frame->out, line);
	if (!view->is_plain && style == style_chosen)
		buffer_printf(frame->out, "%*s", (int)((size_t)view->width - line.len), "");
	if (!view->is_plain)
		buffer_append_text(frame->out, STYLE_END "\033[K\r");
	buffer_append_char(frame->out, '\n');
	frame->lines++;
}

static void PRINTF_LIKE(3, 4) add(struct frame *frame, const char *style, const char *format, ...)
{
	char text[LINE_MAX_BYTES];
	va_list args;

	if (is_full(frame))
		return;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	for (char *c = text; *c; c++)
		if ((unsigned char)*c < 32 || (unsigned char)*c > 126)
			*c = '?';
	put(frame, style, text);
}

/* The two largest units: "1d23h", "45m", "12s". */
static void format_span(int64_t us, char text_out[16])
{
	int64_t s = MAX(us, 0) / US_PER_SECOND;

	if (s >= 86400)
		snprintf(text_out, 16, "%dd%dh", (int)(s / 86400), (int)(s % 86400 / 3600));
	else if (s >= 3600)
		snprintf(text_out, 16, "%dh%dm", (int)(s / 3600), (int)(s % 3600 / 60));
	else if (s >= 60)
		snprintf(text_out, 16, "%dm%ds", (int)(s / 60), (int)(s % 60));
	else
		snprintf(text_out, 16, "%ds", (int)s);
}

static void format_until(json_t *object, const char *name, int64_t now_us, char text_out[16])
{
	int64_t at_us = cli_time_us(object, name);

	text_out[0] = '\0';
	if (at_us > 0)
		format_span(at_us - now_us, text_out);
}

/* How much a count of the trend has grown, per minute, over its last minute; -1: not known yet. */
static int64_t rate_of(json_t *trend, const char *name)
{
	json_t *at = json_object_get(trend, "at"), *counts = json_object_get(trend, name);
	size_t last = json_array_size(at), first;
	int64_t seconds = 0, grown;

	if (last < 2)
		return -1;
	first = --last;
	while (first > 0 && seconds < RATE_OVER_S) {
		first--;
		seconds = json_integer_value(json_array_get(at, last)) -
		          json_integer_value(json_array_get(at, first));
	}
	grown = json_integer_value(json_array_get(counts, last)) -
	        json_integer_value(json_array_get(counts, first));
	return seconds > 0 ? grown * 60 / seconds : -1;
}

static void add_head(struct frame *frame)
{
	const struct top_news *news = frame->view->news;
	json_t *queue = json_object_get(news->status, "queue");
	int64_t in = rate_of(news->trend, "accepted"), out = rate_of(news->trend, "delivered");
	struct buffer text = { 0 };
	char up[16];

	format_span(frame->view->now_us - cli_time_us(news->status, "started"), up);
	buffer_printf(&text, "outlast %s up %s  queue %lld", cli_string(news->status, "version"),
	              up, (long long)cli_number(queue, "messages"));
	if (in >= 0 && out >= 0)
		buffer_printf(&text, "  in %lld out %lld/min", (long long)in, (long long)out);
	buffer_printf(&text, "  expired %lld  closed %lld/%lld",
	              (long long)cli_number(queue, "expired"),
	              (long long)cli_number(queue, "sites_closed"),
	              (long long)cli_number(queue, "sites"));
	add(frame, style_bold, "%.*s", BYTES_FORMAT(buffer_bytes(&text)));
	buffer_deinit(&text);
}

static void add_causes(struct frame *frame)
{
	json_t *queue = json_object_get(frame->view->news->status, "queue"), *count;
	char line[LINE_MAX_BYTES] = "waits for", one[64];
	const char *cause;

	json_object_foreach(json_object_get(queue, "causes"), cause, count)
	{
		if (strcmp(cause, "none") == 0)
			continue;
		snprintf(one, sizeof one, "  %s %lld", cause, (long long)json_integer_value(count));
		if (strlen(line) + strlen(one) >= (size_t)MIN(frame->view->width, LINE_MAX_BYTES)) {
			add(frame, style_none, "%s", line);
			strcpy(line, "         ");
		}
		strcat(line, one);
	}
	add(frame, style_none, "%s", line);
}

static void add_forecast(struct frame *frame)
{
	json_t *forecast = frame->view->news->forecast;
	json_t *expiring = json_object_get(forecast, "expiring");
	bool is_bad = cli_number(expiring, "24h") > 0;

	if (!*cli_string(forecast, "at"))
		return;
	add(frame, is_bad ? style_warn : style_none,
	    "expires if nothing changes  within 1h %lld  6h %lld  24h %lld",
	    (long long)cli_number(expiring, "1h"), (long long)cli_number(expiring, "6h"),
	    (long long)cli_number(expiring, "24h"));
}

static void add_incidents(struct frame *frame)
{
	json_t *list = json_object_get(frame->view->news->incidents, "incidents"), *incident;
	int lasting = 0;
	size_t i;

	json_array_foreach(list, i, incident)
	{
		const char *site = cli_string(incident, "site");
		char span[16];

		if (*cli_string(incident, "end") || ++lasting > INCIDENTS_SHOWN)
			continue;
		format_span(cli_number(incident, "seconds") * US_PER_SECOND, span);
		add(frame, style_bad, "incident  %s: %s for %s, %lld hurt, %lld expired",
		    *site ? site : cli_string(incident, "destination"),
		    cli_string(incident, "cause"), span, (long long)cli_number(incident, "hurt"),
		    (long long)cli_number(incident, "expired"));
	}
	if (lasting > INCIDENTS_SHOWN)
		add(frame, style_bad, "incident  and %d more", lasting - INCIDENTS_SHOWN);
}

static int64_t waiting_of(json_t *destination)
{
	json_t *recipients = json_object_get(destination, "recipients");

	return cli_number(recipients, "queued") + cli_number(recipients, "delivering") +
	       cli_number(recipients, "held");
}

static const char *state_of(json_t *destination)
{
	const char *state = cli_string(json_object_get(destination, "site"), "state");

	if (json_is_true(json_object_get(destination, "suspended")))
		return "suspended";
	return *state ? state : "unresolved";
}

/* Why most of its mail waits. */
static const char *cause_of(json_t *destination)
{
	const char *worst = "", *cause;
	int64_t most = 0;
	json_t *count;

	json_object_foreach(json_object_get(destination, "causes"), cause, count)
	{
		if (json_integer_value(count) <= most)
			continue;
		most = json_integer_value(count);
		worst = cause;
	}
	return worst;
}

static void add_row(struct frame *frame, json_t *destination, bool is_selected)
{
	json_t *site = json_object_get(destination, "site");
	int width = MAX(frame->view->width - FIXED_COLUMNS, 10);
	const char *state = state_of(destination), *style = style_none;
	char probe[16], deadline[16];

	if (strcmp(state, "closed") == 0 || strcmp(state, "unresolved") == 0)
		style = style_bad;
	else if (strcmp(state, "open") != 0)
		style = style_warn;
	format_until(site, "next_probe", frame->view->now_us, probe);
	format_until(destination, "next_deadline", frame->view->now_us, deadline);
	add(frame, is_selected ? style_chosen : style,
	    "%-*.*s %-10.10s %-13.13s %8lld %8lld %7s %9s", width, width,
	    cli_string(destination, "destination"), state, cause_of(destination),
	    (long long)waiting_of(destination), (long long)cli_number(destination, "expired"),
	    probe, deadline);
}

static int compare(json_t *a, json_t *b, enum top_order order)
{
	const char *deadlines[2] = { cli_string(a, "next_deadline"),
		                     cli_string(b, "next_deadline") };
	int64_t difference = 0;

	if (order == TOP_BY_WAITING)
		difference = waiting_of(b) - waiting_of(a);
	else if (order == TOP_BY_EXPIRED)
		difference = cli_number(b, "expired") - cli_number(a, "expired");
	else if (order == TOP_BY_DEADLINE && *deadlines[0] && *deadlines[1])
		difference = strcmp(deadlines[0], deadlines[1]);
	else if (order == TOP_BY_DEADLINE)
		difference = (*deadlines[1] != '\0') - (*deadlines[0] != '\0');
	if (difference == 0)
		return strcmp(cli_string(a, "destination"), cli_string(b, "destination"));
	return difference < 0 ? -1 : 1;
}

static int compare_by(const void *a, const void *b, void *order)
{
	return compare(*(json_t *const *)a, *(json_t *const *)b, *(enum top_order *)order);
}

json_t **top_sorted(const struct top_news *news, enum top_order order, size_t *count_out)
{
	json_t *list = json_object_get(news->destinations, "destinations");
	size_t count = json_array_size(list);
	json_t **sorted = alloc_zeroed((count + 1) * sizeof *sorted);

	for (size_t i = 0; i < count; i++)
		sorted[i] = json_array_get(list, i);
	qsort_r(sorted, count, sizeof *sorted, compare_by, &order);
	*count_out = count;
	return sorted;
}

/* The rows from the one on which the chosen row is still seen. */
static void add_table(struct frame *frame)
{
	const struct top_view *view = frame->view;
	int width = MAX(view->width - FIXED_COLUMNS, 10), room, first;
	size_t count;
	json_t **sorted = top_sorted(view->news, view->order, &count);

	add(frame, style_none, "%s", "");
	add(frame, style_dim, "%-*s %-10s %-13s %8s %8s %7s %9s", width, "DESTINATION", "STATE",
	    "CAUSE", "WAITING", "EXPIRED", "PROBE", "DEADLINE");
	room = view->height - 1 - frame->lines;
	first = view->height > 0 ? MAX(0, view->selected - MAX(room, 1) + 1) : 0;
	for (int i = first; i < (int)count; i++)
		add_row(frame, sorted[i], i == view->selected);
	alloc_free(sorted);
}

void top_frame(const struct top_view *view, struct buffer *out)
{
	struct frame frame = { .view = view, .out = out };

	add_head(&frame);
	add_causes(&frame);
	add_forecast(&frame);
	add_incidents(&frame);
	add_table(&frame);
	if (view->height == 0)
		return;
	while (!is_full(&frame))
		add(&frame, style_none, "%s", "");
	buffer_append_text(out, style_dim);
	buffer_append(out, bytes_first(bytes_of(*view->footer ? view->footer
	                                                      : "q quit  sort: w waiting n name "
	                                                        "d deadline e expired  act: s "
	                                                        "suspend/resume r retry x extend"),
	                               (size_t)view->width));
	buffer_append_text(out, STYLE_END "\033[K");
}
