/* Asks the resolver what stands on its standard input, for tests/system/test_dns.py:
 * dns_probe SERVER, then lines "route DOMAIN", "addresses HOST", "forget DOMAIN"; a line of answer
 * for each. */
#include "base/units.h"
#include "dns/dns.h"
#include "runtime/fiber.h"
#include "runtime/loop.h"
#include <stdio.h>
#include <string.h>

static struct resolver *resolver;

static void print_route(const char *domain)
{
	struct dns_route_answer answer;

	dns_route(resolver, bytes_of(domain), &answer);
	printf("%s|%s|%s\n", dns_status_name(answer.status),
	       answer.route ? answer.route->text : answer.text,
	       answer.is_secure ? "secure" : "insecure");
	route_release(answer.route);
}

static void print_addresses(const char *host)
{
	struct dns_address_answer answer;
	char text[ADDRESS_TEXT_MAX];

	dns_addresses(resolver, host, true, &answer);
	printf("%s|", dns_status_name(answer.status));
	for (int i = 0; i < answer.count; i++) {
		address_format(&answer.addresses[i], text);
		printf("%s%s", i ? "," : "", text);
	}
	printf("%s\n", answer.text);
}

/* Blocking reads are no harm here: this loop has nothing else to do. */
static void answer_lines(void *arg)
{
	char line[512], verb[16], name[400];

	(void)arg;
	while (fgets(line, sizeof line, stdin) && sscanf(line, "%15s %399s", verb, name) == 2) {
		if (strcmp(verb, "route") == 0)
			print_route(name);
		else if (strcmp(verb, "addresses") == 0)
			print_addresses(name);
		else
			dns_forget(resolver, bytes_of(name));
		fflush(stdout);
	}
	loop_stop(loop_current());
}

int main(int argc, char **argv)
{
	struct config config = {
		.hostname = "probe.invalid",
		.dns = { .servers = { argv + 1, argc - 1 },
		         .trust_anchor = "",
		         .timeout_us = 3 * US_PER_SECOND,
		         .ttl_min_us = 100 * US_PER_MS,
		         .ttl_max_us = US_PER_DAY },
		.deliver = { .helo = "probe.invalid", .port = 25 },
	};
	struct loop *loop;
	struct err err;

	if (loop_create(&loop, &err) < 0 || resolver_start(&config, &resolver, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	fiber_spawn(answer_lines, NULL, "probe");
	loop_run(loop);
	resolver_stop(resolver);
	loop_destroy(loop);
	return 0;
}
