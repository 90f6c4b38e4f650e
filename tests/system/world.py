"""A small world for the system tests, made of independent code: DNS by dnspython, SMTP servers and clients by the
standard library and aiosmtpd. Everything listens on loopback, on ports that the kernel chooses."""

import asyncio
import json
import os
import pathlib
import signal
import smtplib
import socket
import subprocess
import threading
import time

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

ROOT = pathlib.Path(__file__).resolve().parents[2]
OUTLAST = os.environ.get("OUTLAST", str(ROOT / "build" / "outlast"))
PATIENCE_S = float(os.environ.get("PATIENCE", "30"))  # sanitizers and valgrind are slow


def wait_until(condition, what, patience_s=None):
    """Waits for an event that another process brings about; returns what the condition gave."""
    end = time.monotonic() + (patience_s or PATIENCE_S)
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, f"waited in vain for {what}"
        time.sleep(0.02)


class Loop:
    """An asyncio loop on a thread of its own."""

    def __init__(self):
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()

    def run(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(PATIENCE_S)

    def stop(self):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()


class Dns(asyncio.DatagramProtocol):
    """An authoritative server for whatever `records` says: {(name, type): [texts] | "SERVFAIL" | "NXDOMAIN" |
    "silence"}. Names that are not there do not exist."""

    def __init__(self, loop):
        self.records = {}
        self.ttl = 1
        self.queries = []
        self.transport, _ = loop.run(self.open(loop))
        self.port = self.transport.get_extra_info("sockname")[1]

    async def open(self, loop):
        return await loop.loop.create_datagram_endpoint(lambda: self, ("127.0.0.1", 0))

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, peer):
        query = dns.message.from_wire(data)
        question = query.question[0]
        name = question.name.to_text().rstrip(".").lower()
        kind = dns.rdatatype.to_text(question.rdtype)
        self.queries.append((name, kind))
        found = self.records.get((name, kind), self.records.get((name, "*")))
        if found == "silence":
            return
        response = dns.message.make_response(query)
        response.flags |= dns.flags.AA | dns.flags.RA
        if found in ("SERVFAIL", "NXDOMAIN"):
            response.set_rcode(dns.rcode.from_text(found))
        elif found:
            response.answer.append(dns.rrset.from_text(question.name, self.ttl, "IN", kind, *found))
        elif not any(known == name for known, _ in self.records):
            response.set_rcode(dns.rcode.NXDOMAIN)
        self.transport.sendto(response.to_wire(), peer)

    def mail(self, domain, address, host=None):
        """A domain with one MX host at `address`."""
        host = host or "mx." + domain
        self.records[(domain, "MX")] = [f"10 {host}."]
        self.records[(host, "A")] = [address]


class Sink:
    """An SMTP server that does what `script` says. `script` maps a stage (connect, ehlo, mail, rcpt, data, dot) to a
    reply, or to a function(argument, session) that returns one; "drop" closes the connection, "stall" says nothing."""

    def __init__(self, loop, address="127.0.0.1", port=0, script=None, extensions=("PIPELINING", "8BITMIME", "SIZE 10485760")):
        self.loop = loop
        self.address = address
        self.port = port
        self.script = script or {}
        self.extensions = extensions
        self.messages = []  # dicts: sender, recipients, content
        self.connections = 0
        self.server = None
        self.writers = set()
        self.start()

    def start(self):
        self.server = self.loop.run(asyncio.start_server(self.session, self.address, self.port, limit=1 << 20, backlog=512))
        self.port = self.server.sockets[0].getsockname()[1]

    def stop(self):
        async def close():
            self.server.close()
            for writer in list(self.writers):
                writer.close()

        if self.server:
            self.loop.run(close())
        self.server = None

    def reply_to(self, stage, default, argument=None, session=None):
        step = self.script.get(stage, default)
        return step(argument, session) or default if callable(step) else step

    async def say(self, writer, reply):
        if reply == "drop":
            raise ConnectionResetError
        if reply == "stall":
            await asyncio.sleep(3600)
        writer.write(reply.encode("utf-8", "surrogateescape") + b"\r\n")
        await writer.drain()

    async def session(self, reader, writer):
        self.connections += 1
        self.writers.add(writer)
        session = {"sender": None, "recipients": [], "options": {}}
        try:
            await self.say(writer, self.reply_to("connect", "220 sink ESMTP"))
            while await self.command(reader, writer, session):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self.writers.discard(writer)
            writer.close()

    async def command(self, reader, writer, session):
        line = (await reader.readuntil(b"\n")).decode("utf-8", "surrogateescape").rstrip("\r\n")
        verb, _, argument = line.partition(" ")
        verb = verb.upper()
        if verb == "EHLO":
            lines = ["sink"] + list(self.extensions)
            default = "\r\n".join(f"250{'-' if i + 1 < len(lines) else ' '}{text}" for i, text in enumerate(lines))
            await self.say(writer, self.reply_to("ehlo", default, argument, session))
        elif verb == "HELO":
            await self.say(writer, "250 sink")
        elif verb == "MAIL":
            session.update(sender=argument[5:].split(">")[0].lstrip("<"), recipients=[], mail=argument)
            await self.say(writer, self.reply_to("mail", "250 2.1.0 ok", argument, session))
        elif verb == "RCPT":
            recipient = argument[3:].split(">")[0].lstrip("<")
            reply = self.reply_to("rcpt", "250 2.1.5 ok", recipient, session)
            if reply.startswith("2"):
                session["recipients"].append(recipient)
            session.setdefault("rcpt", []).append(argument)
            await self.say(writer, reply)
        elif verb == "DATA":
            await self.data(reader, writer, session)
        elif verb == "QUIT":
            await self.say(writer, "221 2.0.0 bye")
            return False
        else:
            await self.say(writer, "250 2.0.0 ok" if verb in ("RSET", "NOOP") else "502 5.5.1 no")
        return True

    async def data(self, reader, writer, session):
        if not session["recipients"]:
            await self.say(writer, "554 5.5.1 no valid recipients")
            return
        reply = self.reply_to("data", "354 go", None, session)
        await self.say(writer, reply)
        if not reply.startswith("354"):
            return
        content = []
        while (line := await reader.readuntil(b"\n")) != b".\r\n":
            content.append(line[1:] if line.startswith(b".") else line)
        message = dict(session, content=b"".join(content), recipients=list(session["recipients"]))
        reply = self.reply_to("dot", "250 2.0.0 taken", message, session)
        if reply.startswith("2"):
            self.messages.append(message)
        await self.say(writer, reply)


class Relay:
    """`outlast serve` with a configuration of its own."""

    def __init__(self, folder, dns, smtp_port, destination="", extra="", receive="", report="", spool="", listener=""):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.config = self.folder / "outlast.conf"
        self.ready = self.folder / "ready.json"
        self.socket = self.folder / "control"
        self.events_file = self.folder / "events.log"
        self.process = None
        self.config_text = f"""
hostname "relay.test";
listener "127.0.0.1:0" {{ kind relay; {listener} }}
receive {{ {receive} }}
spool {{ directory "{self.folder}/spool"; segment_size 4M; spare_segments 2; reserve_size 1M; {spool} }}
dns {{ servers "127.0.0.1:{dns.port}"; ttl_min 100ms; timeout 2s; }}
deliver {{ port {smtp_port}; ipv6 no; allow_own_address yes; connect_timeout 2s; greeting_timeout 2s;
  command_timeout 2s; data_timeout 2s; dot_timeout 2s; quit_timeout 500ms; }}
report {{ event_log "{self.events_file}"; {report} }}
admin {{ socket "{self.socket}"; }}
log {{ level info; format text; file "{self.folder}/outlast.log"; }}
defaults {{ {destination} }}
{extra}
"""
        self.config.write_text(self.config_text)
        self.start()

    def start(self):
        self.ready.unlink(missing_ok=True)
        # setpriv: it dies with the test, even where that is killed or fails before it stops the relay
        self.process = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", OUTLAST, "serve", "--config", str(self.config), "--ready", str(self.ready)],
                                        stdin=subprocess.DEVNULL)
        wait_until(lambda: self.ready.exists() or self.process.poll() is not None, "the relay to be ready")
        assert self.process.poll() is None, f"the relay ended with {self.process.returncode}"
        self.listeners = json.loads(self.ready.read_text())["listeners"]
        self.port = int(self.listeners[0].rsplit(":", 1)[1])

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(PATIENCE_S)
        assert self.process.returncode == 0, f"the relay ended with {self.process.returncode}"

    def kill(self):
        self.process.kill()
        self.process.wait(PATIENCE_S)

    def restart(self):
        self.stop()
        self.start()

    def reload(self, text):
        self.config.write_text(text)
        return self.run("config", "reload", check=False)

    def send(self, sender, recipients, content="Subject: test\r\n\r\nhello\r\n", **options):
        with smtplib.SMTP("127.0.0.1", self.port, local_hostname="client.test", timeout=PATIENCE_S) as client:
            return client.sendmail(sender, recipients, content, **options)

    def run(self, *arguments, check=True):
        """A command, as a person would type it."""
        result = subprocess.run([OUTLAST, *arguments, "--config", str(self.config)], capture_output=True, text=True,
                                timeout=PATIENCE_S, check=False)
        assert not check or result.returncode == 0, f"outlast {' '.join(arguments)}: {result.stderr}{result.stdout}"
        return result.stdout if check else result

    def ask(self, *arguments):
        return json.loads(self.run(*arguments, "--json"))

    def events(self, kind=None, **fields):
        """The event log's entries so far, filtered."""
        lines = self.events_file.read_text().splitlines() if self.events_file.exists() else []
        entries = []
        for line in lines:
            try:
                entries.append(json.loads(line))
            except ValueError:  # cut off by kill -9
                continue
        return [entry for entry in entries if (kind is None or entry["event"] == kind) and
                all(entry.get(name) == value for name, value in fields.items())]

    def wait_event(self, kind, count=1, patience_s=None, **fields):
        wait_until(lambda: len(self.events(kind, **fields)) >= count, f"{count} x {kind} {fields}", patience_s)
        return self.events(kind, **fields)

    def wait_empty(self, patience_s=None):
        wait_until(lambda: self.ask("status")["queue"]["messages"] == 0, "the queue to be empty", patience_s)


def free_address(n):
    """Loopback addresses of their own for hosts that share a port number."""
    return f"127.0.{(os.getpid() % 200) + 20}.{n}"


def free_port(address="127.0.0.1"):
    with socket.socket() as probe:
        probe.bind((address, 0))
        return probe.getsockname()[1]
