/* sendmail, mailq -q, newaliases: what programs expect of a machine that can send mail. The message
 * goes into the drop folder, whether the relay runs or not (docs/formats/drop.md). */
#include "base/alloc.h"
#include "base/random.h"
#include "cli/cli.h"
#include "config/config.h"
#include "drop/draft.h"
#include "drop/drop.h"
#include "drop/folder.h"
#include "runtime/clock.h"
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define READ_BYTES 65536

/* Those of sendmail(1), Postfix, Exim and msmtp together; what means nothing here is taken and
 * forgotten. */
#define OPTIONS "A:B:b:C:cd::e:F:f:Gh:IiL:M:mN:nO:o:p:q::r:R:sTtUV:vX:x"

struct arguments {
	char mode; /* as in -b */
	const char *config_path, *sender, *full_name;
	const char *queue_filter; /* of -q */
	struct bytes notify, dsn_return, envelope_id;
	bool takes_fields, ignores_dot, is_verbose, is_8bit;
	char **recipients;
};

static void set_value(struct arguments *arguments, int option, char *value)
{
	switch (option) {
	case 'b':
		arguments->mode = value[0];
		break;
	case 'B':
		arguments->is_8bit = value[0] == '8';
		break;
	case 'C':
		arguments->config_path = value;
		break;
	case 'f':
	case 'r':
		arguments->sender = value;
		break;
	case 'F':
		arguments->full_name = value;
		break;
	case 'N':
		arguments->notify = bytes_of(value);
		break;
	case 'R':
		arguments->dsn_return = bytes_of(value);
		break;
	case 'V':
		arguments->envelope_id = bytes_of(value);
		break;
	case 'q':
		arguments->mode = 'q';
		arguments->queue_filter = value ? value : "";
		break;
	case 'o': /* -oi; and -o7, -oem and so on, which mean nothing here */
		arguments->ignores_dot |= strcmp(value, "i") == 0;
		break;
	default:
		break;
	}
}

static int parse(int argc, char **argv, struct arguments *arguments)
{
	int option;

	*arguments = (struct arguments){ .mode = 'm', .config_path = getenv("OUTLAST_CONFIG") };
	optind = 0;
	opterr = 0;
	while ((option = getopt(argc, argv, OPTIONS)) != -1) {
		if (option == '?') {
			fprintf(stderr, "sendmail: -%c: no such option, or its value is missing\n",
			        optopt);
			return EX_USAGE;
		}
		arguments->takes_fields |= option == 't';
		arguments->ignores_dot |= option == 'i';
		arguments->is_verbose |= option == 'v';
		set_value(arguments, option, optarg);
	}
	arguments->recipients = argv + optind;
	if (!arguments->config_path)
		arguments->config_path = "/etc/outlast/outlast.conf";
	return 0;
}

static int complain(int status, const char *text)
{
	fprintf(stderr, "sendmail: %s\n", text);
	return status;
}

static int status_of(const struct err *err)
{
	switch ((int)err->code) {
	case ERR_INVALID:
	case ERR_TOO_LONG:
		return complain(EX_DATAERR, err->text);
	case ERR_FULL:
		return complain(EX_TEMPFAIL, err->text);
	default:
		return complain(EX_CANTCREAT, err->text);
	}
}

static int read_input(struct buffer *text)
{
	for (;;) {
		char *room = buffer_reserve(text, READ_BYTES);
		ssize_t count;

		if (!room)
			return complain(EX_DATAERR, "the message is larger than is taken here");
		count = read(STDIN_FILENO, room, READ_BYTES);
		if (count == 0)
			return 0;
		if (count < 0 && errno != EINTR)
			return complain(EX_IOERR, strerror(errno));
		text->len += count > 0 ? (size_t)count : 0;
	}
}

/* Who sends: as told, else the user. "<>" and "" are the null sender. */
static int set_sender(const struct arguments *arguments, const struct config *config,
                      struct draft *draft, struct err *err)
{
	const struct passwd *user = getpwuid(getuid());
	struct bytes sender = bytes_of(arguments->sender ? arguments->sender
	                               : user            ? user->pw_name
	                                                 : "nobody");
	size_t name_length = user ? strcspn(user->pw_gecos, ",") : 0;

	draft->full_name = arguments->full_name;
	if (!draft->full_name && name_length > 0)
		draft->full_name = arena_copy(draft->message->arena,
		                              bytes_first(bytes_of(user->pw_gecos), name_length))
		                           .at;
	if (sender.len >= 2 && sender.at[0] == '<' && sender.at[sender.len - 1] == '>')
		sender = bytes_first(bytes_from(sender, 1), sender.len - 2);
	if (sender.len == 0)
		return 0;
	if (!drop_address(sender, bytes_of(config->drop.domain), draft->message->arena,
	                  &draft->message->sender))
		return err_set(err, ERR_INVALID, "the sender \"%.*s\" is not an address",
		               (int)MIN(sender.len, (size_t)100), sender.at);
	if (!bytes_is_ascii(draft->message->sender))
		draft->message->flags |= MESSAGE_SMTPUTF8;
	return 0;
}

/* -N never, or any of success,failure,delay (RFC 3461 4.1). */
static int read_notify(struct bytes words, uint8_t *notify_out, struct err *err)
{
	static const char *const names[] = { "never", "success", "failure", "delay" };

	*notify_out = 0;
	for (struct bytes rest = words; rest.at;) {
		struct bytes word = bytes_split(&rest, ',');
		size_t n = 0;

		while (n < COUNT(names) && !bytes_equal_nocase(word, bytes_of(names[n])))
			n++;
		if (n == COUNT(names))
			return err_set(err, ERR_INVALID, "-N %.*s: never, or success,failure,delay",
			               (int)MIN(words.len, (size_t)100), words.at);
		*notify_out |= (uint8_t)(1U << n);
	}
	return 0;
}

static int set_parameters(const struct arguments *arguments, struct message *message,
                          struct err *err)
{
	struct bytes how = arguments->dsn_return;
	uint8_t notify = 0;

	if (arguments->is_8bit)
		message->body_type = BODY_8BITMIME;
	if (arguments->notify.at && read_notify(arguments->notify, &notify, err) < 0)
		return err->code;
	for (uint32_t i = 0; i < message->recipient_count; i++)
		message->recipients[i].notify = notify;
	if (bytes_equal_nocase(how, BYTES_LITERAL("full")))
		message->dsn_return = RETURN_FULL;
	else if (bytes_equal_nocase(how, BYTES_LITERAL("hdrs")))
		message->dsn_return = RETURN_HEADERS;
	else if (how.at)
		return err_set(err, ERR_INVALID, "-R: full or hdrs");
	return 0;
}

static int compose(const struct arguments *arguments, const struct config *config,
                   struct draft *draft, struct bytes text, struct err *err)
{
	if (set_sender(arguments, config, draft, err) < 0)
		return err->code;
	for (char **recipient = arguments->recipients; *recipient; recipient++)
		if (draft_add_recipients(draft, bytes_of(*recipient), err) < 0)
			return err->code;
	if (arguments->takes_fields && draft_take_recipients(draft, text, err) < 0)
		return err->code;
	if (draft->message->recipient_count == 0)
		return err_set(err, ERR_INVALID, "there are no recipients");
	if (set_parameters(arguments, draft->message, err) < 0)
		return err->code;
	draft_set_envelope_id(draft, arguments->envelope_id);
	return draft_finish(draft, text, err);
}

/* Read back first by the relay's own eyes: what it would refuse is refused here and now. */
static int drop(const struct config *config, const struct message *message, struct err *err)
{
	struct buffer file = { 0 };
	struct message *read;
	int result;

	drop_encode(message, &file);
	result = drop_decode(buffer_bytes(&file), &config->receive, clock_now_us(), &read, err);
	if (result == 0) {
		message_release(read);
		result = drop_folder_put(config->drop.directory, buffer_bytes(&file),
		                         config->spool.reserve_bytes, err);
	}
	buffer_deinit(&file);
	return result;
}

static int submit(const struct arguments *arguments, const struct config *config)
{
	struct buffer text = { .limit = (size_t)config->receive.message_size_bytes + READ_BYTES };
	struct draft draft = { .message = message_create(),
		               .domain = config->drop.domain,
		               .local_to = config->drop.local_to,
		               .hostname = config->hostname,
		               .number = random_entropy(),
		               .now_us = clock_now_us(),
		               .ends_at_dot = !arguments->ignores_dot,
		               .recipients_max = (uint32_t)config->receive.recipients_per_message };
	struct err err = { 0 };
	int status = read_input(&text);

	draft.message->arrived_us = draft.now_us;
	if (status == 0 && (compose(arguments, config, &draft, buffer_bytes(&text), &err) < 0 ||
	                    drop(config, draft.message, &err) < 0))
		status = status_of(&err);
	if (status == 0 && arguments->is_verbose)
		printf("kept in %s for %u recipient%s\n", config->drop.directory,
		       draft.message->recipient_count,
		       draft.message->recipient_count == 1 ? "" : "s");
	message_release(draft.message);
	buffer_deinit(&text);
	return status;
}

/* -q, -qRtext, -qStext: try now. An interval is for daemons, which the relay is anyway. */
static int try_now(const struct arguments *arguments)
{
	const char *filter = arguments->queue_filter;
	char *config_path = (char *)(uintptr_t)arguments->config_path;
	char *argv[] = { (char *)"retry",
		         (char *)"--config",
		         config_path,
		         (char *)(*filter == 'S'   ? "--from"
		                  : *filter == 'R' ? "--to"
		                                   : "--older"),
		         (char *)(uintptr_t)(*filter && strchr("SR", *filter) ? filter + 1 : "0s"),
		         NULL };

	if (*filter >= '0' && *filter <= '9')
		return 0;
	return cli_act((int)COUNT(argv) - 1, argv) == 0 ? 0 : EX_UNAVAILABLE;
}

static int list(const struct arguments *arguments)
{
	char *argv[] = { (char *)"queue", (char *)"--config",
		         (char *)(uintptr_t)arguments->config_path, NULL };

	return cli_queue((int)COUNT(argv) - 1, argv) == 0 ? 0 : EX_UNAVAILABLE;
}

static int load_and_run(const struct arguments *arguments)
{
	struct buffer problems = { 0 };
	struct config *config;
	int status;

	if (config_load(arguments->config_path, &config, &problems) < 0) {
		fprintf(stderr, "sendmail: %.*s\n",
		        BYTES_FORMAT(bytes_trim(buffer_bytes(&problems))));
		buffer_deinit(&problems);
		return EX_CONFIG;
	}
	if (arguments->mode == 's')
		status = cli_talk(config);
	else if (!*config->drop.directory)
		status = complain(EX_CONFIG, "the configuration names no drop.directory");
	else
		status = submit(arguments, config);
	buffer_deinit(&problems);
	config_release(config);
	return status;
}

int cli_sendmail(int argc, char **argv)
{
	struct arguments arguments;

	if (parse(argc, argv, &arguments) != 0)
		return EX_USAGE;
	switch (arguments.mode) {
	case 'm':
	case 's':
		return load_and_run(&arguments);
	case 'p':
		return list(&arguments);
	case 'q':
		return try_now(&arguments);
	case 'i':
		return cli_newaliases(argc, argv);
	default:
		fprintf(stderr, "sendmail: -b%c is not offered; `outlast serve` is the daemon\n",
		        arguments.mode);
		return EX_USAGE;
	}
}

/* There is no table of aliases to be rebuilt; programs that install mail software call it. */
int cli_newaliases(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return 0;
}
