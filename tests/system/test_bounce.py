"""outlast bounce: own samples of many mailers, real ones where they are at hand, and where messages come from."""

import json
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "score"))

import bounces  # noqa: E402

from world import OUTLAST  # noqa: E402

OWN = ROOT / "tests" / "bounces"
QMAIL = OWN / "eml" / "qmail.eml"


def run(*arguments, **options):
    return subprocess.run([OUTLAST, "bounce", *map(str, arguments)], capture_output=True, timeout=60, **options)


def lines(*arguments, **options):
    return [json.loads(line) for line in run("--json", *arguments, **options).stdout.splitlines()]


def test_own_samples_are_read_without_a_mistake():
    tallies = bounces.score(OUTLAST, OWN)
    meaning = tallies.pop("category"), tallies.pop("hard or soft")
    assert [miss for tally in tallies.values() for miss in tally.misses] == []
    assert all(tally.precision == 1 for tally in tallies.values())
    assert all(tally.recall > 0.95 for tally in meaning), [tally.misses for tally in meaning]


@pytest.mark.skipif(not (bounces.DATA / "truth.tsv").exists(), reason=f"no real messages in {bounces.DATA}")
def test_real_messages_are_read_as_well_as_promised():
    tallies = bounces.score(OUTLAST)
    for what, least in (("kind", 0.95), ("recipient", 0.95), ("action", 0.95), ("category", 0.90)):
        assert tallies[what].recall >= least, tallies[what].misses
        assert tallies[what].precision >= least, tallies[what].misses


def test_the_line_of_a_message_holds_what_is_promised():
    answer = lines(QMAIL)[0]
    assert answer["kind"] == "bounce" and answer["file"] == str(QMAIL)
    first = answer["recipients"][0]
    assert {key: first[key] for key in ("address", "action", "status", "reply", "category", "bounce", "still_trying")} == {
        "address": "bob@far.example", "action": "failed", "status": "", "reply": "550",
        "category": "InvalidRecipient", "bounce": "hard", "still_trying": False}
    assert first["diagnostic"].startswith("550 <bob@far.example>: Recipient address rejected")


def test_messages_come_from_anywhere(tmp_path):
    content = QMAIL.read_bytes()
    separator = b"From MAILER-DAEMON Tue Mar  3 10:00:00 2015\n"
    (tmp_path / "mbox").write_bytes(separator + content + b"\n" + separator + content)
    (tmp_path / "one.eml").write_bytes(separator + content + b"\n" + separator + content)
    for folder in ("new", "cur", "tmp"):
        (tmp_path / "Maildir" / folder).mkdir(parents=True)
        (tmp_path / "Maildir" / folder / "1.host").write_bytes(content)
    assert len(lines(tmp_path / "mbox")) == 2
    assert len(lines(tmp_path / "one.eml")) == 1
    assert len(lines(tmp_path / "Maildir")) == 2
    assert len(lines(input=content)) == len(lines("-", input=content)) == 1
    assert len(lines(QMAIL, tmp_path / "mbox")) == 3


def test_what_cannot_be_read_is_named(tmp_path):
    (tmp_path / "empty").touch()
    for name, words in (("missing", b"No such file"), ("empty", b"is empty")):
        done = run(tmp_path / name)
        assert done.returncode == 1 and words in done.stderr and name.encode() in done.stderr


def test_people_are_told_what_it_means():
    text = run(OWN / "eml" / "sendmail-two-fates.eml").stdout.decode()
    assert "a bounce: the message was given up" in text
    assert "<bob@far.example> failed; a hard bounce" in text
    assert "<carl@slow.example> delayed; the relay that wrote this is still trying" in text
    assert "until Sun, 8 Mar 2015" in text


def test_a_stranger_does_not_steer_the_terminal(tmp_path):
    (tmp_path / "x.eml").write_bytes(QMAIL.read_bytes().replace(b"failure notice", b"failure \x1b[2J\x07notice"))
    assert b"\x1b" not in run(tmp_path / "x.eml").stdout
