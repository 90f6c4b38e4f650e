/* Where mail goes, and what happens when the DNS does not say. */
#include "support/check.h"
#include "unit/queue/desk.h"
#include <stdlib.h>

static const char config[] = "defaults { jitter_percent 0; lifetime 2d; delay_notice 0;\n"
			     "  probe 10s 20s; connections 2; }";

static void test_one_look_up(void)
{
	struct desk desk;

	desk_open(&desk, config);
	desk_send(&desk, "x@b.test");
	desk_send(&desk, "y@b.test");
	CHECK_INT("one in flight", desk_count(&desk, ACTION_LOOK_UP), 0);
	desk_route(&desk, "b.test", "mx.test");
	CHECK_INT("both go", desk_count(&desk, ACTION_DELIVER), 2);
	desk_close(&desk);
}

static void test_look_ups_have_a_limit(void)
{
	struct desk desk;
	int count = 0;
	char to[32];

	desk_open(&desk, config);
	for (int i = 0; i < 300; i++) {
		snprintf(to, sizeof to, "x@d%d.test", i);
		desk_send(&desk, to);
		count += desk_count(&desk, ACTION_LOOK_UP);
	}
	CHECK_INT("in flight", count, 200);
	desk_route(&desk, "d0.test", "mx.test");
	CHECK_INT("the next one", desk_count(&desk, ACTION_LOOK_UP), 1);
	desk_close(&desk);
}

/* Refused at once (standards 1.7); what comes later is refused without asking, until the answer
 * is old. */
static void test_refused(void)
{
	static const enum route_result results[] = { ROUTE_NO_DOMAIN, ROUTE_NULL_MX,
		                                     ROUTE_NO_HOSTS };

	for (size_t i = 0; i < COUNT(results); i++) {
		const struct notice *notice;
		struct desk desk;

		desk_open(&desk, config);
		desk_send(&desk, "x@b.test");
		desk_no_route(&desk, "b.test", results[i]);
		CHECK_INT("notice", desk_count(&desk, ACTION_NOTICE), 1);
		notice = &desk_find(&desk, ACTION_NOTICE)->notice;
		CHECK_INT("failed", notice->recipients[0].state, RECIPIENT_FAILED);
		CHECK_BYTES("status", bytes_of(notice->recipients[0].status), bytes_of("5.1.2"));
		CHECK_BYTES("text", bytes_of(notice->recipients[0].text), bytes_of("DNS said no"));
		desk_send(&desk, "y@b.test");
		CHECK_INT("at once", desk_logged(&desk, LOGGED_FAILED), 1);
		CHECK_INT("not asked", desk_count(&desk, ACTION_LOOK_UP), 0);
		desk_wait(&desk, 2 * US_PER_MINUTE);
		desk_send(&desk, "z@b.test");
		CHECK_INT("asked again", desk_count(&desk, ACTION_LOOK_UP), 1);
		desk_close(&desk);
	}
}

static void test_temporary(void)
{
	static const int waits_s[] = { 10, 20, 20 };
	struct recipient_view view;
	struct desk desk;
	uint64_t id;

	desk_open(&desk, config);
	id = desk_send(&desk, "x@b.test");
	desk_no_route(&desk, "b.test", ROUTE_TEMPORARY);
	for (size_t i = 0; i < COUNT(waits_s); i++) {
		CHECK_INT("waits", desk_count(&desk, ACTION_LOOK_UP), 0);
		desk_wait(&desk, waits_s[i] * US_PER_SECOND - US_PER_MS);
		CHECK_INT("not yet", desk_count(&desk, ACTION_LOOK_UP), 0);
		desk_wait(&desk, US_PER_MS);
		CHECK_INT("asked", desk_count(&desk, ACTION_LOOK_UP), 1);
		desk_no_route(&desk, "b.test", ROUTE_TEMPORARY);
	}
	view = desk_view(&desk, id, 0);
	CHECK_INT("cause", view.cause, CAUSE_DNS_FAILURE);
	CHECK_INT("booked", view.ledger.seconds[CAUSE_DNS_FAILURE], 50);
	desk_wait(&desk, 20 * US_PER_SECOND);
	desk_route(&desk, "b.test", "mx.test");
	CHECK_INT("delivered", desk_count(&desk, ACTION_DELIVER), 1);
	CHECK_INT("stays booked", desk_view(&desk, id, 0).ledger.seconds[CAUSE_DNS_FAILURE], 70);
	desk_close(&desk);
}

/* A domain that resolved before has a day's grace. */
static void test_vanished(void)
{
	struct desk desk;
	uint64_t id;

	desk_open(&desk, config);
	desk_send(&desk, "x@b.test");
	desk_route(&desk, "b.test", "mx.test");
	desk_done(&desk, desk_job(&desk), outcome_delivered());
	desk_wait(&desk, 2 * US_PER_HOUR);
	id = desk_send(&desk, "y@b.test");
	CHECK_INT("looked up before it goes", desk_count(&desk, ACTION_LOOK_UP), 1);
	CHECK_INT("not before", desk_count(&desk, ACTION_DELIVER), 0);
	desk_no_route(&desk, "b.test", ROUTE_NO_DOMAIN);
	CHECK_INT("cause", desk_view(&desk, id, 0).cause, CAUSE_DNS_CHANGED);
	desk_wait(&desk, 23 * US_PER_HOUR);
	desk_no_route(&desk, "b.test", ROUTE_NO_DOMAIN);
	CHECK_INT("in grace", desk_logged(&desk, LOGGED_FAILED), 0);
	desk_wait(&desk, 2 * US_PER_HOUR);
	desk_no_route(&desk, "b.test", ROUTE_NO_DOMAIN);
	CHECK_INT("failed", desk_logged(&desk, LOGGED_FAILED), 1);
	desk_close(&desk);
}

/* All waiting mail moves to the new site at once, and keeps what it was booked at the old one. */
static void test_moved(void)
{
	struct desk desk;
	uint64_t id;

	desk_open(&desk, "defaults { jitter_percent 0; lifetime 2d; delay_notice 0; probe 2h; }");
	id = desk_send(&desk, "x@b.test");
	desk_send(&desk, "y@b.test");
	desk_route(&desk, "b.test", "old.test");
	desk_done(&desk, 1, outcome_site(CAUSE_HOST_DOWN));
	desk_done(&desk, 2, outcome_site(CAUSE_HOST_DOWN));
	desk_wait(&desk, 2 * US_PER_HOUR);
	CHECK_INT("looked up before the probe", desk_count(&desk, ACTION_LOOK_UP), 1);
	CHECK_INT("no probe before", desk_count(&desk, ACTION_DELIVER), 0);
	desk_route(&desk, "b.test", "new.test");
	CHECK_INT("logged", desk_logged(&desk, LOGGED_ROUTE_CHANGED), 1);
	CHECK_INT("all go", desk_count(&desk, ACTION_DELIVER), 2);
	CHECK_BYTES("there", bytes_of(desk_find(&desk, ACTION_DELIVER)->deliver.route->name),
	            bytes_of("new.test"));
	CHECK_TRUE("no probe", !desk_find(&desk, ACTION_DELIVER)->deliver.is_probe);
	CHECK_INT("booked", desk_view(&desk, id, 0).ledger.seconds[CAUSE_HOST_DOWN], 7200);
	desk_close(&desk);
}

/* Answers what was asked, all of it with the same host as before; marks which domains were. */
static int route_all(struct desk *desk, bool seen[])
{
	int numbers[200], count = 0;
	char name[32];

	for (size_t i = 0; i < desk->actions.count; i++)
		if (desk->actions.items[i].kind == ACTION_LOOK_UP)
			numbers[count++] = atoi(desk->actions.items[i].domain.at + 1);
	for (int i = 0; i < count; i++) {
		snprintf(name, sizeof name, "d%d.test", numbers[i]);
		desk_route(desk, name, "mx.test");
		seen[numbers[i]] = true;
	}
	return count;
}

/* Many destinations wait behind a dead site. At each probe some of them are looked up, in rotation,
 * so that those which have moved do not wait for their turn to be the probe. */
static void test_look_up_before_probe(void)
{
	struct desk desk;
	char domain[32], to[40];
	bool seen[120] = { false };
	int count;

	desk_open(&desk, "deliver { connections 200; }\n"
	                 "defaults { jitter_percent 0; lifetime 2d; delay_notice 0; probe 2h; "
	                 "connections 200; }");
	for (int i = 0; i < 120; i++) {
		snprintf(domain, sizeof domain, "d%d.test", i);
		snprintf(to, sizeof to, "x@%s", domain);
		desk_send(&desk, to);
		desk_route(&desk, domain, "mx.test");
	}
	for (uint64_t job = 1; job <= 120; job++)
		desk_done(&desk, job, outcome_site(CAUSE_HOST_DOWN));
	for (int probe = 0; probe < 3; probe++) {
		desk_wait(&desk, 2 * US_PER_HOUR);
		count = route_all(&desk, seen);
		CHECK_TRUE("some", count >= 50 && count <= 51);
		desk_done(&desk, (uint64_t)(121 + probe), outcome_site(CAUSE_HOST_DOWN));
	}
	for (int i = 0; i < 120; i++)
		CHECK_TRUE("each in its turn", seen[i]);
	desk_close(&desk);
}

/* A site at work goes on with the old route while it is looked up. */
static void test_old_route_meanwhile(void)
{
	struct desk desk;

	desk_open(&desk, config);
	for (int i = 0; i < 10; i++)
		desk_send(&desk, "x@b.test");
	desk_route(&desk, "b.test", "mx.test");
	desk.now_us += 2 * US_PER_HOUR;
	desk_done(&desk, desk_job(&desk), outcome_delivered());
	CHECK_INT("asked", desk_count(&desk, ACTION_LOOK_UP), 1);
	CHECK_INT("and goes on", desk_count(&desk, ACTION_DELIVER), 1);
	desk_close(&desk);
}

static void test_suspended(void)
{
	struct destination_view view;
	struct desk desk;
	uint64_t id;

	for (int all = 0; all <= 1; all++) {
		desk_open(&desk, config);
		desk_command(&desk, COMMAND_SUSPEND, 0, all ? "" : "b.test");
		CHECK_INT("noted", desk_count(&desk, ACTION_NOTE), 1);
		id = desk_send(&desk, "x@b.test");
		CHECK_INT("not looked up", desk_count(&desk, ACTION_LOOK_UP), 0);
		desk_wait(&desk, US_PER_MINUTE);
		CHECK_INT("cause", desk_view(&desk, id, 0).cause, CAUSE_SUSPENDED);
		queue_view_destination(desk.queue, bytes_of("b.test"), desk.now_us, &view);
		CHECK_BYTES("reason", bytes_of(view.suspend_reason), bytes_of("maintenance"));
		CHECK_INT("by cause", view.by_cause[CAUSE_SUSPENDED], 1);
		desk_command(&desk, COMMAND_RESUME, 0, all ? "" : "b.test");
		CHECK_INT("looked up", desk_count(&desk, ACTION_LOOK_UP), 1);
		CHECK_INT("booked", desk_view(&desk, id, 0).ledger.seconds[CAUSE_SUSPENDED], 60);
		desk_close(&desk);
	}
}

/* What strangers can make us remember has an end. */
static void test_memory_has_a_limit(void)
{
	struct queue_totals totals;
	struct desk desk;
	char domain[32], to[40];
	int notes = 0;

	desk_open(&desk, config);
	for (int i = 0; i < 100100; i++) {
		snprintf(domain, sizeof domain, "d%d.test", i);
		snprintf(to, sizeof to, "x@%s", domain);
		desk_send(&desk, to);
		desk_route(&desk, domain, i % 2 ? "mx.test" : domain);
		desk_done(&desk, desk_job(&desk), outcome_delivered());
	}
	queue_totals(desk.queue, &totals);
	CHECK_INT("destinations", totals.destinations, 100000);
	CHECK_TRUE("sites", totals.sites <= 50051);
	for (int step = 0; step < 400; step++) {
		desk_wait(&desk, step % 200 ? 0 : 4 * US_PER_DAY);
		notes += desk_count(&desk, ACTION_NOTE);
	}
	queue_totals(desk.queue, &totals);
	CHECK_INT("forgotten", totals.destinations + totals.sites, 0);
	CHECK_INT("and their notes", notes, 100000);
	desk_close(&desk);
}

TEST_MAIN(test_one_look_up, test_look_ups_have_a_limit, test_refused, test_temporary, test_vanished,
          test_moved, test_look_up_before_probe, test_old_route_meanwhile, test_suspended,
          test_memory_has_a_limit)
