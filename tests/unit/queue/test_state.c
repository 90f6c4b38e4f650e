/* What survives a restart: everything that was recorded, and what sites were known to be. */
#include "queue/state.h"
#include "queue/timeline.h"
#include "support/check.h"
#include "unit/queue/desk.h"

static const char config[] = "defaults { schedule 10m 20m; jitter_percent 0; lifetime 2h;\n"
			     "  delay_notice 30m; probe 5m; }";

static struct bytes last_record(struct desk *desk)
{
	const struct action *action = desk_find(desk, ACTION_RECORD);

	return action ? desk_kept(desk, action->record.state) : (struct bytes){ 0 };
}

/* As desk_find's note, of a site (the key's top bit) or of a destination. */
static struct bytes last_note(struct desk *desk, bool is_site, uint64_t *key_out)
{
	struct bytes note = { 0 };

	for (size_t i = 0; i < desk->actions.count; i++) {
		const struct action *action = &desk->actions.items[i];

		if (action->kind != ACTION_NOTE || (action->note.key >> 63 != 0) != is_site)
			continue;
		*key_out = action->note.key;
		note = desk_kept(desk, action->note.bytes);
	}
	return note;
}

static void test_recipient_survives(void)
{
	struct message *message;
	struct recipient_view before, after;
	struct bytes state;
	struct desk desk;

	desk_open(&desk, config);
	message = desk_message(&desk, "a@out.test", "x@b.test y@c.test");
	desk_add(&desk, message_acquire(message));
	desk_route(&desk, "b.test", "mx.test");
	desk_done(&desk, desk_job(&desk), outcome_deferred(CAUSE_GREYLISTED));
	desk_wait(&desk, 10 * US_PER_MINUTE);
	desk_done(&desk, desk_job(&desk), outcome_deferred(CAUSE_MAILBOX_FULL));
	desk_command(&desk, COMMAND_EXTEND, message->id, "");
	state = last_record(&desk);
	before = desk_view(&desk, message->id, 0);
	desk_restart(&desk);
	desk_load(&desk, message, state);
	CHECK_INT("loading does nothing", desk.actions.count, 0);
	after = desk_view(&desk, message->id, 0);
	CHECK_INT("attempts", after.attempts, 2);
	CHECK_INT("cause", after.cause, CAUSE_MAILBOX_FULL);
	CHECK_TRUE("next", after.next_us == before.next_us);
	CHECK_TRUE("deadline", after.deadline_us == before.deadline_us);
	CHECK_TRUE("ledger", memcmp(&after.ledger, &before.ledger, sizeof after.ledger) == 0);
	desk_wait(&desk, 0);
	CHECK_INT("the other is looked up", desk_count(&desk, ACTION_LOOK_UP), 1);
	message_release(message);
	desk_close(&desk);
}

/* The time of the downtime goes to what it waited for. */
static void test_closed_site_survives(void)
{
	uint64_t site_key = 0, key = 0, id;
	struct bytes state, site_note, note;
	struct message *message;
	struct desk desk;

	desk_open(&desk, config);
	message = desk_message(&desk, "a@out.test", "x@b.test");
	id = message->id;
	desk_add(&desk, message_acquire(message));
	desk_route(&desk, "b.test", "mx.test");
	note = last_note(&desk, false, &key);
	desk_done(&desk, desk_job(&desk), outcome_site(CAUSE_HOST_DOWN));
	site_note = last_note(&desk, true, &site_key);
	state = last_record(&desk);
	desk.now_us += 2 * US_PER_MINUTE;
	desk_restart(&desk);
	desk_load_note(&desk, key, note);
	desk_load_note(&desk, site_key, site_note);
	desk_load(&desk, message, state);
	CHECK_INT("cause", desk_view(&desk, id, 0).cause, CAUSE_HOST_DOWN);
	CHECK_INT("booked", desk_view(&desk, id, 0).ledger.seconds[CAUSE_HOST_DOWN], 120);
	desk_wait(&desk, 0);
	desk_route(&desk, "b.test", "mx.test");
	CHECK_INT("not hammered", desk_count(&desk, ACTION_DELIVER), 0);
	CHECK_INT("closed", desk_site(&desk, "b.test").state, SITE_CLOSED);
	CHECK_TRUE("why", desk_site(&desk, "b.test").last_failure != NULL);
	desk_wait(&desk, 3 * US_PER_MINUTE);
	CHECK_TRUE("probed when planned", desk_find(&desk, ACTION_DELIVER)->deliver.is_probe);
	message_release(message);
	desk_close(&desk);
}

/* What was wrong when, before the restart, is known after it. */
static void test_timeline_survives(void)
{
	uint64_t site_key = 0, key = 0;
	struct bytes state, site_note, note;
	struct message *message;
	struct ledger ledger;
	struct desk desk;

	desk_open(&desk, config);
	message = desk_message(&desk, "a@out.test", "x@b.test");
	desk_add(&desk, message_acquire(message));
	desk_route(&desk, "b.test", "mx.test");
	note = last_note(&desk, false, &key);
	desk_done(&desk, desk_job(&desk), outcome_site(CAUSE_HOST_DOWN));
	state = last_record(&desk);
	desk_send(&desk,
	          "probe@b.test"); /* for the probe: the first is at the end of the list then */
	desk_command(&desk, COMMAND_HOLD, message->id, "");
	desk_command(&desk, COMMAND_RELEASE, message->id, "");
	desk_wait(&desk, 5 * US_PER_MINUTE);
	desk_done(&desk, desk_job(&desk), outcome_site(CAUSE_HOST_BUSY));
	site_note = last_note(&desk, true, &site_key);
	desk.now_us += US_PER_MINUTE;
	desk_restart(&desk);
	desk_load_note(&desk, key, note);
	desk_load_note(&desk, site_key, site_note);
	desk_load(&desk, message, state);
	ledger = desk_view(&desk, message->id, 0).ledger;
	CHECK_INT("before", ledger.seconds[CAUSE_HOST_DOWN], 300);
	CHECK_INT("after", ledger.seconds[CAUSE_HOST_BUSY], 60);
	message_release(message);
	desk_close(&desk);
}

static void test_owed_notice_survives(void)
{
	struct message *message;
	struct bytes state;
	struct desk desk;

	desk_open(&desk, config);
	message = desk_message(&desk, "a@out.test", "x@b.test");
	desk_add(&desk, message_acquire(message));
	desk_route(&desk, "b.test", "mx.test");
	desk_done(&desk, desk_job(&desk), outcome_failed());
	state = last_record(&desk);
	desk_restart(&desk);
	desk_load(&desk, message, state);
	desk_wait(&desk, 0);
	CHECK_INT("asked again", desk_count(&desk, ACTION_NOTICE), 1);
	CHECK_INT("not tried again", desk_count(&desk, ACTION_LOOK_UP), 0);
	desk_notice_done(&desk, 1, true);
	CHECK_INT("removed", desk_count(&desk, ACTION_REMOVE), 1);
	message_release(message);
	desk_close(&desk);
}

static void test_suspension_survives(void)
{
	struct message *message;
	struct bytes note;
	uint64_t key = 0;
	struct desk desk;

	for (int all = 0; all <= 1; all++) {
		desk_open(&desk, config);
		message = desk_message(&desk, "a@out.test", "x@b.test");
		desk_command(&desk, COMMAND_SUSPEND, 0, all ? "" : "b.test");
		note = last_note(&desk, false, &key);
		desk_restart(&desk);
		desk_load_note(&desk, key, note);
		desk_load(&desk, message, (struct bytes){ 0 });
		desk_wait(&desk, 0);
		CHECK_INT("suspended", desk_view(&desk, message->id, 0).cause, CAUSE_SUSPENDED);
		CHECK_INT("not looked up", desk_count(&desk, ACTION_LOOK_UP), 0);
		message_release(message);
		desk_close(&desk);
	}
}

/* Cut anywhere, or with any byte changed, a state is refused or harmless; then the message is as
 * just accepted. */
static void test_damaged(void)
{
	struct message *message;
	struct bytes state, note;
	struct desk desk;
	uint64_t key = 0;

	desk_open(&desk, config);
	message = desk_message(&desk, "a@out.test", "x@b.test y@b.test");
	desk_add(&desk, message_acquire(message));
	desk_route(&desk, "b.test", "mx.test");
	desk_done(&desk, desk_job(&desk), outcome_site(CAUSE_HOST_DOWN));
	state = last_record(&desk);
	note = last_note(&desk, true, &key);
	for (size_t len = 0; len < state.len; len++) {
		desk_restart(&desk);
		desk_load(&desk, message, bytes_first(state, len));
		CHECK_INT("attempts", desk_view(&desk, message->id, 0).attempts, 0);
	}
	for (size_t i = 0; i < state.len + note.len; i++) {
		char *byte = (char *)(uintptr_t)(i < state.len ? &state.at[i]
		                                               : &note.at[i - state.len]);

		*byte = (char)(*byte ^ 0x55);
		desk_restart(&desk);
		desk_load_note(&desk, key, note);
		desk_load(&desk, message, state);
		desk_wait(&desk, US_PER_MINUTE);
		*byte = (char)(*byte ^ 0x55);
	}
	message_release(message);
	desk_close(&desk);
}

/* Places are used again, so that memory follows the queue down. */
static void test_sizes(void)
{
	struct roster roster = { 0 };

	for (uint64_t id = 1; id <= 100000; id++) {
		roster_add(&roster, id, 1 + (uint32_t)(id % 3));
		if (id > 10)
			roster_remove(&roster, roster_find(&roster, id - 10));
	}
	CHECK_TRUE("places", roster.slot_count <= 11);
	CHECK_TRUE("found", roster_find(&roster, 99995) && !roster_find(&roster, 5));
	roster_deinit(&roster);
	CHECK_INT("one recipient in memory", sizeof(struct entry), 128);
	CHECK_TRUE("notes fit", TIMELINE_SPANS_MAX * 9 + 2000 < 65536);
}

TEST_MAIN(test_recipient_survives, test_closed_site_survives, test_timeline_survives,
          test_owed_notice_survives, test_suspension_survives, test_damaged, test_sizes)
