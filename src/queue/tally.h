/* queue/tally.h - the ledger of one recipient in 16 bytes: ticks by cause. Every tick of its age is
 * in exactly one place. */
#pragma once
#include "model/recipient.h"

/* Times inside a message's life are kept in ticks after its arrival: 32 bits last 497 days. */
#define TICK_US   10000
#define TALLY_FEW 3
#define TALLY_ALL 255

struct tally {
	union {
		struct {
			uint32_t ticks[TALLY_FEW];
			uint8_t causes[TALLY_FEW];
			uint8_t count;
		} few;
		struct {
			uint32_t *ticks; /* CAUSE_COUNT of them */
			uint8_t unused[7];
			uint8_t count; /* TALLY_ALL */
		} all;
	};
};

/* tally_copy - one that is booked into without touching the first; deinit it. */
struct tally tally_copy(const struct tally *tally);
void tally_deinit(struct tally *tally);
void tally_add(struct tally *tally, enum cause cause, uint32_t ticks);

/* tally_spread - all causes, each at its place. */
void tally_spread(const struct tally *tally, uint32_t ticks_out[CAUSE_COUNT]);
uint32_t tally_of(const struct tally *tally, enum cause cause);
uint32_t tally_sum(const struct tally *tally);
uint32_t tally_sum_of(const struct tally *tally, uint32_t causes); /* bits 1 << cause */

/* tally_seconds - rounded so that the seconds sum to the age in whole seconds. */
void tally_seconds(const struct tally *tally, struct ledger *ledger_out);
