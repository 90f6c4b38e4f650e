#include "base/buffer.h"
#include "lab/script.h"
#include "support/check.h"
#include <string.h>

/* "a b;c{d;};" : what was read, in one canonical form. */
static void put(struct buffer *out, const struct statement *statement)
{
	for (; statement; statement = statement->next) {
		for (int i = 0; i < statement->word_count; i++)
			buffer_printf(out, "%s%s", i ? "|" : "", statement->words[i]);
		if (statement->has_block) {
			buffer_append_char(out, '{');
			put(out, statement->block);
			buffer_append_char(out, '}');
		} else {
			buffer_append_char(out, ';');
		}
	}
}

static const struct {
	const char *name, *in, *want;
} rows[] = {
	{ "empty", "", "" },
	{ "only a comment", "# nothing", "" },
	{ "words", " a  b\tc ;\nd;", "a|b|c;d;" },
	{ "quoted", "a \"b c\" \"\";", "a|b c|;" },
	{ "escapes", "a \"\\\"\\\\x\\ny\";", "a|\"\\x\r\ny;" },
	{ "block", "a b { c; d { e; } }", "a|b{c;d{e;}}" },
	{ "empty block", "a { }", "a{}" },
	{ "comment inside", "a # ; {\n b;", "a|b;" },
	{ "word ends at a brace", "a{b;}", "a{b;}" },
	{ "no end", "a b", "! x:1: a statement does not end in \";\" or a block" },
	{ "line is counted", "a;\n\nb }", "! x:3: a statement does not end in \";\" or a block" },
	{ "open quote", "a \"b;", "! x:1: a \" has no end" },
	{ "escape at the end", "a \"b\\", "! x:1: a \" has no end" },
	{ "no words", ";", "! x:1: a statement has no words" },
	{ "open block", "a { b;", "! x:1: a block has no end" },
	{ "brace too many", "a; }", "! x:1: a \"}\" without a block" },
	{ "too deep", "a{b{c{d{e{f;}}}}}", "! x:1: blocks are nested too deep" },
};

static void test_script(void)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct arena *arena = arena_create(0);
		struct buffer got = { 0 };
		struct statement *first;
		struct err err;

		if (script_parse("x", bytes_of(rows[i].in), arena, &first, &err) < 0)
			buffer_printf(&got, "! %s", err.text);
		else
			put(&got, first);
		CHECK_BYTES(rows[i].name, buffer_bytes(&got), bytes_of(rows[i].want));
		buffer_deinit(&got);
		arena_destroy(arena);
	}
}

static void test_limits(void)
{
	struct arena *arena = arena_create(0);
	struct buffer text = { 0 };
	struct statement *first;
	struct err err;

	for (int i = 0; i < SCRIPT_WORDS_MAX; i++)
		buffer_append_text(&text, "w ");
	buffer_append_char(&text, ';');
	CHECK_INT("as many words as may be",
	          script_parse("x", buffer_bytes(&text), arena, &first, &err), 0);
	CHECK_INT("words", first->word_count, SCRIPT_WORDS_MAX);
	text.at[text.len - 1] = 'w';
	buffer_append_char(&text, ';');
	CHECK_INT("one too many", script_parse("x", buffer_bytes(&text), arena, &first, &err),
	          ERR_INVALID);
	CHECK_INT("NUL", script_parse("x", (struct bytes){ "a \0;", 4 }, arena, &first, &err),
	          ERR_INVALID);
	buffer_deinit(&text);
	arena_destroy(arena);
}

TEST_MAIN(test_script, test_limits)
