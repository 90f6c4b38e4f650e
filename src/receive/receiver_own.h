/* receive/receiver_own.h - what a session needs of its receiver. */
#pragma once
#include "base/hash.h"
#include "base/list.h"
#include "receive/receive.h"

struct receiver {
	const struct config *config;
	struct receiver_hooks hooks;
	struct budget *budget;
	struct id_maker *ids;
	struct door *doors; /* the listeners */
	int door_count;
	struct list sessions;
	struct hash clients; /* connections by address */
	struct network *relay_from;
	int relay_from_count;
	struct receiver_stats stats;
	bool is_stopping;
};
