/* Any bytes as a world file: either there is a problem, or every host and domain of it can be
 * found, its times are in order, and an hour of downtime is not more than an hour. */
#include "base/assert.h"
#include "simulate/scene.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span hour = { 1000000, 3601000000 };
	struct buffer problems = { 0 };
	struct scene *scene = NULL;
	int result = scene_parse("w", (struct bytes){ (const char *)data, size }, &scene,
	                         &problems);

	ASSERT((result < 0) == (problems.len > 0) && (result < 0) == (scene == NULL));
	if (scene)
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
