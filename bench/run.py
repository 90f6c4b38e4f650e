#!/usr/bin/python3
"""Throughput, end to end: Postfix's smtp-source -> the relay -> a counting sink (`outlast lab`), every message synced before its 250.
Beside it the same load straight into the sink. Refuses to print a figure when a message was lost or duplicated."""

import argparse
import json
import os
import pathlib
import resource
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
OUTLAST = os.environ.get("OUTLAST", str(ROOT / "build" / "outlast"))
PEER = ROOT / "build/peers/postfix"
WORLD = 'dns_port 0;\nsmtp_port 0;\ndomain "sink.test" { mx 10 mx.sink.test; }\nhost "mx.sink.test" { address 127.0.0.1; }\n'


def cpu_s(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def source(port, count, sessions, length, to):
    subprocess.run([str(PEER / "usr/sbin/smtp-source"), "-d", "-s", str(sessions), "-l", str(length), "-m", str(count), "-f",
                    "load@out.test", "-t", to, f"127.0.0.1:{port}"],
                   env=dict(os.environ, LD_LIBRARY_PATH=str(PEER / "usr/lib/postfix")), check=True)


class Lab:
    def __init__(self, folder):
        world = folder / "world.conf"
        world.write_text(WORLD)
        self.process = subprocess.Popen([OUTLAST, "lab", str(world)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.ready = json.loads(self.process.stdout.readline())

    def messages(self):
        self.process.stdin.write("status\n")
        self.process.stdin.flush()
        return sum(host["messages"] for host in json.loads(self.process.stdout.readline())["hosts"].values())

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(10)


def free_port():
    """Every worker opens the listener itself, so that port 0 would give each another one."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def sign_block(folder, kind):
    if not kind:
        return ""
    made = subprocess.run([OUTLAST, "dkim", "keygen", "relay.test", "s", kind, "--json"], cwd=folder, capture_output=True, text=True, check=True)
    key = json.loads(made.stdout)
    return f'dkim "{key["name"]}" {{ key "{folder}/{key["key"]}"; senders "*"; }}\n'


def tls_words(folder):
    path = folder / "relay.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=relay.test", "-days", "2",
                    "-keyout", path, "-out", folder / "certificate.pem"], capture_output=True, check=True)
    path.write_text(path.read_text() + (folder / "certificate.pem").read_text())
    return f'tls starttls; certificate "{path}";'


def start_relay(folder, lab, listener="", route="", extra=""):
    """`route`: where all mail goes, instead of to the lab's hosts."""
    folder.mkdir(exist_ok=True)
    config = folder / "outlast.conf"
    config.write_text(f"""hostname "relay.test";
listener "127.0.0.1:{free_port()}" {{ {listener} }}
receive {{ messages_per_connection 1000000; }}
spool {{ directory "{folder}/spool"; }}
dns {{ servers "{lab.ready['dns']}"; }}
deliver {{ port {lab.ready['smtp_port']}; ipv6 no; allow_own_address yes; }}
defaults {{ connections 50; messages_per_connection 1000000; {route} }}
admin {{ socket "{folder}/control"; }}
log {{ level warning; }}
{extra}""")
    ready = folder / "ready.json"
    relay = subprocess.Popen([OUTLAST, "serve", "--config", str(config), "--ready", str(ready)])
    while not ready.exists():
        time.sleep(0.02)
    return relay, int(json.loads(ready.read_text())["listeners"][0].rsplit(":", 1)[1])


def direct(arguments):
    folder = pathlib.Path(tempfile.mkdtemp(dir=arguments.folder))
    lab = Lab(folder)
    try:
        began = time.monotonic()
        source(lab.ready["smtp_port"], arguments.messages, arguments.sessions, arguments.length, "you@sink.test")
        took = time.monotonic() - began
        assert lab.messages() == arguments.messages
        return {"messages_s": arguments.messages / took}
    finally:
        lab.stop()
        shutil.rmtree(folder)


def relayed(arguments):
    folder = pathlib.Path(tempfile.mkdtemp(dir=arguments.folder))
    lab = Lab(folder)
    extra = sign_block(folder, arguments.sign)
    others, route = [], ""
    if arguments.through:
        second, port = start_relay(folder / "second", lab, listener=tls_words(folder) if arguments.through == "tls" else "")
        others, route = [second], f'route "[127.0.0.1]:{port}";'
    relay, port = start_relay(folder, lab, route=route, extra=extra)
    try:
        source(port, 200, 10, arguments.length, "you@sink.test")  # connections and caches are warm
        while lab.messages() < 200:
            time.sleep(0.01)
        processes = [relay, *others]
        before, began = [cpu_s(process.pid) for process in processes], time.monotonic()
        source(port, arguments.messages, arguments.sessions, arguments.length, "you@sink.test")
        accepted = time.monotonic() - began
        while (count := lab.messages() - 200) < arguments.messages:
            time.sleep(0.01)
        took, cpu = time.monotonic() - began, [cpu_s(process.pid) - one for process, one in zip(processes, before)]
        time.sleep(0.2)
        count = lab.messages() - 200
        assert count == arguments.messages, f"{count} arrived of {arguments.messages}"
        return {"messages_s": arguments.messages / took, "accepted_s": arguments.messages / accepted,
                "cpu_us": cpu[0] / arguments.messages * 1e6, **({"second_cpu_us": cpu[1] / arguments.messages * 1e6} if others else {})}
    finally:
        for process in [relay, *others]:
            process.send_signal(signal.SIGTERM)
            process.wait(30)
        lab.stop()
        shutil.rmtree(folder)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--messages", type=int, default=20000)
    parser.add_argument("--sessions", type=int, default=50)
    parser.add_argument("--length", type=int, default=4096)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--sign", choices=["rsa", "ed25519"], help="sign each message (DKIM)")
    parser.add_argument("--through", choices=["plain", "tls"], help="a second relay in between, in plaintext or over TLS")
    parser.add_argument("--folder", default=str(ROOT / "build"), help="where the spool is: on the disk to be measured")
    arguments = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    results = {"direct": [], "relay": []}
    for _ in range(arguments.runs):
        results["direct"].append(direct(arguments))
        results["relay"].append(relayed(arguments))
    median = {name: {key: round(statistics.median(run[key] for run in runs)) for key in runs[0]} for name, runs in results.items()}
    print(json.dumps({"arguments": vars(arguments), "median": median, "runs": results}, indent=1))
    print(f"direct: {median['direct']['messages_s']} messages/s; relay: {median['relay']['messages_s']} messages/s end to end, "
          f"{median['relay']['accepted_s']} accepted/s, {median['relay']['cpu_us']} us of CPU per message", file=sys.stderr)


if __name__ == "__main__":
    main()
