#include "model/cause.h"
#include "base/macros.h"

static const struct {
	const char *name, *status, *sentence;
} causes[CAUSE_COUNT] = {
	[CAUSE_NONE] = { "none", "4.0.0", "nothing is wrong: it is being delivered" },
	[CAUSE_HOST_DOWN] = { "host_down", "4.4.1",
	                      "the receiving host refused the connection or did not answer" },
	[CAUSE_HOST_BUSY] = { "host_busy", "4.3.2", "the receiving host said that it is too busy" },
	[CAUSE_GREYLISTED] = { "greylisted", "4.7.1",
	                       "the receiving host asked us to come back later (greylisting)" },
	[CAUSE_MAILBOX_FULL] = { "mailbox_full", "4.2.2", "the recipient's mailbox is full" },
	[CAUSE_MAILBOX_BUSY] = { "mailbox_busy", "4.2.1",
	                         "the recipient's mailbox could not take mail at that moment" },
	[CAUSE_RATE_LIMITED] = { "rate_limited", "4.7.0",
	                         "the receiving host limits how much mail it takes from us" },
	[CAUSE_REPUTATION] = { "reputation", "4.7.1",
	                       "the receiving host distrusts our address or domain" },
	[CAUSE_POLICY] = { "policy", "4.7.1", "a policy of the receiving host put the mail off" },
	[CAUSE_DNS_FAILURE] = { "dns_failure", "4.4.3",
	                        "the recipient's domain could not be looked up" },
	[CAUSE_DNS_CHANGED] = { "dns_changed", "4.4.4",
	                        "the recipient's domain vanished from the DNS or moved" },
	[CAUSE_NETWORK] = { "network", "4.4.2", "the connection to the receiving host was lost" },
	[CAUSE_TLS] = { "tls", "4.7.5", "no connection as secure as required could be made" },
	[CAUSE_PROTOCOL] = { "protocol", "4.5.0",
	                     "the receiving host said something that is not SMTP" },
	[CAUSE_SOFT_OTHER] = { "soft_other", "4.0.0",
	                       "the receiving host put the mail off for a reason of its own" },
	[CAUSE_OWN_LIMIT] = { "own_limit", "4.3.2",
	                      "our own limits for this destination were reached" },
	[CAUSE_SUSPENDED] = { "suspended", "4.3.2", "our operator suspended this destination" },
	[CAUSE_HELD] = { "held", "4.3.0", "our operator put the message on hold" },
	[CAUSE_OWN_FAULT] = { "own_fault", "4.3.0", "something on our own side was out of order" },
};

const char *cause_name(enum cause cause)
{
	return causes[cause].name;
}

bool cause_parse(struct bytes name, enum cause *cause_out)
{
	for (size_t i = 0; i < COUNT(causes); i++) {
		if (bytes_equal_nocase(name, bytes_of(causes[i].name))) {
			*cause_out = (enum cause)i;
			return true;
		}
	}
	return false;
}

bool cause_is_ours(enum cause cause)
{
	return cause >= CAUSE_OWN_LIMIT;
}

const char *cause_sentence(enum cause cause)
{
	return causes[cause].sentence;
}

const char *cause_status(enum cause cause)
{
	return causes[cause].status;
}
