#include "check/spf.h"
#include "base/assert.h"
#include <netinet/in.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Terms x (their own question, ten hosts, the names for %{p} and theirs), and one explanation. */
#define QUESTIONS_MAX 500

struct input {
	struct bytes all, rest;
	int questions;
};

/* Line by line the input is what the DNS says; used up, it begins again. */
static struct bytes next_line(struct input *input)
{
	if (!input->rest.at || input->rest.len == 0)
		input->rest = input->all;
	return bytes_split(&input->rest, '\n');
}

static void ask(void *arg, struct arena *arena, const char *name, enum ask_type type,
                struct asker_answer *answer)
{
	struct input *input = arg;
	struct bytes line = next_line(input);

	ASSERT(spf_domain_is_valid(bytes_of(name)));
	ASSERT(++input->questions <= QUESTIONS_MAX);
	*answer = (struct asker_answer){ .status = DNS_FOUND };
	if (line.len == 0 || line.at[0] == '!')
		answer->status = line.len < 2 ? DNS_NO_DOMAIN : DNS_SERVER_FAILURE;
	if (answer->status != DNS_FOUND)
		return;
	answer->count = type == ASK_TXT ? 1 : 1 + (uint8_t)line.at[0] % 12;
	answer->records = arena_alloc(arena, (size_t)answer->count * sizeof *answer->records);
	for (int i = 0; i < answer->count; i++)
		answer->records[i] = i == 0 ? line : next_line(input);
}

/* Whatever the DNS says, an evaluation ends within its limits, and an error has a reason. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes all = { (const char *)data, size };
	struct input input = { .all = bytes_from(all, 1) };
	struct asker asker = { ask, &input };
	struct spf_question question = { .domain = BYTES_LITERAL("example.com"),
		                         .sender = BYTES_LITERAL("a-b@example.com"),
		                         .helo = BYTES_LITERAL("mail.example.com") };
	struct spf_verdict verdict;
	struct arena *arena = arena_create(0);

	if (size > 0)
		address_parse(data[0] & 1 ? BYTES_LITERAL("2001:db8::1")
		                          : BYTES_LITERAL("192.0.2.1"),
		              0, &question.ip);
	if (size > 0 && (data[0] & 2))
		spf_survey(&asker, arena, &question, &verdict);
	else if (size > 0)
		spf_check(&asker, arena, &question, &verdict);
	if (size > 0 && !(data[0] & 2)) {
		bool is_error = verdict.result == SPF_TEMPERROR || verdict.result == SPF_PERMERROR;

		ASSERT(verdict.lookups <= SPF_LOOKUPS_MAX + 1);
		ASSERT(!is_error || verdict.text[0]);
	}
	arena_destroy(arena);
	return 0;
}
