"""The names that programs call to send mail: sendmail, mailq, newaliases; and the folder through which it goes."""

import os
import subprocess

import pytest
from world import OUTLAST, PATIENCE_S, ROOT, wait_until

PEERS = ROOT / "build" / "peers"
TEXT = "Subject: hello\n\nhello\n"


@pytest.fixture(name="machine")
def make_machine(world, tmp_path, monkeypatch):
    """A relay with a drop folder, and the three names in a folder of programs."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("sendmail", "mailq", "newaliases"):
        (programs / name).symlink_to(OUTLAST)
    world.sink = world.host("far.test")
    world.drop = tmp_path / "drop"
    world.out = world.relay(extra=f'drop {{ directory "{world.drop}"; domain "out.test"; local_to "admin@far.test"; }}')
    world.programs = programs
    monkeypatch.setenv("OUTLAST_CONFIG", str(world.out.config))
    return world


def call(machine, *arguments, text=TEXT, status=0, name="sendmail"):
    result = subprocess.run([machine.programs / name, *arguments], input=text, capture_output=True, text=True,
                            timeout=PATIENCE_S, check=False)
    assert result.returncode == status, f"{name} {arguments}: {result.returncode} {result.stderr}"
    return result.stdout + result.stderr


def arrived(machine, count=1):
    wait_until(lambda: len(machine.sink.messages) >= count, f"{count} messages")
    assert len(machine.sink.messages) == count
    return machine.sink.messages


def waiting(machine):
    return sorted(machine.drop.glob("*.drop"))


def test_options_of_other_programs(machine):
    """cron, PHP, git send-email, msmtp's users, mdadm and smartd, logcheck: as each calls it."""
    calls = [
        (["-FCronDaemon", "-i", "-B8BITMIME", "-oem", "root"], "admin@far.test"),
        (["-t", "-i"], "u@far.test"),
        (["-t", "-i", "-fweb@out.test"], "u@far.test"),
        (["-i", "-f", "git@out.test", "--", "a@far.test", "b@far.test"], "a@far.test"),
        (["-oi", "-oem", "-odi", "-O", "DeliveryMode=b", "-G", "-m", "-n", "-U", "-h", "3", "a@far.test"], "a@far.test"),
        (["-L", "tag", "-p", "ESMTP:host", "-X", "/dev/null", "-A", "c", "-N", "failure,delay", "-R", "hdrs", "-V", "e=1", "a@far.test"],
         "a@far.test"),
    ]
    for n, (arguments, recipient) in enumerate(calls):
        call(machine, *arguments, text="To: u@far.test\nSubject: hello\n\nhello\n")
        message = arrived(machine, n + 1)[n]
        assert recipient in message["recipients"]
    assert machine.sink.messages[2]["sender"] == "web@out.test"
    assert machine.sink.messages[3]["recipients"] == ["a@far.test", "b@far.test"]
    assert b"\"CronDaemon\" <" in machine.sink.messages[0]["content"]
    wait_until(lambda: not waiting(machine), "the folder to be empty")


def test_message_is_made_whole(machine):
    call(machine, "-i", "-f", "<>", "u@far.test", text="Bcc: secret@far.test\nSubject: a\n\n.\n.two\nthree")
    message = arrived(machine)[0]
    lines = message["content"].split(b"\r\n")
    assert message["sender"] == "" and message["recipients"] == ["u@far.test"]
    assert lines[0].startswith(b"Received: by relay.test (Outlast, from user ")
    assert b"secret" not in message["content"]
    assert len([line for line in lines if line.startswith((b"Date: ", b"Message-ID: <"))]) == 2
    assert message["content"].endswith(b"\r\n\r\n.\r\n.two\r\nthree\r\n")


def test_refusals(machine):
    assert "no recipients" in call(machine, status=65)
    assert "is not an address" in call(machine, "a@@b", status=65)
    assert "no such option" in call(machine, "-Z", status=64)
    assert "-bd is not offered" in call(machine, "-bd", status=64)
    assert "NUL" in call(machine, "u@far.test", text="a\0b\n", status=65)
    assert "drop" in call(machine, "-C", "/dev/null", "u@far.test", status=78)
    assert not waiting(machine) and not machine.sink.messages


def test_nothing_is_lost_while_it_is_down(machine):
    machine.out.stop()
    for n in range(20):
        call(machine, f"u{n}@far.test")
    assert len(waiting(machine)) == 20
    machine.out.start()
    assert sorted(m["recipients"][0] for m in arrived(machine, 20)) == sorted(f"u{n}@far.test" for n in range(20))
    wait_until(lambda: not waiting(machine), "the folder to be empty")
    assert machine.out.events("accepted")[0]["client"].startswith("user ")


def test_kill_at_any_moment(machine):
    """Whatever was kept comes out, also when the relay is killed again and again meanwhile."""
    wanted = set()
    for turn in range(5):
        for n in range(10):
            call(machine, f"u{turn}-{n}@far.test")
            wanted.add(f"u{turn}-{n}@far.test")
            if n == turn * 2:
                machine.out.kill()
        machine.out.start()
    wait_until(lambda: {m["recipients"][0] for m in machine.sink.messages} == wanted, "every message")
    assert not waiting(machine)
    # Twice only where the kill fell between the spool's sync and the removal of the file.
    assert len(machine.sink.messages) <= len(wanted) + 5


def test_bad_files_hold_up_nobody(machine):
    machine.out.stop()
    (machine.drop / "0.drop").write_bytes(b"not ours")
    (machine.drop / "1.drop").symlink_to("/etc/passwd")
    os.mkfifo(machine.drop / "2.drop")
    call(machine, "u@far.test")
    machine.out.start()
    arrived(machine)
    assert sorted(p.name for p in (machine.drop / "refused").iterdir()) == ["0.drop", "1.drop", "2.drop"]
    assert "it is not a drop file" in (machine.out.folder / "outlast.log").read_text()


def test_spool_is_full(machine):
    """Mail waits in the folder, and goes when there is room again."""
    machine.out.stop()
    text = machine.out.config_text
    machine.out.config.write_text(text.replace("reserve_size 1M", "reserve_size 1000G"))
    machine.out.start()
    assert "no room" in call(machine, "u@far.test", status=75)  # so as to leave the disk its reserve
    (machine.out.folder / "small.conf").write_text(text)
    call(machine, "-C", str(machine.out.folder / "small.conf"), "u@far.test")
    log = machine.out.folder / "outlast.log"
    wait_until(lambda: "mail waits in the drop folder" in log.read_text(), "the relay to say so")
    assert len(waiting(machine)) == 1
    machine.out.config.write_text(text)
    machine.out.restart()
    arrived(machine)


def test_large_message(machine):
    call(machine, "-i", "u@far.test", text="Subject: a\n\n" + "x" * 70 + "\n" + ("y" * 99 + "\n") * 40000)
    assert len(arrived(machine)[0]["content"]) > 4_000_000
    machine.out.wait_empty()
    wait_until(lambda: not list((machine.out.folder / "spool" / "bodies").iterdir()), "the file to be removed")


def test_queue_by_the_old_names(machine):
    machine.sink.script["rcpt"] = "450 4.2.1 later"
    call(machine, "u@far.test")
    machine.out.wait_event("deferred")
    assert "u@far.test" in call(machine, name="mailq") and "u@far.test" in call(machine, "-bp")
    machine.sink.script.clear()
    call(machine, "-q15m")
    call(machine, "-qRfar.test")
    arrived(machine)
    assert call(machine, name="newaliases") == "" and call(machine, "-bi") == ""


def test_smtp_on_standard_input(machine):
    machine.out.config.write_text(machine.out.config_text.replace("127.0.0.1:0", f"127.0.0.1:{machine.out.port}"))
    answer = call(machine, "-bs", text="EHLO c\r\nMAIL FROM:<a@out.test>\r\nRCPT TO:<u@far.test>\r\nDATA\r\n"
                  "Subject: a\r\n\r\nhello\r\n.\r\nQUIT\r\n")
    assert "250 2.0.0 kept as" in answer and "221 " in answer
    arrived(machine)
    machine.out.stop()
    assert call(machine, "-bs", status=75).startswith("421 ")


def test_git_send_email(machine, tmp_path):
    repository = tmp_path / "repository"
    environment = dict(os.environ, HOME=str(tmp_path), GIT_AUTHOR_NAME="A", GIT_AUTHOR_EMAIL="a@out.test",
                       GIT_COMMITTER_NAME="A", GIT_COMMITTER_EMAIL="a@out.test")
    environment["PERL5LIB"] = str(PEERS / "git-email/usr/share/perl5")
    environment["PATH"] = f"{peer('git-email', 'usr/lib/git-core/git-send-email').parent}:{environment['PATH']}"

    def git(*arguments):
        return subprocess.run(["git", "-C", str(repository), *arguments], env=environment, check=True, capture_output=True)

    subprocess.run(["git", "init", "-q", str(repository)], env=environment, check=True)
    git("commit", "--allow-empty", "-qm", "nothing")
    (repository / "file").write_text("x\n")
    git("add", "file")
    git("commit", "-qm", "a file")
    git("format-patch", "-1", "-o", str(tmp_path))
    git("send-email", f"--sendmail-cmd={machine.programs / 'sendmail'}", "--confirm=never", "--quiet", "--from=a@out.test",
        "--to=list@far.test", "--cc=b@far.test", str(tmp_path / "0001-a-file.patch"))
    message = arrived(machine)[0]
    assert message["recipients"] == ["list@far.test", "b@far.test", "a@out.test"][:len(message["recipients"])]
    assert b"Subject: [PATCH] a file" in message["content"]


def peer(name, path):
    """A program of a Debian package that bootstrap unpacked."""
    found = PEERS / name / path
    if not found.exists():
        pytest.skip(f"{name} is not unpacked: ./bootstrap")
    return found


def environment_of(name, **more):
    """For such a program: it finds the libraries that were unpacked with it."""
    return dict(os.environ, LD_LIBRARY_PATH=str(PEERS / name / "usr/lib/x86_64-linux-gnu"), **more)


def test_bsd_mailx(machine, tmp_path):
    mail = peer("bsd-mailx", "usr/bin/bsd-mailx")
    settings = tmp_path / "mailrc"
    settings.write_text(f"set sendmail={machine.programs / 'sendmail'}\n")
    subprocess.run([mail, "-s", "from mailx", "-r", "ann@out.test", "-c", "b@far.test", "u@far.test"], input="hello\n",
                   text=True, env=environment_of("bsd-mailx", MAILRC=str(settings), HOME=str(tmp_path)), check=True, timeout=PATIENCE_S)
    message = arrived(machine)[0]
    assert sorted(message["recipients"]) == ["b@far.test", "u@far.test"]
    assert b"Subject: from mailx" in message["content"] and message["content"].endswith(b"hello\r\n")


def test_mutt(machine, tmp_path):
    mutt = peer("mutt", "usr/bin/mutt")
    subprocess.run([mutt, "-n", "-F", "/dev/null", "-e", f'set sendmail="{machine.programs / "sendmail"} -oem -oi"',
                    "-e", "set from=ann@out.test use_envelope_from=yes copy=no", "-s", "from mutt", "-b", "c@far.test", "--", "u@far.test"],
                   input="hello\n", text=True, env=environment_of("mutt", HOME=str(tmp_path)), check=True, timeout=PATIENCE_S)
    message = arrived(machine)[0]
    assert sorted(message["recipients"]) == ["c@far.test", "u@far.test"] and message["sender"] == "ann@out.test"
    assert b"c@far.test" not in message["content"]
