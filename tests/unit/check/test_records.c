/* The records of DKIM, DMARC, MTA-STS, TLSRPT and BIMI. */
#include "check/dmarc.h"
#include "check/key_record.h"
#include "check/policy_record.h"
#include "check/tag_list.h"
#include "support/check.h"

#define RSA_512                                                                        \
	"MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAMGP+VoX6fWWubEcnbeLp8sHuOy18rmfit8dGtiVTSvJ" \
	"uFYfHvphVS3QfxaW7EyOUSw16pQQYy5791XvdjCILC8CAwEAAQ=="
#define RSA_1024                                                                       \
	"MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDGH/6+qtq54OT3JoZ7Oe9Q20EQTS6mB176SA/8" \
	"fISnzbJS0xSPA0I/V1wnxSo1+E/+FfCG/AVONLNA/Ans4nkhDI4UIIwwM044yo0Wo6Qg4UpvW+A2" \
	"rubHzFQDGBgmpUEKHyUy06i3pPsawNr1ggLHfOzbssBov5m3MHNbLR3CSQIDAQAB"
#define RSA_2048                                                                       \
	"MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEApDgNb/7Iaa9XmTsZbaOSTRck5OvKajCs" \
	"JB4vWznTLbpTxVdhbxC9yJSgyB5wfSRL8SJrdTRqEtiwc2FQy70xvI6/nMY5GFtszEkbhWrvb7P/" \
	"GNlkIXHvYr9cnv7fFsoMTctMPJ/6UJ1kW0nZqvACc+qwSxm06DS24IIMThqu/eA2Fub3Di7BxCYO" \
	"qFwAhkXfPP5EwaMM6+kMg6H6lAGTchkcTsjZCOY1ejxFiZ1xfzbggrT1uFDOAZyChnHec1uWuRwB" \
	"96Rbxnf0xYE/JgV5qlLPasouR19Nm322txpOhu5qwfgoEiWObVzxBNC/7jMoyumBfjILBzEZq2Jk" \
	"jPbDpQIDAQAB"
#define RSA_1024_BARE /* an RSAPublicKey, without what says that it is one */          \
	"MIGJAoGBAOaRQUw2QbAEaZc0Smi+9651a/x8gLbz1M2m3lIXeFfLSC58DO/vIFCKHZ+xSEngMhgE" \
	"LQLlxkonoex6EYoqDrcUfwo9UEbIx7URCX4c9CdSgbUSuS5ZizWXAzCREXH6VqegjiznwARXPaJ2" \
	"fCYtYhSa1ZGC0GBLu/8b5LqYUBFLAgMBAAE="
#define ELLIPTIC                                                                                   \
	"MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEsfLyqybxYn/ShhHzFXEcWTv6/3dVsBGFlSptBBml0onGOXaShUq8" \
	"622Q9Vu9Tg1xdmSmKiXGNc3O7C5pkQ+1Pw=="
#define ED25519 "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=" /* RFC 8463 A.2 */

static const struct {
	const char *name, *text, *problem; /* "": the record is a key */
	enum key_kind kind;
	int bits;
	const char *flags; /* r revoked, t testing, s strict, h no sha256, e not for mail */
} keys[] = {
	{ "the usual one", "v=DKIM1; k=rsa; p=" RSA_2048, "", KEY_RSA, 2048, "" },
	{ "rsa is the default", "v=DKIM1; p=" RSA_1024, "", KEY_RSA, 1024, "" },
	{ "no version", "p=" RSA_1024, "", KEY_RSA, 1024, "" },
	{ "a weak one", "v=DKIM1; p=" RSA_512, "", KEY_RSA, 512, "" },
	{ "a bare RSA key", "v=DKIM1; p=" RSA_1024_BARE, "", KEY_RSA, 1024, "" },
	{ "blanks in the key", "v=DKIM1; p= MFww DQYJ", "p= holds no RSA key", KEY_RSA, 0, "" },
	{ "Ed25519", "v=DKIM1; k=ed25519; p=" ED25519, "", KEY_ED25519, 256, "" },
	{ "Ed25519, too short", "v=DKIM1; k=ed25519; p=11qYAYKxCrfV",
	  "p= holds 9 bytes; a key of Ed25519 has 32", KEY_ED25519, 256, "" },
	{ "an RSA key called Ed25519", "v=DKIM1; k=ed25519; p=" RSA_512,
	  "p= holds 94 bytes; a key of Ed25519 has 32", KEY_ED25519, 256, "" },
	{ "revoked", "v=DKIM1; p=", "", KEY_RSA, 0, "r" },
	{ "testing", "v=DKIM1; t=y; p=" RSA_1024, "", KEY_RSA, 1024, "t" },
	{ "testing and strict", "v=DKIM1; t = y : s ; p=" RSA_1024, "", KEY_RSA, 1024, "ts" },
	{ "an unknown flag", "v=DKIM1; t=x; p=" RSA_1024, "", KEY_RSA, 1024, "" },
	{ "sha1 only", "v=DKIM1; h=sha1; p=" RSA_1024, "", KEY_RSA, 1024, "h" },
	{ "both hashes", "v=DKIM1; h=sha1:sha256; p=" RSA_1024, "", KEY_RSA, 1024, "" },
	{ "not for mail", "v=DKIM1; s=tlsrpt; p=" RSA_1024, "", KEY_RSA, 1024, "e" },
	{ "for mail", "v=DKIM1; s=email; p=" RSA_1024, "", KEY_RSA, 1024, "" },
	{ "for everything", "v=DKIM1; s=*; p=" RSA_1024, "", KEY_RSA, 1024, "" },
	{ "a note and a final semicolon", "v=DKIM1; n=hello=20you; p=" RSA_1024 ";", "", KEY_RSA,
	  1024, "" },
	{ "no key", "v=DKIM1; k=rsa", "it has no p=", KEY_RSA, 0, "" },
	{ "version not first", "k=rsa; v=DKIM1; p=" RSA_1024, "v= must be DKIM1, and come first",
	  KEY_RSA, 0, "" },
	{ "another version", "v=DKIM2; p=" RSA_1024, "v= must be DKIM1, and come first", KEY_RSA, 0,
	  "" },
	{ "an elliptic key", "v=DKIM1; p=" ELLIPTIC, "p= holds no RSA key", KEY_RSA, 0, "" },
	{ "an unknown kind", "v=DKIM1; k=dsa; p=" RSA_1024,
	  "k=dsa is no kind of key that receivers know", KEY_UNKNOWN, 0, "" },
	{ "not base64", "v=DKIM1; p=***", "p= is not base64; part of the key may be missing",
	  KEY_RSA, 0, "" },
	{ "base64 that was cut", "v=DKIM1; p=MFwwDQYJK",
	  "p= is not base64; part of the key may be missing", KEY_RSA, 0, "" },
	{ "padding inside", "v=DKIM1; p=MFw=DQYJ",
	  "p= is not base64; part of the key may be missing", KEY_RSA, 0, "" },
	{ "padding alone", "v=DKIM1; p====", "p= is not base64; part of the key may be missing",
	  KEY_RSA, 0, "" },
	{ "given twice", "v=DKIM1; p=" RSA_512 "; p=" RSA_512, "p= is given twice", KEY_UNKNOWN, 0,
	  "" },
	{ "no tags at all", "hello", "\"hello\" is not NAME=VALUE", KEY_UNKNOWN, 0, "" },
	{ "a control character", "v=DKIM1; n=\x1b[31m; p=",
	  "it holds a byte that is not printable ASCII", KEY_UNKNOWN, 0, "" },
};

static void test_keys(void)
{
	for (size_t i = 0; i < COUNT(keys); i++) {
		struct key_record key;
		char flags[6] = "";
		bool is_key = key_record_parse(bytes_of(keys[i].text), &key);

		CHECK_STRING(keys[i].name, key.problem, keys[i].problem);
		CHECK_INT(keys[i].name, is_key, !keys[i].problem[0]);
		CHECK_INT(keys[i].name, key.kind, keys[i].kind);
		CHECK_INT(keys[i].name, key.bits, keys[i].bits);
		if (!is_key)
			continue;
		snprintf(flags, sizeof flags, "%s%s%s%s%s", key.is_revoked ? "r" : "",
		         key.is_testing ? "t" : "", key.is_strict ? "s" : "",
		         key.takes_sha256 ? "" : "h", key.takes_email ? "" : "e");
		CHECK_STRING(keys[i].name, flags, keys[i].flags);
	}
	CHECK_TRUE("p= makes a key", key_record_is(BYTES_LITERAL("k=rsa; p=")));
	CHECK_TRUE("so does the version", key_record_is(BYTES_LITERAL("v=DKIM1; x")));
	CHECK_TRUE("SPF is none", !key_record_is(BYTES_LITERAL("v=spf1 -all")));
}

static const struct {
	const char *name, *text;
	bool counts;
	enum dmarc_policy policy, subdomains;
	int percent, reports;
	const char *problem;
} dmarcs[] = {
	{ "none", "v=DMARC1; p=none", true, DMARC_NONE, DMARC_NONE, 100, 0, "" },
	{ "reject with reports", "v=DMARC1; p=reject; rua=mailto:a@example.com", true, DMARC_REJECT,
	  DMARC_REJECT, 100, 1, "" },
	{ "no blanks, final semicolon", "v=DMARC1;p=quarantine;", true, DMARC_QUARANTINE,
	  DMARC_QUARANTINE, 100, 0, "" },
	{ "subdomains differ", "v=DMARC1; p=reject; sp=none", true, DMARC_REJECT, DMARC_NONE, 100,
	  0, "" },
	{ "values in capitals", "v=DMARC1; p=REJECT", true, DMARC_REJECT, DMARC_REJECT, 100, 0,
	  "" },
	{ "percent", "v=DMARC1; p=reject; pct=20", true, DMARC_REJECT, DMARC_REJECT, 20, 0, "" },
	{ "percent zero", "v=DMARC1; p=reject; pct=0", true, DMARC_REJECT, DMARC_REJECT, 0, 0, "" },
	{ "percent too large", "v=DMARC1; p=reject; pct=101", true, DMARC_REJECT, DMARC_REJECT, 100,
	  0, "pct=101: a number from 0 to 100 is needed" },
	{ "two addresses, one with a size",
	  "v=DMARC1; p=none; rua=mailto:a@example.com!10m, mailto:b@example.net", true, DMARC_NONE,
	  DMARC_NONE, 100, 2, "" },
	{ "an address without mailto", "v=DMARC1; p=none; rua=a@example.com", true, DMARC_NONE,
	  DMARC_NONE, 100, 0, "rua=a@example.com: mailto:ADDRESS is needed" },
	{ "an address without a domain", "v=DMARC1; p=none; rua=mailto:a@", true, DMARC_NONE,
	  DMARC_NONE, 100, 0, "rua=mailto:a@: mailto:ADDRESS is needed" },
	{ "an empty list", "v=DMARC1; p=none; rua=", true, DMARC_NONE, DMARC_NONE, 100, 0,
	  "rua=: mailto:ADDRESS is needed" },
	{ "an unknown policy", "v=DMARC1; p=block", false, DMARC_NONE, DMARC_NONE, 100, 0,
	  "p=block: none, quarantine or reject is needed" },
	{ "an unknown policy, but reports", "v=DMARC1; p=block; rua=mailto:a@example.com", true,
	  DMARC_NONE, DMARC_NONE, 100, 1, "p=block: none, quarantine or reject is needed" },
	{ "no policy", "v=DMARC1; rua=mailto:a@example.com", true, DMARC_NONE, DMARC_NONE, 100, 1,
	  "p=: it is missing, and must be there" },
	{ "nothing", "v=DMARC1", false, DMARC_NONE, DMARC_NONE, 100, 0,
	  "p=: it is missing, and must be there" },
	{ "an unknown policy for subdomains", "v=DMARC1; p=reject; sp=x", false, DMARC_NONE,
	  DMARC_NONE, 100, 0, "sp=x: none, quarantine or reject is needed" },
	{ "an unknown mode", "v=DMARC1; p=reject; aspf=x", true, DMARC_REJECT, DMARC_REJECT, 100, 0,
	  "aspf=x: r or s is needed" },
	{ "unknown tags", "v=DMARC1; p=reject; x=y", true, DMARC_REJECT, DMARC_REJECT, 100, 0, "" },
	{ "commas for semicolons", "v=DMARC1; p=none, rua=mailto:a@example.com", false, DMARC_NONE,
	  DMARC_NONE, 100, 0,
	  "p=none, rua=mailto:a@example.com: none, quarantine or reject is needed" },
	{ "twice", "v=DMARC1; p=none; p=reject", false, DMARC_NONE, DMARC_NONE, 100, 0,
	  "p= is given twice" },
};

static void test_dmarc(void)
{
	struct dmarc_record record;

	for (size_t i = 0; i < COUNT(dmarcs); i++) {
		CHECK_INT(dmarcs[i].name, dmarc_parse(bytes_of(dmarcs[i].text), &record),
		          dmarcs[i].counts);
		CHECK_STRING(dmarcs[i].name, record.problem, dmarcs[i].problem);
		CHECK_INT(dmarcs[i].name, record.policy, dmarcs[i].policy);
		CHECK_INT(dmarcs[i].name, record.subdomain_policy, dmarcs[i].subdomains);
		CHECK_INT(dmarcs[i].name, record.percent, dmarcs[i].percent);
		CHECK_INT(dmarcs[i].name, record.aggregate.count, dmarcs[i].reports);
	}
	dmarc_parse(BYTES_LITERAL("v=DMARC1; p=none; adkim=s; aspf=r; t=y; ruf=mailto:a@b.c!1m"),
	            &record);
	CHECK_TRUE("modes", record.is_strict_dkim && !record.is_strict_spf && record.is_testing);
	CHECK_BYTES("ruf", record.failure.addresses[0], BYTES_LITERAL("a@b.c"));
	CHECK_TRUE("the version", dmarc_is(BYTES_LITERAL("v = DMARC1 ; p=none")));
	CHECK_TRUE("another version", !dmarc_is(BYTES_LITERAL("v=DMARC10; p=none")));
	CHECK_TRUE("case matters", !dmarc_is(BYTES_LITERAL("v=dmarc1; p=none")));
	CHECK_TRUE("not first", !dmarc_is(BYTES_LITERAL("p=none; v=DMARC1")));
}

static const struct {
	const char *domain, *want;
} organisations[] = {
	{ "example.com", "example.com" },
	{ "a.b.Example.com", "Example.com" },
	{ "mail.example.co.uk", "example.co.uk" },
	{ "co.uk", "co.uk" },
	{ "example.test", "example.test" },
	{ "a.b.example.test", "example.test" },
	{ "test", "test" },
	{ "user.github.io", "user.github.io" },
};

static void test_organisation(void)
{
	for (size_t i = 0; i < COUNT(organisations); i++)
		CHECK_BYTES(organisations[i].domain,
		            dmarc_organisation(bytes_of(organisations[i].domain)),
		            bytes_of(organisations[i].want));
}

static void test_report_name(void)
{
	struct arena *arena = arena_create(0);

	CHECK_STRING("7.1",
	             dmarc_report_name(arena, BYTES_LITERAL("example.com"),
	                               BYTES_LITERAL("thirdparty.example.net")),
	             "example.com._report._dmarc.thirdparty.example.net");
	arena_destroy(arena);
}

enum kind { STS, TLSRPT, BIMI };

static const struct {
	enum kind kind;
	const char *text, *problem;
} others[] = {
	{ STS, "v=STSv1; id=20160831085700Z;", "" },
	{ STS, "v=STSv1;id=a", "" },
	{ STS, "v=STSv1;", "id= is missing" },
	{ STS, "v=STSv1; id=", "id= must be 1 to 32 letters and digits" },
	{ STS, "v=STSv1; id=2016-08-31", "id= must be 1 to 32 letters and digits" },
	{ STS, "v=STSv1; id=123456789012345678901234567890123",
	  "id= must be 1 to 32 letters and digits" },
	{ STS, "v=STSv1; id=1; id=2", "id= is given twice" },
	{ STS, "v=STSv1; id=1; other=x", "" },
	{ TLSRPT, "v=TLSRPTv1; rua=mailto:reports@example.com", "" },
	{ TLSRPT, "v=TLSRPTv1;rua=https://reporting.example.com/v1/tlsrpt", "" },
	{ TLSRPT, "v=TLSRPTv1; rua=mailto:a@example.com,https://example.com/x", "" },
	{ TLSRPT, "v=TLSRPTv1;", "rua= is missing: nobody gets the reports" },
	{ TLSRPT, "v=TLSRPTv1; rua=", "rua= is missing: nobody gets the reports" },
	{ TLSRPT, "v=TLSRPTv1; rua=a@example.com",
	  "rua=a@example.com: mailto:ADDRESS or https://... is needed" },
	{ TLSRPT, "v=TLSRPTv1; rua=http://example.com",
	  "rua=http://example.com: mailto:ADDRESS or https://... is needed" },
	{ BIMI, "v=BIMI1; l=https://example.com/logo.svg", "" },
	{ BIMI, "v=BIMI1; l=https://example.com/logo.svg; a=https://example.com/mark.pem", "" },
	{ BIMI, "v=BIMI1; l=; a=;", "" },
	{ BIMI, "v=BIMI1; a=https://example.com/mark.pem", "l= is missing" },
	{ BIMI, "v=BIMI1; l=http://example.com/logo.svg", "l= is not an https URL" },
	{ BIMI, "v=BIMI1; l=https://example.com/logo.svg; a=self", "a= is not an https URL" },
};

static void test_others(void)
{
	struct sts_record sts;
	struct tlsrpt_record tlsrpt;
	struct bimi_record bimi;

	for (size_t i = 0; i < COUNT(others); i++) {
		struct bytes text = bytes_of(others[i].text);
		char problem[200] = "";
		bool is_good = others[i].kind == STS ? sts_record_parse(text, &sts, problem)
		               : others[i].kind == TLSRPT
		                       ? tlsrpt_record_parse(text, &tlsrpt, problem)
		                       : bimi_record_parse(text, &bimi, problem);

		CHECK_STRING(others[i].text, problem, others[i].problem);
		CHECK_INT(others[i].text, is_good, !others[i].problem[0]);
	}
	CHECK_TRUE("STS", sts_record_is(BYTES_LITERAL("v=STSv1; id=1")) &&
	                          !sts_record_is(BYTES_LITERAL("v=STSv2; id=1")));
	CHECK_TRUE("TLSRPT", tlsrpt_record_is(BYTES_LITERAL("v=TLSRPTv1")) &&
	                             !tlsrpt_record_is(BYTES_LITERAL("v=TLSRPT")));
	CHECK_TRUE("BIMI", bimi_record_is(BYTES_LITERAL("v=BIMI1;")) &&
	                           !bimi_record_is(BYTES_LITERAL("BIMI1")));
	bimi_record_parse(BYTES_LITERAL("v=BIMI1; l=; a="), &bimi, (char[200]){ 0 });
	CHECK_TRUE("declined", bimi.is_declined);
}

static const struct {
	const char *name, *text, *problem;
	enum sts_mode mode;
	int hosts;
} policies[] = {
	{ "RFC 8461 3.2",
	  "version: STSv1\r\nmode: enforce\r\nmx: mail.example.com\r\nmx: "
	  "*.example.net\r\nmax_age: 604800\r\n",
	  "", STS_ENFORCE, 2 },
	{ "bare newlines", "version: STSv1\nmode: testing\nmx: mail.example.com\nmax_age: 86400",
	  "", STS_TESTING, 1 },
	{ "none needs no host", "version: STSv1\nmode: none\nmax_age: 86400\n", "", STS_NONE, 0 },
	{ "unknown keys", "version: STSv1\nx: y\nmode: none\nmax_age: 1\n", "", STS_NONE, 0 },
	{ "no version", "mode: none\nmax_age: 1\n", "version must be STSv1", STS_NONE, 0 },
	{ "no mode", "version: STSv1\nmx: a.example\nmax_age: 1\n",
	  "mode must be enforce, testing or none", STS_NONE, 1 },
	{ "an unknown mode", "version: STSv1\nmode: strict\nmx: a.example\nmax_age: 1\n",
	  "mode must be enforce, testing or none", STS_NONE, 1 },
	{ "no age", "version: STSv1\nmode: enforce\nmx: a.example\n",
	  "max_age must be a number of seconds up to 31557600", STS_ENFORCE, 1 },
	{ "too old", "version: STSv1\nmode: enforce\nmx: a.example\nmax_age: 31557601\n",
	  "max_age must be a number of seconds up to 31557600", STS_ENFORCE, 1 },
	{ "no host", "version: STSv1\nmode: enforce\nmax_age: 1\n", "it names no mx", STS_ENFORCE,
	  0 },
	{ "HTML", "<html>\n", "\"<html>\" is not KEY: VALUE", STS_NONE, 0 },
	{ "the first mode counts",
	  "version: STSv1\nmode: testing\nmode: enforce\nmx: a.example\nmax_age: 1\n", "",
	  STS_TESTING, 1 },
};

static void test_policies(void)
{
	struct sts_policy policy;

	for (size_t i = 0; i < COUNT(policies); i++) {
		char problem[200] = "";

		CHECK_INT(policies[i].name,
		          sts_policy_parse(bytes_of(policies[i].text), &policy, problem),
		          !policies[i].problem[0]);
		CHECK_STRING(policies[i].name, problem, policies[i].problem);
		CHECK_INT(policies[i].name, policy.mode, policies[i].mode);
		CHECK_INT(policies[i].name, policy.host_count, policies[i].hosts);
	}
	sts_policy_parse(bytes_of(policies[0].text), &policy, (char[200]){ 0 });
	CHECK_TRUE("the host", sts_policy_has_host(&policy, BYTES_LITERAL("Mail.Example.com")));
	CHECK_TRUE("one label", sts_policy_has_host(&policy, BYTES_LITERAL("a.example.net")));
	CHECK_TRUE("not two", !sts_policy_has_host(&policy, BYTES_LITERAL("a.b.example.net")));
	CHECK_TRUE("not none", !sts_policy_has_host(&policy, BYTES_LITERAL("example.net")));
}

static void test_tag_limit(void)
{
	struct tag_list list;
	char text[400] = "", problem[200];
	size_t len = 0;

	for (int i = 0; i < TAG_LIST_MAX; i++)
		len += (size_t)snprintf(text + len, sizeof text - len, "t%d=1;", i);
	CHECK_TRUE("too many tags", !tag_list_parse(bytes_of(text), &list, problem));
	CHECK_STRING("said", problem, "it has more than 31 tags");
}

TEST_MAIN(test_keys, test_dmarc, test_organisation, test_report_name, test_others, test_policies,
          test_tag_limit)
