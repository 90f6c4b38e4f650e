#!/usr/bin/python3
"""The heart on the lab, in real time. (a) 2,000 messages wait for a dead site; it comes back: all are out within a probe
interval and ten seconds. (b) a site with a configured rate: 95 % of it at least, and no second with more than it.

usage: bench/recovery.py [--paced 100000] [--rate 2000]     OUTLAST names the binary, build/outlast if it is not set"""

import argparse
import bisect
import collections
import datetime
import json
import os
import pathlib
import signal
import smtplib
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
OUTLAST = os.environ.get("OUTLAST", str(ROOT / "build" / "outlast"))
BACK_AFTER_S = 20
PROBE_S = 5

WORLD = f"""
dns_port 0;
smtp_port 0;
domain "dead.test" {{ mx 10 mx.dead.test; }}
host "mx.dead.test" {{ refuse; at {BACK_AFTER_S}s {{ accept; }} }}
domain "paced.test" {{ mx 10 mx.paced.test; }}
host "mx.paced.test" {{ }}
"""
RELAY = """
hostname "relay.test";
listener "127.0.0.1:0" {{ }}
spool {{ directory "{folder}/spool"; }}
dns {{ servers "{dns}"; }}
deliver {{ port {port}; ipv6 no; allow_own_address yes; }}
report {{ event_log "{folder}/events.log"; }}
admin {{ socket "{folder}/control"; }}
log {{ level warning; format text; file "{folder}/relay.log"; }}
defaults {{ probe {probe}s; delay_notice 0; }}
destination "paced.test" {{ rate {rate}/s; }}
"""


def start(folder, rate):
    (folder / "world.conf").write_text(WORLD)
    lab = subprocess.Popen([OUTLAST, "lab", str(folder / "world.conf")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    ready = json.loads(lab.stdout.readline())
    began = time.time()
    text = RELAY.format(folder=folder, dns=ready["dns"], port=ready["smtp_port"], probe=PROBE_S, rate=rate)
    (folder / "outlast.conf").write_text(text)
    relay = subprocess.Popen([OUTLAST, "serve", "--config", str(folder / "outlast.conf"), "--ready", str(folder / "ready.json")])
    while not (folder / "ready.json").exists():
        time.sleep(0.02)
    return lab, relay, int(json.loads((folder / "ready.json").read_text())["listeners"][0].rsplit(":", 1)[1]), began


def send(port, count, domain, sessions=8):
    def session(first):
        with smtplib.SMTP("127.0.0.1", port, local_hostname="load.test") as client:
            for i in range(first, count, sessions):
                client.sendmail("load@out.test", [f"u{i}@{domain}"], "Subject: load\r\n\r\nhello\r\n")

    threads = [threading.Thread(target=session, args=(n,)) for n in range(sessions)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def deliveries(folder, domain):
    """Times of delivery, by recipient: each must be there once."""
    times = collections.Counter(), []
    for line in (folder / "events.log").read_text().splitlines():
        event = json.loads(line)
        if event["event"] == "delivered" and event["destination"] == domain:
            times[0][event["recipient"]] += 1
            times[1].append(datetime.datetime.fromisoformat(event["time"].replace("Z", "+00:00")).timestamp())
    return times


def wait_for(folder, domain, count, patience_s):
    end = time.monotonic() + patience_s
    while True:
        seen, times = deliveries(folder, domain)
        if len(times) >= count:
            return seen, sorted(times)
        if time.monotonic() > end:
            sys.exit(f"recovery: only {len(times)} of {count} for {domain}")
        time.sleep(0.5 if count < 10000 else 5)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--paced", type=int, default=100000)
    parser.add_argument("--rate", type=int, default=2000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        lab, relay, port, began = start(folder, arguments.rate)
        try:
            send(port, 2000, "dead.test")
            seen, times = wait_for(folder, "dead.test", 2000, 60)
            assert set(seen.values()) == {1}, "lost or duplicated"
            print(f"2,000 messages to a dead site: the last was out {times[-1] - began - BACK_AFTER_S:.1f} s after it was back "
                  f"(probe every {PROBE_S} s)")
            loader = threading.Thread(target=send, args=(port, arguments.paced, "paced.test", 16))
            loader.start()
            seen, times = wait_for(folder, "paced.test", arguments.paced, arguments.paced / arguments.rate * 3 + 120)
            loader.join()
            assert set(seen.values()) == {1}, "lost or duplicated"
            most = max(b - a for a, b in zip(range(len(times)), (next_after(times, t + 1) for t in times)))
            share = arguments.paced / (times[-1] - times[0]) / arguments.rate
            print(f"{arguments.paced} messages at {arguments.rate}/s: {share:.1%} of the rate; at most {most} in any second")
        finally:
            relay.send_signal(signal.SIGTERM)
            relay.wait()
            lab.send_signal(signal.SIGTERM)
            lab.wait()


def next_after(times, moment):
    return bisect.bisect_left(times, moment)


if __name__ == "__main__":
    main()
