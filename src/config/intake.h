/* config/intake.h - the blocks about mail that comes in: how it is received and kept; and where
 * names are looked up. Read config.h first. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct config_strings {
	char **items;
	int count;
};

/* listener "ADDRESS:PORT" { ... } */
struct config_listener {
	char *address; /* "127.0.0.1:2525", "[::]:25" */
	char *kind;    /* "relay" or "submission": missing Date and Message-ID are added */
	char *tls, *certificate, *key; /* "none", "starttls", "required", "implicit"; PEM files */
};

/* receive { ... }: policy at the door; the other blocks are called likewise. */
struct config_receive {
	struct config_listener *listeners;
	int listener_count;
	struct config_strings relay_from; /* networks that may relay; default 127.0.0.0/8 ::1 */
	char *bare_newline;               /* "refuse" (default) or "normalise" */
	int64_t message_size_bytes;       /* 50 MiB */
	int64_t memory_message_bytes;     /* 1 MiB: larger content goes to a file */
	int64_t memory_bytes;             /* 256 MiB: the budget for content of all sessions */
	int recipients_per_message;       /* 1,000; at least 100 */
	int messages_per_connection;      /* 10,000 */
	int connections;                  /* 20,000 in all */
	int connections_per_client;       /* 1,000 per address */
	int errors_per_connection;        /* 20: then 421 */
	int64_t header_bytes;             /* 256 KiB: header section */
	int hops;                         /* 100 Received fields */
	int64_t command_timeout_us;       /* 5 min */
	int64_t data_timeout_us;          /* 3 min between packets */
	int64_t future_release_us;        /* 30 d; 0: not offered */
	int64_t session_timeout_us;       /* 2 h in all, for slow-drip clients */
};

struct config_spool {
	char *directory;       /* /var/spool/outlast */
	int64_t segment_bytes; /* 64 MiB */
	int spare_segments;    /* 8: kept for recycling */
	int64_t reserve_bytes; /* 64 MiB: below this much free space new mail gets 452 */
};

struct config_drop {
	char *directory; /* "" = none */
	char *domain;    /* for addresses without one; "" = hostname */
	char *local_to;  /* who gets mail for them instead; "" = nobody else */
};

struct config_dns {
	struct config_strings servers;  /* "127.0.0.1:53"; empty: resolv.conf */
	char *trust_anchor;             /* file; "" = no validation */
	int64_t timeout_us;             /* 20 s for one question in all */
	int64_t ttl_min_us, ttl_max_us; /* 5 s, 1 d: bounds for what we cache */
	struct config_strings stubs;    /* "test=127.0.0.1:5353": zones asked at a given server */
};
