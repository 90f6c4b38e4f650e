/* queue/entry.h - a queued message and its recipients: 128 bytes when there is one recipient.
 * Entries live in slots that never move, so that a slot's number is a cursor over the queue. */
#pragma once
#include "base/hash.h"
#include "base/heap.h"
#include "base/list.h"
#include "model/message.h"
#include "queue/tally.h"

struct destination;

enum recipient_flags {
	RECIPIENT_IS_MANUAL = 1,    /* the attempt that comes was asked for by an operator */
	RECIPIENT_DELAY_ASKED = 2,  /* a delay notice is being made */
	RECIPIENT_DELAY_DONE = 4,   /* and is on disk */
	RECIPIENT_OWES_NOTICE = 8,  /* over, but the failure notice is not on disk */
	RECIPIENT_BY_OPERATOR = 16, /* expired by command */
	RECIPIENT_BY_ROUTE = 32,    /* failed by the DNS, without an attempt */
	RECIPIENT_IS_URGENT = 64,   /* near its deadline: waits in the urgent list */
	RECIPIENT_WISH_HOLD = 128,  /* commands that came during an attempt */
	RECIPIENT_WISH_CANCEL = 256,
	RECIPIENT_WISH_EXPIRE = 512,
	RECIPIENT_LOOKS_BAD = 1024, /* the forecast: more likely than not it expires */
};
#define RECIPIENT_WISHES (RECIPIENT_WISH_HOLD | RECIPIENT_WISH_CANCEL | RECIPIENT_WISH_EXPIRE)

/* Queued, and in the ready list: waits for its site. Queued, and not there: waits for `next`. */
struct recipient {
	struct list node; /* destination->ready[], or queue->owed */
	struct heap_node timer;
	struct destination *destination;
	struct tally tally; /* booked so far: its sum is the age up to which it is booked */
	uint32_t slot;
	uint32_t since;             /* tick of the last change of state or cause */
	uint32_t next;              /* tick of the next attempt by its own schedule; 0: none */
	int32_t extension;          /* ticks, by command */
	uint16_t index, next_alike; /* next recipient with this destination; 0: none */
	uint16_t attempts, step;    /* in all; of the schedule */
	uint16_t flags;
	uint8_t state, cause, notify; /* cause: of its last deferral */
};

enum entry_flags {
	ENTRY_IS_NOTICE = 1,
	ENTRY_HAS_NULL_SENDER = 2,
	ENTRY_IS_AUTOMATIC = 4,
	ENTRY_BY_NOTIFY = 8, /* DELIVERBY mode N, else R */
};

struct entry {
	struct hash_node by_id; /* its hash is the id */
	int64_t arrived_us;
	uint32_t size_bytes;
	uint32_t deliver_by;            /* tick; 0: none */
	uint16_t recipient_count, left; /* left: not finished. 0 recipients: a free slot */
	int8_t priority;
	uint8_t flags;
	uint16_t held_minutes; /* by FUTURERELEASE: its time begins so much after its arrival */
	union {
		struct recipient only;
		struct recipient *many; /* recipient_count > 1 */
		uint32_t next_free;     /* a free slot: the next one + 1 */
	};
};

#define ROSTER_PAGE 512

struct roster {
	struct entry **pages;
	uint32_t page_count, slot_count, free_slot; /* free_slot: + 1; 0: none */
	struct hash by_id;
	size_t many_bytes;
};

void roster_deinit(struct roster *roster);

/* roster_add - a new entry with its recipients zeroed but for slot, index, node and timer. */
struct entry *roster_add(struct roster *roster, uint64_t id, uint32_t recipient_count);
void roster_remove(struct roster *roster, struct entry *entry);
struct entry *roster_find(const struct roster *roster, uint64_t id); /* NULL: none */
struct entry *roster_at(const struct roster *roster, uint32_t slot); /* NULL: a free slot */
size_t roster_bytes(const struct roster *roster);

static inline struct recipient *entry_recipient(struct entry *entry, uint32_t index)
{
	return entry->recipient_count == 1 ? &entry->only : &entry->many[index];
}

static inline uint64_t entry_id(const struct entry *entry)
{
	return entry->by_id.hash;
}

/* entry_us, entry_ticks - from ticks of its life to the time line, and back (downwards). */
static inline int64_t entry_us(const struct entry *entry, uint32_t ticks)
{
	return entry->arrived_us + (int64_t)ticks * TICK_US;
}

static inline uint32_t entry_ticks(const struct entry *entry, int64_t us)
{
	int64_t ticks = (us - entry->arrived_us) / TICK_US;

	return (uint32_t)MAX(0, MIN(ticks, UINT32_MAX));
}
