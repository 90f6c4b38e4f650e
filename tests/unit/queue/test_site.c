/* A site's health, its slots and its turns. */
#include "support/check.h"
#include "unit/queue/desk.h"

static const char config[] = "defaults { jitter_percent 0; lifetime 5h; delay_notice 0;\n"
			     "  connections 4; probe 10s 20s 60s; schedule 1m; }";

static void send_many(struct desk *desk, int count, const char *domain)
{
	char to[64];

	for (int i = 0; i < count; i++) {
		snprintf(to, sizeof to, "r%d@%s", i, domain);
		desk_send(desk, to);
	}
}

/* A hundred messages wait, the first attempt fails: one connection per interval from now on. */
static void close_site(struct desk *desk, const char *config_text)
{
	desk_open(desk, config_text);
	send_many(desk, 100, "b.test");
	desk_route(desk, "b.test", "mx.test");
	for (uint64_t job = 1; job <= 4; job++)
		desk_done(desk, job, outcome_site(CAUSE_HOST_DOWN));
	CHECK_INT("closed", desk_site(desk, "b.test").state, SITE_CLOSED);
}

static void test_slots(void)
{
	bool seen[4] = { false };
	struct desk desk;
	uint64_t job = 0;

	desk_open(&desk, config);
	send_many(&desk, 10, "b.test");
	desk_route(&desk, "b.test", "mx.test");
	CHECK_INT("as many jobs as slots", desk_count(&desk, ACTION_DELIVER), 4);
	for (size_t i = 0; i < desk.actions.count; i++) {
		const struct action_deliver *deliver = &desk.actions.items[i].deliver;

		if (desk.actions.items[i].kind != ACTION_DELIVER)
			continue;
		CHECK_TRUE("own slot", deliver->slot.index < 4 && !seen[deliver->slot.index]);
		CHECK_TRUE("own worker",
		           deliver->slot.worker == (deliver->slot.site + deliver->slot.index) % 2);
		seen[deliver->slot.index] = true;
		if (deliver->slot.index == 2)
			job = deliver->job;
	}
	desk_done(&desk, job, outcome_delivered());
	CHECK_INT("next in the same step", desk_count(&desk, ACTION_DELIVER), 1);
	CHECK_INT("same slot", desk_find(&desk, ACTION_DELIVER)->deliver.slot.index, 2);
	CHECK_INT("our limit", desk_view(&desk, 9, 0).cause, CAUSE_OWN_LIMIT);
	desk_close(&desk);
}

static void test_probes(void)
{
	struct desk desk;
	int waits_s[] = { 10, 20, 60, 60 };

	close_site(&desk, config);
	for (size_t i = 0; i < COUNT(waits_s); i++) {
		desk_wait(&desk, waits_s[i] * US_PER_SECOND - US_PER_MS);
		CHECK_INT("not yet", desk_count(&desk, ACTION_DELIVER), 0);
		desk_wait(&desk, US_PER_SECOND);
		CHECK_INT("one probe", desk_count(&desk, ACTION_DELIVER), 1);
		CHECK_TRUE("is one", desk_find(&desk, ACTION_DELIVER)->deliver.is_probe);
		CHECK_INT("probing", desk_site(&desk, "b.test").state, SITE_PROBING);
		desk_done(&desk, desk_job(&desk), outcome_site(CAUSE_HOST_BUSY));
		CHECK_INT("closed", desk_site(&desk, "b.test").state, SITE_CLOSED);
		CHECK_INT("probes", desk_site(&desk, "b.test").probes, i + 1);
	}
	CHECK_INT("no record per message", desk_count(&desk, ACTION_RECORD), 1);
	CHECK_INT("cause", desk_view(&desk, 50, 0).cause, CAUSE_HOST_BUSY);
	CHECK_INT("not its own attempt", desk_view(&desk, 50, 0).attempts, 0);
	desk_close(&desk);
}

/* Slow start: 1, 2, 4; then all mail at once. The waiting was booked without touching it. */
static void test_recovery(void)
{
	struct recipient_view view;
	struct desk desk;

	close_site(&desk, config);
	desk_wait(&desk, 10 * US_PER_SECOND);
	desk_done(&desk, desk_job(&desk), outcome_delivered());
	CHECK_INT("recovering", desk_site(&desk, "b.test").state, SITE_RECOVERING);
	CHECK_INT("one", desk_count(&desk, ACTION_DELIVER), 1);
	CHECK_INT("logged", desk_logged(&desk, LOGGED_SITE_OPENED), 1);
	desk_done(&desk, desk_job(&desk), outcome_delivered());
	CHECK_INT("two", desk_count(&desk, ACTION_DELIVER), 2);
	desk_done(&desk, desk_job(&desk), outcome_delivered());
	desk_done(&desk, desk_job(&desk), outcome_delivered());
	CHECK_INT("open", desk_site(&desk, "b.test").state, SITE_OPEN);
	CHECK_INT("four", desk_site(&desk, "b.test").busy, 4);
	view = desk_view(&desk, 90, 0);
	CHECK_INT("booked", view.ledger.seconds[CAUSE_HOST_DOWN], 10);
	desk_close(&desk);
}

static void test_relapse(void)
{
	struct desk desk;

	close_site(&desk, config);
	desk_wait(&desk, 10 * US_PER_SECOND);
	desk_done(&desk, desk_job(&desk), outcome_delivered());
	desk_done(&desk, desk_job(&desk), outcome_site(CAUSE_HOST_DOWN));
	CHECK_INT("closed again", desk_site(&desk, "b.test").state, SITE_CLOSED);
	CHECK_INT("nothing more", desk_count(&desk, ACTION_DELIVER), 0);
	desk_close(&desk);
}

/* A job from before the site was closed tells the truth too, but is no probe. */
static void test_late_jobs(void)
{
	struct desk desk;

	desk_open(&desk, config);
	send_many(&desk, 10, "b.test");
	desk_route(&desk, "b.test", "mx.test");
	desk_done(&desk, 1, outcome_site(CAUSE_HOST_DOWN));
	desk_wait(&desk, 10 * US_PER_SECOND);
	CHECK_INT("probing", desk_site(&desk, "b.test").state, SITE_PROBING);
	desk_done(&desk, 2, outcome_site(CAUSE_HOST_DOWN));
	CHECK_INT("still probing", desk_site(&desk, "b.test").state, SITE_PROBING);
	desk_done(&desk, 3, outcome_deferred(CAUSE_MAILBOX_FULL));
	CHECK_INT("it answers", desk_site(&desk, "b.test").state, SITE_RECOVERING);
	desk_close(&desk);
}

static void test_failures_to_close(void)
{
	struct desk desk;

	desk_open(&desk, "defaults { failures_to_close 3; connections 1; probe 10s; }");
	send_many(&desk, 10, "b.test");
	desk_route(&desk, "b.test", "mx.test");
	desk_done(&desk, desk_job(&desk), outcome_site(CAUSE_NETWORK));
	desk_done(&desk, desk_job(&desk), outcome_site(CAUSE_NETWORK));
	CHECK_INT("open", desk_site(&desk, "b.test").state, SITE_OPEN);
	CHECK_TRUE("goes on with another", desk_find(&desk, ACTION_DELIVER)->deliver.id == 3);
	CHECK_TRUE("not this one at once", desk_view(&desk, 1, 0).next_us > desk.now_us);
	desk_done(&desk, desk_job(&desk), outcome_delivered());
	desk_done(&desk, desk_job(&desk), outcome_site(CAUSE_NETWORK));
	desk_done(&desk, desk_job(&desk), outcome_site(CAUSE_NETWORK));
	CHECK_INT("a success between", desk_site(&desk, "b.test").state, SITE_OPEN);
	desk_done(&desk, desk_job(&desk), outcome_site(CAUSE_NETWORK));
	CHECK_INT("closed", desk_site(&desk, "b.test").state, SITE_CLOSED);
	desk_close(&desk);
}

/* Sites take turns for the connections there are in all. */
static void test_turns(void)
{
	struct desk desk;
	uint64_t last = 0;

	desk_open(&desk, "deliver { connections 2; } defaults { connections 2; }");
	send_many(&desk, 50, "b.test");
	send_many(&desk, 5, "c.test");
	desk_route(&desk, "b.test", "mx1.test");
	CHECK_INT("all that there are", desk_count(&desk, ACTION_DELIVER), 2);
	desk_route(&desk, "c.test", "mx2.test");
	CHECK_INT("none left", desk_count(&desk, ACTION_DELIVER), 0);
	CHECK_INT("our limit", desk_view(&desk, 55, 0).cause, CAUSE_OWN_LIMIT);
	for (uint64_t job = 1; job <= 8; job++) {
		uint64_t site;

		desk_done(&desk, job, outcome_delivered());
		site = desk_find(&desk, ACTION_DELIVER)->deliver.slot.site;
		CHECK_TRUE("in turn", site != last);
		last = site;
	}
	desk_close(&desk);
}

/* The strictest of the destinations that share it sets the limit. */
static void check_shared_limit(bool is_strict_first)
{
	struct desk desk;

	desk_open(&desk, "defaults { connections 5; } destination c.test { connections 2; }");
	send_many(&desk, 10, "b.test");
	send_many(&desk, 10, "c.test");
	desk_route(&desk, is_strict_first ? "c.test" : "b.test", "mx.test");
	desk_route(&desk, is_strict_first ? "b.test" : "c.test", "mx.test");
	CHECK_INT("connections", desk_site(&desk, "b.test").connections, 2);
	for (uint64_t job = 1; job <= 5; job++)
		desk_done(&desk, job, outcome_delivered());
	CHECK_INT("busy", desk_site(&desk, "b.test").busy, 2);
	desk_close(&desk);
}

static void test_shared_limit(void)
{
	check_shared_limit(true);
	check_shared_limit(false);
}

/* While one probe has not come back, there is no other, whatever happened in between. */
static void test_one_probe(void)
{
	struct desk desk;

	desk_open(&desk, config);
	send_many(&desk, 10, "b.test");
	desk_route(&desk, "b.test", "mx.test");
	desk_done(&desk, 1, outcome_site(CAUSE_HOST_DOWN));
	desk_wait(&desk, 10 * US_PER_SECOND);
	CHECK_TRUE("a probe", desk_find(&desk, ACTION_DELIVER)->deliver.is_probe);
	desk_done(&desk, 2, outcome_delivered());
	desk_done(&desk, 3, outcome_site(CAUSE_HOST_DOWN));
	CHECK_INT("closed", desk_site(&desk, "b.test").state, SITE_CLOSED);
	desk_wait(&desk, US_PER_MINUTE);
	CHECK_INT("not yet", desk_count(&desk, ACTION_DELIVER), 0);
	desk_done(&desk, 5, outcome_site(CAUSE_HOST_DOWN));
	desk_wait(&desk, US_PER_MINUTE);
	CHECK_INT("now", desk_count(&desk, ACTION_DELIVER), 1);
	desk_close(&desk);
}

/* "421 try again in 300 seconds" at the greeting. */
static void test_hint(void)
{
	struct outcome outcome = outcome_site(CAUSE_RATE_LIMITED);
	struct desk desk;

	close_site(&desk, config);
	desk_wait(&desk, 10 * US_PER_SECOND);
	outcome.hint_s = 300;
	desk_done(&desk, desk_job(&desk), outcome);
	CHECK_INT("not before",
	          (desk_site(&desk, "b.test").next_probe_us - desk.now_us) / US_PER_SECOND, 300);
	desk_wait(&desk, 5 * US_PER_MINUTE);
	outcome.hint_s = 1000000;
	desk_done(&desk, desk_job(&desk), outcome);
	CHECK_INT("within reason",
	          (desk_site(&desk, "b.test").next_probe_us - desk.now_us) / US_PER_SECOND, 3600);
	desk_close(&desk);
}

static void test_retry_probes(void)
{
	struct desk desk;

	close_site(&desk, config);
	desk_command(&desk, COMMAND_RETRY, 50, "");
	CHECK_INT("at once", desk_count(&desk, ACTION_DELIVER), 1);
	CHECK_TRUE("as a probe", desk_find(&desk, ACTION_DELIVER)->deliver.is_probe);
	desk_close(&desk);
}

/* One connection too many is no trouble of the site's: the others go on. */
static void test_crowd(void)
{
	struct outcome refused = outcome_site(CAUSE_HOST_BUSY);
	struct desk desk;

	refused.phase = PHASE_GREETING;
	desk_open(&desk, config);
	send_many(&desk, 20, "b.test");
	desk_route(&desk, "b.test", "mx.test");
	desk_done(&desk, 1, outcome_delivered());
	desk_done(&desk, 2, refused);
	CHECK_INT("not closed", desk_site(&desk, "b.test").state, SITE_OPEN);
	CHECK_INT("one fewer", desk_site(&desk, "b.test").connections, 3);
	CHECK_INT("learned", desk_site(&desk, "b.test").limit, LIMIT_LEARNED_CONNECTIONS);
	CHECK_INT("the site's cause", desk_view(&desk, 19, 0).cause, CAUSE_RATE_LIMITED);
	CHECK_INT("busy", desk_site(&desk, "b.test").busy, 3);
	desk_close(&desk);
}

/* Too fast: a pause, slow start, and then at the rate that was learned. */
static void test_throttled(void)
{
	struct outcome too_fast = outcome_site(CAUSE_RATE_LIMITED);
	struct desk desk;

	too_fast.phase = PHASE_MAIL;
	desk_open(&desk,
	          "defaults { jitter_percent 0; connections 1; probe 10s; delay_notice 0; }");
	send_many(&desk, 30, "b.test");
	desk_route(&desk, "b.test", "mx.test");
	for (int i = 0; i < 10; i++) {
		desk.now_us += US_PER_SECOND;
		desk_done(&desk, desk_job(&desk), outcome_delivered());
	}
	desk_done(&desk, desk_job(&desk), too_fast);
	CHECK_INT("paused", desk_site(&desk, "b.test").state, SITE_CLOSED);
	CHECK_INT("no incident", desk_site(&desk, "b.test").incidents->count, 0);
	desk_wait(&desk, 10 * US_PER_SECOND);
	desk_done(&desk, desk_job(&desk), outcome_delivered());
	CHECK_INT("throttled", desk_site(&desk, "b.test").state, SITE_THROTTLED);
	CHECK_INT("not at once", desk_count(&desk, ACTION_DELIVER), 0);
	CHECK_INT("what binds", desk_site(&desk, "b.test").limit, LIMIT_LEARNED_RATE);
	CHECK_INT("cause", desk_view(&desk, 25, 0).cause, CAUSE_RATE_LIMITED);
	desk_wait(&desk, 2 * US_PER_SECOND);
	CHECK_INT("then one", desk_count(&desk, ACTION_DELIVER), 1);
	desk_close(&desk);
}

static void test_rate(void)
{
	struct site_view site;
	struct desk desk;

	desk_open(&desk, "defaults { connections 4; }\ndestination b.test { rate 2/10s; }");
	send_many(&desk, 6, "b.test");
	desk_route(&desk, "b.test", "mx.test");
	CHECK_INT("one", desk_count(&desk, ACTION_DELIVER), 1);
	site = desk_site(&desk, "b.test");
	CHECK_INT("what binds", site.limit, LIMIT_RATE);
	CHECK_BYTES("whose", bytes_of(site.rate_of), bytes_of("b.test"));
	CHECK_INT("cause", desk_view(&desk, 5, 0).cause, CAUSE_OWN_LIMIT);
	desk_wait(&desk, 5 * US_PER_SECOND);
	CHECK_INT("not yet", desk_count(&desk, ACTION_DELIVER), 0);
	desk_wait(&desk, 100 * US_PER_MS);
	CHECK_INT("the next", desk_count(&desk, ACTION_DELIVER), 1);
	desk_close(&desk);
}

static void test_incident(void)
{
	const struct incidents *incidents;
	struct desk desk;

	close_site(&desk, config);
	send_many(&desk, 5, "b.test");
	desk_wait(&desk, 10 * US_PER_SECOND);
	desk_done(&desk, desk_job(&desk), outcome_site(CAUSE_HOST_DOWN));
	incidents = desk_site(&desk, "b.test").incidents;
	CHECK_INT("one", incidents->count, 1);
	CHECK_INT("hurt: all, each once", incidents->items[0].hurt, 105);
	desk_wait(&desk, 20 * US_PER_SECOND);
	desk_done(&desk, desk_job(&desk), outcome_delivered());
	CHECK_TRUE("over", incidents->items[0].end_us == desk.now_us);
	desk_done(&desk, desk_job(&desk), outcome_site(CAUSE_HOST_DOWN));
	CHECK_INT("a relapse is the same one", incidents->count, 1);
	CHECK_TRUE("goes on", incidents->items[0].end_us == 0);
	desk_close(&desk);
}

/* The wait that a site's greylisting wants is learned from the first message. */
static void test_greylisting(void)
{
	struct recipient_view view;
	struct desk desk;

	desk_open(&desk, "defaults { jitter_percent 0; schedule 10m; }");
	desk_send(&desk, "x@b.test");
	desk_route(&desk, "b.test", "mx.test");
	desk_done(&desk, desk_job(&desk), outcome_deferred(CAUSE_GREYLISTED));
	desk_wait(&desk, 2 * US_PER_MINUTE);
	desk_command(&desk, COMMAND_RETRY, 1, NULL);
	desk_done(&desk, desk_job(&desk), outcome_delivered());
	desk_send(&desk, "y@b.test");
	desk_done(&desk, desk_job(&desk), outcome_deferred(CAUSE_GREYLISTED));
	view = desk_view(&desk, 2, 0);
	CHECK_INT("learned", (view.next_us - desk.now_us) / US_PER_SECOND, 121);
	desk_close(&desk);
}

/* A restart neither forgets that a site is down, or recovering, nor what it taught. */
static void test_note(void)
{
	struct bytes note;
	struct desk desk;
	uint64_t key;

	close_site(&desk, config);
	desk_wait(&desk, 10 * US_PER_SECOND);
	desk_done(&desk, desk_job(&desk), outcome_delivered());
	CHECK_INT("recovering", desk_site(&desk, "b.test").state, SITE_RECOVERING);
	key = desk_find(&desk, ACTION_NOTE)->note.key;
	note = desk_kept(&desk, desk_find(&desk, ACTION_NOTE)->note.bytes);
	desk_restart(&desk);
	desk_load_note(&desk, key, note);
	send_many(&desk, 10, "b.test");
	desk_route(&desk, "b.test", "mx.test");
	CHECK_INT("still", desk_site(&desk, "b.test").state, SITE_RECOVERING);
	CHECK_INT("one connection", desk_count(&desk, ACTION_DELIVER), 1);
	CHECK_INT("its incident", desk_site(&desk, "b.test").incidents->items[0].hurt, 100);
	desk_close(&desk);
}

TEST_MAIN(test_slots, test_probes, test_recovery, test_relapse, test_late_jobs,
          test_failures_to_close, test_turns, test_shared_limit, test_one_probe, test_hint,
          test_retry_probes, test_crowd, test_throttled, test_rate, test_incident, test_greylisting,
          test_note)
