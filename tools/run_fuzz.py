#!/usr/bin/python3
"""Runs every fuzz harness for some seconds, with its corpus; findings end up in the build folder."""

import argparse
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent

parser = argparse.ArgumentParser()
parser.add_argument("--build", default="build-fuzz")
parser.add_argument("--seconds", type=int, default=60)
arguments = parser.parse_args()
build = ROOT / arguments.build
failed = 0
harnesses = sorted(path.stem for path in (ROOT / "tests/fuzz").glob("*.c") if path.stem != "replay")
for name in harnesses:
    found = build / "corpus" / name
    found.mkdir(parents=True, exist_ok=True)
    corpus = ROOT / "tests/fuzz/corpus" / name
    command = [str(build / "tests/fuzz" / f"fuzz_{name}"), f"-max_total_time={arguments.seconds}", "-max_len=65536",
               "-timeout=10", "-print_final_stats=1", f"-artifact_prefix={found}/finding-", str(found)]
    if corpus.is_dir():
        command.append(str(corpus))
    result = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    runs = [line.split()[-1] for line in result.stderr.splitlines() if line.startswith("stat::number_of_executed_units")]
    print(f"{'ok    ' if result.returncode == 0 else 'FAILED'} {name}: {runs[0] if runs else '?'} runs", flush=True)
    if result.returncode:
        failed += 1
        print(result.stderr[-3000:], flush=True)
print(f"{len(harnesses) - failed} passed, {failed} failed")
sys.exit(failed > 0)
