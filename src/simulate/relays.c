/* The relays that are modelled. Sources: docs/presets.md and docs/simulate.md. */
#include "base/macros.h"
#include "base/units.h"
#include "simulate/relay.h"
#include <string.h>

#define S US_PER_SECOND
#define M US_PER_MINUTE

const struct relay relays[] = {
	{ .name = "postfix",
	  .preset = "postfix",
	  .rhythm = RELAY_BY_AGE,
	  .memory = RELAY_COHORTS,
	  .scan_us = 300 * S,
	  .connect_timeout_us = 30 * S,
	  .connections = 20,
	  .is_late_allowed = true },
	{ .name = "exim",
	  .preset = "exim",
	  .rhythm = RELAY_WAITS,
	  .memory = RELAY_HINTS,
	  .scan_us = 30 * M,
	  .connect_timeout_us = 5 * M,
	  .connections = 5,
	  .is_late_allowed = true },
	{ .name = "sendmail",
	  .preset = "sendmail",
	  .rhythm = RELAY_WAITS,
	  .memory = RELAY_SPREADS,
	  .scan_us = 30 * M,
	  .message_us = S, /* each run tries all that is there */
	  .connect_timeout_us = 5 * M,
	  .connections = 10,
	  .is_late_allowed = true },
	{ .name = "qmail",
	  .preset = "qmail",
	  .rhythm = RELAY_SQUARES,
	  .memory = RELAY_TIMEOUTS,
	  .connect_timeout_us = 60 * S,
	  .connections = 20,
	  .is_late_allowed = true },
	{ .name = "opensmtpd",
	  .preset = "opensmtpd",
	  .rhythm = RELAY_SQUARES,
	  .memory = RELAY_PENALTIES,
	  .connect_timeout_us = 60 * S,
	  .connections = 20 },
	{ .name = "kumomta",
	  .preset = "kumomta",
	  .rhythm = RELAY_WAITS,
	  .memory = RELAY_SPREADS,
	  .connect_timeout_us = 60 * S,
	  .connections = 32 },
	{ .name = "stalwart",
	  .preset = "stalwart",
	  .rhythm = RELAY_WAITS,
	  .memory = RELAY_FORGETS,
	  .connect_timeout_us = 5 * M,
	  .connections = 25 },
	{ .name = "exchange-server",
	  .preset = "exchange-server",
	  .rhythm = RELAY_WAITS,
	  .memory = RELAY_QUEUES,
	  .connect_timeout_us = 60 * S,
	  .connections = 20,
	  .message_us = 15 * M,
	  .queue_us = { M, M, M, M, 5 * M, 5 * M, 5 * M, 5 * M, 5 * M, 5 * M, 10 * M },
	  .queue_count = 11 },
	{ .name = "exchange-online",
	  .preset = "exchange-online",
	  .rhythm = RELAY_WAITS,
	  .memory = RELAY_QUEUES,
	  .connect_timeout_us = 60 * S,
	  .connections = 20,
	  .queue_us = { 15 * M, 15 * M, 15 * M, 30 * M, 60 * M },
	  .queue_count = 5 },
	{ .name = "gmail",
	  .preset = "gmail",
	  .rhythm = RELAY_WAITS,
	  .memory = RELAY_FORGETS,
	  .connect_timeout_us = 30 * S,
	  .connections = 20 },
	{ .name = "ses",
	  .preset = "ses",
	  .rhythm = RELAY_WAITS,
	  .memory = RELAY_FORGETS,
	  .connect_timeout_us = 30 * S,
	  .connections = 20 },
};

const int relay_count = COUNT(relays);

const struct relay *relay_find(const char *name)
{
	for (int i = 0; i < relay_count; i++) {
		if (strcmp(relays[i].name, name) == 0)
			return &relays[i];
	}
	return NULL;
}
