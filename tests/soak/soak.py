#!/usr/bin/python3
"""Mixed traffic against destinations with all kinds of trouble at once, while the relay is reloaded, steered, and killed (-9): at the
end every acknowledged message has arrived, or its sender was told why not.

    soak.py [--minutes 60] [--rate 40] [--seed N]

Prints a table; exits with 1 if a message was lost, memory grew, or descriptors leaked."""

import argparse
import collections
import os
import pathlib
import random
import re
import signal
import smtplib
import statistics
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/system"))
from world import Dns, Loop, Relay, Sink, free_address, free_port, wait_until

KEYS = "schedule 2s 4s 8s; probe 1s 2s 4s; jitter_percent 20; lifetime 2h; delay_notice 20s; delay_digest 10s; connections 5; failures_to_close 2;"
SLOPE_MAX_KB_MIN = 200  # of resident memory, after the first minute of a life
SETTLE_S = 240          # to deliver what is left


class Town:
    """home (the senders), and destinations each with a trouble of its own."""

    def __init__(self, dice):
        self.dice, self.loop = dice, Loop()
        self.dns = Dns(self.loop)
        self.port = free_port(free_address(100))
        self.arrived = collections.Counter()  # (number, domain) -> copies
        self.told = set()                     # (number, domain) of which a failure notice came
        self.seen = {}
        self.is_over = False
        self.sinks = {}
        for name, script in {"home": {"dot": self.take_notice}, "good": {}, "grey": {"rcpt": self.greylist}, "busy": {"connect": self.be_busy},
                             "full": {"rcpt": self.be_full}, "refuse": {"rcpt": self.refuse}, "drop": {"dot": self.drop}, "flap": {}, "moved": {}}.items():
            script.setdefault("dot", self.take(name))
            self.sinks[name] = Sink(self.loop, free_address(100 + len(self.sinks)), self.port, script)
            self.dns.mail(f"{name}.test", self.sinks[name].address)
        self.names = [name for name in self.sinks if name != "home"] + ["dead", "nodns"]
        self.dns.mail("dead.test", free_address(200))
        self.dns.records[("nodns.test", "MX")] = "SERVFAIL"

    def take(self, name):
        def taken(message, session):
            number = re.search(rb"X-Number: (\d+)", message["content"])
            if number:
                for recipient in message["recipients"]:
                    self.arrived[(int(number[1]), recipient.split("@")[1])] += 1
            return None
        return taken

    def take_notice(self, message, session):
        content = message["content"]
        number = re.findall(rb"X-Number: (\d+)", content)
        if number and b"Action: failed" in content:
            for domain in re.findall(rb"Final-Recipient: rfc822; you@([a-z.]+)", content):
                self.told.add((int(number[-1]), domain.decode()))
        return None

    def greylist(self, recipient, session):
        key = (session["sender"], recipient)
        since = self.seen.setdefault(key, time.monotonic())
        return None if self.is_over or time.monotonic() - since > 3 else "450 4.7.1 greylisted, try again in 3 seconds"

    def be_busy(self, argument, session):
        return None if self.is_over or self.dice.random() > 0.3 else "421 4.3.2 too busy"

    def be_full(self, recipient, session):
        return None if self.is_over or self.dice.random() > 0.5 else "452 4.2.2 mailbox full"

    def refuse(self, recipient, session):
        return "550 5.1.1 no such user"

    def drop(self, message, session):
        if not self.is_over and self.dice.random() < 0.1:
            return "drop"
        return self.take("drop")(message, session)

    def flap(self):
        sink = self.sinks["flap"]
        sink.stop() if sink.server else sink.start()

    def move(self):
        self.dns.mail("moved.test", self.sinks[self.dice.choice(["moved", "good"])].address)

    def heal(self):
        """All trouble ends, but for what is refused for good."""
        self.is_over = True
        if not self.sinks["flap"].server:
            self.sinks["flap"].start()
        for name in ("dead", "nodns"):
            self.dns.mail(f"{name}.test", self.sinks["good"].address)

    def stop(self):
        for sink in self.sinks.values():
            sink.stop()
        self.loop.stop()


class Traffic(threading.Thread):
    """Sends at a rate; what was answered with 250 is in `acknowledged`."""

    def __init__(self, relay, names, rate, dice):
        super().__init__(daemon=True)
        self.relay, self.names, self.gap, self.dice = relay, names, 1 / rate, dice
        self.acknowledged, self.refused, self.number, self.is_over = set(), 0, 0, False

    def send_some(self):
        with smtplib.SMTP("127.0.0.1", self.relay.port, local_hostname="client.test", timeout=20) as client:
            for _ in range(self.dice.randint(1, 20)):
                self.number += 1
                domains = self.dice.sample(self.names, self.dice.choice([1, 1, 1, 2, 3]))
                body = "x" * self.dice.choice([10, 1000, 20000])
                try:
                    refused = client.sendmail("me@home.test", [f"you@{name}.test" for name in domains],
                                              f"Subject: soak\r\nX-Number: {self.number}\r\n\r\n{body}\r\n")
                except smtplib.SMTPResponseException:
                    self.refused += 1
                    continue
                self.acknowledged |= {(self.number, f"{name}.test") for name in domains if f"you@{name}.test" not in refused}
                time.sleep(self.gap)

    def run(self):
        while not self.is_over:
            try:
                self.send_some()
            except (OSError, smtplib.SMTPException):
                time.sleep(0.2)  # it is being killed


def sample(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1]), len(os.listdir(f"/proc/{pid}/fd"))


def slope(samples):
    """KB a minute, by least squares, without the first minute."""
    points = [(at / 60, kb) for at, kb in samples if at > 60]
    if len(points) < 20:
        return None
    return statistics.linear_regression(*zip(*points)).slope


class Chaos:
    def __init__(self, relay, town, dice):
        self.relay, self.town, self.dice = relay, town, dice
        self.counts = collections.Counter()
        self.lives, self.life, self.born = [], [], time.monotonic()

    def observe(self):
        self.life.append((time.monotonic() - self.born, sample(self.relay.process.pid)[0]))

    def begin_life(self):
        self.lives.append(self.life)
        self.life, self.born = [], time.monotonic()

    def kill(self):
        self.relay.kill()
        self.relay.start()
        self.begin_life()

    def restart(self):
        self.relay.restart()
        self.begin_life()

    def rotate(self):
        self.relay.events_file.rename(self.relay.events_file.with_suffix(".old"))
        self.relay.process.send_signal(signal.SIGHUP)

    def command(self, *arguments):
        self.relay.run(*arguments, check=False)

    def act(self, may_kill):
        actions = [("flap", self.town.flap), ("flap", self.town.flap), ("move", self.town.move), ("rotate", self.rotate),
                   ("reload", lambda: self.command("config", "reload")), ("retry", lambda: self.command("retry", "--destination", "busy.test")),
                   ("suspend", lambda: self.command("suspend", "grey.test")), ("resume", lambda: self.command("resume", "grey.test")),
                   ("extend", lambda: self.command("extend", "--destination", "dead.test", "--by", "1m", "--yes")),
                   ("explain", lambda: self.command("explain", "flap.test"))]
        if may_kill:
            actions = [("kill -9", self.kill)] * 3 + [("restart", self.restart)]
        name, action = self.dice.choice(actions)
        action()
        self.counts[name] += 1


def run(arguments, folder):
    dice = random.Random(arguments.seed)
    town = Town(dice)
    relay = Relay(folder, town.dns, town.port, destination=KEYS)
    fds_before = sample(relay.process.pid)[1]
    traffic = Traffic(relay, town.names, arguments.rate, random.Random(arguments.seed + 1))
    chaos = Chaos(relay, town, dice)
    end, next_kill = time.monotonic() + arguments.minutes * 60, time.monotonic() + arguments.kill_every
    traffic.start()
    while time.monotonic() < end:
        time.sleep(2)
        chaos.observe()
        may_kill = time.monotonic() > next_kill and end - time.monotonic() > 30
        if may_kill:
            next_kill = time.monotonic() + arguments.kill_every
        chaos.act(may_kill)
    traffic.is_over = True
    traffic.join(60)
    town.heal()
    relay.run("resume", "grey.test", check=False)
    for name in town.names:
        relay.run("retry", "--destination", f"{name}.test", check=False)
    wait_until(lambda: relay.ask("status")["queue"]["messages"] == 0, "the queue to be empty", SETTLE_S)
    chaos.begin_life()
    time.sleep(5)  # idle connections end
    fds_after = sample(relay.process.pid)[1]
    relay.stop()
    town.stop()
    return judge(town, traffic, chaos, fds_before, fds_after)


def judge(town, traffic, chaos, fds_before, fds_after):
    refused = {one for one in traffic.acknowledged if one[1] == "refuse.test"}
    lost = {one for one in traffic.acknowledged - refused if not town.arrived[one]} | (refused - town.told)
    copies = sum(count - 1 for count in town.arrived.values() if count > 1)
    slopes = [value for value in map(slope, chaos.lives) if value is not None]
    worst = max(slopes) if slopes else None
    print("| what | figure |\n|---|---|")
    print(f"| recipients acknowledged | {len(traffic.acknowledged)} |")
    print(f"| lost (not arrived, and no notice) | {len(lost)} |")
    print(f"| delivered twice (by kill -9, and connections dropped at the final dot) | {copies} |")
    print(f"| refused at the door | {traffic.refused} |")
    print("| done meanwhile | " + ", ".join(f"{name} {count}" for name, count in sorted(chaos.counts.items())) + " |")
    print(f"| memory, steepest life | {'no life was long enough' if worst is None else f'{worst:+.0f} KB a minute'} |")
    print(f"| open descriptors, idle: before, after | {fds_before}, {fds_after} |")
    if lost:
        print(f"lost: {sorted(lost)[:20]}", file=sys.stderr)
    return not lost and (worst is None or worst < SLOPE_MAX_KB_MIN) and fds_after <= fds_before + 5


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--rate", type=float, default=40, help="messages a second")
    parser.add_argument("--kill-every", type=float, default=180, help="seconds between kills and restarts")
    parser.add_argument("--seed", type=int, default=447)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=ROOT / "build") as folder:
        sys.exit(0 if run(arguments, folder) else 1)


if __name__ == "__main__":
    main()
