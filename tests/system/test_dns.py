"""The resolver against a name server of independent code (dnspython): standards 3.1 to 3.5, 7.5, 7.6."""

import os
import pathlib
import socket
import socketserver
import struct
import subprocess
import threading
import time

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest

from world import OUTLAST

PROBE = pathlib.Path(os.environ.get("DNS_PROBE", pathlib.Path(OUTLAST).resolve().parent / "tests/unit/dns/dns_probe"))


class Server:
    """UDP and TCP on one port. `script` maps (name, type) to a function that fills a response, or returns None to say
    nothing; a name without one is answered by NXDOMAIN."""

    def __init__(self):
        self.script = {}
        self.queries = []
        self.stopped = threading.Event()
        while True:
            self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.udp.bind(("127.0.0.1", 0))
            self.port = self.udp.getsockname()[1]
            try:
                self.tcp = socketserver.ThreadingTCPServer(("127.0.0.1", self.port), self.handler())
                break
            except OSError:
                self.udp.close()
        self.tcp.daemon_threads = True
        self.udp.settimeout(0.1)
        self.threads = [threading.Thread(target=self.serve_udp, daemon=True),
                        threading.Thread(target=self.tcp.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)]
        for thread in self.threads:
            thread.start()

    def handler(self):
        server = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                while len(length := self.rfile.read(2)) == 2:
                    wire = server.answer(self.rfile.read(struct.unpack("!H", length)[0]), "tcp")
                    if wire:
                        self.wfile.write(struct.pack("!H", len(wire)) + wire)

        return Handler

    def serve_udp(self):
        while not self.stopped.is_set():
            try:
                wire, peer = self.udp.recvfrom(4096)
            except socket.timeout:
                continue
            except OSError:
                return
            response = self.answer(wire, "udp")
            if response:
                self.udp.sendto(response, peer)

    def answer(self, wire, transport):
        query = dns.message.from_wire(wire)
        question = query.question[0]
        key = (question.name.to_text().rstrip(".").lower(), dns.rdatatype.to_text(question.rdtype))
        self.queries.append(key + (transport,))
        response = dns.message.make_response(query)
        response.flags |= dns.flags.AA | dns.flags.RA
        fill = self.script.get(key)
        if fill is None and not any(name == key[0] or name.endswith("." + key[0]) for name, _ in self.script):
            response.set_rcode(dns.rcode.NXDOMAIN)
        if fill is None:
            response.authority.append(soa())
        elif fill(response, transport) is False:
            return None
        try:
            return response.to_wire(max_size=65535 if transport == "tcp" else max(query.payload, 512))
        except dns.exception.TooBig:
            response.answer.clear()
            response.flags |= dns.flags.TC
            return response.to_wire()

    def stop(self):
        self.stopped.set()
        self.tcp.shutdown()
        self.tcp.server_close()
        self.udp.close()


def soa(ttl=1):
    return dns.rrset.from_text("test.", ttl, "IN", "SOA", "ns.test. root.test. 1 3600 600 86400 1")


def records(*rows, ttl=300):
    """rows: (name, type, data...)"""

    def fill(response, _):
        for name, kind, *data in rows:
            response.answer.append(dns.rrset.from_text(name + ".", ttl, "IN", kind, *data))

    return fill


def rcode(code):
    def fill(response, _):
        response.set_rcode(code)

    return fill


def silence(_response, _transport):
    return False


def nodata(response, _transport):
    response.authority.append(soa())


class Probe:
    def __init__(self, port):
        self.process = subprocess.Popen([str(PROBE), f"127.0.0.1:{port}"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True)

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().rstrip("\n")

    def route(self, domain):
        status, text, _ = self.ask("route " + domain).split("|")
        return status, text

    def stop(self):
        self.process.stdin.close()
        assert self.process.wait(30) == 0


@pytest.fixture
def net():
    server = Server()
    probe = Probe(server.port)
    yield server, probe
    probe.stop()
    server.stop()


def mx(name, *data, ttl=300):
    return {(name, "MX"): records((name, "MX", *data), ttl=ttl)}


def test_answers(net):
    server, probe = net
    server.script = {
        **mx("a.test", "20 b.a.test.", "10 A.a.test."),
        **mx("null.test", "0 ."),
        **mx("half-null.test", "0 .", "10 mx.half-null.test."),
        ("nodata.test", "MX"): nodata,
        ("nodata.test", "A"): nodata,
        ("nodata.test", "AAAA"): nodata,
        ("implicit.test", "MX"): nodata,
        ("implicit.test", "A"): records(("implicit.test", "A", "127.0.0.9")),
        ("half.test", "MX"): nodata,
        ("half.test", "A"): nodata,
        ("half.test", "AAAA"): rcode(dns.rcode.SERVFAIL),
        ("broken.test", "MX"): rcode(dns.rcode.SERVFAIL),
        ("refused.test", "MX"): rcode(dns.rcode.REFUSED),
        ("notimp.test", "MX"): rcode(dns.rcode.NOTIMP),
        ("dead.test", "MX"): silence,
    }
    rows = {
        "a.test": ("found", "10 a.a.test,20 b.a.test"),
        "null.test": ("null_mx", "null.test accepts no mail (null MX)"),  # 7.5
        "half-null.test": ("found", "10 mx.half-null.test"),  # 7.6
        "nodata.test": ("no_hosts", "nodata.test has neither MX nor address records"),
        "implicit.test": ("found", "0 implicit.test"),  # 3.2
        "half.test": ("server_failure", "DNS lookup of AAAA half.test: SERVFAIL"),  # not for good on half an answer
        "nowhere.test": ("no_domain", "DNS lookup of MX nowhere.test: NXDOMAIN"),  # 3.1
        "broken.test": ("server_failure", "DNS lookup of MX broken.test: SERVFAIL"),
        "refused.test": ("server_failure", "DNS lookup of MX refused.test: SERVFAIL"),
        "notimp.test": ("server_failure", "DNS lookup of MX notimp.test: SERVFAIL"),
        "dead.test": ("timeout", "DNS lookup of MX dead.test: no answer within 3 s"),
    }
    assert {domain: probe.route(domain) for domain in rows} == rows


def test_a_dead_name_does_not_hold_up_the_others(net):
    server, probe = net
    server.script = {("dead.test", "MX"): silence, **mx("a.test", "10 mx.a.test.")}
    second = Probe(server.port)
    second.process.stdin.write("route dead.test\n")
    second.process.stdin.flush()
    began = time.monotonic()
    assert probe.route("a.test")[0] == "found"
    assert time.monotonic() - began < 2
    assert second.process.stdout.readline().startswith("timeout")
    assert 2.5 < time.monotonic() - began < 5
    second.stop()


def test_truncated_goes_to_tcp(net):
    server, probe = net

    def fill(response, transport):
        if transport == "udp":
            response.flags |= dns.flags.TC
        else:
            records(("cut.test", "MX", "10 mx.cut.test."))(response, transport)

    server.script = {("cut.test", "MX"): fill}
    assert probe.route("cut.test") == ("found", "10 mx.cut.test")
    assert ("cut.test", "MX", "tcp") in server.queries


def test_many_records(net):
    server, probe = net
    server.script = mx("big.test", *[f"{i} mx{i}.big.test." for i in range(400)])
    status, text = probe.route("big.test")
    assert status == "found" and text.startswith("0 mx0.big.test,1 mx1.big.test,")


def test_aliases(net):
    server, probe = net
    chain = [(f"c{i}.test", "CNAME", f"c{i + 1}.test.") for i in range(5)]
    server.script = {
        ("c0.test", "MX"): records(*chain, ("c5.test", "MX", "10 mx.c.test.")),
        ("l0.test", "MX"): records(("l0.test", "CNAME", "l1.test."), ("l1.test", "CNAME", "l0.test.")),
        ("dangling.test", "MX"): records(("dangling.test", "CNAME", "nowhere.test.")),
        ("mxhost.test", "A"): records(("mxhost.test", "CNAME", "real.test."), ("real.test", "A", "127.0.0.7")),
        ("mxhost.test", "AAAA"): records(("mxhost.test", "CNAME", "real.test.")),
        ("real.test", "A"): records(("real.test", "A", "127.0.0.7")),
        ("real.test", "AAAA"): nodata,
    }
    for i in range(1, 5):
        server.script[(f"c{i}.test", "MX")] = records(*chain[i:], ("c5.test", "MX", "10 mx.c.test."))
    server.script[("c5.test", "MX")] = records(("c5.test", "MX", "10 mx.c.test."))
    server.script[("l1.test", "MX")] = records(("l1.test", "CNAME", "l0.test."), ("l0.test", "CNAME", "l1.test."))
    assert probe.route("c0.test") == ("found", "10 mx.c.test")  # the route of the target, the domain as it was
    assert probe.route("l0.test")[0] == "server_failure"
    assert probe.route("dangling.test")[0] == "no_domain"
    assert probe.ask("addresses mxhost.test") == "found|127.0.0.7"  # 3.5


def test_an_answer_for_another_name_is_not_taken(net):
    server, probe = net

    def lie(response, _):
        response.answer.append(dns.rrset.from_text("victim.test.", 3600, "IN", "MX", "10 evil.test."))

    server.script = {("liar.test", "MX"): lie, **mx("victim.test", "10 good.test.")}
    status, text = probe.route("liar.test")
    assert status in ("server_failure", "no_hosts", "timeout") and "evil" not in text
    assert probe.route("victim.test") == ("found", "10 good.test")


def test_names_that_no_host_can_have(net):
    server, probe = net
    server.script = {
        **mx("odd.test", r"10 a\032b.test.", r"20 c\013\010QUIT.test.", "30 good.test."),
        **mx("only-odd.test", r"10 a\046b.test."),
    }
    assert probe.route("odd.test") == ("found", "30 good.test")
    assert probe.route("only-odd.test")[0] == "no_hosts"  # 3.2: no fallback to an address


@pytest.mark.parametrize("ttl", [0, 1])
def test_a_moved_mx_is_seen_after_its_ttl(net, ttl):
    server, probe = net
    server.script = mx("moved.test", "10 old.test.", ttl=ttl)
    assert probe.route("moved.test") == ("found", "10 old.test")
    server.script = mx("moved.test", "10 new.test.", ttl=ttl)
    time.sleep(ttl + 1.2)
    assert probe.route("moved.test") == ("found", "10 new.test")


def test_a_moved_alias_is_seen_after_its_own_ttl(net):
    """The alias lives 1 s, its target an hour: the shorter life counts."""
    server, probe = net

    def point_to(target):
        def fill(response, _):
            response.answer.append(dns.rrset.from_text("alias.test.", 1, "IN", "CNAME", target + "."))
            response.answer.append(dns.rrset.from_text(target + ".", 3600, "IN", "MX", f"10 mx.{target}."))

        server.script[("alias.test", "MX")] = fill
        server.script[(target, "MX")] = records((target, "MX", f"10 mx.{target}."), ttl=3600)

    point_to("one.test")
    assert probe.route("alias.test") == ("found", "10 mx.one.test")
    point_to("two.test")
    time.sleep(2.2)
    assert probe.route("alias.test") == ("found", "10 mx.two.test")


def test_forget(net):
    server, probe = net
    server.script = mx("kept.test", "10 old.test.", ttl=3600)
    assert probe.route("kept.test") == ("found", "10 old.test")
    server.script = mx("kept.test", "10 new.test.", ttl=3600)
    time.sleep(1.2)
    assert probe.route("kept.test") == ("found", "10 old.test")
    probe.process.stdin.write("forget kept.test\n")
    assert probe.route("kept.test") == ("found", "10 new.test")


def test_a_server_that_was_down_is_asked_again_soon(net):
    server, probe = net
    server.script = {(f"d{i}.test", "MX"): silence for i in range(3)}
    for i in range(3):
        assert probe.route(f"d{i}.test")[0] in ("timeout", "server_failure")
    server.script = mx("back.test", "10 mx.back.test.")
    began = time.monotonic()
    while probe.route("back.test")[0] != "found":
        time.sleep(0.5)
        assert time.monotonic() - began < 30
