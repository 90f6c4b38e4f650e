/* lab/manners.h - how a mail server of the lab behaves. Plain facts, changed by the script at any
 * time. */
#pragma once
#include "base/bytes.h"

#define NAME_MAX_BYTES       256
#define MANNERS_PATTERNS_MAX 16

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
	char pattern[NAME_MAX_BYTES]; /* "*" stands for any run */
	struct action action;
};

enum extension {
	EXTENSION_PIPELINING = 1,
	EXTENSION_8BITMIME = 2,
	EXTENSION_SIZE = 4,
	EXTENSION_DSN = 8,
	EXTENSION_SMTPUTF8 = 16,
	EXTENSION_CHUNKING = 32,
	EXTENSION_ENHANCED_CODES = 64,
	EXTENSIONS_ALL = 127,
};

struct manners {
	enum listen_manner listen;
	struct action actions[STAGES];
	struct recipient_pattern patterns[MANNERS_PATTERNS_MAX];
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

/* manners_make_healthy - those of a server that takes everything. */
void manners_make_healthy(struct manners *manners);

/* action_take - what is scripted for a stage, NULL if nothing (any more); counts it. */
const struct action *action_take(struct action *action);

/* pattern_match - whether `text` matches a pattern in which "*" stands for any run, in any case. */
bool pattern_match(struct bytes pattern, struct bytes text);

const char *listen_manner_name(enum listen_manner manner);
