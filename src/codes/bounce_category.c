/* What a category means, and what to do about it: for what no rule of the classifier decided. */
#include "base/macros.h"
#include "codes/bounce.h"
#include "codes/bounce_own.h"
#include <string.h>

static const struct {
	const char *name, *means, *advice;
} categories[] = {
	{ "InvalidRecipient", "there is no such mailbox",
	  "Check the address, or take it off the list." },
	{ "InactiveMailbox", "the mailbox is disabled, suspended or has moved",
	  "Ask the recipient in another way, or take the address off the list." },
	{ "QuotaIssues", "the mailbox is full",
	  "Try again in some days; only its owner can make room." },
	{ "BadDomain", "the domain does not exist or takes no mail",
	  "Check the spelling of the domain." },
	{ "BadReputation", "the sending address or domain is listed or distrusted",
	  "Find out why it is listed, mend that, then ask for its removal." },
	{ "RateLimited", "too much mail came at once", "Send more slowly to this site." },
	{ "Greylisted", "the server asks unknown senders to come back",
	  "Nothing: a plain retry from the same address is enough." },
	{ "SpamContent", "the message looks like spam to the server",
	  "Change the message; look at its links and its sender." },
	{ "ContentRejected", "the message or an attachment is not taken there",
	  "Mend the message, or send the attachment in another way." },
	{ "MessageTooLarge", "the message is too large", "Make it smaller, or send a link." },
	{ "AuthFailure", "SPF, DKIM, DMARC or the reverse DNS of the sender does not hold",
	  "Mend the DNS records or the signing of the sending domain." },
	{ "InvalidSender", "the sender's address was refused", "Check the sender's address." },
	{ "PolicyRelated", "a rule of the recipient's side forbids it",
	  "Ask the recipient's postmaster which rule it was." },
	{ "RelayDenied", "the server does not pass mail on for this sender",
	  "Check the route and the credentials." },
	{ "TlsFailure", "no connection as secure as required could be made",
	  "Check the TLS settings of both sides." },
	{ "RoutingErrors", "mail cannot find its way: DNS, a loop, or no route",
	  "Check DNS and routes of the domain." },
	{ "BadConnection", "the server could not be reached, or the connection broke",
	  "Try again later; if it lasts, check the network between." },
	{ "Expired", "it was tried until its time was over",
	  "Look at why it was put off before; then send it again." },
	{ "SystemError", "the server is broken, full or busy",
	  "Try again later; if it lasts, tell its postmaster." },
	{ "ProtocolErrors", "the two sides did not understand each other",
	  "Look for a bug, or for a proxy between them." },
	{ "Delivered", "nothing failed", "" },
};

const char *bounce_meaning(const char *category)
{
	for (size_t i = 0; i < COUNT(categories); i++)
		if (strcmp(categories[i].name, category) == 0)
			return categories[i].means;
	return "the message does not say why";
}

const char *category_advice(const char *category)
{
	for (size_t i = 0; i < COUNT(categories); i++)
		if (strcmp(categories[i].name, category) == 0)
			return categories[i].advice;
	return "Ask the postmaster of the recipient's domain.";
}
