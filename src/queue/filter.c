#include "queue/filter.h"
#include "queue/destination.h"
#include "queue/recipient.h"
#include "queue/site.h"

bool filter_matches_domain(struct bytes pattern, struct bytes domain)
{
	if (pattern.len == 0)
		return true;
	if (bytes_starts_with(pattern, BYTES_LITERAL("*.")))
		return domain.len >= pattern.len &&
		       bytes_ends_with_nocase(domain, bytes_from(pattern, 1));
	return bytes_equal_nocase(pattern, domain);
}

static bool matches_site(struct bytes wanted, const struct site *site)
{
	if (wanted.len == 0)
		return true;
	return site && site->route &&
	       (bytes_equal(wanted, bytes_of(site->route->text)) ||
	        bytes_equal(wanted, bytes_of(site->route->name)));
}

bool filter_matches(const struct filter *filter, const struct queue *queue,
                    const struct recipient *recipient)
{
	const struct entry *entry = recipient_entry(queue, recipient);

	if (recipient_is_final(recipient) && !(recipient->flags & RECIPIENT_OWES_NOTICE))
		return false;
	if (filter->has_state && recipient->state != filter->state)
		return false;
	if (filter->has_cause && recipient_cause(recipient) != filter->cause)
		return false;
	if (queue->now_us - entry->arrived_us < filter->older_us)
		return false;
	return filter_matches_domain(filter->destination, recipient->destination->name) &&
	       matches_site(filter->site, recipient->destination->site);
}
