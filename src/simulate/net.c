#include "simulate/net.h"
#include "base/alloc.h"
#include "base/assert.h"
#include "base/macros.h"
#include "base/units.h"

#define REFUSED_US (10 * US_PER_MS) /* a round trip */
#define GREY_FIRST 1024

struct host_now {
	int busy;
	int64_t window_us; /* beginning of the rate's present stretch */
	int64_t used;      /* and what it has taken */
};

struct records_seen {
	const struct scene_records *records; /* NULL: not asked yet */
	int64_t until_us;
};

/* When a sender and a mailbox of a host were first seen: open addressing, 0 is a free place. */
struct grey {
	uint64_t key;
	int64_t first_us;
};

struct net {
	const struct scene *scene;
	struct host_now *hosts;
	struct records_seen *seen;
	struct grey *greys;
	size_t grey_count, grey_capacity;
	struct outcome down, silent, crowded, put_off, refused;
	struct net_counts counts;
};

static struct outcome connect_failure(const char *text)
{
	struct outcome outcome = { .result = RESULT_DEFERRED,
		                   .cause = CAUSE_HOST_DOWN,
		                   .scope = SCOPE_SITE,
		                   .phase = PHASE_CONNECT };

	for (size_t i = 0; text[i]; i++)
		outcome.text[i] = text[i];
	return outcome;
}

struct net *net_create(const struct scene *scene)
{
	struct net *net = alloc_zeroed(sizeof *net);

	net->scene = scene;
	net->hosts = alloc_zeroed(scene->host_count * sizeof *net->hosts + 1);
	net->seen = alloc_zeroed(scene->domain_count * sizeof *net->seen + 1);
	net->grey_capacity = GREY_FIRST;
	net->greys = alloc_zeroed(GREY_FIRST * sizeof *net->greys);
	net->down = connect_failure("connect: Connection refused");
	net->silent = connect_failure("connect: Connection timed out");
	net->crowded = connect_failure("421 4.7.0 Too many connections");
	net->crowded.cause = CAUSE_HOST_BUSY;
	net->crowded.phase = PHASE_GREETING;
	net->crowded.code = 421;
	net->put_off = connect_failure("451 4.2.0 recorded deferral");
	net->put_off.cause = CAUSE_SOFT_OTHER;
	net->put_off.phase = PHASE_RCPT;
	net->put_off.scope = SCOPE_RECIPIENT;
	net->put_off.code = 451;
	net->refused = (struct outcome){ .result = RESULT_FAILED,
		                         .phase = PHASE_RCPT,
		                         .code = 550 };
	return net;
}

void net_destroy(struct net *net)
{
	if (!net)
		return;
	alloc_free(net->hosts);
	alloc_free(net->seen);
	alloc_free(net->greys);
	alloc_free(net);
}

const struct net_counts *net_counts(const struct net *net)
{
	return &net->counts;
}

static struct grey *grey_place(struct grey *greys, size_t capacity, uint64_t key)
{
	size_t i = key & (capacity - 1);

	while (greys[i].key != 0 && greys[i].key != key)
		i = (i + 1) & (capacity - 1);
	return &greys[i];
}

static void grow_greys(struct net *net)
{
	size_t capacity = net->grey_capacity * 2;
	struct grey *greys = alloc_zeroed(capacity * sizeof *greys);

	for (size_t i = 0; i < net->grey_capacity; i++) {
		if (net->greys[i].key)
			*grey_place(greys, capacity, net->greys[i].key) = net->greys[i];
	}
	alloc_free(net->greys);
	net->greys = greys;
	net->grey_capacity = capacity;
}

/* Whether this sender may send to this mailbox by now; the first time starts its clock. */
static bool passes_greylist(struct net *net, uint32_t host, const struct mail *mail, int64_t now_us,
                            int64_t greylist_us)
{
	uint32_t parts[] = { host, mail->domain, mail->sender, mail->mailbox };
	uint64_t key = bytes_hash((struct bytes){ (const char *)parts, sizeof parts }, 1) | 1;
	struct grey *grey = grey_place(net->greys, net->grey_capacity, key);

	if (grey->key == key)
		return now_us - grey->first_us >= greylist_us;
	*grey = (struct grey){ .key = key, .first_us = now_us };
	if (++net->grey_count * 2 > net->grey_capacity)
		grow_greys(net);
	return false;
}

static bool is_within_rate(struct host_now *host, const struct scene_manners *manners,
                           int64_t now_us)
{
	if (manners->rate_count == 0)
		return true;
	if (now_us - host->window_us >= manners->rate_us) {
		host->window_us = now_us / manners->rate_us * manners->rate_us;
		host->used = 0;
	}
	return host->used < manners->rate_count;
}

static bool has_share(const struct mail *mail, int percent, uint64_t seed)
{
	uint32_t parts[] = { mail->domain, mail->mailbox };

	return percent > 0 &&
	       bytes_hash((struct bytes){ (const char *)parts, sizeof parts }, seed) % 100 <
	               (uint64_t)percent;
}

/* What a host that is up says to a recipient. NULL: it takes the mail. */
static const struct outcome *judge(struct net *net, uint32_t index, const struct mail *mail,
                                   const struct scene_manners *manners, int64_t now_us)
{
	struct host_now *host = &net->hosts[index];

	if (mail->is_refused)
		return &net->refused;
	if (has_share(mail, manners->unknown_percent, 2))
		return manners->unknown;
	if (!is_within_rate(host, manners, now_us)) {
		net->counts.limited++;
		return manners->limited;
	}
	if (manners->greylist_us > 0 &&
	    !passes_greylist(net, index, mail, now_us, manners->greylist_us))
		return manners->greylisted;
	if (has_share(mail, manners->full_percent, 3))
		return manners->full;
	if (now_us < mail->not_before_us)
		return &net->put_off;
	host->used++;
	return NULL;
}

/* Tries one host. True: it took the connection, and `answer` is what it said. */
static bool try_host(struct net *net, uint32_t index, const struct net_try *attempt,
                     struct net_answer *answer, int64_t now_us)
{
	const struct scene_manners *manners = scene_manners_at(&net->scene->hosts[index], now_us);
	struct host_now *host = &net->hosts[index];

	answer->has_timed_out = manners->listen == SCENE_BLACKHOLE;
	if (manners->listen != SCENE_ACCEPTS)
		net->counts.dead++;
	if (manners->listen == SCENE_BLACKHOLE) {
		answer->outcome = &net->silent;
		answer->duration_us += attempt->connect_timeout_us;
		return false;
	}
	answer->duration_us += REFUSED_US;
	if (manners->listen != SCENE_ACCEPTS) {
		answer->outcome = manners->listen == SCENE_BUSY ? manners->busy : &net->down;
		return false;
	}
	if (host->busy >= manners->connections) {
		net->counts.crowded++;
		answer->outcome = &net->crowded;
		return false;
	}
	host->busy++;
	answer->host = (int32_t)index;
	answer->is_host_down = false;
	answer->duration_us += manners->slow_us;
	answer->outcome = judge(net, index, &net->scene->mails[attempt->mail], manners, now_us);
	return true;
}

struct net_answer net_begin(struct net *net, const struct net_try *attempt, int64_t now_us)
{
	struct net_answer answer = { .host = -1, .is_host_down = true, .outcome = &net->down };

	net->counts.attempts++;
	for (int i = 0; i < attempt->host_count; i++) {
		if (try_host(net, attempt->hosts[i], attempt, &answer, now_us))
			break;
	}
	return answer;
}

void net_end(struct net *net, const struct net_answer *answer)
{
	if (answer->host < 0)
		return;
	ASSERT(net->hosts[answer->host].busy > 0);
	net->hosts[answer->host].busy--;
}

const struct scene_records *net_look_up(struct net *net, uint32_t domain, int64_t now_us,
                                        int64_t *until_us_out)
{
	struct records_seen *seen = &net->seen[domain];

	if (!seen->records || seen->until_us <= now_us || seen->records->dns != SCENE_FOUND) {
		seen->records = scene_records_at(&net->scene->domains[domain], now_us);
		seen->until_us = now_us + net->scene->domains[domain].ttl_us;
	}
	*until_us_out = seen->until_us;
	return seen->records;
}
