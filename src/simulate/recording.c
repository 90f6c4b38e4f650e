#include "simulate/recording.h"
#include "base/alloc.h"
#include "base/macros.h"
#include "base/units.h"
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LIMIT_PAUSE_US (2 * US_PER_HOUR) /* limits further apart are two stretches */
#define NO_HOST        UINT32_MAX

/* What is seen of a host or domain at a time; kept only where it differs from what was before. */
struct sight {
	int64_t at_us;
	int64_t value;
	enum sight_kind { SIGHT_LISTEN, SIGHT_RATE, SIGHT_HOST, SIGHT_DNS } kind;
	uint32_t order; /* in which they were seen */
};

/* A host (called as the log's `site`) or a domain, while its log is read. */
struct seen {
	struct hash_node by_name;
	const char *name;
	uint32_t number;
	struct buffer sights;
	int64_t last[4]; /* value by kind; -1: none yet */
	uint64_t delivered;
	/* the stretch in which it limits the rate; from 0: none */
	int64_t limit_from_us, limit_to_us;
	uint64_t delivered_before, delivered_within;
	int64_t grey_us; /* the shortest time after which a mail that was greylisted got through; 0
	                  */
};

struct seen_table {
	struct hash by_name;
	struct buffer items; /* struct seen * */
	uint32_t count;
};

struct draft {
	struct hash_node by_id;
	struct draft *next; /* in the order of the log */
	struct mail mail;
	int64_t grey_first_us, put_off_us;
	uint32_t host; /* that greylisted it */
	bool is_dropped, is_over;
};

struct recorder {
	struct scene *scene;
	struct hash drafts;
	struct draft *first, **tail;
	struct seen_table hosts, domains;
	int64_t begin_us, now_us; /* now: since the beginning */
	json_t *event;
	struct draft *draft; /* that it is about */
	struct err *err;
};

static const char *text_of(const struct recorder *recorder, const char *key)
{
	const char *text = json_string_value(json_object_get(recorder->event, key));

	return text ? text : "";
}

static struct seen *obtain(struct recorder *recorder, struct seen_table *table, const char *name)
{
	uint64_t hash = bytes_hash_nocase(bytes_of(name), 0);
	struct seen *seen;

	HASH_EACH_MATCH (node, &table->by_name, hash) {
		seen = CONTAINER_OF(node, struct seen, by_name);
		if (bytes_equal_nocase(bytes_of(seen->name), bytes_of(name)))
			return seen;
	}
	seen = arena_alloc(recorder->scene->arena, sizeof *seen);
	seen->name = arena_copy(recorder->scene->arena, bytes_of(name)).at;
	seen->number = table->count++;
	memset(seen->last, -1, sizeof seen->last);
	hash_insert(&table->by_name, &seen->by_name, hash);
	buffer_append(&table->items, (struct bytes){ (const char *)&seen, sizeof(void *) });
	return seen;
}

static struct seen *seen_at(const struct seen_table *table, uint32_t number)
{
	return ((struct seen **)(void *)table->items.at)[number];
}

static void add_sight(struct seen *seen, int64_t at_us, enum sight_kind kind, int64_t value)
{
	struct sight sight = { .at_us = at_us,
		               .value = value,
		               .kind = kind,
		               .order = (uint32_t)(seen->sights.len / sizeof sight) };

	buffer_append(&seen->sights, (struct bytes){ (const char *)&sight, sizeof sight });
}

static void see(struct recorder *recorder, struct seen *seen, enum sight_kind kind, int64_t value)
{
	/* The first sight holds from the beginning. */
	int64_t at_us = seen->last[kind] < 0 ? 0 : recorder->now_us;

	if (seen->last[kind] == value)
		return;
	seen->last[kind] = value;
	add_sight(seen, at_us, kind, value);
}

/* The rate of the stretch that is over: what went through in its time. */
static void close_limit(struct seen *host)
{
	int64_t span_us = MAX(US_PER_MINUTE, host->limit_to_us - host->limit_from_us);
	double an_hour = (double)host->delivered_within * (double)US_PER_HOUR / (double)span_us;

	if (host->limit_to_us == 0)
		return;
	add_sight(host, host->limit_from_us, SIGHT_RATE, (int64_t)MAX(1, an_hour));
	add_sight(host, host->limit_to_us + 1, SIGHT_RATE, 0);
	host->limit_to_us = 0;
}

static void see_limit(struct recorder *recorder, struct seen *host)
{
	if (recorder->now_us - host->limit_to_us > LIMIT_PAUSE_US)
		close_limit(host);
	if (host->limit_to_us == 0) {
		host->limit_from_us = recorder->now_us;
		host->delivered_before = host->delivered;
	}
	host->limit_to_us = MAX(1, recorder->now_us);
	host->delivered_within = host->delivered - host->delivered_before;
}

static bool is_cause(const struct recorder *recorder, const char *cause)
{
	return strcmp(text_of(recorder, "cause"), cause) == 0;
}

/* What an attempt met says how the host is: up, unless it was not even greeted. */
static enum scene_listen listen_of(const struct recorder *recorder)
{
	const char *phase = text_of(recorder, "phase");

	if (strcmp(phase, "connect") == 0)
		return strstr(text_of(recorder, "reply"), "timed out") ? SCENE_BLACKHOLE
		                                                       : SCENE_REFUSES;
	return strcmp(phase, "greeting") == 0 ? SCENE_BUSY : SCENE_ACCEPTS;
}

/* The host of an event with an attempt, after what the event says of it has been noted. */
static struct seen *see_attempt(struct recorder *recorder, struct seen *domain)
{
	const char *site = text_of(recorder, "site");
	struct seen *host;

	if (is_cause(recorder, "dns_failure") || is_cause(recorder, "dns_changed")) {
		see(recorder, domain, SIGHT_DNS, SCENE_SERVFAIL);
		return NULL;
	}
	if (!*site || !*text_of(recorder, "phase"))
		return NULL;
	host = obtain(recorder, &recorder->hosts, site);
	see(recorder, domain, SIGHT_DNS, SCENE_FOUND);
	see(recorder, domain, SIGHT_HOST, host->number);
	see(recorder, host, SIGHT_LISTEN, listen_of(recorder));
	return host;
}

static struct seen *domain_of(struct recorder *recorder)
{
	return obtain(recorder, &recorder->domains, text_of(recorder, "destination"));
}

static void take_accepted(struct recorder *recorder, uint64_t key)
{
	struct draft *draft = arena_alloc(recorder->scene->arena, sizeof *draft);
	struct json_t *size = json_object_get(recorder->event, "size");

	draft->mail = (struct mail){
		.arrived_us = recorder->now_us,
		.domain = domain_of(recorder)->number,
		.sender = (uint32_t)bytes_hash(bytes_of(text_of(recorder, "sender")), 0),
		.mailbox = (uint32_t)bytes_hash(bytes_of(text_of(recorder, "recipient")), 0),
		.size_bytes = (uint32_t)MAX(0, MIN(json_integer_value(size), INT32_MAX)),
	};
	draft->host = NO_HOST;
	hash_insert(&recorder->drafts, &draft->by_id, key);
	*recorder->tail = draft;
	recorder->tail = &draft->next;
	recorder->scene->mail_count++;
}

static void take_deferred(struct recorder *recorder)
{
	struct seen *host = see_attempt(recorder, domain_of(recorder));
	struct draft *draft = recorder->draft;

	if (!host || listen_of(recorder) != SCENE_ACCEPTS || is_cause(recorder, "network"))
		return;
	if (is_cause(recorder, "rate_limited") || is_cause(recorder, "host_busy")) {
		see_limit(recorder, host);
	} else if (is_cause(recorder, "greylisted")) {
		draft->host = host->number;
		draft->grey_first_us = draft->grey_first_us ? draft->grey_first_us
		                                            : MAX(1, recorder->now_us);
	} else {
		draft->put_off_us = MAX(1, recorder->now_us);
	}
}

static void take_delivered(struct recorder *recorder)
{
	struct seen *host = see_attempt(recorder, domain_of(recorder));
	const struct draft *draft = recorder->draft;
	int64_t waited_us = recorder->now_us - draft->grey_first_us;

	if (!host)
		return;
	host->delivered++;
	if (draft->grey_first_us && (host->grey_us == 0 || waited_us < host->grey_us))
		host->grey_us = waited_us;
}

static void take_final(struct recorder *recorder, const char *kind)
{
	struct draft *draft = recorder->draft;

	if (strcmp(kind, "delivered") == 0)
		take_delivered(recorder);
	else if (strcmp(kind, "failed") == 0)
		draft->mail.is_refused = true;
	else if (strcmp(kind, "cancelled") == 0)
		draft->is_dropped = true;
	draft->is_over = draft->is_over || strcmp(kind, "delivered") == 0;
}

/* Messages and their recipients are told apart by a hash of id and index: 64 bits are enough. */
static uint64_t key_of(const struct recorder *recorder)
{
	json_int_t index = json_integer_value(json_object_get(recorder->event, "index"));

	return bytes_hash(bytes_of(text_of(recorder, "id")), (uint64_t)index);
}

static void take_event(struct recorder *recorder)
{
	const char *kind = text_of(recorder, "event");
	uint64_t key = key_of(recorder);
	struct hash_node *node = hash_first(&recorder->drafts, key);

	if (!*text_of(recorder, "destination") || !*text_of(recorder, "id"))
		return; /* about a site, or a notice */
	if (strcmp(kind, "accepted") == 0 && !node)
		take_accepted(recorder, key);
	if (!node || strcmp(kind, "accepted") == 0)
		return; /* accepted before the log began */
	recorder->draft = CONTAINER_OF(node, struct draft, by_id);
	if (strcmp(kind, "deferred") == 0)
		take_deferred(recorder);
	else
		take_final(recorder, kind);
}

static bool read_time(const char *text, int64_t *us_out)
{
	struct tm tm = { 0 };
	const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);

	if (!rest || (*rest != '.' && *rest != 'Z'))
		return false;
	*us_out = timegm(&tm) * US_PER_SECOND;
	if (*rest == '.')
		*us_out += (int64_t)(strtod(rest, NULL) * 1e6 + 0.5);
	return true;
}

static int take_line(struct recorder *recorder, struct bytes line)
{
	int64_t at_us;

	recorder->event = line.len > RECORDING_LINE_MAX
	                          ? NULL
	                          : json_loadb(line.at, line.len, JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_object(recorder->event))
		return err_set(recorder->err, ERR_INVALID, "this is no event of the log");
	if (!read_time(text_of(recorder, "time"), &at_us))
		return err_set(recorder->err, ERR_INVALID, "the event has no time");
	if (recorder->begin_us == 0)
		recorder->begin_us = at_us;
	/* A clock that was set back does not take the world's time back. */
	recorder->now_us = MAX(recorder->now_us, at_us - recorder->begin_us);
	if (recorder->now_us > SCENE_TIME_MAX_US)
		return err_set(recorder->err, ERR_INVALID,
		               "more than a year after the first event");
	if (*text_of(recorder, "destination") && !scene_is_name(text_of(recorder, "destination")))
		return err_set(recorder->err, ERR_INVALID, "the destination is no domain");
	take_event(recorder);
	if (recorder->scene->mail_count > SCENE_MAILS_MAX ||
	    recorder->hosts.count > SCENE_HOSTS_MAX || recorder->domains.count > SCENE_DOMAINS_MAX)
		return err_set(recorder->err, ERR_FULL,
		               "too many messages, sites or destinations for one world");
	return 0;
}

/* From what was seen to the world. */

static int compare_sights(const void *a, const void *b)
{
	const struct sight *first = a, *second = b;

	if (first->at_us != second->at_us)
		return first->at_us < second->at_us ? -1 : 1;
	return first->order < second->order ? -1 : 1;
}

static const struct sight *sorted_sights(struct seen *seen, size_t *count_out)
{
	*count_out = seen->sights.len / sizeof(struct sight);
	if (*count_out > 0)
		qsort(seen->sights.at, *count_out, sizeof(struct sight), compare_sights);
	return (const struct sight *)(void *)seen->sights.at;
}

static void build_host(struct scene *scene, struct seen *seen)
{
	struct scene_host *host = &scene->hosts[scene->host_count++];
	struct scene_manners manners = { .connections = 1000000, .slow_us = 100 * US_PER_MS };
	const struct sight *sights;
	size_t count;

	close_limit(seen);
	manners.busy = scene_outcome(scene->arena, "421 4.3.2 Service not available",
	                             PHASE_GREETING);
	manners.limited = scene_outcome(scene->arena, "450 4.7.1 Rate limit exceeded", PHASE_RCPT);
	manners.rate_us = US_PER_HOUR;
	sights = sorted_sights(seen, &count);
	host->name = seen->name;
	host->periods = arena_alloc(scene->arena, (count + 1) * sizeof *host->periods);
	host->periods[host->period_count++] = (struct scene_period){ 0, manners };
	for (size_t i = 0; i < count; i++) {
		if (sights[i].kind == SIGHT_LISTEN)
			manners.listen = (enum scene_listen)sights[i].value;
		else
			manners.rate_count = sights[i].value;
		host->periods[host->period_count++] = (struct scene_period){ sights[i].at_us,
			                                                     manners };
	}
	hash_insert(&scene->hosts_by_name, &host->by_name,
	            bytes_hash_nocase(bytes_of(host->name), 0));
}

static void add_records(struct scene *scene, struct scene_domain *domain,
                        struct scene_records records, uint32_t host)
{
	struct route_host name = { .preference = 10 };

	records.hosts = arena_alloc(scene->arena, sizeof *records.hosts);
	records.hosts[0] = host;
	records.host_count = 1;
	snprintf(name.name, sizeof name.name, "%.200s", scene->hosts[host].name);
	records.route = route_create(&name, 1, 25, false);
	domain->records[domain->record_count++] = records;
}

static void build_domain(struct scene *scene, struct seen *seen)
{
	struct scene_domain *domain = &scene->domains[scene->domain_count++];
	struct scene_records records = { .dns = SCENE_FOUND };
	uint32_t host = 0; /* a domain of which nothing was seen goes to the spare host */
	const struct sight *sights;
	size_t count;

	sights = sorted_sights(seen, &count);
	domain->name = bytes_of(seen->name);
	domain->ttl_us = US_PER_MINUTE;
	domain->mailboxes = 1;
	domain->records = arena_alloc(scene->arena, (count + 1) * sizeof *domain->records);
	add_records(scene, domain, records, host);
	for (size_t i = 0; i < count; i++) {
		records.from_us = sights[i].at_us;
		if (sights[i].kind == SIGHT_DNS)
			records.dns = (enum scene_dns)sights[i].value;
		else
			host = (uint32_t)sights[i].value + 1;
		add_records(scene, domain, records, host);
	}
	hash_insert(&scene->domains_by_name, &domain->by_name, bytes_hash_nocase(domain->name, 0));
}

/* Until when a mail was put off for its own sake: by greylisting, or by what else was said of it.
 */
static int64_t not_before_us(const struct recorder *recorder, const struct draft *draft)
{
	int64_t until_us = draft->put_off_us;

	if (draft->put_off_us && !draft->is_over)
		until_us = recorder->now_us; /* it was not over at the end of the log */
	if (draft->host != NO_HOST)
		until_us = MAX(until_us, draft->grey_first_us +
		                                 seen_at(&recorder->hosts, draft->host)->grey_us);
	return until_us;
}

static void build_mails(struct recorder *recorder)
{
	struct scene *scene = recorder->scene;
	uint32_t count = 0;

	scene->mails = alloc((scene->mail_count + 1) * sizeof *scene->mails);
	for (struct draft *draft = recorder->first; draft; draft = draft->next) {
		draft->mail.not_before_us = not_before_us(recorder, draft);
		if (!draft->is_dropped)
			scene->mails[count++] = draft->mail;
	}
	scene->mail_count = count;
}

static void build(struct recorder *recorder)
{
	static const char spare_name[] = "(never tried)";
	struct scene *scene = recorder->scene;
	struct seen spare = { .name = spare_name };

	scene->hosts = alloc_zeroed((recorder->hosts.count + 1) * sizeof *scene->hosts);
	scene->domains = alloc_zeroed((recorder->domains.count + 1) * sizeof *scene->domains);
	build_host(scene, &spare);
	for (uint32_t i = 0; i < recorder->hosts.count; i++)
		build_host(scene, seen_at(&recorder->hosts, i));
	for (uint32_t i = 0; i < recorder->domains.count; i++)
		build_domain(scene, seen_at(&recorder->domains, i));
	build_mails(recorder);
	scene_find_downtime(scene);
}

static void deinit_table(struct seen_table *table)
{
	for (uint32_t i = 0; i < table->count; i++)
		buffer_deinit(&seen_at(table, i)->sights);
	hash_deinit(&table->by_name);
	buffer_deinit(&table->items);
}

static int read_lines(struct recorder *recorder, const char *name, struct bytes text,
                      struct err *err)
{
	char why[sizeof err->text];

	recorder->err = err;
	for (int line = 1; text.len > 0; line++) {
		struct bytes rest = text, one = bytes_split(&rest, '\n');
		int result = 0;

		if (!rest.at)
			break; /* still being written */
		text = rest;
		if (bytes_trim(one).len > 0)
			result = take_line(recorder, one);
		json_decref(recorder->event);
		recorder->event = NULL;
		if (result == 0)
			continue;
		snprintf(why, sizeof why, "%s", err->text);
		return err_set(err, (enum err_code)result, "%.80s:%d: %.140s", name, line, why);
	}
	if (recorder->scene->mail_count == 0)
		return err_set(err, ERR_INVALID, "%s: no message was accepted in it", name);
	return 0;
}

int recording_parse(const char *name, struct bytes text, struct scene **scene_out, struct err *err)
{
	struct recorder recorder = { .scene = scene_create() };
	int result;

	recorder.tail = &recorder.first;
	recorder.scene->about = "as recorded";
	result = read_lines(&recorder, name, text, err);
	if (result == 0)
		build(&recorder);
	deinit_table(&recorder.hosts);
	deinit_table(&recorder.domains);
	hash_deinit(&recorder.drafts);
	if (result < 0)
		scene_destroy(recorder.scene);
	else
		*scene_out = recorder.scene;
	return result;
}

int recording_load(const char *path, struct scene **scene_out, struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), result = ERR_SYSTEM;
	struct stat stat;
	char *data = MAP_FAILED;

	if (fd < 0 || fstat(fd, &stat) < 0)
		err_system(err, "read %s", path);
	else if (stat.st_size == 0)
		result = recording_parse(path, (struct bytes){ 0 }, scene_out, err);
	else if ((data = mmap(NULL, (size_t)stat.st_size, PROT_READ, MAP_PRIVATE, fd, 0)) ==
	         MAP_FAILED)
		err_system(err, "read %s", path);
	else
		result = recording_parse(path, (struct bytes){ data, (size_t)stat.st_size },
		                         scene_out, err);
	if (data != MAP_FAILED)
		munmap(data, (size_t)stat.st_size);
	if (fd >= 0)
		close(fd);
	return result;
}
