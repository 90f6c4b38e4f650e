"""`outlast check` against destinations of which each is broken in one way: it has to be named."""

import asyncio
import json
import ssl
import subprocess

import pytest

from certificates import Authority
from test_reputation import PolicyServer
from world import OUTLAST, PATIENCE_S, Dns, Loop, Relay, Sink, free_address, free_port

HERE = free_address(60)


class Server(Sink):
    """A Sink with STARTTLS by an SSL context; `starttls` may be a reply instead, or "drop"."""

    def __init__(self, loop, address, port, script=None, starttls=None):
        self.starttls = starttls
        self.heard = []
        super().__init__(loop, address, port, script, ("PIPELINING", "SIZE 1000000") + (("STARTTLS",) if starttls else ()))

    async def command(self, reader, writer, session):
        line = (await reader.readuntil(b"\n")).decode().rstrip()
        self.heard.append(line)
        verb = line.split()[0].upper()
        if verb == "STARTTLS" and isinstance(self.starttls, ssl.SSLContext):
            await self.say(writer, "220 go")
            await writer.start_tls(self.starttls)
            return True
        if verb == "STARTTLS" and self.starttls != "break":
            await self.say(writer, self.starttls)
            return True
        if verb == "STARTTLS":
            await self.say(writer, "220 go")
            await self.say(writer, "this is no handshake" * 10)
            return True
        again = asyncio.StreamReader()
        again.feed_data(line.encode() + b"\r\n")
        return await super().command(again, writer, session)


class Town:
    """Domains NAME.test, each with its trouble, on one DNS server; all hosts share a port."""

    def __init__(self, folder):
        self.folder, self.loop = folder, Loop()
        self.dns = Dns(self.loop)
        self.port = free_port(HERE)
        self.authority = Authority(folder / "ca")
        self.servers, self.count = {}, 0
        self.config = folder / "check.conf"
        self.config.write_text(f'hostname "me.test";\ndeliver {{ ipv6 no; port {self.port}; tls_trust "{self.authority.path}"; }}\n'
                               f'dns {{ servers "127.0.0.1:{self.dns.port}"; timeout 2s; }}\nadmin {{ socket "{folder}/none"; }}\n')
        self.good = self.context(self.authority.issue("mx.good.test"))

    def context(self, path):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context

    def serve(self, domain, script=None, starttls=None, host=None, preference=10, name=None):
        self.count += 1
        address = free_address(60 + self.count)
        host = host or f"mx.{domain}"
        self.dns.records.setdefault((domain, "MX"), []).append(f"{preference} {host}.")
        self.dns.records[(host, "A")] = [address]
        starttls = starttls or self.context(self.authority.issue(name or host, days=30))
        server = Server(self.loop, address, self.port, script, None if starttls == "none" else starttls)
        self.servers[host] = server
        return server

    def check(self, subject, *arguments, timeout="6s"):
        result = subprocess.run([OUTLAST, "check", subject, "--json", "--config", self.config, "--timeout", timeout, *arguments],
                                capture_output=True, text=True, timeout=PATIENCE_S, check=False)
        assert result.stdout, result.stderr
        return json.loads(result.stdout), result.returncode

    def stop(self):
        for server in self.servers.values():
            server.stop()
        self.loop.stop()


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    town = Town(tmp_path_factory.mktemp("check"))
    yield town
    town.stop()


def names(answer, *severities):
    return {finding["name"] for finding in answer["findings"] if not severities or finding["severity"] in severities}


def test_in_order(town):
    town.serve("good.test")
    answer, status = town.check("good.test")
    assert status == 0 and answer["accepts_mail"] == "yes" and names(answer, "warning", "broken") == {"mx-private-address"}
    server = answer["hosts"][0]["servers"][0]
    assert server["takes_mail"] and "SIZE 1000000" in server["extensions"] and server["banner"].startswith("220 sink")
    assert server["tls"]["verdict"] == "verified" and server["tls"]["protocol"] == "TLSv1.3"
    assert server["tls"]["certificate"]["names"] == ["mx.good.test"]
    assert not any(line.upper().startswith(("MAIL", "RCPT", "DATA")) for line in town.servers["mx.good.test"].heard)


def test_with_an_address_up_to_rcpt_and_never_data(town):
    server = town.serve("asked.test")
    answer, status = town.check("you@asked.test")
    assert status == 0 and answer["recipient"] == "you@asked.test"
    said = [line.split(":")[0].upper() for line in server.heard]
    assert said == ["EHLO ME.TEST", "STARTTLS", "EHLO ME.TEST", "MAIL FROM", "RCPT TO", "RSET", "QUIT"]
    assert "MAIL FROM:<>" in server.heard and "RCPT TO:<you@asked.test>" in server.heard


# domain: (what is in its DNS besides "{}", the finding, its verdict)
IN_DNS = {
    "nowhere.test": ({}, "no-such-domain", "no"),
    "nullmx.test": ({("nullmx.test", "MX"): ["0 ."]}, "null-mx", "no"),
    "servfail.test": ({("servfail.test", "MX"): "SERVFAIL"}, "dns-failure", "no"),
    "silentdns.test": ({("silentdns.test", "MX"): "silence"}, "dns-timeout", "unknown"),
    "noaddress.test": ({("noaddress.test", "TXT"): ['"x"']}, "mx-without-address", "no"),
    "literal.test": ({("literal.test", "MX"): ["10 192.0.2.1."]}, "mx-is-address", "no"),
    "gonehost.test": ({("gonehost.test", "MX"): ["10 mx.nosuch.test."]}, "mx-does-not-exist", "no"),
    "emptyhost.test": ({("emptyhost.test", "MX"): ["10 mx.emptyhost.test."], ("mx.emptyhost.test", "TXT"): ['"x"']}, "mx-without-address", "no"),
    "brokenhost.test": ({("brokenhost.test", "MX"): ["10 mx.brokenhost.test."], ("mx.brokenhost.test", "*"): "SERVFAIL"}, "mx-dns-failure", "no"),
}


@pytest.mark.parametrize("domain", IN_DNS)
def test_broken_dns(town, domain):
    records, finding, verdict = IN_DNS[domain]
    town.dns.records.update(records)
    answer, status = town.check(domain)
    assert finding in names(answer, "broken") and answer["accepts_mail"] == verdict
    assert status == {"no": 4, "unknown": 3}[verdict]


def test_alias_and_null_mx_among_others(town):
    town.serve("alias.test", host="real.alias.test", name="mx.alias.test")
    town.dns.records[("alias.test", "MX")] = ["10 mx.alias.test.", "0 ."]
    for kind in ("A", "CNAME"):
        town.dns.records[("mx.alias.test", kind)] = ["real.alias.test."] if kind == "CNAME" else town.dns.records[("real.alias.test", "A")]
    answer, _ = town.check("alias.test")
    assert {"mx-is-alias", "null-mx-among-others"} <= names(answer, "warning") and answer["accepts_mail"] == "yes"


def test_no_mx_but_an_address(town):
    server = town.serve("implicit.test", host="implicit.test")
    del town.dns.records[("implicit.test", "MX")]
    answer, status = town.check("implicit.test")
    assert "no-mx" in names(answer, "note") and status == 0 and server.heard


def test_the_same_preference_and_a_host_that_is_down(town):
    town.serve("half.test", host="mx1.half.test")
    town.serve("half.test", host="mx2.half.test").stop()
    answer, status = town.check("half.test")
    assert {"same-preference", "connection-refused", "takes-mail"} <= names(answer) and answer["accepts_mail"] == "partly" and status == 1
    where, = [finding["where"] for finding in answer["findings"] if finding["name"] == "connection-refused"]
    assert where.startswith("mx2.half.test [")


# what the server says: (script, STARTTLS), the finding, its severity, the verdict
SAID = {
    "busy": ({"connect": "421 4.3.2 too busy"}, None, "busy", "warning", "partly"),
    "blocked": ({"connect": "554 5.7.1 your address is on a blocklist"}, None, "refuses-us", "broken", "no"),
    "garbage": ({"connect": "SSH-2.0-OpenSSH_9.2"}, None, "not-smtp", "broken", "no"),
    "hangsup": ({"connect": "drop"}, None, "hangs-up", "broken", "no"),
    "nobanner": ({"connect": "stall"}, None, "silent", "broken", "no"),
    "noehlo": ({"ehlo": "502 5.5.1 what?"}, None, "no-ehlo", "warning", "yes"),
    "ehlorefused": ({"ehlo": "421 4.7.0 go away"}, None, "busy", "warning", "partly"),
    "stalls": ({"ehlo": "stall"}, None, "silent", "broken", "no"),
    "plain": ({}, "none", "no-starttls", "warning", "yes"),
    "tlsrefused": ({}, "454 4.7.0 TLS not available", "starttls-refused", "warning", "yes"),
    "tlsbroken": ({}, "break", "starttls-broken", "warning", "yes"),
    "unknown": ({"rcpt": "550 5.1.1 no such user"}, None, "refuses-recipient", "broken", "no"),
    "greylists": ({"rcpt": "450 4.7.1 greylisted, try again in 5 minutes"}, None, "greylists", "note", "partly"),
    "full": ({"rcpt": "452 4.2.2 mailbox full"}, None, "defers-recipient", "warning", "partly"),
    "relaying": ({"rcpt": "554 5.7.1 relay access denied"}, None, "refuses-recipient", "broken", "no"),
    "nonull": ({"mail": "550 5.7.1 null sender not wanted"}, None, "refuses-null-sender", "broken", "no"),
}


@pytest.mark.parametrize("name", SAID)
def test_said(town, name):
    script, starttls, finding, severity, verdict = SAID[name]
    town.serve(f"{name}.test", script, starttls)
    answer, _ = town.check(f"you@{name}.test", timeout="4s")
    assert finding in names(answer, severity), answer["findings"]
    assert answer["accepts_mail"] == verdict


@pytest.mark.parametrize("trouble, finding", [("expired", "certificate-expired"), ("name", "certificate-wrong-name"), ("self", "certificate-not-trusted")])
def test_certificates(town, trouble, finding):
    domain = f"cert-{trouble}.test"
    path = {"expired": lambda: town.authority.issue(f"mx.{domain}", days=-1), "name": lambda: town.authority.issue("other.test"),
            "self": lambda: town.authority.issue(f"mx.{domain}", self_signed=True)}[trouble]()
    town.serve(domain, starttls=town.context(path))
    answer, status = town.check(domain)
    assert finding in names(answer, "note") and status == 0  # most senders encrypt all the same
    assert answer["hosts"][0]["servers"][0]["tls"]["starttls"] == "works"


def test_policies(town):
    town.serve("policies.test")
    town.dns.records[("_mta-sts.policies.test", "TXT")] = ['"v=STSv1; id=1;"']
    town.dns.records[("_smtp._tls.policies.test", "TXT")] = ['"v=TLSRPTv1; rua=fax:12345"']
    answer, _ = town.check("policies.test")
    assert {"sts-policy-missing", "tlsrpt-broken"} <= names(answer, "warning")


def test_sts_policy(town, tmp_path):
    policy = PolicyServer(tmp_path)  # for good.test
    trust = town.authority.path.read_text()
    town.authority.path.write_text(trust + policy.authority.path.read_text())
    town.dns.records[("_mta-sts.good.test", "TXT")] = ['"v=STSv1; id=1;"']
    town.dns.records[("mta-sts.good.test", "A")] = [policy.address]
    try:
        answer, status = town.check("good.test")
        assert status == 0 and answer["sts"] == "enforce" and answer["hosts"][0]["in_sts_policy"]
        policy.body = policy.body.replace("*.good.test", "mx.other.test")
        answer, status = town.check("good.test")
        assert status == 1 and "mx-not-in-sts-policy" in names(answer, "broken")
    finally:
        town.authority.path.write_text(trust)
        del town.dns.records[("_mta-sts.good.test", "TXT")]
        policy.stop()


def test_sources_and_text(town):
    town.serve("sources.test")
    answer, _ = town.check("sources.test", "--source", "127.0.0.1", "--source", "127.0.0.2")
    assert [server["source"] for server in answer["hosts"][0]["servers"]] == ["127.0.0.1", "127.0.0.2"]
    text = subprocess.run([OUTLAST, "check", "nullmx.test", "--config", town.config, "--timeout", "6s"], capture_output=True, text=True, check=False)
    assert text.returncode == 4 and text.stdout.startswith("nullmx.test: accepting mail: no: it says that it takes no mail\n")
    assert "what to do" in text.stdout


def test_the_relays_memory_is_shown(town, tmp_path):
    server = town.serve("known.test", {"rcpt": "452 4.2.2 mailbox full"})
    relay = Relay(tmp_path, town.dns, town.port, destination="lifetime 1h;")
    relay.send("me@out.test", ["you@known.test"])
    relay.wait_event("deferred")
    answer = json.loads(subprocess.run([OUTLAST, "check", "known.test", "--json", "--config", relay.config, "--timeout", "6s"],
                                       capture_output=True, text=True, check=False).stdout)
    text = subprocess.run([OUTLAST, "check", "known.test", "--config", relay.config, "--timeout", "6s"], capture_output=True, text=True, check=False)
    relay.stop()
    server.stop()
    assert answer["relay"]["causes"] == {"mailbox_full": 1}
    assert "the relay here\n  waiting  mailbox_full 1" in text.stdout


@pytest.mark.parametrize("arguments, problem", [
    (["nothing at all"], "neither a domain nor a mail address"), (["@a.test"], "neither a domain nor a mail address"), (["you@[192.0.2.1]"], "neither a domain nor a mail address"), ([], "one domain or address"),
    (["a.test", "--port", "99999"], "not a port"), (["a.test", "--source", "x"], "not an IP address"), (["a.test", "--timeout", "x"], "not a duration")])
def test_bad_arguments(arguments, problem):
    result = subprocess.run([OUTLAST, "check", *arguments], capture_output=True, text=True, check=False)
    assert result.returncode == 2 and problem in result.stderr
