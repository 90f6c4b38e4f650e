#include "codes/rules.h"
#include "base/alloc.h"
#include "base/arena.h"
#include "base/buffer.h"
#include "base/macros.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_BYTES_MAX (1 << 20)
#define DEFINES_MAX    100

extern const char rules_text[]; /* replies.rules, made by tools/embed.py */

/* Its patterns, made by compile_rules.c; empty in the program that makes them. */
extern const char rules_database[], rules_database_end[];

struct define {
	struct bytes name;
	struct bytes text;
};

/* What the lines say more about. */
enum block { BLOCK_NONE, BLOCK_CATEGORY, BLOCK_PROVIDER, BLOCK_RULE };

struct reading {
	const char *file;
	int line;
	enum block block;
	struct rules *rules;
	int define_count;
	struct define defines[DEFINES_MAX];
	struct err *err;
};

static int complain(struct reading *reading, const char *what, struct bytes about)
{
	return err_set(reading->err, ERR_INVALID, "%s:%d: %s \"%.*s\"", reading->file,
	               reading->line, what, (int)MIN(about.len, 80), about.at ? about.at : "");
}

static const char *keep(struct reading *reading, struct bytes text)
{
	return arena_copy(reading->rules->arena, text).at;
}

static struct rule *last_rule(struct reading *reading)
{
	return &reading->rules->rules[reading->rules->rule_count - 1];
}

static struct category *last_category(struct reading *reading)
{
	return &reading->rules->categories[reading->rules->category_count - 1];
}

/* What a line like "scope" or "advice" changes: the rule's own verdict, or its category's. */
static struct category *verdict_here(struct reading *reading)
{
	return reading->block == BLOCK_RULE ? &last_rule(reading)->verdict : last_category(reading);
}

static const struct define *find_define(const struct reading *reading, struct bytes name)
{
	for (int i = 0; i < reading->define_count; i++)
		if (bytes_equal(reading->defines[i].name, name))
			return &reading->defines[i];
	return NULL;
}

/* Puts what was defined in the place of "{name}"; "{0,40}" is left to the pattern. */
static int expand(struct reading *reading, struct bytes in, struct buffer *out)
{
	while (in.len > 0) {
		ptrdiff_t end = bytes_find_char(in, '}');
		const struct define *define;
		struct bytes name;

		if (in.at[0] != '{' || in.len < 2 || end < 0 || char_lower(in.at[1]) < 'a' ||
		    char_lower(in.at[1]) > 'z') {
			buffer_append_char(out, in.at[0]);
			in = bytes_from(in, 1);
			continue;
		}
		name = bytes_first(bytes_from(in, 1), (size_t)end - 1);
		define = find_define(reading, name);
		if (!define)
			return complain(reading, "nothing is defined as", name);
		buffer_append(out, define->text);
		in = bytes_from(in, (size_t)end + 1);
	}
	return 0;
}

/* The expansion, kept; NULL after a complaint. */
static const char *expand_and_keep(struct reading *reading, struct bytes in, struct bytes *kept_out)
{
	struct buffer text = { 0 };
	const char *kept = NULL;

	if (expand(reading, in, &text) == 0) {
		*kept_out = arena_copy(reading->rules->arena, buffer_bytes(&text));
		kept = kept_out->at;
	}
	buffer_deinit(&text);
	return kept;
}

static int read_define(struct reading *reading, struct bytes rest)
{
	struct define *define = &reading->defines[reading->define_count];
	struct bytes name = bytes_split(&rest, ' ');

	if (reading->define_count == DEFINES_MAX)
		return complain(reading, "too many definitions at", name);
	define->name = arena_copy(reading->rules->arena, name);
	if (!expand_and_keep(reading, bytes_trim(rest), &define->text))
		return ERR_INVALID;
	reading->define_count++;
	return 0;
}

static int read_category(struct reading *reading, struct bytes rest)
{
	struct rules *rules = reading->rules;

	rules->categories = alloc_resize(rules->categories, (size_t)rules->category_count + 1,
	                                 sizeof *rules->categories);
	rules->categories[rules->category_count++] = (struct category){ .name = keep(reading, rest),
		                                                        .advice = "" };
	reading->block = BLOCK_CATEGORY;
	return 0;
}

static int take_slot(struct reading *reading, struct bytes about)
{
	if (reading->rules->slot_count == RULES_MAX)
		return complain(reading, "too many rules at", about);
	return reading->rules->slot_count++;
}

static int read_provider(struct reading *reading, struct bytes rest)
{
	struct rules *rules = reading->rules;
	int slot = take_slot(reading, rest);

	if (slot < 0)
		return slot;
	rules->providers = alloc_resize(rules->providers, (size_t)rules->provider_count + 1,
	                                sizeof *rules->providers);
	rules->providers[rules->provider_count++] = (struct provider){ .name = keep(reading, rest),
		                                                       .slot = slot };
	reading->block = BLOCK_PROVIDER;
	return 0;
}

/* "rule mailbox-full QuotaIssues" */
static int read_rule(struct reading *reading, struct bytes rest)
{
	struct bytes name = bytes_split(&rest, ' '), category = bytes_trim(rest);
	struct rules *rules = reading->rules;
	int slot = take_slot(reading, name);

	if (slot < 0)
		return slot;
	for (int i = 0; i < rules->category_count; i++) {
		if (!bytes_equal(bytes_of(rules->categories[i].name), category))
			continue;
		rules->rules = alloc_resize(rules->rules, (size_t)rules->rule_count + 1,
		                            sizeof *rules->rules);
		rules->rules[rules->rule_count++] = (struct rule){
			.name = keep(reading, name), .slot = slot, .verdict = rules->categories[i]
		};
		reading->block = BLOCK_RULE;
		return 0;
	}
	return complain(reading, "there is no category", category);
}

static int read_from(struct reading *reading, struct bytes rest)
{
	struct rules *rules = reading->rules;

	for (int i = 0; i < rules->provider_count; i++) {
		if (bytes_equal(bytes_of(rules->providers[i].name), rest)) {
			last_rule(reading)->provider = rules->providers[i].name;
			return 0;
		}
	}
	return complain(reading, "there is no provider", rest);
}

static int add_pattern(struct reading *reading, struct bytes text, struct scan_pattern pattern)
{
	struct rules *rules = reading->rules;
	struct bytes kept;

	pattern.file = reading->file;
	pattern.line = reading->line;
	pattern.expression = expand_and_keep(reading, bytes_trim(text), &kept);
	if (!pattern.expression)
		return ERR_INVALID;
	rules->patterns = alloc_resize(rules->patterns, (size_t)rules->pattern_count + 1,
	                               sizeof *rules->patterns);
	rules->patterns[rules->pattern_count++] = pattern;
	return 0;
}

/* A pattern, or two that have to be near each other: "quota ... exceeded". */
static int add_patterns(struct reading *reading, struct bytes rest, uint8_t bit)
{
	const struct bytes dots = BYTES_LITERAL(" ... ");
	struct rules *rules = reading->rules;
	struct scan_pattern pattern = { .bit = bit, .pair = rules->pair_count };
	ptrdiff_t at = bytes_find(rest, dots);

	if (reading->block == BLOCK_PROVIDER)
		pattern.slot = rules->providers[rules->provider_count - 1].slot;
	else
		pattern.slot = last_rule(reading)->slot;
	if (reading->block == BLOCK_RULE)
		last_rule(reading)->wanted |= bit & (SEEN_MATCH | SEEN_AND);
	if (at < 0) {
		pattern.pair = 0;
		return add_pattern(reading, rest, pattern);
	}
	if (++rules->pair_count > SCAN_PAIRS_MAX)
		return complain(reading, "one pair too many:", rest);
	pattern.side = 1;
	if (add_pattern(reading, bytes_first(rest, (size_t)at), pattern) < 0)
		return ERR_INVALID;
	pattern.side = 2;
	return add_pattern(reading, bytes_from(rest, (size_t)at + dots.len), pattern);
}

static int read_match(struct reading *reading, struct bytes rest)
{
	return add_patterns(reading, rest, SEEN_MATCH);
}

static int read_and(struct reading *reading, struct bytes rest)
{
	return add_patterns(reading, rest, SEEN_AND);
}

static int read_unless(struct reading *reading, struct bytes rest)
{
	return add_patterns(reading, rest, SEEN_UNLESS);
}

/* "552 5yz": several are alternatives. */
static int read_code(struct reading *reading, struct bytes rest)
{
	struct rule *rule = last_rule(reading);

	while (rest.len > 0) {
		struct bytes word = bytes_split(&rest, ' ');
		uint64_t code;

		if (bytes_ends_with_nocase(word, BYTES_LITERAL("yz")))
			word.len -= 2;
		if (rule->code_count == RULE_CODES || !bytes_parse_u64(word, &code) || code > 599)
			return complain(reading, "not a code, or one too many:", word);
		rule->codes[rule->code_count++] = (int)code;
	}
	return 0;
}

/* "5.7.x x.1.1" */
static int read_status(struct reading *reading, struct bytes rest)
{
	struct rule *rule = last_rule(reading);

	while (rest.len > 0) {
		struct bytes word = bytes_split(&rest, ' '), all = word;

		if (rule->status_count == RULE_STATUSES)
			return complain(reading, "one status too many:", all);
		for (int part = 0; part < 3; part++) {
			struct bytes number = bytes_split(&word, '.');
			uint64_t value = 0;

			if (!bytes_equal(number, BYTES_LITERAL("x")) &&
			    (!bytes_parse_u64(number, &value) || value > 999))
				return complain(reading, "not a status:", all);
			rule->statuses[rule->status_count][part] = number.at[0] == 'x' ? ANY_NUMBER
			                                                               : (int)value;
		}
		rule->status_count++;
	}
	return 0;
}

static int read_cause(struct reading *reading, struct bytes rest)
{
	if (!cause_parse(rest, &verdict_here(reading)->cause))
		return complain(reading, "there is no cause", rest);
	return 0;
}

static int read_scope(struct reading *reading, struct bytes rest)
{
	static const char *const names[] = { "recipient", "message", "site", "sender" };
	struct category *verdict = verdict_here(reading);

	for (int i = 0; i < (int)COUNT(names); i++) {
		if (!bytes_equal(rest, bytes_of(names[i])))
			continue;
		verdict->is_about_sender = i == 3;
		verdict->scope = verdict->is_about_sender ? SCOPE_MESSAGE : (enum scope)i;
		return 0;
	}
	return complain(reading, "there is no scope", rest);
}

/* Of a category: what to think of a reply without a code. Of a rule: whatever the code says. */
static int read_temporary(struct reading *reading, struct bytes rest)
{
	if (!bytes_equal(rest, BYTES_LITERAL("yes")))
		return complain(reading, "only \"yes\" may be said, not", rest);
	if (reading->block == BLOCK_RULE)
		last_rule(reading)->is_always_temporary = true;
	verdict_here(reading)->is_temporary = true;
	return 0;
}

static int read_advice(struct reading *reading, struct bytes rest)
{
	/* It is printed within a JSON string as it is. */
	for (size_t i = 0; i < rest.len; i++)
		if (rest.at[i] == '"' || rest.at[i] == '\\' || (unsigned char)rest.at[i] < ' ')
			return complain(reading, "quotes and backslashes may not stand in", rest);
	verdict_here(reading)->advice = keep(reading, rest);
	return 0;
}

static int read_example(struct reading *reading, struct bytes rest)
{
	struct rules *rules = reading->rules;

	rules->examples = alloc_resize(rules->examples, (size_t)rules->example_count + 1,
	                               sizeof *rules->examples);
	rules->examples[rules->example_count++] = (struct example){
		.rule = last_rule(reading)->name,
		.file = reading->file,
		.line = reading->line,
		.reply = arena_copy(rules->arena, rest)
	};
	return 0;
}

#define IN(block) (1 << (block))
#define ANYWHERE  (IN(BLOCK_NONE) | IN(BLOCK_CATEGORY) | IN(BLOCK_PROVIDER) | IN(BLOCK_RULE))
#define VERDICT   (IN(BLOCK_CATEGORY) | IN(BLOCK_RULE))

static const struct {
	const char *word;
	int blocks; /* where it may stand */
	int (*read)(struct reading *reading, struct bytes rest);
} keywords[] = {
	{ "define", ANYWHERE, read_define },
	{ "category", ANYWHERE, read_category },
	{ "provider", ANYWHERE, read_provider },
	{ "rule", ANYWHERE, read_rule },
	{ "match", IN(BLOCK_PROVIDER) | IN(BLOCK_RULE), read_match },
	{ "and", IN(BLOCK_RULE), read_and },
	{ "unless", IN(BLOCK_RULE), read_unless },
	{ "from", IN(BLOCK_RULE), read_from },
	{ "code", IN(BLOCK_RULE), read_code },
	{ "status", IN(BLOCK_RULE), read_status },
	{ "example", IN(BLOCK_RULE), read_example },
	{ "cause", VERDICT, read_cause },
	{ "scope", VERDICT, read_scope },
	{ "temporary", VERDICT, read_temporary },
	{ "advice", VERDICT, read_advice },
};

static int read_line(struct reading *reading, struct bytes line)
{
	struct bytes rest = bytes_trim(line), word;

	if (rest.len == 0 || rest.at[0] == '#')
		return 0;
	word = bytes_split(&rest, ' ');
	rest = bytes_trim(rest);
	for (size_t i = 0; i < COUNT(keywords); i++) {
		if (!bytes_equal(word, bytes_of(keywords[i].word)))
			continue;
		if (!(keywords[i].blocks & IN(reading->block)))
			return complain(reading, "here nothing is said by", word);
		if (rest.len == 0)
			return complain(reading, "something is missing behind", word);
		return keywords[i].read(reading, rest);
	}
	return complain(reading, "nothing begins with", word);
}

static int read_text(struct reading *reading, const char *file, struct bytes text)
{
	int result = 0;

	reading->file = keep(reading, bytes_of(file));
	reading->line = 0;
	reading->block = BLOCK_NONE;
	while (text.len > 0 && result == 0) {
		struct bytes line = bytes_split(&text, '\n');

		reading->line++;
		result = read_line(reading, line);
	}
	return result < 0 ? result : 0;
}

static int read_file(struct reading *reading, const char *path)
{
	FILE *file = fopen(path, "re");
	struct buffer text = { 0 };
	size_t got;
	int result;

	if (!file)
		return err_system(reading->err, "open %s", path);
	do {
		got = fread(buffer_reserve(&text, 4096), 1, 4096, file);
		text.len += got;
	} while (got > 0 && text.len <= FILE_BYTES_MAX);
	if (ferror(file))
		result = err_system(reading->err, "read %s", path);
	else if (text.len > FILE_BYTES_MAX)
		result = err_set(reading->err, ERR_TOO_LONG, "%s is larger than 1 MiB", path);
	else
		result = read_text(reading, path, buffer_bytes(&text));
	fclose(file);
	buffer_deinit(&text);
	return result;
}

/* The `count` rules that came last go to the front: they are asked first. */
static void move_to_front(struct rules *rules, int count)
{
	size_t before = (size_t)(rules->rule_count - count);
	struct rule *ordered = alloc_resize(NULL, (size_t)rules->rule_count, sizeof *ordered);

	memcpy(ordered, rules->rules + before, (size_t)count * sizeof *ordered);
	memcpy(ordered + count, rules->rules, before * sizeof *ordered);
	alloc_free(rules->rules);
	rules->rules = ordered;
}

int rules_read(const char *path, struct rules **rules_out, struct err *err)
{
	struct rules *rules = alloc_zeroed(sizeof *rules);
	struct reading reading = { .rules = rules, .err = err };
	int result, built_in_count;

	*rules_out = NULL;
	rules->arena = arena_create(0);
	result = read_text(&reading, "replies.rules", bytes_of(rules_text));
	built_in_count = rules->rule_count;
	if (result == 0 && path)
		result = read_file(&reading, path);
	if (result < 0) {
		rules_destroy(rules);
		return result;
	}
	move_to_front(rules, rules->rule_count - built_in_count);
	*rules_out = rules;
	return 0;
}

int rules_load(const char *path, struct rules **rules_out, struct err *err)
{
	struct bytes ready = { rules_database, (size_t)(rules_database_end - rules_database) };
	struct rules *rules;
	int result = rules_read(path, &rules, err);

	*rules_out = NULL;
	if (result < 0)
		return result;
	/* Another version of the library than at build time: compiled here. */
	if (path || scan_restore(ready, &rules->database) < 0)
		result = scan_compile(rules->patterns, rules->pattern_count, &rules->database, err);
	if (result < 0)
		rules_destroy(rules);
	else
		*rules_out = rules;
	return result;
}

void rules_destroy(struct rules *rules)
{
	if (!rules)
		return;
	if (rules->database)
		scan_destroy(rules->database);
	alloc_free(rules->categories);
	alloc_free(rules->providers);
	alloc_free(rules->rules);
	alloc_free(rules->examples);
	alloc_free(rules->patterns);
	arena_destroy(rules->arena);
	alloc_free(rules);
}
