#!/usr/bin/python3
"""A long queue for a dead destination: memory per message, time to restart, time of `outlast queue --summary`."""

import argparse
import json
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

from run import OUTLAST, ROOT, free_port, source


def memory_kib(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    return 0


def start(folder):
    (folder / "ready.json").unlink(missing_ok=True)
    began = time.monotonic()
    relay = subprocess.Popen([OUTLAST, "serve", "--config", str(folder / "outlast.conf"), "--ready", str(folder / "ready.json")])
    while not (folder / "ready.json").exists():
        assert relay.poll() is None
        time.sleep(0.01)
    return relay, time.monotonic() - began


def ask(folder, *arguments):
    began = time.monotonic()
    result = subprocess.run([OUTLAST, *arguments, "--json", "--socket", str(folder / "control")], capture_output=True, text=True, check=True)
    return json.loads(result.stdout), time.monotonic() - began


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--messages", type=int, default=1000000)
    parser.add_argument("--length", type=int, default=512)
    parser.add_argument("--folder", default=str(ROOT / "build"))
    arguments = parser.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(dir=arguments.folder))
    port = free_port()
    (folder / "outlast.conf").write_text(f"""hostname "relay.test";
listener "127.0.0.1:{port}" {{ }}
receive {{ messages_per_connection 100000000; }}
spool {{ directory "{folder}/spool"; }}
deliver {{ ipv6 no; allow_own_address yes; }}
defaults {{ route "[127.0.0.1]:{free_port()}"; lifetime 5d; delay_notice 0; }}
admin {{ socket "{folder}/control"; }}
log {{ level warning; }}
""")
    relay, _ = start(folder)
    try:
        before = memory_kib(relay.pid)
        began = time.monotonic()
        source(port, arguments.messages, 50, arguments.length, "you@dead.test")
        accepted_s = arguments.messages / (time.monotonic() - began)
        status, _ = ask(folder, "status")
        assert status["queue"]["messages"] == arguments.messages, status["queue"]
        live = memory_kib(relay.pid) - before
        _, summary_s = ask(folder, "queue", "--summary")
        relay.send_signal(signal.SIGTERM)
        relay.wait(60)
        relay, restart_s = start(folder)
        status, _ = ask(folder, "status")
        assert status["queue"]["messages"] == arguments.messages, status["queue"]
        loaded = memory_kib(relay.pid) - before
        _, summary_again_s = ask(folder, "queue", "--summary")
        print(json.dumps({"messages": arguments.messages, "accepted_s": round(accepted_s), "memory_bytes_per_message": round(live * 1024 / arguments.messages),
                          "memory_bytes_per_message_after_restart": round(loaded * 1024 / arguments.messages), "restart_s": round(restart_s, 2),
                          "summary_s": round(max(summary_s, summary_again_s), 3), "spool_disk_bytes": status["spool"]["disk_bytes"]}, indent=1))
    finally:
        relay.kill()
        relay.wait()
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
