/* One recipient's way: tried, deferred, warned about, given up, and what people are told. */
#include "support/check.h"
#include "unit/queue/desk.h"

static const char config[] = "defaults { schedule 1m 5m; jitter_percent 0; lifetime 1h;\n"
			     "  delay_notice 20m; probe 10s; recipients_per_message 2; }";

/* A message that has its first job. */
static uint64_t send_routed(struct desk *desk, const char *to)
{
	uint64_t id = desk_send(desk, to);

	CHECK_INT("one look-up", desk_count(desk, ACTION_LOOK_UP), 1);
	CHECK_INT("no job yet", desk_count(desk, ACTION_DELIVER), 0);
	desk_route(desk, "b.test", "mx.test");
	CHECK_INT("job", desk_count(desk, ACTION_DELIVER), 1);
	return id;
}

static void test_delivered(void)
{
	const struct action_deliver *deliver;
	struct desk desk;
	uint64_t id;

	desk_open(&desk, config);
	id = send_routed(&desk, "x@b.test");
	deliver = &desk_find(&desk, ACTION_DELIVER)->deliver;
	CHECK_TRUE("the message", deliver->id == id && deliver->recipient_count == 1);
	CHECK_BYTES("domain", deliver->domain, bytes_of("b.test"));
	CHECK_BYTES("route", bytes_of(deliver->route->name), bytes_of("mx.test"));
	CHECK_TRUE("deadline", deliver->deadline_us == desk.now_us + US_PER_HOUR);
	CHECK_TRUE("ordinary", !deliver->is_probe && !deliver->is_last);
	CHECK_INT("delivering", desk_view(&desk, id, 0).state, RECIPIENT_DELIVERING);
	desk_done(&desk, desk_job(&desk), outcome_delivered());
	CHECK_INT("removed", desk_count(&desk, ACTION_REMOVE), 1);
	CHECK_INT("no record", desk_count(&desk, ACTION_RECORD), 0);
	CHECK_INT("logged", desk_logged(&desk, LOGGED_DELIVERED), 1);
	CHECK_INT("empty", queue_count(desk.queue), 0);
	desk_close(&desk);
}

static void test_deferred(void)
{
	struct recipient_view view;
	struct desk desk;
	uint64_t id;

	desk_open(&desk, config);
	id = send_routed(&desk, "x@b.test");
	desk_done(&desk, desk_job(&desk), outcome_deferred(CAUSE_GREYLISTED));
	CHECK_INT("recorded", desk_count(&desk, ACTION_RECORD), 1);
	view = desk_view(&desk, id, 0);
	CHECK_INT("cause", view.cause, CAUSE_GREYLISTED);
	CHECK_INT("attempts", view.attempts, 1);
	CHECK_INT("next", (view.next_us - desk.now_us) / US_PER_SECOND, 60);
	desk_wait(&desk, 59 * US_PER_SECOND);
	CHECK_INT("not yet", desk_count(&desk, ACTION_DELIVER), 0);
	desk_wait(&desk, 2 * US_PER_SECOND);
	CHECK_INT("again", desk_count(&desk, ACTION_DELIVER), 1);
	CHECK_INT("booked", desk_view(&desk, id, 0).ledger.seconds[CAUSE_GREYLISTED], 60);
	desk_done(&desk, desk_job(&desk), outcome_deferred(CAUSE_MAILBOX_FULL));
	CHECK_INT("second wait", (desk_view(&desk, id, 0).next_us - desk.now_us) / US_PER_SECOND,
	          300);
	desk_close(&desk);
}

static void test_failed(void)
{
	const struct notice *notice;
	struct desk desk;
	uint64_t number;

	desk_open(&desk, config);
	send_routed(&desk, "x@b.test y@b.test");
	desk_done(&desk, desk_job(&desk), outcome_failed());
	CHECK_INT("one notice for both", desk_count(&desk, ACTION_NOTICE), 1);
	notice = &desk_find(&desk, ACTION_NOTICE)->notice;
	CHECK_TRUE("failure of two", notice->kind == NOTICE_FAILURE && notice->count == 2);
	CHECK_INT("state", notice->recipients[1].state, RECIPIENT_FAILED);
	CHECK_INT("kept until it is on disk", desk_count(&desk, ACTION_REMOVE), 0);
	number = notice->number;
	desk_notice_done(&desk, number, false);
	desk_wait(&desk, 59 * US_PER_SECOND);
	CHECK_INT("not yet", desk_count(&desk, ACTION_NOTICE), 0);
	desk_wait(&desk, 2 * US_PER_SECOND);
	notice = &desk_find(&desk, ACTION_NOTICE)->notice;
	CHECK_TRUE("asked again", notice->number == number);
	CHECK_INT("its time is over", notice->recipients[0].ledger.seconds[CAUSE_NONE], 0);
	desk_notice_done(&desk, number, true);
	CHECK_INT("removed", desk_count(&desk, ACTION_REMOVE), 1);
	desk_close(&desk);
}

static void test_notify(void)
{
	static const struct {
		const char *name;
		uint8_t notify;
		int notices;
	} rows[] = { { "absent", 0, 1 },
		     { "never", NOTIFY_NEVER, 0 },
		     { "delay", NOTIFY_DELAY, 0 },
		     { "failure", NOTIFY_FAILURE, 1 } };

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct message *message;
		struct desk desk;

		desk_open(&desk, config);
		message = desk_message(&desk, "a@out.test", "x@b.test");
		message->recipients[0].notify = rows[i].notify;
		desk_add(&desk, message);
		desk_route(&desk, "b.test", "mx.test");
		desk_done(&desk, desk_job(&desk), outcome_failed());
		CHECK_INT(rows[i].name, desk_count(&desk, ACTION_NOTICE), rows[i].notices);
		CHECK_INT(rows[i].name, desk_count(&desk, ACTION_REMOVE), !rows[i].notices);
		CHECK_INT(rows[i].name, desk_logged(&desk, LOGGED_FAILED), 1);
		desk_close(&desk);
	}
}

/* A job has as many recipients as the limit permits, of one destination. */
static void test_mixed(void)
{
	struct outcome outcomes[2];
	struct event event = { .kind = EVENT_JOB_DONE };
	struct desk desk;
	uint64_t id;

	desk_open(&desk, config);
	id = desk_send(&desk, "x@b.test p@c.test y@b.test z@b.test");
	CHECK_INT("two look-ups", desk_count(&desk, ACTION_LOOK_UP), 2);
	desk_route(&desk, "b.test", "mx.test");
	CHECK_INT("two jobs", desk_count(&desk, ACTION_DELIVER), 2);
	CHECK_INT("the rest", desk_find(&desk, ACTION_DELIVER)->deliver.recipients[0], 3);
	outcomes[0] = outcome_delivered();
	outcomes[1] = outcome_deferred(CAUSE_MAILBOX_FULL);
	event.job_done.job = desk_job(&desk) - 1;
	event.job_done.was_attempted = true;
	event.job_done.outcomes = outcomes;
	event.job_done.outcome_count = 2;
	desk_step(&desk, &event);
	CHECK_INT("delivered", desk_view(&desk, id, 0).state, RECIPIENT_DELIVERED);
	CHECK_INT("queued", desk_view(&desk, id, 2).state, RECIPIENT_QUEUED);
	CHECK_INT("under way", desk_view(&desk, id, 3).state, RECIPIENT_DELIVERING);
	CHECK_INT("recorded", desk_count(&desk, ACTION_RECORD), 1);
	desk_close(&desk);
}

static void fail_every_attempt(struct desk *desk, int64_t us)
{
	int64_t end_us = desk->now_us + us;

	while (desk->now_us < end_us) {
		desk_wait(desk, 100 * US_PER_MS);
		if (desk_job(desk))
			desk_done(desk, desk_job(desk), outcome_deferred(CAUSE_SOFT_OTHER));
	}
}

/* One attempt shortly before the deadline, none after it, and the notice at the deadline. */
static void test_expired(void)
{
	const struct notice *notice;
	struct desk desk;
	uint32_t seconds = 0;
	uint64_t id;

	desk_open(&desk, "defaults { schedule 15m; jitter_percent 0; lifetime 1h; }");
	id = send_routed(&desk, "x@b.test");
	desk_done(&desk, desk_job(&desk), outcome_deferred(CAUSE_SOFT_OTHER));
	fail_every_attempt(&desk, 50 * US_PER_MINUTE);
	CHECK_INT("attempts so far", desk_view(&desk, id, 0).attempts, 4);
	desk_wait(&desk, 9 * US_PER_MINUTE + 500 * US_PER_MS);
	CHECK_TRUE("the last one", desk_find(&desk, ACTION_DELIVER)->deliver.is_last);
	desk_done(&desk, desk_job(&desk), outcome_deferred(CAUSE_SOFT_OTHER));
	CHECK_INT("none after it", desk_count(&desk, ACTION_NOTICE), 0);
	desk_wait(&desk, 62 * US_PER_SECOND);
	CHECK_INT("no attempt", desk_count(&desk, ACTION_DELIVER), 0);
	notice = &desk_find(&desk, ACTION_NOTICE)->notice;
	CHECK_INT("expired", notice->recipients[0].state, RECIPIENT_EXPIRED);
	CHECK_INT("cause", notice->recipients[0].cause, CAUSE_SOFT_OTHER);
	CHECK_INT("attempts", notice->recipients[0].attempts, 5);
	for (int i = 0; i < CAUSE_COUNT; i++)
		seconds += notice->recipients[0].ledger.seconds[i];
	CHECK_INT("ledger", seconds, 3600);
	desk_close(&desk);
}

static void hold(struct desk *desk, uint64_t id)
{
	desk_command(desk, COMMAND_HOLD, id, "");
}

static void suspend(struct desk *desk, uint64_t id)
{
	(void)id;
	desk_command(desk, COMMAND_SUSPEND, 0, "b.test");
}

static void close_site(struct desk *desk, uint64_t id)
{
	uint64_t job = 0;

	(void)id;
	desk_route(desk, "b.test", "mx.test");
	job = desk_job(desk);
	desk_done(desk, job, outcome_site(CAUSE_HOST_DOWN));
}

static void begin_delivery(struct desk *desk, uint64_t id)
{
	(void)id;
	desk_route(desk, "b.test", "mx.test");
}

static void leave_alone(struct desk *desk, uint64_t id)
{
	(void)desk;
	(void)id;
}

/* The deadline comes in every state; during an attempt after its result. */
static void test_expired_in_every_state(void)
{
	static const struct {
		const char *name;
		void (*prepare)(struct desk *desk, uint64_t id);
		enum cause cause;
		int expired;
	} rows[] = { { "not looked up", leave_alone, CAUSE_NONE, 1 },
		     { "held", hold, CAUSE_HELD, 1 },
		     { "suspended", suspend, CAUSE_SUSPENDED, 1 },
		     { "site closed", close_site, CAUSE_HOST_DOWN, 1 },
		     { "delivering", begin_delivery, CAUSE_NONE, 0 } };

	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct action *notice;
		struct desk desk;
		uint64_t id;

		desk_open(&desk, "defaults { lifetime 1m; probe 90s; not_counted none; }");
		id = desk_send(&desk, "x@b.test");
		rows[i].prepare(&desk, id);
		desk_wait(&desk, 61 * US_PER_SECOND);
		CHECK_INT(rows[i].name, desk_logged(&desk, LOGGED_EXPIRED), rows[i].expired);
		notice = desk_find(&desk, ACTION_NOTICE);
		CHECK_INT(rows[i].name, notice != NULL, rows[i].expired);
		if (notice)
			CHECK_INT(rows[i].name, notice->notice.recipients[0].cause, rows[i].cause);
		desk_close(&desk);
	}
}

/* Time that our own operator or our own fault takes does not use up the lifetime; the sum of the
 * ledger is the age all the same. */
static void test_time_not_counted(void)
{
	struct recipient_view view;
	int64_t arrived_us;
	struct desk desk;
	uint64_t id;

	desk_open(&desk, "defaults { lifetime 1m; probe 90s; }");
	id = desk_send(&desk, "x@b.test");
	arrived_us = desk.now_us;
	desk_wait(&desk, 20 * US_PER_SECOND);
	suspend(&desk, id);
	desk_wait(&desk, US_PER_HOUR);
	view = desk_view(&desk, id, 0);
	CHECK_INT("moved on", (view.deadline_us - desk.now_us) / US_PER_SECOND, 40);
	CHECK_INT("cause", view.ledger.seconds[CAUSE_SUSPENDED], 3600);
	desk_command(&desk, COMMAND_RESUME, 0, "b.test");
	desk_wait(&desk, 39 * US_PER_SECOND);
	CHECK_INT("not yet", desk_logged(&desk, LOGGED_EXPIRED), 0);
	desk_wait(&desk, 2 * US_PER_SECOND);
	CHECK_INT("expired", desk_logged(&desk, LOGGED_EXPIRED), 1);
	CHECK_INT("age", (desk.now_us - arrived_us) / US_PER_SECOND, 3661);
	desk_close(&desk);
}

/* An attempt that came to nothing took its time for what ended it. */
static void test_attempt_is_booked(void)
{
	struct desk desk;
	uint64_t id;

	desk_open(&desk, config);
	id = send_routed(&desk, "x@b.test");
	desk.now_us += 90 * US_PER_SECOND;
	desk_done(&desk, desk_job(&desk), outcome_site(CAUSE_HOST_DOWN));
	CHECK_INT("booked", desk_view(&desk, id, 0).ledger.seconds[CAUSE_HOST_DOWN], 90);
	desk_close(&desk);
}

/* Its sender set a time (RFC 4865): not before, not even by hand; the lifetime counts from there.
 */
static void test_release(void)
{
	struct message *message;
	struct desk desk;

	desk_open(&desk, "defaults { lifetime 1h; delay_notice 20m; }");
	message = desk_message(&desk, "a@out.test", "x@b.test");
	message->release_us = desk.now_us + 10 * US_PER_MINUTE;
	desk_add(&desk, message);
	CHECK_INT("no look-up", desk_count(&desk, ACTION_LOOK_UP), 0);
	CHECK_INT("cause", desk_view(&desk, 1, 0).cause, CAUSE_HELD);
	desk_command(&desk, COMMAND_RETRY, 1, "");
	desk_wait(&desk, 599 * US_PER_SECOND);
	CHECK_INT("not yet", desk_count(&desk, ACTION_LOOK_UP), 0);
	desk_wait(&desk, 2 * US_PER_SECOND);
	CHECK_INT("now", desk_count(&desk, ACTION_LOOK_UP), 1);
	CHECK_INT("lifetime", (desk_view(&desk, 1, 0).deadline_us - desk.now_us) / US_PER_SECOND,
	          3599);
	desk_wait(&desk, 1190 * US_PER_SECOND);
	CHECK_INT("no delay notice", desk_count(&desk, ACTION_NOTICE), 0);
	desk_wait(&desk, 20 * US_PER_SECOND);
	CHECK_INT("then one", desk_count(&desk, ACTION_NOTICE), 1);
	desk_close(&desk);
}

static void test_expired_after_result(void)
{
	struct desk desk;

	desk_open(&desk, "defaults { lifetime 1m; }");
	send_routed(&desk, "x@b.test");
	desk.now_us += 2 * US_PER_MINUTE;
	desk_done(&desk, 1, outcome_deferred(CAUSE_NETWORK));
	CHECK_INT("expired", desk_logged(&desk, LOGGED_EXPIRED), 1);
	desk_close(&desk);
}

/* However many deadlines come at the same moment, no attempt begins after its own, and the work is
 * done in slices. */
static void test_many_expire(void)
{
	struct desk desk;

	desk_open(&desk, "defaults { lifetime 1m; connections 1; delay_notice 0; }");
	for (int i = 0; i < 5000; i++)
		desk_send(&desk, "x@b.test");
	desk_route(&desk, "b.test", "mx.test");
	desk.now_us += 2 * US_PER_MINUTE;
	desk_done(&desk, desk_job(&desk), outcome_delivered());
	CHECK_INT("no attempt", desk_count(&desk, ACTION_DELIVER), 0);
	CHECK_TRUE("in slices", desk_logged(&desk, LOGGED_EXPIRED) < 5000);
	CHECK_INT("notices under way", desk_count(&desk, ACTION_NOTICE), 1000);
	desk_wait(&desk, 0);
	CHECK_INT("no attempt at all", desk_count(&desk, ACTION_DELIVER), 0);
	for (uint64_t number = 1; number <= 4999; number++)
		desk_notice_done(&desk, number, true);
	CHECK_INT("all told", queue_count(desk.queue), 0);
	desk_close(&desk);
}

static void test_many_delayed(void)
{
	struct desk desk;
	int more = 0;

	desk_open(&desk, "defaults { lifetime 1h; delay_notice 10m; }");
	for (int i = 0; i < 1500; i++)
		desk_send(&desk, "x@b.test");
	desk_wait(&desk, 10 * US_PER_MINUTE);
	CHECK_INT("under way", desk_count(&desk, ACTION_NOTICE), 1000);
	for (uint64_t number = 1; number <= 1000; number++)
		desk_notice_done(&desk, number, true);
	desk_wait(&desk, 2 * US_PER_SECOND);
	more = desk_count(&desk, ACTION_NOTICE);
	CHECK_INT("the rest", more, 500);
	desk_close(&desk);
}

/* At 20 minutes, once, for all of the message that are due. */
static void test_delay_notice(void)
{
	const struct notice *notice;
	struct desk desk;
	uint64_t id;

	desk_open(&desk, "defaults { lifetime 1h; delay_notice 20m; probe 2h; }");
	id = send_routed(&desk, "x@b.test y@b.test");
	desk_done(&desk, desk_job(&desk), outcome_site(CAUSE_HOST_DOWN));
	desk_wait(&desk, 19 * US_PER_MINUTE);
	CHECK_INT("not yet", desk_count(&desk, ACTION_NOTICE), 0);
	desk_wait(&desk, 2 * US_PER_MINUTE);
	CHECK_INT("one", desk_count(&desk, ACTION_NOTICE), 1);
	notice = &desk_find(&desk, ACTION_NOTICE)->notice;
	CHECK_TRUE("delay of two", notice->kind == NOTICE_DELAY && notice->count == 2);
	CHECK_INT("cause", notice->recipients[0].cause, CAUSE_HOST_DOWN);
	CHECK_TRUE("the site's failure", notice->recipients[0].site_outcome != NULL);
	CHECK_TRUE("not until it is made", !desk_view(&desk, id, 0).is_notified);
	desk_notice_done(&desk, notice->number, true);
	CHECK_TRUE("notified", desk_view(&desk, id, 0).is_notified);
	CHECK_INT("recorded", desk_count(&desk, ACTION_RECORD), 1);
	desk_wait(&desk, 10 * US_PER_MINUTE);
	CHECK_INT("not again", desk_count(&desk, ACTION_NOTICE), 0);
	desk_close(&desk);
}

static void test_no_delay_notice_while_held(void)
{
	struct desk desk;
	uint64_t id;

	desk_open(&desk, config);
	id = desk_send(&desk, "x@b.test");
	hold(&desk, id);
	desk_wait(&desk, 25 * US_PER_MINUTE);
	CHECK_INT("none", desk_count(&desk, ACTION_NOTICE), 0);
	desk_close(&desk);
}

static void test_not_attempted(void)
{
	struct event event = { .kind = EVENT_JOB_DONE };
	struct desk desk;
	uint64_t id;

	desk_open(&desk, config);
	id = send_routed(&desk, "x@b.test");
	event.job_done.job = desk_job(&desk);
	desk_step(&desk, &event);
	CHECK_INT("not at once", desk_count(&desk, ACTION_DELIVER), 0);
	CHECK_INT("cause", desk_view(&desk, id, 0).cause, CAUSE_OWN_FAULT);
	CHECK_INT("no attempt", desk_view(&desk, id, 0).attempts, 0);
	desk_wait(&desk, 6 * US_PER_SECOND);
	CHECK_INT("again", desk_count(&desk, ACTION_DELIVER), 1);
	desk_close(&desk);
}

/* The urgent before the others, and higher priority before both. */
static void test_order(void)
{
	struct message *message;
	uint64_t ids[4];
	struct desk desk;

	desk_open(&desk, "defaults { lifetime 1h; connections 1; probe 30m; delay_notice 0; }");
	desk_wait(&desk, 50 * US_PER_MINUTE);
	ids[1] = desk_send(&desk, "x@b.test");
	ids[2] = desk_send(&desk, "y@b.test");
	message = desk_message(&desk, "a@out.test", "z@b.test");
	message->priority = 3;
	ids[0] = message->id;
	desk_add(&desk, message);
	message = desk_message(&desk, "a@out.test", "old@b.test");
	message->arrived_us -= 50 * US_PER_MINUTE;
	ids[3] = message->id;
	desk_add(&desk, message);
	desk_wait(&desk, 5 * US_PER_MINUTE); /* now this one is urgent */
	desk_route(&desk, "b.test", "mx.test");
	CHECK_TRUE("priority", desk_find(&desk, ACTION_DELIVER)->deliver.id == ids[0]);
	desk_done(&desk, desk_job(&desk), outcome_delivered());
	CHECK_TRUE("urgent", desk_find(&desk, ACTION_DELIVER)->deliver.id == ids[3]);
	desk_done(&desk, desk_job(&desk), outcome_delivered());
	CHECK_TRUE("oldest", desk_find(&desk, ACTION_DELIVER)->deliver.id == ids[1]);
	desk_done(&desk, desk_job(&desk), outcome_delivered());
	CHECK_TRUE("newest", desk_find(&desk, ACTION_DELIVER)->deliver.id == ids[2]);
	desk_close(&desk);
}

TEST_MAIN(test_delivered, test_release, test_deferred, test_failed, test_notify, test_mixed,
          test_expired, test_expired_in_every_state, test_time_not_counted, test_attempt_is_booked,
          test_expired_after_result, test_many_expire, test_many_delayed, test_delay_notice,
          test_no_delay_notice_while_held, test_not_attempted, test_order)
