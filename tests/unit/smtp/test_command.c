/* Lines of a client (standards 2 and 10; the numbers are in the rows' names). */
#include "base/buffer.h"
#include "smtp/command.h"
#include "support/check.h"

static const struct {
	const char *name, *line;
	enum command_fault fault;
	enum verb verb;
	const char *argument;
} rows[] = {
	{ "EHLO", "EHLO c.test", COMMAND_OK, VERB_EHLO, "c.test" },
	{ "2.2 EHLO without argument", "EHLO", COMMAND_SYNTAX, VERB_EHLO, "" },
	{ "2.2 HELO without argument", "HELO ", COMMAND_SYNTAX, VERB_HELO, "" },
	{ "2.5 any case", "eHlO c.test", COMMAND_OK, VERB_EHLO, "c.test" },
	{ "2.24 blanks at the end", "NOOP \t ", COMMAND_OK, VERB_NOOP, "" },
	{ "blanks between", "VRFY  \t me ", COMMAND_OK, VERB_VRFY, "me" },
	{ "blank in front", " NOOP", COMMAND_UNKNOWN, VERB_UNKNOWN, "NOOP" },
	{ "no verb", "", COMMAND_UNKNOWN, VERB_UNKNOWN, "" },
	{ "part of a verb", "MAI FROM:<>", COMMAND_UNKNOWN, VERB_UNKNOWN, "FROM:<>" },
	{ "more than a verb", "DATAX", COMMAND_UNKNOWN, VERB_UNKNOWN, "" },
	{ "DATA", "DATA", COMMAND_OK, VERB_DATA, "" },
	{ "DATA with argument", "DATA x", COMMAND_SYNTAX, VERB_DATA, "x" },
	{ "2.15 RSET with argument", "RSET x", COMMAND_SYNTAX, VERB_RSET, "x" },
	{ "2.15 NOOP with argument", "NOOP x y", COMMAND_OK, VERB_NOOP, "x y" },
	{ "QUIT with argument", "QUIT now", COMMAND_SYNTAX, VERB_QUIT, "now" },
	{ "VRFY without argument", "VRFY", COMMAND_SYNTAX, VERB_VRFY, "" },
	{ "EXPN", "EXPN list", COMMAND_OK, VERB_EXPN, "list" },
	{ "HELP", "HELP", COMMAND_OK, VERB_HELP, "" },
	{ "AUTH", "AUTH PLAIN =", COMMAND_OK, VERB_AUTH, "PLAIN =" },
	{ "14.1 STARTTLS with argument", "STARTTLS x", COMMAND_SYNTAX, VERB_STARTTLS, "x" },
};

static void commands_are_told_apart(void)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct command command;

		CHECK_INT(rows[i].name, command_parse(bytes_of(rows[i].line), &command),
		          rows[i].fault);
		CHECK_INT(rows[i].name, command.verb, rows[i].verb);
		CHECK_BYTES(rows[i].name, command.argument, bytes_of(rows[i].argument));
	}
}

static const struct {
	const char *name, *line;
	enum command_fault fault;
	const char *path, *parameters; /* "NAME=value NAME" */
} paths[] = {
	{ "sender", "MAIL FROM:<a@b>", COMMAND_OK, "a@b", "" },
	{ "recipient", "RCPT TO:<a@b>", COMMAND_OK, "a@b", "" },
	{ "2.5 any case", "mail from:<A@b>", COMMAND_OK, "A@b", "" },
	{ "blanks before the path", "MAIL FROM: \t<a@b>", COMMAND_OK, "a@b", "" },
	{ "2.10 null sender", "MAIL FROM:<>", COMMAND_OK, "", "" },
	{ "2.10 postmaster", "RCPT TO:<Postmaster>", COMMAND_OK, "Postmaster", "" },
	{ "2.25 source route", "RCPT TO:<@x,@y:a@b>", COMMAND_OK, "a@b", "" },
	{ "2.25 route to nobody", "MAIL FROM:<@x:>", COMMAND_BAD_PATH, NULL, NULL },
	{ "2.25 route without colon", "MAIL FROM:<@x>", COMMAND_BAD_PATH, NULL, NULL },
	{ "quoted >", "RCPT TO:<\"a>b\"@c>", COMMAND_OK, "\"a>b\"@c", "" },
	{ "quoted quote", "RCPT TO:<\"a\\\">\"@c>", COMMAND_OK, "\"a\\\">\"@c", "" },
	{ "no brackets", "MAIL FROM:a@b", COMMAND_BAD_PATH, NULL, NULL },
	{ "no end", "MAIL FROM:<a@b", COMMAND_BAD_PATH, NULL, NULL },
	{ "no end behind a backslash", "MAIL FROM:<\"a\\", COMMAND_BAD_PATH, NULL, NULL },
	{ "nothing", "MAIL FROM:", COMMAND_BAD_PATH, NULL, NULL },
	{ "garbage behind", "MAIL FROM:<a@b>x", COMMAND_BAD_PATH, NULL, NULL },
	{ "wrong word", "MAIL TO:<a@b>", COMMAND_SYNTAX, NULL, NULL },
	{ "no colon", "MAIL FROM <a@b>", COMMAND_SYNTAX, NULL, NULL },
	{ "parameters", "MAIL FROM:<a@b> SIZE=10  smtputf8 ", COMMAND_OK, "a@b",
	  "SIZE=10 smtputf8" },
	{ "keyword with hyphen", "MAIL FROM:<a@b> X-y=1", COMMAND_OK, "a@b", "X-y=1" },
	{ "keyword begins with hyphen", "MAIL FROM:<a@b> -x=1", COMMAND_SYNTAX, NULL, NULL },
	{ "keyword with underscore", "MAIL FROM:<a@b> a_b=1", COMMAND_SYNTAX, NULL, NULL },
	{ "no keyword", "MAIL FROM:<a@b> =1", COMMAND_SYNTAX, NULL, NULL },
	{ "no value", "MAIL FROM:<a@b> SIZE=", COMMAND_SYNTAX, NULL, NULL },
	{ "= in a value", "MAIL FROM:<a@b> A=b=c", COMMAND_SYNTAX, NULL, NULL },
	{ "control character in a value", "MAIL FROM:<a@b> A=b\x01", COMMAND_SYNTAX, NULL, NULL },
	{ "sixteen parameters", "RCPT TO:<a@b> a b c d e f g h i j k l m n o p", COMMAND_OK, "a@b",
	  "a b c d e f g h i j k l m n o p" },
	{ "seventeen parameters", "RCPT TO:<a@b> a b c d e f g h i j k l m n o p q",
	  COMMAND_TOO_MANY_PARAMETERS, NULL, NULL },
};

static void check_parameters(const char *name, const struct command *command, const char *want)
{
	struct buffer got = { 0 };

	for (int i = 0; i < command->parameter_count; i++) {
		const struct parameter *parameter = &command->parameters[i];

		buffer_append_text(&got, i > 0 ? " " : "");
		buffer_append(&got, parameter->name);
		if (parameter->value.at)
			buffer_printf(&got, "=%.*s", BYTES_FORMAT(parameter->value));
	}
	CHECK_BYTES(name, buffer_bytes(&got), bytes_of(want));
	buffer_deinit(&got);
}

static void paths_and_parameters(void)
{
	for (size_t i = 0; i < COUNT(paths); i++) {
		struct command command;

		CHECK_INT(paths[i].name, command_parse(bytes_of(paths[i].line), &command),
		          paths[i].fault);
		if (paths[i].fault != COMMAND_OK)
			continue;
		CHECK_BYTES(paths[i].name, command.path, bytes_of(paths[i].path));
		check_parameters(paths[i].name, &command, paths[i].parameters);
	}
}

static const struct {
	const char *name, *line;
	enum command_fault fault;
	uint64_t chunk_bytes;
	bool is_last;
} chunks[] = {
	{ "10.1 chunk", "BDAT 10", COMMAND_OK, 10, false },
	{ "10.1 last", "bdat 10 last", COMMAND_OK, 10, true },
	{ "10.2 empty last", "BDAT 0 LAST", COMMAND_OK, 0, true },
	{ "10.1 no size", "BDAT", COMMAND_SYNTAX, 0, false },
	{ "10.1 no number", "BDAT LAST", COMMAND_SYNTAX, 0, false },
	{ "10.1 negative", "BDAT -1", COMMAND_SYNTAX, 0, false },
	{ "10.1 the size is known though the rest is wrong", "BDAT 10 FIRST", COMMAND_SYNTAX, 10,
	  false },
	{ "largest", "BDAT 18446744073709551615", COMMAND_OK, UINT64_MAX, false },
	{ "overflow", "BDAT 18446744073709551616", COMMAND_SYNTAX, 0, false },
	{ "21 digits", "BDAT 000000000000000000001", COMMAND_SYNTAX, 0, false },
};

static void chunk_sizes(void)
{
	for (size_t i = 0; i < COUNT(chunks); i++) {
		struct command command;

		CHECK_INT(chunks[i].name, command_parse(bytes_of(chunks[i].line), &command),
		          chunks[i].fault);
		CHECK_TRUE(chunks[i].name, command.chunk_bytes == chunks[i].chunk_bytes);
		CHECK_INT(chunks[i].name, command.is_last, chunks[i].is_last);
	}
}

TEST_MAIN(commands_are_told_apart, paths_and_parameters, chunk_sizes)
