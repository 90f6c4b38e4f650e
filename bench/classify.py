#!/usr/bin/python3
"""Replies a second through `outlast classify`, on one core: the whole command, its output into a file.

    classify.py [REPLIES.tsv]      default: those of tests/unit/codes"""

import os
import pathlib
import resource
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests/score"))
import replies

ROUNDS, WANTED = 5, 500_000



def measure(name, lines):
    """The best of some rounds: other work on the machine only ever adds."""
    cpu_s, wall_s = [], []
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as got:
        given.write("".join(f"{line}\n" for line in lines).encode())
        for _ in range(ROUNDS):
            given.seek(0)
            got.seek(0)
            before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
            subprocess.run([replies.OUTLAST, "classify"], stdin=given, stdout=got, check=True,
                           preexec_fn=lambda: os.sched_setaffinity(0, {min(os.sched_getaffinity(0))}))
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            wall_s.append(time.monotonic() - begin)
            cpu_s.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    print(f"{name:34} {len(lines) / min(cpu_s):9,.0f} in a second of CPU time, {len(lines) / min(wall_s):9,.0f} of the clock")


path = pathlib.Path(sys.argv[1]) if sys.argv[1:] else replies.OWN
rows = [row[0] for row in replies.read(path)]
rows *= WANTED // len(rows)
print(f"{len(rows)} replies, {sum(map(len, rows)) / len(rows):.0f} characters each on average, best of {ROUNDS} rounds")
measure("as a log has them, many again", rows)
measure("each unlike all before it", [f"{row} {number:06d}" for number, row in enumerate(rows)])
