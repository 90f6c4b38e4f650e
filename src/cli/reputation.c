/* reputation: the verdict first, then what was seen by area, then what to do in order of gain. */
#include "check/reputation.h"
#include "base/units.h"
#include "check/reputation_json.h"
#include "cli/cli.h"
#include "config/config.h"
#include "runtime/clock.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TIMEOUT_DEFAULT (30 * US_PER_SECOND)

struct arguments {
	const char *config_path, *nameserver;
	bool is_json;
	int64_t timeout_us;
	struct buffer domain;
	struct reputation_subject subject; /* borrows from the rest */
};

static const struct option long_options[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "nameserver", required_argument, NULL, 'n' },
	{ "selector", required_argument, NULL, 's' },
	{ "ip", required_argument, NULL, 'i' },
	{ "timeout", required_argument, NULL, 't' },
	{ "json", no_argument, NULL, 'j' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static bool is_selector(struct bytes name)
{
	for (size_t i = 0; i < name.len; i++) {
		char c = char_lower(name.at[i]);

		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-' && c != '_' &&
		    c != '.')
			return false;
	}
	return name.len > 0 && name.len <= 63;
}

static int add_address(struct reputation_subject *subject, const char *text)
{
	if (subject->address_count == REPUTATION_ADDRESSES_MAX)
		return cli_usage("reputation", "at most %d addresses", REPUTATION_ADDRESSES_MAX);
	if (!address_parse(bytes_of(text), 0, &subject->addresses[subject->address_count]) ||
	    subject->addresses[subject->address_count].storage.ss_family == AF_UNIX ||
	    address_port(&subject->addresses[subject->address_count]) != 0)
		return cli_usage("reputation", "--ip %s: not an IP address", text);
	subject->address_count++;
	return 0;
}

static int add_selector(struct reputation_subject *subject, const char *text)
{
	if (subject->selector_count == REPUTATION_SELECTORS_MAX)
		return cli_usage("reputation", "at most %d selectors", REPUTATION_SELECTORS_MAX);
	if (!is_selector(bytes_of(text)))
		return cli_usage("reputation", "--selector %s: not a selector", text);
	subject->selectors[subject->selector_count++] = bytes_of(text);
	return 0;
}

static int take_option(struct arguments *arguments, int option, const char *value)
{
	switch (option) {
	case 'c':
		arguments->config_path = value;
		return 0;
	case 'n':
		arguments->nameserver = value;
		return 0;
	case 's':
		return add_selector(&arguments->subject, value);
	case 'i':
		return add_address(&arguments->subject, value);
	case 't':
		if (duration_parse(bytes_of(value), &arguments->timeout_us) &&
		    arguments->timeout_us > 0)
			return 0;
		return cli_usage("reputation", "--timeout %s: not a duration", value);
	case 'j':
		arguments->is_json = true;
		return 0;
	case 'h':
		return cli_usage("reputation", "options: --config --nameserver --selector --ip "
		                               "--timeout --json");
	default:
		return cli_usage("reputation", "no such option, or its value is missing");
	}
}

static int take_arguments(int argc, char **argv, struct arguments *arguments)
{
	int option;

	*arguments = (struct arguments){ .timeout_us = TIMEOUT_DEFAULT };
	optind = 0;
	opterr = 0;
	while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1)
		if (take_option(arguments, option, optarg) != 0)
			return 2;
	if (argc - optind != 1)
		return cli_usage(argv[0], "one domain is needed");
	if (!reputation_domain(bytes_of(argv[optind]), &arguments->domain))
		return cli_usage(argv[0], "%s: not a domain", argv[optind]);
	arguments->subject.domain = buffer_bytes(&arguments->domain);
	return 0;
}

/* What was not given is taken from the relay's own configuration. */
static void complete_subject(struct arguments *arguments, const struct config *config)
{
	struct reputation_subject *subject = &arguments->subject;
	struct err err;

	subject->helo = bytes_of(config->deliver.helo);
	for (int i = 0; i < config->deliver.source_addresses.count && subject->address_count < 2;
	     i++)
		if (address_parse(bytes_of(config->deliver.source_addresses.items[i]), 0,
		                  &subject->addresses[subject->address_count]))
			subject->address_count++;
	if (reputation_add_keys(config, subject, &err) < 0)
		fprintf(stderr, "outlast: %s\n", err.text); /* it may be the daemon's alone */
}

static void print_json(const struct reputation *facts, const struct judgement *judgement,
                       json_t *heard)
{
	json_t *all = reputation_json(facts, judgement);

	json_object_set(all, "own_replies", heard ? heard : json_null());
	cli_print_json(all);
	json_decref(all);
}

/* Text. */

static void print_verdict(const struct reputation *facts, const struct judgement *judgement)
{
	static const char *const sentences[] = {
		[VERDICT_UNKNOWN] = "nothing could be found out",
		[VERDICT_GOOD] = "receivers have good reasons to trust this sender",
		[VERDICT_FAIR] = "receivers have some reasons to doubt this sender",
		[VERDICT_POOR] = "receivers have reasons to refuse this sender",
	};

	printf("%.*s: %s: %s\n", BYTES_FORMAT(facts->subject.domain),
	       verdict_name(judgement->verdict), sentences[judgement->verdict]);
	if (judgement->judged_points == 100)
		printf("score %d of 100\n\n", judgement->score);
	else if (judgement->judged_points > 0)
		printf("score %d of 100, by the %d points that could be judged\n\n",
		       judgement->score, judgement->judged_points);
	if (facts->is_cut)
		printf("it took more DNS questions than are asked of one domain; the rest is "
		       "unknown\n\n");
}

static void print_findings(const struct judgement *judgement)
{
	struct cli_table table = { .columns = 4 };
	enum area shown = AREAS;
	char points[32];

	for (int i = 0; i < judgement->count; i++) {
		const struct finding *finding = &judgement->findings[i];
		enum area area = finding->area;
		bool is_first = area != shown;

		snprintf(points, sizeof points, "%d/%d", judgement->points[area],
		         area_points(area));
		cli_table_add(&table, "%s", is_first ? area_name(area) : "");
		cli_table_add(&table, "%s",
		              !is_first                    ? ""
		              : judgement->is_judged[area] ? points
		                                           : "-");
		if (finding->lost > 0)
			snprintf(points, sizeof points, "-%d", finding->lost);
		cli_table_add(&table, "%s",
		              finding->lost > 0 ? points : severity_name(finding->severity));
		cli_table_add(&table, "%s", finding->text);
		shown = area;
	}
	cli_table_print(&table);
}

/* One thing to do, and what it gains in the score; findings with the same advice are one. */
struct step {
	const char *advice;
	enum area area;
	int gain;
};

static int by_gain(const void *a, const void *b)
{
	return ((const struct step *)b)->gain - ((const struct step *)a)->gain;
}

static int collect_steps(const struct judgement *judgement, struct step *steps)
{
	int count = 0;

	for (int i = 0; i < judgement->count; i++) {
		const struct finding *finding = &judgement->findings[i];
		int at = 0;

		if (!finding->advice)
			continue;
		while (at < count && strcmp(steps[at].advice, finding->advice) != 0)
			at++;
		if (at == count)
			steps[count++] = (struct step){ finding->advice, finding->area, 0 };
		steps[at].gain += finding->lost;
	}
	qsort(steps, (size_t)count, sizeof *steps, by_gain);
	return count;
}

static void print_steps(const struct judgement *judgement)
{
	static struct step steps[FINDINGS_MAX];
	int count = collect_steps(judgement, steps), points = judgement->judged_points;

	if (count > 0)
		printf("\nwhat to do\n");
	for (int i = 0; i < count; i++) {
		if (steps[i].gain > 0)
			printf("  %+3d  ", (steps[i].gain * 100 + points / 2) / points);
		else
			printf("       ");
		printf("%s: %s\n", area_name(steps[i].area), steps[i].advice);
	}
}

static int status_of(enum verdict verdict)
{
	switch (verdict) {
	case VERDICT_GOOD:
		return 0;
	case VERDICT_UNKNOWN:
		return 3;
	case VERDICT_FAIR:
	case VERDICT_POOR:
		break;
	}
	return 1;
}

static int find_and_print(struct arguments *arguments, const struct config *config)
{
	struct arena *arena = arena_create(0);
	struct judgement *judgement = arena_alloc(arena, sizeof *judgement);
	struct reputation *facts;
	struct err err = { 0 };
	json_t *heard;
	int status = 3;

	arguments->subject.trust = config->deliver.tls_trust;
	arguments->subject.now_s = clock_now_us() / US_PER_SECOND;
	arguments->subject.deadline_us = clock_now_us() + arguments->timeout_us;
	if (reputation_find(config, &arguments->subject, arena, &facts, &err) < 0) {
		fprintf(stderr, "outlast: %s\n", err.text);
	} else {
		judge(arena, facts, judgement);
		status = status_of(judgement->verdict);
		heard = cli_own_replies(config->report.event_log, arguments->subject.domain);
		if (arguments->is_json) {
			print_json(facts, judgement, heard);
		} else {
			print_verdict(facts, judgement);
			print_findings(judgement);
			cli_print_own_replies(heard);
			print_steps(judgement);
		}
		json_decref(heard);
	}
	arena_destroy(arena);
	return status;
}

static int run(struct arguments *arguments)
{
	bool is_file;
	struct config *config = cli_load_config(arguments->config_path, &is_file), asked;
	char *servers[1] = { (char *)arguments->nameserver };
	int status;

	if (!config)
		return 2;
	if (is_file)
		complete_subject(arguments, config);
	asked = *config;
	if (arguments->nameserver) {
		asked.dns.servers = (struct config_strings){ servers, 1 };
		asked.dns.stubs.count = 0;
	}
	status = find_and_print(arguments, &asked);
	config_release(config);
	return status;
}

int cli_reputation(int argc, char **argv)
{
	struct arguments arguments;
	int status = take_arguments(argc, argv, &arguments);

	if (status == 0)
		status = run(&arguments);
	reputation_drop_keys(&arguments.subject);
	buffer_deinit(&arguments.domain);
	return status;
}
