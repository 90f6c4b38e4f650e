#include "check/spf_macro.h"
#include "support/check.h"

/* RFC 7208 7.4: the sender is strong-bad@email.example.com. */
static const struct {
	const char *ip, *macro, *want;
} examples[] = {
	{ "192.0.2.3", "%{s}", "strong-bad@email.example.com" },
	{ "192.0.2.3", "%{o}", "email.example.com" },
	{ "192.0.2.3", "%{d}", "email.example.com" },
	{ "192.0.2.3", "%{d4}", "email.example.com" },
	{ "192.0.2.3", "%{d3}", "email.example.com" },
	{ "192.0.2.3", "%{d2}", "example.com" },
	{ "192.0.2.3", "%{d1}", "com" },
	{ "192.0.2.3", "%{dr}", "com.example.email" },
	{ "192.0.2.3", "%{d2r}", "example.email" },
	{ "192.0.2.3", "%{l}", "strong-bad" },
	{ "192.0.2.3", "%{l-}", "strong.bad" },
	{ "192.0.2.3", "%{lr}", "strong-bad" },
	{ "192.0.2.3", "%{lr-}", "bad.strong" },
	{ "192.0.2.3", "%{l1r-}", "strong" },
	{ "192.0.2.3", "%{ir}.%{v}._spf.%{d2}", "3.2.0.192.in-addr._spf.example.com" },
	{ "192.0.2.3", "%{lr-}.lp._spf.%{d2}", "bad.strong.lp._spf.example.com" },
	{ "192.0.2.3", "%{lr-}.lp.%{ir}.%{v}._spf.%{d2}",
	  "bad.strong.lp.3.2.0.192.in-addr._spf.example.com" },
	{ "192.0.2.3", "%{ir}.%{v}.%{l1r-}.lp._spf.%{d2}",
	  "3.2.0.192.in-addr.strong.lp._spf.example.com" },
	{ "192.0.2.3", "%{d2}.trusted-domains.example.net",
	  "example.com.trusted-domains.example.net" },
	{ "2001:db8::cb01", "%{ir}.%{v}._spf.%{d2}",
	  "1.0.b.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6._spf.example.com" },
	/* The rest of 7.2 and 7.3. */
	{ "192.0.2.3", "%{p}", "mx.example.org" },
	{ "192.0.2.3", "%{h}", "helo.example.net" },
	{ "192.0.2.3", "%{c}", "192.0.2.3" },
	{ "2001:db8::cb01", "%{C}", "2001%3Adb8%3A%3Acb01" },
	{ "192.0.2.3", "%{r}", "unknown" },
	{ "192.0.2.3", "%{t}", "1700000000" },
	{ "192.0.2.3", "%{S}", "strong-bad%40email.example.com" },
	{ "192.0.2.3", "%%%_%-", "% %20" },
	{ "192.0.2.3", "", "" },
};

static void set_values(const char *ip, struct spf_values *values)
{
	*values = (struct spf_values){ .local = BYTES_LITERAL("strong-bad"),
		                       .sender_domain = BYTES_LITERAL("email.example.com"),
		                       .domain = BYTES_LITERAL("email.example.com"),
		                       .validated = BYTES_LITERAL("mx.example.org"),
		                       .helo = BYTES_LITERAL("helo.example.net"),
		                       .now_s = 1700000000 };
	CHECK_TRUE(ip, address_parse(bytes_of(ip), 0, &values->ip));
}

static void test_expand(void)
{
	for (size_t i = 0; i < COUNT(examples); i++) {
		struct spf_values values;
		struct buffer out = { 0 };

		set_values(examples[i].ip, &values);
		spf_macro_expand(bytes_of(examples[i].macro), &values, &out);
		CHECK_BYTES(examples[i].macro, buffer_bytes(&out), bytes_of(examples[i].want));
		buffer_deinit(&out);
	}
}

static const struct {
	const char *text;
	bool is_domain, is_explanation;
	int at; /* of the mistake; -1: none */
} checks[] = {
	{ "example.com", true, false, -1 },
	{ "example.com.", true, false, -1 },
	{ "%{d}", true, false, -1 },
	{ "a.%{d2r.-+,/_=}", true, false, -1 },
	{ "a%{d}com", true, false, 0 },
	{ "%{d}.com", true, false, -1 },
	{ "%{d}.%%", true, false, 0 },
	{ "", true, false, 0 },
	{ ".", true, false, 0 },
	{ "com", true, false, 0 },
	{ "a.b!c", true, false, 0 },
	{ "a b.com", true, false, 1 },
	{ "a\x7f.com", true, false, 1 },
	{ "a.%", true, false, 2 },
	{ "a.%{", true, false, 2 },
	{ "a.%{}", true, false, 2 },
	{ "a.%{z}", true, false, 2 },
	{ "a.%{d0}", true, false, 2 },
	{ "a.%{d00}", true, false, 2 },
	{ "a.%{d2rr}", true, false, 2 },
	{ "a.%{r}", true, false, 2 },
	{ "a.%{s@}", true, false, 2 },
	{ "why: %{r} %{c} %{t}", false, true, -1 },
	{ "no tabs\there", false, true, 7 },
	{ "no \xc3\xbc", false, true, 3 },
};

static void test_check(void)
{
	for (size_t i = 0; i < COUNT(checks); i++) {
		struct bytes text = bytes_of(checks[i].text);
		size_t at = 99;
		const char *why = checks[i].is_domain
		                          ? spf_macro_check_domain(text, &at)
		                          : spf_macro_check(text, checks[i].is_explanation, &at);

		CHECK_INT(checks[i].text, why ? (int)at : -1, checks[i].at);
	}
}

static void test_uses(void)
{
	CHECK_TRUE("p", spf_macro_uses(BYTES_LITERAL("a.%{d}.%{P2r}.x"), 'p'));
	CHECK_TRUE("no p", !spf_macro_uses(BYTES_LITERAL("p.%{d}.%%{p}"), 'p'));
}

TEST_MAIN(test_expand, test_check, test_uses)
