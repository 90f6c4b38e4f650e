/* lab/world.h - the scripted internet: names with their DNS records, hosts with their manners, and
 * when these change. Pure: whoever runs it applies the changes when their time comes. */
#pragma once
#include "base/hash.h"
#include "lab/script.h"
#include "runtime/address.h"

#define WORLD_NAMES_MAX     100000
#define WORLD_ADDRESSES_MAX 16
#define WORLD_PATTERNS_MAX  16
#define WORLD_NAME_MAX      256

enum dns_manner {
	DNS_MANNER_ANSWER,
	DNS_MANNER_NXDOMAIN,
	DNS_MANNER_SERVFAIL,
	DNS_MANNER_REFUSED,
	DNS_MANNER_TIMEOUT, /* no answer at all */
};

struct mx_record {
	uint16_t preference;
	char host[WORLD_NAME_MAX]; /* "": the root (null MX) */
};

struct records {
	enum dns_manner manner;
	uint32_t ttl_s;
	bool is_truncated; /* over UDP only "ask by TCP" */
	struct mx_record *mx;
	int mx_count;
	struct address addresses[WORLD_ADDRESSES_MAX];
	int address_count;
	char cname[WORLD_NAME_MAX];
};

enum listen_manner {
	LISTEN_ACCEPT,
	LISTEN_REFUSE,    /* no listening socket */
	LISTEN_BLACKHOLE, /* connection requests are never answered */
	LISTEN_SILENT,    /* accepts, and never says a word */
	LISTEN_RESET,     /* accepts, and resets at once */
};

/* Where in the conversation a scripted action stands. */
enum stage {
	STAGE_GREETING,
	STAGE_EHLO,
	STAGE_HELO,
	STAGE_MAIL,
	STAGE_RCPT,
	STAGE_DATA,
	STAGE_DOT,
	STAGE_RSET,
	STAGE_QUIT,
	STAGES,
};

enum action_kind {
	ACTION_NONE, /* do as a healthy server does */
	ACTION_REPLY,
	ACTION_DROP,    /* close the connection instead of a reply */
	ACTION_SILENT,  /* never reply */
	ACTION_GARBAGE, /* bytes that are no reply */
};

struct action {
	enum action_kind kind;
	char text[512]; /* ACTION_REPLY: without the last CRLF */
	int64_t left;   /* how often yet; -1: always */
};

struct recipient_pattern {
	char pattern[WORLD_NAME_MAX]; /* "*" stands for any run */
	struct action action;
};

enum extension {
	EXTENSION_PIPELINING = 1,
	EXTENSION_8BITMIME = 2,
	EXTENSION_SIZE = 4,
	EXTENSION_DSN = 8,
	EXTENSION_SMTPUTF8 = 16,
	EXTENSION_CHUNKING = 32,
	EXTENSION_ENHANCEDSTATUSCODES = 64,
	EXTENSIONS_ALL = 127,
};

struct manners {
	enum listen_manner listen;
	struct action actions[STAGES];
	struct recipient_pattern patterns[WORLD_PATTERNS_MAX];
	int pattern_count;
	int64_t greylist_us;                /* 0: none */
	int64_t rate_count, rate_period_us; /* 0: no limit */
	char rate_reply[512];
	int64_t connections; /* at the same time; 0: no limit */
	int64_t recipients;  /* per transaction; 0: no limit */
	int64_t size_bytes;  /* 0: no limit */
	int64_t delay_us;    /* before each reply */
	int64_t speed;       /* bytes of content read a second; 0: no limit */
	unsigned extensions;
};

struct name {
	struct hash_node node;
	struct name *next; /* in the order of the file */
	char text[WORLD_NAME_MAX];
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
	uint16_t dns_port, smtp_port; /* 0: chosen at the start */
	int name_count, host_count;
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

/* world_take_action - what is scripted for a stage, NULL if nothing; counts it. */
const struct action *world_take_action(struct action *action);

/* world_match - whether `text` matches a pattern with "*", in any case. */
bool world_match(struct bytes pattern, struct bytes text);

const char *world_listen_name(enum listen_manner manner);
