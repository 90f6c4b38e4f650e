/* Issue 3, part 9: what raises an alarm, and what clears it. */
#include "base/units.h"
#include "report/alarm.h"
#include "support/check.h"
#include <stdio.h>

#define NOW (1700000000 * US_PER_SECOND)

static struct alarm_trouble troubles[] = {
	{ "mx.a.test", CAUSE_HOST_DOWN, NOW - 3 * US_PER_HOUR },
	{ "b.test", CAUSE_DNS_FAILURE, NOW - 2 * US_PER_HOUR },
	{ "mx.c.test", CAUSE_HOST_DOWN, NOW - US_PER_MINUTE },
};

static const struct alarm_facts facts = {
	.now_us = NOW,
	.expiring = { 1, 20, 300 },
	.troubles = troubles,
	.trouble_count = 3,
	.oldest_us = NOW - 5 * US_PER_HOUR,
	.disk_free_bytes = 4LL << 30,
};

static const struct {
	const char *name, *condition;
	struct config_alarm alarm;
	bool is_raised;
	const char *text;
} rows[] = {
	{ "as many as the limit",
	  "expiring",
	  { .expiring = 20, .within = "6h" },
	  true,
	  "20 recipients expire within 6h if nothing changes (limit 20)" },
	{ "one less",
	  "expiring",
	  { .expiring = 21, .within = "6h" },
	  false,
	  "20 recipients expire within 6h if nothing changes (limit 21)" },
	{ "within an hour",
	  "expiring",
	  { .expiring = 2, .within = "1h" },
	  false,
	  "1 recipients expire within 1h if nothing changes (limit 2)" },
	{ "within a day",
	  "expiring",
	  { .expiring = 300, .within = "24h" },
	  true,
	  "300 recipients expire within 24h if nothing changes (limit 300)" },
	{ "two sites",
	  "site_down",
	  { .site_down_us = 2 * US_PER_HOUR },
	  true,
	  "2 sites are down for 2h or longer: mx.a.test (host_down, 3h), b.test (dns_failure, "
	  "2h)" },
	{ "no site so long",
	  "site_down",
	  { .site_down_us = 4 * US_PER_HOUR },
	  false,
	  "0 sites are down for 4h or longer" },
	{ "old",
	  "queue_age",
	  { .queue_age_us = 5 * US_PER_HOUR },
	  true,
	  "the oldest message has waited 5h (limit 5h)" },
	{ "not so old",
	  "queue_age",
	  { .queue_age_us = 6 * US_PER_HOUR },
	  false,
	  "the oldest message has waited 5h (limit 6h)" },
	{ "little room",
	  "disk_free",
	  { .disk_free_bytes = 5LL << 30 },
	  true,
	  "4.0 GB are free for the spool (limit 5.0 GB)" },
	{ "room enough",
	  "disk_free",
	  { .disk_free_bytes = 4LL << 30 },
	  false,
	  "4.0 GB are free for the spool (limit 4.0 GB)" },
};

static void test_conditions(void)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct alarm_state state = { 0 };
		enum alarm_change change = alarm_look(&rows[i].alarm, &facts, &state);

		CHECK_INT(rows[i].name, change, rows[i].is_raised ? ALARM_RAISED : ALARM_AS_BEFORE);
		CHECK_STRING(rows[i].name, state.text, rows[i].text);
		CHECK_STRING(rows[i].name, alarm_condition(&rows[i].alarm), rows[i].condition);
	}
}

/* Raised once and cleared once, however often the trouble comes and goes meanwhile. */
static void test_no_flapping(void)
{
	static const char looks[] = "--+-++--+---+---";
	static const char wanted[] = "..r........cr..c"; /* r raised, c cleared */
	struct config_alarm alarm = { .expiring = 1, .within = "1h" };
	struct alarm_state state = { 0 };

	for (size_t i = 0; looks[i]; i++) {
		struct alarm_facts now = { .now_us = (int64_t)i + 1,
			                   .expiring = { looks[i] == '+' } };
		enum alarm_change change = alarm_look(&alarm, &now, &state);
		char name[32];

		snprintf(name, sizeof name, "look %zu", i);
		CHECK_INT(name, ".rc"[change], wanted[i]);
		if (change == ALARM_RAISED)
			CHECK_INT(name, state.since_us, now.now_us);
	}
}

/* How much is free cannot be told: that is a trouble, too. */
static void test_unknown_disk(void)
{
	struct config_alarm alarm = { .disk_free_bytes = 1 };
	struct alarm_facts now = { .disk_free_bytes = -1 };
	struct alarm_state state = { 0 };

	CHECK_INT("raised", alarm_look(&alarm, &now, &state), ALARM_RAISED);
}

TEST_MAIN(test_conditions, test_no_flapping, test_unknown_disk)
