#include "cli/cli.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const struct cli_command cli_commands[] = {
	{ "serve", "[--config FILE]", "run the relay", cli_serve },
	{ "queue", "[FILTER] [--summary | --by destination|cause]", "list the queue", cli_queue },
	{ "explain", "ID | DOMAIN", "where the time went, and what happens next", cli_explain },
	{ "status", "", "counts of the whole relay", cli_status },
	{ "top", "[--once]", "all that on one screen, live, with keys to act", cli_top },
	{ "forecast", "", "what expires if nothing changes, and what would save it", cli_forecast },
	{ "incidents", "[--limit N]", "when sites kept mail waiting", cli_incidents },
	{ "alarms", "", "what is watched, and what is raised", cli_alarms },
	{ "retry", "ID | FILTER", "try now; the schedule stays as it is", cli_act },
	{ "hold", "ID | FILTER", "keep, but do not deliver", cli_act },
	{ "release", "ID | FILTER", "deliver what was held", cli_act },
	{ "cancel", "ID | FILTER", "take out of the queue, without a notice", cli_act },
	{ "expire", "ID | FILTER", "give up now, with a failure notice", cli_act },
	{ "extend", "ID | FILTER  --by DURATION", "more time: the deadline moves", cli_deadlines },
	{ "shorten", "ID | FILTER  --by DURATION", "less time", cli_deadlines },
	{ "vault", "[FILTER] | drop ID | drop FILTER", "what expired or was cancelled lately",
	  cli_vault },
	{ "resend", "ID | FILTER [--force]", "send that again", cli_resend },
	{ "undo", "[NUMBER | --list]", "take back an extend or shorten", cli_undo },
	{ "dkim", "keygen DOMAIN SELECTOR [rsa|ed25519] | check FILE",
	  "keys to sign with; are these signatures right", cli_dkim },
	{ "suspend", "DOMAIN [--reason TEXT]", "stop delivery to a destination", cli_suspend },
	{ "resume", "DOMAIN", "start it again", cli_suspend },
	{ "config", "check FILE | show | diff [FILE] | reload | from-postfix FILE",
	  "the configuration", cli_config },
	{ "spool", "verify | export DIRECTORY", "look after the spool of a stopped relay",
	  cli_spool },
	{ "sendmail", "[-t] [-i] [-f SENDER] [RECIPIENT ...]",
	  "take a message on standard input, as sendmail(1) does", cli_sendmail },
	{ "import", "postfix|exim|opensmtpd DIRECTORY [--yes]",
	  "take over the queue of another mail system", cli_import },
	{ "bounce", "[FILE | MAILDIR | MBOX | -] ...", "what returned messages say", cli_bounce },
	{ "simulate", "WORLD... | --events LOG [--policy NAME|CONFIG]...",
	  "try policies against a world, on a virtual clock", cli_simulate },
	{ "classify", "[--rules FILE] <REPLIES", "what replies of servers mean, a line each",
	  cli_classify },
	{ "check", "DOMAIN|ADDRESS [--source ADDRESS]...",
	  "does this destination take mail, and why not", cli_check },
	{ "reputation", "DOMAIN [--ip ADDRESS]... [--selector NAME]...",
	  "is this sender trusted, with a score", cli_reputation },
	{ "code", "CODE ... | --search WORDS | --all | --html DIRECTORY",
	  "what a reply or status code means, and what to do", cli_code },
	{ "lab", "WORLD.conf", "a small scripted internet on loopback", cli_lab },
	{ NULL, NULL, NULL, NULL },
};

static int print_help(FILE *to)
{
	fprintf(to, "outlast: an outbound mail relay that says why mail is late\n\n"
	            "usage: outlast COMMAND [ARGUMENT ...]\n\n");
	for (const struct cli_command *command = cli_commands; command->name; command++)
		fprintf(to, "  %-9s %-48s %s\n", command->name, command->arguments,
		        command->purpose);
	fprintf(to,
	        "\nFILTER: --to TEXT --from TEXT --destination DOMAIN --cause CAUSE --older "
	        "DURATION"
	        " --state STATE\n"
	        "All that print take --json. --config FILE or --socket PATH say which relay.\n");
	return to == stdout ? 0 : 2;
}

int cli_usage(const char *name, const char *problem, ...)
{
	va_list args;

	fprintf(stderr, "outlast %s: ", name);
	va_start(args, problem);
	vfprintf(stderr, problem, args);
	va_end(args);
	fputc('\n', stderr);
	for (const struct cli_command *command = cli_commands; command->name; command++)
		if (strcmp(command->name, name) == 0)
			fprintf(stderr, "usage: outlast %s %s\n", name, command->arguments);
	return 2;
}

/* The names by which programs call a mail system. */
static int (*find_drop_in(const char *path))(int argc, char **argv)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;

	if (strcmp(name, "sendmail") == 0)
		return cli_sendmail;
	if (strcmp(name, "mailq") == 0)
		return cli_queue;
	return strcmp(name, "newaliases") == 0 ? cli_newaliases : NULL;
}

int cli_main(int argc, char **argv)
{
	int (*drop_in)(int argc, char **argv) = argc > 0 ? find_drop_in(argv[0]) : NULL;

	if (drop_in)
		return drop_in(argc, argv);
	if (argc < 2)
		return print_help(stderr);
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0)
		return print_help(stdout);
	if (strcmp(argv[1], "--version") == 0) {
		printf("outlast %s\n", OUTLAST_VERSION);
		return 0;
	}
	for (const struct cli_command *command = cli_commands; command->name; command++)
		if (strcmp(command->name, argv[1]) == 0)
			return command->run(argc - 1, argv + 1);
	fprintf(stderr, "outlast: there is no command \"%s\"; see outlast --help\n", argv[1]);
	return 2;
}
