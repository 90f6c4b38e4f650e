#include "check/policy_record.h"
#include "check/tag_list.h"
#include <string.h>

#define ID_LEN_MAX    32
#define MAX_AGE_S_MAX 31557600 /* RFC 8461 3.2 */

bool sts_record_is(struct bytes text)
{
	return tag_list_has_version(text, "STSv1");
}

static bool is_id(struct bytes id)
{
	for (size_t i = 0; i < id.len; i++) {
		char c = char_lower(id.at[i]);

		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9'))
			return false;
	}
	return id.len > 0 && id.len <= ID_LEN_MAX;
}

bool sts_record_parse(struct bytes text, struct sts_record *record_out, char problem_out[200])
{
	struct tag_list list;

	if (!tag_list_parse(text, &list, problem_out))
		return false;
	record_out->id = tag_list_find(&list, "id");
	if (!record_out->id.at)
		return tag_list_say(problem_out, "id= is missing");
	if (!is_id(record_out->id))
		return tag_list_say(problem_out, "id= must be 1 to %d letters and digits",
		                    ID_LEN_MAX);
	return true;
}

bool tlsrpt_record_is(struct bytes text)
{
	return tag_list_has_version(text, "TLSRPTv1");
}

static bool is_report_place(struct bytes place)
{
	ptrdiff_t at = bytes_find_char(place, '@');

	if (bytes_starts_with_nocase(place, BYTES_LITERAL("https://")))
		return place.len > strlen("https://");
	return bytes_starts_with_nocase(place, BYTES_LITERAL("mailto:")) &&
	       at > (ptrdiff_t)strlen("mailto:") && (size_t)at + 1 < place.len;
}

bool tlsrpt_record_parse(struct bytes text, struct tlsrpt_record *record_out, char problem_out[200])
{
	struct tag_list list;
	struct bytes rest;

	*record_out = (struct tlsrpt_record){ 0 };
	if (!tag_list_parse(text, &list, problem_out))
		return false;
	rest = record_out->reports = tag_list_find(&list, "rua");
	if (rest.len == 0)
		return tag_list_say(problem_out, "rua= is missing: nobody gets the reports");
	while (rest.at) {
		struct bytes place = bytes_trim(bytes_split(&rest, ','));

		if (!is_report_place(place))
			return tag_list_say(problem_out,
			                    "rua=%.*s: mailto:ADDRESS or https://... is needed",
			                    (int)MIN(place.len, 60), place.at);
		record_out->count++;
	}
	return true;
}

bool bimi_record_is(struct bytes text)
{
	return tag_list_has_version(text, "BIMI1");
}

static bool is_https(struct bytes url)
{
	return bytes_starts_with_nocase(url, BYTES_LITERAL("https://")) &&
	       url.len > strlen("https://");
}

bool bimi_record_parse(struct bytes text, struct bimi_record *record_out, char problem_out[200])
{
	struct tag_list list;

	*record_out = (struct bimi_record){ 0 };
	if (!tag_list_parse(text, &list, problem_out))
		return false;
	record_out->logo = tag_list_find(&list, "l");
	record_out->authority = tag_list_find(&list, "a");
	record_out->is_declined = record_out->logo.len == 0 && record_out->authority.len == 0;
	if (!record_out->logo.at)
		return tag_list_say(problem_out, "l= is missing");
	if (record_out->logo.len > 0 && !is_https(record_out->logo))
		return tag_list_say(problem_out, "l= is not an https URL");
	if (record_out->authority.len > 0 && !is_https(record_out->authority))
		return tag_list_say(problem_out, "a= is not an https URL");
	return true;
}

const char *sts_mode_name(enum sts_mode mode)
{
	static const char *const names[] = {
		[STS_NONE] = "none", [STS_TESTING] = "testing", [STS_ENFORCE] = "enforce"
	};

	return names[mode];
}

/* What the lines of a policy said; each key but mx counts once. */
struct sts_lines {
	struct bytes version, mode, max_age;
	struct sts_policy *policy;
};

static bool take_line(struct sts_lines *lines, struct bytes line, char problem_out[200])
{
	struct bytes value = line;
	struct bytes key = bytes_trim(bytes_split(&value, ':'));
	struct bytes *field = NULL;

	if (!value.at)
		return tag_list_say(problem_out, "\"%.*s\" is not KEY: VALUE",
		                    (int)MIN(line.len, 60), line.at);
	value = bytes_trim(value);
	if (bytes_equal(key, BYTES_LITERAL("mx"))) {
		if (lines->policy->host_count == STS_HOSTS_MAX)
			return tag_list_say(problem_out, "it names more than %d hosts",
			                    STS_HOSTS_MAX);
		lines->policy->hosts[lines->policy->host_count++] = value;
		return true;
	}
	if (bytes_equal(key, BYTES_LITERAL("version")))
		field = &lines->version;
	else if (bytes_equal(key, BYTES_LITERAL("mode")))
		field = &lines->mode;
	else if (bytes_equal(key, BYTES_LITERAL("max_age")))
		field = &lines->max_age;
	if (field && !field->at) /* the first one counts */
		*field = value;
	return true;
}

static bool read_mode(struct bytes text, enum sts_mode *mode_out)
{
	for (enum sts_mode mode = STS_NONE; mode <= STS_ENFORCE; mode++) {
		if (!bytes_equal(text, bytes_of(sts_mode_name(mode))))
			continue;
		*mode_out = mode;
		return true;
	}
	return false;
}

bool sts_policy_parse(struct bytes text, struct sts_policy *policy_out, char problem_out[200])
{
	struct sts_lines lines = { .policy = policy_out };
	struct bytes rest = text;
	uint64_t max_age;

	*policy_out = (struct sts_policy){ 0 };
	while (rest.at) {
		struct bytes line = bytes_trim(bytes_split(&rest, '\n'));

		if (line.len > 0 && !take_line(&lines, line, problem_out))
			return false;
	}
	if (!bytes_equal(lines.version, BYTES_LITERAL("STSv1")))
		return tag_list_say(problem_out, "version must be STSv1");
	if (!read_mode(lines.mode, &policy_out->mode))
		return tag_list_say(problem_out, "mode must be enforce, testing or none");
	if (!bytes_parse_u64(lines.max_age, &max_age) || max_age > MAX_AGE_S_MAX)
		return tag_list_say(problem_out, "max_age must be a number of seconds up to %d",
		                    MAX_AGE_S_MAX);
	policy_out->max_age_s = (int64_t)max_age;
	if (policy_out->host_count == 0 && policy_out->mode != STS_NONE)
		return tag_list_say(problem_out, "it names no mx");
	return true;
}

bool sts_policy_has_host(const struct sts_policy *policy, struct bytes host)
{
	ptrdiff_t dot = bytes_find_char(host, '.');

	for (int i = 0; i < policy->host_count; i++) {
		struct bytes pattern = policy->hosts[i];

		if (bytes_equal_nocase(pattern, host))
			return true;
		if (bytes_starts_with(pattern, BYTES_LITERAL("*.")) && dot > 0 &&
		    bytes_equal_nocase(bytes_from(pattern, 1), bytes_from(host, (size_t)dot)))
			return true;
	}
	return false;
}
