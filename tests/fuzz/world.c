/* Any bytes as a world file: either there is a problem, or every host and domain of it can be
 * found, its times are in order, an hour of downtime is not more than an hour, and (if there is
 * little mail) the queue settles all of it or the time is over. */
#include "base/assert.h"
#include "config/config.h"
#include "simulate/outlast.h"
#include "simulate/relay.h"

#define LITTLE 20

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_policies(struct scene *scene)
{
	struct relay_settings settings = { .relay = relay_find("postfix") };
	struct buffer problems = { 0 };
	struct config *config = NULL;
	struct run_result results[2];
	uint64_t messages = 0;

	for (uint32_t i = 0; i < scene->traffic_count; i++)
		messages += scene->traffics[i].messages;
	if (messages > LITTLE || scene->domain_count > LITTLE)
		return;
	scene_fill(scene);
	config_parse("fuzz", BYTES_LITERAL("defaults { lifetime 2h; }"), &config, &problems);
	settings.config = config;
	results[0] = run_policy(scene, &outlast_policy, config);
	results[1] = run_policy(scene, &relay_policy, &settings);
	for (int i = 0; i < 2; i++) {
		ASSERT(results[i].queued == 0 || scene->duration_us > 0);
		ASSERT(results[i].accepted == messages || scene->duration_us > 0);
		run_result_deinit(&results[i]);
	}
	config_release(config);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span hour = { 1000000, 3601000000 };
	struct buffer problems = { 0 };
	struct scene *scene = NULL;
	int result = scene_parse("w", (struct bytes){ (const char *)data, size }, &scene,
	                         &problems);

	ASSERT((result < 0) == (problems.len > 0) && (result < 0) == (scene == NULL));
	if (scene)
		try_policies(scene);
	if (scene && !scene->mails)
		scene_find_downtime(scene);
	for (uint32_t i = 0; scene && i < scene->host_count; i++) {
		const struct scene_host *host = &scene->hosts[i];

		ASSERT(scene_find_host(scene, bytes_of(host->name)) == host);
		for (int k = 1; k < host->period_count; k++)
			ASSERT(host->periods[k].from_us >= host->periods[k - 1].from_us);
	}
	for (uint32_t i = 0; scene && i < scene->domain_count; i++) {
		int64_t up_us = scene_uptime_us(&scene->domains[i], hour);

		ASSERT(scene_find_domain(scene, scene->domains[i].name) != NULL);
		ASSERT(up_us >= 0 && up_us <= hour.to_us - hour.from_us);
	}
	scene_destroy(scene);
	buffer_deinit(&problems);
	return 0;
}
