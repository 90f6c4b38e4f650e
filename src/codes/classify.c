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

/* What to do, in a sentence. */
static const char come_back[] =
	"The server asks unknown senders to come back; a plain retry is enough.";
static const char slow_down[] = "Send more slowly, over fewer connections, to this site.";
static const char delist[] =
	"Find out why the sending address is listed, then ask for its removal.";
static const char authenticate[] = "Mend SPF, DKIM, DMARC or the reverse DNS of the sender.";
static const char make_room[] = "The mailbox is full; only its owner can make room.";
static const char content[] = "Change the message: its content was refused.";
static const char smaller[] = "Make the message smaller.";
static const char relay[] = "Check the route to this domain, and the credentials.";
static const char inactive[] = "The mailbox is disabled; ask its owner.";
static const char address[] = "Check the address.";
static const char sender[] = "Check the sender's address and its domain.";
static const char tls[] = "Check the TLS settings for this site.";

static const struct rule rules[] = {
	{ 0, ANY, ANY, "greylist", "Greylisted", CAUSE_GREYLISTED, SCOPE_RECIPIENT, come_back },
	{ 0, ANY, ANY, "graylist", "Greylisted", CAUSE_GREYLISTED, SCOPE_RECIPIENT, come_back },
	{ 0, ANY, ANY, "grey-list", "Greylisted", CAUSE_GREYLISTED, SCOPE_RECIPIENT, come_back },
	{ 0, ANY, ANY, "postgrey", "Greylisted", CAUSE_GREYLISTED, SCOPE_RECIPIENT, come_back },
	{ 0, ANY, ANY, "temporarily deferred due to unknown sender", "Greylisted", CAUSE_GREYLISTED,
	  SCOPE_RECIPIENT, come_back },
	{ 0, ANY, ANY, "too many connections", "RateLimited", CAUSE_RATE_LIMITED, SCOPE_SITE,
	  slow_down },
	{ 0, ANY, ANY, "too many concurrent", "RateLimited", CAUSE_RATE_LIMITED, SCOPE_SITE,
	  slow_down },
	{ 0, ANY, ANY, "too many messages", "RateLimited", CAUSE_RATE_LIMITED, SCOPE_SITE,
	  slow_down },
	{ 0, ANY, ANY, "too many emails", "RateLimited", CAUSE_RATE_LIMITED, SCOPE_SITE,
	  slow_down },
	{ 0, ANY, ANY, "rate limit", "RateLimited", CAUSE_RATE_LIMITED, SCOPE_SITE, slow_down },
	{ 0, ANY, ANY, "rate-limit", "RateLimited", CAUSE_RATE_LIMITED, SCOPE_SITE, slow_down },
	{ 0, ANY, ANY, "ratelimit", "RateLimited", CAUSE_RATE_LIMITED, SCOPE_SITE, slow_down },
	{ 0, ANY, ANY, "throttl", "RateLimited", CAUSE_RATE_LIMITED, SCOPE_SITE, slow_down },
	{ 0, ANY, ANY, "slow down", "RateLimited", CAUSE_RATE_LIMITED, SCOPE_SITE, slow_down },
	{ 0, ANY, ANY, "too fast", "RateLimited", CAUSE_RATE_LIMITED, SCOPE_SITE, slow_down },
	{ 0, ANY, ANY, "unusual rate", "RateLimited", CAUSE_RATE_LIMITED, SCOPE_SITE, slow_down },
	{ 0, ANY, ANY, "receiving mail at a rate", "RateLimited", CAUSE_RATE_LIMITED, SCOPE_SITE,
	  slow_down },
	{ 0, ANY, ANY, "exceeded the maximum number of connections", "RateLimited",
	  CAUSE_RATE_LIMITED, SCOPE_SITE, slow_down },
	{ 0, ANY, ANY, "message limit", "RateLimited", CAUSE_RATE_LIMITED, SCOPE_SITE, slow_down },
	{ 0, ANY, ANY, "sending limit", "RateLimited", CAUSE_RATE_LIMITED, SCOPE_SITE, slow_down },
	{ 0, ANY, ANY, "try again later, closing connection (rate", "RateLimited",
	  CAUSE_RATE_LIMITED, SCOPE_SITE, slow_down },
	{ 0, ANY, ANY, "blocked using", "BadReputation", CAUSE_REPUTATION, SCOPE_SITE, delist },
	{ 0, ANY, ANY, "blacklist", "BadReputation", CAUSE_REPUTATION, SCOPE_SITE, delist },
	{ 0, ANY, ANY, "black list", "BadReputation", CAUSE_REPUTATION, SCOPE_SITE, delist },
	{ 0, ANY, ANY, "blocklist", "BadReputation", CAUSE_REPUTATION, SCOPE_SITE, delist },
	{ 0, ANY, ANY, "block list", "BadReputation", CAUSE_REPUTATION, SCOPE_SITE, delist },
	{ 0, ANY, ANY, "spamhaus", "BadReputation", CAUSE_REPUTATION, SCOPE_SITE, delist },
	{ 0, ANY, ANY, "spamcop", "BadReputation", CAUSE_REPUTATION, SCOPE_SITE, delist },
	{ 0, ANY, ANY, "barracudacentral", "BadReputation", CAUSE_REPUTATION, SCOPE_SITE, delist },
	{ 0, ANY, ANY, "dnsbl", "BadReputation", CAUSE_REPUTATION, SCOPE_SITE, delist },
	{ 0, ANY, ANY, "rbl", "BadReputation", CAUSE_REPUTATION, SCOPE_SITE, delist },
	{ 0, ANY, ANY, "reputation", "BadReputation", CAUSE_REPUTATION, SCOPE_SITE, delist },
	{ 0, ANY, ANY, "is listed", "BadReputation", CAUSE_REPUTATION, SCOPE_SITE, delist },
	{ 0, ANY, ANY, "listed in", "BadReputation", CAUSE_REPUTATION, SCOPE_SITE, delist },
	{ 0, ANY, ANY, "banned", "BadReputation", CAUSE_REPUTATION, SCOPE_SITE, delist },
	{ 0, ANY, ANY, "dmarc", "AuthFailure", CAUSE_POLICY, SCOPE_MESSAGE, authenticate },
	{ 0, ANY, ANY, "spf check", "AuthFailure", CAUSE_POLICY, SCOPE_MESSAGE, authenticate },
	{ 0, ANY, ANY, "spf fail", "AuthFailure", CAUSE_POLICY, SCOPE_MESSAGE, authenticate },
	{ 0, ANY, ANY, "dkim", "AuthFailure", CAUSE_POLICY, SCOPE_MESSAGE, authenticate },
	{ 0, ANY, ANY, "reverse dns", "AuthFailure", CAUSE_POLICY, SCOPE_MESSAGE, authenticate },
	{ 0, ANY, ANY, "ptr record", "AuthFailure", CAUSE_POLICY, SCOPE_MESSAGE, authenticate },
	{ 0, ANY, ANY, "unauthenticated", "AuthFailure", CAUSE_POLICY, SCOPE_MESSAGE,
	  authenticate },
	{ 0, ANY, ANY, "mailbox full", "QuotaIssues", CAUSE_MAILBOX_FULL, SCOPE_RECIPIENT,
	  make_room },
	{ 0, ANY, ANY, "mailbox is full", "QuotaIssues", CAUSE_MAILBOX_FULL, SCOPE_RECIPIENT,
	  make_room },
	{ 0, ANY, ANY, "over quota", "QuotaIssues", CAUSE_MAILBOX_FULL, SCOPE_RECIPIENT,
	  make_room },
	{ 0, ANY, ANY, "quota exceeded", "QuotaIssues", CAUSE_MAILBOX_FULL, SCOPE_RECIPIENT,
	  make_room },
	{ 0, ANY, ANY, "over its quota", "QuotaIssues", CAUSE_MAILBOX_FULL, SCOPE_RECIPIENT,
	  make_room },
	{ 0, ANY, ANY, "exceeded storage", "QuotaIssues", CAUSE_MAILBOX_FULL, SCOPE_RECIPIENT,
	  make_room },
	{ 0, ANY, ANY, "not enough storage for", "QuotaIssues", CAUSE_MAILBOX_FULL, SCOPE_RECIPIENT,
	  make_room },
	{ 0, ANY, ANY, "mailbox size limit", "QuotaIssues", CAUSE_MAILBOX_FULL, SCOPE_RECIPIENT,
	  make_room },
	{ 0, ANY, ANY, "spam", "SpamContent", CAUSE_POLICY, SCOPE_MESSAGE, content },
	{ 0, ANY, ANY, "unsolicited", "SpamContent", CAUSE_POLICY, SCOPE_MESSAGE, content },
	{ 0, ANY, ANY, "junk mail", "SpamContent", CAUSE_POLICY, SCOPE_MESSAGE, content },
	{ 0, ANY, ANY, "virus", "ContentRejected", CAUSE_POLICY, SCOPE_MESSAGE, content },
	{ 0, ANY, ANY, "malware", "ContentRejected", CAUSE_POLICY, SCOPE_MESSAGE, content },
	{ 0, ANY, ANY, "attachment", "ContentRejected", CAUSE_POLICY, SCOPE_MESSAGE, content },
	{ 0, ANY, ANY, "message too large", "MessageTooLarge", CAUSE_SOFT_OTHER, SCOPE_MESSAGE,
	  smaller },
	{ 0, ANY, ANY, "message size exceeds", "MessageTooLarge", CAUSE_SOFT_OTHER, SCOPE_MESSAGE,
	  smaller },
	{ 0, ANY, ANY, "too big", "MessageTooLarge", CAUSE_SOFT_OTHER, SCOPE_MESSAGE, smaller },
	{ 0, ANY, ANY, "exceeds size limit", "MessageTooLarge", CAUSE_SOFT_OTHER, SCOPE_MESSAGE,
	  smaller },
	{ 0, ANY, ANY, "relay access denied", "RelayDenied", CAUSE_POLICY, SCOPE_RECIPIENT, relay },
	{ 0, ANY, ANY, "relaying denied", "RelayDenied", CAUSE_POLICY, SCOPE_RECIPIENT, relay },
	{ 0, ANY, ANY, "unable to relay", "RelayDenied", CAUSE_POLICY, SCOPE_RECIPIENT, relay },
	{ 0, ANY, ANY, "relay not permitted", "RelayDenied", CAUSE_POLICY, SCOPE_RECIPIENT, relay },
	{ 0, ANY, ANY, "authentication required", "RelayDenied", CAUSE_POLICY, SCOPE_RECIPIENT,
	  relay },
	{ 0, ANY, ANY, "not permitted to relay", "RelayDenied", CAUSE_POLICY, SCOPE_RECIPIENT,
	  relay },
	{ 0, ANY, ANY, "account disabled", "InactiveMailbox", CAUSE_MAILBOX_BUSY, SCOPE_RECIPIENT,
	  inactive },
	{ 0, ANY, ANY, "account is disabled", "InactiveMailbox", CAUSE_MAILBOX_BUSY,
	  SCOPE_RECIPIENT, inactive },
	{ 0, ANY, ANY, "mailbox disabled", "InactiveMailbox", CAUSE_MAILBOX_BUSY, SCOPE_RECIPIENT,
	  inactive },
	{ 0, ANY, ANY, "account has been disabled", "InactiveMailbox", CAUSE_MAILBOX_BUSY,
	  SCOPE_RECIPIENT, inactive },
	{ 0, ANY, ANY, "inactive user", "InactiveMailbox", CAUSE_MAILBOX_BUSY, SCOPE_RECIPIENT,
	  inactive },
	{ 0, ANY, ANY, "account suspended", "InactiveMailbox", CAUSE_MAILBOX_BUSY, SCOPE_RECIPIENT,
	  inactive },
	{ 0, ANY, ANY, "mailbox unavailable or access denied", "InactiveMailbox",
	  CAUSE_MAILBOX_BUSY, SCOPE_RECIPIENT, inactive },
	{ 0, ANY, ANY, "user unknown", "InvalidRecipient", CAUSE_SOFT_OTHER, SCOPE_RECIPIENT,
	  address },
	{ 0, ANY, ANY, "unknown user", "InvalidRecipient", CAUSE_SOFT_OTHER, SCOPE_RECIPIENT,
	  address },
	{ 0, ANY, ANY, "no such user", "InvalidRecipient", CAUSE_SOFT_OTHER, SCOPE_RECIPIENT,
	  address },
	{ 0, ANY, ANY, "does not exist", "InvalidRecipient", CAUSE_SOFT_OTHER, SCOPE_RECIPIENT,
	  address },
	{ 0, ANY, ANY, "mailbox not found", "InvalidRecipient", CAUSE_SOFT_OTHER, SCOPE_RECIPIENT,
	  address },
	{ 0, ANY, ANY, "no mailbox", "InvalidRecipient", CAUSE_SOFT_OTHER, SCOPE_RECIPIENT,
	  address },
	{ 0, ANY, ANY, "invalid recipient", "InvalidRecipient", CAUSE_SOFT_OTHER, SCOPE_RECIPIENT,
	  address },
	{ 0, ANY, ANY, "recipient address rejected: access denied", "InvalidRecipient",
	  CAUSE_SOFT_OTHER, SCOPE_RECIPIENT, address },
	{ 0, ANY, ANY, "recipient not found", "InvalidRecipient", CAUSE_SOFT_OTHER, SCOPE_RECIPIENT,
	  address },
	{ 0, ANY, ANY, "address unknown", "InvalidRecipient", CAUSE_SOFT_OTHER, SCOPE_RECIPIENT,
	  address },
	{ 0, ANY, ANY, "unknown recipient", "InvalidRecipient", CAUSE_SOFT_OTHER, SCOPE_RECIPIENT,
	  address },
	{ 0, ANY, ANY, "unrouteable address", "InvalidRecipient", CAUSE_SOFT_OTHER, SCOPE_RECIPIENT,
	  address },
	{ 0, ANY, ANY, "not a valid mailbox", "InvalidRecipient", CAUSE_SOFT_OTHER, SCOPE_RECIPIENT,
	  address },
	{ 0, ANY, ANY, "sender address rejected", "InvalidSender", CAUSE_POLICY, SCOPE_MESSAGE,
	  sender },
	{ 0, ANY, ANY, "sender denied", "InvalidSender", CAUSE_POLICY, SCOPE_MESSAGE, sender },
	{ 0, ANY, ANY, "domain of sender address", "InvalidSender", CAUSE_POLICY, SCOPE_MESSAGE,
	  sender },
	{ 0, ANY, ANY, "sender verify", "InvalidSender", CAUSE_POLICY, SCOPE_MESSAGE, sender },
	{ 0, ANY, ANY, "must issue a starttls", "TlsFailure", CAUSE_TLS, SCOPE_SITE, tls },
	{ 0, ANY, ANY, "tls required", "TlsFailure", CAUSE_TLS, SCOPE_SITE, tls },
	{ 0, ANY, ANY, "starttls required", "TlsFailure", CAUSE_TLS, SCOPE_SITE, tls },
	{ 0, ANY, ANY, "encryption required", "TlsFailure", CAUSE_TLS, SCOPE_SITE, tls },
	{ 0, 7, 28, NULL, "RateLimited", CAUSE_RATE_LIMITED, SCOPE_SITE, slow_down },
	{ 0, 2, 2, NULL, "QuotaIssues", CAUSE_MAILBOX_FULL, SCOPE_RECIPIENT,
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
