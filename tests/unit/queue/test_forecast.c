/* What will expire if nothing changes. */
#include "queue/forecast_view.h"
#include "support/check.h"
#include "unit/queue/desk.h"

static struct forecast_view seen;
static int seen_count;

static void look(void *arg, const struct forecast_view *view)
{
	(void)arg;
	seen = *view;
	seen_count++;
}

static void survey(struct desk *desk)
{
	desk_wait(desk, 61 * US_PER_SECOND);
	seen_count = 0;
	CHECK_TRUE("there was one", queue_forecast(desk->queue, desk->now_us, look, NULL) > 0);
}

static void send_many(struct desk *desk, int count)
{
	for (int i = 0; i < count; i++)
		desk_send(desk, "x@b.test");
}

static void test_closed(void)
{
	struct desk desk;

	desk_open(&desk, "defaults { lifetime 5h; delay_notice 0; connections 1; }");
	send_many(&desk, 10);
	desk_route(&desk, "b.test", "mx.test");
	desk_done(&desk, 1, outcome_site(CAUSE_HOST_DOWN));
	survey(&desk);
	CHECK_INT("one site", seen_count, 1);
	CHECK_BYTES("name", bytes_of(seen.site), bytes_of("mx.test"));
	CHECK_INT("cause", seen.cause, CAUSE_HOST_DOWN);
	CHECK_INT("waiting", seen.waiting, 10);
	CHECK_INT("within 1 h", seen.expiring[0], 0);
	CHECK_INT("within 6 h", seen.expiring[1], 10);
	CHECK_INT("no odds without a past", seen.odds_percent[1], -1);
	desk_close(&desk);
}

/* Ten messages a minute, three hundred are due in twenty minutes: a third comes too late. */
static void test_no_window(void)
{
	const struct action *log;
	struct desk desk;

	desk_open(&desk, "defaults { lifetime 40m; delay_notice 0; rate 10/m; }");
	send_many(&desk, 600);
	desk_route(&desk, "b.test", "mx.test");
	survey(&desk);
	CHECK_INT("what binds", seen.limit, LIMIT_RATE);
	CHECK_TRUE("too many", seen.too_many > 190 && seen.too_many < 220);
	CHECK_TRUE("needed", seen.needed_gap_us > 3900000 && seen.needed_gap_us < 4100000);
	log = desk_find(&desk, ACTION_LOG);
	CHECK_INT("warned", desk_logged(&desk, LOGGED_NO_WINDOW), 1);
	CHECK_TRUE("how many", log->log.count == seen.too_many);
	desk_wait(&desk, 2 * US_PER_MINUTE);
	CHECK_INT("once", desk_logged(&desk, LOGGED_NO_WINDOW), 0);
	desk_close(&desk);
}

static void test_own_reasons(void)
{
	struct desk desk;

	desk_open(&desk, "defaults { lifetime 5h; delay_notice 0; }");
	send_many(&desk, 4);
	desk_route(&desk, "b.test", "mx.test");
	desk_done(&desk, 1, outcome_deferred(CAUSE_MAILBOX_FULL));
	desk_done(&desk, 2, outcome_deferred(CAUSE_GREYLISTED));
	desk_command(&desk, COMMAND_HOLD, 3, NULL);
	survey(&desk);
	CHECK_INT("full", seen.expiring[2], 1);
	desk_command(&desk, COMMAND_SUSPEND, 0, "b.test");
	desk_send(&desk, "y@b.test");
	survey(&desk);
	CHECK_INT("time that is not counted", seen.stopped, 1);
	desk_close(&desk);
}

/* A domain that cannot be looked up has no site; the survey goes on where the mail is. */
static void test_no_site(void)
{
	struct desk desk;

	desk_open(&desk, "defaults { lifetime 5h; delay_notice 0; }");
	send_many(&desk, 3);
	desk_no_route(&desk, "b.test", ROUTE_TEMPORARY);
	survey(&desk);
	CHECK_BYTES("domain", seen.domain, bytes_of("b.test"));
	CHECK_INT("within 6 h", seen.expiring[1], 3);
	CHECK_INT("cause", seen.cause, CAUSE_DNS_FAILURE);
	desk_close(&desk);
}

/* Many messages are surveyed in slices; switched off, none is. */
static void test_slices(void)
{
	struct desk desk;

	desk_open(&desk, "defaults { lifetime 5h; delay_notice 0; connections 1; }");
	send_many(&desk, 5001);
	desk_route(&desk, "b.test", "mx.test");
	desk_done(&desk, 1, outcome_site(CAUSE_HOST_DOWN));
	survey(&desk);
	CHECK_INT("all", seen.waiting, 5001);
	desk_close(&desk);
	desk_open(&desk, "forecast 0;");
	send_many(&desk, 3);
	desk_wait(&desk, US_PER_HOUR);
	CHECK_INT("off", queue_forecast(desk.queue, desk.now_us, look, NULL), 0);
	desk_close(&desk);
}

/* What the last survey saw is nothing once the queue is empty, though none comes after it. */
static void test_empty(void)
{
	struct desk desk;
	uint64_t id;

	desk_open(&desk, "defaults { lifetime 5h; delay_notice 0; }");
	id = desk_send(&desk, "x@b.test");
	desk_no_route(&desk, "b.test", ROUTE_TEMPORARY);
	survey(&desk);
	CHECK_INT("one", seen_count, 1);
	desk_command(&desk, COMMAND_CANCEL, id, "");
	survey(&desk);
	CHECK_INT("none", seen_count, 0);
	desk_close(&desk);
}

TEST_MAIN(test_closed, test_no_window, test_own_reasons, test_no_site, test_slices, test_empty)
