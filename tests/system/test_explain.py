"""One answer for each cause: state, cause, since when, what comes next, the deadline, what binds, what would help (issue 3).

With WRITE=1 in the environment the answers are written into docs/explain.md."""

import os
import re

import pytest

from world import ROOT, Dns, Loop, Relay, Sink, free_address, wait_until

KEYS = "lifetime 8h; schedule 10m; probe 10m; jitter_percent 0; delay_notice 0;"
HEAD = """# What `outlast explain` says

One message and its destination, for each cause, as `tests/system/test_explain.py` found them: the state, the cause and since when,
what comes next and when, the deadline, what binds, and what would help.

"""
PAGE = ROOT / "docs/explain.md"

# Cause: what the other server says at which stage; a function that makes the trouble; what the answer has to say.
CASES = {}


def case(cause, help_wanted, script=None, **options):
    def add(act):
        CASES[cause] = (act, help_wanted, script, options)
        return act
    return add


def says(cause, help_wanted, script, **options):
    case(cause, help_wanted, script, **options)(lambda town: None)


says("host_busy", "outlast retry", {"connect": "421 4.3.2 too busy, come back later"})
says("greylisted", "Only time", {"rcpt": "450 4.7.1 Greylisted, try again in 300 seconds"})
says("mailbox_full", "has to make room", {"rcpt": "452 4.2.2 mailbox full"})
says("mailbox_busy", "mailbox has to be free", {"rcpt": "450 4.2.0 mailbox is locked, try later"})
says("rate_limited", "outlast forecast", {"mail": "421 4.7.28 unusual rate of mail from your address, try again in 600 seconds"})
says("reputation", "outlast reputation home.test", {"connect": "554 5.7.1 blocked, see https://www.spamhaus.org/query/ip/192.0.2.7"})
says("policy", "outlast code 4.7.1", {"rcpt": "450 4.7.1 rejected by local policy, ask postmaster"})
says("network", "The way to their server", {"dot": "drop"})
says("protocol", "is no mail server", {"connect": "hello, who is there?"})
says("soft_other", "Only their postmaster", {"dot": "451 the moon is full"})
says("tls", 'destination "far.test"', {}, keys="tls must;")


@case("host_down", "has to come back")
def _(town):
    town.dns.mail("far.test", free_address(4))  # nobody listens there


@case("dns_failure", "mend its DNS")
def _(town):
    town.dns.records[("far.test", "MX")] = "SERVFAIL"


@case("dns_changed", "dns_grace")
def _(town):
    town.relay.send("me@home.test", ["early@far.test"])
    town.relay.wait_event("delivered")
    for key in [key for key in town.dns.records if key[0].endswith("far.test")]:
        del town.dns.records[key]
    town.relay.restart()  # forgets what the DNS said


@case("own_limit", "outlast config reload", keys="rate 1/h;")
def _(town):
    town.relay.send("me@home.test", ["early@far.test"])
    town.relay.wait_event("delivered")


@case("suspended", "outlast resume far.test")
def _(town):
    town.relay.run("suspend", "far.test", "--reason", "they asked us to wait")


@case("held", "outlast release")
def _(town):
    town.relay.run("suspend", "far.test")
    town.after = lambda message: (town.relay.run("hold", message), town.relay.run("resume", "far.test"))


class Town:
    def __init__(self, folder, loop, script, keys=""):
        self.dns = Dns(loop)
        self.sink = Sink(loop, free_address(3), script=script)
        self.dns.mail("far.test", self.sink.address)
        self.relay = Relay(folder, self.dns, self.sink.port, destination=KEYS + keys)
        self.after = lambda message: None

    def stop(self):
        self.relay.stop()
        self.sink.stop()
        self.dns.transport.close()


@pytest.fixture(scope="module")
def loop():
    loop = Loop()
    yield loop
    loop.stop()


def waiting(relay):
    """The message that waits, once its cause is known."""
    found = [message for message in relay.ask("queue") if message["recipients"][0]["cause"] != "none"]
    return found[0] if found else None


def keep(cause, text, domain):
    """A section of docs/explain.md."""
    page = PAGE.read_text() if PAGE.exists() else ""
    head, *sections = re.split(r"(?m)^## ", page or HEAD)
    kept = dict(section.split("\n", 1) for section in sections)
    block = lambda command, answer: "".join(f"    {line}".rstrip() + "\n" for line in [f"$ outlast explain {command}", *answer.splitlines()])
    kept[cause] = f"\n{block('ID', text)}\n{block('far.test', domain)}"
    PAGE.write_text(head + "\n".join(f"## {name}\n{kept[name].rstrip()}\n" for name in CASES if name in kept))


@pytest.mark.parametrize("cause", CASES)
def test_one_answer(tmp_path, loop, cause):
    act, help_wanted, script, options = CASES[cause]
    town = Town(tmp_path, loop, script, **options)
    try:
        act(town)
        town.relay.send("me@home.test", ["you@far.test"])
        town.after(wait_until(lambda: town.relay.ask("queue"), "the message")[0]["id"])
        message = wait_until(lambda: waiting(town.relay), "its cause")
        text, domain = town.relay.run("explain", message["id"]), town.relay.run("explain", "far.test")
    finally:
        town.stop()
    assert f"  cause        {cause}: " in text
    for line in ("state", "since", "deadline", "attempts"):
        assert re.search(rf"(?m)^  {line} +\S", text), line
    assert re.search(r"(?m)^  next( probe| look-up)? +\S", text)
    assert ("(in " in re.search(r"(?m)^  next.*", text)[0]) == (cause not in ("suspended", "held"))
    assert help_wanted in text and "what would help" in domain
    assert f"extend {message['id']} --by 12h" in text
    assert "limited by" in text or cause not in ("own_limit", "host_down", "rate_limited")
    if cause == "own_limit":
        assert "the configured rate, set by" in text and "outlast.conf:" in text
    if os.environ.get("WRITE"):
        keep(cause, text.replace(message["id"], "1hfnef8jky001").replace(str(tmp_path), "/etc/outlast"), domain.replace(str(tmp_path), "/etc/outlast"))
