#include "check/spf_record.h"
#include "base/err.h"
#include "check/spf_macro.h"
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#define VERSION BYTES_LITERAL("v=spf1")

enum argument { ARGUMENT_NONE, ARGUMENT_MAY, ARGUMENT_MUST };

static const struct {
	const char *name;
	enum argument domain;
	bool has_prefix; /* dual-cidr-length */
} mechanisms[] = {
	[SPF_ALL] = { "all", ARGUMENT_NONE, false },
	[SPF_INCLUDE] = { "include", ARGUMENT_MUST, false },
	[SPF_A] = { "a", ARGUMENT_MAY, true },
	[SPF_MX] = { "mx", ARGUMENT_MAY, true },
	[SPF_PTR] = { "ptr", ARGUMENT_MAY, false },
	[SPF_IP4] = { "ip4", ARGUMENT_MUST, false },
	[SPF_IP6] = { "ip6", ARGUMENT_MUST, false },
	[SPF_EXISTS] = { "exists", ARGUMENT_MUST, false },
};

struct parse {
	struct bytes record;
	struct spf_record *out;
	struct spf_problem *problem;
};

static int wrong(const struct parse *parse, const char *at, struct bytes term, const char *why)
{
	char shown[81];
	size_t len = 0;

	for (; len < term.len && len < sizeof shown - 1; len++)
		shown[len] = term.at[len] > ' ' && term.at[len] <= '~' ? term.at[len] : '?';
	shown[len] = '\0';
	parse->problem->at = (size_t)(at - parse->record.at);
	snprintf(parse->problem->text, sizeof parse->problem->text, "%s%s: %s", shown,
	         term.len > len ? "..." : "", why);
	return ERR_INVALID;
}

bool spf_record_is(struct bytes text)
{
	return bytes_starts_with_nocase(text, VERSION) &&
	       (text.len == VERSION.len || text.at[VERSION.len] == ' ');
}

/* "/" and a number without leading zeros, at the end of `*in`: cut off. False if malformed. */
static bool cut_bits(struct bytes *in, int bits_max, int *bits_out)
{
	ptrdiff_t slash = bytes_find_last_char(*in, '/');
	struct bytes digits = bytes_from(*in, (size_t)slash + 1);
	uint64_t bits;

	if (!bytes_parse_u64(digits, &bits) || bits > (uint64_t)bits_max ||
	    (digits.len > 1 && digits.at[0] == '0'))
		return false;
	*bits_out = (int)bits;
	in->len = (size_t)slash;
	return true;
}

/* How many bytes of "/digits" stand at the end; a slash alone counts too, so that it is refused. */
static size_t bits_length(struct bytes in)
{
	size_t len = 0;

	while (len < in.len && in.at[in.len - 1 - len] >= '0' && in.at[in.len - 1 - len] <= '9')
		len++;
	return len < in.len && in.at[in.len - 1 - len] == '/' ? len + 1 : 0;
}

/* [ "/" ip4-length ] [ "//" ip6-length ] at the end of an argument. */
static bool cut_dual_bits(struct bytes *in, struct spf_directive *directive)
{
	size_t len = bits_length(*in);

	if (len > 0 && len < in->len && in->at[in->len - len - 1] == '/') {
		if (!cut_bits(in, 128, &directive->ip6_bits))
			return false;
		in->len--;
		len = bits_length(*in);
	}
	return len == 0 || cut_bits(in, 32, &directive->ip4_bits);
}

static int parse_domain(const struct parse *parse, struct bytes term, struct bytes domain)
{
	size_t at = 0;
	const char *why = spf_macro_check_domain(domain, &at);

	return why ? wrong(parse, domain.at + at, term, why) : 0;
}

/* What follows "a", "mx", "ptr", "include", "exists": an argument behind a colon, and lengths. */
static int parse_target(const struct parse *parse, struct spf_directive *directive,
                        struct bytes rest)
{
	const char *at = rest.at;

	if (mechanisms[directive->mechanism].has_prefix && !cut_dual_bits(&rest, directive))
		return wrong(parse, at, directive->text, "the prefix length is out of range");
	if (rest.len == 0 && mechanisms[directive->mechanism].domain != ARGUMENT_MUST)
		return 0;
	if (rest.len == 0 || rest.at[0] != ':')
		return wrong(parse, at, directive->text, "a colon and a domain should follow");
	directive->domain = bytes_from(rest, 1);
	return parse_domain(parse, directive->text, directive->domain);
}

static int parse_network(const struct parse *parse, struct spf_directive *directive,
                         struct bytes rest)
{
	bool is_ip4 = directive->mechanism == SPF_IP4;
	const char *at = rest.at;
	char text[64];

	if (rest.len == 0 || rest.at[0] != ':')
		return wrong(parse, at, directive->text, "a colon and a network should follow");
	rest = bytes_from(rest, 1);
	if (bytes_find_char(rest, '/') >= 0 &&
	    !cut_bits(&rest, is_ip4 ? 32 : 128,
	              is_ip4 ? &directive->ip4_bits : &directive->ip6_bits))
		return wrong(parse, at + 1, directive->text, "the prefix length is out of range");
	snprintf(text, sizeof text, "%.*s", BYTES_FORMAT(rest));
	if (rest.len >= sizeof text || strlen(text) != rest.len ||
	    inet_pton(is_ip4 ? AF_INET : AF_INET6, text, directive->network) != 1)
		return wrong(parse, at + 1, directive->text,
		             is_ip4 ? "not an IPv4 address" : "not an IPv6 address");
	return 0;
}

/* The length of the name in front of ':', '/', '=' or the end. */
static size_t name_length(struct bytes term)
{
	size_t len = 0;

	while (len < term.len && !(term.at[len] && strchr(":/=", term.at[len])))
		len++;
	return len;
}

static int parse_directive(const struct parse *parse, struct bytes term)
{
	struct spf_directive *directive = &parse->out->directives[parse->out->count];
	bool has_qualifier = term.at[0] && strchr("+-~?", term.at[0]);
	struct bytes body = bytes_from(term, has_qualifier ? 1 : 0);
	struct bytes name = bytes_first(body, name_length(body));
	struct bytes rest = { body.at + name.len, body.len - name.len };
	size_t kind = 0;

	while (kind < COUNT(mechanisms) &&
	       !bytes_equal_nocase(name, bytes_of(mechanisms[kind].name)))
		kind++;
	if (kind == COUNT(mechanisms))
		return wrong(parse, term.at, term, "there is no such mechanism");
	*directive = (struct spf_directive){ .qualifier = has_qualifier ? term.at[0] : '+',
		                             .mechanism = (enum spf_mechanism)kind,
		                             .text = term,
		                             .ip4_bits = 32,
		                             .ip6_bits = 128 };
	parse->out->count++;
	if (kind == SPF_IP4 || kind == SPF_IP6)
		return parse_network(parse, directive, rest);
	if (mechanisms[kind].domain != ARGUMENT_NONE)
		return parse_target(parse, directive, rest);
	return rest.len == 0 ? 0 : wrong(parse, rest.at, term, "takes no argument");
}

static int parse_once(const struct parse *parse, struct bytes term, struct bytes value,
                      struct bytes *field)
{
	if (field->at)
		return wrong(parse, term.at, term, "given twice");
	*field = value;
	return parse_domain(parse, term, value);
}

/* 12: ALPHA *( ALPHA / DIGIT / "-" / "_" / "." ) */
static bool is_modifier_name(struct bytes name)
{
	for (size_t i = 0; i < name.len; i++) {
		char c = char_lower(name.at[i]);
		bool is_letter = c >= 'a' && c <= 'z';

		if (!is_letter && (i == 0 || !((c >= '0' && c <= '9') || (c && strchr("-_.", c)))))
			return false;
	}
	return name.len > 0;
}

static int parse_modifier(const struct parse *parse, struct bytes term, struct bytes name)
{
	struct bytes value = { term.at + name.len + 1, term.len - name.len - 1 };
	const char *why;
	size_t at = 0;

	if (!is_modifier_name(name))
		return wrong(parse, term.at, term, "neither a mechanism nor a modifier");
	if (bytes_equal_nocase(name, BYTES_LITERAL("redirect")))
		return parse_once(parse, term, value, &parse->out->redirect);
	if (bytes_equal_nocase(name, BYTES_LITERAL("exp")))
		return parse_once(parse, term, value, &parse->out->explanation);
	why = spf_macro_check(value, false, &at);
	return why ? wrong(parse, value.at + at, term, why) : 0;
}

static int parse_term(const struct parse *parse, struct bytes term)
{
	size_t len = name_length(term);

	for (size_t i = 0; i < term.len; i++)
		if (term.at[i] <= ' ' || term.at[i] > '~')
			return wrong(parse, term.at + i, term,
			             "a character that may not stand here");
	if (len < term.len && term.at[len] == '=')
		return parse_modifier(parse, term, bytes_first(term, len));
	return parse_directive(parse, term);
}

int spf_record_parse(struct arena *arena, struct bytes text, struct spf_record *record_out,
                     struct spf_problem *problem_out)
{
	struct parse parse = { text, record_out, problem_out };
	struct bytes rest = bytes_from(text, VERSION.len);
	size_t terms = 1;

	for (size_t i = 0; i < text.len; i++)
		terms += text.at[i] == ' ';
	*record_out = (struct spf_record){ 0 };
	*problem_out = (struct spf_problem){ 0 };
	record_out->directives = arena_alloc(arena, terms * sizeof *record_out->directives);
	while (rest.len > 0) {
		struct bytes term = bytes_split(&rest, ' ');

		if (term.len > 0 && parse_term(&parse, term) < 0)
			return ERR_INVALID;
	}
	return 0;
}
