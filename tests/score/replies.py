#!/usr/bin/python3
"""replies.py [FILE.tsv ...] [--misses]: how well `outlast classify` does on replies whose meaning is known.

A file begins with a line of column names (id, reply, category, category_also, temporary), or is of the form of
tests/unit/codes/replies.tsv. Prints precision and recall of each category, and how often temporary-or-not is right."""

import collections
import json
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
OUTLAST = os.environ.get("OUTLAST", str(ROOT / "build/outlast"))
SHARED = ROOT.parent / "shared/data/replies.tsv"
OWN = ROOT / "tests/unit/codes/replies.tsv"


def read(path):
    """A list of (reply, category, also right, temporary)."""
    rows = []
    lines = path.read_text().splitlines()
    columns = lines[0].split("\t")
    for line in lines:
        cells = line.split("\t")
        if line.startswith("#") or cells == columns and columns[0] == "id":
            continue
        if columns[0] == "id":
            cell = dict(zip(columns, cells))
            rows.append((cell["reply"], cell["category"], set(filter(None, cell["category_also"].split(","))),
                         cell["temporary"]))
        else:
            category, *also = cells[0].split(",")
            rows.append((cells[2], category, set(also), cells[1]))
    return rows


def classify(replies):
    result = subprocess.run([OUTLAST, "classify"], input="".join(f"{reply}\n" for reply in replies).encode(),
                            stdout=subprocess.PIPE, check=True, timeout=60)
    return [json.loads(line) for line in result.stdout.splitlines()]


def score(path, show_misses=False):
    """The shares of right categories and of right temporary-or-not."""
    rows = read(path)
    answers = classify([row[0] for row in rows])
    assert len(answers) == len(rows), f"{len(answers)} answers to {len(rows)} replies"
    right, wrong_as, missed = collections.Counter(), collections.Counter(), collections.Counter()
    timed = [(row, answer) for row, answer in zip(rows, answers) if row[3] != "any"]
    for row, answer in zip(rows, answers):
        if answer["category"] == row[1] or answer["category"] in row[2]:
            right[row[1]] += 1
            continue
        missed[row[1]] += 1
        wrong_as[answer["category"]] += 1
        if show_misses:
            print(f"want {row[1]}, got {answer['category']} by {answer['rule']}: {row[0]}")
    timed_right = sum((row[3] == "yes") == answer["temporary"] for row, answer in timed)
    for row, answer in timed:
        if show_misses and (row[3] == "yes") != answer["temporary"]:
            print(f"want temporary {row[3]}, got {answer['temporary']}: {row[0]}")
    print(f"{path}\n  {'category':18} {'count':>5} {'precision':>9} {'recall':>6}")
    for name in sorted(set(right) | set(missed) | set(wrong_as)):
        found, count = right[name] + wrong_as[name], right[name] + missed[name]
        print(f"  {name:18} {count:5} {right[name] / found if found else 0:9.0%} {right[name] / count if count else 0:6.0%}")
    shares = sum(right.values()) / len(rows), timed_right / len(timed)
    print(f"  category  {shares[0]:.1%} of {len(rows)}\n  temporary {shares[1]:.1%} of {len(timed)}")
    return shares


def main():
    arguments = [argument for argument in sys.argv[1:] if argument != "--misses"]
    paths = [pathlib.Path(argument) for argument in arguments] or [path for path in (OWN, SHARED) if path.exists()]
    for path in paths:
        score(path, "--misses" in sys.argv)


if __name__ == "__main__":
    main()
