#include "smtp/command.h"
#include "base/macros.h"

static const struct {
	const char *name;
	enum verb verb;
} verbs[] = {
	{ "EHLO", VERB_EHLO }, { "HELO", VERB_HELO },         { "MAIL", VERB_MAIL },
	{ "RCPT", VERB_RCPT }, { "DATA", VERB_DATA },         { "BDAT", VERB_BDAT },
	{ "RSET", VERB_RSET }, { "NOOP", VERB_NOOP },         { "VRFY", VERB_VRFY },
	{ "EXPN", VERB_EXPN }, { "HELP", VERB_HELP },         { "QUIT", VERB_QUIT },
	{ "AUTH", VERB_AUTH }, { "STARTTLS", VERB_STARTTLS },
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static struct bytes skip_blanks(struct bytes text)
{
	while (text.len > 0 && is_blank(text.at[0]))
		text = bytes_from(text, 1);
	return text;
}

static struct bytes trim_end(struct bytes text)
{
	while (text.len > 0 && is_blank(text.at[text.len - 1]))
		text.len--;
	return text;
}

/* Takes what stands before the first blank. */
static struct bytes take_word(struct bytes *rest)
{
	size_t length = 0;
	struct bytes word;

	while (length < rest->len && !is_blank(rest->at[length]))
		length++;
	word = bytes_first(*rest, length);
	*rest = skip_blanks(bytes_from(*rest, length));
	return word;
}

static bool is_keyword(struct bytes name)
{
	for (size_t i = 0; i < name.len; i++) {
		char c = char_lower(name.at[i]);
		bool is_alphanumeric = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');

		if (!is_alphanumeric && (c != '-' || i == 0))
			return false;
	}
	return name.len > 0;
}

/* esmtp-value (RFC 5321 4.1.2): printable but for "=" and blanks; beyond ASCII only as SMTPUTF8
 * allows. */
static bool is_value(struct bytes value)
{
	for (size_t i = 0; i < value.len; i++)
		if ((unsigned char)value.at[i] <= 32 || value.at[i] == 127 || value.at[i] == '=')
			return false;
	return value.len > 0;
}

static enum command_fault parse_parameters(struct bytes rest, struct command *command)
{
	while (rest.len > 0) {
		struct bytes value = take_word(&rest);
		struct bytes name = bytes_split(&value, '=');
		struct parameter *parameter = &command->parameters[command->parameter_count];

		if (command->parameter_count == COMMAND_PARAMETERS_MAX)
			return COMMAND_TOO_MANY_PARAMETERS;
		if (!is_keyword(name) || (value.at && !is_value(value)))
			return COMMAND_SYNTAX;
		parameter->name = name;
		parameter->value = value;
		command->parameter_count++;
	}
	return COMMAND_OK;
}

/* The end of "<...>" at the front of `text`: quoted strings may hold ">". -1: there is none. */
static ptrdiff_t find_path_end(struct bytes text)
{
	bool is_quoted = false;

	for (size_t i = 1; i < text.len; i++) {
		char c = text.at[i];

		if (is_quoted && c == '\\')
			i++;
		else if (c == '"')
			is_quoted = !is_quoted;
		else if (c == '>' && !is_quoted)
			return (ptrdiff_t)i;
	}
	return -1;
}

/* A source route, "@a,@b:", is accepted and ignored (RFC 5321 Appendix F.2). False when no address
 * follows it: that is no null sender. */
static bool remove_source_route(struct bytes *path)
{
	ptrdiff_t colon;

	if (path->len == 0 || path->at[0] != '@')
		return true;
	colon = bytes_find_char(*path, ':');
	if (colon < 0)
		return false;
	*path = bytes_from(*path, (size_t)colon + 1);
	return path->len > 0;
}

static enum command_fault parse_path(struct bytes rest, const char *prefix, struct command *command)
{
	struct bytes word = bytes_of(prefix);
	ptrdiff_t end;

	if (!bytes_starts_with_nocase(rest, word))
		return COMMAND_SYNTAX;
	rest = skip_blanks(bytes_from(rest, word.len));
	if (rest.len == 0 || rest.at[0] != '<')
		return COMMAND_BAD_PATH;
	end = find_path_end(rest);
	if (end < 0)
		return COMMAND_BAD_PATH;
	command->path = (struct bytes){ rest.at + 1, (size_t)end - 1 };
	rest = bytes_from(rest, (size_t)end + 1);
	if (!remove_source_route(&command->path) || (rest.len > 0 && !is_blank(rest.at[0])))
		return COMMAND_BAD_PATH;
	return parse_parameters(skip_blanks(rest), command);
}

static enum command_fault parse_chunk(struct bytes rest, struct command *command)
{
	struct bytes size = take_word(&rest);

	if (size.len > 20 || !bytes_parse_u64(size, &command->chunk_bytes))
		return COMMAND_SYNTAX;
	command->is_last = bytes_equal_nocase(rest, bytes_of("LAST"));
	return rest.len == 0 || command->is_last ? COMMAND_OK : COMMAND_SYNTAX;
}

enum command_fault command_parse(struct bytes line, struct command *command_out)
{
	struct bytes rest = trim_end(line), verb = take_word(&rest);

	*command_out = (struct command){ .argument = rest };
	for (size_t i = 0; i < COUNT(verbs); i++)
		if (bytes_equal_nocase(verb, bytes_of(verbs[i].name)))
			command_out->verb = verbs[i].verb;
	switch (command_out->verb) {
	case VERB_UNKNOWN:
		return COMMAND_UNKNOWN;
	case VERB_MAIL:
		return parse_path(rest, "FROM:", command_out);
	case VERB_RCPT:
		return parse_path(rest, "TO:", command_out);
	case VERB_BDAT:
		return parse_chunk(rest, command_out);
	case VERB_EHLO:
	case VERB_HELO:
	case VERB_VRFY:
	case VERB_EXPN:
		return rest.len > 0 ? COMMAND_OK : COMMAND_SYNTAX;
	case VERB_DATA:
	case VERB_RSET:
	case VERB_QUIT:
	case VERB_STARTTLS:
		return rest.len == 0 ? COMMAND_OK : COMMAND_SYNTAX;
	case VERB_NOOP:
	case VERB_HELP:
	case VERB_AUTH:
		return COMMAND_OK;
	}
	return COMMAND_UNKNOWN;
}
