#include "check/policy_fetch.h"
#include "base/units.h"
#include "dns/wire.h"
#include "http/http.h"
#include "runtime/clock.h"
#include "runtime/thread.h"
#include <stdio.h>

#define POLICY_BYTES_MAX  65536
#define POLICY_TIMEOUT_US (60 * US_PER_SECOND)

struct fetch {
	struct http_request request;
	struct http_response response;
	struct err err;
	int result;
};

static void run_fetch(void *arg)
{
	struct fetch *fetch = arg;

	fetch->result = http_send(&fetch->request, &fetch->response, &fetch->err);
}

static bool read_policy(struct arena *arena, const struct fetch *fetch,
                        struct sts_policy *policy_out, char problem_out[240])
{
	if (fetch->result < 0) {
		snprintf(problem_out, 240, "%s", fetch->err.text);
		return false;
	}
	if (fetch->response.status != 200) {
		snprintf(problem_out, 240, "%.180s: status %d, where 200 is needed",
		         fetch->request.url, fetch->response.status);
		return false;
	}
	sts_policy_parse(arena_copy(arena, buffer_bytes(&fetch->response.body)), policy_out,
	                 problem_out);
	return true;
}

PARKS bool policy_fetch(const struct asker *asker, struct arena *arena, struct bytes domain,
                        const struct policy_fetch *how, struct sts_policy *policy_out,
                        char problem_out[240])
{
	char *host = arena_printf(arena, "mta-sts.%.*s", BYTES_FORMAT(domain));
	struct asker_answer answer;
	struct address address = { 0 };
	char text[ADDRESS_TEXT_MAX];
	struct fetch fetch = { 0 };
	bool has_come;

	problem_out[0] = '\0';
	asker->ask(asker->arg, arena, host, ASK_IPV4, &answer);
	if (answer.count == 0)
		asker->ask(asker->arg, arena, host, ASK_IPV6, &answer);
	if (answer.count == 0) {
		snprintf(problem_out, 240, "%.200s has no address", host);
		return false;
	}
	wire_address_decode(answer.records[0], &address);
	address_format(&address, text);
	fetch.request = (struct http_request){
		.method = "GET",
		.url = arena_printf(arena, "https://%s/.well-known/mta-sts.txt", host),
		.resolve = arena_printf(arena, "%s:443:%s", host, text),
		.trust = how->trust,
		.body_bytes_max = POLICY_BYTES_MAX,
		.timeout_us = MIN(POLICY_TIMEOUT_US,
		                  MAX(how->deadline_us - clock_now_us(), US_PER_MS)),
	};
	work_run(run_fetch, &fetch);
	has_come = read_policy(arena, &fetch, policy_out, problem_out);
	buffer_deinit(&fetch.response.body);
	return has_come;
}
