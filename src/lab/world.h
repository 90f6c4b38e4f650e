/* lab/world.h - the scripted internet: names with their DNS records, hosts with their manners, and
 * when these change. Pure: whoever runs it applies the changes when their time comes. */
#pragma once
#include "base/hash.h"
#include "lab/manners.h"
#include "lab/script.h"
#include "runtime/address.h"

#define WORLD_NAMES_MAX     100000
#define WORLD_ADDRESSES_MAX 16

enum dns_manner {
	DNS_MANNER_ANSWER,
	DNS_MANNER_NXDOMAIN,
	DNS_MANNER_SERVFAIL,
	DNS_MANNER_REFUSED,
	DNS_MANNER_TIMEOUT, /* no answer at all */
};

struct mx_record {
	uint16_t preference;
	char host[NAME_MAX_BYTES]; /* "": the root (null MX) */
};

struct records {
	enum dns_manner manner;
	uint32_t ttl_s;
	bool is_truncated; /* over UDP only "ask by TCP" */
	struct mx_record *mx;
	int mx_count;
	struct address addresses[WORLD_ADDRESSES_MAX];
	int address_count;
	char cname[NAME_MAX_BYTES];
};

struct name {
	struct hash_node node;
	struct name *next; /* in the order of the file */
	char text[NAME_MAX_BYTES];
	struct records records;
	struct manners *manners; /* hosts only */
	struct host *host;       /* what runs it; the world does not look inside */
};

/* A block "at 10s { ... }" of a name. */
struct change {
	struct change *next; /* in order of time */
	int64_t at_us;       /* since the start */
	struct name *name;
	struct statement *block;
};

struct world {
	struct arena *arena;
	struct hash hash;
	struct name *names;
	struct change *changes;
	int name_count, host_count;
	uint16_t dns_port, smtp_port; /* 0: chosen at the start */
};

/* world_parse - reads the text of a world. ERR_INVALID says "name:line: what". */
int world_parse(const char *file_name, struct bytes text, struct world **world_out,
                struct err *err);
void world_destroy(struct world *world); /* takes NULL */

/* world_find - by name in any case, without final dot. */
struct name *world_find(const struct world *world, struct bytes name);

/* world_has_below - whether `name` is an empty node: no records, but names below it. */
bool world_has_below(const struct world *world, struct bytes name);

/* world_apply - one statement about a name ("mx 10 a.test", "refuse", "rcpt *@x \"550 no\""). */
int world_apply(struct world *world, struct name *name, const struct statement *statement,
                struct err *err);
