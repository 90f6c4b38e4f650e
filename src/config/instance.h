/* config/instance.h - a block with its values and where each came from, and the whole
 * configuration made of such blocks. Known only inside config/. */
#pragma once
#include "base/arena.h"
#include "base/hash.h"
#include "config/problems.h"
#include "config/schema.h"
#include "config/syntax.h"
#include <stdatomic.h>

struct instance {
	const struct schema_block *block;
	void *values;         /* the block's struct */
	const char *argument; /* what stands behind the block's name; NULL if it takes nothing */
	const char **origins; /* of each key: "file:line" or "preset x"; NULL: the default */
	struct place *places; /* of each key given in this very block; else the file is NULL */
};

struct whole {
	struct config config;
	atomic_int references;
	struct arena *arena;        /* everything, this struct included, but the hash's buckets */
	struct instance *instances; /* in the order in which they are shown */
	int instance_count;
	struct hash destinations; /* by pattern, without regard to case */
};

/* instance_path - "receive.hops", "destination \"gmail.com\".lifetime", "hostname". */
char *instance_path(struct arena *arena, const struct instance *instance, const char *key);

/* A destination block in the hash of all of them. */
struct destination_node {
	struct hash_node node;
	const struct config_destination *destination;
};

const struct config_destination *whole_find(const struct whole *whole, struct bytes pattern);

/* whole_build - fills everything from the entries of a file. `presets` are the entries of the
 * built-in ones. What is wrong goes to `problems`. */
void whole_build(struct whole *whole, const struct syntax_entry *entries,
                 const struct syntax_entry *presets, struct problems *problems);
