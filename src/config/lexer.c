#include "config/lexer.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_control(char c)
{
	return ((unsigned char)c < ' ' && !is_blank(c)) || c == 127;
}

static bool is_word(char c)
{
	return !is_blank(c) && !is_control(c) && c != '{' && c != '}' && c != ';' && c != '"' &&
	       c != '#';
}

static void skip(struct lexer *lexer, size_t count)
{
	lexer->rest = bytes_from(lexer->rest, count);
}

static void skip_blanks_and_comments(struct lexer *lexer)
{
	while (lexer->rest.len > 0) {
		char c = lexer->rest.at[0];

		if (c == '#') {
			ptrdiff_t end = bytes_find_char(lexer->rest, '\n');

			skip(lexer, end < 0 ? lexer->rest.len : (size_t)end);
			continue;
		}
		if (!is_blank(c))
			return;
		if (c == '\n')
			lexer->line++;
		skip(lexer, 1);
	}
}

static struct token bad(struct lexer *lexer, int line, const char *what)
{
	return (struct token){ TOKEN_BAD, arena_printf(lexer->arena, "%s", what), line };
}

static struct token text_token(struct lexer *lexer, enum token_kind kind, int line,
                               struct bytes text)
{
	if (!bytes_is_utf8(text))
		return bad(lexer, line, "this is not UTF-8");
	return (struct token){ kind, (char *)arena_copy(lexer->arena, text).at, line };
}

static struct token take_word(struct lexer *lexer)
{
	size_t len = 0;
	struct bytes word;

	while (len < lexer->rest.len && is_word(lexer->rest.at[len]))
		len++;
	word = bytes_first(lexer->rest, len);
	skip(lexer, len);
	return text_token(lexer, TOKEN_WORD, lexer->line, word);
}

/* Length of the string behind its opening quote, up to the closing one; -1 if the line ends first.
 */
static ptrdiff_t string_length(struct bytes in)
{
	for (size_t i = 0; i < in.len && !is_control(in.at[i]) && in.at[i] != '\n'; i++) {
		if (in.at[i] == '"')
			return (ptrdiff_t)i;
		if (in.at[i] == '\\')
			i++;
	}
	return -1;
}

/* Resolves escapes in place; false at an unknown one. */
static bool unescape(struct bytes in, char *out, size_t *len_out)
{
	size_t len = 0;

	for (size_t i = 0; i < in.len; i++) {
		char c = in.at[i];

		if (c == '\\') {
			c = in.at[++i]; /* string_length made sure that there is one */
			if (c == 'n')
				c = '\n';
			else if (c == 't')
				c = '\t';
			else if (c != '"' && c != '\\')
				return false;
		}
		out[len++] = c;
	}
	*len_out = len;
	return true;
}

static struct token take_string(struct lexer *lexer)
{
	ptrdiff_t len;
	size_t plain_len;
	struct bytes raw;
	char *plain;

	skip(lexer, 1);
	len = string_length(lexer->rest);
	if (len < 0) {
		ptrdiff_t end = bytes_find_char(lexer->rest, '\n');

		skip(lexer, end < 0 ? lexer->rest.len : (size_t)end);
		return bad(lexer, lexer->line, "the string that begins here has no closing \"");
	}
	raw = bytes_first(lexer->rest, (size_t)len);
	skip(lexer, (size_t)len + 1);
	plain = arena_alloc(lexer->arena, raw.len + 1);
	if (!unescape(raw, plain, &plain_len))
		return bad(lexer, lexer->line,
		           "unknown escape in a string; there are \\\" \\\\ \\n \\t");
	return text_token(lexer, TOKEN_STRING, lexer->line, (struct bytes){ plain, plain_len });
}

struct token lexer_next(struct lexer *lexer)
{
	static const struct {
		char c;
		enum token_kind kind;
	} signs[] = { { '{', TOKEN_OPEN }, { '}', TOKEN_CLOSE }, { ';', TOKEN_SEMICOLON } };

	skip_blanks_and_comments(lexer);
	if (lexer->rest.len == 0)
		return (struct token){ TOKEN_END, NULL, lexer->line };
	for (size_t i = 0; i < COUNT(signs); i++) {
		if (lexer->rest.at[0] == signs[i].c) {
			skip(lexer, 1);
			return (struct token){ signs[i].kind, NULL, lexer->line };
		}
	}
	if (lexer->rest.at[0] == '"')
		return take_string(lexer);
	if (is_control(lexer->rest.at[0])) {
		lexer->rest = (struct bytes){ NULL, 0 }; /* a binary file: one problem is enough */
		return bad(lexer, lexer->line, "control character: this is not a text file");
	}
	return take_word(lexer);
}
