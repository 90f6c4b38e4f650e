/* explain: one answer says the state, the cause now, since when, what comes next and when, the
 * deadline, and what would help. */
#include "base/id.h"
#include "base/units.h"
#include "cli/cli.h"
#include "http/http.h"
#include "model/cause.h"
#include "runtime/clock.h"
#include <stdio.h>
#include <string.h>

/* What strangers wrote must not steer a terminal. */
static void print_safe(const char *text)
{
	for (; *text; text++)
		putchar((unsigned char)*text < 32 || *text == 127 ? '?' : *text);
}

static void print_when(const char *label, int64_t at_us, const char *never)
{
	int64_t now_us = clock_now_us();
	struct buffer date = { 0 };
	char span[32];

	if (at_us == 0) {
		printf("  %-12s %s\n", label, never);
		return;
	}
	date_format_iso(&date, at_us);
	if (at_us <= now_us && now_us - at_us < US_PER_SECOND) {
		printf("  %-12s %.19sZ (just now)\n", label, date.at);
		buffer_deinit(&date);
		return;
	}
	cli_format_span(at_us > now_us ? at_us - now_us : now_us - at_us, span);
	printf("  %-12s %.19sZ (%s%s%s)\n", label, date.at, at_us > now_us ? "in " : "", span,
	       at_us > now_us ? "" : " ago");
	buffer_deinit(&date);
}

static void print_ledger(json_t *ledger)
{
	json_int_t all = 0;
	const char *name;
	json_t *seconds;

	json_object_foreach(ledger, name, seconds) all += json_integer_value(seconds);
	if (all == 0)
		return;
	printf("  where the time went\n");
	json_object_foreach(ledger, name, seconds)
	{
		json_int_t value = json_integer_value(seconds);
		char span[32];

		cli_format_span(value * US_PER_SECOND, span);
		printf("    %-13s %10s  %3d %%  %.*s\n",
		       strcmp(name, "none") == 0 ? "in progress" : name, span,
		       (int)(value * 100 / all), (int)(value * 30 / all),
		       "##############################");
	}
}

static void print_attempts(json_t *message, json_int_t index)
{
	json_t *attempt;
	size_t i;

	json_array_foreach(json_object_get(message, "attempts"), i, attempt)
	{
		if (cli_number(attempt, "index") != index)
			continue;
		printf("    %.19sZ  %-10s %-12s ", cli_string(attempt, "at"),
		       cli_string(attempt, "result"), cli_string(attempt, "cause"));
		print_safe(cli_string(attempt, "text"));
		if (*cli_string(attempt, "host"))
			printf("  [%s, %s]", cli_string(attempt, "host"),
			       cli_string(attempt, "address"));
		if (*cli_string(attempt, "tls"))
			printf("  (%s%s)", cli_string(attempt, "tls"),
			       json_is_true(json_object_get(attempt, "verified")) ? ", verified"
			                                                          : "");
		if (json_is_true(json_object_get(attempt, "duplicate_possible")))
			printf("  (it may have been delivered: no reply came to the final dot)");
		putchar('\n');
	}
}

/* The enhanced code of what went wrong last; "": it has none. */
static const char *code_of(json_t *message, json_t *recipient, json_t *site)
{
	json_t *failure = json_object_get(site, "last_failure"), *attempt;
	const char *code = cli_number(failure, "code") ? cli_string(failure, "status") : "";
	size_t i;

	json_array_foreach(json_object_get(message, "attempts"), i, attempt)
	{
		if (cli_number(attempt, "index") == cli_number(recipient, "index"))
			code = cli_number(attempt, "code") ? cli_string(attempt, "status") : code;
	}
	return code;
}

static void print_advice(json_t *message, json_t *recipient, json_t *site)
{
	const char *at = strrchr(cli_string(message, "sender"), '@');
	bool is_held = strcmp(cli_string(recipient, "state"), "held") == 0;

	cli_print_remedy(
		&(struct cli_remedy){ .cause = is_held ? "held" : cli_string(recipient, "cause"),
	                              .id = cli_string(message, "id"),
	                              .domain = cli_string(recipient, "destination"),
	                              .sender_domain = at ? at + 1 : "",
	                              .code = code_of(message, recipient, site) });
}

/* What keeps the site from taking more mail now, and who set it. */
static void print_limit(json_t *site)
{
	static const struct {
		const char *name, *sentence;
	} limits[] = {
		{ "closed", "it is closed; one probe at a time goes there" },
		{ "recovering", "slow start after it was down" },
		{ "learned_rate", "the rate that its replies permit" },
		{ "learned_connections", "it takes no more connections than these" },
		{ "rate", "the configured rate" },
		{ "connections", "the configured connections" },
		{ "all_connections", "all connections are busy with other sites" },
	};
	const char *limit = cli_string(site, "limit");

	for (size_t i = 0; i < COUNT(limits); i++) {
		if (strcmp(limit, limits[i].name) != 0)
			continue;
		printf("  %-12s %s", "limited by", limits[i].sentence);
		if (*cli_string(site, "limit_set_by"))
			printf(", set by %s", cli_string(site, "limit_set_by"));
		putchar('\n');
	}
}

/* What it waits for, and when that comes. */
static void print_next(json_t *recipient, json_t *destination)
{
	json_t *site = json_object_get(destination, "site");

	if (cli_time_us(recipient, "next"))
		print_when("next", cli_time_us(recipient, "next"), "-");
	else if (strcmp(cli_string(recipient, "state"), "held") == 0)
		printf("  %-12s when it is released\n", "next");
	else if (json_is_true(json_object_get(destination, "suspended")))
		printf("  %-12s when the destination is resumed; till then its time stands "
		       "still, unless `not_counted` says otherwise\n",
		       "next");
	else if (cli_time_us(site, "next_probe"))
		print_when("next probe", cli_time_us(site, "next_probe"), "-");
	else if (cli_time_us(destination, "next_look_up"))
		print_when("next look-up", cli_time_us(destination, "next_look_up"), "-");
	else
		print_when("next", cli_time_us(site, "next_message"),
		           "as soon as the site takes it");
}

static void print_recipient(json_t *message, json_t *recipient, json_t *destination)
{
	json_t *site = json_object_get(destination, "site");
	const char *cause_text = cli_string(recipient, "cause");
	enum cause cause = CAUSE_NONE;

	cause_parse(bytes_of(cause_text), &cause);
	printf("\nrecipient <");
	print_safe(cli_string(recipient, "address"));
	printf(">\n  %-12s %s\n", "state", cli_string(recipient, "state"));
	printf("  %-12s %s: %s\n", "cause", cause_text, cause_sentence(cause));
	print_when("since", cli_time_us(recipient, "since"), "-");
	printf("  %-12s %lld\n", "attempts", (long long)cli_number(recipient, "attempts"));
	print_next(recipient, destination);
	print_when("deadline", cli_time_us(recipient, "deadline"), "-");
	if (*cli_string(recipient, "site"))
		printf("  %-12s %s, %s\n", "site", cli_string(recipient, "site"),
		       *cli_string(site, "state") ? cli_string(site, "state") : "open");
	print_limit(site);
	if (*cli_string(destination, "dns"))
		printf("  %-12s %s\n", "dns", cli_string(destination, "dns"));
	if (*cli_string(destination, "suspend_reason"))
		printf("  %-12s %s\n", "reason", cli_string(destination, "suspend_reason"));
	print_ledger(json_object_get(recipient, "ledger"));
	if (json_array_size(json_object_get(message, "attempts")) > 0)
		printf("  attempts\n");
	print_attempts(message, cli_number(recipient, "index"));
	if (json_is_object(json_object_get(site, "last_failure"))) {
		printf("  the site's last failure\n    ");
		print_safe(cli_string(json_object_get(site, "last_failure"), "text"));
		putchar('\n');
	}
	print_advice(message, recipient, site);
}

static json_t *ask_for(const struct cli_options *options, const char *kind, const char *name)
{
	struct buffer path = { 0 };
	json_t *answer;

	buffer_printf(&path, "/v1/%s/", kind);
	http_escape(bytes_of(name), &path);
	buffer_append_char(&path, '\0');
	answer = cli_ask(options, "GET", path.at, NULL);
	buffer_deinit(&path);
	return answer;
}

static int explain_message(const struct cli_options *options, const char *id)
{
	json_t *message = ask_for(options, "messages", id), *recipient;
	size_t i;

	if (!message)
		return 1;
	if (options->is_json) {
		cli_print_json(message);
		json_decref(message);
		return 0;
	}
	printf("message %s, %lld bytes, from <", id, (long long)cli_number(message, "size"));
	print_safe(cli_string(message, "sender"));
	printf(">\n");
	print_when("accepted", cli_time_us(message, "arrived"), "-");
	json_array_foreach(json_object_get(message, "recipients"), i, recipient)
	{
		json_t *destination = ask_for(options, "destinations",
		                              cli_string(recipient, "destination"));

		print_recipient(message, recipient, destination);
		json_decref(destination);
	}
	json_decref(message);
	return 0;
}

static void print_counts(const char *label, json_t *counts)
{
	const char *name;
	json_t *count;

	printf("  %-12s", label);
	json_object_foreach(counts, name, count)
		printf(" %s %lld", name, (long long)json_integer_value(count));
	printf("%s\n", json_object_size(counts) ? "" : " none");
}

static void print_learned(json_t *site)
{
	if (cli_number(site, "per_hour"))
		printf("  %-12s at most %lld messages an hour by configuration\n", "rate",
		       (long long)cli_number(site, "per_hour"));
	if (cli_number(site, "learned_per_hour"))
		printf("  %-12s about %lld messages an hour, from its replies\n", "learned",
		       (long long)cli_number(site, "learned_per_hour"));
	if (cli_number(site, "learned_connections"))
		printf("  %-12s %lld connections, from its replies\n", "learned",
		       (long long)cli_number(site, "learned_connections"));
	if (cli_number(site, "greylisting_seconds"))
		printf("  %-12s greylisting wants %lld s\n", "learned",
		       (long long)cli_number(site, "greylisting_seconds"));
}

static void print_moved(json_t *moved)
{
	if (!json_is_object(moved))
		return;
	print_when("moved", cli_time_us(moved, "at"), "-");
	printf("  %-12s from ", "");
	print_safe(cli_string(moved, "from"));
	printf("; %lld recipients waited for that\n", (long long)cli_number(moved, "waiting"));
}

static void print_site(json_t *site, const char *dns)
{
	if (!json_is_object(site)) {
		printf("  %-12s not known yet%s%s\n", "site", *dns ? ": " : "", dns);
		return;
	}
	printf("  %-12s %s, %s\n", "site", cli_string(site, "route"), cli_string(site, "state"));
	print_when("since", cli_time_us(site, "since"), "-");
	printf("  %-12s %lld of %lld now, at most %lld by configuration\n", "connections",
	       (long long)cli_number(site, "busy"), (long long)cli_number(site, "window"),
	       (long long)cli_number(site, "connections"));
	print_limit(site);
	print_learned(site);
	print_when("last success", cli_time_us(site, "last_success"), "none");
	if (json_is_object(json_object_get(site, "last_failure"))) {
		print_when("last failure", cli_time_us(site, "last_failure_at"), "none");
		printf("  %-12s ", "");
		print_safe(cli_string(json_object_get(site, "last_failure"), "text"));
		putchar('\n');
	}
	if (cli_time_us(site, "next_probe"))
		print_when("next probe", cli_time_us(site, "next_probe"), "-");
}

/* By the cause that most recipients wait for. */
static void print_way_out(json_t *destination, const char *domain)
{
	struct cli_remedy about = { .domain = domain };
	json_int_t most = 0;
	const char *name;
	json_t *count;

	json_object_foreach(json_object_get(destination, "causes"), name, count)
	{
		if (json_integer_value(count) <= most)
			continue;
		most = json_integer_value(count);
		about.cause = name;
	}
	if (about.cause)
		cli_print_remedy(&about);
}

static int explain_destination(const struct cli_options *options, const char *domain)
{
	json_t *destination = ask_for(options, "destinations", domain);

	if (!destination)
		return 1;
	if (options->is_json) {
		cli_print_json(destination);
		json_decref(destination);
		return 0;
	}
	printf("destination %s%s%s\n", domain,
	       json_is_true(json_object_get(destination, "suspended")) ? ", SUSPENDED: " : "",
	       cli_string(destination, "suspend_reason"));
	print_counts("recipients", json_object_get(destination, "recipients"));
	print_counts("causes", json_object_get(destination, "causes"));
	print_when("oldest", cli_time_us(destination, "oldest"), "-");
	print_when("next expiry", cli_time_us(destination, "next_deadline"), "-");
	printf("  %-12s delivered %lld, failed %lld, expired %lld\n", "since start",
	       (long long)cli_number(destination, "delivered"),
	       (long long)cli_number(destination, "failed"),
	       (long long)cli_number(destination, "expired"));
	print_site(json_object_get(destination, "site"), cli_string(destination, "dns"));
	print_moved(json_object_get(destination, "moved"));
	if (cli_time_us(destination, "next_look_up"))
		print_when("next look-up", cli_time_us(destination, "next_look_up"), "-");
	print_way_out(destination, domain);
	json_decref(destination);
	return 0;
}

int cli_explain(int argc, char **argv)
{
	struct cli_options options;
	uint64_t id;

	if (cli_parse(argc, argv, "", &options) < 0)
		return 2;
	if (argc - options.first != 1)
		return cli_usage(argv[0], "one message id or destination is needed");
	if (id_parse(bytes_of(argv[options.first]), &id))
		return explain_message(&options, argv[options.first]);
	return explain_destination(&options, argv[options.first]);
}
