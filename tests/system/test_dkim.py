"""DKIM: what leaves the relay is right for an independent verifier, python3-dkim; `outlast dkim` makes keys and checks."""

import json
import random
import smtplib
import subprocess

import dkim
import pytest

from world import OUTLAST, PATIENCE_S, wait_until

MESSAGES = 1000


def keygen(folder, domain, selector, kind):
    answer = subprocess.run([OUTLAST, "dkim", "keygen", domain, selector, kind, "--json"], cwd=folder, capture_output=True, text=True,
                            timeout=PATIENCE_S, check=True)
    return json.loads(answer.stdout)


def publish(world, key):
    """As a TXT record: in strings of at most 255 bytes."""
    record = key["record"]
    world.dns.records[(key["name"], "TXT")] = [" ".join(f'"{record[i:i + 200]}"' for i in range(0, len(record), 200))]


def blocks(folder, keys, **more):
    return "".join(f'dkim "{key["name"]}" {{ key "{folder}/{key["key"]}"; {more.get(key["name"].split(".")[0], "")} }}\n' for key in keys)


def judge(content, keys):
    """What python3-dkim says of each signature: {selector: valid}. The first field is ours, the newest."""
    records = {key["name"].encode(): key["record"].encode() for key in keys}
    count = content.count(b"DKIM-Signature: v=1; a=")
    verifier = dkim.DKIM(content)
    verdicts = {}
    for n in range(count):
        valid = verifier.verify(n, dnsfunc=lambda name, timeout=5: records.get(name.rstrip(b"."), b""))
        verdicts[verifier.selector.decode()] = valid
    return verdicts


def awkward(chance):
    """A message with what others stumble over; all of it may be sent."""
    blank = lambda: chance.choice([" ", "  ", "\t", " \t ", ""])
    fold = lambda: chance.choice([" ", "\r\n ", "\r\n\t", "\r\n  \t "])
    words = lambda: fold().join(chance.choice(["a", "Grüße", "x:y", ";", "=?utf-8?q?x?=", "\"q\"", "(c)", "longer" * chance.randrange(1, 30), ",", ":"])
                                for _ in range(chance.randrange(1, 8)))
    name = lambda text: "".join(chance.choice([c.lower(), c.upper()]) for c in text)
    fields = [f"{name('From')}:{blank()}Me{fold()}<me@out.test>{blank()}"]
    for field in ("Subject", "To", "Cc", "Reply-To", "Date", "Message-ID", "MIME-Version", "References", "List-Unsubscribe", "X-Other", "Sender"):
        for _ in range(chance.choice([0, 1, 1, 1, 3])):
            fields.append(f"{name(field)}:{fold()}{words()}{blank()}")
    if chance.random() < 0.1:
        fields.append("Empty:")
    chance.shuffle(fields)
    lines = [chance.choice(["", "", ".", "..", " ", "\t", "text", "two  words ", "\ttab\t", " lead", "grün", "x" * 900, "From me", "--", "=20"])
             for _ in range(chance.randrange(0, 12))]
    body = "\r\n".join(lines) + chance.choice(["", "\r\n", "\r\n\r\n\r\n", " \r\n"])
    return "\r\n".join(fields) + "\r\n" + chance.choice(["\r\n", "\r\n", "\r\n", "\r\n\r\n"]) + body


@pytest.mark.parametrize("extensions", [("PIPELINING", "8BITMIME"), ("PIPELINING",)], ids=["8bit", "7bit"])
def test_awkward_messages(world, tmp_path, extensions):
    """RFC 6376, 8463: two signatures on each, both right; also where 8-bit content had to be converted."""
    count = MESSAGES if "8BITMIME" in extensions else 100
    keys = [keygen(tmp_path, "out.test", "r", "rsa"), keygen(tmp_path, "out.test", "e", "ed25519")]
    sink = world.host("a.test", extensions=extensions)
    relay = world.relay(destination="lifetime 1h; delay_notice 0;", extra=blocks(tmp_path, keys))
    chance = random.Random(2026)
    with smtplib.SMTP("127.0.0.1", relay.port, local_hostname="c.test", timeout=PATIENCE_S) as client:
        for _ in range(count):
            client.sendmail("me@out.test", ["you@a.test"], awkward(chance).encode(), mail_options=["BODY=8BITMIME"])
    wait_until(lambda: len(sink.messages) == count, f"{count} messages", 120)
    wrong = [message["content"] for message in sink.messages if judge(message["content"], keys) != {"r": True, "e": True}]
    assert not wrong, f"{len(wrong)} of {count}, the first:\n{wrong[0]!r}"


def test_through_another_relay(world, tmp_path):
    """By BDAT, which needs the exact size."""
    key = keygen(tmp_path, "out.test", "s", "ed25519")
    sink = world.host("a.test")
    second = world.relay(destination="lifetime 1h; delay_notice 0;")
    first = world.relay(destination=f'lifetime 1h; delay_notice 0; route "[127.0.0.1]:{second.port}";', extra=blocks(tmp_path, [key]))
    for n in range(20):
        first.send("me@out.test", ["you@a.test"], f"From: me@out.test\r\nSubject: {n}\r\n\r\n" + "x\r\n" * n * n * 100)
    wait_until(lambda: len(sink.messages) == 20, "the messages")
    assert all(judge(message["content"], [key]) == {"s": True} for message in sink.messages)


def test_which_key(world, tmp_path):
    """By the author's domain, not the envelope's; by date, the newest first; others unsigned."""
    keys = [keygen(tmp_path, "out.test", selector, "ed25519") for selector in ("old", "now", "new", "later", "gone")]
    keys.append(keygen(tmp_path, "esp.test", "all", "ed25519"))
    sink = world.host("a.test")
    extra = blocks(tmp_path, keys, old="from 2020-01-01;", now="from 2021-01-01;", later="from 2999-01-01;", gone="from 2025-01-01; until 2025-06-01;",
                   new="senders news.out.test *.news.out.test;", all='senders "*.customer.test" "customer.test";')
    relay = world.relay(destination="lifetime 1h; delay_notice 0;", extra=extra)
    wanted = {"me@out.test": {"now"}, "ME@OUT.TEST": {"now"}, "me@news.out.test": {"new"}, "me@deep.news.out.test": {"new"}, "me@sub.out.test": set(),
              "me@customer.test": {"all"}, "me@x.customer.test": {"all"}, "me@elsewhere.test": set()}
    for author in wanted:
        relay.send("bounces@out.test", ["you@a.test"], f"From: {author}\r\nSubject: {author}\r\n\r\nx\r\n")
    wait_until(lambda: len(sink.messages) == len(wanted), "the messages")
    for message in sink.messages:
        author = message["content"].split(b"Subject: ")[1].split(b"\r\n")[0].decode()
        assert judge(message["content"], keys) == dict.fromkeys(wanted[author], True), author


def test_a_retry_changes_nothing_and_a_notice_is_signed(world, tmp_path):
    """Standards 16.2, 16.3."""
    keys = [keygen(tmp_path, "out.test", "s", "ed25519"), keygen(tmp_path, "relay.test", "n", "ed25519")]
    seen = []

    def defer_once(message, _):
        seen.append(message["content"])
        return "451 4.3.0 once more" if len(seen) == 1 else None

    world.host("a.test", script={"dot": defer_once})
    home = world.host("out.test")
    relay = world.relay(destination="lifetime 1h; delay_notice 0; schedule 100ms;", extra=blocks(tmp_path, keys))
    relay.send("me@out.test", ["you@a.test"], "From: me@out.test\r\nSubject: t\r\n\r\nx\r\n")
    relay.wait_event("delivered", destination="a.test")
    assert seen[0] == seen[1] and judge(seen[0], keys) == {"s": True}
    relay.send("me@out.test", ["you@nowhere.test"], "From: me@out.test\r\nSubject: t\r\n\r\nx\r\n")
    wait_until(lambda: home.messages, "the notice")
    assert judge(home.messages[0]["content"], keys) == {"n": True}


def test_check(world, tmp_path):
    """Keys by the DNS; each change is found."""
    keys = [keygen(tmp_path, "out.test", "r", "rsa"), keygen(tmp_path, "out.test", "e", "ed25519")]
    for key in keys:
        publish(world, key)
    sink = world.host("a.test")
    relay = world.relay(destination="lifetime 1h; delay_notice 0;", extra=blocks(tmp_path, keys))
    relay.send("me@out.test", ["you@a.test"], "From: me@out.test\r\nSubject: t\r\n\r\nsome text\r\n")
    wait_until(lambda: sink.messages, "the message")
    path = tmp_path / "message.eml"
    content = sink.messages[0]["content"]
    path.write_bytes(content)
    answer = relay.run("dkim", "check", str(path), check=False)
    assert answer.returncode == 0 and answer.stdout.count("valid    d=out.test") == 2
    path.write_bytes(content.replace(b"\r\n", b"\n"))
    assert relay.run("dkim", "check", str(path), check=False).returncode == 0
    path.write_bytes(content.replace(b"some text", b"other text"))
    answer = relay.run("dkim", "check", str(path), check=False)
    assert answer.returncode == 1 and answer.stdout.count("the body was changed") == 2
    del world.dns.records[("e._domainkey.out.test", "TXT")]
    path.write_bytes(content)
    answer = relay.run("dkim", "check", "--json", str(path), check=False)
    assert answer.returncode == 1 and {one["selector"]: one["valid"] for one in json.loads(answer.stdout)} == {"r": True, "e": False}
    path.write_bytes(b"From: me@out.test\r\n\r\nx\r\n")
    assert "no signature" in relay.run("dkim", "check", str(path), check=False).stdout


def test_keygen(tmp_path):
    """A key is never written over; others cannot read it."""
    keygen(tmp_path, "out.test", "s", "rsa")
    assert (tmp_path / "s.out.test.pem").stat().st_mode & 0o777 == 0o600
    again = subprocess.run([OUTLAST, "dkim", "keygen", "out.test", "s"], cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert again.returncode == 1 and "s.out.test.pem: File exists" in again.stderr
    strange = subprocess.run([OUTLAST, "dkim", "keygen", "../x", "s"], cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert strange.returncode == 2


def test_a_key_that_cannot_be_read(world, tmp_path):
    """No start without it; a reload keeps those in use."""
    key = keygen(tmp_path, "out.test", "s", "ed25519")
    sink = world.host("a.test")
    relay = world.relay(destination="lifetime 1h; delay_notice 0;", extra=blocks(tmp_path, [key]))
    relay.reload(relay.config_text.replace(key["key"], "nothing.pem"))
    wait_until(lambda: "nothing.pem" in (relay.folder / "outlast.log").read_text(), "the error to be logged")
    relay.send("me@out.test", ["you@a.test"], "From: me@out.test\r\nSubject: t\r\n\r\nx\r\n")
    wait_until(lambda: sink.messages, "the message")
    assert judge(sink.messages[0]["content"], [key]) == {"s": True}
    relay.stop()
    answer = subprocess.run([OUTLAST, "serve", "--config", str(relay.config)], capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert answer.returncode == 1 and "nothing.pem" in answer.stderr + (relay.folder / "outlast.log").read_text()
