#include "codes/classify.h"
#include "base/macros.h"
#include <stdlib.h>

/* One rule: 0 and NULL match anything. The first that matches wins. */
struct rule {
	int code, subject, detail; /* subject, detail: -1 anything */
	const char *words;         /* in the text, any case */
	const char *category;
	enum cause cause; /* when temporary */
	enum scope scope;
	const char *advice;
};

#define ANY -1

static const struct rule rules[] = {
	{ 0, ANY, ANY, "greylist", "Greylisted", CAUSE_GREYLISTED, SCOPE_RECIPIENT,
	  "The server asks unknown senders to come back; a plain retry is enough." },
	{ 0, ANY, ANY, "graylist", "Greylisted", CAUSE_GREYLISTED, SCOPE_RECIPIENT,
	  "The server asks unknown senders to come back; a plain retry is enough." },
	{ 0, ANY, ANY, "too many connections", "RateLimited", CAUSE_RATE_LIMITED, SCOPE_SITE,
	  "Use fewer connections to this site." },
	{ 0, ANY, ANY, "rate limit", "RateLimited", CAUSE_RATE_LIMITED, SCOPE_SITE,
	  "Send more slowly to this site." },
	{ 0, ANY, ANY, "throttl", "RateLimited", CAUSE_RATE_LIMITED, SCOPE_SITE,
	  "Send more slowly to this site." },
	{ 0, 7, 28, NULL, "RateLimited", CAUSE_RATE_LIMITED, SCOPE_SITE,
	  "Send more slowly to this site." },
	{ 0, ANY, ANY, "blocked using", "BadReputation", CAUSE_REPUTATION, SCOPE_SITE,
	  "Find out why the sending address is listed, then ask for its removal." },
	{ 0, ANY, ANY, "blacklist", "BadReputation", CAUSE_REPUTATION, SCOPE_SITE,
	  "Find out why the sending address is listed, then ask for its removal." },
	{ 0, ANY, ANY, "reputation", "BadReputation", CAUSE_REPUTATION, SCOPE_SITE,
	  "Send less, and only to people who want it, until the reputation recovers." },
	{ 0, 2, 2, NULL, "QuotaIssues", CAUSE_MAILBOX_FULL, SCOPE_RECIPIENT,
	  "The mailbox is full; only its owner can make room." },
	{ 0, ANY, ANY, "mailbox full", "QuotaIssues", CAUSE_MAILBOX_FULL, SCOPE_RECIPIENT,
	  "The mailbox is full; only its owner can make room." },
	{ 0, ANY, ANY, "over quota", "QuotaIssues", CAUSE_MAILBOX_FULL, SCOPE_RECIPIENT,
	  "The mailbox is full; only its owner can make room." },
	{ 421, ANY, ANY, NULL, "SystemError", CAUSE_HOST_BUSY, SCOPE_SITE,
	  "The server is busy or closing; it is tried again." },
	{ 0, 3, 2, NULL, "SystemError", CAUSE_HOST_BUSY, SCOPE_SITE,
	  "The server is busy or closing; it is tried again." },
	{ 0, 1, 1, NULL, "InvalidRecipient", CAUSE_SOFT_OTHER, SCOPE_RECIPIENT,
	  "Check the address." },
	{ 0, 2, 1, NULL, "InactiveMailbox", CAUSE_MAILBOX_BUSY, SCOPE_RECIPIENT,
	  "The mailbox is disabled or busy." },
	{ 0, 4, 6, NULL, "RoutingErrors", CAUSE_SOFT_OTHER, SCOPE_MESSAGE,
	  "There is a mail loop." },
	{ 0, 5, 3, NULL, "RateLimited", CAUSE_SOFT_OTHER, SCOPE_RECIPIENT,
	  "The rest of the recipients follow in another transaction." },
	{ 0, 3, 4, NULL, "MessageTooLarge", CAUSE_SOFT_OTHER, SCOPE_MESSAGE,
	  "Make the message smaller." },
	{ 0, 6, ANY, NULL, "ContentRejected", CAUSE_POLICY, SCOPE_MESSAGE, "Change the message." },
	{ 0, 7, ANY, NULL, "PolicyRelated", CAUSE_POLICY, SCOPE_RECIPIENT,
	  "Ask the recipient's postmaster which rule it was." },
	{ 450, ANY, ANY, NULL, "Unknown", CAUSE_MAILBOX_BUSY, SCOPE_RECIPIENT,
	  "It is tried again." },
	{ 452, ANY, ANY, NULL, "SystemError", CAUSE_SOFT_OTHER, SCOPE_RECIPIENT,
	  "It is tried again." },
	{ 0, ANY, ANY, NULL, "Unknown", CAUSE_SOFT_OTHER, SCOPE_RECIPIENT, "" },
};

static bool rule_matches(const struct rule *rule, int code, const int enhanced[2],
                         struct bytes text)
{
	if (rule->code != 0 && rule->code != code)
		return false;
	if (rule->subject != ANY && rule->subject != enhanced[0])
		return false;
	if (rule->detail != ANY && rule->detail != enhanced[1])
		return false;
	return !rule->words || bytes_find_nocase(text, bytes_of(rule->words)) >= 0;
}

#define HINT_MAX_S 86400 /* a server that asks for more than a day is not obeyed */

/* "300 seconds", "5 minutes", "1 hour", "10 min", "300s", "00:05:00" is none. */
static int read_duration(struct bytes in)
{
	static const struct {
		const char *unit;
		int seconds;
	} units[] = { { "s", 1 }, { "m", 60 }, { "h", 3600 } };
	size_t digits = 0;
	uint64_t value;

	while (digits < in.len && in.at[digits] >= '0' && in.at[digits] <= '9')
		digits++;
	if (!bytes_parse_u64(bytes_first(in, digits), &value) || value > HINT_MAX_S)
		return 0;
	in = bytes_trim(bytes_from(in, digits));
	for (size_t i = 0; i < COUNT(units); i++) {
		if (!bytes_starts_with_nocase(in, bytes_of(units[i].unit)))
			continue;
		value *= (uint64_t)units[i].seconds;
		return value <= HINT_MAX_S ? (int)value : 0;
	}
	return 0;
}

/* "try again in 300 seconds", "retry after 5 minutes", "Please wait 10 min". */
static int read_hint(struct bytes text)
{
	static const char *const leads[] = { "again in ",    "retry in ", "again after ",
		                             "retry after ", "wait ",     "come back in ",
		                             "for ",         "in " };

	for (size_t i = 0; i < COUNT(leads); i++) {
		struct bytes rest = text, lead = bytes_of(leads[i]);
		ptrdiff_t at;

		while ((at = bytes_find_nocase(rest, lead)) >= 0) {
			int seconds;

			rest = bytes_from(rest, (size_t)at + lead.len);
			seconds = read_duration(rest);
			if (seconds > 0)
				return seconds;
		}
	}
	return 0;
}

void classify_reply(int code, int class, int subject, int detail, struct bytes text,
                    enum phase phase, struct classification *classification_out)
{
	const int enhanced[2] = { class ? subject : ANY - 1, class ? detail : ANY - 1 };
	bool is_temporary = code / 100 == 4;
	const struct rule *rule = rules;

	while (!rule_matches(rule, code, enhanced, text))
		rule++; /* the last one matches */
	*classification_out = (struct classification){
		.category = rule->category,
		.cause = is_temporary ? rule->cause : CAUSE_NONE,
		.scope = rule->scope,
		.is_temporary = is_temporary,
		.hint_s = is_temporary ? read_hint(text) : 0,
		.provider = "",
		.advice = rule->advice,
	};
	/* Before MAIL nothing was said about a message. */
	if (phase > PHASE_NONE && phase < PHASE_MAIL)
		classification_out->scope = SCOPE_SITE;
}
