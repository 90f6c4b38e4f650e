"""outlast bounce: own samples of many mailers, real ones where they are at hand, and where messages come from."""

import json
import pathlib
import re
import subprocess
import sys
import textwrap

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


# The same reply in the words of several mailers. HEAD and RETURNED are what all have around it.
HEAD = ("Return-Path: <>\nFrom: MAILER-DAEMON@relay.example\nTo: ann@sender.example\n"
        "Subject: Undelivered Mail Returned to Sender\n\n")
RETURNED = ("\nReceived: from a by b; Tue, 3 Mar 2015 09:00:00 +0000\nMessage-ID: <1@sender.example>\n"
            "From: ann@sender.example\nTo: bob@far.example\nSubject: x\n\nhi\n")
MAILERS = {
    "postfix": lambda reply: "This is the mail system at host relay.example.\n\n" + textwrap.fill(
        f"<bob@far.example>: host mx.far.example[192.0.2.77] said: {reply} (in reply to RCPT TO command)",
        72, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False) + "\n",
    "qmail": lambda reply: "Hi. This is the qmail-send program at relay.example.\n\n<bob@far.example>:\n192.0.2.77 does "
             f"not like recipient.\nRemote host said: {reply}\nGiving up on 192.0.2.77.\n\n"
             f"--- Below this line is a copy of the message.\n{RETURNED}",
    "exim": lambda reply: "The following address(es) failed:\n\n  bob@far.example\n    SMTP error from remote mail server "
            f"after RCPT TO:<bob@far.example>:\n    host mx.far.example [192.0.2.77]: {reply}\n\n"
            f"------ This is a copy of the message, including all the headers. ------\n{RETURNED}",
    "sendmail": lambda reply: "   ----- The following addresses had permanent fatal errors -----\n<bob@far.example>\n\n"
                "   ----- Transcript of session follows -----\n... while talking to mx.far.example.:\n"
                f">>> RCPT To:<bob@far.example>\n<<< {reply}\n\n   ----- Original message follows -----\n{RETURNED}",
    "exchange": lambda reply: "Delivery has failed to these recipients or groups:\n\nbob@far.example\nThere was a problem."
                "\n\nDiagnostic information for administrators:\n\nbob@far.example\nmx.far.example #<mx.far.example "
                f"#{reply}> #SMTP#\n\nOriginal message headers:\n{RETURNED}",
    "gmail": lambda reply: "Your message wasn't delivered to bob@far.example because of a problem.\n\n"
             f"The response from the remote server was:\n{reply}\n",
}
REPLIES = [
    "550 5.1.1 <bob@inside.example>: Recipient address rejected: User unknown in virtual mailbox table",
    "550 robert@inside.example... No such user",
    "554 5.7.1 Service unavailable; Sender address [ann@sender.example] blocked using dbl.example",
    "550 5.7.26 Mail from news@sender.example is not authenticated; ask admin@far.example",
    "452 4.2.2 <bob@far.example> 550 of 500 messages used (192.0.2.5)",
    "421 4.7.28 slow down",
    "550 sorry, no mailbox here by that name (#5.1.1)",
]


def real_replies():
    path = bounces.DATA.parent / "replies.tsv"
    lines = path.read_text().splitlines()[1:] if path.exists() else []
    return [reply for reply in (line.split("\t")[1] for line in lines) if "\\" not in reply]


def codes(reply):
    """As they stand in front; a status elsewhere is left to the reader."""
    found = re.match(r"([45]\d\d)(?:[ -]+([245]\.\d+\.\d+))?", reply)
    return found.groups() if found else (None, None)


@pytest.mark.parametrize("mailer", MAILERS)
def test_whatever_a_server_says_is_told_from_what_the_mailer_says(mailer, tmp_path):
    replies = REPLIES + real_replies()
    for number, reply in enumerate(replies):
        (tmp_path / f"{number:03}.eml").write_text(HEAD + MAILERS[mailer](reply))
    answers = lines(tmp_path)
    assert len(answers) == len(replies)
    for reply, answer in zip(replies, answers):
        assert [recipient["address"] for recipient in answer["recipients"]] == ["bob@far.example"], reply
        code, status = codes(reply)
        assert code in (None, answer["recipients"][0]["reply"]), reply
        assert status in (None, answer["recipients"][0]["status"]), reply


def test_the_line_of_a_message_holds_what_is_promised():
    answer = lines(QMAIL)[0]
    assert answer["kind"] == "bounce" and answer["file"] == str(QMAIL)
    first = answer["recipients"][0]
    assert {key: first[key] for key in ("address", "action", "status", "reply", "category", "bounce", "still_trying")} == {
        "address": "bob@far.example", "action": "failed", "status": "", "reply": "550",
        "category": "InvalidRecipient", "bounce": "hard", "still_trying": False}
    assert first["explanation"]["code"] == "550" and first["explanation"]["title"]
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
    assert "all about it: outlast code 5.1.1" in text


def test_what_is_over_is_not_explained_as_still_tried():
    recipient = lines(OWN / "eml" / "ses-expired.eml")[0]["recipients"][0]
    assert (recipient["status"], recipient["still_trying"]) == ("4.4.7", False)
    assert recipient["explanation"]["code"] == "5.4.7"


def test_a_stranger_does_not_steer_the_terminal(tmp_path):
    (tmp_path / "x.eml").write_bytes(QMAIL.read_bytes().replace(b"failure notice", b"failure \x1b[2J\x07notice"))
    assert b"\x1b" not in run(tmp_path / "x.eml").stdout
