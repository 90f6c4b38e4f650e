#include "simulate/scene.h"
#include "base/alloc.h"
#include "base/macros.h"
#include "base/random.h"
#include "codes/classify.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct scene *scene_create(void)
{
	struct scene *scene = alloc_zeroed(sizeof *scene);

	scene->arena = arena_create(65536);
	scene->about = "";
	scene->seed = 1;
	return scene;
}

static void release_routes(const struct scene_domain *domain)
{
	for (int i = 0; i < domain->record_count; i++)
		route_release(domain->records[i].route);
}

void scene_destroy(struct scene *scene)
{
	if (!scene)
		return;
	for (uint32_t i = 0; i < scene->domain_count; i++) {
		const struct scene_domain *domain = &scene->domains[i];

		if (i == 0 || domain->records != scene->domains[i - 1].records)
			release_routes(domain);
		if (i == 0 || domain->down != scene->domains[i - 1].down) {
			alloc_free(domain->down);
			alloc_free(domain->down_before_us);
		}
	}
	hash_deinit(&scene->hosts_by_name);
	hash_deinit(&scene->domains_by_name);
	alloc_free(scene->hosts);
	alloc_free(scene->domains);
	alloc_free(scene->traffics);
	alloc_free(scene->mails);
	arena_destroy(scene->arena);
	alloc_free(scene);
}

bool scene_is_name(const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)name[i] <= ' ' || name[i] == '@' || name[i] == 127)
			return false;
	}
	return len > 0 && len <= SCENE_NAME_MAX;
}

struct scene_host *scene_find_host(const struct scene *scene, struct bytes name)
{
	HASH_EACH_MATCH (node, &scene->hosts_by_name, bytes_hash_nocase(name, 0)) {
		struct scene_host *host = CONTAINER_OF(node, struct scene_host, by_name);

		if (bytes_equal_nocase(bytes_of(host->name), name))
			return host;
	}
	return NULL;
}

struct scene_domain *scene_find_domain(const struct scene *scene, struct bytes name)
{
	HASH_EACH_MATCH (node, &scene->domains_by_name, bytes_hash_nocase(name, 0)) {
		struct scene_domain *domain = CONTAINER_OF(node, struct scene_domain, by_name);

		if (bytes_equal_nocase(domain->name, name))
			return domain;
	}
	return NULL;
}

const struct scene_manners *scene_manners_at(const struct scene_host *host, int64_t at_us)
{
	int low = 0, high = host->period_count - 1;

	while (low < high) {
		int middle = (low + high + 1) / 2;

		if (host->periods[middle].from_us <= at_us)
			low = middle;
		else
			high = middle - 1;
	}
	return &host->periods[low].manners;
}

const struct scene_records *scene_records_at(const struct scene_domain *domain, int64_t at_us)
{
	int low = 0, high = domain->record_count - 1;

	while (low < high) {
		int middle = (low + high + 1) / 2;

		if (domain->records[middle].from_us <= at_us)
			low = middle;
		else
			high = middle - 1;
	}
	return &domain->records[low];
}

const struct outcome *scene_outcome(struct arena *arena, const char *reply, enum phase phase)
{
	struct outcome *outcome = arena_alloc(arena, sizeof *outcome);
	struct classification meaning;

	if (sscanf(reply, "%3d", &outcome->code) != 1 || outcome->code < 400 ||
	    outcome->code > 599 || strlen(reply) < 4 || strlen(reply) >= sizeof outcome->text)
		return NULL;
	outcome->phase = phase;
	sscanf(reply + 4, "%1d.%3d.%3d", &outcome->class, &outcome->subject, &outcome->detail);
	snprintf(outcome->text, sizeof outcome->text, "%s", reply);
	classify_reply(outcome->code, outcome->class, outcome->subject, outcome->detail,
	               bytes_of(reply), phase, &meaning);
	/* As the delivery room judges: the first digit decides, 421 ends the connection. */
	outcome->result = outcome->code < 500 ? RESULT_DEFERRED : RESULT_FAILED;
	outcome->scope = outcome->code == 421 ? SCOPE_SITE : meaning.scope;
	outcome->hint_s = meaning.hint_s;
	if (outcome->result == RESULT_DEFERRED)
		outcome->cause = meaning.cause ? meaning.cause : CAUSE_SOFT_OTHER;
	return outcome;
}

/* The mail. */

static const struct scene_target *pick_target(const struct scene_traffic *traffic,
                                              struct random *random)
{
	const struct scene_target *target = traffic->targets;
	uint64_t sum = 0, drawn;

	for (int i = 0; i < traffic->target_count; i++)
		sum += traffic->targets[i].weight;
	drawn = random_below(random, sum);
	while (drawn >= target->weight) {
		drawn -= target->weight;
		target++;
	}
	return target;
}

static void make_mail(const struct scene *scene, const struct scene_traffic *traffic,
                      struct random *random, struct mail *mail)
{
	const struct scene_target *target = pick_target(traffic, random);
	int64_t whole_us = MAX(1, traffic->during.to_us - traffic->during.from_us);

	*mail = (struct mail){
		.arrived_us = traffic->during.from_us +
		              (int64_t)random_below(random, (uint64_t)whole_us),
		.domain = target->domain + (uint32_t)random_below(random, target->copies),
		.sender = (uint32_t)random_below(random, traffic->senders),
		.size_bytes = traffic->size_bytes,
		.priority = traffic->priority,
	};
	mail->mailbox = (uint32_t)random_below(random, scene->domains[mail->domain].mailboxes);
}

static int compare_mails(const void *a, const void *b)
{
	const struct mail *first = a, *second = b;

	if (first->arrived_us != second->arrived_us)
		return first->arrived_us < second->arrived_us ? -1 : 1;
	if (first->domain != second->domain)
		return first->domain < second->domain ? -1 : 1;
	return first->mailbox < second->mailbox ? -1 : first->mailbox > second->mailbox;
}

void scene_fill(struct scene *scene)
{
	struct random random;
	uint64_t count = 0;

	random_seed(&random, scene->seed);
	for (uint32_t i = 0; i < scene->traffic_count; i++)
		count += scene->traffics[i].messages;
	scene->mails = alloc((size_t)count * sizeof *scene->mails + 1);
	for (uint32_t i = 0; i < scene->traffic_count; i++) {
		const struct scene_traffic *traffic = &scene->traffics[i];

		for (uint64_t k = 0; k < traffic->messages; k++)
			make_mail(scene, traffic, &random, &scene->mails[scene->mail_count++]);
	}
	qsort(scene->mails, scene->mail_count, sizeof *scene->mails, compare_mails);
	scene_find_downtime(scene);
}

/* When a domain is down: at each moment at which anything changes, is there a host? */

static int compare_times(const void *a, const void *b)
{
	int64_t first = *(const int64_t *)a, second = *(const int64_t *)b;

	return first < second ? -1 : first > second;
}

static bool is_up(const struct scene *scene, const struct scene_domain *domain, int64_t at_us)
{
	const struct scene_records *records = scene_records_at(domain, at_us);

	if (records->dns != SCENE_FOUND)
		return false;
	for (int i = 0; i < records->host_count; i++) {
		if (scene_manners_at(&scene->hosts[records->hosts[i]], at_us)->listen ==
		    SCENE_ACCEPTS)
			return true;
	}
	return false;
}

static void add_time(int64_t **times, size_t *count, int64_t at_us)
{
	if ((*count & (*count - 1)) == 0)
		*times = alloc_resize(*times, MAX(1, *count * 2), sizeof **times);
	(*times)[(*count)++] = at_us;
}

static size_t collect_times(const struct scene *scene, const struct scene_domain *domain,
                            int64_t **times_out)
{
	size_t count = 0;

	for (int i = 0; i < domain->record_count; i++) {
		const struct scene_records *records = &domain->records[i];

		add_time(times_out, &count, records->from_us);
		for (int k = 0; k < records->host_count; k++) {
			const struct scene_host *host = &scene->hosts[records->hosts[k]];

			for (int p = 0; p < host->period_count; p++)
				add_time(times_out, &count, host->periods[p].from_us);
		}
	}
	qsort(*times_out, count, sizeof **times_out, compare_times);
	return count;
}

static void find_downtime(const struct scene *scene, struct scene_domain *domain)
{
	int64_t *times = NULL;
	size_t count = collect_times(scene, domain, &times);
	struct span *last;
	bool was_up = true;

	domain->down = alloc((count + 1) * sizeof *domain->down);
	domain->down_before_us = alloc_zeroed((count + 1) * sizeof *domain->down_before_us);
	for (size_t i = 0; i < count; i++) {
		bool is_up_now = is_up(scene, domain, times[i]);

		if (was_up && !is_up_now)
			domain->down[domain->down_count++] = (struct span){ times[i], INT64_MAX };
		else if (!was_up && is_up_now)
			domain->down[domain->down_count - 1].to_us = times[i];
		was_up = is_up_now;
	}
	for (int i = 1; i < domain->down_count; i++) {
		last = &domain->down[i - 1];
		domain->down_before_us[i] = domain->down_before_us[i - 1] + last->to_us -
		                            last->from_us;
	}
	alloc_free(times);
}

void scene_find_downtime(struct scene *scene)
{
	for (uint32_t i = 0; i < scene->domain_count; i++) {
		struct scene_domain *domain = &scene->domains[i];
		const struct scene_domain *before = i > 0 ? domain - 1 : NULL;

		if (!before || before->records != domain->records) {
			find_downtime(scene, domain);
			continue;
		}
		domain->down = before->down;
		domain->down_before_us = before->down_before_us;
		domain->down_count = before->down_count;
	}
}

/* How many downtimes begin before `at_us`. */
static int begun_before(const struct scene_domain *domain, int64_t at_us)
{
	int low = 0, high = domain->down_count;

	while (low < high) {
		int middle = (low + high) / 2;

		if (domain->down[middle].from_us < at_us)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int64_t downtime_before(const struct scene_domain *domain, int64_t at_us)
{
	int count = begun_before(domain, at_us);
	const struct span *last = &domain->down[count - 1];

	if (count == 0)
		return 0;
	return domain->down_before_us[count - 1] + MIN(at_us, last->to_us) - last->from_us;
}

int64_t scene_uptime_us(const struct scene_domain *domain, struct span span)
{
	return span.to_us - span.from_us -
	       (downtime_before(domain, span.to_us) - downtime_before(domain, span.from_us));
}

int64_t scene_recovery_us(const struct scene_domain *domain, struct span span)
{
	for (int i = begun_before(domain, span.to_us) - 1; i >= 0; i--) {
		int64_t end_us = domain->down[i].to_us;

		if (end_us <= span.from_us)
			return -1;
		if (end_us <= span.to_us)
			return end_us;
	}
	return -1;
}
