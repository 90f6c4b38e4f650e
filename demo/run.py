#!/usr/bin/python3
"""The demonstration: a small internet that misbehaves, a relay with a lifetime of 20 seconds, 60 messages, and what became of
them. Half a minute, no network but loopback."""

import email
import json
import os
import pathlib
import shutil
import signal
import smtplib
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
OUTLAST = os.environ.get("OUTLAST", str(ROOT / "build" / "outlast"))
RUN_S = 30
IS_TERMINAL = sys.stdout.isatty()

# What the mail meets, by destination, in words.
STORY = {
    "healthy.test": "healthy",
    "down.test": "server down",
    "reboot.test": "server down, back after 10 s",
    "busy.test": "421, 450, 451, 452 for ever",
    "lostdns.test": "DNS fails, then points elsewhere",
    "network.test": "black hole; drops the connection",
    "throttled.test": "takes 2 messages in 10 s",
}


def start_lab(folder):
    lab = subprocess.Popen([OUTLAST, "lab", str(ROOT / "etc/lab/demo.conf"), "--keep", str(folder / "mail"),
                            "--record", str(folder / "record.log")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    return lab, json.loads(lab.stdout.readline())


def start_relay(folder, ready):
    config = (ROOT / "demo/outlast.conf").read_text()
    for name, value in (("@FOLDER@", str(folder)), ("@DNS@", ready["dns"]), ("@PORT@", str(ready["smtp_port"]))):
        config = config.replace(name, value)
    (folder / "outlast.conf").write_text(config)
    relay = subprocess.Popen([OUTLAST, "serve", "--config", str(folder / "outlast.conf"), "--ready", str(folder / "ready.json")])
    while not (folder / "ready.json").exists():
        if relay.poll() is not None:
            sys.exit("demo: the relay did not start")
        time.sleep(0.02)
    return relay, json.loads((folder / "ready.json").read_text())["listeners"][0]


def send_all(address):
    host, port = address.rsplit(":", 1)
    sent = 0
    with smtplib.SMTP(host, int(port), local_hostname="app.sender.test") as client:
        for i in range(60):
            domain = list(STORY)[i % len(STORY)]
            user = ("greylisted", "full", "ann")[i // len(STORY) % 3] if domain == "busy.test" else f"user{i}"
            client.sendmail("app@sender.test", [f"{user}@{domain}"],
                            f"From: App <app@sender.test>\r\nTo: <{user}@{domain}>\r\nSubject: Message {i + 1}\r\n"
                            f"Message-ID: <demo-{i}@sender.test>\r\n\r\nHello, this is message {i + 1}.\r\n")
            sent += 1
    return sent


def ask(folder, *arguments):
    result = subprocess.run([OUTLAST, *arguments, "--json", "--config", str(folder / "outlast.conf")], capture_output=True,
                            text=True, check=False)
    return json.loads(result.stdout) if result.returncode == 0 else None


def events(folder):
    path = folder / "events.log"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def table(folder):
    rows = []
    happened = [entry for entry in events(folder) if entry.get("destination") in STORY]
    waiting = {item["destination"]: item for item in ask(folder, "queue", "--summary") or []}
    for domain, story in STORY.items():
        mine = [entry for entry in happened if entry["destination"] == domain]
        count = {kind: sum(1 for entry in mine if entry["event"] == kind) for kind in ("accepted", "delivered", "expired")}
        item = waiting.get(domain, {})
        queued = sum(item.get("recipients", {}).get(state, 0) for state in ("queued", "delivering"))
        causes = {}
        for entry in mine:
            if entry["event"] == "expired":
                for cause, seconds in entry["ledger"].items():
                    causes[cause] = causes.get(cause, 0) + seconds
        causes.pop("none", None)
        cause = max(item.get("causes", {"": 0}), key=item.get("causes", {"": 0}).get, default="") if queued else ""
        site = (item.get("site") or {}).get("state", "")
        why = ", ".join(name for name, _ in sorted(causes.items(), key=lambda pair: -pair[1])[:3])
        rows.append((domain, story, count["accepted"], count["delivered"], queued, count["expired"], why or cause, site))
    return rows


def show(rows, second):
    lines = [f"{'destination':15} {'what it does':33} {'sent':>4} {'deliv.':>6} {'queued':>6} {'expired':>7}  why"]
    for domain, story, sent, delivered, queued, expired, why, site in rows:
        lines.append(f"{domain:15} {story:33} {sent:4} {delivered:6} {queued:6} {expired:7}  {why}{' (site ' + site + ')' if queued and site not in ('', 'open') else ''}")
    if IS_TERMINAL:
        sys.stdout.write(f"\033[H\033[J  Outlast: lifetime 20 s, delay notice after 6 s        second {second:2} of {RUN_S}\n\n")
        sys.stdout.write("".join(f"  {line[:110]}\n" for line in lines))
    elif second % 10 == 0:
        print(f"second {second}\n" + "\n".join("  " + line for line in lines) + "\n")
    sys.stdout.flush()


def print_notices(folder):
    """One delay notice and one failure notice, as the sender got them."""
    wanted = {"delayed": None, "failed": None}
    for path in sorted((folder / "mail").rglob("*")):
        if not path.is_file():
            continue
        content = path.read_bytes()
        message = email.message_from_bytes(content)
        if message.get_content_type() != "multipart/report":
            continue
        status = message.get_payload()[1].get_payload()
        action = status[1]["Action"] if len(status) > 1 else None
        if action in wanted and wanted[action] is None:
            wanted[action] = content.decode("utf-8", "replace").replace("\r\n", "\n")
    for action, title in (("delayed", "A delay notice (4.4.7), as the sender got it"),
                          ("failed", "A failure notice (5.4.7), as the sender got it")):
        print(f"\n{'=' * 100}\n{title}\n{'=' * 100}\n{wanted[action] or 'none came'}")
    return all(wanted.values())


def main():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="outlast-demo-"))
    (folder / "mail").mkdir()
    lab = relay = None
    try:
        lab, ready = start_lab(folder)
        relay, address = start_relay(folder, ready)
        began = time.monotonic()
        sent = send_all(address)
        for second in range(RUN_S + 1):
            time.sleep(max(0, began + second - time.monotonic()))
            show(table(folder), second)
        rows = table(folder)
        delivered, expired, queued = (sum(row[n] for row in rows) for n in (3, 5, 4))
        print(f"\n{sent} messages: {delivered} delivered, {expired} expired, {queued} still queued; every expired one says why.")
        has_notices = print_notices(folder)
        return 0 if delivered + expired == sent and has_notices else 1
    finally:
        for process in (relay, lab):
            if process and process.poll() is None:
                process.send_signal(signal.SIGTERM)
                process.wait(30)
        if not os.environ.get("KEEP"):
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
