"""Mail servers and clients that others wrote: aiosmtpd takes what we deliver; swaks, msmtp and smtp-source bring what we relay."""

import os
import pathlib
import shutil
import subprocess

import pytest
from aiosmtpd.controller import Controller

from world import PATIENCE_S, ROOT, Dns, Loop, Relay, free_port, wait_until


class Keeper:
    """aiosmtpd's handler: keeps what came."""

    def __init__(self):
        self.messages = []

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("nobody@"):
            return "550 5.1.1 nobody here"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 fine"

    async def handle_DATA(self, server, session, envelope):
        self.messages.append((envelope.mail_from, list(envelope.rcpt_tos), envelope.original_content, list(envelope.mail_options)))
        return "250 2.0.0 kept"


@pytest.fixture
def peer(tmp_path):
    loop, keeper = Loop(), Keeper()
    port = free_port()  # its Controller knocks at the port that it is given
    controller = Controller(keeper, hostname="127.0.0.1", server_hostname="keeper.test", port=port, enable_SMTPUTF8=True)
    controller.start()
    dns = Dns(loop)
    dns.mail("a.test", "127.0.0.1")
    dns.mail("out.test", "127.0.0.1")
    relay = Relay(tmp_path, dns, port, destination="lifetime 1h; delay_notice 0;")
    yield relay, keeper
    relay.stop()
    controller.stop()
    loop.stop()


def test_aiosmtpd_takes_what_we_deliver(peer):
    relay, keeper = peer
    relay.send("me@out.test", ["you@a.test", "nobody@a.test"], "Subject: t\r\n\r\n.dot\r\n")
    relay.wait_event("delivered", destination="a.test")
    relay.wait_event("failed", status="5.1.1")
    relay.wait_event("delivered", destination="out.test")
    sender, recipients, content, _ = keeper.messages[0]
    assert (sender, recipients) == ("me@out.test", ["you@a.test"]) and content.endswith(b"\r\n\r\n.dot\r\n")
    assert keeper.messages[1][0] in ("", "<>") and b"Status: 5.1.1" in keeper.messages[1][2]


def test_aiosmtpd_takes_unicode(peer):
    relay, keeper = peer
    relay.send("me@out.test", ["jürgen@a.test"], "Subject: grüße\r\n\r\nx\r\n".encode(), mail_options=["SMTPUTF8", "BODY=8BITMIME"])
    relay.wait_event("delivered", destination="a.test")
    assert keeper.messages[0][1] == ["jürgen@a.test"] and "SMTPUTF8" in keeper.messages[0][3]


CLIENTS = {
    "swaks": ["swaks", "--server", "127.0.0.1:{port}", "--from", "me@out.test", "--to", "you@a.test", "--body", "from a client", "--silent", "2"],
    "msmtp": ["msmtp", "--host=127.0.0.1", "--port={port}", "--from=me@out.test", "you@a.test"],
    "smtp-source": [str(ROOT / "build/peers/postfix/usr/sbin/smtp-source"), "-d", "-s", "5", "-m", "50", "-f", "me@out.test", "-t", "you@a.test", "127.0.0.1:{port}"],
}


@pytest.mark.parametrize("name", CLIENTS)
def test_client(peer, name):
    relay, keeper = peer
    command = [part.format(port=relay.port) for part in CLIENTS[name]]
    if not (shutil.which(command[0]) or pathlib.Path(command[0]).exists()):
        pytest.skip(f"{name} is not installed")
    subprocess.run(command, input="Subject: x\n\nfrom a client\n", text=True, timeout=PATIENCE_S, check=True,
                   env=dict(os.environ, LD_LIBRARY_PATH=str(ROOT / "build/peers/postfix/usr/lib/postfix") if name == "smtp-source" else ""))
    count = 50 if name == "smtp-source" else 1
    wait_until(lambda: len(keeper.messages) == count, f"{count} messages")
    relay.wait_empty()
