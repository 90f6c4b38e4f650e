"""outlast top on a terminal of 80 by 24, as a person would see it: the bytes go through a small terminal of our own."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time

import pytest

from world import OUTLAST, PATIENCE_S, wait_until

PLAIN = "probe 300ms; schedule 300ms; jitter_percent 0; lifetime 1h; notice_lifetime 1h; delay_notice 0;"


class Terminal:
    """What the escape sequences that top uses leave on a screen."""

    def __init__(self, arguments, columns=80, rows=24):
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            os.execv(OUTLAST, [OUTLAST, *arguments])
        self.resize(columns, rows)
        self.all = ""
        self.is_alternate = False
        self.lines = []

    def resize(self, columns, rows):
        self.columns, self.rows = columns, rows
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def read(self):
        """Takes what has come; the screen is the last whole picture."""
        while select.select([self.master], [], [], 0.02)[0]:
            try:
                part = os.read(self.master, 65536).decode()
            except OSError:  # it has ended
                break
            self.all += part
        pictures = self.all.split("\033[H")
        if len(pictures) > 1:
            self.lines = re.sub(r"\033\[[0-9;?]*[a-zA-Z]|\r", "", pictures[-1]).split("\n")
        return "\n".join(self.lines)

    def wait(self, text):
        wait_until(lambda: text in self.read(), f'"{text}" on the screen; it says:\n' + "\n".join(self.lines))

    def press(self, keys):
        os.write(self.master, keys.encode())

    def end(self):
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            self.read()
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                os.close(self.master)
                return os.waitstatus_to_exitcode(status)
        os.kill(self.pid, signal.SIGKILL)
        raise AssertionError("top does not end")


@pytest.fixture
def relay(world):
    world.fine = world.host("fine.test")
    world.host("down.test").stop()
    relay = world.relay(destination=PLAIN)
    for i in range(3):
        relay.send("a@out.test", [f"u{i}@down.test", f"v{i}@fine.test"])
    relay.wait_event("delivered", 3)
    wait_until(lambda: relay.ask("incidents"), "an incident")
    return relay


def test_once(relay):
    lines = relay.run("top", "--once").splitlines()
    assert lines[0].startswith("outlast ") and "queue 3" in lines[0] and "closed 1/2" in lines[0]
    assert "host_down 3" in lines[1] and any(line.startswith("incident  mx.down.test: host_down") for line in lines)
    assert [line.split()[:4] for line in lines[-2:]] == [["down.test", "closed", "host_down", "3"], ["fine.test", "open", "0", "0"]]
    assert not any("\033" in line or len(line) > 80 for line in lines)
    answer = relay.ask("top")
    assert answer["status"]["queue"]["messages"] == 3 and len(answer["destinations"]) == 2
    assert "a terminal is needed" in relay.run("top", check=False).stderr


def test_live_with_keys(relay):
    top = Terminal(["top", "--config", str(relay.config)])
    top.wait("down.test")
    assert "\033[?1049h" in top.all  # a screen of its own
    relay.send("b@out.test", ["w@down.test"])
    top.wait("host_down 4")
    assert len(top.lines) == 24 and all(len(line) <= 80 for line in top.lines)
    top.resize(100, 10)
    wait_until(lambda: top.read() and len(top.lines) == 10, "a picture of 10 lines")
    top.press("n\033[B")  # by name; the first
    top.press("s")
    top.wait("suspend down.test?")
    top.press("x")  # not confirmed
    top.wait("nothing was done")
    assert relay.ask("queue", "--summary")[0]["suspended"] is False
    top.press("s")
    top.wait("suspend down.test?")
    top.press("y")
    top.wait("suspended")
    assert next(d for d in relay.ask("queue", "--summary") if d["destination"] == "down.test")["suspended"]
    before = relay.ask("queue")[0]["recipients"][0]["deadline"]
    top.press("x")
    top.wait("extend by 24h 4 messages to down.test?")
    top.press("y")
    top.wait("done")
    assert relay.ask("queue")[0]["recipients"][0]["deadline"] > before
    top.press("q")
    assert top.end() == 0
    assert top.all.rstrip().endswith("\033[?1049l")


def test_a_relay_that_goes_away(relay):
    top = Terminal(["top", "--config", str(relay.config)])
    top.wait("down.test")
    relay.stop()
    top.wait("the relay does not answer")
    assert "down.test" in top.read()  # the last picture stays
    relay.start()
    wait_until(lambda: "does not answer" not in top.read(), "an answer")
    os.kill(top.pid, signal.SIGTERM)
    assert top.end() == 0 and top.all.rstrip().endswith("\033[?1049l")
