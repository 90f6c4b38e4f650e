/* bounce: what returned messages say. Files, mailboxes (mbox, Maildir), standard input; no relay is
 * needed. */
#include "codes/bounce.h"
#include "base/alloc.h"
#include "cli/cli.h"
#include "codes/knowledge.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define INPUT_BYTES_MAX 1073741824 /* of one mailbox */

static json_t *json_text(struct bytes text)
{
	json_t *value = json_stringn(text.at ? text.at : "", text.len);
	char *copy;

	if (value)
		return value;
	copy = alloc(text.len + 1); /* cut within a character, or never was UTF-8 */
	for (size_t i = 0; i < text.len; i++)
		copy[i] = (text.at[i] & 0x80) ? '?' : text.at[i];
	value = json_stringn(copy, text.len);
	alloc_free(copy);
	return value;
}

static void format_status(const struct bounce_recipient *recipient, char text_out[16])
{
	text_out[0] = '\0';
	if (recipient->class > 0)
		snprintf(text_out, 16, "%d.%d.%d", recipient->class, recipient->subject,
		         recipient->detail);
}

/* What the knowledge base says of its codes; NULL if it has none. Exchange and SES give up
 * with 4.4.7, which elsewhere means that the message is still tried: what is over is explained
 * as 5.4.7. */
static const struct knowledge_entry *find_entry(const struct bounce_recipient *recipient)
{
	bool is_over = recipient->action == BOUNCE_FAILED && recipient->subject == 4 &&
	               recipient->detail == 7;

	return knowledge_find_reply(recipient->reply, is_over ? 5 : recipient->class,
	                            recipient->subject, recipient->detail);
}

static json_t *explanation_json(const struct knowledge_entry *entry)
{
	if (!entry)
		return json_null();
	return json_pack("{s:s, s:s, s:s}", "code", entry->key, "title", entry->title, "meaning",
	                 entry->meaning[0] ? entry->meaning[0] : "");
}

static json_t *recipient_json(const struct bounce_recipient *recipient)
{
	char status[16], reply[16] = "";
	bool is_bad = recipient->action == BOUNCE_FAILED || recipient->action == BOUNCE_DELAYED;
	json_t *object = json_object();

	format_status(recipient, status);
	if (recipient->reply > 0)
		snprintf(reply, sizeof reply, "%d", recipient->reply);
	json_object_set_new(object, "address", json_text(recipient->address));
	json_object_set_new(object, "action", json_string(bounce_action_name(recipient->action)));
	json_object_set_new(object, "status", json_string(status));
	json_object_set_new(object, "reply", json_string(reply));
	json_object_set_new(object, "category", json_string(recipient->category));
	json_object_set_new(object, "bounce",
	                    json_string(!is_bad              ? ""
	                                : recipient->is_hard ? "hard"
	                                                     : "soft"));
	json_object_set_new(object, "diagnostic", json_text(recipient->diagnostic));
	json_object_set_new(object, "still_trying",
	                    json_boolean(recipient->action == BOUNCE_DELAYED));
	json_object_set_new(object, "meaning", json_string(bounce_meaning(recipient->category)));
	json_object_set_new(object, "advice", json_string(recipient->advice));
	json_object_set_new(object, "explanation", explanation_json(find_entry(recipient)));
	return object;
}

static void print_json(const char *name, const struct bounce *bounce)
{
	json_t *object = json_object(), *recipients = json_array();
	char *line;

	for (int i = 0; i < bounce->count; i++)
		json_array_append_new(recipients, recipient_json(&bounce->recipients[i]));
	json_object_set_new(object, "kind", json_string(bounce_kind_name(bounce->kind)));
	json_object_set_new(object, "recipients", recipients);
	json_object_set_new(object, "subject", json_text(bounce->subject));
	json_object_set_new(object, "file", json_text(bytes_of(name)));
	json_object_set_new(object, "cut", json_boolean(bounce->is_cut));
	line = json_dumps(object, JSON_COMPACT | JSON_PRESERVE_ORDER);
	puts(line);
	free(line);
	json_decref(object);
}

/* What strangers wrote must not steer a terminal. */
static void print_safe(struct bytes text)
{
	for (size_t i = 0; i < text.len; i++)
		putchar((unsigned char)text.at[i] < 32 || text.at[i] == 127 ? '?' : text.at[i]);
}

static const char *fate(const struct bounce_recipient *recipient)
{
	switch (recipient->action) {
	case BOUNCE_FAILED:
		return recipient->is_hard ? "failed; a hard bounce: the address is of no use"
		                          : "failed; a soft bounce: the address may be good";
	case BOUNCE_DELAYED:
		return "delayed; the relay that wrote this is still trying";
	case BOUNCE_DELIVERED:
		return "delivered";
	case BOUNCE_RELAYED:
		return "handed on to a system that sends no reports";
	case BOUNCE_EXPANDED:
		return "delivered to a list or an alias";
	case BOUNCE_NO_ACTION:
		break;
	}
	return "nothing is said of its fate";
}

static void print_entry(const struct knowledge_entry *entry)
{
	if (!entry)
		return;
	printf("    the code       %s: %s. %s\n", entry->key, entry->title,
	       entry->meaning[0] ? entry->meaning[0] : "");
	printf("                   (all about it: outlast code %s)\n", entry->key);
}

static void print_recipient(const struct bounce_recipient *recipient)
{
	char status[16];

	format_status(recipient, status);
	printf("\n  <");
	print_safe(recipient->address);
	printf("> %s\n", fate(recipient));
	if (recipient->diagnostic.len > 0) {
		printf("    what was said  ");
		print_safe(bytes_first(recipient->diagnostic, 400));
		putchar('\n');
	}
	if (recipient->reply > 0 || *status)
		printf("    codes          %s%.0d%s%s\n", recipient->reply > 0 ? "reply " : "",
		       recipient->reply, recipient->reply > 0 && *status ? ", status " : "",
		       status);
	if (recipient->action != BOUNCE_FAILED && recipient->action != BOUNCE_DELAYED)
		return;
	printf("    what it means  %s (%s)\n", bounce_meaning(recipient->category),
	       recipient->category);
	if (recipient->action == BOUNCE_DELAYED) {
		printf("    retrying       yes%s",
		       recipient->retry_until.len > 0 ? ", until " : "");
		print_safe(recipient->retry_until);
		printf("; do not send it again\n");
	} else {
		printf("    retrying       no: this message will not arrive\n");
	}
	if (*recipient->advice)
		printf("    what to do     %s\n", recipient->advice);
	print_entry(find_entry(recipient));
}

static void print_text(const char *name, const struct bounce *bounce)
{
	static const char *const sentences[] = {
		[BOUNCE_OTHER] = "no bounce: nothing failed, nothing is late",
		[BOUNCE_FAILURE] = "a bounce: the message was given up",
		[BOUNCE_DELAY] = "a delay notice: the message is late, not lost",
		[BOUNCE_AUTO_REPLY] = "an automatic reply: the message arrived",
		[BOUNCE_FEEDBACK] = "a feedback report: somebody complained about the message",
	};

	printf("%s: %s\n  subject: ", name, sentences[bounce->kind]);
	print_safe(bounce->subject);
	putchar('\n');
	for (int i = 0; i < bounce->count; i++)
		print_recipient(&bounce->recipients[i]);
	if (bounce->is_cut)
		printf("\n  It is too large or too deep to be read whole: there may be more.\n");
	putchar('\n');
}

static void read_message(const char *name, struct bytes message, bool is_json)
{
	struct arena *arena = arena_create(65536);
	struct bounce bounce;

	bounce_read(message, arena, &bounce);
	if (is_json)
		print_json(name, &bounce);
	else
		print_text(name, &bounce);
	arena_destroy(arena);
}

/* "From user@host Thu Apr 29 ..." with a header field below it. */
static bool is_separator(struct bytes text)
{
	struct bytes line = bytes_split(&text, '\n'), next = bytes_split(&text, '\n');
	ptrdiff_t colon = bytes_find_char(next, ':'), blank = bytes_find_char(next, ' ');

	return bytes_starts_with(line, BYTES_LITERAL("From ")) && bytes_find_char(line, ':') > 0 &&
	       colon > 0 && (blank < 0 || blank > colon);
}

/* Where the next message of a mailbox begins; the end if there is none. */
static size_t find_next(struct bytes mailbox)
{
	size_t at = 0;

	while (at < mailbox.len) {
		ptrdiff_t found = bytes_find(bytes_from(mailbox, at), BYTES_LITERAL("\nFrom "));
		bool is_blank;

		if (found < 0)
			break;
		at += (size_t)found;
		is_blank = at > 0 &&
		           (mailbox.at[at - 1] == '\n' ||
		            (at > 1 && mailbox.at[at - 1] == '\r' && mailbox.at[at - 2] == '\n'));
		at++;
		if (is_blank && is_separator(bytes_from(mailbox, at)))
			return at;
	}
	return mailbox.len;
}

/* A file named ".eml" is one message, whatever it quotes. */
static void read_mailbox(const char *name, struct bytes content, bool is_json)
{
	bool is_single = bytes_ends_with_nocase(bytes_of(name), BYTES_LITERAL(".eml")) ||
	                 !bytes_starts_with(content, BYTES_LITERAL("From "));

	while (content.len > 0) {
		size_t size = is_single ? content.len : find_next(content);

		read_message(name, bytes_first(content, size), is_json);
		content = bytes_from(content, size);
	}
}

static int read_descriptor(const char *name, int fd, bool is_json)
{
	struct buffer content = { .limit = INPUT_BYTES_MAX };
	ssize_t got = 1;

	while (got > 0) {
		char *room = buffer_reserve(&content, 65536);

		if (!room) {
			fprintf(stderr, "outlast bounce: %s is larger than 1 GiB\n", name);
			buffer_deinit(&content);
			return 1;
		}
		got = read(fd, room, 65536);
		if (got > 0)
			content.len += (size_t)got;
	}
	if (got < 0)
		fprintf(stderr, "outlast bounce: read %s: %s\n", name, strerror(errno));
	else if (content.len == 0)
		fprintf(stderr, "outlast bounce: %s is empty\n", name);
	else
		read_mailbox(name, buffer_bytes(&content), is_json);
	got = got < 0 || content.len == 0 ? -1 : 0;
	buffer_deinit(&content);
	return got < 0;
}

static int read_file(const char *path, bool is_json)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), status;

	if (fd < 0) {
		fprintf(stderr, "outlast bounce: open %s: %s\n", path, strerror(errno));
		return 1;
	}
	status = read_descriptor(path, fd, is_json);
	close(fd);
	return status;
}

static int is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* The files of a folder, in the order of their names; folders in it are left alone. */
static int read_folder(const char *path, bool is_json)
{
	struct dirent **entries;
	int count = scandir(path, &entries, is_visible, alphasort), status = 0;

	if (count < 0) {
		fprintf(stderr, "outlast bounce: open %s: %s\n", path, strerror(errno));
		return 1;
	}
	for (int i = 0; i < count; i++) {
		struct buffer name = { 0 };
		struct stat about;

		buffer_printf(&name, "%s/%s", path, entries[i]->d_name);
		buffer_append_char(&name, '\0');
		if (stat(name.at, &about) == 0 && S_ISREG(about.st_mode))
			status |= read_file(name.at, is_json);
		buffer_deinit(&name);
		free(entries[i]);
	}
	free(entries);
	return status;
}

static bool is_folder(const char *path)
{
	struct stat about;

	return stat(path, &about) == 0 && S_ISDIR(about.st_mode);
}

static int read_maildir(const char *path, bool is_json)
{
	static const char *const folders[] = { "new", "cur" };
	int status = 0, seen = 0;

	for (size_t i = 0; i < COUNT(folders); i++) {
		struct buffer name = { 0 };

		buffer_printf(&name, "%s/%s", path, folders[i]);
		buffer_append_char(&name, '\0');
		if (is_folder(name.at)) {
			seen++;
			status |= read_folder(name.at, is_json);
		}
		buffer_deinit(&name);
	}
	return seen > 0 ? status : read_folder(path, is_json);
}

int cli_bounce(int argc, char **argv)
{
	struct cli_options options;
	int status = 0;

	if (cli_parse(argc, argv, "", &options) < 0)
		return 2;
	if (options.first == argc && isatty(STDIN_FILENO))
		return cli_usage(argv[0],
		                 "a file, a Maildir, or \"-\" for standard input is needed");
	if (options.first == argc)
		return read_descriptor("-", STDIN_FILENO, options.is_json);
	for (int i = options.first; i < argc; i++) {
		if (strcmp(argv[i], "-") == 0)
			status |= read_descriptor("-", STDIN_FILENO, options.is_json);
		else if (is_folder(argv[i]))
			status |= read_maildir(argv[i], options.is_json);
		else
			status |= read_file(argv[i], options.is_json);
	}
	return status;
}
