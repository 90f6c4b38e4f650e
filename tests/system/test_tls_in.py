"""TLS at the door: STARTTLS, required and implicit, with clients that others wrote. Numbers are those of the requirements: "14.2" is the
second of TLS."""

import os
import pathlib
import smtplib
import socket
import ssl
import subprocess

import pytest

from certificates import Authority
from world import PATIENCE_S, ROOT, Dns, Loop, Relay, Sink, wait_until

POSTFIX = ROOT / "build/peers/postfix/usr"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    authority = Authority(folder / "authority")
    certificate = authority.issue("relay.test")
    loop = Loop()
    dns = Dns(loop)
    sink = Sink(loop, "127.0.0.1")
    dns.mail("a.test", "127.0.0.1")
    extra = "".join(f'listener "127.0.0.{n}:0" {{ tls {tls}; certificate "{certificate}"; }}\n' for n, tls in ((2, "required"), (3, "implicit")))
    relay = Relay(folder, dns, sink.port, destination="lifetime 1h; delay_notice 0;", extra=extra,
                  listener=f'tls starttls; certificate "{certificate}";')
    relay.sink, relay.authority, relay.certificate = sink, authority, certificate
    relay.ports = dict(zip(("starttls", "required", "implicit"), (int(text.rsplit(":", 1)[1]) for text in relay.listeners)))
    relay.hosts = {"starttls": "127.0.0.1", "required": "127.0.0.2", "implicit": "127.0.0.3"}
    yield relay
    relay.stop()
    sink.stop()
    loop.stop()


def context(server):
    context = ssl.create_default_context(cafile=server.authority.path)
    context.check_hostname = False
    return context


def connect(server, kind):
    if kind == "implicit":
        return smtplib.SMTP_SSL(server.hosts[kind], server.ports[kind], "c.test", timeout=PATIENCE_S, context=context(server))
    return smtplib.SMTP(server.hosts[kind], server.ports[kind], "c.test", timeout=PATIENCE_S)


def s_client(server, kind, *options):
    command = ["openssl", "s_client", "-connect", f"{server.hosts[kind]}:{server.ports[kind]}", "-CAfile", str(server.authority.path),
               *([] if kind == "implicit" else ["-starttls", "smtp", "-name", "c.test"]), *options]
    return subprocess.run(command, input="QUIT\r\n", capture_output=True, text=True, timeout=PATIENCE_S, check=False)


@pytest.mark.parametrize("kind", ["starttls", "required", "implicit"])
def test_a_message_over_tls(server, kind):
    """14.1, 14.3, 8314 3.3, 3848: ESMTPS."""
    with connect(server, kind) as client:
        if kind != "implicit":
            client.ehlo()
            assert client.has_extn("starttls")
            client.starttls(context=context(server))
        client.ehlo()
        assert not client.has_extn("starttls")
        client.sendmail("me@out.test", ["you@a.test"], f"Subject: {kind}\r\n\r\nx\r\n")
    wait_until(lambda: any(f"Subject: {kind}".encode() in message["content"] for message in server.sink.messages), "the message")
    content = next(message["content"] for message in server.sink.messages if f"Subject: {kind}".encode() in message["content"])
    assert b" with ESMTPS id " in content and b"tls TLS_AES_256_GCM_SHA384 (TLSv1.3)" in content


def test_a_message_without(server):
    server.send("me@out.test", ["you@a.test"], "Subject: plain\r\n\r\nx\r\n")
    wait_until(lambda: any(b"Subject: plain" in message["content"] for message in server.sink.messages), "the message")
    content = next(message["content"] for message in server.sink.messages if b"Subject: plain" in message["content"])
    assert b" with ESMTP id " in content and b"\ttls " not in content


def test_required_takes_no_mail_before(server):
    with connect(server, "required") as client:
        client.ehlo()
        assert client.docmd("MAIL FROM:<me@out.test>") == (530, b"5.7.0 STARTTLS first")
        client.starttls(context=context(server))
        assert client.docmd("MAIL FROM:<me@out.test>")[0] == 503  # 14.3: EHLO again
        client.ehlo()
        assert client.docmd("MAIL FROM:<me@out.test>")[0] == 250


def test_refusals(server):
    """14.1: an argument; twice."""
    with connect(server, "starttls") as client:
        client.ehlo()
        assert client.docmd("STARTTLS now")[0] == 501
        client.starttls(context=context(server))
        assert client.docmd("STARTTLS")[0] == 503
    with connect(server, "implicit") as client:
        client.ehlo()
        assert client.docmd("STARTTLS")[0] == 503


@pytest.mark.parametrize("behind", ["MAIL FROM:<evil@out.test>\r\nRCPT TO:<you@a.test>\r\n", "EHLO evil.test\r\n", "\r\n", "x" * 3000])
def test_plaintext_behind_starttls_is_dropped(server, behind):
    """14.2: what a third party puts behind STARTTLS is never taken for the client's."""
    with socket.create_connection((server.hosts["starttls"], server.ports["starttls"]), PATIENCE_S) as plain:
        file = plain.makefile("rb")
        assert file.readline().startswith(b"220")
        plain.sendall(b"EHLO c.test\r\n")
        while not file.readline().startswith(b"250 "):
            pass
        plain.sendall(b"STARTTLS\r\n" + behind.encode())
        assert file.readline().startswith(b"220 2.0.0")
        with context(server).wrap_socket(plain) as encrypted:
            encrypted.sendall(b"MAIL FROM:<me@out.test>\r\n")
            assert encrypted.recv(1000).startswith(b"503 5.5.1 EHLO first")
            encrypted.sendall(b"EHLO c.test\r\nRCPT TO:<you@a.test>\r\n")
            replies = b""
            while b"503" not in replies:
                replies += encrypted.recv(4096)
            assert b"503 5.5.1 MAIL first" in replies


def test_a_transaction_ends_with_starttls(server):
    """14.3."""
    with connect(server, "starttls") as client:
        client.ehlo()
        client.docmd("MAIL FROM:<me@out.test>")
        client.docmd("RCPT TO:<you@a.test>")
        client.starttls(context=context(server))
        client.ehlo()
        assert client.docmd("DATA")[0] == 503


def test_no_handshake(server):
    """Whoever promises TLS and speaks plaintext is cut off; the server goes on."""
    with socket.create_connection((server.hosts["implicit"], server.ports["implicit"]), PATIENCE_S) as plain:
        plain.sendall(b"EHLO c.test\r\n" * 4)
        answer = plain.recv(1000)
        assert b"220" not in answer
    with connect(server, "implicit") as client:
        assert client.noop()[0] == 250


@pytest.mark.parametrize("kind", ["starttls", "implicit"])
@pytest.mark.parametrize("version", ["-tls1", "-tls1_1"])
def test_no_old_version(server, kind, version):
    """14.5; the client would: at security level 0 it speaks them."""
    assert s_client(server, kind, version, "-cipher", "ALL:@SECLEVEL=0").returncode != 0


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_new_versions(server, version):
    answer = s_client(server, "starttls", version, "-verify_return_error", "-verify_hostname", "relay.test")
    assert answer.returncode == 0 and "Verification: OK" in answer.stdout
    assert "Secure Renegotiation IS supported" in answer.stdout or version == "-tls1_3"


def test_no_weak_cipher(server):
    """9325 4.2: forward secrecy and authenticated encryption, nothing else: each cipher that OpenSSL knows is tried."""
    known = subprocess.run(["openssl", "ciphers", "-tls1_2", "-s", "ALL:COMPLEMENTOFALL:@SECLEVEL=0"], capture_output=True, text=True, check=True)
    taken = [cipher for cipher in known.stdout.strip().split(":") if not cipher.startswith("TLS_")
             and s_client(server, "implicit", "-tls1_2", "-cipher", f"{cipher}:@SECLEVEL=0").returncode == 0]
    assert taken and all(cipher.startswith("ECDHE-") and ("GCM" in cipher or "CHACHA20" in cipher) for cipher in taken), taken


def test_swaks(server):
    certificate = ["--tls-ca-path", str(server.authority.path), "--tls-verify"]
    for kind, option in (("starttls", "--tls"), ("implicit", "--tls-on-connect")):
        subprocess.run(["swaks", "--server", server.hosts[kind], "--port", str(server.ports[kind]), option, *certificate, "--from", "me@out.test",
                        "--to", "you@a.test", "--silent", "2"], timeout=PATIENCE_S, check=True)


def test_posttls_finger(server):
    program = POSTFIX / "sbin/posttls-finger"
    if not program.exists():
        pytest.skip("posttls-finger is not there")
    config = pathlib.Path(server.folder) / "postfix"
    config.mkdir(exist_ok=True)
    (config / "main.cf").write_text(f"compatibility_level = 3.6\nmail_owner = nobody\nsetgid_group = daemon\ndefault_privs = games\nqueue_directory = {config}\ndaemon_directory = {POSTFIX}/lib/postfix/sbin\n")
    answer = subprocess.run([program, "-c", "-lsecure", "-F", server.authority.path, f"[{server.hosts['starttls']}]:{server.ports['starttls']}", "relay.test"],
                            capture_output=True, text=True, timeout=PATIENCE_S, check=False,
                            env=dict(os.environ, LD_LIBRARY_PATH=str(POSTFIX / "lib/postfix"), MAIL_CONFIG=str(config)))
    assert "Verified TLS connection established" in answer.stdout + answer.stderr, answer.stdout + answer.stderr


def serial(server):
    pem = s_client(server, "implicit").stdout
    return subprocess.run(["openssl", "x509", "-noout", "-serial"], input=pem, capture_output=True, text=True, check=True).stdout


def test_a_new_certificate_is_taken(server):
    """By a reload; a file that is none leaves the old one in use, and a start without one is refused with its name."""
    before, old = serial(server), server.certificate.read_text()
    server.certificate.write_text("nothing\n")
    server.reload(server.config_text)
    assert serial(server) == before
    wait_until(lambda: f"certificate {server.certificate}" in (server.folder / "outlast.log").read_text(), "the error to be logged")
    server.certificate.write_text(server.authority.issue("relay.test").read_text())
    server.reload(server.config_text)
    wait_until(lambda: serial(server) != before, "the new certificate")
    server.certificate.write_text(old)
