/* simulate/scene.h - the world that a policy is tried against: hosts with their manners, domains
 * with their records, when these change, and the mail. Immutable once it is made; read from a world
 * file (docs/simulate.md) or made from a recorded event log (recording.h). Times count from its
 * beginning. */
#pragma once
#include "base/arena.h"
#include "base/buffer.h"
#include "base/hash.h"
#include "model/outcome.h"
#include "model/route.h"

#define SCENE_HOSTS_MAX    10000
#define SCENE_DOMAINS_MAX  100000
#define SCENE_TRAFFICS_MAX 1000
#define SCENE_MAILS_MAX    20000000
#define SCENE_NAME_MAX     200
#define SCENE_PERIODS_MAX  100000 /* of all hosts */
#define SCENE_TIME_MAX_US  (365LL * 24 * 3600 * 1000000)

enum scene_listen { SCENE_ACCEPTS, SCENE_REFUSES, SCENE_BLACKHOLE, SCENE_BUSY };
enum scene_dns { SCENE_FOUND, SCENE_NXDOMAIN, SCENE_SERVFAIL, SCENE_NO_ANSWER };

/* How a host behaves from one moment on. The outcomes are what its replies mean. */
struct scene_manners {
	enum scene_listen listen;
	int connections;                   /* at the same time; beyond them 421 */
	int64_t slow_us;                   /* how long an attempt takes */
	int64_t rate_count, rate_us;       /* so many messages in so much time; 0: any number */
	int64_t greylist_us;               /* a sender and recipient are put off so long; 0: no */
	int full_percent, unknown_percent; /* of the mailboxes */
	const struct outcome *busy, *limited, *greylisted, *full, *unknown;
};

struct scene_period {
	int64_t from_us;
	struct scene_manners manners;
};

struct scene_host {
	struct hash_node by_name;
	const char *name;
	struct scene_period *periods; /* in order of time; the first begins at 0 */
	int period_count;
};

struct scene_records {
	int64_t from_us;
	enum scene_dns dns;
	const struct route *route; /* SCENE_FOUND: never NULL */
	uint32_t *hosts;           /* in order of preference */
	int host_count;
};

/* A stretch of time. */
struct span {
	int64_t from_us, to_us;
};

struct scene_domain {
	struct hash_node by_name;
	struct bytes name;
	struct scene_records *records; /* in order of time; copies share them */
	int record_count;
	int64_t ttl_us;
	uint32_t mailboxes;
	struct span *down;       /* when no host of it took mail, by DNS or by themselves */
	int64_t *down_before_us; /* the sum of those before this one */
	int down_count;
};

/* So many messages, at random times of a stretch, to some domains. */
struct scene_traffic {
	uint64_t messages;
	struct span during;
	uint32_t senders, size_bytes;
	int8_t priority;
	struct scene_target {
		uint32_t domain, copies; /* the first of so many alike */
		uint64_t weight;
	} * targets;
	int target_count;
};

struct mail {
	int64_t arrived_us;
	uint32_t domain, sender, mailbox, size_bytes;
	int8_t priority;
	bool is_refused;       /* recorded: the other side refused it for good */
	int64_t not_before_us; /* recorded: until then it was put off for its own sake */
};

struct scene {
	struct arena *arena;
	const char *about;
	uint64_t seed;
	int64_t duration_us; /* simulated at most; 0: until all mail is settled */
	struct scene_host *hosts;
	struct scene_domain *domains;
	struct scene_traffic *traffics;
	struct mail *mails; /* in order of arrival; scene_fill makes them */
	uint32_t host_count, domain_count, traffic_count, mail_count;
	struct hash hosts_by_name, domains_by_name;
};

/* scene_parse - reads the text of a world file. ERR_INVALID: `problems_out` has one line each,
 * "name:line: key: what is wrong". */
int scene_parse(const char *name, struct bytes text, struct scene **scene_out,
                struct buffer *problems_out);

/* scene_load - the same of a file; ERR_SYSTEM if it cannot be read. */
int scene_load(const char *path, struct scene **scene_out, struct buffer *problems_out);
struct scene *scene_create(void);        /* an empty one */
void scene_destroy(struct scene *scene); /* takes NULL */

/* scene_find_host, scene_find_domain - in any case; NULL if there is none. */
struct scene_host *scene_find_host(const struct scene *scene, struct bytes name);
struct scene_domain *scene_find_domain(const struct scene *scene, struct bytes name);

/* scene_is_name - whether a text may be a host or domain of a world: an address ends in it. */
bool scene_is_name(const char *name);

/* scene_fill - makes the mail from the traffic, and finds out when each domain was down. The same
 * seed gives the same mail. */
void scene_fill(struct scene *scene);
void scene_find_downtime(struct scene *scene); /* the second half of it */

/* scene_manners_at, scene_records_at - what holds at a time. */
const struct scene_manners *scene_manners_at(const struct scene_host *host, int64_t at_us);
const struct scene_records *scene_records_at(const struct scene_domain *domain, int64_t at_us);

/* scene_uptime_us - for how long of a stretch some host of the domain took mail. */
int64_t scene_uptime_us(const struct scene_domain *domain, struct span span);

/* scene_recovery_us - the end of the last downtime that a message met which waited from
 * `span.from_us` to `span.to_us`; -1: it met none. */
int64_t scene_recovery_us(const struct scene_domain *domain, struct span span);

/* scene_outcome - what a reply such as "450 4.7.1 slow down" to RCPT means; in the arena. NULL if
 * it is no reply. */
const struct outcome *scene_outcome(struct arena *arena, const char *reply, enum phase phase);
