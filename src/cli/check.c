/* check: does this destination take mail? The verdict first, then what was seen, then what to do.
 */
#include "base/units.h"
#include "check/inspection_json.h"
#include "cli/cli.h"
#include "http/http.h"
#include "runtime/clock.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TIMEOUT_DEFAULT (60 * US_PER_SECOND)
#define SERVER_SHARE    3 /* of the time in all, for one server */

struct arguments {
	const char *config_path, *nameserver;
	bool is_json, is_ipv4_only;
	int64_t timeout_us;
	struct buffer domain, recipient;
	struct inspection_subject subject; /* borrows from the rest */
};

static const struct option long_options[] = {
	{ "config", required_argument, NULL, 'c' },  { "nameserver", required_argument, NULL, 'n' },
	{ "source", required_argument, NULL, 's' },  { "port", required_argument, NULL, 'p' },
	{ "timeout", required_argument, NULL, 't' }, { "ipv4", no_argument, NULL, '4' },
	{ "json", no_argument, NULL, 'j' },          { NULL, 0, NULL, 0 },
};

static int add_source(struct inspection_subject *subject, const char *text)
{
	struct address *source = &subject->sources[subject->source_count];

	if (subject->source_count == INSPECTION_SOURCES_MAX)
		return cli_usage("check", "at most %d source addresses", INSPECTION_SOURCES_MAX);
	if (!address_parse(bytes_of(text), 0, source) || source->storage.ss_family == AF_UNIX ||
	    address_port(source) != 0)
		return cli_usage("check", "--source %s: not an IP address", text);
	subject->source_count++;
	return 0;
}

static int take_option(struct arguments *arguments, int option, const char *value)
{
	long port;
	char *end;

	switch (option) {
	case 'c':
		arguments->config_path = value;
		return 0;
	case 'n':
		arguments->nameserver = value;
		return 0;
	case 's':
		return add_source(&arguments->subject, value);
	case 'p':
		port = strtol(value, &end, 10);
		if (*end || end == value || port < 1 || port > 65535)
			return cli_usage("check", "--port %s: not a port", value);
		arguments->subject.port = (uint16_t)port;
		return 0;
	case 't':
		if (duration_parse(bytes_of(value), &arguments->timeout_us) &&
		    arguments->timeout_us > 0)
			return 0;
		return cli_usage("check", "--timeout %s: not a duration", value);
	case '4':
		arguments->is_ipv4_only = true;
		return 0;
	case 'j':
		arguments->is_json = true;
		return 0;
	default:
		return cli_usage("check", "no such option, or its value is missing");
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
		return cli_usage(argv[0], "one domain or address is needed");
	if (!inspection_target(bytes_of(argv[optind]), &arguments->domain, &arguments->recipient))
		return cli_usage(argv[0], "%s: neither a domain nor a mail address", argv[optind]);
	arguments->subject.domain = buffer_bytes(&arguments->domain);
	arguments->subject.recipient = buffer_bytes(&arguments->recipient);
	return 0;
}

/* What the relay here remembers of the domain; NULL: none runs, or it knows nothing. */
static json_t *recall(const struct config *config, struct bytes domain)
{
	struct buffer url = { 0 };
	struct http_request request = { .socket_path = config->admin.socket,
		                        .method = "GET",
		                        .timeout_us = 2 * US_PER_SECOND };
	struct http_response response = { 0 };
	json_t *answer = NULL;

	if (access(config->admin.socket, R_OK | W_OK) < 0)
		return NULL;
	buffer_append_text(&url, "http://outlast/v1/destinations/");
	http_escape(domain, &url);
	buffer_append_char(&url, '\0');
	request.url = url.at;
	if (http_send(&request, &response, NULL) == 0 && response.status == 200)
		answer = json_loadb(response.body.at, response.body.len, 0, NULL);
	buffer_deinit(&response.body);
	buffer_deinit(&url);
	return answer;
}

static void print_json(const struct inspection *facts, const struct inspection_judgement *judgement,
                       json_t *memory)
{
	json_t *all = inspection_json(facts, judgement);

	json_object_set(all, "relay", memory ? memory : json_null());
	cli_print_json(all);
	json_decref(all);
}

/* Text. */

static void print_servers(const struct inspection *facts)
{
	struct cli_table table = { .columns = 5 };
	static const char *const names[] = { "PREF", "HOST", "ADDRESS", "MAIL", "TLS" };

	if (facts->server_count == 0)
		return;
	for (size_t i = 0; i < COUNT(names); i++)
		cli_table_add(&table, "%s", names[i]);
	for (int i = 0; i < facts->server_count; i++) {
		const struct inspection_server *server = &facts->servers[i];
		const struct inspection_host *host = &facts->hosts[server->host];

		cli_table_add(&table, "%d", host->preference);
		cli_table_add(&table, "%.*s", BYTES_FORMAT(host->name));
		cli_table_add(&table, "%s%s%s", server->address_text,
		              *server->source_text ? " from " : "", server->source_text);
		cli_table_add(&table, "%s",
		              server->stage == STAGE_DONE ? "yes"
		              : server->code / 100 == 4   ? "later"
		              : server->is_unreachable    ? "no route"
		                                          : "no");
		if (server->starttls == STARTTLS_WORKS)
			cli_table_add(&table, "%s %s, %s", server->protocol, server->cipher,
			              tls_verdict_name(server->verdict));
		else
			cli_table_add(&table, "%s", server->stage > STAGE_EHLO ? "none" : "-");
	}
	putchar('\n');
	cli_table_print(&table);
}

static void print_findings(const struct inspection_judgement *judgement)
{
	static const char *const marks[] = { "ok", "note", "warning", "BROKEN" };
	bool has_advice = false;

	putchar('\n');
	for (int i = 0; i < judgement->count; i++) {
		const struct inspection_finding *finding = &judgement->findings[i];

		printf("  %-8s %s%s%s\n", marks[finding->severity], finding->where,
		       *finding->where ? ": " : "", finding->text);
		has_advice |= finding->advice && finding->severity > INSPECTION_NOTE;
	}
	if (has_advice)
		printf("\nwhat to do\n");
	for (int i = 0; i < judgement->count; i++) {
		const struct inspection_finding *finding = &judgement->findings[i];

		if (finding->advice && finding->severity > INSPECTION_NOTE)
			printf("  %s%s%s\n", finding->where, *finding->where ? ": " : "",
			       finding->advice);
	}
}

static void print_memory(json_t *memory)
{
	json_t *site = json_object_get(memory, "site"), *count;
	const char *name;

	if (!memory)
		return;
	printf("\nthe relay here\n  waiting ");
	json_object_foreach(json_object_get(memory, "causes"), name, count)
		printf(" %s %lld", name, (long long)json_integer_value(count));
	printf("%s\n", json_object_size(json_object_get(memory, "causes")) ? "" : " nothing");
	printf("  delivered %lld, failed %lld, expired %lld since its start\n",
	       (long long)cli_number(memory, "delivered"), (long long)cli_number(memory, "failed"),
	       (long long)cli_number(memory, "expired"));
	if (json_is_object(site))
		printf("  site %s, %s; last success %.19s\n", cli_string(site, "name"),
		       cli_string(site, "state"),
		       *cli_string(site, "last_success") ? cli_string(site, "last_success")
		                                         : "none");
	if (*cli_string(json_object_get(memory, "moved"), "from"))
		printf("  its MX was %s before %.19s\n",
		       cli_string(json_object_get(memory, "moved"), "from"),
		       cli_string(json_object_get(memory, "moved"), "at"));
}

static void print_text(const struct inspection *facts, const struct inspection_judgement *judgement,
                       json_t *memory)
{
	struct bytes about = facts->subject->recipient.len ? facts->subject->recipient
	                                                   : facts->subject->domain;

	printf("%.*s: accepting mail: %s: %s\n", BYTES_FORMAT(about),
	       inspection_verdict_name(judgement->verdict), judgement->sentence);
	print_servers(facts);
	print_findings(judgement);
	print_memory(memory);
}

static int status_of(enum inspection_verdict verdict)
{
	static const int statuses[] = {
		[ACCEPTS_MAIL] = 0, [ACCEPTS_PARTLY] = 1, [ACCEPTS_UNKNOWN] = 3, [ACCEPTS_NOT] = 4
	};

	return statuses[verdict];
}

static void show_progress(void *arg, int done, int all)
{
	cli_progress(arg, done, all);
}

static int inspect_and_print(struct arguments *arguments, const struct config *config)
{
	struct arena *arena = arena_create(0);
	struct inspection_judgement *judgement = arena_alloc(arena, sizeof *judgement);
	struct inspection_subject *subject = &arguments->subject;
	struct cli_progress progress = { .what = "servers" };
	struct inspection *facts;
	struct err err = { 0 };
	json_t *memory;
	int status = 3;

	subject->config = config;
	subject->deadline_us = clock_now_us() + arguments->timeout_us;
	subject->server_timeout_us = arguments->timeout_us / SERVER_SHARE;
	subject->wants_ipv6 = config->deliver.ipv6 && !arguments->is_ipv4_only;
	subject->port = subject->port ? subject->port : (uint16_t)config->deliver.port;
	subject->progress = show_progress;
	subject->progress_arg = &progress;
	if (inspect(subject, arena, &facts, &err) < 0) {
		fprintf(stderr, "outlast: %s\n", err.text);
	} else {
		cli_progress_end(&progress);
		memory = recall(config, subject->domain);
		inspection_judge(arena, facts, judgement, clock_now_us());
		(arguments->is_json ? print_json : print_text)(facts, judgement, memory);
		json_decref(memory);
		status = status_of(judgement->verdict);
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
	for (int i = 0; is_file && i < config->deliver.source_addresses.count &&
	                arguments->subject.source_count < INSPECTION_SOURCES_MAX;
	     i++)
		add_source(&arguments->subject, config->deliver.source_addresses.items[i]);
	asked = *config;
	if (arguments->nameserver) {
		asked.dns.servers = (struct config_strings){ servers, 1 };
		asked.dns.stubs.count = 0;
	}
	status = inspect_and_print(arguments, &asked);
	config_release(config);
	return status;
}

int cli_check(int argc, char **argv)
{
	struct arguments arguments;
	int status = take_arguments(argc, argv, &arguments);

	if (status == 0)
		status = run(&arguments);
	buffer_deinit(&arguments.domain);
	buffer_deinit(&arguments.recipient);
	return status;
}
