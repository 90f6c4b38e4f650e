/* When the sender hears of it: by the clock, by the forecast, and that it was delivered after all.
 */
#include "support/check.h"
#include "unit/queue/desk.h"
#include <stdio.h>

static const struct notice *last_notice(const struct desk *desk)
{
	const struct action *action = desk_find(desk, ACTION_NOTICE);

	return action ? &action->notice : NULL;
}

/* One message whose site is down; its delay notice is made. */
static uint64_t send_delayed(struct desk *desk, const char *config)
{
	uint64_t id;

	desk_open(desk, config);
	id = desk_send(desk, "x@b.test");
	desk_route(desk, "b.test", "mx.test");
	desk_done(desk, desk_job(desk), outcome_site(CAUSE_HOST_DOWN));
	desk_wait(desk, 21 * US_PER_MINUTE);
	CHECK_INT("a delay notice", desk_count(desk, ACTION_NOTICE), 1);
	desk_notice_done(desk, last_notice(desk)->number, true);
	desk_wait(desk, 10 * US_PER_MINUTE);
	CHECK_TRUE("a probe", desk_job(desk) != 0);
	return id;
}

#define SLOW "lifetime 5h; delay_notice 20m; probe 30m; jitter_percent 0;"

static void test_delivered_after_all(void)
{
	const struct notice *notice;
	struct desk desk;
	uint64_t id = send_delayed(&desk, "defaults { " SLOW " delivered_notice yes; }");

	desk_done(&desk, desk_job(&desk), outcome_delivered());
	notice = last_notice(&desk);
	CHECK_TRUE("one", notice && notice->kind == NOTICE_DELIVERED && notice->id == id);
	CHECK_INT("stays until it is made", desk_count(&desk, ACTION_REMOVE), 0);
	desk_notice_done(&desk, notice->number, true);
	CHECK_INT("then it goes", desk_count(&desk, ACTION_REMOVE), 1);
	CHECK_INT("empty", queue_count(desk.queue), 0);
	desk_close(&desk);
}

/* A crash before that notice is made: it is lost, and the message is not sent again. */
static void test_delivered_and_crashed(void)
{
	struct message *message;
	struct bytes state;
	struct desk desk;
	uint64_t id = send_delayed(&desk, "defaults { " SLOW " delivered_notice yes; }");

	desk_done(&desk, desk_job(&desk), outcome_delivered());
	state = desk_kept(&desk, desk_find(&desk, ACTION_RECORD)->record.state);
	message = desk_message(&desk, "a@out.test", "x@b.test");
	message->id = id;
	desk_restart(&desk);
	desk_load(&desk, message, state);
	CHECK_INT("removed", desk_count(&desk, ACTION_REMOVE), 1);
	desk_wait(&desk, US_PER_HOUR);
	CHECK_INT("not sent again", desk_count(&desk, ACTION_DELIVER), 0);
	message_release(message);
	desk_close(&desk);
}

static void test_no_news_unasked(void)
{
	struct desk desk;

	send_delayed(&desk, "defaults { " SLOW " }");
	desk_done(&desk, desk_job(&desk), outcome_delivered());
	CHECK_INT("not configured", desk_count(&desk, ACTION_NOTICE), 0);
	CHECK_INT("removed", desk_count(&desk, ACTION_REMOVE), 1);
	desk_close(&desk);
	desk_open(&desk, "defaults { " SLOW " delivered_notice yes; }");
	desk_send(&desk, "x@b.test");
	desk_route(&desk, "b.test", "mx.test");
	desk_done(&desk, desk_job(&desk), outcome_delivered());
	CHECK_INT("was not late", desk_count(&desk, ACTION_NOTICE), 0);
	desk_close(&desk);
}

/* The site was down for half an hour once. */
static void remember_half_an_hour(struct desk *desk)
{
	desk_send(desk, "early@c.test");
	desk_route(desk, "c.test", "mx.test");
	desk_done(desk, desk_job(desk), outcome_site(CAUSE_HOST_DOWN));
	desk_wait(desk, 31 * US_PER_MINUTE);
	desk_done(desk, desk_job(desk), outcome_delivered());
	desk_wait(desk, 3 * US_PER_HOUR); /* long enough for the next to be another */
	CHECK_INT("that was no reason", desk_count(desk, ACTION_NOTICE), 0);
}

static const struct {
	const char *name, *keys;
	bool has_past;
	int none_before, there_at; /* minutes */
} rows[] = {
	{ "by the clock", "delay_notice 2h; lifetime 25m;", true, 24, 0 },
	{ "by the clock, long", "delay_notice 2h; lifetime 4h;", true, 119, 122 },
	{ "too short for its past", "delay_notice 2h; delay_notice_by forecast; lifetime 25m;",
	  true, 0, 2 },
	{ "the first is the forecast", "delay_notice 2h; delay_notice_by first; lifetime 25m;",
	  true, 0, 2 },
	{ "the first is the clock", "delay_notice 2h; delay_notice_by first; lifetime 9h;", false,
	  119, 122 },
	{ "it should be back in time", "delay_notice 1m; delay_notice_by forecast; lifetime 4h;",
	  true, 29, 0 },
	{ "longer than ever, half is gone",
	  "delay_notice 1m; delay_notice_by forecast; lifetime 4h;", true, 118, 122 },
	{ "without a past half is gone", "delay_notice 1m; delay_notice_by forecast; lifetime 4h;",
	  false, 118, 122 },
	{ "never", "delay_notice 0; delay_notice_by first; lifetime 4h;", true, 230, 0 },
};

/* Every probe fails; returns how many notices were asked for. */
static int wait_while_down(struct desk *desk, int minutes)
{
	int notices = 0;

	for (int i = 0; i < minutes; i++) {
		desk_wait(desk, US_PER_MINUTE);
		notices += desk_count(desk, ACTION_NOTICE);
		if (desk_count(desk, ACTION_LOOK_UP) > 0)
			desk_route(desk, "b.test", "mx.test");
		if (desk_count(desk, ACTION_DELIVER) > 0)
			desk_done(desk, desk_job(desk), outcome_site(CAUSE_HOST_DOWN));
	}
	return notices;
}

static void test_forecast(void)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct desk desk;
		char config[300];

		snprintf(config, sizeof config,
		         "defaults { probe 30m; jitter_percent 0; notice_lifetime 1h; %s }\n"
		         "destination c.test { lifetime 9h; delay_notice 0; }",
		         rows[i].keys);
		desk_open(&desk, config);
		if (rows[i].has_past)
			remember_half_an_hour(&desk);
		desk_send(&desk, "x@b.test");
		desk_route(&desk, "b.test", "mx.test");
		desk_done(&desk, desk_job(&desk), outcome_site(CAUSE_HOST_DOWN));
		CHECK_INT(rows[i].name, wait_while_down(&desk, rows[i].none_before), 0);
		if (rows[i].there_at)
			CHECK_INT(rows[i].name,
			          wait_while_down(&desk, rows[i].there_at - rows[i].none_before),
			          1);
		desk_close(&desk);
	}
}

/* What a delay notice would say can be asked at any time, and asks for none. */
static void test_preview(void)
{
	struct notice notice;
	struct desk desk;
	uint64_t id;

	desk_open(&desk,
	          "defaults { lifetime 10h; delay_notice 4h; schedule 1h; jitter_percent 0; }");
	id = desk_send(&desk, "a@b.test");
	desk_route(&desk, "b.test", "mx.test");
	desk_done(&desk, desk_job(&desk), outcome_deferred(CAUSE_MAILBOX_FULL));
	CHECK_TRUE("waits", queue_preview_notice(desk.queue, id, desk.now_us, desk.arena, &notice));
	CHECK_INT("one recipient", notice.count, 1);
	CHECK_INT("kind", notice.kind, NOTICE_DELAY);
	CHECK_INT("message", notice.id == id, 1);
	CHECK_INT("cause", notice.recipients[0].cause, CAUSE_MAILBOX_FULL);
	CHECK_INT("next", notice.recipients[0].next_us == desk.now_us + US_PER_HOUR, 1);
	desk_wait(&desk, US_PER_MINUTE);
	CHECK_INT("none was asked for", desk_count(&desk, ACTION_NOTICE), 0);
	CHECK_INT("delay notice", desk_view(&desk, id, 0).is_notified, 0);
	desk_command(&desk, COMMAND_HOLD, id, NULL);
	CHECK_TRUE("held: nobody waits",
	           !queue_preview_notice(desk.queue, id, desk.now_us, desk.arena, &notice));
	CHECK_TRUE("unknown",
	           !queue_preview_notice(desk.queue, id + 1, desk.now_us, desk.arena, &notice));
	desk_close(&desk);
}

TEST_MAIN(test_preview, test_delivered_after_all, test_delivered_and_crashed, test_no_news_unasked,
          test_forecast)
