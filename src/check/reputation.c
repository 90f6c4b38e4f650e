#include "check/reputation.h"
#include "check/asker_dns.h"
#include "check/gather.h"
#include "deliver/sign.h"
#include "runtime/fiber.h"
#include "runtime/loop.h"
#include "smtp/address.h"

/* A domain with eight addresses takes about 400. */
#define QUESTIONS_MAX 1000
#define OPEN_MAX      48

#define DOMAIN_LEN_MAX 200 /* leaves room for what is put in front of it */

bool reputation_domain(struct bytes text, struct buffer *out)
{
	bool is_literal;

	return mailbox_domain_parse(text, true, &is_literal) && !is_literal &&
	       domain_to_ascii(text, out) && out->len <= DOMAIN_LEN_MAX &&
	       spf_domain_is_valid(buffer_bytes(out));
}

int reputation_add_keys(const struct config *config, struct reputation_subject *subject,
                        struct err *err)
{
	bool are_given = subject->selector_count > 0;
	int result = 0;

	for (int i = 0; i < config->dkim_count; i++) {
		struct bytes selector;
		int at = 0;

		if (!own_key_is_for(config->dkim[i].name, subject->domain, &selector))
			continue;
		while (at < subject->selector_count &&
		       !bytes_equal_nocase(subject->selectors[at], selector))
			at++;
		if (at == REPUTATION_SELECTORS_MAX || (are_given && at == subject->selector_count))
			continue;
		if (at == subject->selector_count)
			subject->selectors[subject->selector_count++] = selector;
		if (!subject->keys[at] &&
		    signers_read_key(config->dkim[i].key, &subject->keys[at], err) < 0)
			result = err->code;
	}
	return result;
}

void reputation_drop_keys(struct reputation_subject *subject)
{
	for (int i = 0; i < REPUTATION_SELECTORS_MAX; i++)
		dkim_key_destroy(subject->keys[i]);
}

struct find {
	struct asker_dns *dns;
	struct arena *arena;
	const struct reputation_subject *subject;
	struct reputation *facts;
};

static void run(void *arg)
{
	struct find *find = arg;
	struct asker asker = asker_dns_asker(find->dns);

	asker_dns_watch(find->dns);
	gather_run(&asker, find->arena, find->subject, find->facts);
	asker_dns_unwatch(find->dns);
	loop_stop(loop_current());
}

int reputation_find(const struct config *config, const struct reputation_subject *subject,
                    struct arena *arena, struct reputation **reputation_out, struct err *err)
{
	struct asker_dns_limits limits = { QUESTIONS_MAX, OPEN_MAX, subject->deadline_us };
	struct find find = { .arena = arena, .subject = subject };
	struct loop *loop;

	if (loop_create(&loop, err) < 0)
		return err->code;
	if (asker_dns_open(config, &limits, &find.dns, err) < 0) {
		loop_destroy(loop);
		return err->code;
	}
	find.facts = arena_alloc(arena, sizeof *find.facts);
	fiber_spawn(run, &find, "reputation");
	loop_run(loop);
	find.facts->question_count = asker_dns_question_count(find.dns);
	find.facts->is_cut = asker_dns_is_exhausted(find.dns);
	asker_dns_close(find.dns);
	loop_destroy(loop);
	*reputation_out = find.facts;
	return 0;
}
