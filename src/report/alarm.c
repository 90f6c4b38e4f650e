#include "report/alarm.h"
#include "base/buffer.h"
#include "base/units.h"
#include <stdio.h>
#include <string.h>

#define NAMED_MAX 3 /* sites in the text */

const char *alarm_condition(const struct config_alarm *alarm)
{
	if (alarm->expiring > 0)
		return "expiring";
	if (alarm->site_down_us > 0)
		return "site_down";
	return alarm->queue_age_us > 0 ? "queue_age" : "disk_free";
}

static int horizon_of(const char *within)
{
	static const char *const names[ALARM_HORIZONS] = { "1h", "6h", "24h" };
	int i = ALARM_HORIZONS - 1;

	while (i > 0 && strcmp(names[i], within) != 0)
		i--;
	return i;
}

static bool look_expiring(const struct config_alarm *alarm, const struct alarm_facts *facts,
                          struct buffer *text)
{
	uint64_t count = facts->expiring[horizon_of(alarm->within)];

	buffer_printf(text, "%llu recipients expire within %s if nothing changes (limit %d)",
	              (unsigned long long)count, alarm->within, alarm->expiring);
	return count >= (uint64_t)alarm->expiring;
}

static bool look_sites(const struct config_alarm *alarm, const struct alarm_facts *facts,
                       struct buffer *text)
{
	int count = 0;

	while (count < facts->trouble_count &&
	       facts->now_us - facts->troubles[count].start_us >= alarm->site_down_us)
		count++;
	buffer_printf(text, "%d site%s down for ", count, count == 1 ? " is" : "s are");
	duration_format(text, alarm->site_down_us);
	buffer_append_text(text, " or longer");
	for (int i = 0; i < count && i < NAMED_MAX; i++) {
		const struct alarm_trouble *trouble = &facts->troubles[i];

		buffer_printf(text, "%s %s (%s, ", i ? "," : ":", trouble->name,
		              cause_name(trouble->cause));
		duration_format(text, facts->now_us - trouble->start_us);
		buffer_append_char(text, ')');
	}
	if (count > NAMED_MAX)
		buffer_append_text(text, ", ...");
	return count > 0;
}

static bool look_age(const struct config_alarm *alarm, const struct alarm_facts *facts,
                     struct buffer *text)
{
	int64_t age_us = facts->oldest_us ? facts->now_us - facts->oldest_us : 0;

	buffer_append_text(text, "the oldest message has waited ");
	duration_format(text, age_us);
	buffer_append_text(text, " (limit ");
	duration_format(text, alarm->queue_age_us);
	buffer_append_char(text, ')');
	return age_us >= alarm->queue_age_us;
}

static bool look_disk(const struct config_alarm *alarm, const struct alarm_facts *facts,
                      struct buffer *text)
{
	if (facts->disk_free_bytes < 0) {
		buffer_append_text(text, "how much is free for the spool is not known");
		return true;
	}
	size_format(text, facts->disk_free_bytes);
	buffer_append_text(text, " are free for the spool (limit ");
	size_format(text, alarm->disk_free_bytes);
	buffer_append_char(text, ')');
	return facts->disk_free_bytes < alarm->disk_free_bytes;
}

static bool look(const struct config_alarm *alarm, const struct alarm_facts *facts,
                 struct buffer *text)
{
	if (alarm->expiring > 0)
		return look_expiring(alarm, facts, text);
	if (alarm->site_down_us > 0)
		return look_sites(alarm, facts, text);
	if (alarm->queue_age_us > 0)
		return look_age(alarm, facts, text);
	return look_disk(alarm, facts, text);
}

enum alarm_change alarm_look(const struct config_alarm *alarm, const struct alarm_facts *facts,
                             struct alarm_state *state)
{
	struct buffer text = { 0 };
	bool is_trouble = look(alarm, facts, &text);

	snprintf(state->text, sizeof state->text, "%.*s", BYTES_FORMAT(buffer_bytes(&text)));
	buffer_deinit(&text);
	state->calm_looks = is_trouble ? 0 : state->calm_looks + 1;
	if (is_trouble && !state->is_raised) {
		state->is_raised = true;
		state->since_us = facts->now_us;
		return ALARM_RAISED;
	}
	if (state->is_raised && state->calm_looks >= ALARM_CALM_LOOKS) {
		state->is_raised = false;
		state->since_us = 0;
		return ALARM_CLEARED;
	}
	return ALARM_AS_BEFORE;
}
