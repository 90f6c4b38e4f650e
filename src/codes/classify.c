#include "codes/classify.h"
#include "base/alloc.h"
#include "base/assert.h"
#include "codes/hint.h"
#include "codes/rules.h"
#include "codes/scan.h"
#include "codes/simplify.h"
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

static _Atomic(struct rules *) current;
static struct rules *previous; /* somebody may still be reading it */
static bool has_file;          /* the current ones are not only the built-in ones */
static pthread_once_t built_in_once = PTHREAD_ONCE_INIT;

static void *load(void *arg)
{
	struct rules *rules, *none = NULL;
	struct err err = { 0 };

	if (rules_load(NULL, &rules, &err) < 0)
		BUG("%s", err.text); /* the build and a test read the same text */
	if (!atomic_compare_exchange_strong(&current, &none, rules))
		rules_destroy(rules);
	return arg;
}

/* The first reply may be met by a fiber, whose stack is too small should patterns have to be
 * compiled. */
static void load_built_in(void)
{
	pthread_t thread;

	ASSERT(pthread_create(&thread, NULL, load, NULL) == 0);
	pthread_join(thread, NULL);
}

static const struct rules *rules_in_use(void)
{
	const struct rules *rules = atomic_load_explicit(&current, memory_order_acquire);

	if (rules)
		return rules;
	pthread_once(&built_in_once, load_built_in);
	return atomic_load(&current);
}

static const char *find_provider(const struct rules *rules, const uint8_t *seen)
{
	for (int i = 0; i < rules->provider_count; i++)
		if (seen[rules->providers[i].slot])
			return rules->providers[i].name;
	return "";
}

static bool is_code_of(const struct rule *rule, int code)
{
	for (int i = 0; i < rule->code_count; i++)
		if (rule->codes[i] == code || rule->codes[i] == code / 100)
			return true;
	return rule->code_count == 0;
}

static bool is_status_of(const struct rule *rule, const int status[3])
{
	for (int i = 0; i < rule->status_count; i++) {
		const int *wanted = rule->statuses[i];
		int fits = 0;

		for (int part = 0; part < 3; part++)
			fits += status[0] != 0 &&
			        (wanted[part] == ANY_NUMBER || wanted[part] == status[part]);
		if (fits == 3)
			return true;
	}
	return rule->status_count == 0;
}

/* The first rule that fits; the last one fits everything. */
static const struct rule *find_rule(const struct rules *rules, const uint8_t *seen,
                                    const char *provider, int code, const int status[3])
{
	for (int i = 0; i < rules->rule_count; i++) {
		const struct rule *rule = &rules->rules[i];

		if ((seen[rule->slot] & (rule->wanted | SEEN_UNLESS)) != rule->wanted)
			continue;
		if (rule->provider && rule->provider != provider)
			continue;
		if (is_code_of(rule, code) && is_status_of(rule, status))
			return rule;
	}
	BUG("no rule fits");
}

/* The digit rules (standards 3.13); without one the enhanced code's class, then the meaning. */
static bool is_temporary(const struct rule *rule, int code, const int status[3])
{
	if (rule->is_always_temporary)
		return true;
	if (code > 0)
		return code / 100 == 4;
	if (status[0] > 0)
		return status[0] == 4;
	return rule->verdict.is_temporary;
}

/* What a decision depends on: the codes and the words. */
struct question {
	int code, status[3];
	struct bytes words;
};

/* `text` holds the words, SIMPLIFIED_MAX bytes. */
static struct question ask(const struct reply_codes *codes, struct bytes reply, char *text)
{
	struct question question = { .code = codes->code,
		                     .status = { codes->class, codes->subject, codes->detail } };

	question.words = (struct bytes){ text, simplify_reply(reply, codes->code, text) };
	/* For its meaning a status counts wherever it stands; "(#5.1.1)" ends many replies. */
	if (codes->class == 0 &&
	    !simplify_find_status(bytes_first(reply, SIMPLIFIED_MAX), question.status))
		memset(question.status, 0, sizeof question.status);
	return question;
}

static void answer(const struct rules *rules, const struct question *question,
                   struct classification *classification_out)
{
	uint8_t seen[RULES_MAX] = { 0 };
	const struct rule *rule;
	const char *provider;
	bool may_retry;

	scan_text(rules->database, question->words, seen);
	provider = find_provider(rules, seen);
	rule = find_rule(rules, seen, provider, question->code, question->status);
	may_retry = is_temporary(rule, question->code, question->status);
	*classification_out = (struct classification){
		.category = rule->verdict.name,
		.cause = may_retry ? rule->verdict.cause : CAUSE_NONE,
		.scope = rule->verdict.scope,
		.is_about_sender = rule->verdict.is_about_sender,
		.is_temporary = may_retry,
		.hint_s = may_retry ? hint_read(question->words) : 0,
		.provider = provider,
		.advice = rule->verdict.advice,
		.rule = rule->name,
	};
}

static void classify_with(const struct rules *rules, const struct reply_codes *codes,
                          struct bytes text, struct classification *classification_out)
{
	char words[SIMPLIFIED_MAX];
	struct question question = ask(codes, text, words);

	answer(rules, &question, classification_out);
}

void classify_reply(int code, int class, int subject, int detail, struct bytes text,
                    enum phase phase, struct classification *classification_out)
{
	struct reply_codes codes = { code, class, subject, detail };

	classify_with(rules_in_use(), &codes, text, classification_out);
	/* Before MAIL nothing was said about a message. */
	if (phase > PHASE_NONE && phase < PHASE_MAIL) {
		classification_out->scope = SCOPE_SITE;
		classification_out->is_about_sender = false;
	}
}

static bool is_digit_at(struct bytes in, size_t at)
{
	return at < in.len && in.at[at] >= '0' && in.at[at] <= '9';
}

/* A basic code at `at`: three digits, the first 2, 4 or 5, then a blank, '-' or the end. */
static int code_at(struct bytes in, size_t at)
{
	if (!is_digit_at(in, at) || !is_digit_at(in, at + 1) || !is_digit_at(in, at + 2))
		return 0;
	if (!strchr("245", in.at[at]) || in.at[at + 1] > '5')
		return 0;
	if (at + 3 < in.len && !strchr(" -:#\t", in.at[at + 3]))
		return 0;
	return (in.at[at] - '0') * 100 + (in.at[at + 1] - '0') * 10 + in.at[at + 2] - '0';
}

/* Behind what a log or a notice writes before a reply. */
static size_t find_reply(struct bytes line)
{
	static const char *const leads[] = { "said: ", "responded with: ", "smtp; ",
		                             "smtp;",  "RCPT TO:<",        "code " };

	for (size_t i = 0; i < sizeof leads / sizeof *leads; i++) {
		struct bytes lead = bytes_of(leads[i]);
		ptrdiff_t at = bytes_find_nocase(line, lead);

		if (at >= 0 && code_at(line, (size_t)at + lead.len))
			return (size_t)at + lead.len;
	}
	return 0;
}

static void read_codes(struct bytes *line, struct reply_codes *codes_out)
{
	int status[3] = { 0 };
	struct bytes front;

	*line = bytes_trim(*line);
	*codes_out = (struct reply_codes){ .code = code_at(*line, 0) };
	if (!codes_out->code) {
		*line = bytes_from(*line, find_reply(*line));
		codes_out->code = code_at(*line, 0);
	}
	/* Said is what stands where RFC 2034 puts it. */
	front = bytes_first(bytes_trim(bytes_from(*line, codes_out->code ? 4 : 0)), 12);
	front = bytes_first(front, (size_t)(bytes_find_char(front, ' ') < 0
	                                            ? (ptrdiff_t)front.len
	                                            : bytes_find_char(front, ' ')));
	if (simplify_find_status(front, status)) {
		codes_out->class = status[0];
		codes_out->subject = status[1];
		codes_out->detail = status[2];
	}
}

#define MEMORY_SLOTS     4096
#define MEMORY_BYTES_MAX 384 /* of words; longer replies are asked anew */

struct classify_memory {
	struct known {
		uint64_t hash;
		struct question question; /* its words are in `words` */
		struct classification answer;
		char words[MEMORY_BYTES_MAX];
	} slots[MEMORY_SLOTS];
};

struct classify_memory *classify_memory_create(void)
{
	return alloc_zeroed(sizeof(struct classify_memory));
}

void classify_memory_destroy(struct classify_memory *memory)
{
	alloc_free(memory);
}

static bool is_known(const struct known *known, const struct question *question, uint64_t hash)
{
	return known->hash == hash && known->question.code == question->code &&
	       memcmp(known->question.status, question->status, sizeof question->status) == 0 &&
	       bytes_equal(known->question.words, question->words);
}

void classify_line(struct bytes line, struct classify_memory *memory, struct reply_codes *codes_out,
                   struct classification *classification_out)
{
	char words[SIMPLIFIED_MAX];
	struct question question;
	struct known *known;
	uint64_t hash;

	read_codes(&line, codes_out);
	question = ask(codes_out, line, words);
	if (!memory || question.words.len > MEMORY_BYTES_MAX) {
		answer(rules_in_use(), &question, classification_out);
		return;
	}
	hash = bytes_hash(question.words, (uint64_t)question.code);
	known = &memory->slots[hash % MEMORY_SLOTS];
	if (!is_known(known, &question, hash)) {
		answer(rules_in_use(), &question, &known->answer);
		known->hash = hash;
		known->question = question;
		known->question.words.at = memcpy(known->words, words, question.words.len);
	}
	*classification_out = known->answer;
}

static int check_examples(const struct rules *rules, struct err *err)
{
	for (int i = 0; i < rules->example_count; i++) {
		const struct example *example = &rules->examples[i];
		struct classification got;
		struct bytes line = example->reply;
		struct reply_codes codes;

		read_codes(&line, &codes);
		classify_with(rules, &codes, line, &got);
		if (strcmp(got.rule, example->rule) != 0)
			return err_set(err, ERR_INVALID,
			               "%s:%d: the example of rule %s is decided by rule %s",
			               example->file, example->line, example->rule, got.rule);
	}
	return 0;
}

int classify_check_examples(struct err *err)
{
	return check_examples(rules_in_use(), err);
}

int classify_use_rules(const char *path, struct err *err)
{
	struct rules *rules;
	int result;

	if (!path && !has_file)
		return 0;
	result = rules_load(path, &rules, err);
	if (result == 0 && path)
		result = check_examples(rules, err);
	if (result < 0)
		goto fail;
	rules_destroy(previous);
	previous = atomic_exchange(&current, rules);
	has_file = path != NULL;
	return 0;
fail:
	rules_destroy(rules);
	return result;
}
