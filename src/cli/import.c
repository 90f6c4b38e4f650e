/* import: takes over the queue of Postfix, Exim or OpenSMTPD, by way of the drop folder; and a
 * main.cf as a configuration. Without --yes it only shows what it would do. */
#include "base/units.h"
#include "cli/cli.h"
#include "config/config.h"
#include "drop/drop.h"
#include "drop/folder.h"
#include "migrate/main_cf.h"
#include "migrate/queue_folder.h"
#include "runtime/clock.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TAKEN "imported" /* in the drop folder: what was taken already */

struct import {
	const struct config *config;
	const char *system;
	bool is_real;
	json_t *messages, *skipped;
	struct buffer taken; /* that list as it was at the beginning */
	int taken_fd;
	int64_t now_us;
	struct err err;
};

/* What is left of the lifetime of the recipient who has least of it. */
static int64_t time_left_us(const struct import *import, const struct message *message)
{
	int64_t least_us = INT64_MAX;

	for (uint32_t i = 0; i < message->recipient_count; i++) {
		const struct config_destination *destination = config_destination_of(
			import->config, message_domain(message->recipients[i].address));
		int64_t lifetime_us = message->sender.len > 0 ? destination->lifetime_us
		                                              : destination->notice_lifetime_us;

		least_us = MIN(least_us, message->arrived_us + lifetime_us - import->now_us);
	}
	return MAX(least_us, 0);
}

static void note(struct import *import, const char *id, const struct found *found)
{
	const struct message *message = found->message;
	struct buffer arrived = { 0 };
	json_t *entry, *recipients = json_array();

	date_format_iso(&arrived, message->arrived_us);
	for (uint32_t i = 0; i < message->recipient_count; i++)
		json_array_append_new(recipients, json_stringn(message->recipients[i].address.at,
		                                               message->recipients[i].address.len));
	entry = json_pack("{s:s, s:s%, s:o, s:s%, s:I, s:I}", "id", id, "sender",
	                  message->sender.len ? message->sender.at : "", message->sender.len,
	                  "recipients", recipients, "arrived", arrived.at, arrived.len, "left_s",
	                  (json_int_t)(time_left_us(import, message) / US_PER_SECOND), "size",
	                  (json_int_t)message->body.size_bytes);
	if (found->attempts != FOUND_ATTEMPTS_UNKNOWN)
		json_object_set_new(entry, "attempts", json_integer(found->attempts));
	json_array_append_new(import->messages, entry);
	buffer_deinit(&arrived);
}

static int drop(struct import *import, const struct message *message)
{
	struct buffer file = { 0 };
	struct message *read;
	int result;

	drop_encode(message, &file);
	result = drop_decode(buffer_bytes(&file), &import->config->receive, import->now_us, &read,
	                     &import->err);
	if (result == 0) {
		message_release(read);
		if (import->is_real)
			result = drop_folder_put(import->config->drop.directory,
			                         buffer_bytes(&file),
			                         import->config->spool.reserve_bytes, &import->err);
	}
	buffer_deinit(&file);
	return result;
}

static void skip(void *arg, const char *path, const char *reason)
{
	struct import *import = arg;

	json_array_append_new(import->skipped,
	                      json_pack("{s:s, s:s}", "path", path, "reason", reason));
}

/* A line each, so that an import that was cut off can be made again. */
static int remember(struct import *import, const char *line)
{
	if (!import->is_real)
		return 0;
	if (write(import->taken_fd, line, strlen(line)) != (ssize_t)strlen(line) ||
	    fdatasync(import->taken_fd) < 0)
		return err_system(&import->err, "write %s/" TAKEN, import->config->drop.directory);
	return 0;
}

static int take(void *arg, const char *id, const struct found *found)
{
	struct import *import = arg;
	char line[200];
	int result;

	snprintf(line, sizeof line, "%.20s %.100s %lld\n", import->system, id,
	         (long long)(found->message->arrived_us / US_PER_SECOND));
	if (bytes_find(buffer_bytes(&import->taken), bytes_of(line)) >= 0) {
		skip(import, id, "it was taken before");
		return 0;
	}
	result = drop(import, found->message);
	if (result == ERR_INVALID || result == ERR_TOO_LONG) {
		skip(import, id, import->err.text);
		return 0;
	}
	if (result < 0)
		return result;
	note(import, id, found);
	return remember(import, line);
}

static int open_taken(struct import *import)
{
	const char *directory = import->config->drop.directory;
	char path[600];
	ssize_t count;

	if (drop_folder_create(directory, &import->err) < 0)
		return import->err.code;
	snprintf(path, sizeof path, "%.500s/" TAKEN, directory);
	import->taken_fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (import->taken_fd < 0)
		return err_system(&import->err, "open %s", path);
	do {
		char *room = buffer_reserve(&import->taken, 65536);

		count = read(import->taken_fd, room, 65536);
		import->taken.len += count > 0 ? (size_t)count : 0;
	} while (count > 0);
	return count < 0 ? err_system(&import->err, "read %s", path) : 0;
}

static void print(const struct import *import)
{
	struct cli_table table = { .columns = 6 };
	static const char *const names[] = { "ID", "ARRIVED", "LEFT", "ATTEMPTS", "FROM", "TO" };
	json_t *entry;
	size_t i;

	for (i = 0; i < COUNT(names); i++)
		cli_table_add(&table, "%s", names[i]);
	json_array_foreach(import->messages, i, entry)
	{
		json_t *recipients = json_object_get(entry, "recipients");
		json_t *attempts = json_object_get(entry, "attempts");
		size_t more = json_array_size(recipients) - 1;
		char left[32];

		cli_format_span(cli_number(entry, "left_s") * US_PER_SECOND, left);
		cli_table_add(&table, "%s", cli_string(entry, "id"));
		cli_table_add(&table, "%s", cli_string(entry, "arrived"));
		cli_table_add(&table, "%s", left);
		if (attempts)
			cli_table_add(&table, "%lld", (long long)json_integer_value(attempts));
		else
			cli_table_add(&table, "?");
		cli_table_add(&table, "<%s>", cli_string(entry, "sender"));
		cli_table_add(&table, more ? "%s and %zu more" : "%s",
		              json_string_value(json_array_get(recipients, 0)), more);
	}
	cli_table_print(&table);
	json_array_foreach(import->skipped, i, entry)
		printf("skipped %s: %s\n", cli_string(entry, "path"), cli_string(entry, "reason"));
	printf("%zu message%s %s, %zu skipped%s\n", json_array_size(import->messages),
	       json_array_size(import->messages) == 1 ? "" : "s",
	       import->is_real ? "taken" : "would be taken", json_array_size(import->skipped),
	       import->is_real ? "" : "; --yes takes them");
}

static int run(struct import *import, const char *directory, bool is_json)
{
	struct queue_visitor visitor = { take, skip, import };
	json_t *all;
	int result = import->is_real ? open_taken(import) : 0;

	if (result == 0)
		result = queue_folder_walk(import->system, directory,
		                           (size_t)import->config->receive.message_size_bytes,
		                           &visitor, &import->err);
	if (is_json) {
		all = json_pack("{s:b, s:O, s:O}", "done", import->is_real, "messages",
		                import->messages, "skipped", import->skipped);
		cli_print_json(all);
		json_decref(all);
	} else {
		print(import);
	}
	if (result < 0)
		fprintf(stderr, "outlast: %s\n", import->err.text);
	return result == 0 ? 0 : 1;
}

static bool is_system(const char *name)
{
	return strcmp(name, "postfix") == 0 || strcmp(name, "exim") == 0 ||
	       strcmp(name, "opensmtpd") == 0;
}

int cli_import(int argc, char **argv)
{
	struct import import = { .taken_fd = -1, .now_us = clock_now_us() };
	struct buffer problems = { 0 };
	struct cli_options options;
	struct config *config;
	int status = 1;

	if (cli_parse(argc, argv, "yes", &options) < 0)
		return 2;
	if (argc - options.first != 2 || !is_system(argv[options.first]))
		return cli_usage(argv[0], "postfix, exim or opensmtpd, and its queue directory?");
	if (config_load(options.config_path, &config, &problems) < 0) {
		fprintf(stderr, "%.*s\n", BYTES_FORMAT(bytes_trim(buffer_bytes(&problems))));
		buffer_deinit(&problems);
		return 1;
	}
	import.config = config;
	import.system = argv[options.first];
	import.is_real = options.is_yes;
	import.messages = json_array();
	import.skipped = json_array();
	if (import.is_real && !*config->drop.directory)
		fprintf(stderr, "outlast: the configuration names no drop.directory\n");
	else
		status = run(&import, argv[options.first + 1], options.is_json);
	if (import.taken_fd >= 0)
		close(import.taken_fd);
	json_decref(import.messages);
	json_decref(import.skipped);
	buffer_deinit(&import.taken);
	buffer_deinit(&problems);
	config_release(config);
	return status;
}

int cli_config_from_postfix(const char *path)
{
	FILE *file = fopen(path, "re");
	struct buffer text = { 0 }, out = { 0 }, problems = { 0 };
	struct config *config = NULL;
	int status = 0;

	if (!file) {
		fprintf(stderr, "outlast: %s: %s\n", path, strerror(errno));
		return 1;
	}
	text.len = fread(buffer_reserve(&text, MAIN_CF_BYTES_MAX), 1, MAIN_CF_BYTES_MAX, file);
	fclose(file);
	main_cf_convert(buffer_bytes(&text), &out);
	fwrite(out.at, 1, out.len, stdout);
	if (config_parse("the configuration made", buffer_bytes(&out), &config, &problems) < 0) {
		fprintf(stderr, "to be put right by hand:\n%.*s\n",
		        BYTES_FORMAT(bytes_trim(buffer_bytes(&problems))));
		status = 1;
	}
	config_release(config);
	buffer_deinit(&text);
	buffer_deinit(&out);
	buffer_deinit(&problems);
	return status;
}
