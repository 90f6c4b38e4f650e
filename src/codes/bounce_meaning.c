/* What a bounce means: the classifier's word on the reply. What no server said - the writer's own
 * reasons, in its own language - is told by the phrases here. */
#include "base/macros.h"
#include "codes/bounce_own.h"
#include "codes/classify.h"
#include <string.h>

/* In small letters; the first that is found wins. */
static const struct {
	const char *words, *category;
} reasons[] = {
	{ "mailbox is full", "QuotaIssues" },
	{ "mailbox full", "QuotaIssues" },
	{ "over quota", "QuotaIssues" },
	{ "quota exceeded", "QuotaIssues" },
	{ "exceeded quota", "QuotaIssues" },
	{ "exceeds quota", "QuotaIssues" },
	{ "disk quota", "QuotaIssues" },
	{ "insufficient disk space", "QuotaIssues" },
	{ "exceeding its allotted quota", "QuotaIssues" },
	{ "storage space", "QuotaIssues" },
	{ "boîte aux lettres pleine", "QuotaIssues" },
	{ "postfach ist voll", "QuotaIssues" },
	{ "postfach voll", "QuotaIssues" },
	{ "buzón lleno", "QuotaIssues" },
	{ "邮箱已满", "QuotaIssues" },
	{ "空间不足", "QuotaIssues" },
	{ "メールボックスがいっぱい", "QuotaIssues" },
	{ "容量", "QuotaIssues" },
	{ "hop count", "RoutingErrors" },
	{ "too many hops", "RoutingErrors" },
	{ "mail loop", "RoutingErrors" },
	{ "mail forwarding loop", "RoutingErrors" },
	{ "routing loop", "RoutingErrors" },
	{ "loops back", "RoutingErrors" },
	{ "loop detected", "RoutingErrors" },
	{ "loopback", "RoutingErrors" },
	{ "no smtp service", "BadDomain" },
	{ "does not accept mail", "BadDomain" },
	{ "no mx record", "BadDomain" },
	{ "no mx or srv", "BadDomain" },
	{ "nullmx", "BadDomain" },
	{ "null mx", "BadDomain" },
	{ "host unknown", "BadDomain" },
	{ "unknown host", "BadDomain" },
	{ "host not found", "BadDomain" },
	{ "domain not found", "BadDomain" },
	{ "no such domain", "BadDomain" },
	{ "domain does not exist", "BadDomain" },
	{ "unrouteable mail domain", "BadDomain" },
	{ "unroutable mail domain", "BadDomain" },
	{ "couldn't find any host named", "BadDomain" },
	{ "couldn't find any host by that name", "BadDomain" },
	{ "couldn't find a mail exchanger", "BadDomain" },
	{ "couldn't be found or is invalid", "BadDomain" },
	{ "lookup failed", "RoutingErrors" },
	{ "name service error", "RoutingErrors" },
	{ "name server", "RoutingErrors" },
	{ "dns error", "RoutingErrors" },
	{ "dns failure", "RoutingErrors" },
	{ "connection refused", "BadConnection" },
	{ "connection timed out", "BadConnection" },
	{ "connection was dropped", "BadConnection" },
	{ "connection lost", "BadConnection" },
	{ "lost connection", "BadConnection" },
	{ "connection reset", "BadConnection" },
	{ "operation timed out", "BadConnection" },
	{ "network is unreachable", "BadConnection" },
	{ "network unreachable", "BadConnection" },
	{ "no route to host", "BadConnection" },
	{ "host is unreachable", "BadConnection" },
	{ "not responding", "BadConnection" },
	{ "did not respond", "BadConnection" },
	{ "unable to connect", "BadConnection" },
	{ "could not connect", "BadConnection" },
	{ "couldn't connect", "BadConnection" },
	{ "wasn't able to establish an smtp connection", "BadConnection" },
	{ "user unknown", "InvalidRecipient" },
	{ "unknown user", "InvalidRecipient" },
	{ "no such user", "InvalidRecipient" },
	{ "no user by that name", "InvalidRecipient" },
	{ "unknown recipient", "InvalidRecipient" },
	{ "recipient unknown", "InvalidRecipient" },
	{ "unknown address", "InvalidRecipient" },
	{ "no mailbox here by that name", "InvalidRecipient" },
	{ "not listed in", "InvalidRecipient" },
	{ "not our customer", "InvalidRecipient" },
	{ "not found in", "InvalidRecipient" },
	{ "no such mailbox", "InvalidRecipient" },
	{ "no such local user", "InvalidRecipient" },
	{ "no such recipient", "InvalidRecipient" },
	{ "no such address", "InvalidRecipient" },
	{ "unknown local", "InvalidRecipient" },
	{ "name is not recognized", "InvalidRecipient" },
	{ "user does not exist", "InvalidRecipient" },
	{ "user doesn't have", "InvalidRecipient" },
	{ "doesn't have a", "InvalidRecipient" },
	{ "address couldn't be found", "InvalidRecipient" },
	{ "address not found", "InvalidRecipient" },
	{ "e-mail account does not exist", "InvalidRecipient" },
	{ "email account that you tried to reach does not exist", "InvalidRecipient" },
	{ "mailbox does not exist", "InvalidRecipient" },
	{ "mailbox not found", "InvalidRecipient" },
	{ "nicht gefunden", "InvalidRecipient" },
	{ "unbekannt", "InvalidRecipient" },
	{ "introuvable", "InvalidRecipient" },
	{ "n'existe pas", "InvalidRecipient" },
	{ "no existe", "InvalidRecipient" },
	{ "não existe", "InvalidRecipient" },
	{ "inesistente", "InvalidRecipient" },
	{ "не существует", "InvalidRecipient" },
	{ "用户不存在", "InvalidRecipient" },
	{ "不存在", "InvalidRecipient" },
	{ "存在しません", "InvalidRecipient" },
	{ "見つかりません", "InvalidRecipient" },
	{ "宛先不明", "InvalidRecipient" },
	{ "あて先不明", "InvalidRecipient" },
	{ "ユーザー名が不明", "InvalidRecipient" },
	{ "account has been disabled", "InactiveMailbox" },
	{ "account is disabled", "InactiveMailbox" },
	{ "account disabled", "InactiveMailbox" },
	{ "mailbox disabled", "InactiveMailbox" },
	{ "mailbox is disabled", "InactiveMailbox" },
	{ "disabled or discontinued", "InactiveMailbox" },
	{ "user is inactive", "InactiveMailbox" },
	{ "account suspended", "InactiveMailbox" },
	{ "no longer active", "InactiveMailbox" },
	{ "no longer in use", "InactiveMailbox" },
	{ "message too large", "MessageTooLarge" },
	{ "too large", "MessageTooLarge" },
	{ "exceeds the maximum", "MessageTooLarge" },
	{ "size limit", "MessageTooLarge" },
	{ "relay", "RelayDenied" },
	{ "retry timeout exceeded", "Expired" },
	{ "could not be delivered for", "Expired" },
	{ "unable to deliver this message after", "Expired" },
	{ "failing for a long time", "Expired" },
	{ "delivery expired", "Expired" },
	{ "message expired", "Expired" },
	{ "delivery time expired", "Expired" },
	{ "retry time not reached", "Expired" },
	{ "been in the queue too long", "Expired" },
	{ "in the queue too long", "Expired" },
	{ "queue too long", "Expired" },
	{ "gave up", "Expired" },
	{ "will be retried", "Expired" },
	{ "has been delayed", "Expired" },
	{ "not yet been delivered", "Expired" },
	{ "still trying", "Expired" },
};

static const char unknown[] = "Unknown";

static const char *find_reason(struct bytes text)
{
	for (size_t i = 0; i < COUNT(reasons); i++)
		if (bytes_find_nocase(text, bytes_of(reasons[i].words)) >= 0)
			return reasons[i].category;
	return unknown;
}

static bool is_unknown(const char *category)
{
	return strcmp(category, unknown) == 0;
}

/* Status codes that say it all when no word does. */
static const char *from_status(const struct bounce_recipient *recipient)
{
	if (recipient->subject == 4 && recipient->detail == 7)
		return "Expired";
	if (recipient->subject == 4 && recipient->detail <= 2)
		return "BadConnection";
	if (recipient->subject == 4)
		return "RoutingErrors";
	if (recipient->subject == 1 && recipient->detail == 2)
		return "BadDomain";
	if (recipient->subject == 3)
		return "SystemError";
	if (recipient->subject == 5)
		return "ProtocolErrors";
	return recipient->action == BOUNCE_DELAYED ? "Expired" : unknown;
}

/* An address that is of no use any more, told from one that may come back. */
static bool is_hard(const struct bounce_recipient *recipient)
{
	static const char *const hard[] = { "InvalidRecipient", "InactiveMailbox", "BadDomain" };

	for (size_t i = 0; i < COUNT(hard); i++)
		if (strcmp(recipient->category, hard[i]) == 0)
			return recipient->action == BOUNCE_FAILED;
	return false;
}

static const char *ask(struct bounce_recipient *recipient, struct bytes text)
{
	struct classification said;

	classify_reply(recipient->reply, recipient->class, recipient->subject, recipient->detail,
	               text, PHASE_NONE, &said);
	recipient->advice = said.advice ? said.advice : "";
	return said.category;
}

void meaning_find(struct bounce_recipient *recipient, struct bytes more)
{
	const char *category;

	if (recipient->action == BOUNCE_DELIVERED || recipient->action == BOUNCE_RELAYED ||
	    recipient->action == BOUNCE_EXPANDED) {
		recipient->category = "Delivered";
		recipient->advice = "";
		return;
	}
	category = recipient->reply == 0 ? find_reason(recipient->diagnostic) : unknown;
	if (is_unknown(category))
		category = ask(recipient, recipient->diagnostic);
	if (is_unknown(category))
		category = find_reason(recipient->diagnostic);
	if (is_unknown(category) && more.len > 0)
		category = ask(recipient, more);
	if (is_unknown(category))
		category = find_reason(more);
	if (is_unknown(category))
		category = from_status(recipient);
	recipient->category = category;
	if (!recipient->advice)
		recipient->advice = "";
	recipient->is_hard = is_hard(recipient);
}
