"""`outlast reputation` in a DNS world of its own: one sender in perfect order, and others of which one thing is broken,
each of which has to be named, with the points that it costs."""

import datetime
import http.server
import json
import pathlib
import ssl
import subprocess
import threading

import pytest

from certificates import Authority, openssl
from world import OUTLAST, PATIENCE_S, free_address

DOMAIN = "good.test"
IP, IP6 = "192.0.2.25", "2001:db8::25"
REVERSE6 = ".".join(reversed("20010db8" + "0" * 22 + "25")) + ".ip6.arpa"
ADDRESS_ZONES = ["zen.spamhaus.org", "b.barracudacentral.org", "bl.spamcop.net", "bl.mailspike.net", "psbl.surriel.com",
                 "dnsbl-1.uceprotect.net", "dnsbl.dronebl.org", "bl.blocklist.de", "all.s5h.net", "truncate.gbudb.net", "all.spamrats.com"]
ADDRESS_ZONES6 = ["zen.spamhaus.org", "dnsbl.dronebl.org", "all.s5h.net"]
DOMAIN_ZONES = {"dbl.spamhaus.org": "dbltest.com", "multi.surbl.org": "surbl-org-permanent-test-point.com",
                "multi.uribl.com": "test.uribl.com", "uribl.spameatingmonkey.net": "test"}
MAPPED_2 = "2.0.0.0.0.0.f.7.f.f.f.f" + ".0" * 20
KEY_512 = """MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAMGP+VoX6fWWubEcnbeLp8sHuOy18rmfit8dGtiVTSvJuFYfHvphVS3QfxaW7EyOUSw16pQQYy5791XvdjCILC8CAwEAAQ=="""
KEY_1024 = """MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDGH/6+qtq54OT3JoZ7Oe9Q20EQTS6mB176SA/8fISnzbJS0xSPA0I/V1wnxSo1+E/+FfCG/AVONLNA/Ans4nkhDI4UIIwwM044yo0Wo6Qg4UpvW+A2rubHzFQDGBgmpUEKHyUy06i3pPsawNr1ggLHfOzbssBov5m3MHNbLR3CSQIDAQAB"""
KEY_2048 = """MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEApDgNb/7Iaa9XmTsZbaOSTRck5OvKajCsJB4vWznTLbpTxVdhbxC9yJSgyB5wfSRL8SJrdTRqEtiwc2FQy70xvI6/nMY5GFtszEkbhWrvb7P/GNlkIXHvYr9cnv7fFsoMTctMPJ/6UJ1kW0nZqvACc+qwSxm06DS24IIMThqu/eA2Fub3Di7BxCYOqFwAhkXfPP5EwaMM6+kMg6H6lAGTchkcTsjZCOY1ejxFiZ1xfzbggrT1uFDOAZyChnHec1uWuRwB96Rbxnf0xYE/JgV5qlLPasouR19Nm322txpOhu5qwfgoEiWObVzxBNC/7jMoyumBfjILBzEZq2JkjPbDpQIDAQAB"""


def txt(text):
    """A TXT record as a zone file has it: strings of at most 255 bytes."""
    return " ".join('"' + text[i:i + 200] + '"' for i in range(0, len(text), 200))


def good_records():
    records = {
        (DOMAIN, "TXT"): [txt("v=spf1 ip4:192.0.2.0/24 ip6:2001:db8::/64 include:spf.partner.test -all"), txt("some-site-verification=1")],
        ("spf.partner.test", "TXT"): [txt("v=spf1 ip4:198.51.100.0/24 -all")],
        ("s2026._domainkey." + DOMAIN, "TXT"): [txt("v=DKIM1; k=rsa; p=" + KEY_2048)],
        ("_dmarc." + DOMAIN, "TXT"): [txt("v=DMARC1; p=reject; rua=mailto:dmarc@good.test")],
        ("_mta-sts." + DOMAIN, "TXT"): [txt("v=STSv1; id=20261124;")],
        ("mta-sts." + DOMAIN, "A"): ["127.0.0.1"],
        ("_smtp._tls." + DOMAIN, "TXT"): [txt("v=TLSRPTv1; rua=mailto:tls@good.test")],
        ("default._bimi." + DOMAIN, "TXT"): [txt("v=BIMI1; l=https://good.test/logo.svg; a=https://good.test/mark.pem")],
        (DOMAIN, "MX"): ["20 mx2.good.test.", "10 mx1.good.test."],
        ("mx1.good.test", "A"): ["192.0.2.1"],
        ("mx2.good.test", "AAAA"): ["2001:db8::2"],
        ("25.2.0.192.in-addr.arpa", "PTR"): ["mail.good.test."],
        (REVERSE6, "PTR"): ["mail.good.test."],
        ("mail.good.test", "A"): [IP],
        ("mail.good.test", "AAAA"): [IP6],
        ("mail.good.test", "TXT"): [txt("v=spf1 a -all")],
    }
    for zone in ADDRESS_ZONES:
        records[("2.0.0.127." + zone, "A")] = ["127.0.0.2"]
    for zone in ADDRESS_ZONES6:
        records[(MAPPED_2 + "." + zone, "A")] = ["127.0.0.2"]
    for zone, entry in DOMAIN_ZONES.items():
        records[(entry + "." + zone, "A")] = ["127.0.1.2"]
    return records


class PolicyServer:
    """https on port 443 of an address of its own, for the policy of MTA-STS."""

    def __init__(self, folder):
        self.authority = Authority(folder)
        self.address = free_address(250)
        self.body = "version: STSv1\nmode: enforce\nmx: *.good.test\nmax_age: 604800\n"
        self.status = 200
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                is_right = self.path == "/.well-known/mta-sts.txt"
                self.send_response(server.status if is_right else 404)
                self.end_headers()
                self.wfile.write(server.body.encode())

            def log_message(self, *_):
                pass

        try:
            self.server = http.server.ThreadingHTTPServer((self.address, 443), Handler)
        except PermissionError:
            pytest.skip("port 443 cannot be had")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.authority.issue("mta-sts." + DOMAIN))
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class Sender:
    def __init__(self, dns, folder, policy):
        self.dns = dns
        self.records = dns.records
        self.policy = policy
        self.records.update(good_records())
        self.records[("mta-sts." + DOMAIN, "A")] = [policy.address]
        self.config = pathlib.Path(folder) / "outlast.conf"
        self.config.write_text(f"""hostname "mail.good.test";
deliver {{ helo "mail.good.test"; source_addresses {IP} {IP6}; tls_trust "{policy.authority.path}"; }}
dns {{ servers "127.0.0.1:{dns.port}"; }}
""")

    def run(self, *arguments, status=None):
        result = subprocess.run([OUTLAST, "reputation", *arguments], capture_output=True, text=True, timeout=PATIENCE_S, check=False)
        assert status is None or result.returncode == status, result.stdout + result.stderr
        return result

    def ask(self, *arguments, domain=DOMAIN, status=None):
        given = arguments if "--selector" in arguments else ("--selector", "s2026", *arguments)
        return json.loads(self.run(domain, "--config", str(self.config), "--json", *given, status=status).stdout)


@pytest.fixture(scope="module")
def policy_server(tmp_path_factory):
    server = PolicyServer(tmp_path_factory.mktemp("policy"))
    yield server
    server.stop()


@pytest.fixture
def sender(world, tmp_path, policy_server):
    body, status = policy_server.body, policy_server.status
    yield Sender(world.dns, tmp_path, policy_server)
    policy_server.body, policy_server.status = body, status


def check_arithmetic(answer):
    """Every point is explained: what an area lost is what its findings say, and the score follows."""
    for area in answer["areas"]:
        lost = sum(finding["lost"] for finding in answer["findings"] if finding["area"] == area["area"])
        assert area["points"] == area["of"] - lost, area
    judged = [area for area in answer["areas"] if area["judged"]]
    most = sum(area["of"] for area in judged)
    assert answer["judged_points"] == most
    assert answer["score"] == (sum(area["points"] for area in judged) * 100 + most // 2) // most
    for finding in answer["findings"]:
        assert finding["lost"] == 0 or finding["advice"], finding


def test_good(sender):
    answer = sender.ask(status=0)
    assert answer["verdict"] == "good" and answer["score"] == 100 and answer["judged_points"] == 100, answer
    assert {finding["severity"] for finding in answer["findings"]} == {"good"}, answer
    assert [(one["address"], one["result"], one["by"]) for one in answer["spf"]["addresses"]] == [
        (IP, "pass", "ip4:192.0.2.0/24"), (IP6, "pass", "ip6:2001:db8::/64")]
    assert answer["spf"]["lookups"] == 1
    check_arithmetic(answer)
    assert sender.ask() == answer  # stable


def test_good_in_words(sender):
    text = sender.run(DOMAIN, "--config", str(sender.config), "--selector", "s2026", status=0).stdout
    assert text.startswith("good.test: good: ")
    assert "score 100 of 100" in text and "what to do" not in text
    assert "192.0.2.25 is mail.good.test, and back" in text


def at(name, *texts, kind="TXT"):
    def change(records):
        records.pop((name, kind), None)
        if texts:
            records[(name, kind)] = [txt(text) for text in texts] if kind == "TXT" else list(texts)

    return change


def both(*changes):
    def change(records):
        for one in changes:
            one(records)

    return change


KEY = "s2026._domainkey." + DOMAIN
DMARC = "_dmarc." + DOMAIN
LISTED = "25.2.0.192.zen.spamhaus.org"

# What is broken, the findings that name it, and the score and verdict that follow.
BROKEN = [
    ("no SPF record", at(DOMAIN), {"spf_missing"}, 85, "poor"),
    ("two SPF records", at(DOMAIN, "v=spf1 -all", "v=spf1 +all"), {"spf_several"}, 85, "poor"),
    ("an SPF record with a mistake", at(DOMAIN, "v=spf1 ip4:192.0.2 -all"), {"spf_error"}, 85, "poor"),
    ("an included record with a mistake", at("spf.partner.test", "v=spf1 moo -all"), {"spf_error"}, 95, "good"),
    ("an include that is gone", at("spf.partner.test"), {"spf_error"}, 95, "good"),
    ("an include of itself", at(DOMAIN, "v=spf1 include:good.test -all"), {"spf_error"}, 85, "poor"),
    ("a redirect to itself", at(DOMAIN, "v=spf1 redirect=good.test"), {"spf_error"}, 85, "poor"),
    ("too many lookups", at(DOMAIN, "v=spf1 ip4:192.0.2.0/24 ip6:2001:db8::/64 " + "a:mail.good.test " * 11 + "-all"), {"spf_lookups"}, 95, "good"),
    ("nearly too many lookups", at(DOMAIN, "v=spf1 ip4:192.0.2.0/24 ip6:2001:db8::/64 " + "a:mail.good.test " * 9 + "-all"), {"spf_lookups_near"}, 99, "good"),
    ("too many lookups of nothing", at(DOMAIN, "v=spf1 ip4:192.0.2.0/24 ip6:2001:db8::/64 a:x.good.test a:y.good.test a:z.good.test -all"), {"spf_void_lookups"}, 95, "good"),
    ("too many lookups before the address", at(DOMAIN, "v=spf1 " + "a:mx1.good.test " * 11 + "ip4:192.0.2.0/24 ip6:2001:db8::/64 -all"), {"spf_lookups", "spf_error"}, 85, "poor"),
    ("an address that SPF forbids", at(DOMAIN, "v=spf1 ip4:192.0.2.0/24 -all"), {"spf_fail"}, 85, "poor"),
    ("an address that SPF does not name", at(DOMAIN, "v=spf1 ip4:192.0.2.0/24 ~all"), {"spf_not_listed"}, 92, "good"),
    ("SPF for everybody", at(DOMAIN, "v=spf1 +all"), {"spf_open"}, 85, "poor"),
    ("SPF without an end", at(DOMAIN, "v=spf1 ip4:192.0.2.0/24 ip6:2001:db8::/64"), {"spf_no_end"}, 95, "good"),
    ("the HELO name forbids the address", at("mail.good.test", "v=spf1 -all"), {"spf_helo_fails"}, 94, "good"),
    ("no DKIM key", at(KEY), {"dkim_missing"}, 91, "poor"),
    ("a revoked DKIM key", at(KEY, "v=DKIM1; p="), {"dkim_revoked", "dkim_none_usable"}, 82, "poor"),
    ("a weak DKIM key", at(KEY, "v=DKIM1; p=" + KEY_512), {"dkim_weak", "dkim_none_usable"}, 82, "poor"),
    ("a short DKIM key", at(KEY, "v=DKIM1; p=" + KEY_1024), {"dkim_short"}, 97, "good"),
    ("a DKIM key for tests", at(KEY, "v=DKIM1; t=y; p=" + KEY_2048), {"dkim_testing"}, 94, "good"),
    ("a DKIM key that was cut", at(KEY, "v=DKIM1; p=" + KEY_2048[:90]), {"dkim_invalid", "dkim_none_usable"}, 82, "poor"),
    ("no DMARC record", at(DMARC), {"dmarc_missing", "bimi_without_dmarc"}, 84, "poor"),
    ("two DMARC records", at(DMARC, "v=DMARC1; p=none", "v=DMARC1; p=reject"), {"dmarc_several", "bimi_without_dmarc"}, 84, "poor"),
    ("a DMARC record with a mistake", at(DMARC, "v=DMARC1; p=block"), {"dmarc_invalid", "bimi_without_dmarc"}, 84, "poor"),
    ("DMARC that only watches", at(DMARC, "v=DMARC1; p=none; rua=mailto:dmarc@good.test"), {"dmarc_none", "bimi_without_dmarc"}, 93, "good"),
    ("DMARC for a part", at(DMARC, "v=DMARC1; p=reject; pct=20; rua=mailto:dmarc@good.test"), {"dmarc_partial"}, 98, "good"),
    ("DMARC without reports", at(DMARC, "v=DMARC1; p=reject"), {"dmarc_no_reports"}, 98, "good"),
    ("DMARC weaker below", at(DMARC, "v=DMARC1; p=reject; sp=none; rua=mailto:dmarc@good.test"), {"dmarc_subdomains"}, 98, "good"),
    ("reports that nobody takes", at(DMARC, "v=DMARC1; p=reject; rua=mailto:a@reports.test"), {"dmarc_report_refused"}, 98, "good"),
    ("no reverse name", at("25.2.0.192.in-addr.arpa", kind="PTR"), {"ptr_missing"}, 85, "poor"),
    ("a reverse name that does not lead back", at("25.2.0.192.in-addr.arpa", "other.good.test.", kind="PTR"), {"ptr_unconfirmed"}, 90, "poor"),
    ("a reverse name of a line", both(at("25.2.0.192.in-addr.arpa", "192-0-2-25.dsl.good.test.", kind="PTR"), at("192-0-2-25.dsl.good.test", IP, kind="A")), {"ptr_generic"}, 96, "good"),
    ("a HELO name that leads elsewhere", both(at("mail.good.test", "192.0.2.77", kind="A"), at("25.2.0.192.in-addr.arpa", "mx1.good.test.", kind="PTR"), at("mx1.good.test", IP, kind="A"), at("mail.good.test")), {"helo_elsewhere"}, 98, "good"),
    ("an address on a major blocklist", both(at(LISTED, "127.0.0.2", "127.0.0.4", kind="A"), at(LISTED, "https://check.example/query")), {"listed"}, 75, "poor"),
    ("an address on a minor blocklist", at("25.2.0.192.psbl.surriel.com", "127.0.0.2", kind="A"), {"listed_minor"}, 95, "good"),
    ("an IPv6 address on a blocklist", at(REVERSE6.replace("ip6.arpa", "zen.spamhaus.org"), "127.0.0.3", kind="A"), {"listed"}, 75, "poor"),
    ("a domain on a blocklist", at("good.test.dbl.spamhaus.org", "127.0.1.2", kind="A"), {"listed"}, 75, "poor"),
    ("no MX and no address", at(DOMAIN, kind="MX"), {"mx_missing", "sts_host_missing"}, 92, "poor"),
    ("a domain that takes no mail", at(DOMAIN, "0 .", kind="MX"), {"mx_null"}, 96, "poor"),
    ("an MX host without an address", at("mx2.good.test", kind="AAAA"), {"mx_no_address"}, 98, "good"),
    ("no MTA-STS", at("_mta-sts." + DOMAIN), {"sts_missing"}, 96, "good"),
    ("an MTA-STS record without id", at("_mta-sts." + DOMAIN, "v=STSv1;"), {"sts_invalid"}, 96, "good"),
    ("an MX host that the policy leaves out", both(at(DOMAIN, "10 mx1.good.test.", "20 mx.elsewhere.test.", kind="MX"), at("mx.elsewhere.test", "192.0.2.9", kind="A")), {"sts_host_missing"}, 96, "poor"),
    ("a policy that cannot be fetched", at("mta-sts." + DOMAIN, kind="A"), {"sts_policy_invalid"}, 96, "good"),
    ("no TLSRPT", at("_smtp._tls." + DOMAIN), {"tlsrpt_missing"}, 98, "good"),
    ("TLSRPT to nobody", at("_smtp._tls." + DOMAIN, "v=TLSRPTv1;"), {"tlsrpt_invalid"}, 98, "good"),
    ("no BIMI", at("default._bimi." + DOMAIN), {"bimi_missing"}, 98, "good"),
    ("a BIMI record without a logo", at("default._bimi." + DOMAIN, "v=BIMI1; a=https://good.test/mark.pem"), {"bimi_invalid"}, 98, "good"),
]


@pytest.mark.parametrize("change,names,score,verdict", [pytest.param(*row[1:], id=row[0]) for row in BROKEN])
def test_broken(sender, change, names, score, verdict):
    change(sender.records)
    answer = sender.ask(status=0 if verdict == "good" else 1)
    named = {finding["name"] for finding in answer["findings"] if finding["severity"] in ("weak", "bad") or finding["name"] == "dkim_revoked"}
    assert (named, answer["score"], answer["verdict"]) == (names, score, verdict), answer["findings"]
    check_arithmetic(answer)


POLICIES = [
    ("testing", "version: STSv1\nmode: testing\nmx: *.good.test\nmax_age: 604800\n", 200, {"sts_not_enforced"}, 98),
    ("short", "version: STSv1\nmode: enforce\nmx: *.good.test\nmax_age: 60\n", 200, {"sts_short_age"}, 99),
    ("malformed", "mode: enforce\n", 200, {"sts_policy_invalid"}, 96),
    ("not there", "", 404, {"sts_policy_invalid"}, 96),
    ("endless", "mx: a.good.test\n" * 6000, 200, {"sts_policy_invalid"}, 96),
]


@pytest.mark.parametrize("body,status,names,score", [pytest.param(*row[1:], id=row[0]) for row in POLICIES])
def test_policy(sender, body, status, names, score):
    sender.policy.body, sender.policy.status = body, status
    answer = sender.ask()
    named = {finding["name"] for finding in answer["findings"] if finding["severity"] in ("weak", "bad")}
    assert (named, answer["score"]) == (names, score), answer["findings"]


def test_policy_needs_a_right_certificate(sender):
    sender.config.write_text(sender.config.read_text().replace(f'tls_trust "{sender.policy.authority.path}"; ', ""))
    answer = sender.ask()
    assert [finding["name"] for finding in answer["findings"] if finding["lost"]] == ["sts_policy_invalid"]
    assert "cannot be fetched" in str(answer["findings"])


ZONE = "zen.spamhaus.org"
TRIALS = [  # what a list does wrong, and what is said of it; its listing of our address is never believed
    ("its test entry is missing", at("2.0.0.127." + ZONE, kind="A"), "its test entry is not listed"),
    ("it lists everything", at("1.0.0.127." + ZONE, "127.0.0.2", kind="A"), "it lists what must not be listed"),
    ("it refuses the resolver", at("2.0.0.127." + ZONE, "127.255.255.254", kind="A"), "it refuses the questions of this resolver"),
    ("its domain was sold", at("2.0.0.127." + ZONE, "203.0.113.9", kind="A"), "what it answers is not what a blocklist answers"),
    ("it fails", lambda records: records.update({("2.0.0.127." + ZONE, "A"): "SERVFAIL"}), "it does not answer"),
]


@pytest.mark.parametrize("change,reason", [pytest.param(*row[1:], id=row[0]) for row in TRIALS])
def test_a_blocklist_is_tried_before_it_is_believed(sender, change, reason):
    """RFC 5782 5."""
    at(LISTED, "127.0.0.2", kind="A")(sender.records)
    change(sender.records)
    answer = sender.ask(status=0)
    notes = [finding["text"] for finding in answer["findings"] if finding["name"] == "blocklist_not_believed"]
    assert notes == [f"{ZONE} (IPv4) is passed over: {reason}"], notes
    assert answer["score"] == 100 and answer["verdict"] == "good"


@pytest.mark.parametrize("code", ["127.255.255.254", "127.255.255.255", "127.255.255.1", "127.0.0.1", "198.51.100.1"])
def test_an_error_is_no_listing(sender, code):
    at(LISTED, code, kind="A")(sender.records)
    answer = sender.ask(status=0)
    assert answer["score"] == 100 and not any(finding["name"].startswith("listed") for finding in answer["findings"])


def test_the_reason_of_a_listing_is_told(sender):
    at(LISTED, "127.0.0.2", "127.0.0.4", kind="A")(sender.records)
    at(LISTED, "https://check.example/query")(sender.records)
    text = [finding["text"] for finding in sender.ask()["findings"] if finding["name"] == "listed"]
    assert len(text) == 1 and text[0].endswith(": https://check.example/query"), text
    assert "127.0.0.2" in text[0] and "127.0.0.4" in text[0]


def test_what_is_not_known_costs_nothing(sender):
    for name in ("_dmarc." + DOMAIN, "_smtp._tls." + DOMAIN, "default._bimi." + DOMAIN):
        sender.records[(name, "TXT")] = "SERVFAIL"
    sender.records[("25.2.0.192.in-addr.arpa", "PTR")] = "SERVFAIL"
    answer = sender.ask(status=0)
    assert answer["score"] == 100 and answer["judged_points"] == 81
    assert {finding["area"] for finding in answer["findings"] if finding["severity"] == "unknown"} == {
        "dmarc", "tlsrpt", "bimi", "reverse_dns"}
    check_arithmetic(answer)


def test_selectors_are_guessed(sender):
    sender.records[("google._domainkey." + DOMAIN, "TXT")] = sender.records.pop((KEY, "TXT"))
    answer = json.loads(sender.run(DOMAIN, "--config", str(sender.config), "--json", status=0).stdout)
    texts = [finding["text"] for finding in answer["findings"] if finding["area"] == "dkim"]
    assert texts == ["selector google: rsa, 2048 bits", "the selectors were guessed; others may be in use"]


@pytest.fixture(scope="module")
def own_key(tmp_path_factory):
    """The private key of a relay, and its public part as the DNS has it."""
    path = tmp_path_factory.mktemp("key") / "s2026.pem"
    openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", path)
    return path, "".join(openssl("pkey", "-in", path, "-pubout").splitlines()[1:-1])


def test_our_own_signature_is_verified(sender, own_key):
    path, public = own_key
    sender.config.write_text(sender.config.read_text() + f'dkim "s2026._domainkey.{DOMAIN}" {{ key "{path}"; }}\n')
    at(KEY, "v=DKIM1; p=" + public)(sender.records)
    command = (DOMAIN, "--config", str(sender.config), "--json")
    answer = json.loads(sender.run(*command, status=0).stdout)
    texts = [finding["text"] for finding in answer["findings"] if finding["area"] == "dkim"]
    assert texts == ["selector s2026: rsa, 2048 bits; our own signature is verified by it"] and answer["score"] == 100
    at(KEY, "v=DKIM1; p=" + KEY_2048)(sender.records)
    answer = json.loads(sender.run(*command, status=1).stdout)
    names = {finding["name"] for finding in answer["findings"] if finding["lost"]}
    assert names == {"dkim_own_differs"} and answer["score"] == 82 and answer["verdict"] == "poor"


def test_nothing_is_guessed_from_nothing(sender):
    """No selector guessed right, no address known: these areas are not judged, and it is said how they would be."""
    answer = json.loads(sender.run(DOMAIN, "--nameserver", f"127.0.0.1:{sender.dns.port}", "--json").stdout)
    judged = {area["area"]: area["judged"] for area in answer["areas"]}
    assert not judged["dkim"] and not judged["reverse_dns"] and judged["spf"]
    assert {"dkim_not_guessed", "no_address"} <= {finding["name"] for finding in answer["findings"]}


def test_dmarc_of_the_organisation(sender):
    """RFC 7489 6.6.3: the record of the domain that was registered, and its policy for subdomains."""
    at(DMARC, "v=DMARC1; p=reject; sp=quarantine; rua=mailto:dmarc@good.test")(sender.records)
    answer = sender.ask(domain="news.good.test")
    texts = [finding["text"] for finding in answer["findings"] if finding["area"] == "dmarc"]
    assert "the policy is quarantine; alignment: DKIM relaxed, SPF relaxed" in texts
    assert any("good.test" in text for text in texts)


def test_reports_elsewhere_that_are_taken(sender):
    """RFC 7489 7.1."""
    at(DMARC, "v=DMARC1; p=reject; rua=mailto:a@reports.test")(sender.records)
    at("good.test._report._dmarc.reports.test", "v=DMARC1")(sender.records)
    assert sender.ask(status=0)["score"] == 100


def test_what_to_do_comes_by_gain(sender):
    at(DMARC)(sender.records)
    at("_smtp._tls." + DOMAIN)(sender.records)
    at("mx2.good.test", kind="AAAA")(sender.records)
    at(KEY, "v=DKIM1; p=" + KEY_1024)(sender.records)
    text = sender.run(DOMAIN, "--config", str(sender.config), "--selector", "s2026", status=1).stdout
    steps = text.split("what to do\n")[1].splitlines()
    gains = [int(step.split()[0]) for step in steps]
    assert gains == sorted(gains, reverse=True) and gains[0] == 15 and len(gains) == 5, text
    assert steps[0].split(None, 1)[1].startswith("DMARC: Publish")


def test_a_silent_resolver_ends_in_time(sender):
    for key in list(sender.records):
        sender.records[key] = "silence"
    sender.records.update({(DOMAIN, "*"): "silence"})
    result = sender.run(DOMAIN, "--config", str(sender.config), "--timeout", "2s", "--json")
    answer = json.loads(result.stdout)
    assert {area["area"] for area in answer["areas"] if area["judged"]} <= {"dkim", "reverse_dns"}
    assert "no answer" in str(answer["findings"])


def test_international_domain(sender):
    sender.records[("xn--bcher-kva.test", "TXT")] = [txt("v=spf1 -all")]
    answer = json.loads(sender.run("B\u00fccher.Test", "--nameserver", f"127.0.0.1:{sender.dns.port}", "--json").stdout)
    assert answer["domain"] == "xn--bcher-kva.test" and answer["spf"]["record"] == "v=spf1 -all"


def test_json_has_the_facts(sender):
    at(LISTED, "127.0.0.2", kind="A")(sender.records)
    answer = sender.ask(status=1)
    assert answer["dmarc"] == {"domain": DOMAIN, "record": "v=DMARC1; p=reject; rua=mailto:dmarc@good.test"}
    assert answer["selectors"] == [{"selector": "s2026", "guessed": False, "kind": "rsa", "bits": 2048, "record": "v=DKIM1; k=rsa; p=" + KEY_2048}]
    assert answer["listings"] == [{"zone": "zen.spamhaus.org", "object": IP, "codes": "127.0.0.2", "reason": "", "major": True}]
    assert answer["mx"] == ["mx1.good.test", "mx2.good.test"]  # by preference
    assert not answer["cut"] and 0 < answer["questions"] < 200


def test_the_name_that_leads_back_is_told(sender):
    at("25.2.0.192.in-addr.arpa", "other.good.test.", "mail.good.test.", kind="PTR")(sender.records)
    texts = [finding["text"] for finding in sender.ask(status=0)["findings"] if finding["name"] == "ptr"]
    assert f"{IP} is mail.good.test, and back" in texts


def test_strangers_text_does_not_steer_the_terminal(sender):
    at(LISTED, "127.0.0.2", kind="A")(sender.records)
    sender.records[(LISTED, "TXT")] = ['"\\027[31mred\\007"']
    text = sender.run(DOMAIN, "--config", str(sender.config), "--selector", "s2026", status=1).stdout
    assert "red" in text and "\x1b" not in text and "\x07" not in text


@pytest.mark.parametrize("arguments,what", [
    ((), "one domain is needed"),
    (("a.test", "b.test"), "one domain is needed"),
    (("localhost",), "localhost: not a domain"),
    (("exa mple.test",), "not a domain"),
    (("a.test", "--ip", "192.0.2"), "--ip 192.0.2: not an IP address"),
    (("a.test", "--selector", "a b"), "--selector a b: not a selector"),
    (("a.test", "--timeout", "soon"), "--timeout soon: not a duration"),
    (("a.test", "--moo"), "no such option"),
    (("a.test", "--nameserver", "nowhere"), "is not an address of a server"),
    (("a.test", *("--ip", "192.0.2.1") * 9), "at most 8 addresses"),
])
def test_usage(arguments, what):
    result = subprocess.run([OUTLAST, "reputation", *arguments], capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert result.returncode in (2, 3) and what in result.stderr, result.stderr


def test_what_the_relay_heard(sender, tmp_path):
    """Joined with the relay's own replies: they rose since a certain hour (issue 5, part 5)."""
    log = tmp_path / "events.log"
    now = datetime.datetime.now(datetime.timezone.utc)
    stamp = lambda minutes: (now - datetime.timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    event = lambda minutes, site, **more: json.dumps({"time": stamp(minutes), "event": "deferred", "sender": "me@good.test", "site": site,
                                                      "status": "4.7.28", "code": 421, "reply": "421 4.7.28 unusual rate", **more},
                                                     separators=(",", ":"))
    quiet = [event(60 * hour, "mx.one.test") for hour in range(150, 4, -2)]
    others = [event(30, "mx.x.test", sender="you@other.test"), event(30, "mx.x.test", status="4.2.2"), "not JSON .7.", event(30, "mx.x.test", event="delivered")]
    loud = [event(minutes, f"mx.{('one', 'two', 'three')[minutes % 3]}.test") for minutes in range(180, 0, -10)]
    sender.config.write_text(sender.config.read_text() + f'report {{ event_log "{log}"; }}\n')
    assert sender.ask()["own_replies"] is None
    log.write_text("\n".join(quiet + others) + "\n")
    assert sender.ask()["own_replies"] == {"replies": len(quiet)}
    log.write_text("\n".join(quiet + loud + others) + "\n")
    rise = sender.ask()["own_replies"]["rise"]
    assert 6 <= rise["times"] <= 14 and set(rise["sites"]) == {"mx.one.test", "mx.two.test", "mx.three.test"}
    assert abs((datetime.datetime.fromisoformat(rise["since"].replace("Z", "+00:00")) - now).total_seconds() + 180 * 60) <= 3700
    text = sender.run(DOMAIN, "--config", str(sender.config), "--selector", "s2026").stdout
    assert "replies about policy or reputation (x.7.x) rose" in text and "from 3 sites" in text
