"""`outlast classify`: a line of JSON for each line of input, and how often it is right (tests/score/replies.py)."""

import json
import pathlib
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "score"))
import replies

from world import Dns, Loop, Relay, Sink


def run(data, *arguments):
    return subprocess.run([replies.OUTLAST, "classify", *arguments], input=data, capture_output=True, timeout=120, check=False)


def answers(data, *arguments):
    result = run(data, *arguments)
    assert result.returncode == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_shape():
    answer, = answers(b"450 4.7.1 <a@b.example>: Greylisted, try again in 5 minutes")
    assert answer == {"category": "Greylisted", "cause": "greylisted", "temporary": True, "scope": "recipient",
                      "hint_s": 300, "provider": "", "rule": "greylist", "advice": answer["advice"]}
    assert answer["advice"].endswith(".")


def test_one_answer_for_each_line_in_order():
    codes = [b"552 5.2.2 mailbox full", b"", b"550 5.1.1 no such user", b"\0\xff\xfe 450", b"no line end"]
    got = [answer["category"] for answer in answers(b"\n".join(codes * 3000))]
    assert got == ["QuotaIssues", "Unknown", "InvalidRecipient", "Unknown", "Unknown"] * 3000


def test_a_line_of_any_length_is_one_answer():
    for length in 65535, 65536, 262143, 262144, 262145, 3_000_000:
        got = answers(b"552 5.2.2 mailbox full " + b"x" * length + b"\n550 5.1.1 no such user\n")
        assert [answer["category"] for answer in got] == ["QuotaIssues", "InvalidRecipient"], length


def test_rules_of_a_file_come_first(tmp_path):
    path = tmp_path / "rules"
    path.write_text("rule ours RateLimited\n\tmatch purple\n\texample 450 purple\n")
    assert answers(b"550 5.1.1 no such user, purple", "--rules", str(path))[0]["rule"] == "ours"
    path.write_text("rule ours Nonsense\n")
    result = run(b"550 no\n", "--rules", str(path))
    assert result.returncode == 1 and f'{path}:1: there is no category "Nonsense"'.encode() in result.stderr


RULE = "rule ours {}\n\tmatch purple\n\texample {} purple\n"


def test_the_relay_goes_by_the_rules_of_its_file(tmp_path):
    loop = Loop()
    dns = Dns(loop)
    dns.mail("far.test", "127.0.0.1")
    sink = Sink(loop, script={"rcpt": "450 4.0.0 purple"})
    rules = tmp_path / "rules"
    rules.write_text(RULE.format("QuotaIssues", 450))
    relay = Relay(tmp_path, dns, sink.port, extra=f'reply_rules "{rules}";')

    def cause_of(recipient):
        relay.send("me@out.test", [recipient])
        return relay.wait_event("deferred", recipient=recipient)[0]["cause"]

    assert cause_of("a@far.test") == "mailbox_full"
    rules.write_text(RULE.format("Greylisted", 550))
    for command in ("reload", "check"):
        refused = relay.run("config", command, check=False)
        assert refused.returncode == 0, refused.stdout
    assert cause_of("b@far.test") == "greylisted"
    rules.write_text(RULE.format("Nonsense", 450))
    for command in ("reload", "check"):
        refused = relay.run("config", command, check=False)
        assert refused.returncode == 1 and f'{rules}:1: there is no category "Nonsense"' in refused.stderr
    assert cause_of("c@far.test") == "greylisted"
    assert "reloaded" in relay.reload(relay.config_text.replace("reply_rules", "# reply_rules")).stdout
    assert cause_of("d@far.test") == "mailbox_busy"
    relay.stop()
    sink.stop()
    loop.stop()


def test_own_replies():
    category, temporary = replies.score(replies.OWN)
    assert category >= 0.95 and temporary >= 0.99


def test_development_replies():
    if not replies.SHARED.exists():
        pytest.skip(f"{replies.SHARED} is not here")
    category, temporary = replies.score(replies.SHARED)
    assert category >= 0.90 and temporary >= 0.97
