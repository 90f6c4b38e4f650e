/* What operators ask for, and what the queue shows them. */
#include "support/check.h"
#include "unit/queue/desk.h"

static const char config[] = "defaults { schedule 10m 20m 30m; jitter_percent 0; lifetime 2h;\n"
			     "  delay_notice 0; probe 10s; }";

/* One message, tried once and deferred. */
static uint64_t open_deferred(struct desk *desk)
{
	uint64_t id;

	desk_open(desk, config);
	id = desk_send(desk, "x@b.test");
	desk_route(desk, "b.test", "mx.test");
	desk_done(desk, desk_job(desk), outcome_deferred(CAUSE_GREYLISTED));
	return id;
}

static int64_t next_s(struct desk *desk, uint64_t id)
{
	return (desk_view(desk, id, 0).next_us - desk->now_us) / US_PER_SECOND;
}

/* A retry by hand costs nothing: the planned one comes when it would have come. */
static void test_retry(void)
{
	struct desk desk;
	uint64_t id = open_deferred(&desk);

	desk_wait(&desk, 4 * US_PER_MINUTE);
	desk_command(&desk, COMMAND_RETRY, id, "");
	CHECK_INT("now", desk_count(&desk, ACTION_DELIVER), 1);
	desk_done(&desk, desk_job(&desk), outcome_deferred(CAUSE_GREYLISTED));
	CHECK_INT("as planned", next_s(&desk, id), 360);
	desk_wait(&desk, 6 * US_PER_MINUTE);
	desk_done(&desk, desk_job(&desk), outcome_deferred(CAUSE_GREYLISTED));
	CHECK_INT("the second wait", next_s(&desk, id), 1200);
	CHECK_INT("attempts", desk_view(&desk, id, 0).attempts, 3);
	desk_wait(&desk, 20 * US_PER_MINUTE);
	desk_done(&desk, desk_job(&desk), outcome_deferred(CAUSE_GREYLISTED));
	CHECK_INT("the third wait", next_s(&desk, id), 1800);
	desk_close(&desk);
}

static void test_hold_and_release(void)
{
	struct desk desk;
	uint64_t id = open_deferred(&desk);

	desk_command(&desk, COMMAND_HOLD, id, "");
	CHECK_INT("held", desk_view(&desk, id, 0).state, RECIPIENT_HELD);
	CHECK_INT("recorded", desk_count(&desk, ACTION_RECORD), 1);
	desk_wait(&desk, 5 * US_PER_MINUTE);
	desk_command(&desk, COMMAND_RETRY, id, "");
	CHECK_INT("stays", desk_view(&desk, id, 0).state, RECIPIENT_HELD);
	desk_command(&desk, COMMAND_RELEASE, id, "");
	CHECK_INT("goes on", next_s(&desk, id), 300);
	CHECK_INT("booked", desk_view(&desk, id, 0).ledger.seconds[CAUSE_HELD], 300);
	desk_command(&desk, COMMAND_HOLD, id, "");
	desk_wait(&desk, 50 * US_PER_MINUTE);
	desk_command(&desk, COMMAND_RELEASE, id, "");
	CHECK_INT("overdue: now", desk_count(&desk, ACTION_DELIVER), 1);
	desk_close(&desk);
}

static void test_end(void)
{
	static const struct {
		const char *name;
		enum command_kind kind;
		int notices, removed;
		enum log_kind logged;
	} rows[] = { { "cancel", COMMAND_CANCEL, 0, 1, LOGGED_CANCELLED },
		     { "expire", COMMAND_EXPIRE, 1, 0, LOGGED_EXPIRED } };

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct desk desk;
		uint64_t id = open_deferred(&desk);

		desk_command(&desk, rows[i].kind, id, "");
		CHECK_INT(rows[i].name, desk_count(&desk, ACTION_NOTICE), rows[i].notices);
		CHECK_INT(rows[i].name, desk_count(&desk, ACTION_VAULT), rows[i].removed);
		CHECK_INT(rows[i].name, desk_logged(&desk, rows[i].logged), 1);
		if (rows[i].notices)
			CHECK_TRUE("says so", desk_find(&desk, ACTION_NOTICE)
			                              ->notice.recipients[0]
			                              .is_by_operator);
		desk_close(&desk);
	}
}

/* During an attempt a command waits for the result, which may make it idle. */
static void test_during_an_attempt(void)
{
	static const struct {
		const char *name;
		enum command_kind kind;
		bool is_delivered;
		enum recipient_state want; /* RECIPIENT_STATES: gone */
	} rows[] = { { "hold", COMMAND_HOLD, false, RECIPIENT_HELD },
		     { "hold, delivered", COMMAND_HOLD, true, RECIPIENT_STATES },
		     { "cancel", COMMAND_CANCEL, false, RECIPIENT_STATES },
		     { "cancel, delivered", COMMAND_CANCEL, true, RECIPIENT_STATES },
		     { "expire", COMMAND_EXPIRE, false, RECIPIENT_EXPIRED } };

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct desk desk;
		uint64_t id;

		desk_open(&desk, config);
		id = desk_send(&desk, "x@b.test");
		desk_route(&desk, "b.test", "mx.test");
		desk_command(&desk, rows[i].kind, id, "");
		CHECK_INT(rows[i].name, desk_view(&desk, id, 0).state, RECIPIENT_DELIVERING);
		desk_done(&desk, 1,
		          rows[i].is_delivered ? outcome_delivered()
		                               : outcome_deferred(CAUSE_MAILBOX_BUSY));
		CHECK_INT(rows[i].name, desk_logged(&desk, LOGGED_DELIVERED), rows[i].is_delivered);
		CHECK_INT(rows[i].name, desk_view(&desk, id, 0).state, rows[i].want);
		desk_close(&desk);
	}
}

static void test_extend(void)
{
	struct event shorten = { .kind = EVENT_COMMAND };
	struct desk desk;
	uint64_t id = open_deferred(&desk);

	CHECK_TRUE("lifetime",
	           desk_view(&desk, id, 0).deadline_us == desk.now_us + 2 * US_PER_HOUR);
	desk_command(&desk, COMMAND_EXTEND, id, "");
	CHECK_TRUE("one more",
	           desk_view(&desk, id, 0).deadline_us == desk.now_us + 3 * US_PER_HOUR);
	CHECK_INT("recorded", desk_count(&desk, ACTION_RECORD), 1);
	shorten.command.kind = COMMAND_EXTEND;
	shorten.command.id = id;
	shorten.command.extension_us = -10 * US_PER_HOUR;
	desk_step(&desk, &shorten);
	desk_wait(&desk, 0);
	CHECK_INT("at once", desk_logged(&desk, LOGGED_EXPIRED), 1);
	desk_close(&desk);
}

/* After the last attempt an extension plans another. */
static void test_extend_at_the_end(void)
{
	struct desk desk;
	uint64_t id = open_deferred(&desk);

	for (int i = 0; i < 5; i++) {
		desk_wait(&desk, desk_view(&desk, id, 0).next_us - desk.now_us);
		desk_route(&desk, "b.test", "mx.test");
		desk_done(&desk, (uint64_t)i + 2, outcome_deferred(CAUSE_SOFT_OTHER));
	}
	CHECK_TRUE("that was the last",
	           desk_view(&desk, id, 0).next_us == desk_view(&desk, id, 0).deadline_us);
	desk_command(&desk, COMMAND_EXTEND, id, "");
	CHECK_INT("another", next_s(&desk, id), 1800);
	desk_close(&desk);
}

/* By filter: slice by slice, and only those that are meant. */
static void test_by_filter(void)
{
	struct event event = { .kind = EVENT_COMMAND };
	struct filter filter = { .destination = BYTES_LITERAL("*.b.test") };
	struct queue_totals totals;
	struct desk desk;
	char to[64];

	desk_open(&desk, config);
	for (int i = 0; i < 6000; i++) {
		snprintf(to, sizeof to, "x@d%d.%s.test", i % 7, i % 2 ? "b" : "c");
		desk_send(&desk, to);
	}
	event.command.kind = COMMAND_HOLD;
	event.command.filter = &filter;
	desk_step(&desk, &event);
	CHECK_TRUE("not all at once", desk_count(&desk, ACTION_RECORD) <= 2000);
	CHECK_TRUE("wants to go on", queue_next_us(desk.queue) <= desk.now_us);
	desk_wait(&desk, 0);
	queue_totals(desk.queue, &totals);
	CHECK_INT("held", totals.counts[RECIPIENT_HELD], 3000);
	CHECK_INT("by cause", totals.by_cause[CAUSE_HELD], 3000);
	desk_close(&desk);
}

static void test_list(void)
{
	struct desk desk;
	struct filter filter = { 0 };
	uint64_t ids[10], cursor = 0;
	size_t count;

	desk_open(&desk, config);
	for (int i = 0; i < 10; i++)
		desk_send(&desk, i % 2 ? "x@b.test" : "x@c.test");
	filter.destination = BYTES_LITERAL("c.test");
	count = queue_list(desk.queue, &filter, desk.now_us, 3, 100, &cursor, ids);
	CHECK_INT("limit", count, 3);
	desk_command(&desk, COMMAND_CANCEL, ids[0], "");
	desk_send(&desk, "x@b.test");
	count += queue_list(desk.queue, &filter, desk.now_us, 7, 100, &cursor, &ids[count]);
	CHECK_INT("all", count, 5);
	CHECK_TRUE("end", cursor == 0);
	for (size_t i = 1; i < count; i++)
		CHECK_TRUE("once", ids[i] > ids[i - 1]);
	filter.destination = (struct bytes){ 0 };
	filter.older_us = US_PER_MINUTE;
	CHECK_INT("none is older",
	          queue_list(desk.queue, &filter, desk.now_us, 10, 100, &cursor, ids), 0);
	CHECK_INT("now they are",
	          queue_list(desk.queue, &filter, desk.now_us + US_PER_HOUR, 10, 100, &cursor, ids),
	          10);
	desk_close(&desk);
}

/* A new configuration applies to what is queued. */
static void test_config(void)
{
	struct event event = { .kind = EVENT_CONFIG };
	struct buffer problems = { 0 };
	struct config *shorter;
	struct desk desk;
	uint64_t id = open_deferred(&desk);

	config_parse("new", bytes_of("defaults { lifetime 5m; delay_notice 0; }"), &shorter,
	             &problems);
	event.config = shorter;
	desk_step(&desk, &event);
	config_release(shorter);
	CHECK_TRUE("deadline",
	           desk_view(&desk, id, 0).deadline_us == desk.now_us + 5 * US_PER_MINUTE);
	desk_wait(&desk, 6 * US_PER_MINUTE);
	CHECK_INT("expired", desk_logged(&desk, LOGGED_EXPIRED), 1);
	desk_close(&desk);
}

TEST_MAIN(test_retry, test_hold_and_release, test_end, test_during_an_attempt, test_extend,
          test_extend_at_the_end, test_by_filter, test_list, test_config)
