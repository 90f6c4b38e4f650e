"""TLS to other servers: for each policy and each state of the server's TLS, what becomes of the mail. Servers are asyncio's and aiosmtpd's
TLS, certificates the openssl command's."""

import ssl
import warnings

import pytest
from aiosmtpd.controller import Controller

from certificates import Authority
from world import Dns, Loop, Relay, Sink, free_port, wait_until


class TlsSink(Sink):
    """A Sink that offers STARTTLS; `behaviour`: an SSL context, "refuse", "drop"; None: it offers none."""

    def __init__(self, loop, address, port, behaviour):
        self.behaviour = behaviour
        super().__init__(loop, address, port, extensions=("PIPELINING", "STARTTLS") if behaviour else ("PIPELINING",))

    async def say(self, writer, reply):
        if not reply.startswith("502"):
            await super().say(writer, reply)
            return
        if self.behaviour in (None, "refuse"):
            await super().say(writer, "454 4.7.0 no TLS today")
            return
        await super().say(writer, "220 2.0.0 go")
        if self.behaviour == "drop":
            raise ConnectionResetError
        try:
            await writer.start_tls(self.behaviour)
        except ssl.SSLError as error:
            raise ConnectionResetError from error


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


def server_context(path):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


def old_context(path):
    """Speaks nothing that we do."""
    context = server_context(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    return context


def behaviours(authority):
    return {
        "good": server_context(authority.issue("mx.a.test")),
        "expired": server_context(authority.issue("mx.a.test", days=-1)),
        "wrong name": server_context(authority.issue("mx.elsewhere.test")),
        "self-signed": server_context(authority.issue("mx.a.test", self_signed=True)),
        "not offered": None,
        "refused": "refuse",
        "handshake fails": old_context(authority.issue("mx.a.test")),
        "lost": "drop",
    }


ENCRYPTED, VERIFIED, PLAINTEXT, WAITS = "encrypted", "verified", "plaintext", "waits"
STATES = ["good", "expired", "wrong name", "self-signed", "not offered", "refused", "handshake fails", "lost"]
TABLE = {
    "none": [PLAINTEXT] * 8,
    "may": [ENCRYPTED] * 4 + [PLAINTEXT] * 4,
    "must": [ENCRYPTED] * 4 + [WAITS] * 4,
    "verify": [VERIFIED] + [WAITS] * 7,
}
WORDS = {"expired": "expired", "wrong name": "wrong name", "self-signed": "self-signed certificate", "not offered": "does not offer STARTTLS",
         "refused": "454 4.7.0 no TLS today", "handshake fails": "closed the connection", "lost": ""}


@pytest.fixture(scope="module")
def servers(tmp_path_factory, authority):
    """A server for each state, and a relay whose destinations have each policy with each of them."""
    loop = Loop()
    dns = Dns(loop)
    sinks, port, blocks = {}, 0, ""
    for n, (state, behaviour) in enumerate(behaviours(authority).items()):
        sinks[state] = TlsSink(loop, f"127.0.7.{n + 1}", port, behaviour)
        port = sinks[state].port
        for policy in TABLE:
            domain = f"{policy}.{state.replace(' ', '-')}.test"
            dns.records[(domain, "MX")] = [f"10 mx.a.test."]
            blocks += f'destination "{domain}" {{ tls {policy}; route "[127.0.7.{n + 1}]:{port}"; tls_names mx.a.test; }}\n'
    relay = Relay(tmp_path_factory.mktemp("out"), dns, port, destination="lifetime 1h; delay_notice 0; schedule 1h;",
                  extra=blocks + f'deliver {{ tls_trust "{authority.path}"; handshake_timeout 2s; }}\n')
    yield relay, sinks
    relay.stop()
    for sink in sinks.values():
        sink.stop()
    loop.stop()


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("policy", TABLE)
def test_policy(servers, policy, state):
    relay, _ = servers
    wanted = TABLE[policy][STATES.index(state)]
    domain = f"{policy}.{state.replace(' ', '-')}.test"
    relay.send("me@out.test", [f"you@{domain}"], f"Subject: {domain}\r\n\r\nx\r\n")
    if wanted == WAITS:
        event = relay.wait_event("deferred", destination=domain)[0]
        assert event["cause"] == "tls" and event["phase"] == "STARTTLS" and event["status"].startswith("4.7.")
        assert WORDS[state] in event["reply"], event
        return
    event = relay.wait_event("delivered", destination=domain)[0]
    assert event.get("tls", "").startswith("TLSv1.3 TLS_") == (wanted != PLAINTEXT)
    assert event.get("verified", False) == (wanted == VERIFIED)
    assert not relay.events("deferred", destination=domain)


def test_explain_tells(servers):
    relay, _ = servers
    relay.send("me@out.test", ["told@verify.expired.test"])
    event = relay.wait_event("deferred", recipient="told@verify.expired.test")[0]
    text = relay.run("explain", event["id"])
    assert "its certificate is not valid: expired (certificate has expired)" in text and "tls: no connection as secure as required" in text


def test_broken_starttls_is_remembered(tmp_path):
    """14.4: the second message does not try a handshake again."""
    loop = Loop()
    dns = Dns(loop)
    sink = TlsSink(loop, "127.0.0.1", 0, "drop")
    dns.mail("a.test", "127.0.0.1")
    relay = Relay(tmp_path, dns, sink.port, destination="lifetime 1h; delay_notice 0; idle 0; connections 1;", extra="workers 1;\n")
    relay.send("me@out.test", ["one@a.test"])
    relay.wait_event("delivered", recipient="one@a.test")
    assert sink.connections == 2
    relay.send("me@out.test", ["two@a.test"])
    relay.wait_event("delivered", recipient="two@a.test")
    assert sink.connections == 3
    relay.stop()
    sink.stop()
    loop.stop()


class Keeper:
    def __init__(self):
        self.sessions = []

    async def handle_DATA(self, server, session, envelope):
        self.sessions.append((session.ssl, envelope.rcpt_tos))
        return "250 2.0.0 kept"


def test_aiosmtpd_over_tls(tmp_path, authority):
    """It takes mail over TLS only (require_starttls)."""
    loop, keeper, port = Loop(), Keeper(), free_port()
    controller = Controller(keeper, hostname="127.0.0.1", server_hostname="keeper.test", port=port, tls_context=server_context(authority.issue("mx.a.test")), require_starttls=True)
    controller.start()
    dns = Dns(loop)
    dns.mail("a.test", "127.0.0.1")
    relay = Relay(tmp_path, dns, port, destination="lifetime 1h; delay_notice 0; tls verify;", extra=f'deliver {{ tls_trust "{authority.path}"; }}\n')
    for n in range(20):
        relay.send("me@out.test", [f"{n}@a.test"])
    wait_until(lambda: len(keeper.sessions) == 20, "20 messages")
    assert all(encrypted for encrypted, _ in keeper.sessions)
    assert all(event["verified"] for event in relay.wait_event("delivered", count=20))
    relay.stop()
    controller.stop()
    loop.stop()
