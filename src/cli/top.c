/* top: how the relay stands, live on a terminal, with keys to sort and to act. */
#include "cli/top.h"
#include "base/alloc.h"
#include "base/macros.h"
#include "base/units.h"
#include "cli/cli.h"
#include "http/http.h"
#include "runtime/clock.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#define REFRESH_US (2 * US_PER_SECOND)

static const char to_screen[] = "\033[?1049h\033[?25l", from_screen[] = "\033[?25h\033[?1049l";

/* What a key asks for, until it is confirmed. */
struct wish {
	char path[400];
	json_t *body; /* NULL: there is none */
};

struct top {
	const struct cli_options *options;
	struct top_news news;
	enum top_order order;
	int selected;
	struct wish wish;
	char footer[300];
	char problem[300]; /* why there is no news; "" while there is */
	bool is_over;
};

static volatile sig_atomic_t is_stopped;

static void on_signal(int number)
{
	is_stopped = number != SIGWINCH;
}

static void release_news(struct top_news *news)
{
	json_decref(news->status);
	json_decref(news->trend);
	json_decref(news->forecast);
	json_decref(news->incidents);
	json_decref(news->destinations);
	*news = (struct top_news){ 0 };
}

/* All or nothing: the last picture stays while the relay does not answer. */
static int ask_news(const struct cli_options *options, struct top_news *news, struct err *err)
{
	struct top_news fresh = {
		.status = cli_try(options, "GET", "/v1/status", NULL, err),
		.trend = cli_try(options, "GET", "/v1/trend?span=1h", NULL, err),
		.forecast = cli_try(options, "GET", "/v1/forecast", NULL, err),
		.incidents = cli_try(options, "GET", "/v1/incidents", NULL, err),
		.destinations = cli_try(options, "GET", "/v1/destinations", NULL, err),
	};

	if (!fresh.status || !fresh.trend || !fresh.forecast || !fresh.incidents ||
	    !fresh.destinations) {
		release_news(&fresh);
		return err->code;
	}
	release_news(news);
	*news = fresh;
	return 0;
}

static void draw(const struct top *top, int height)
{
	struct winsize size = { .ws_col = 80, .ws_row = 24 };
	struct top_view view = { .news = &top->news,
		                 .order = top->order,
		                 .selected = top->selected,
		                 .is_plain = height == 0,
		                 .footer = *top->problem ? top->problem : top->footer,
		                 .now_us = clock_now_us() };
	struct buffer text = { 0 };

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
		size = (struct winsize){ .ws_col = 80, .ws_row = 24 };
	view.width = MAX(size.ws_col, 20);
	view.height = height == 0 ? 0 : MAX(size.ws_row, 5);
	if (height != 0)
		buffer_append_text(&text, "\033[H");
	top_frame(&view, &text);
	fwrite(text.at, 1, text.len, stdout);
	fflush(stdout);
	buffer_deinit(&text);
}

static json_t *chosen(const struct top *top)
{
	size_t count;
	json_t **sorted = top_sorted(&top->news, top->order, &count);
	json_t *one = top->selected >= 0 && top->selected < (int)count ? sorted[top->selected]
	                                                               : NULL;

	alloc_free(sorted);
	return one;
}

/* Asks the relay how many it would be, and the reader whether to do it. */
static void preview(struct top *top, const char *what, const char *domain)
{
	json_t *body = json_deep_copy(top->wish.body), *answer;
	struct err err = { 0 };

	json_object_set_new(body, "dry_run", json_true());
	answer = cli_try(top->options, "POST", top->wish.path, body, &err);
	if (!answer) {
		snprintf(top->footer, sizeof top->footer, "%s", err.text);
		json_decref(top->wish.body);
		top->wish.body = NULL;
		return;
	}
	snprintf(top->footer, sizeof top->footer, "%s %lld messages to %s? y: yes, another key: no",
	         what, (long long)cli_number(answer, "matched"), domain);
	json_decref(answer);
}

static void wish_for_mail(struct top *top, const char *domain, char key)
{
	bool is_extend = key == 'x';

	snprintf(top->wish.path, sizeof top->wish.path, "/v1/messages/%s",
	         is_extend ? "deadlines" : "actions");
	top->wish.body = json_pack("{s:s, s:{s:s}}", "action", is_extend ? "extend" : "retry",
	                           "filter", "destination", domain);
	if (is_extend)
		json_object_set_new(top->wish.body, "amount", json_string("24h"));
	preview(top, is_extend ? "extend by 24h" : "retry", domain);
}

static void wish_for_destination(struct top *top, json_t *destination)
{
	const char *domain = cli_string(destination, "destination");
	bool is_suspended = json_is_true(json_object_get(destination, "suspended"));
	struct buffer name = { 0 };

	http_escape(bytes_of(domain), &name);
	snprintf(top->wish.path, sizeof top->wish.path, "/v1/destinations/%.*s/%s",
	         BYTES_FORMAT(buffer_bytes(&name)), is_suspended ? "resume" : "suspend");
	buffer_deinit(&name);
	top->wish.body = json_pack("{s:s}", "reason", "");
	snprintf(top->footer, sizeof top->footer, "%s %.200s? y: yes, another key: no",
	         is_suspended ? "resume" : "suspend", domain);
}

static void carry_out(struct top *top, bool is_confirmed)
{
	struct err err = { 0 };
	json_t *answer;

	snprintf(top->footer, sizeof top->footer, "nothing was done");
	if (is_confirmed) {
		answer = cli_try(top->options, "POST", top->wish.path, top->wish.body, &err);
		snprintf(top->footer, sizeof top->footer, "%s", answer ? "done" : err.text);
		json_decref(answer);
	} else {
		json_decref(top->wish.body);
	}
	top->wish.body = NULL;
}

static void act(struct top *top, char key)
{
	json_t *destination = chosen(top);

	if (!destination)
		snprintf(top->footer, sizeof top->footer, "choose a destination with up and down");
	else if (key == 's')
		wish_for_destination(top, destination);
	else
		wish_for_mail(top, cli_string(destination, "destination"), key);
}

static void move(struct top *top, int by)
{
	int count = (int)json_array_size(json_object_get(top->news.destinations, "destinations"));

	top->selected = MAX(MIN(top->selected + by, count - 1), count > 0 ? 0 : -1);
}

static void press(struct top *top, char key)
{
	static const char orders[TOP_ORDERS + 1] = "wnde";
	const char *order = strchr(orders, key);

	if (top->wish.body) {
		carry_out(top, key == 'y');
		return;
	}
	top->footer[0] = '\0';
	if (key == 'q')
		top->is_over = true;
	else if (order)
		top->order = (enum top_order)(order - orders);
	else if (key == 'k')
		move(top, -1);
	else if (key == 'j')
		move(top, 1);
	else if (strchr("srx", key))
		act(top, key);
}

/* Several keys may come at once; the arrows are three bytes each. */
static void press_each(struct top *top, const char *keys)
{
	while (*keys) {
		bool is_arrow = strncmp(keys, "\033[A", 3) == 0 || strncmp(keys, "\033[B", 3) == 0;

		press(top, !is_arrow ? keys[0] : keys[2] == 'A' ? 'k' : 'j');
		keys += is_arrow ? 3 : 1;
	}
}

/* Until `until_us`, a key, or another size of the window. */
static void wait_for_key(struct top *top, int64_t until_us)
{
	struct pollfd input = { .fd = STDIN_FILENO, .events = POLLIN };
	int64_t left_us = MAX(until_us - clock_now_us(), 0);
	char keys[16] = "";
	ssize_t got;

	if (poll(&input, 1, (int)(left_us / US_PER_MS) + 1) <= 0)
		return;
	got = read(STDIN_FILENO, keys, sizeof keys - 1);
	if (got > 0)
		press_each(top, keys);
	else if (got == 0 || errno != EINTR)
		top->is_over = true; /* the terminal is gone */
}

static void run(struct top *top)
{
	int64_t next_us = clock_now_us() + REFRESH_US;

	while (!top->is_over && !is_stopped) {
		struct err err = { 0 };

		draw(top, 1);
		wait_for_key(top, next_us);
		if (clock_now_us() < next_us && strcmp(top->footer, "done") != 0)
			continue;
		ask_news(top->options, &top->news, &err);
		snprintf(top->problem, sizeof top->problem, "%s", err.text);
		next_us = clock_now_us() + REFRESH_US;
	}
}

static int run_on_terminal(struct top *top)
{
	struct sigaction action = { .sa_handler = on_signal };
	struct termios before, raw;

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO) || tcgetattr(STDIN_FILENO, &before) < 0)
		return cli_usage("top", "a terminal is needed; --once prints one picture");
	raw = before;
	raw.c_lflag &= (tcflag_t) ~(ICANON | ECHO);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	sigaction(SIGWINCH, &action, NULL);
	tcsetattr(STDIN_FILENO, TCSANOW, &raw);
	fputs(to_screen, stdout);
	run(top);
	fputs(from_screen, stdout);
	fflush(stdout);
	tcsetattr(STDIN_FILENO, TCSANOW, &before);
	json_decref(top->wish.body);
	return 0;
}

static void print_as_json(const struct top_news *news)
{
	json_t *all = json_pack("{s:O, s:O, s:O, s:O, s:O}", "status", news->status, "trend",
	                        news->trend, "forecast", news->forecast, "incidents",
	                        json_object_get(news->incidents, "incidents"), "destinations",
	                        json_object_get(news->destinations, "destinations"));

	cli_print_json(all);
	json_decref(all);
}

int cli_top(int argc, char **argv)
{
	struct cli_options options;
	struct top top = { .options = &options, .selected = -1 };
	struct err err = { 0 };
	int result = 0;

	if (cli_parse(argc, argv, "once", &options) < 0)
		return 2;
	if (options.first != argc)
		return cli_usage(argv[0], "\"%s\": no argument is wanted", argv[options.first]);
	if (ask_news(&options, &top.news, &err) < 0) {
		fprintf(stderr, "outlast: %s\n", err.text);
		return 1;
	}
	if (options.is_json)
		print_as_json(&top.news);
	else if (options.is_once)
		draw(&top, 0);
	else
		result = run_on_terminal(&top);
	release_news(&top.news);
	return result;
}
