/* What other servers said about this sender to the relay here, from its event log: did replies
 * about policy and reputation (x.7.x) become more frequent? */
#include "base/alloc.h"
#include "base/units.h"
#include "check/rise.h"
#include "cli/cli.h"
#include "runtime/clock.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define READ_BYTES_MAX (256LL << 20) /* from the log's end */
#define REPLIES_MAX    1000000
#define SITES_MAX      20 /* that are named */

struct own_reply {
	int64_t at_us;
	char site[120], reply[160];
};

struct own_replies {
	const char *sender_suffix; /* "@example.org" */
	int64_t begin_us;          /* of the log, as far as it is read; 0: not known yet */
	struct own_reply *items;
	size_t count, capacity;
};

static bool is_wanted(json_t *event, const struct own_replies *replies)
{
	const char *kind = cli_string(event, "event"), *status = cli_string(event, "status");
	const char *sender = cli_string(event, "sender");
	size_t len = strlen(sender), suffix_len = strlen(replies->sender_suffix);

	return (strcmp(kind, "deferred") == 0 || strcmp(kind, "failed") == 0) &&
	       strlen(status) > 3 && strncmp(status + 1, ".7.", 3) == 0 &&
	       cli_number(event, "code") > 0 && len > suffix_len &&
	       bytes_equal_nocase(bytes_of(sender + len - suffix_len),
	                          bytes_of(replies->sender_suffix));
}

static void take_line(struct own_replies *replies, struct bytes line)
{
	struct own_reply *reply;
	json_t *event;

	if (replies->begin_us == 0 && bytes_starts_with(line, BYTES_LITERAL("{\"time\":\"")))
		date_parse_iso(bytes_first(bytes_from(line, 9), 24), &replies->begin_us);
	/* Most lines are about something else: parsing them all would take minutes. */
	if (bytes_find(line, BYTES_LITERAL(".7.")) < 0 || replies->count == REPLIES_MAX)
		return;
	event = json_loadb(line.at, line.len, 0, NULL);
	if (event && is_wanted(event, replies)) {
		if (replies->count == replies->capacity) {
			replies->capacity = replies->capacity * 2 + 64;
			replies->items = alloc_resize(replies->items, replies->capacity,
			                              sizeof *replies->items);
		}
		reply = &replies->items[replies->count];
		snprintf(reply->site, sizeof reply->site, "%.119s", cli_string(event, "site"));
		snprintf(reply->reply, sizeof reply->reply, "%.159s", cli_string(event, "reply"));
		if (date_parse_iso(bytes_of(cli_string(event, "time")), &reply->at_us))
			replies->count++;
	}
	json_decref(event);
}

static bool read_log(const char *path, struct own_replies *replies)
{
	FILE *file = *path == '/' ? fopen(path, "r") : NULL;
	char *line = NULL;
	size_t room = 0;
	ssize_t len;

	if (!file)
		return false;
	if (fseek(file, 0, SEEK_END) == 0)
		fseek(file, MAX(0, ftell(file) - READ_BYTES_MAX), SEEK_SET);
	while ((len = getline(&line, &room, file)) > 0)
		take_line(replies, (struct bytes){ line, (size_t)len });
	free(line);
	fclose(file);
	return true;
}

/* The sites that said so since, each with its first words. */
static json_t *sites_since(const struct own_replies *replies, size_t first)
{
	json_t *sites = json_object();

	for (size_t i = first; i < replies->count && json_object_size(sites) < SITES_MAX; i++)
		if (!json_object_get(sites, replies->items[i].site))
			json_object_set_new(sites, replies->items[i].site,
			                    json_string(replies->items[i].reply));
	return sites;
}

static json_t *judge(const struct own_replies *replies)
{
	int64_t *times_us = alloc((replies->count + 1) * sizeof *times_us);
	json_t *answer = json_pack("{s:I}", "replies", (json_int_t)replies->count);
	struct buffer since = { 0 };
	struct rise rise;

	for (size_t i = 0; i < replies->count; i++)
		times_us[i] = replies->items[i].at_us;
	if (rise_find(times_us, replies->count, replies->begin_us, clock_now_us(), &rise)) {
		date_format_iso(&since, rise.since_us);
		json_object_set_new(answer, "rise",
		                    json_pack("{s:s%, s:i, s:f, s:f, s:o}", "since", since.at,
		                              since.len, "times", rise.factor, "before_per_hour",
		                              rise.before_per_hour, "after_per_hour",
		                              rise.after_per_hour, "sites",
		                              sites_since(replies, rise.first)));
		buffer_deinit(&since);
	}
	alloc_free(times_us);
	return answer;
}

json_t *cli_own_replies(const char *event_log, struct bytes domain)
{
	struct own_replies replies = { 0 };
	struct buffer suffix = { 0 };
	json_t *answer = NULL;

	buffer_printf(&suffix, "@%.*s%c", BYTES_FORMAT(domain), '\0');
	replies.sender_suffix = suffix.at;
	if (read_log(event_log, &replies))
		answer = judge(&replies);
	alloc_free(replies.items);
	buffer_deinit(&suffix);
	return answer;
}

void cli_print_own_replies(json_t *answer)
{
	json_t *rise = json_object_get(answer, "rise"), *reply;
	const char *site;

	if (!answer)
		return;
	printf("\nwhat this relay heard\n");
	if (!rise) {
		printf("  %lld replies about policy or reputation (x.7.x) in its event log; they "
		       "did "
		       "not rise\n",
		       (long long)cli_number(answer, "replies"));
		return;
	}
	printf("  since %.16sZ replies about policy or reputation (x.7.x) rose %lld times: from "
	       "%.1f to %.1f an hour, from %zu sites\n",
	       cli_string(rise, "since"), (long long)cli_number(rise, "times"),
	       json_real_value(json_object_get(rise, "before_per_hour")),
	       json_real_value(json_object_get(rise, "after_per_hour")),
	       json_object_size(json_object_get(rise, "sites")));
	json_object_foreach(json_object_get(rise, "sites"), site, reply)
		printf("    %s: %s\n", *site ? site : "?", json_string_value(reply));
}
