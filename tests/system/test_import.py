"""The queues of other mail systems are taken over. They were written by Debian's packages: tests/queues."""

import hashlib
import json
import re
import shutil
import subprocess
import time

import pytest
from world import OUTLAST, ROOT, wait_until

QUEUES = ROOT / "tests" / "queues"
WAITING = {
    "postfix": [("a@out.test", ["b@far.test", "c@far.test"]), ("ann@out.test", ["d@far.test"]), ("", ["e@far.test"])],
    "exim": [("a@out.test", ["c@far.test"]), ("", ["e@far.test"]), ("ann@out.test", ["d@far.test", '"odd one"@far.test'])],
    "opensmtpd": [("ann@out.test", ["b@far.test", "d@far.test"]), ("", ["e@far.test"])],
}


def queue_of(system, folder):
    """A copy whose messages arrived an hour ago."""
    shutil.copytree(QUEUES / system, folder)
    for path in folder.rglob("*"):
        if path.is_file():
            path.write_bytes(re.sub(rb"17954952\d\d(?=[ \n])", b"%d" % (time.time() - 3600), path.read_bytes()))
    return folder


def digest(folder):
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(name="machine")
def make_machine(world, tmp_path):
    world.sink = world.host("far.test")
    world.drop = tmp_path / "drop"
    world.out = world.relay(extra=f'drop {{ directory "{world.drop}"; }}')
    return world


@pytest.mark.parametrize("system", sorted(WAITING))
def test_queue_is_taken_over(machine, tmp_path, system):
    queue = queue_of(system, tmp_path / "queue")
    before = digest(queue)
    preview = machine.out.ask("import", system, str(queue))
    assert [(m["sender"], m["recipients"]) for m in preview["messages"]] == WAITING[system]
    assert not preview["done"] and not preview["skipped"] and not machine.sink.messages
    assert all(5 * 86400 - 3700 < m["left_s"] < 5 * 86400 - 3500 for m in preview["messages"] if m["sender"])
    assert "would be taken, 0 skipped" in machine.out.run("import", system, str(queue))

    machine.out.run("import", system, str(queue), "--yes")
    wait_until(lambda: len(machine.sink.messages) == len(WAITING[system]), "every message")
    assert sorted((m["sender"], m["recipients"]) for m in machine.sink.messages) == sorted(WAITING[system])
    assert digest(queue) == before
    # Made again, it takes nothing twice.
    again = machine.out.ask("import", system, str(queue), "--yes")
    assert not again["messages"] and len(again["skipped"]) == len(WAITING[system])


def test_content_and_envelope_are_whole(machine, tmp_path):
    machine.sink.extensions = ("PIPELINING", "8BITMIME", "DSN")
    machine.out.run("import", "postfix", str(queue_of("postfix", tmp_path / "queue")), "--yes")
    wait_until(lambda: len(machine.sink.messages) == 3, "every message")
    first = next(m for m in machine.sink.messages if m["sender"] == "a@out.test")
    second = next(m for m in machine.sink.messages if m["sender"] == "ann@out.test")
    assert first["content"].endswith(b"\r\n\r\nhello\r\n.dot\r\n") and b"\r\nX-Old: yes\r\n" in first["content"]
    assert "RET=HDRS" in first["mail"] and "ENVID=env1" in first["mail"]
    assert "NOTIFY=SUCCESS,FAILURE" in first["rcpt"][0] and "ORCPT=rfc822;b@far.test" in first["rcpt"][0]
    assert "h\u00e9llo\r\n".encode() + b"x" * 3000 + b"\r\nend\r\n" in second["content"]
    assert b"Bcc" not in second["content"]


def test_lifetime_goes_on(machine, tmp_path):
    """A message that was old there is old here: it expires when it would have."""
    queue = tmp_path / "queue"
    shutil.copytree(QUEUES / "postfix", queue)
    path = queue / "deferred" / "A" / "A62EE131"
    path.write_bytes(path.read_bytes().replace(b"1795495238", b"1000000000"))
    preview = machine.out.ask("import", "postfix", str(queue))
    assert next(m for m in preview["messages"] if m["id"] == "A62EE131")["left_s"] == 0


def test_what_cannot_be_taken_is_named(machine, tmp_path):
    queue = queue_of("postfix", tmp_path / "queue")
    (queue / "hold").mkdir()
    (queue / "deferred" / "9" / "93781129").rename(queue / "hold" / "93781129")
    whole = (queue / "deferred" / "A" / "A62EE131").read_bytes()
    (queue / "deferred" / "A" / "A62EE131").write_bytes(whole[:-40])
    result = machine.out.ask("import", "postfix", str(queue))
    assert [m["id"] for m in result["messages"]] == ["A6AE6132"]
    assert sorted(s["reason"] for s in result["skipped"]) == ["it is cut off, or no queue file", "it is held"]
    wrong = machine.out.run("import", "exim", str(queue), check=False)
    assert wrong.returncode == 1 and "is no queue directory of exim" in wrong.stderr
    assert machine.out.run("import", "qmail", str(queue), check=False).returncode == 2


def test_main_cf(tmp_path):
    made = subprocess.run([OUTLAST, "config", "from-postfix", ROOT / "tests/fuzz/corpus/migrate_main_cf/usual"],
                          capture_output=True, text=True, check=True).stdout
    (tmp_path / "outlast.conf").write_text(made)
    shown = json.loads(subprocess.run([OUTLAST, "config", "show", "--json", "--config", tmp_path / "outlast.conf"],
                                      capture_output=True, text=True, check=True).stdout)
    values = {entry["key"]: entry["value"] for entry in shown}
    assert values["hostname"] == "mail.example.com" and values["defaults.lifetime"] == "3d"
    assert "transport_maps = hash:/etc/postfix/transport" in made
