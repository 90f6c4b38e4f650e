/* What a bounce means: the classifier's word on the reply. What no server said - the writer's own
 * reasons, in its own language - is told by the phrases here. */
#include "base/macros.h"
#include "codes/bounce_own.h"
#include "codes/classify.h"
#include <string.h>

#define REASON_BYTES_MAX 3000

/* In small letters; the first that is found wins. */
static const struct {
	const char *words, *category;
} reasons[] = {
	{ "message expired", "Expired" },
	{ "delivery time expired", "Expired" },
	{ "delivery expired", "Expired" },
	{ "will be deleted from queue", "Expired" },
	{ "unable to deliver this message after", "Expired" },
	{ "mailbox is full", "QuotaIssues" },
	{ "mailbox full", "QuotaIssues" },
	{ "mailbox exceeds allowed size", "QuotaIssues" },
	{ "mailbox size limit", "QuotaIssues" },
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
	{ "postbus is vol", "QuotaIssues" },
	{ "mailbox is vol", "QuotaIssues" },
	{ "casella di posta è piena", "QuotaIssues" },
	{ "casella piena", "QuotaIssues" },
	{ "buzón está lleno", "QuotaIssues" },
	{ "caixa de correio está cheia", "QuotaIssues" },
	{ "caixa postal cheia", "QuotaIssues" },
	{ "pleine", "QuotaIssues" },
	{ "переполнен", "QuotaIssues" },
	{ "przepełnion", "QuotaIssues" },
	{ "skrzynka pełna", "QuotaIssues" },
	{ "信箱已滿", "QuotaIssues" },
	{ "已满", "QuotaIssues" },
	{ "いっぱい", "QuotaIssues" },
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
	{ "nxdomain", "BadDomain" },
	{ "domain name not found", "BadDomain" },
	{ "illegal host/domain", "BadDomain" },
	{ "illegal host", "BadDomain" },
	{ "no mx found", "BadDomain" },
	{ "the domain couldn't be found", "BadDomain" },
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
	{ "computer was not reachable", "BadConnection" },
	{ "not reachable within", "BadConnection" },
	{ "did not accept our requests to connect", "BadConnection" },
	{ "did not respond", "BadConnection" },
	{ "unable to connect", "BadConnection" },
	{ "could not connect", "BadConnection" },
	{ "couldn't connect", "BadConnection" },
	{ "wasn't able to establish an smtp connection", "BadConnection" },
	{ "user unknown", "InvalidRecipient" },
	{ "unknown user", "InvalidRecipient" },
	{ "no such user", "InvalidRecipient" },
	{ "no user by that name", "InvalidRecipient" },
	{ "no valid recipients for this mm", "InvalidRecipient" },
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
	{ "user not found", "InvalidRecipient" },
	{ "receiver not found", "InvalidRecipient" },
	{ "is unknown", "InvalidRecipient" },
	{ "recipient not found", "InvalidRecipient" },
	{ "does not exist", "InvalidRecipient" },
	{ "doesn't exist", "InvalidRecipient" },
	{ "nicht gefunden", "InvalidRecipient" },
	{ "unbekannt", "InvalidRecipient" },
	{ "introuvable", "InvalidRecipient" },
	{ "n'existe pas", "InvalidRecipient" },
	{ "no existe", "InvalidRecipient" },
	{ "não existe", "InvalidRecipient" },
	{ "inesistente", "InvalidRecipient" },
	{ "non esiste", "InvalidRecipient" },
	{ "non trovato", "InvalidRecipient" },
	{ "bestaat niet", "InvalidRecipient" },
	{ "niet gevonden", "InvalidRecipient" },
	{ "existiert nicht", "InvalidRecipient" },
	{ "n'existe", "InvalidRecipient" },
	{ "inconnu", "InvalidRecipient" },
	{ "no se encontró", "InvalidRecipient" },
	{ "desconocido", "InvalidRecipient" },
	{ "não encontrado", "InvalidRecipient" },
	{ "não foi encontrado", "InvalidRecipient" },
	{ "desconhecido", "InvalidRecipient" },
	{ "hittades inte", "InvalidRecipient" },
	{ "finns inte", "InvalidRecipient" },
	{ "findes ikke", "InvalidRecipient" },
	{ "finnes ikke", "InvalidRecipient" },
	{ "nie istnieje", "InvalidRecipient" },
	{ "neexistuje", "InvalidRecipient" },
	{ "bulunamad", "InvalidRecipient" },
	{ "не найден", "InvalidRecipient" },
	{ "нет такого", "InvalidRecipient" },
	{ "查无此人", "InvalidRecipient" },
	{ "找不到", "InvalidRecipient" },
	{ "존재하지 않", "InvalidRecipient" },
	{ "не существует", "InvalidRecipient" },
	{ "用户不存在", "InvalidRecipient" },
	{ "不存在", "InvalidRecipient" },
	{ "存在しません", "InvalidRecipient" },
	{ "見つかりません", "InvalidRecipient" },
	{ "宛先不明", "InvalidRecipient" },
	{ "あて先不明", "InvalidRecipient" },
	{ "ユーザー名が不明", "InvalidRecipient" },
	{ "mailbox unavailable", "InvalidRecipient" },
	{ "policy reason", "PolicyRelated" },
	{ "violates policy", "PolicyRelated" },
	{ "against policy", "PolicyRelated" },
	{ "spam", "SpamContent" },
	{ "virus", "ContentRejected" },
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
	{ "may not have permission to post", "PolicyRelated" },
	{ "do not relay", "RelayDenied" },
	{ "message too large", "MessageTooLarge" },
	{ "too large", "MessageTooLarge" },
	{ "exceeds the maximum", "MessageTooLarge" },
	{ "size limit", "MessageTooLarge" },
	{ "relaying denied", "RelayDenied" },
	{ "relay access denied", "RelayDenied" },
	{ "unable to relay", "RelayDenied" },
	{ "retry timeout exceeded", "Expired" },
	{ "failing for a long time", "Expired" },
	{ "attempts:", "Expired" },
	{ "max. retries", "Expired" },
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
	char small[REASON_BYTES_MAX];
	struct bytes lower = { small, MIN(text.len, sizeof small) };

	for (size_t i = 0; i < lower.len; i++)
		small[i] = char_lower(text.at[i]);
	for (size_t i = 0; i < COUNT(reasons); i++)
		if (bytes_find(lower, bytes_of(reasons[i].words)) >= 0)
			return reasons[i].category;
	return unknown;
}

static bool is_unknown(const char *category)
{
	return strcmp(category, unknown) == 0;
}

/* What the status says when no word does; -1: any detail. The first row wins. */
static const struct {
	int subject, detail;
	const char *category;
} statuses[] = {
	{ 1, 2, "BadDomain" },         { 1, 7, "InvalidSender" },     { 1, 8, "InvalidSender" },
	{ 1, 10, "InvalidRecipient" }, { 1, -1, "InvalidRecipient" }, { 2, 1, "InactiveMailbox" },
	{ 2, 2, "QuotaIssues" },       { 2, 3, "MessageTooLarge" },   { 3, 4, "MessageTooLarge" },
	{ 3, -1, "SystemError" },      { 4, 1, "BadConnection" },     { 4, 2, "BadConnection" },
	{ 4, 7, "Expired" },           { 4, -1, "RoutingErrors" },    { 5, 3, "RateLimited" },
	{ 5, 1, "ProtocolErrors" },    { 5, 2, "ProtocolErrors" },    { 5, 4, "ProtocolErrors" },
	{ 6, -1, "ContentRejected" },  { 7, -1, "PolicyRelated" },
};

static const char *from_status(const struct bounce_recipient *recipient)
{
	for (size_t i = 0; recipient->class > 0 && i < COUNT(statuses); i++)
		if (statuses[i].subject == recipient->subject &&
		    (statuses[i].detail == recipient->detail || statuses[i].detail < 0))
			return statuses[i].category;
	return unknown;
}

/* RFC 5321 4.2.3: what the basic code says, when nothing else does. */
static const struct {
	int reply;
	const char *category;
} replies[] = {
	{ 421, "SystemError" },      { 450, "SystemError" },    { 451, "SystemError" },
	{ 452, "SystemError" },      { 500, "ProtocolErrors" }, { 501, "ProtocolErrors" },
	{ 502, "ProtocolErrors" },   { 503, "ProtocolErrors" }, { 504, "ProtocolErrors" },
	{ 530, "RelayDenied" },      { 535, "RelayDenied" },    { 550, "InvalidRecipient" },
	{ 551, "InvalidRecipient" }, { 552, "QuotaIssues" },    { 553, "InvalidRecipient" },
	{ 556, "BadDomain" },
};

static const char *from_reply(const struct bounce_recipient *recipient)
{
	for (size_t i = 0; i < COUNT(replies); i++)
		if (replies[i].reply == recipient->reply)
			return replies[i].category;
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
	if (!is_unknown(said.category))
		recipient->advice = said.advice ? said.advice : "";
	return said.category;
}

/* Words of its own that outweigh those of the last reply: nobody will try again. */
static bool is_given_up(struct bytes text)
{
	static const char *const words[] = { "message expired",
		                             "queue.expired",
		                             "delivery time expired",
		                             "delivery expired",
		                             "queue too long",
		                             "queue lifetime expired",
		                             "cannot send message within",
		                             "cannot send message for" };

	for (size_t i = 0; i < COUNT(words); i++)
		if (bytes_find_nocase(text, bytes_of(words[i])) >= 0)
			return true;
	return false;
}

/* What a server said, in its words; what only the mailer says, in this file's first. */
static const char *decide(struct bounce_recipient *recipient, struct bytes more,
                          struct bytes subject)
{
	const char *category = unknown;

	if (is_given_up(recipient->diagnostic))
		return "Expired";
	if (recipient->reply == 0)
		category = find_reason(recipient->diagnostic);
	if (is_unknown(category) && recipient->reply == 0 && recipient->class == 0)
		category = find_reason(more);
	if (is_unknown(category) && recipient->reply == 0 && recipient->class == 0)
		category = find_reason(subject);
	if (is_unknown(category))
		category = ask(recipient, recipient->diagnostic);
	if (is_unknown(category))
		category = find_reason(recipient->diagnostic);
	if (is_unknown(category) && more.len > 0)
		category = ask(recipient, more);
	if (is_unknown(category))
		category = find_reason(more);
	if (is_unknown(category))
		category = find_reason(subject);
	return is_unknown(category) ? from_status(recipient) : category;
}

void meaning_find(struct bounce_recipient *recipient, struct bytes more, struct bytes subject)
{
	recipient->advice = "";
	if (recipient->action == BOUNCE_DELIVERED || recipient->action == BOUNCE_RELAYED ||
	    recipient->action == BOUNCE_EXPANDED) {
		recipient->category = "Delivered";
		return;
	}
	if (!recipient->category)
		recipient->category = decide(recipient, more, subject);
	recipient->is_hard = is_hard(recipient);
	/* "550" alone mostly means the address, but is no reason to strike it off a list. */
	if (is_unknown(recipient->category))
		recipient->category = from_reply(recipient);
	if (!*recipient->advice)
		recipient->advice = category_advice(recipient->category);
}
