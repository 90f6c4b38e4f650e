"""Alarms leave outside the mail path: a program, a web hook, a file (issue 3, part 9)."""

import http.server
import json
import pathlib
import threading

import pytest

from world import Dns, Loop, Relay, Sink, free_address, wait_until

FAST = "every 100ms; timeout 1s;"


class Hook(http.server.ThreadingHTTPServer):
    """Takes what is posted; `answer` is the status it gives, None: it says nothing."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), self.Handler)
        self.answer, self.taken, self.is_over = 204, [], threading.Event()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def stop(self):
        self.is_over.set()
        self.shutdown()
        self.server_close()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            self.server.taken.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            if self.server.answer is None:
                self.server.is_over.wait()
            else:
                self.send_response(self.server.answer)
                self.end_headers()

        def log_message(self, *_):
            pass


@pytest.fixture
def world(tmp_path):
    loop = Loop()
    dns = Dns(loop)
    dns.mail("far.test", free_address(1))  # nobody listens there
    sink = Sink(loop, free_address(2))
    dns.mail("near.test", sink.address)
    hook = Hook()
    relays = []

    def start(alarms, **options):
        relays.append(Relay(tmp_path, dns, sink.port, extra=alarms, destination="lifetime 1h; schedule 1s; probe 1s;", **options))
        return relays[0]

    start.hook, start.sink, start.folder, start.dns = hook, sink, tmp_path, dns
    yield start
    for relay in relays:
        relay.stop()
    hook.stop()
    sink.stop()
    loop.stop()


def program(folder, name, text):
    path = pathlib.Path(folder) / name
    path.write_text("#!/bin/sh\n" + text)
    path.chmod(0o755)
    return path


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def state_of(relay, name):
    return next(alarm for alarm in relay.ask("alarms")["alarms"] if alarm["alarm"] == name)


def test_every_way_is_told_once_and_once_again_when_it_is_over(world):
    told, log = world.folder / "told", world.folder / "alarms.log"
    page = program(world.folder, "page", f'echo "$1 $2" >>{told}; cat >>{told}\n')
    relay = world(f'alarm down {{ site_down 1s; exec "{page}"; webhook "http://127.0.0.1:{world.hook.server_port}/x"; file "{log}"; {FAST} }}')
    relay.send("me@out.test", ["you@far.test"])
    raised, = wait_until(lambda: lines(log), "the alarm")
    assert raised["alarm"] == "down" and raised["state"] == "raised" and raised["condition"] == "site_down"
    assert raised["text"].startswith("1 site is down for 1s or longer: mx.far.test (host_down") and raised["host"] == "relay.test"
    wait_until(lambda: world.hook.taken, "the web hook")
    assert world.hook.taken == [raised]
    head, _, body = told.read_text().partition("\n")
    assert head == "down raised" and json.loads(body) == raised
    assert state_of(relay, "down")["raised"] and not state_of(relay, "down")["problem"]
    world.dns.mail("far.test", world.sink.address)  # it moved: the next probe finds it
    wait_until(lambda: len(world.hook.taken) == 2, "the all-clear")
    assert [line["state"] for line in lines(log)] == ["raised", "cleared"] == [line["state"] for line in world.hook.taken]
    assert lines(log)[1]["since"] is None
    assert [event["state"] for event in relay.wait_event("alarm", 2)] == ["raised", "cleared"]
    assert not state_of(relay, "down")["raised"]


def test_expiring_and_age_and_disk(world):
    log = world.folder / "alarms.log"
    relay = world(f'''forecast 100ms;
alarm many {{ expiring 2; within 1h; file "{log}"; {FAST} }}
alarm old {{ queue_age 1s; file "{log}"; {FAST} }}
alarm disk {{ disk_free 1000000G; file "{log}"; {FAST} }}
alarm room {{ disk_free 1K; file "{log}"; {FAST} }}''')
    relay.send("me@out.test", ["a@far.test", "b@far.test"])
    wait_until(lambda: {line["alarm"] for line in lines(log)} == {"many", "old", "disk"}, "three alarms")
    assert all(line["state"] == "raised" for line in lines(log)) and len(lines(log)) == 3
    assert "RAISED" in relay.run("alarms") and "quiet" in relay.run("alarms")
    relay.run("cancel", "--to", "far.test")
    wait_until(lambda: {line["alarm"] for line in lines(log) if line["state"] == "cleared"} == {"many", "old"}, "two of them cleared")


def test_hooks_that_hang_or_fail_hold_up_nothing(world):
    log = world.folder / "alarms.log"
    started = world.folder / "started"
    hangs = program(world.folder, "hangs", f'echo $$ >{started}; sleep 1000 & wait\n')
    fails = program(world.folder, "fails", "exit 3\n")
    world.hook.answer = None
    url = f"http://127.0.0.1:{world.hook.server_port}/"
    relay = world(f'''
alarm hangs {{ queue_age 1s; exec "{hangs}"; file "{log}"; {FAST} }}
alarm fails {{ queue_age 1s; exec "{fails}"; file "{log}"; {FAST} }}
alarm nothing {{ queue_age 1s; exec "/nonexistent"; file "{log}"; {FAST} }}
alarm silent {{ queue_age 1s; webhook "{url}"; file "{log}"; {FAST} }}
alarm nobody {{ queue_age 1s; webhook "http://127.0.0.1:1/"; file "/nonexistent/file"; {FAST} }}''')
    relay.send("me@out.test", ["you@far.test"])
    relay.send("me@out.test", ["you@near.test"])
    wait_until(lambda: world.sink.messages, "mail, which does not wait for hooks")
    wait_until(lambda: all(alarm["problem"] for alarm in relay.ask("alarms")["alarms"]), "a problem of each")
    problems = {alarm["alarm"]: alarm["problem"] for alarm in relay.ask("alarms")["alarms"]}
    assert problems["hangs"].endswith("took longer than 1000 ms and was killed")
    assert problems["fails"].endswith("exited with 3")
    assert problems["nothing"] == "/nonexistent: No such file or directory"
    assert problems["silent"] and problems["nobody"]
    assert len(lines(log)) == 4  # the file had its line whatever became of the program
    pid = int(started.read_text())
    wait_until(lambda: not pathlib.Path(f"/proc/{pid}").exists(), "the program to be gone")


def test_a_restart_neither_raises_again_nor_forgets(world):
    log = world.folder / "alarms.log"
    relay = world(f'alarm old {{ queue_age 1s; file "{log}"; {FAST} }}')
    relay.send("me@out.test", ["you@far.test"])
    raised, = wait_until(lambda: lines(log), "the alarm")
    relay.restart()
    wait_until(lambda: state_of(relay, "old")["text"], "a look after the restart")
    assert len(lines(log)) == 1 and state_of(relay, "old")["since"] == raised["since"]
    relay.run("cancel", "--to", "far.test")
    wait_until(lambda: len(lines(log)) == 2, "the all-clear")
    assert lines(log)[1]["state"] == "cleared"


def test_a_reload_changes_what_is_watched(world):
    log = world.folder / "alarms.log"
    relay = world(f'alarm old {{ queue_age 1h; file "{log}"; {FAST} }}')
    relay.send("me@out.test", ["you@far.test"])
    assert "reloaded" in relay.reload(relay.config_text.replace("queue_age 1h", "queue_age 1s")).stdout
    wait_until(lambda: lines(log), "the alarm")
    refused = relay.reload(relay.config_text.replace("queue_age 1h", "queue_age 1h; site_down 1h"))
    assert refused.returncode == 1 and "needs one of expiring, site_down, queue_age and disk_free" in refused.stderr
    relay.config.write_text(relay.config_text)  # commands read it to find the relay
    assert state_of(relay, "old")["raised"]


def test_stopping_does_not_wait_for_a_program(world):
    started = world.folder / "started"
    hangs = program(world.folder, "hangs", f"touch {started}; exec sleep 1000\n")
    relay = world(f'alarm old {{ queue_age 1s; exec "{hangs}"; every 100ms; timeout 1h; }}')
    relay.send("me@out.test", ["you@far.test"])
    wait_until(started.exists, "the program")
    relay.stop()
    relay.start()
