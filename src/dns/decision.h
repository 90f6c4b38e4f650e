/* dns/decision.h - what we know about names: one decision for each question, open while it is being
 * looked up (so that many who ask share one lookup), then settled until its time is over. Pure. */
#pragma once
#include "base/hash.h"
#include "base/list.h"
#include "dns/dns.h"

enum decision_kind {
	DECISION_ROUTE,     /* dns_route */
	DECISION_IPV4,      /* dns_addresses: A */
	DECISION_ADDRESSES, /* dns_addresses: AAAA and A */
};

/* struct finding - an answer; owns its route, addresses and text. */
struct finding {
	enum dns_status status;
	int64_t valid_until_us;
	bool is_secure, is_implicit, is_self;
	struct route *route;
	struct address *addresses;
	int address_count;
	char *text; /* NULL: found */
};

struct decision {
	struct hash_node node;
	struct list place;   /* among the table's open or settled ones */
	struct list turn;    /* open: in the resolver's backlog */
	struct list waiting; /* open: who asks */
	enum decision_kind kind;
	bool is_settled, is_in_table;
	int64_t deadline_us; /* open: when those who ask are answered in any case */
	struct finding finding;
	char name[];
};

/* The table holds every open decision and at most `limit` settled ones; those least recently used
 * go first. */
struct decision_table {
	struct hash hash;
	struct list open, settled; /* settled: least recently used first */
	uint32_t settled_count, limit;
	uint64_t seed;
};

void decision_table_init(struct decision_table *table, uint32_t limit);
void decision_table_deinit(struct decision_table *table); /* no decision may be open */

/* decision_find - open, or settled and still valid; else NULL (one that is over is dropped). */
struct decision *decision_find(struct decision_table *table, enum decision_kind kind,
                               struct bytes name, int64_t now_us);

/* decision_add - a new open decision, which decision_find did not find. */
struct decision *decision_add(struct decision_table *table, enum decision_kind kind,
                              struct bytes name);

/* decision_settle - from now on found until its time is over; destroyed at once if it was forgotten
 * while it was open. Nobody may be waiting. */
void decision_settle(struct decision_table *table, struct decision *decision);

/* decision_forget - a domain's route and its hosts' addresses; "" = all. Open ones are still
 * answered, but not found any more. */
void decision_forget(struct decision_table *table, struct bytes domain);
