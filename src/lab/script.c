#include "lab/script.h"
#include <string.h>

struct script {
	const char *name;
	struct bytes rest;
	struct arena *arena;
	struct err *err;
	int line;
};

static int fail(struct script *script, const char *what)
{
	return err_set(script->err, ERR_INVALID, "%s:%d: %s", script->name, script->line, what);
}

static char take(struct script *script)
{
	char c = script->rest.at[0];

	script->line += c == '\n';
	script->rest = bytes_from(script->rest, 1);
	return c;
}

static void skip_blank(struct script *script)
{
	while (script->rest.len > 0) {
		char c = script->rest.at[0];

		if (c == '#')
			while (script->rest.len > 0 && script->rest.at[0] != '\n')
				take(script);
		else if (c == ' ' || c == '\t' || c == '\r' || c == '\n')
			take(script);
		else
			return;
	}
}

static bool ends_word(char c)
{
	return strchr(" \t\r\n;{}\"#", c) != NULL; /* NUL too */
}

static char *take_plain(struct script *script)
{
	size_t len = 0;

	while (len < script->rest.len && !ends_word(script->rest.at[len]))
		len++;
	if (len == 0) {
		fail(script, "a byte that cannot begin a word");
		return NULL;
	}
	char *word = (char *)(uintptr_t)arena_copy(script->arena, bytes_first(script->rest, len))
	                     .at;
	script->rest = bytes_from(script->rest, len);
	return word;
}

static size_t quoted_len(struct bytes in)
{
	size_t len = 1;

	while (len < in.len && in.at[len] != '"')
		len += in.at[len] == '\\' ? 2 : 1;
	return len;
}

static char *take_quoted(struct script *script)
{
	char *word = arena_alloc(script->arena, quoted_len(script->rest) + 1);
	size_t len = 0;

	take(script);
	while (script->rest.len > 0 && script->rest.at[0] != '"') {
		char c = take(script);

		if (c == '\\' && script->rest.len > 0) {
			c = take(script);
			if (c == 'n') {
				word[len++] = '\r';
				c = '\n';
			}
		}
		word[len++] = c;
	}
	if (script->rest.len == 0) {
		fail(script, "a \" has no end");
		return NULL;
	}
	take(script);
	return word;
}

static int parse_block(struct script *script, int depth, struct statement **first_out);

/* Reads what is behind the last word: ";" or a block. */
static int parse_end(struct script *script, int depth, struct statement *statement)
{
	char c = script->rest.len > 0 ? take(script) : '\0';

	if (c == ';')
		return 0;
	if (c != '{')
		return fail(script, "a statement does not end in \";\" or a block");
	if (depth == SCRIPT_DEPTH_MAX)
		return fail(script, "blocks are nested too deep");
	statement->has_block = true;
	if (parse_block(script, depth + 1, &statement->block) < 0)
		return ERR_INVALID;
	if (script->rest.len == 0)
		return fail(script, "a block has no end");
	take(script);
	return 0;
}

static int parse_statement(struct script *script, int depth, struct statement *statement)
{
	char *words[SCRIPT_WORDS_MAX];

	statement->line = script->line;
	while (script->rest.len > 0 && !strchr(";{}", script->rest.at[0])) {
		char *word = script->rest.at[0] == '"' ? take_quoted(script) : take_plain(script);

		if (!word)
			return ERR_INVALID;
		if (statement->word_count == SCRIPT_WORDS_MAX)
			return fail(script, "a statement has too many words");
		words[statement->word_count++] = word;
		skip_blank(script);
	}
	if (statement->word_count == 0)
		return fail(script, "a statement has no words");
	statement->words = arena_alloc(script->arena,
	                               (size_t)statement->word_count * sizeof *words);
	memcpy(statement->words, words, (size_t)statement->word_count * sizeof *words);
	return parse_end(script, depth, statement);
}

/* Reads statements up to the end of the text or a "}" that is left for the caller. */
static int parse_block(struct script *script, int depth, struct statement **first_out)
{
	struct statement **end = first_out;

	for (;;) {
		skip_blank(script);
		if (script->rest.len == 0 || script->rest.at[0] == '}')
			return 0;
		*end = arena_alloc(script->arena, sizeof **end);
		if (parse_statement(script, depth, *end) < 0)
			return ERR_INVALID;
		end = &(*end)->next;
	}
}

int script_parse(const char *name, struct bytes text, struct arena *arena,
                 struct statement **first_out, struct err *err)
{
	struct script script = {
		.name = name, .rest = text, .arena = arena, .err = err, .line = 1
	};

	*first_out = NULL;
	if (parse_block(&script, 0, first_out) < 0)
		return ERR_INVALID;
	if (script.rest.len > 0)
		return fail(&script, "a \"}\" without a block");
	return 0;
}
