/* The blocks "host" of a world file. */
#include "base/units.h"
#include "simulate/scene_read.h"
#include <string.h>

struct host_draft {
	struct scene_manners manners;
	int64_t flap_down_us, flap_up_us, flap_until_us; /* until 0: does not */
};

static bool set_listen(const struct setting *setting)
{
	struct host_draft *draft = setting->block;

	draft->manners.listen = (enum scene_listen)setting->what;
	draft->flap_until_us = 0;
	if (setting->entry->value_count > 0)
		draft->manners.busy = scene_outcome(setting->reading->scene->arena,
		                                    setting->entry->values[0], PHASE_GREETING);
	return draft->manners.busy && draft->manners.busy->result == RESULT_DEFERRED;
}

static bool set_reply(const struct setting *setting, int nth, const struct outcome **outcome)
{
	if (setting->entry->value_count > nth)
		*outcome = scene_outcome(setting->reading->scene->arena,
		                         setting->entry->values[nth], PHASE_RCPT);
	return *outcome != NULL;
}

static bool set_rate(const struct setting *setting)
{
	struct host_draft *draft = setting->block;
	struct bytes rest = bytes_of(setting->entry->values[0]);
	uint64_t count;

	if (!bytes_parse_u64(bytes_split(&rest, '/'), &count) || count > INT32_MAX)
		return false;
	draft->manners.rate_count = (int64_t)count;
	if (count > 0 &&
	    (!duration_parse(rest, &draft->manners.rate_us) || draft->manners.rate_us <= 0 ||
	     draft->manners.rate_us > SCENE_TIME_MAX_US))
		return false;
	return set_reply(setting, 1, &draft->manners.limited);
}

static bool set_greylist(const struct setting *setting)
{
	struct host_draft *draft = setting->block;

	return scene_duration(setting, 0, &draft->manners.greylist_us) &&
	       set_reply(setting, 1, &draft->manners.greylisted);
}

static bool set_slow(const struct setting *setting)
{
	struct host_draft *draft = setting->block;

	return scene_duration(setting, 0, &draft->manners.slow_us);
}

static bool set_connections(const struct setting *setting)
{
	struct host_draft *draft = setting->block;
	int64_t value;

	if (!scene_number(setting, 0, 1000000, &value) || value < 1)
		return false;
	draft->manners.connections = (int)value;
	return true;
}

enum share { SHARE_FULL, SHARE_UNKNOWN };

static bool set_share(const struct setting *setting)
{
	struct host_draft *draft = setting->block;
	bool is_full = setting->what == SHARE_FULL;
	int64_t value;

	if (!scene_number(setting, 0, 100, &value))
		return false;
	*(is_full ? &draft->manners.full_percent : &draft->manners.unknown_percent) = (int)value;
	return set_reply(setting, 1, is_full ? &draft->manners.full : &draft->manners.unknown);
}

static bool set_flap(const struct setting *setting)
{
	struct host_draft *draft = setting->block;

	return scene_duration(setting, 0, &draft->flap_down_us) &&
	       scene_duration(setting, 1, &draft->flap_up_us) &&
	       scene_duration(setting, 2, &draft->flap_until_us) && draft->flap_down_us > 0 &&
	       draft->flap_up_us > 0;
}

static const struct keyword host_keywords[] = {
	{ "accept", "takes nothing", 0, 0, set_listen, SCENE_ACCEPTS },
	{ "refuse", "takes nothing", 0, 0, set_listen, SCENE_REFUSES },
	{ "blackhole", "takes nothing", 0, 0, set_listen, SCENE_BLACKHOLE },
	{ "busy", "takes a reply of class 4", 0, 1, set_listen, SCENE_BUSY },
	{ "rate", "wants NUMBER/DURATION, and perhaps a reply", 1, 2, set_rate, 0 },
	{ "greylist", "wants a duration, and perhaps a reply", 1, 2, set_greylist, 0 },
	{ "slow", "wants a duration", 1, 1, set_slow, 0 },
	{ "connections", "wants a number from 1", 1, 1, set_connections, 0 },
	{ "full", "wants a percentage, and perhaps a reply", 1, 2, set_share, SHARE_FULL },
	{ "unknown", "wants a percentage, and perhaps a reply", 1, 2, set_share, SHARE_UNKNOWN },
	{ "flap", "wants three durations: down, up, until", 3, 3, set_flap, 0 },
	{ NULL, NULL, 0, 0, NULL, 0 },
};

static struct host_draft usual_host(struct arena *arena)
{
	return (struct host_draft){ .manners = {
					    .connections = 100,
					    .slow_us = 100 * US_PER_MS,
					    .busy = scene_outcome(arena,
		                                                  "421 4.3.2 Service not available",
		                                                  PHASE_GREETING),
					    .limited = scene_outcome(arena,
		                                                     "450 4.7.1 Rate limit "
		                                                     "exceeded, try again later",
		                                                     PHASE_RCPT),
					    .greylisted = scene_outcome(
						    arena,
						    "451 4.7.1 Greylisted, please try again later",
						    PHASE_RCPT),
					    .full = scene_outcome(arena, "452 4.2.2 Mailbox full",
		                                                  PHASE_RCPT),
					    .unknown = scene_outcome(
						    arena, "550 5.1.1 No such user", PHASE_RCPT),
				    } };
}

static void add_period(struct buffer *periods, int64_t from_us, const struct scene_manners *manners)
{
	struct scene_period period = { .from_us = from_us, .manners = *manners };

	buffer_append(periods, (struct bytes){ (const char *)&period, sizeof period });
}

/* Down, up, down, up ... until the draft's end, or until something else is said. */
static void add_periods(struct buffer *periods, struct host_draft *draft, struct span span)
{
	int64_t until_us = MIN(draft->flap_until_us, span.to_us);
	struct scene_manners down = draft->manners;

	if (draft->flap_until_us == 0 || until_us <= span.from_us) {
		add_period(periods, span.from_us, &draft->manners);
		return;
	}
	if (down.listen == SCENE_ACCEPTS)
		down.listen = SCENE_REFUSES;
	draft->manners.listen = SCENE_ACCEPTS;
	for (int64_t at_us = span.from_us; at_us < until_us && !periods->is_over;
	     at_us += draft->flap_down_us + draft->flap_up_us) {
		add_period(periods, at_us, &down);
		add_period(periods, MIN(at_us + draft->flap_down_us, span.to_us), &draft->manners);
	}
}

void scene_read_host(struct reading *reading, const struct syntax_entry *block,
                     struct scene_host *host)
{
	size_t each = sizeof(struct scene_period);
	struct buffer periods = { .limit = (SCENE_PERIODS_MAX - reading->periods) * each + 1 };
	struct host_draft draft = usual_host(reading->scene->arena);
	int count;
	struct change *changes = scene_list_changes(reading, block, &count);

	scene_apply_all(reading, block, host_keywords, &draft);
	for (int i = 0; i <= count; i++) {
		struct span span = { i == 0 ? 0 : changes[i - 1].at_us,
			             i == count ? INT64_MAX : changes[i].at_us };

		if (i > 0)
			scene_apply_all(reading, changes[i - 1].block, host_keywords, &draft);
		add_periods(&periods, &draft, span);
	}
	if (periods.is_over || periods.len == 0)
		scene_complain(reading, block, "changes too often");
	reading->periods += periods.len / each;
	host->period_count = (int)(periods.len / each);
	host->periods = arena_alloc(reading->scene->arena, periods.len + each);
	if (periods.len > 0)
		memcpy(host->periods, periods.at, periods.len);
	buffer_deinit(&periods);
}
