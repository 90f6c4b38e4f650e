/* What would help, by cause: a sentence, then the commands to type. */
#include "cli/cli.h"
#include "model/cause.h"
#include <stdio.h>
#include <string.h>

#define COLUMNS_MAX 76

/* In a command ID and DOMAIN stand for the message and its destination. */
struct remedy {
	const char *sentence;
	const char *command, *what;
};

static const struct remedy remedies[CAUSE_COUNT] = {
	[CAUSE_NONE] = { "Nothing is wrong: it waits for its turn or is being delivered." },
	[CAUSE_HOST_DOWN] = { "Their server has to come back. It is probed, and mail goes out "
	                      "within a "
	                      "probe's interval of its return.",
	                      "outlast check DOMAIN", "what is wrong there, host by host" },
	[CAUSE_HOST_BUSY] = { "Their server has to have room again. It is probed; there is nothing "
	                      "to do "
	                      "here.",
	                      "outlast incidents", "when it was busy before, and how long" },
	[CAUSE_GREYLISTED] = { "Only time: it is tried again when their greylisting should be "
	                       "over." },
	[CAUSE_MAILBOX_FULL] = { "The recipient has to make room. Tell them, or the sender, in "
	                         "another "
	                         "way." },
	[CAUSE_MAILBOX_BUSY] = { "Their mailbox has to be free again; it is tried by the "
	                         "schedule." },
	[CAUSE_RATE_LIMITED] = { "They take less than we have. The pace is learned from their "
	                         "replies; "
	                         "will it be enough?",
	                         "outlast forecast", "what expires at that pace" },
	[CAUSE_REPUTATION] = { "They distrust our address or the sender's domain. Find out why and "
	                       "ask "
	                       "them to take it off their list.",
	                       "outlast reputation SENDER", "blocklists, SPF, DKIM, DMARC, PTR" },
	[CAUSE_POLICY] = { "A rule of theirs is in the way. Their postmaster can say which; show "
	                   "them the "
	                   "reply above." },
	[CAUSE_DNS_FAILURE] = { "Whoever runs that domain has to mend its DNS; it is looked up "
	                        "again at "
	                        "each probe.",
	                        "outlast check DOMAIN", "what is wrong there, host by host" },
	[CAUSE_DNS_CHANGED] = { "Whoever runs that domain has to mend its DNS. While it is gone it "
	                        "is looked "
	                        "up again, for `dns_grace`.",
	                        "outlast check DOMAIN", "what is wrong there, host by host" },
	[CAUSE_NETWORK] = { "The way to their server has to hold. It is tried again by itself; if "
	                    "only large "
	                    "messages are lost, look for an MTU problem.",
	                    "outlast check DOMAIN", "what is wrong there, host by host" },
	[CAUSE_TLS] = { "Their certificate or TLS has to be mended, or our policy for the domain "
	                "relaxed: "
	                "the key `tls` of destination \"DOMAIN\".",
	                "outlast check DOMAIN", "what is wrong there, host by host" },
	[CAUSE_PROTOCOL] = { "What answers there is no mail server, or it is out of order. Their "
	                     "postmaster "
	                     "has to look; show them the reply above.",
	                     "outlast check DOMAIN", "what is wrong there, host by host" },
	[CAUSE_SOFT_OTHER] = { "Only their postmaster can say why; show them the reply above." },
	[CAUSE_OWN_LIMIT] = { "A limit of our own binds: see \"limited by\". Raise it if their "
	                      "server takes "
	                      "more, then:",
	                      "outlast config reload", "read the configuration again" },
	[CAUSE_SUSPENDED] = { "One of our operators suspended this destination.",
	                      "outlast resume DOMAIN", "start delivery again" },
	[CAUSE_HELD] = { "One of our operators put it on hold, or its sender asked for a later "
	                 "release.",
	                 "outlast release ID", "deliver it" },
	[CAUSE_OWN_FAULT] = { "Something is out of order on our side: the relay's own log says "
	                      "what.",
	                      "outlast status", "counts, disk and connections" },
};

/* The text with what ID, DOMAIN and SENDER stand for. */
static void fill_in(const struct cli_remedy *about, const char *text, struct buffer *out)
{
	const struct {
		const char *name, *value;
	} names[] = { { "ID", about->id },
		      { "DOMAIN", about->domain },
		      { "SENDER", about->sender_domain } };

	while (*text) {
		size_t len = 0;

		for (size_t i = 0; i < COUNT(names) && len == 0; i++) {
			if (!names[i].value || !*names[i].value ||
			    !bytes_starts_with(bytes_of(text), bytes_of(names[i].name)))
				continue;
			len = strlen(names[i].name);
			buffer_append_text(out, names[i].value);
		}
		if (len == 0)
			buffer_append_char(out, *text);
		text += MAX(len, 1);
	}
}

static void print_sentence(const struct cli_remedy *about, const char *text)
{
	struct buffer filled = { 0 };
	struct bytes rest;
	size_t column = 0;

	fill_in(about, text, &filled);
	rest = buffer_bytes(&filled);
	while (rest.at) {
		struct bytes word = bytes_split(&rest, ' ');

		if (column == 0 || column + 1 + word.len > COLUMNS_MAX) {
			printf("%s    ", column ? "\n" : "");
			column = 3;
		} else {
			putchar(' ');
		}
		printf("%.*s", BYTES_FORMAT(word));
		column += word.len + 1;
	}
	putchar('\n');
	buffer_deinit(&filled);
}

static void print_command(const struct cli_remedy *about, const char *command, const char *what)
{
	struct buffer filled = { 0 };

	fill_in(about, command, &filled);
	printf("    %-38.*s  %s\n", BYTES_FORMAT(buffer_bytes(&filled)), what);
	buffer_deinit(&filled);
}

void cli_print_remedy(const struct cli_remedy *about)
{
	enum cause cause = CAUSE_NONE;
	const struct remedy *remedy;

	cause_parse(bytes_of(about->cause), &cause);
	remedy = &remedies[cause];
	printf("  what would help\n");
	print_sentence(about, remedy->sentence);
	if (cause == CAUSE_HELD && !about->id)
		print_command(about, "outlast release --destination DOMAIN",
		              "deliver all that is held");
	else if (remedy->command)
		print_command(about, remedy->command, remedy->what);
	if (about->code && *about->code)
		printf("    outlast code %-25s  %s\n", about->code, "what their code means");
	if (!about->id) {
		if (cause != CAUSE_NONE && cause != CAUSE_SUSPENDED && cause != CAUSE_HELD)
			print_command(about, "outlast retry --destination DOMAIN", "try now");
		return;
	}
	if (cause != CAUSE_SUSPENDED && cause != CAUSE_HELD)
		print_command(about, "outlast retry ID", "try now; the schedule stays as it is");
	print_command(about, "outlast extend ID --by 12h", "move the deadline");
}
