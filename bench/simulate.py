#!/usr/bin/python3
"""Outlast against the other relays over the worlds of etc/worlds, as Markdown: the tables of docs/simulate.md.

usage: bench/simulate.py [--lifetime 72h]     OUTLAST names the binary, build/outlast if it is not set
"""

import json
import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent.parent
WORLDS = ["down-6h", "down-30h", "down-71h", "greylist", "rate", "mx-moved", "flapping", "windows", "shared", "all"]


def span(seconds):
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def after_recovery(policy):
    recovery = policy["recovery"]
    if recovery["messages"] == 0:
        return f"({span(policy['delay']['mean'])}, {span(policy['delay']['p95'])})"
    return f"{span(recovery['mean'])}, {span(recovery['p95'])}"


MEASURES = [
    ("Expired messages", lambda policy: f"{policy['expired']:,}"),
    ("Connections to dead hosts", lambda policy: f"{policy['dead_connections']:,}"),
    ("Delay after recovery: mean, 95 % (in brackets: delay of all, where no host was ever down)", after_recovery),
]


def main():
    binary = os.environ.get("OUTLAST", str(HERE / "build" / "outlast"))
    paths = [str(HERE / "etc" / "worlds" / f"{world}.conf") for world in WORLDS]
    answer = subprocess.run([binary, "simulate", "--json", *paths, *sys.argv[1:]], stdout=subprocess.PIPE, check=True)
    worlds = json.loads(answer.stdout)
    for title, measure in MEASURES:
        print(f"\n{title}\n\n| policy | {' | '.join(WORLDS)} |\n|---|{'---:|' * len(WORLDS)}")
        for i, policy in enumerate(worlds[0]["policies"]):
            cells = [measure(world["policies"][i]) for world in worlds]
            print(f"| {policy['policy']} | {' | '.join(cells)} |")


main()
