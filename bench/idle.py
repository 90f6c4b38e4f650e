#!/usr/bin/python3
"""Ten thousand clients that said EHLO and nothing since: the memory that the relay takes for them."""

import argparse
import json
import pathlib
import resource
import shutil
import socket
import tempfile

from run import ROOT, free_port
from scale import memory_kib, start


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--sessions", type=int, default=10000)
    arguments = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    folder = pathlib.Path(tempfile.mkdtemp(dir=ROOT / "build"))
    port = free_port()
    (folder / "outlast.conf").write_text(f"""hostname "relay.test";
listener "127.0.0.1:{port}" {{ }}
receive {{ connections_per_client 100000; }}
spool {{ directory "{folder}/spool"; }}
admin {{ socket "{folder}/control"; }}
log {{ level warning; }}
""")
    relay, _ = start(folder)
    try:
        before, clients = memory_kib(relay.pid), []
        for _ in range(arguments.sessions):
            client = socket.create_connection(("127.0.0.1", port))
            client.recv(200)
            client.sendall(b"EHLO idle.test\r\n")
            clients.append(client)
        for client in clients:
            assert b"250 HELP" in client.recv(2000)
        after = memory_kib(relay.pid)
        print(json.dumps({"sessions": arguments.sessions, "rss_mib": round(after / 1024, 1), "kib_per_session": round((after - before) / arguments.sessions, 1)}))
    finally:
        relay.kill()
        relay.wait()
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
