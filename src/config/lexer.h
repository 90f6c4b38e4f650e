/* config/lexer.h - the words of the block language: words, "strings", braces, semicolons; a `#`
 * begins a comment that ends with the line. */
#pragma once
#include "base/arena.h"

enum token_kind {
	TOKEN_END, /* of the text; also after a NUL or other control character */
	TOKEN_WORD,
	TOKEN_STRING,
	TOKEN_OPEN,      /* { */
	TOKEN_CLOSE,     /* } */
	TOKEN_SEMICOLON, /* ; */
	TOKEN_BAD,       /* `text` says what is wrong; reading may go on behind it */
};

struct token {
	enum token_kind kind;
	char *text; /* WORD, STRING: escapes resolved; owned by the arena */
	int line;   /* where it begins */
};

struct lexer {
	struct arena *arena;
	struct bytes rest;
	int line; /* 1 at the beginning */
};

struct token lexer_next(struct lexer *lexer);
