#!/usr/bin/python3
"""Runs the suites that are named (unit, system, lint) and closes with one line: N passed, N failed."""

import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import xml.etree.ElementTree

ROOT = pathlib.Path(__file__).resolve().parent.parent
TAP = re.compile(r"^(ok|not ok) \d+(?P<rest>.*)$", re.M)


class Count:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def add(self, is_passed, name=""):
        if is_passed:
            self.passed += 1
        else:
            self.failed += 1
            print(f"FAILED {name}", flush=True)


def patience(test):
    """Twice what the test asks for; sanitizers (PATIENCE is set for them) may take longer still."""
    return 2 * test["timeout"] * (5 if "PATIENCE" in os.environ else 1)


def run_unit(build, count):
    """meson's tests speak TAP: each line is one case."""
    targets = subprocess.run(["meson", "introspect", "--tests", build], capture_output=True, text=True, check=True)
    for test in json.loads(targets.stdout):
        environment = dict(os.environ, **test["env"])
        environment.setdefault("ASAN_OPTIONS", "detect_stack_use_after_return=0")
        try:
            result = subprocess.run(test["cmd"], cwd=test["workdir"] or ROOT, env=environment, capture_output=True,
                                    text=True, errors="replace", timeout=patience(test), check=False)
            code, output = result.returncode, result.stdout + result.stderr
        except subprocess.TimeoutExpired as expired:
            code, output = 1, (expired.stdout or b"").decode(errors="replace") + "\ntimed out"
        lines = [(match[1], match["rest"]) for match in TAP.finditer(output)]
        bad = [rest for word, rest in lines if word == "not ok"]
        skipped = sum(1 for word, rest in lines if word == "ok" and "# SKIP" in rest.upper())
        count.passed += len(lines) - len(bad) - skipped
        count.skipped += skipped
        name = f"{test['suite'][-1]}: {test['name']}"
        if bad or code != 0 or not lines:
            count.failed += max(len(bad), 1)  # a test that dies, or says nothing, has failed too
            print(f"FAILED {name} (exit {code})\n{output[-4000:]}", flush=True)
        else:
            print(f"ok     {name} ({len(lines)})", flush=True)


def run_system(build, count):
    report = ROOT / build / "system.xml"
    environment = dict(os.environ)
    environment.setdefault("OUTLAST", str(ROOT / build / "outlast"))
    subprocess.run(["/usr/bin/python3", "-m", "pytest", "-q", "--tb=short", "-p", "no:cacheprovider", f"--junitxml={report}", "tests/system"],
                   cwd=ROOT, env=environment, check=False)
    if not report.exists():
        count.add(False, "system tests did not run")
        return
    for suite in xml.etree.ElementTree.parse(report).getroot().iter("testsuite"):
        bad = int(suite.get("failures")) + int(suite.get("errors"))
        skipped = int(suite.get("skipped"))
        count.failed += bad
        count.skipped += skipped
        count.passed += int(suite.get("tests")) - bad - skipped


def run_lint(build, count):
    for tool in ("layout", "layers", "longest", "headers_alone", "manuals", "sizes"):
        result = subprocess.run(["/usr/bin/python3", str(ROOT / "tools" / f"{tool}.py")], cwd=ROOT, capture_output=True,
                                text=True, check=False)
        count.add(result.returncode == 0, f"lint: {tool}\n{result.stdout}{result.stderr}")
        if result.returncode == 0:
            print(f"ok     lint: {tool}", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default="build")
    parser.add_argument("suites", nargs="+", choices=["unit", "system", "lint"])
    arguments = parser.parse_args()
    count = Count()
    for suite in arguments.suites:
        {"unit": run_unit, "system": run_system, "lint": run_lint}[suite](arguments.build, count)
    skipped = f", {count.skipped} skipped" if count.skipped else ""
    print(f"{count.passed} passed, {count.failed} failed{skipped}", flush=True)
    sys.exit(count.failed > 0)


if __name__ == "__main__":
    main()
