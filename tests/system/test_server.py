"""The SMTP server, spoken to byte by byte over a plain socket. Numbers are those of the requirements that a row checks: "2.9" is the ninth of
RFC 5321's server side; DSN, SIZE and the others by their extension's name."""

import re
import socket

import pytest

from world import PATIENCE_S, Dns, Loop, Relay, Sink


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    loop = Loop()
    dns = Dns(loop)
    sink = Sink(loop, "127.0.0.1")
    dns.mail("a.test", "127.0.0.1")
    dns.mail("b.test", "127.0.0.1")
    relay = Relay(tmp_path_factory.mktemp("server"), dns, sink.port, destination="lifetime 1h; delay_notice 0;",
                  receive="message_size 200K; errors_per_connection 8; memory_message_size 64K; header_size 32K; recipients_per_message 100;")
    relay.sink = sink
    yield relay
    relay.stop()
    sink.stop()
    loop.stop()


class Client:
    def __init__(self, relay):
        self.socket = socket.create_connection(("127.0.0.1", relay.port), PATIENCE_S)
        self.file = self.socket.makefile("rb")

    def read(self):
        """One reply, all its lines; "" when the connection was closed."""
        lines = []
        while True:
            line = self.file.readline().decode("utf-8", "replace")
            lines.append(line.rstrip("\r\n"))
            if len(line) < 4 or line[3] != "-":
                return "\n".join(lines)

    def say(self, data):
        self.socket.sendall(data if isinstance(data, bytes) else data.encode() + b"\r\n")
        return self.read()

    def close(self):
        self.file.close()
        self.socket.close()


@pytest.fixture
def client(server):
    client = Client(server)
    assert client.read().startswith("220 relay.test")  # 2.1
    yield client
    client.close()


GREETED = ["EHLO c.test>250"]
MAIL = GREETED + ["MAIL FROM:<me@out.test>>250 2.1.0"]
RCPT = MAIL + ["RCPT TO:<you@a.test>>250 2.1.5"]

# Each step is "what we say>what the reply begins with".
ROWS = {
    "2.2 EHLO without argument": ["EHLO>501 5.5.4", "HELO>501 5.5.4"],
    "2.2 address literal": ["EHLO [127.0.0.1]>250", "EHLO [IPv6:::1]>250"],
    "2.3 HELO lists nothing": ["HELO c.test>250 relay.test"],
    "2.4 EHLO clears the transaction": RCPT + ["EHLO c.test>250", "DATA>503 5.5.1"],
    "2.4 a refused EHLO leaves it": RCPT + ["EHLO>501", "DATA>354"],
    "2.5 any case": ["ehlo c.test>250", "mail from:<me@out.test> size=10 body=8bitmime>250", "rCpT tO:<you@a.test>>250"],
    "2.9 MAIL within a transaction": MAIL + ["MAIL FROM:<x@out.test>>503 5.5.1"],
    "2.9 RCPT without MAIL": GREETED + ["RCPT TO:<you@a.test>>503 5.5.1"],
    "2.9 MAIL before EHLO": ["MAIL FROM:<me@out.test>>503 5.5.1"],
    "2.9 DATA without RCPT": MAIL + ["DATA>554 5.5.1"],
    "2.9 DATA without MAIL": GREETED + ["DATA>503 5.5.1"],
    "2.10 null sender": GREETED + ["MAIL FROM:<>>250"],
    "2.10 postmaster in any case": MAIL + ["RCPT TO:<PostMaster>>250"],
    "2.11 unknown parameter of MAIL": GREETED + ["MAIL FROM:<me@out.test> X=1>555 5.5.4"],
    "2.11 unknown parameter of RCPT": MAIL + ["RCPT TO:<you@a.test> X=1>555 5.5.4"],
    "2.11 bad value": GREETED + ["MAIL FROM:<me@out.test> SIZE=ten>501 5.5.4"],
    "2.11 parameters after HELO": ["HELO c.test>250", "MAIL FROM:<me@out.test> SIZE=10>555 5.5.4"],
    "2.12 local part of 64": MAIL + [f"RCPT TO:<{'x' * 64}@a.test>>250"],
    "2.14 local part of 65": MAIL + [f"RCPT TO:<{'x' * 65}@a.test>>501 5.1.3"],
    "2.14 command too long": GREETED + [f"NOOP {'x' * 3000}>500 5.5.2", "NOOP>250"],
    "2.15 RSET NOOP VRFY HELP": GREETED + ["NOOP hello>250 2.0.0", "VRFY someone>252 2", "HELP>214 2.0.0", "RSET>250 2.0.0", "RSET now>501 5.5.4"],
    "2.15 NOOP leaves the transaction": RCPT + ["NOOP>250", "VRFY x>252", "WHAT>500 5.5.2", "DATA>354"],
    "2.15 RSET ends it": RCPT + ["RSET>250", "DATA>503"],
    "2.16 QUIT": ["QUIT>221 2.0.0", ">"],
    "2.24 trailing blanks": ["EHLO c.test  >250", "NOOP >250", "MAIL FROM:<me@out.test> >250"],
    "2.24 no bytes beyond ASCII": ["HELO c.test>250", "NOOP \xe4>500 5.5.2"],
    "2.25 source route": MAIL + ["RCPT TO:<@x.test,@y.test:you@a.test>>250"],
    "not offered": GREETED + ["STARTTLS>502 5.5.1", "AUTH PLAIN>502 5.5.1", "EXPN list>502 5.5.1"],
    "not an address": GREETED + ["MAIL FROM:me@out.test>501 5.1.7", "MAIL FROM:<me@>>501 5.1.7", "MAIL FROM:<a b@out.test>>501 5.1.7",
                                 "MAIL TO:<me@out.test>>501 5.5.4", "MAIL FROM:<me@out..test>>501 5.1.7"],
    "quoted local part": MAIL + ['RCPT TO:<"a b>c"@a.test>>250'],
    "5.1 NOTIFY": MAIL + ["RCPT TO:<you@a.test> NOTIFY=SUCCESS,DELAY>250", "RCPT TO:<you@a.test> NOTIFY=NEVER>250",
                          "RCPT TO:<you@a.test> NOTIFY=NEVER,DELAY>501", "RCPT TO:<you@a.test> NOTIFY=SOMETIMES>501",
                          "RCPT TO:<you@a.test> NOTIFY=DELAY NOTIFY=DELAY>501"],
    "5.2 ORCPT": MAIL + ["RCPT TO:<you@a.test> ORCPT=rfc822;you+40a.test>250", "RCPT TO:<you@a.test> ORCPT=rfc822;you+4>501",
                         "RCPT TO:<you@a.test> ORCPT=you>501"],
    "5.3 RET and ENVID": GREETED + ["MAIL FROM:<me@out.test> RET=HALF>501", "MAIL FROM:<me@out.test> ENVID=a=b>501",
                                    f"MAIL FROM:<me@out.test> ENVID={'x' * 101}>501", "MAIL FROM:<me@out.test> RET=HDRS ENVID=QQ+2B1>250"],
    "8.1 SIZE": GREETED + ["MAIL FROM:<me@out.test> SIZE=99999999999999999999>552 5.3.4", "MAIL FROM:<me@out.test> SIZE=999999999>552 5.3.4",
                           "MAIL FROM:<me@out.test> SIZE=999999999999999999999>501", "MAIL FROM:<me@out.test> SIZE=1000>250"],
    "10.1 bad BDAT": RCPT + ["BDAT>501", "BDAT x>501", "BDAT 0 LAST>250 2.0.0"],
    "11.1 BODY": GREETED + ["MAIL FROM:<me@out.test> BODY=9BIT>501", "MAIL FROM:<me@out.test> BODY=BINARYMIME>501", "MAIL FROM:<me@out.test> BODY=7BIT>250"],
    "11.2 SMTPUTF8": GREETED + ["MAIL FROM:<mé@out.test>>553 5.6.7", "MAIL FROM:<me@out.test> SMTPUTF8=1>501", "MAIL FROM:<mé@out.test> SMTPUTF8>250",
                                "RCPT TO:<yöu@a.test>>250"],
    "13.1 FUTURERELEASE only on submission": GREETED + ["MAIL FROM:<me@out.test> HOLDFOR=60>501"],
    "13.4 MT-PRIORITY": GREETED + ["MAIL FROM:<me@out.test> MT-PRIORITY=10>501", "MAIL FROM:<me@out.test> MT-PRIORITY=>501",
                                   "MAIL FROM:<me@out.test> MT-PRIORITY=-9>250", "RSET>250", "MAIL FROM:<me@out.test> MT-PRIORITY=4>250"],
    "12.1 DELIVERBY": GREETED + ["MAIL FROM:<me@out.test> BY=0;R>501", "MAIL FROM:<me@out.test> BY=-5;R>501", "MAIL FROM:<me@out.test> BY=60;X>501",
                                 "MAIL FROM:<me@out.test> BY=1234567890;R>501", "MAIL FROM:<me@out.test> BY=-60;NT>250"],
    "too many errors": ["X>500"] * 8 + ["X>500", ">421 4.7.0", ">"],
    "a browser": ["GET / HTTP/1.1>421 4.7.0", ">"],
}


@pytest.mark.parametrize("name", ROWS)
def test_conversation(client, name):
    for step in ROWS[name]:
        said, wanted = step.rsplit(">", 1)
        got = client.say(said) if said else client.read()
        assert got.startswith(wanted) and (wanted or got == ""), f"{said!r} got {got!r}"
        if re.match(r"[245]\d\d [245]\.", wanted):
            assert got[0] == got[4], "7.1: the class of both codes is the same"


def test_ehlo_offers(client):
    offers = client.say("EHLO c.test").split("\n")
    assert offers[0].startswith("250-relay.test")
    keywords = [line[4:].split()[0] for line in offers[1:]]
    assert len(set(keywords)) == len(keywords)  # 2.3
    assert set(keywords) == {"PIPELINING", "SIZE", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES", "CHUNKING", "DSN", "DELIVERBY", "MT-PRIORITY", "LIMITS", "HELP"}
    assert "250-SIZE 204800" in offers and "250-LIMITS MAILMAX=10000 RCPTMAX=100" in offers


def begin(client, *recipients):
    client.say("EHLO c.test")
    client.say("MAIL FROM:<me@out.test>")
    for recipient in recipients or ("you@a.test",):
        assert client.say(f"RCPT TO:<{recipient}>").startswith("250")


def arrived(server, subject):
    from world import wait_until

    wait_until(lambda: any(subject in message["content"] for message in server.sink.messages), "the message")
    return next(message for message in server.sink.messages if subject in message["content"])


# 2.6, 2.7, 19: none of these ends the content, and none is taken.
SMUGGLES = [b"\n.\n", b"\n.\r\n", b"\r.\r", b"\r\n.\n", b"\r\n.\r", b"\r.\r\n", b"\r\n.\r\r\n", b"\r\n\x00.\r\n", b"\n.\r", b"\r\r\n.\r\n"]


@pytest.mark.parametrize("end", SMUGGLES)
def test_only_crlf_dot_crlf_ends_data(client, server, end):
    begin(client)
    assert client.say("DATA").startswith("354")
    before = len(server.sink.messages)
    client.socket.sendall(b"Subject: x\r\n\r\ntext" + end + b"MAIL FROM:<evil@out.test>\r\nRCPT TO:<you@a.test>\r\nDATA\r\nevil\r\n.\r\n")
    first = client.read()
    if end == b"\r\r\n.\r\n":  # a bare CR, then the true end: what follows are commands, as the client asked
        assert first.startswith("550 5.6.0")
        return
    assert first.startswith("550 5.6.0"), first
    assert client.say("NOOP").startswith("250"), "what followed was data, not commands"
    assert len(server.sink.messages) == before


def test_bare_line_ends_in_commands(client):
    assert client.say("EHLO c.test").startswith("250")
    assert client.say(b"NOOP\nMAIL FROM:<me@out.test>\r\n").startswith("500 5.5.2")  # 2.6
    assert client.say("RCPT TO:<you@a.test>").startswith("503")
    assert client.say(b"NOOP\rx\r\n").startswith("500 5.5.2")
    assert client.say(b"NOOP\x00\r\n").startswith("500 5.5.2")


def test_dots_and_received(client, server):
    begin(client)
    client.say("DATA")
    reply = client.say(b"Subject: dots-1\r\nReceived: from x by y; Mon, 1 Jan 2024 00:00:00 +0000\r\n\r\n..one\r\n...\r\n.\r\n")
    assert reply.startswith("250 2.0.0")
    content = arrived(server, b"dots-1")["content"]
    received, rest = content.split(b"Subject: dots-1", 1)
    assert rest.endswith(b"\r\n\r\n.one\r\n..\r\n")  # 2.8
    assert re.match(rb"Received: from c\.test \(\[127\.0\.0\.1\]\)\r\n\tby relay\.test \(Outlast\) with ESMTP id [0-9a-z]{13}\r\n\tfor <you@a\.test>;\r\n\t", received)
    assert content.count(b"Received:") == 2 and b"Return-Path" not in content  # 2.21, 2.22


def test_received_discloses_nobody(client, server):
    begin(client, "one@a.test", "two@a.test")
    client.say("DATA")
    client.say(b"Subject: two-of-them\r\n\r\n.\r\n")
    assert b"for <" not in arrived(server, b"two-of-them")["content"]  # 2.21


def test_pipelining_in_one_packet(client, server):
    client.say("EHLO c.test")
    client.socket.sendall(b"MAIL FROM:<me@out.test>\r\nRCPT TO:<bad\r\nRCPT TO:<you@a.test>\r\nDATA\r\n")
    assert [client.read()[:3] for _ in range(4)] == ["250", "501", "250", "354"]  # 9.1
    client.socket.sendall(b"Subject: piped\r\n\r\n.\r\nMAIL FROM:<>\r\nQUIT\r\n")
    assert [client.read()[:3] for _ in range(3)] == ["250", "250", "221"]
    arrived(server, b"piped")


def test_byte_by_byte(client, server):
    for data in (b"EHLO c.test\r\n", b"MAIL FROM:<me@out.test>\r\n", b"RCPT TO:<you@a.test>\r\n", b"DATA\r\n",
                 b"Subject: slowly\r\n\r\n..\r\n.x\r\n.\r\n"):
        for byte in data:
            client.socket.sendall(bytes([byte]))
        assert client.read()[0] in "23"
    assert arrived(server, b"slowly")["content"].endswith(b"\r\n\r\n.\r\nx\r\n")


def test_chunking(client, server):
    begin(client)
    assert client.say(b"BDAT 16\r\nSubject: chunks\r").startswith("250")
    assert client.say("DATA").startswith("503")  # 10.2
    assert client.say(b"BDAT 8 LAST\r\n\n\r\n.\r\nab").startswith("250 2.0.0")
    assert arrived(server, b"chunks")["content"].endswith(b"\r\n\r\n.\r\nab\r\n")


def test_refused_chunk_is_read(client):
    client.say("EHLO c.test")
    assert client.say(b"BDAT 6 LAST\r\nQUIT\r\n").startswith("503")  # 10.1
    assert client.say("NOOP").startswith("250")
    begin(client)
    assert client.say(b"BDAT 7 LAST\r\nbare\nLF").startswith("550 5.6.0")  # 10.3
    assert client.say("NOOP").startswith("250")


def test_too_much_data(client):
    begin(client)
    client.say("DATA")
    client.socket.sendall(b"Subject: big\r\n\r\n" + (b"x" * 70 + b"\r\n") * 4000 + b".\r\n")
    assert client.read().startswith("552 5.3.4")  # 8.2
    assert client.say("NOOP").startswith("250")


def test_large_message_goes_by_a_file(client, server):
    begin(client)
    client.say("DATA")
    body = (b"y" * 70 + b"\r\n") * 2000
    client.socket.sendall(b"Subject: by-file\r\n\r\n" + body + b".\r\n")
    assert client.read().startswith("250")
    assert arrived(server, b"by-file")["content"].endswith(b"\r\n\r\n" + body)
    server.wait_empty()
    from world import wait_until

    wait_until(lambda: not list((server.folder / "spool/bodies").iterdir()), "the file to be removed")


def test_headers_without_end(client):
    begin(client)
    client.say("DATA")
    client.socket.sendall(b"".join(b"X-%d: y\r\n" % i for i in range(5000)) + b".\r\n")
    assert client.read().startswith("552 5.3.4")


def test_mail_loop(client):
    begin(client)
    client.say("DATA")
    client.socket.sendall(b"Received: from a by b; date\r\n" * 101 + b"\r\n.\r\n")
    assert client.read().startswith("554 5.4.6")  # 2.23


def test_recipients_limit(client, server):
    client.say("EHLO c.test")
    client.say("MAIL FROM:<me@out.test>")
    replies = [client.say(f"RCPT TO:<u{i}@a.test>") for i in range(110)]
    assert all(reply.startswith("250") for reply in replies[:100])  # 2.13
    assert all(reply.startswith("452 4.5.3") for reply in replies[100:])
    client.say("DATA")
    assert client.say(b"Subject: hundred\r\n\r\n.\r\n").startswith("250")
    assert len(arrived(server, b"hundred")["recipients"]) == 100


def test_lost_before_the_dot_leaves_nothing(client, server):
    begin(client)
    client.say("DATA")
    client.socket.sendall(b"Subject: lost\r\n\r\nhalf")
    client.socket.shutdown(socket.SHUT_WR)  # 2.20
    assert client.read() == ""
    server.wait_empty()
    assert not any(b"Subject: lost" in message["content"] for message in server.sink.messages)


def test_domain_in_unicode_becomes_an_a_label(client, server):
    client.say("EHLO c.test")
    client.say("MAIL FROM:<me@out.test> SMTPUTF8")
    assert client.say("RCPT TO:<you@BÜCHER.test>").startswith("250")
    client.say("DATA")
    client.say(b"Subject: label\r\n\r\n.\r\n")
    entry = server.wait_event("accepted", destination="xn--bcher-kva.test")[0]
    assert entry["recipient"] == "you@xn--bcher-kva.test"


def test_strangers_may_not_relay(tmp_path):
    loop = Loop()
    relay = Relay(tmp_path, Dns(loop), 25, receive="relay_from 192.0.2.0/24;")
    client = Client(relay)
    client.read()
    client.say("EHLO c.test")
    client.say("MAIL FROM:<me@out.test>")
    assert client.say("RCPT TO:<you@a.test>").startswith("550 5.7.1")  # 2.25
    assert client.say("RCPT TO:<postmaster>").startswith("250")
    client.close()
    relay.stop()
    loop.stop()


def test_silent_client_times_out(tmp_path):
    loop = Loop()
    relay = Relay(tmp_path, Dns(loop), 25, receive="command_timeout 300ms;")
    client = Client(relay)
    assert client.read().startswith("220")
    assert client.read().startswith("421 4.4.2")  # 2.17
    assert client.read() == ""
    relay.stop()
    loop.stop()


def test_stop_says_421(tmp_path):
    loop = Loop()
    relay = Relay(tmp_path, Dns(loop), 25)
    client = Client(relay)
    client.read()
    client.say("EHLO c.test")
    relay.stop()
    assert client.read().startswith("421 4.3.2")  # 2.16
    loop.stop()


def test_connection_limits(tmp_path):
    loop = Loop()
    relay = Relay(tmp_path, Dns(loop), 25, extra="workers 1;", receive="connections_per_client 3; connections 5;")
    clients = [Client(relay) for _ in range(4)]
    greetings = [client.read()[:3] for client in clients]
    assert greetings == ["220", "220", "220", "421"]
    clients[0].say("QUIT")
    again = Client(relay)
    assert again.read().startswith("220")
    for client in clients + [again]:
        client.close()
    relay.stop()
    loop.stop()


def test_submission_adds_date_and_message_id(world):
    sink = world.host("a.test")
    relay = world.relay(destination="delay_notice 0;")
    text = relay.config_text.replace("kind relay", "kind submission")
    relay.stop()
    relay.config.write_text(text)
    relay.start()
    relay.send("me@out.test", ["you@a.test"], "Subject: bare\r\n\r\nx\r\n")
    relay.wait_event("delivered")
    content = sink.messages[0]["content"]
    assert b"\r\nDate: " in content and b"\r\nMessage-ID: <" in content and content.startswith(b"Received:")


def submission(world, **options):
    relay = world.relay(**options)
    text = relay.config_text.replace("kind relay", "kind submission")
    relay.stop()
    relay.config.write_text(text)
    relay.start()
    return relay


def test_future_release(world):
    """13.1-13.3: two numbers in EHLO, wrong values refused, not delivered before its time, not even by hand."""
    sink = world.host("a.test")
    relay = submission(world, destination="delay_notice 0; lifetime 1h;")
    client = Client(relay)
    client.read()
    offered = next(line for line in client.say("EHLO c.test").split("\n") if "FUTURERELEASE" in line)
    assert re.fullmatch(r"250-FUTURERELEASE 2592000 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", offered)
    for wrong in ("HOLDFOR=2592060", "HOLDFOR=-5", "HOLDFOR=1234567890", "HOLDFOR=1 HOLDUNTIL=2030-01-01T00:00:00Z",
                  "HOLDUNTIL=2099-01-01T00:00:00Z", "HOLDUNTIL=tomorrow", "HOLDUNTIL=2030-01-01T00:00:00"):
        assert client.say(f"MAIL FROM:<me@out.test> {wrong}").startswith("501"), wrong
    assert client.say("MAIL FROM:<me@out.test> HOLDFOR=3").startswith("250")
    client.say("RCPT TO:<you@a.test>")
    client.say("DATA")
    assert client.say("Subject: later\r\n\r\nx\r\n.").startswith("250")
    began = relay.wait_event("accepted")[0]["time"]
    assert relay.ask("queue")[0]["recipients"][0]["cause"] == "held"
    relay.run("retry", "--to", "you@a.test")
    assert not sink.messages
    relay.kill()
    relay.start()
    delivered = relay.wait_event("delivered")[0]
    assert delivered["time"] > began and delivered["age"] >= 3 and delivered["ledger"]["held"] >= 2
