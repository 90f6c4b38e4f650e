"""outlast simulate: shipped worlds, the event log of a running relay, and what is said of mistakes."""

import json
import subprocess
import xml.etree.ElementTree

import pytest

from world import OUTLAST, ROOT

WORLDS = sorted((ROOT / "etc" / "worlds").glob("*.conf"))


def simulate(*arguments, check=True):
    done = subprocess.run([OUTLAST, "simulate", *map(str, arguments)], capture_output=True, text=True, timeout=300)
    assert not check or done.returncode == 0, done.stderr
    return done


def results(*arguments):
    return json.loads(simulate("--json", *arguments).stdout)


@pytest.mark.parametrize("world_file", [path for path in WORLDS if path.stem != "million"], ids=lambda path: path.stem)
def test_shipped_worlds(world_file):
    (world,) = results(world_file, "--lifetime", "72h")
    policies = {policy["policy"]: policy for policy in world["policies"]}
    assert len(policies) == 12
    for policy in policies.values():
        assert policy["accepted"] == world["messages"]
        assert policy["accepted"] == policy["delivered"] + policy["failed"] + policy["expired"] + policy["queued"]
    ours = policies.pop("outlast")
    assert ours["wasted"] == 0
    assert all(ours["expired"] <= policy["expired"] for policy in policies.values())
    if world_file.stem == "shared":  # the others give up after two days of sixty hours
        return
    forgetful = [policies[name]["dead_connections"] for name in ("stalwart", "gmail", "ses")]
    assert all(ours["dead_connections"] * 10 <= dead for dead in forgetful) or not any(forgetful)


def test_same_seed_same_result():
    world = ROOT / "etc" / "worlds" / "all.conf"
    assert results(world, "--policy", "outlast") == results(world, "--policy", "outlast")
    assert results(world, "--policy", "outlast") != results(world, "--policy", "outlast", "--seed", "2")


def test_event_log_of_a_running_relay(world):
    count = 50
    target = world.host("late.test")
    target.stop()
    relay = world.relay(destination="schedule 1h; probe 1s; jitter_percent 0; lifetime 1h; delay_notice 0;")
    for i in range(count):
        relay.send("me@out.test", [f"u{i}@late.test"])
    relay.wait_event("deferred", 2)  # so that the log tells of some time, not of a moment
    target.start()
    relay.wait_event("delivered", count)
    (recorded,) = results("--events", relay.events_file, "--policy", "outlast", "--policy", "stalwart")
    ours, theirs = recorded["policies"]
    assert recorded["messages"] == count
    assert ours["delivered"] == count and ours["recovery"]["messages"] == count
    assert 1 <= ours["dead_connections"] < 20
    assert theirs["dead_connections"] >= count / 2


def test_configuration_and_plot(tmp_path):
    config = tmp_path / "new.conf"
    config.write_text('defaults { probe 1h; lifetime 20h; }\n')
    plot = tmp_path / "queue.svg"
    (world,) = results(ROOT / "etc" / "worlds" / "down-30h.conf", "--policy", config, "--policy", "outlast:postfix", "--plot", plot)
    slow, preset = world["policies"]
    assert slow["expired"] > 0 and preset["expired"] == 0
    assert slow["dead_connections"] < preset["dead_connections"]
    picture = xml.etree.ElementTree.parse(plot).getroot()
    assert len(picture.findall("{http://www.w3.org/2000/svg}polyline")) == 2


def test_mistakes_are_named(tmp_path):
    broken = tmp_path / "broken.conf"
    broken.write_text('host h {\n  rate fast;\n}\n')
    done = simulate(broken, "--policy", "outlast", check=False)
    assert done.returncode == 1
    assert done.stderr == f"{broken}:2: rate: wants NUMBER/DURATION, and perhaps a reply\n"
    assert simulate(check=False).returncode == 2
    assert simulate(WORLDS[0], "--lifetime", "soon", check=False).returncode == 2
    assert "no preset" in simulate(WORLDS[0], "--policy", "outlast:nobody", check=False).stderr
    done = simulate(WORLDS[0], "--policy", tmp_path / "missing.conf", check=False)
    assert done.returncode == 1 and "missing.conf" in done.stderr
    assert "cannot write" in simulate(WORLDS[0], "--policy", "outlast", "--plot", tmp_path / "no" / "where", check=False).stderr


def test_effective_schedule(tmp_path):
    config = tmp_path / "k.conf"
    config.write_text('defaults { preset kumomta; }\ndestination "a.test" { preset postfix; }\n')
    done = subprocess.run([OUTLAST, "config", "check", str(config)], capture_output=True, text=True, check=True)
    assert "warning: defaults: the schedule's own last attempt is at 3d 13h" in done.stdout
    assert "schedule of a.test" in done.stdout and "7-112" in done.stdout
    answer = json.loads(subprocess.run([OUTLAST, "config", "check", "--json", str(config)], capture_output=True, check=True).stdout)
    assert answer["ok"] and answer["problems"] == []
    messages = answer["schedules"][0]["messages"]
    assert answer["schedules"][0]["probe_waits"] == [15, 30, 60, 120, 300]
    assert messages["warning"] and messages["attempts"][:3] == [0, 1200, 3600] and messages["longest_gap"] > 80 * 3600
    config.write_text("defaults { nonsense; }\n")
    done = subprocess.run([OUTLAST, "config", "check", "--json", str(config)], capture_output=True)
    answer = json.loads(done.stdout)
    assert done.returncode == 1 and not answer["ok"] and answer["problems"][0].startswith(f"{config}:1: ")
