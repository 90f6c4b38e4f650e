#include "config/syntax.h"
#include "config/lexer.h"
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <string.h>
#include <unistd.h>

struct parser {
	struct syntax *syntax;
	const char *file;
	int include_depth; /* -1: includes are refused */
	int block_depth;
	struct lexer lexer;
	struct token token;         /* the one being looked at */
	bool is_entry_bad;          /* some of it was unreadable, and has been reported */
	struct syntax_entry **tail; /* where the next entry goes */
};

static void read_entries(struct parser *parser);
static void read_include(struct parser *parser, const struct syntax_entry *entry);

static void advance(struct parser *parser)
{
	parser->token = lexer_next(&parser->lexer);
	while (parser->token.kind == TOKEN_BAD) {
		struct place place = { parser->file, parser->token.line };

		problems_add(parser->syntax->problems, place, "", "%s", parser->token.text);
		parser->is_entry_bad = true;
		parser->token = lexer_next(&parser->lexer);
	}
}

static bool is_value(const struct parser *parser)
{
	return parser->token.kind == TOKEN_WORD || parser->token.kind == TOKEN_STRING;
}

static void read_values(struct parser *parser, struct syntax_entry *entry)
{
	struct buffer pointers = { .limit = SYNTAX_VALUES_MAX * sizeof(char *) };

	for (; is_value(parser); advance(parser))
		buffer_append(&pointers, (struct bytes){ (const char *)&parser->token.text,
		                                         sizeof parser->token.text });
	if (pointers.is_over)
		problems_add(parser->syntax->problems, entry->place, entry->name,
		             "more than %d values", SYNTAX_VALUES_MAX);
	entry->value_count = (int)(pointers.len / sizeof(char *));
	entry->values = arena_alloc(parser->syntax->arena, pointers.len);
	if (pointers.len > 0)
		memcpy(entry->values, pointers.at, pointers.len);
	buffer_deinit(&pointers);
}

/* Reads from behind the opening brace to behind the closing one. */
static void read_block(struct parser *parser, struct syntax_entry *entry)
{
	struct syntax_entry **outer = parser->tail;

	entry->is_block = true;
	if (parser->block_depth == SYNTAX_BLOCKS_MAX) {
		problems_add(parser->syntax->problems, entry->place, entry->name,
		             "blocks are nested more than %d deep", SYNTAX_BLOCKS_MAX);
		parser->lexer.rest = (struct bytes){ NULL, 0 };
		advance(parser);
		return;
	}
	parser->block_depth++;
	parser->tail = &entry->children;
	read_entries(parser);
	parser->tail = outer;
	parser->block_depth--;
	if (parser->token.kind == TOKEN_CLOSE)
		advance(parser);
	else
		problems_add(parser->syntax->problems, entry->place, entry->name,
		             "the block that begins here has no '}'");
}

static void finish_entry(struct parser *parser, struct syntax_entry *entry)
{
	bool is_bad = parser->is_entry_bad; /* before the next entry is looked at */

	if (parser->token.kind == TOKEN_OPEN) {
		advance(parser);
		*parser->tail = entry;
		read_block(parser, entry);
		parser->tail = &entry->next;
		return;
	}
	if (parser->token.kind == TOKEN_SEMICOLON)
		advance(parser);
	else if (!is_bad)
		problems_add(parser->syntax->problems, entry->place, entry->name,
		             "';' is missing behind it");
	if (is_bad)
		return;
	if (strcmp(entry->name, "include") == 0) {
		read_include(parser, entry);
		return;
	}
	*parser->tail = entry;
	parser->tail = &entry->next;
}

/* Behind the next semicolon, or before the next brace that closes. */
static void skip_entry(struct parser *parser)
{
	do
		advance(parser);
	while (is_value(parser));
	if (parser->token.kind == TOKEN_SEMICOLON)
		advance(parser);
}

static void read_entry(struct parser *parser)
{
	struct place place = { parser->file, parser->token.line };
	struct syntax_entry *entry;

	if (parser->token.kind != TOKEN_WORD) {
		problems_add(parser->syntax->problems, place, "",
		             "the name of a key or block is expected here");
		skip_entry(parser);
		return;
	}
	if (++parser->syntax->entry_count > SYNTAX_ENTRIES_MAX) {
		problems_add(parser->syntax->problems, place, "", "more than %d entries",
		             SYNTAX_ENTRIES_MAX);
		parser->lexer.rest = (struct bytes){ NULL, 0 };
		advance(parser);
		return;
	}
	entry = arena_alloc(parser->syntax->arena, sizeof *entry);
	entry->name = parser->token.text;
	entry->place = place;
	parser->is_entry_bad = false;
	advance(parser);
	read_values(parser, entry);
	finish_entry(parser, entry);
}

/* Ends before the '}' of the block being read, or at the end of the text. */
static void read_entries(struct parser *parser)
{
	while (parser->token.kind != TOKEN_END) {
		if (parser->token.kind != TOKEN_CLOSE) {
			read_entry(parser);
			continue;
		}
		if (parser->block_depth > 0)
			return;
		problems_add(parser->syntax->problems,
		             (struct place){ parser->file, parser->token.line }, "",
		             "'}' without a block");
		advance(parser);
	}
}

/* Appends the entries of `text`; returns where the next ones go. */
static struct syntax_entry **read_text(struct syntax *syntax, const char *file, struct bytes text,
                                       int include_depth, struct syntax_entry **tail)
{
	struct parser parser = { .syntax = syntax,
		                 .file = file,
		                 .include_depth = include_depth,
		                 .lexer = { syntax->arena, text, 1 },
		                 .tail = tail };

	advance(&parser);
	read_entries(&parser);
	return parser.tail;
}

/* Reads a whole file; returns 0 or an error number. */
static int load_file(const char *path, struct buffer *out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK), failure = 0;
	char piece[1024];
	ssize_t got;

	if (fd < 0)
		return errno;
	out->limit = SYNTAX_FILE_BYTES_MAX;
	while (!out->is_over && (got = read(fd, piece, sizeof piece)) != 0) {
		if (got < 0) {
			failure = errno;
			break;
		}
		buffer_append(out, (struct bytes){ piece, (size_t)got });
	}
	close(fd);
	return out->is_over ? EFBIG : failure;
}

/* `from` is the entry that includes the file, for the message. */
static struct syntax_entry **read_file(struct syntax *syntax, const char *path, struct place from,
                                       int include_depth, struct syntax_entry **tail)
{
	struct buffer text = { 0 };
	const char *file = arena_printf(syntax->arena, "%s", path);
	int failure = load_file(path, &text);

	if (failure == 0)
		tail = read_text(syntax, file, buffer_bytes(&text), include_depth, tail);
	else
		problems_add(syntax->problems, from, "", "cannot read %s: %s", path,
		             strerror(failure));
	buffer_deinit(&text);
	return tail;
}

/* A relative name counts from the directory of the file it stands in. */
static char *resolve(const struct parser *parser, const char *pattern)
{
	ptrdiff_t slash = bytes_find_last_char(bytes_of(parser->file), '/');

	if (pattern[0] == '/' || slash < 0)
		return arena_printf(parser->syntax->arena, "%s", pattern);
	return arena_printf(parser->syntax->arena, "%.*s/%s", (int)slash, parser->file, pattern);
}

static void read_included_file(struct parser *parser, const struct syntax_entry *entry,
                               const char *path)
{
	struct syntax *syntax = parser->syntax;

	if (++syntax->file_count == SYNTAX_FILES_MAX + 1)
		problems_add(syntax->problems, entry->place, "include", "more than %d files",
		             SYNTAX_FILES_MAX);
	if (syntax->file_count <= SYNTAX_FILES_MAX)
		parser->tail = read_file(syntax, path, entry->place, parser->include_depth + 1,
		                         parser->tail);
}

/* A name without wildcards has to exist; a pattern may match nothing. */
static void read_include(struct parser *parser, const struct syntax_entry *entry)
{
	struct problems *problems = parser->syntax->problems;
	glob_t found = { 0 };

	if (entry->value_count != 1) {
		problems_add(problems, entry->place, "include", "takes one file name or pattern");
		return;
	}
	if (parser->include_depth < 0) {
		problems_add(problems, entry->place, "include", "not allowed here");
		return;
	}
	if (parser->include_depth == SYNTAX_INCLUDES_MAX) {
		problems_add(problems, entry->place, "include",
		             "more than %d deep: does a file include itself?", SYNTAX_INCLUDES_MAX);
		return;
	}
	if (!strpbrk(entry->values[0], "*?[")) {
		read_included_file(parser, entry, resolve(parser, entry->values[0]));
		return;
	}
	if (glob(resolve(parser, entry->values[0]), 0, NULL, &found) == 0) {
		for (size_t i = 0; i < found.gl_pathc; i++)
			read_included_file(parser, entry, found.gl_pathv[i]);
	}
	globfree(&found);
}

struct syntax_entry *syntax_read_file(struct syntax *syntax, const char *path)
{
	struct syntax_entry *first = NULL;

	read_file(syntax, path, (struct place){ path, 0 }, 0, &first);
	return first;
}

struct syntax_entry *syntax_read_text(struct syntax *syntax, const char *name, struct bytes text)
{
	struct syntax_entry *first = NULL;

	read_text(syntax, name, text, -1, &first);
	return first;
}
