/* config/schema.h - every key there is, one table row each. Reading, checking, `config show` and
 * docs/config.md are all made from these rows. */
#pragma once
#include "config/config.h"

enum schema_type {
	SCHEMA_STRING,
	SCHEMA_CHOICE, /* one of `choices` */
	SCHEMA_SWITCH, /* yes or no */
	SCHEMA_NUMBER,
	SCHEMA_SIZE,
	SCHEMA_DURATION,
	SCHEMA_STRINGS,
	SCHEMA_DURATIONS, /* at least one */
};

struct schema_key {
	const char *name;
	enum schema_type type;
	size_t offset;       /* of the value in the block's struct */
	size_t count_offset; /* SCHEMA_DURATIONS: of their number */
	const char *initial; /* the default as it would be written; "" is none */
	int64_t min, max;    /* of NUMBER, SIZE, DURATION, and of each of DURATIONS */
	const char *choices; /* separated by blanks */
	/* STRING, STRINGS: returns what is wrong with a value, or NULL. */
	const char *(*check)(struct bytes value);
	const char *doc;     /* one sentence without full stop */
	const char *example; /* a value worth showing */
};

enum schema_block_id {
	BLOCK_TOP, /* the file itself; the others in the order in which they are shown and built */
	BLOCK_LISTENER,
	BLOCK_DKIM,
	BLOCK_ALARM,
	BLOCK_RECEIVE,
	BLOCK_SPOOL,
	BLOCK_DROP,
	BLOCK_DNS,
	BLOCK_DELIVER,
	BLOCK_REPORT,
	BLOCK_VAULT,
	BLOCK_ADMIN,
	BLOCK_LOG,
	BLOCK_PRESET,
	BLOCK_DEFAULTS,
	BLOCK_DESTINATION,
	BLOCK_COUNT,
};

struct schema_block {
	const char *name;     /* "" for BLOCK_TOP */
	const char *argument; /* what its argument is called; NULL: it has none */
	const char *(*check)(struct bytes argument);
	size_t argument_offset; /* of the argument in the block's struct */
	size_t offset;          /* in struct config, if the block has no argument */
	size_t size_bytes;      /* of the block's struct */
	const struct schema_key *keys;
	int key_count;
	const char *doc;
};

const struct schema_block *schema_block(enum schema_block_id id);

/* schema_find_block / schema_find_key - position of a name; -1 if unknown. */
int schema_find_block(const char *name);
int schema_find_key(const struct schema_block *block, const char *name);

/* schema_nearest - the name of a key of `block` (or of any block, if it is BLOCK_TOP) that `name`
 * was probably meant to be; NULL if none is near. */
const char *schema_nearest(const struct schema_block *block, const char *name);
