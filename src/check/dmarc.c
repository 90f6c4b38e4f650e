#include "check/dmarc.h"
#include "check/tag_list.h"
#include <libpsl.h>
#include <string.h>

#define DOMAIN_LEN_MAX 253

static const char *const policies[] = {
	[DMARC_NONE] = "none", [DMARC_QUARANTINE] = "quarantine", [DMARC_REJECT] = "reject"
};

const char *dmarc_policy_name(enum dmarc_policy policy)
{
	return policies[policy];
}

bool dmarc_is(struct bytes text)
{
	return tag_list_has_version(text, "DMARC1");
}

static void note(struct dmarc_record *record, const char *name, struct bytes value,
                 const char *wanted)
{
	if (record->problem[0])
		return;
	tag_list_say(record->problem, "%s=%.*s: %s", name, (int)MIN(value.len, 60),
	             value.at ? value.at : "", wanted);
}

/* False if the value is there and is none of the three. */
static bool read_policy(struct dmarc_record *record, const struct tag_list *list, const char *name,
                        enum dmarc_policy *policy)
{
	struct bytes value = tag_list_find(list, name);

	if (!value.at)
		return true;
	for (size_t i = 0; i < COUNT(policies); i++) {
		if (!bytes_equal_nocase(value, bytes_of(policies[i])))
			continue;
		*policy = (enum dmarc_policy)i;
		return true;
	}
	note(record, name, value, "none, quarantine or reject is needed");
	return false;
}

static bool read_mode(struct dmarc_record *record, const struct tag_list *list, const char *name)
{
	struct bytes value = tag_list_find(list, name);

	if (value.at && !bytes_equal_nocase(value, BYTES_LITERAL("r")) &&
	    !bytes_equal_nocase(value, BYTES_LITERAL("s")))
		note(record, name, value, "r or s is needed");
	return bytes_equal_nocase(value, BYTES_LITERAL("s"));
}

static int read_percent(struct dmarc_record *record, const struct tag_list *list)
{
	struct bytes value = tag_list_find(list, "pct");
	uint64_t percent;

	if (!value.at)
		return 100;
	if (bytes_parse_u64(value, &percent) && percent <= 100)
		return (int)percent;
	note(record, "pct", value, "a number from 0 to 100 is needed");
	return 100;
}

/* "mailto:a@example.com!10m, ..." */
static void read_reports(struct dmarc_record *record, const struct tag_list *list, const char *name,
                         struct dmarc_reports *reports)
{
	struct bytes rest = tag_list_find(list, name);

	while (rest.at) {
		struct bytes one = bytes_trim(bytes_split(&rest, ','));
		struct bytes address = bytes_from(one, strlen("mailto:"));
		ptrdiff_t size = bytes_find_char(address, '!');

		if (size >= 0)
			address.len = (size_t)size;
		if (!bytes_starts_with_nocase(one, BYTES_LITERAL("mailto:")) ||
		    bytes_find_char(address, '@') <= 0 || address.at[address.len - 1] == '@')
			note(record, name, one, "mailto:ADDRESS is needed");
		else if (reports->count == DMARC_REPORTS_MAX)
			note(record, name, one, "there are too many addresses");
		else
			reports->addresses[reports->count++] = address;
	}
}

bool dmarc_parse(struct bytes text, struct dmarc_record *record_out)
{
	struct tag_list list;
	bool is_policy_right;

	*record_out = (struct dmarc_record){ .percent = 100 };
	if (!tag_list_parse(text, &list, record_out->problem))
		return false;
	record_out->has_policy = tag_list_find(&list, "p").at != NULL;
	is_policy_right = read_policy(record_out, &list, "p", &record_out->policy);
	record_out->subdomain_policy = record_out->policy;
	is_policy_right &= read_policy(record_out, &list, "sp", &record_out->subdomain_policy);
	read_reports(record_out, &list, "rua", &record_out->aggregate);
	read_reports(record_out, &list, "ruf", &record_out->failure);
	record_out->is_strict_dkim = read_mode(record_out, &list, "adkim");
	record_out->is_strict_spf = read_mode(record_out, &list, "aspf");
	record_out->percent = read_percent(record_out, &list);
	record_out->is_testing = bytes_equal_nocase(tag_list_find(&list, "t"), BYTES_LITERAL("y"));
	if (!record_out->has_policy)
		note(record_out, "p", (struct bytes){ 0 }, "it is missing, and must be there");
	if (record_out->has_policy && is_policy_right)
		return true;
	/* RFC 7489 6.6.3 step 6: with an address for reports it counts as p=none. */
	record_out->policy = record_out->subdomain_policy = DMARC_NONE;
	return record_out->aggregate.count > 0;
}

struct bytes dmarc_organisation(struct bytes domain)
{
	char name[DOMAIN_LEN_MAX + 1];
	const char *found;
	psl_ctx_t *suffixes;

	if (domain.len > DOMAIN_LEN_MAX)
		return domain;
	for (size_t i = 0; i < domain.len; i++)
		name[i] = char_lower(domain.at[i]);
	name[domain.len] = '\0';
	suffixes = psl_latest(NULL);
	found = suffixes ? psl_registrable_domain(suffixes, name) : NULL;
	psl_free(suffixes);
	return found ? bytes_from(domain, (size_t)(found - name)) : domain;
}

char *dmarc_report_name(struct arena *arena, struct bytes domain, struct bytes target)
{
	return arena_printf(arena, "%.*s._report._dmarc.%.*s", BYTES_FORMAT(domain),
	                    BYTES_FORMAT(target));
}
