/* config/config.h - the configuration as plain structs, one per room; made from the schema table
 * (schema.c). In the file a key is called as the field here, without _us, and _size for _bytes.
 * Immutable; counted references (atomic): a reload makes a new one, and who holds the old keeps it
 * until done. */
#pragma once
#include "base/bytes.h"
#include "base/err.h"
#include "config/intake.h"

/* What may differ by destination: defaults { } and destination "PATTERN" { } blocks. */
struct config_destination {
	char *pattern;        /* "gmail.com", "*.example.com", or "" for the defaults */
	char *preset;         /* whose values were taken where no others are given; "" = none */
	int64_t *schedule_us; /* the waits between attempts; the last one repeats */
	int schedule_count;
	int jitter_percent;                /* 10 */
	int64_t lifetime_us;               /* 5 d */
	struct config_strings not_counted; /* own causes whose time does not use up the lifetime */
	int64_t dns_grace_us;              /* 24 h: a domain that resolved before may be gone */
	int64_t notice_lifetime_us;        /* 2 d: for mail with the null sender */
	int64_t delay_notice_us;           /* 4 h; 0: none */
	char *delay_notice_by;             /* "time", "forecast", "first" */
	int64_t delay_digest_us;           /* 1 h; 0: none */
	bool delivered_notice;             /* no */
	char *rate;                        /* "500/h" per site; "" = none */
	int connections;                   /* 20 per site */
	int messages_per_connection;       /* 100 */
	int recipients_per_message;        /* 100 per transaction */
	int64_t idle_us;                   /* 5 s: a connection without work is closed */
	int64_t *probe_us;                 /* waits between probes of a closed site; last repeats */
	int probe_count;
	int failures_to_close;           /* in a row, for a site with no open connection; 1 */
	char *route;                     /* "" = MX; else hosts, see model/route.h */
	char *tls;                       /* none, may (default), must, verify */
	struct config_strings tls_names; /* with verify: what the certificate must be for; empty:
	                                    the host's name */
};

struct config_deliver {
	char *helo;                             /* own name; default: the host's FQDN */
	int port;                               /* 25 */
	struct config_strings source_addresses; /* one IPv4, one IPv6; empty: the kernel's choice */
	int64_t connect_timeout_us;             /* 30 s per address */
	int64_t greeting_timeout_us;            /* 5 min */
	int64_t command_timeout_us;             /* EHLO, MAIL, RCPT, RSET: 5 min */
	int64_t data_timeout_us;                /* DATA: 2 min */
	int64_t body_timeout_us;                /* each write of the content: 3 min */
	int64_t dot_timeout_us;                 /* 10 min */
	int64_t quit_timeout_us;                /* 5 s */
	int64_t handshake_timeout_us;           /* TLS: 1 min */
	char *tls_trust;                        /* PEM, the authorities to believe; "" = none */
	int addresses_per_attempt;              /* 10: hosts x addresses tried at most */
	int connections;                        /* 1,000 in all */
	bool ipv6;                              /* yes */
	bool allow_own_address; /* no: hosts that are ourselves or loopback are left out */
};

/* dkim "SELECTOR._domainkey.DOMAIN" { ... }: a key to sign with. */
struct config_dkim {
	char *name;
	char *key;                     /* file, PEM */
	struct config_strings senders; /* domains of authors; empty: DOMAIN */
	char *from, *until;            /* days, UTC; "" = always */
};

struct config_report {
	char *from;           /* postmaster@<helo> */
	char *postmaster;     /* "" = double bounces are logged and dropped */
	char *expired_status; /* "5.4.7" (default), "4.4.7", "cause" */
	char *delayed_status; /* "4.4.7" (default), "cause" */
	int64_t return_bytes; /* 50 KiB: larger messages come back as headers */
	char *event_log;      /* file; "" = none; "-" = stdout */
};

/* alarm NAME { ... }: what is told outside the mail path. One of the first four is set. */
struct config_alarm {
	char *name;
	int expiring;                       /* recipients; 0: not this */
	int64_t site_down_us, queue_age_us; /* 0: not this */
	int64_t disk_free_bytes;            /* 0: not this */
	char *within;                       /* of `expiring`: 1h 6h 24h */
	int64_t every_us, timeout_us;       /* 30 s; 10 s */
	char *exec, *webhook, *file;        /* "" = none */
};

struct config_vault {
	int64_t keep_us;    /* 7 d; 0: nothing is kept */
	int64_t size_bytes; /* 1 GiB in all */
};

struct config_admin {
	char *socket; /* /run/outlast/control */
};
struct config_log {
	char *level, *format; /* debug info warning error; json text */
	char *file;           /* "" = stderr */
};

struct config {
	char *path;
	char *hostname;      /* what we call ourselves; default: the machine's FQDN */
	int node;            /* 0..255, part of every message id */
	int workers;         /* 0: one per core */
	int64_t forecast_us; /* 1 min; 0: never */
	char *reply_rules;   /* file; "": only the built-in ones */
	struct config_receive receive;
	struct config_spool spool;
	struct config_drop drop;
	struct config_dns dns;
	struct config_deliver deliver;
	struct config_report report;
	struct config_vault vault;
	struct config_admin admin;
	struct config_log log;
	struct config_destination defaults;
	struct config_destination *destinations; /* each already merged with the defaults */
	int destination_count;
	struct config_dkim *dkim;
	int dkim_count;
	struct config_alarm *alarms;
	int alarm_count;
};

struct buffer;

/* config_load - reads and checks the whole file with its includes. On failure returns ERR_INVALID
 * (or ERR_SYSTEM) and `problems_out` holds one line per problem, "file:line: key: what is wrong"
 * (at most 20). The caller releases. */
int config_load(const char *path, struct config **config_out, struct buffer *problems_out);

/* config_parse - as config_load, of a text called `name`; includes are refused. */
int config_parse(const char *name, struct bytes text, struct config **config_out,
                 struct buffer *problems_out);
struct config *config_acquire(const struct config *config);
void config_release(const struct config *config); /* takes NULL */

/* config_destination_of - by exact name, else by the longest "*.suffix", else the defaults. */
const struct config_destination *config_destination_of(const struct config *config,
                                                       struct bytes domain);

/* config_show - every key, its value, and where it is from as a comment; a valid config file. */
void config_show(const struct config *config, struct buffer *out);

/* config_walk - visits every key: path ("receive.hops"), value, origin ("file:line", "default"). */
void config_walk(const struct config *config,
                 void (*visit)(void *arg, const char *path, const char *value, const char *origin),
                 void *arg);
