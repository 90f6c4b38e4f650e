#!/usr/bin/python3
"""How well `outlast bounce` reads real returned messages.

    tests/score/bounces.py [--binary build/outlast] [--data DIR] [--misses]

DIR holds eml/ and truth.tsv (its README says what the columns mean). An empty field of the truth is not scored."""

import argparse
import csv
import json
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared" / "data" / "bounces"
KINDS = {"bounce": "bounce", "autoreply": "auto-reply", "feedback": "feedback", "delivered": "other", "notbounce": "other"}


class Tally:
    """Right answers, answers given and answers wanted."""

    def __init__(self):
        self.right = self.given = self.wanted = 0
        self.misses = []

    def count(self, is_right, where, got, want, is_given=True):
        self.right += is_right
        self.given += is_given
        self.wanted += 1
        if not is_right:
            self.misses.append(f"{where}: got {got!r}, want {want!r}")

    @property
    def precision(self):
        return self.right / self.given if self.given else 1.0

    @property
    def recall(self):
        return self.right / self.wanted if self.wanted else 1.0


def one_of(*fields):
    """The values that are right: the first field, and the lists of what is also right."""
    return {value.strip() for field in fields for value in field.replace("|", ",").split(",") if value.strip()}


def read_truth(data):
    files = {}
    with open(data / "truth.tsv", newline="") as lines:
        for row in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE):
            files.setdefault(row["file"], []).append(row)
    return files


def ask(binary, path):
    done = subprocess.run([binary, "bounce", "--json", str(path)], capture_output=True, timeout=60, check=True)
    return json.loads(done.stdout.splitlines()[0])


def score_recipient(tallies, name, row, found):
    """One recipient of the truth against what was read of it (None: not found)."""
    if row["action"]:
        got = found["action"] if found else ""
        tallies["action"].count(got == row["action"], name, got, row["action"], bool(found))
    for column, key, also in (("status", "status", "status_alt"), ("reply_code", "reply", None)):
        if not row[column]:
            continue
        got, want = found[key] if found else "", one_of(row[column], row[also] if also else "")
        tallies[key].count(got in want, name, got, sorted(want), bool(got))
    if row["category"]:
        got, want = found["category"] if found else "", one_of(row["category"], row["category_also"])
        tallies["category"].count(got in want, name, got, sorted(want), got not in ("", "Unknown"))
    if row["hard"] in ("yes", "no"):
        got, want = found["bounce"] if found else "", "hard" if row["hard"] == "yes" else "soft"
        tallies["hard or soft"].count(got == want, name, got, want, bool(found))


def score_file(tallies, name, rows, answer):
    found = {r["address"].lower(): r for r in answer["recipients"] if r["action"] in ("failed", "delayed")}
    delayed = rows[0]["kind"] == "bounce" and all(row["action"] == "delayed" for row in rows)
    kind = "delay" if delayed else KINDS[rows[0]["kind"]]
    if all(row["action"] or row["kind"] != "bounce" for row in rows):
        tallies["kind"].count(answer["kind"] == kind, name, answer["kind"], kind)
    if rows[0]["kind"] != "bounce":
        tallies["recipient"].given += len(found)
        if found:
            tallies["recipient"].misses.append(f"{name}: lists {sorted(found)}")
        return
    tallies["recipient"].given += len(found)
    extra = set(found) - {a.lower() for row in rows for a in one_of(row["recipient"], row["recipient_alt"])}
    if extra:
        tallies["recipient"].misses.append(f"{name}: lists {sorted(extra)} besides")
    for row in rows:
        names = [row["recipient"].lower()] + [alt.lower() for alt in one_of(row["recipient_alt"])]
        hit = next((found[address] for address in names if address in found), None)
        tallies["recipient"].count(hit is not None, name, sorted(found), names, False)
        score_recipient(tallies, name, row, hit)


def score(binary, data=DATA):
    """The tallies by name, over all files of the truth."""
    tallies = {what: Tally() for what in
               ("kind", "recipient", "action", "status", "reply", "category", "hard or soft")}
    for name, rows in sorted(read_truth(data).items()):
        score_file(tallies, name, rows, ask(binary, data / "eml" / name))
    return tallies


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default=str(ROOT / "build" / "outlast"))
    parser.add_argument("--data", type=pathlib.Path, default=DATA)
    parser.add_argument("--misses", action="store_true", help="print every wrong answer")
    arguments = parser.parse_args()
    if not (arguments.data / "truth.tsv").exists():
        print(f"there is no {arguments.data}/truth.tsv")
        return
    tallies = score(arguments.binary, arguments.data)
    print(f"{'':14}{'precision':>10}{'recall':>8}{'right':>7}{'wanted':>8}")
    for what, tally in tallies.items():
        print(f"{what:14}{100 * tally.precision:9.1f}%{100 * tally.recall:7.1f}%{tally.right:7}{tally.wanted:8}")
    for what, tally in tallies.items():
        for miss in tally.misses if arguments.misses else []:
            print(f"{what}: {miss}")


if __name__ == "__main__":
    main()
